"""Lets a real browser read byte streams through EventSource, and brings back what it dispatched.

No driver is needed: the browser is started with the address of a page that does all the work and posts its results.
The server is a bare socket server, so that nothing stands between the bytes of a vector and the browser.
"""

from __future__ import annotations

import asyncio
import json
import os
import shutil
import signal
import subprocess
import threading
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

PAGE = Path(__file__).with_name("page.html").read_bytes()
HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nCache-Control: no-store\r\nConnection: close\r\n\r\n"

Dispatched = list[tuple[str, str, str]]


@dataclass(frozen=True)
class Job:
    """A body in the pieces it is sent in, the types to listen for, and whether the reconnect is waited for."""

    pieces: Sequence[bytes]
    types: Sequence[str]
    stays: bool = False


@dataclass
class Answer:
    """What the browser made of a job; `last_event_id` is the header of its reconnect, None where it made none."""

    events: Dispatched
    how: str
    last_event_id: bytes | None = None


@dataclass
class Source:
    """Serves the page and the jobs on a loopback port of its own."""

    jobs: Sequence[Job]
    results: list[dict[str, Any]] = field(default_factory=list)
    failure: str = ""
    requests: dict[int, list[bytes | None]] = field(default_factory=dict)
    done: threading.Event = field(default_factory=threading.Event)

    def __post_init__(self) -> None:
        started = threading.Event()
        self._thread = threading.Thread(target=lambda: asyncio.run(self._serve(started)), daemon=True)
        self._thread.start()
        assert started.wait(10)

    async def _serve(self, started: threading.Event) -> None:
        self._loop, self._stop = asyncio.get_running_loop(), asyncio.Event()
        server = await asyncio.start_server(self._answer, "127.0.0.1", 0)
        self.port = server.sockets[0].getsockname()[1]
        started.set()
        await self._stop.wait()
        server.close()

    def stop(self) -> None:
        """Stop serving."""
        self._loop.call_soon_threadsafe(self._stop.set)
        self._thread.join(10)

    async def _answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            head = await reader.readuntil(b"\r\n\r\n")
            first, *lines = head.split(b"\r\n")
            headers = {name.lower(): value.strip(b" ") for name, _, value in (line.partition(b":") for line in lines)}
            path = first.split(b" ")[1].decode()
            body = await reader.readexactly(int(headers.get(b"content-length", b"0")))
            await self._route(path, headers, body, writer)
        except (OSError, asyncio.IncompleteReadError):
            pass
        finally:
            writer.close()

    async def _route(self, path: str, headers: dict[bytes, bytes], body: bytes, writer: asyncio.StreamWriter) -> None:
        if path.startswith("/stream/"):
            await self._stream(int(path.rpartition("/")[2]), headers, writer)
        elif path == "/results":
            self.results = json.loads(body)
            _whole(writer, b"text/plain", b"")
            self.done.set()
        elif path == "/failed":
            self.failure = body.decode()
            self.done.set()
        elif path == "/jobs":
            jobs = [{"index": n, "types": list(job.types), "stays": job.stays} for n, job in enumerate(self.jobs)]
            _whole(writer, b"application/json", json.dumps(jobs).encode())
        elif path == "/":
            _whole(writer, b"text/html", PAGE)
        else:
            writer.write(b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")

    async def _stream(self, index: int, headers: dict[bytes, bytes], writer: asyncio.StreamWriter) -> None:
        before = self.requests.setdefault(index, [])
        before.append(headers.get(b"last-event-id"))
        if len(before) > 1:
            writer.write(b"HTTP/1.1 204 No Content\r\nConnection: close\r\n\r\n")
            return
        writer.write(HEAD)
        for piece in self.jobs[index].pieces:
            writer.write(piece)
            await writer.drain()
            if len(self.jobs[index].pieces) > 1:
                await asyncio.sleep(0.002)


def _whole(writer: asyncio.StreamWriter, kind: bytes, body: bytes) -> None:
    writer.write(
        b"HTTP/1.1 200 OK\r\nContent-Type: %s\r\nContent-Length: %d\r\nConnection: close\r\n\r\n" % (kind, len(body))
        + body
    )


_QUIET = """
user_pref("app.normandy.enabled", false);
user_pref("app.update.enabled", false);
user_pref("browser.aboutwelcome.enabled", false);
user_pref("browser.shell.checkDefaultBrowser", false);
user_pref("browser.safebrowsing.downloads.remote.enabled", false);
user_pref("browser.startup.homepage_override.mstone", "ignore");
user_pref("browser.tabs.remote.autostart", true);
user_pref("datareporting.policy.dataSubmissionEnabled", false);
user_pref("dom.min_background_timeout_value", 10);
user_pref("extensions.update.enabled", false);
user_pref("network.captive-portal-service.enabled", false);
user_pref("network.connectivity-service.enabled", false);
user_pref("network.dns.disablePrefetch", true);
user_pref("network.prefetch-next", false);
user_pref("network.proxy.type", 0);
user_pref("services.settings.server", "");
user_pref("toolkit.telemetry.enabled", false);
user_pref("toolkit.telemetry.server", "");
"""


def command(browser: str, profile: Path, url: str) -> list[str]:
    """The command that opens the page in a browser without a screen. Skips the test where the browser is missing."""
    if browser == "chromium":
        found = shutil.which("chromium")
        options = [
            *("--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--no-first-run"),
            *("--disable-background-networking", "--disable-component-update", "--disable-sync", "--disable-default-apps"),
            *("--disable-background-timer-throttling", "--password-store=basic", "--no-proxy-server"),
            f"--user-data-dir={profile}",
        ]  # fmt: skip
    else:
        found = shutil.which("firefox-esr")
        (profile / "user.js").write_text(_QUIET, encoding="utf-8")
        options = ["--headless", "--no-remote", "--profile", str(profile)]
    if found is None:
        pytest.skip(f"needs {browser} from the distribution's packages")
    return [found, *options, url]


def read(browser: str, jobs: Sequence[Job], profile: Path, *, within: float) -> list[Answer]:
    """What the browser makes of each job, in order."""
    profile.mkdir(parents=True, exist_ok=True)
    source = Source(jobs)
    try:
        with (profile / "words").open("wb") as words:
            process = subprocess.Popen(
                command(browser, profile, f"http://127.0.0.1:{source.port}/"),
                env={**os.environ, "HOME": str(profile), "MOZ_CRASHREPORTER_DISABLE": "1"},
                stdin=subprocess.DEVNULL, stdout=words, stderr=words, start_new_session=True,
            )  # fmt: skip
            try:
                finished = source.done.wait(within)
            finally:
                os.killpg(process.pid, signal.SIGKILL)  # a session of its own: only the browser's processes are in it
                process.wait()
    finally:
        source.stop()
    assert not source.failure, source.failure
    if not finished:
        said = (profile / "words").read_text(encoding="utf-8", errors="replace")[-2000:]
        pytest.fail(
            f"{browser} did not finish within {within:g} s; {len(source.requests)} streams were asked for; {said}"
        )
    answers: dict[int, Answer] = {}
    for result in source.results:
        asked = source.requests.get(result["index"], [])
        events = [(type, data, id) for type, data, id in result["events"]]
        answers[result["index"]] = Answer(events, result["how"], (asked[1] or b"") if len(asked) > 1 else None)
    return [answers[index] for index in range(len(jobs))]
