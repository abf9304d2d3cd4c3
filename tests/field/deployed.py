"""Measures what {FastAPI's own streams, sse-starlette} x {uvicorn, hypercorn, granian} do, each fact from bytes or verdicts."""

from __future__ import annotations

import re
import signal
import socket
import sys
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

import httpx

from ssegauge import suite
from ssegauge.bench import Bench, Options
from ssegauge.client import Limits, Stream
from ssegauge.commanded import ServedCommand
from ssegauge.exchange import Exchange, Sent
from ssegauge.judging import judge
from ssegauge.profile import Profile
from ssegauge.wire import Decoder

from .running import SERVERS

ROOT = SERVERS.parent.parent.parent


@dataclass(frozen=True)
class Server:
    """A server: the words that start it, and those that limit how long it waits for open streams when it stops."""

    name: str
    command: str
    limited: str


PYTHON = f"{sys.executable} -m "
SERVED_BY = (
    Server(
        "uvicorn, h11",
        PYTHON + "uvicorn --port {port} --log-level critical --http h11 APP",
        "--timeout-graceful-shutdown 2",
    ),
    Server(
        "uvicorn, httptools",
        PYTHON + "uvicorn --port {port} --log-level critical --http httptools APP",
        "--timeout-graceful-shutdown 2",
    ),
    Server("hypercorn", PYTHON + "hypercorn --workers 1 --bind 127.0.0.1:{port} APP", "--graceful-timeout 2"),
    Server(
        "granian",
        PYTHON + "granian --interface asgi --host 127.0.0.1 --port {port} --no-log APP",
        "--workers-kill-timeout 2",
    ),
)
LIBRARIES = {"fastapi.sse": "/native", "sse-starlette": "/starlette"}
ENDS = {"message_end": "as a finished message", "eof": "cut inside the message", "reset": "reset"}
LONG = Limits(window=30.0, first_byte=30.0)


@contextmanager
def served(
    server: Server,
    *,
    app: str = "side_by_side:app",
    root: Path = SERVERS,
    limited: bool = False,
    trace: Path | None = None,
) -> Iterator[ServedCommand]:
    """The app on this server; `limited`: with its own limit on a graceful stop, of 2 s."""
    words = server.command.replace("APP", f"{server.limited if limited else ''} {app}")
    command = f"env TRACE={trace} {words}" if trace else words
    with ServedCommand(command, root=root) as target:
        yield target


def whole(url: str, path: str, **request: str) -> Exchange:
    """The exchange of one request, as far as its end."""
    sent = Sent(request.pop("method", "GET"), url + path, (), None, **request)
    with Stream(sent, limits=LONG) as stream:
        stream.pump(within=30.0)
        return stream.exchange


def content(seen: Exchange) -> bytes:
    """What the exchange brought, without the transfer coding."""
    return b"".join(read.data for read in seen.reads)


# -- one request ------------------------------------------------------------------------------------------------------


def head(url: str, library: str) -> str:
    """The fields that are not the same everywhere."""
    found = whole(url, f"{library}/stream")
    same = {"date", "server", "content-type", "transfer-encoding"}
    return "<br>".join(f"`{name.lower()}: {value}`" for name, value in found.headers if name.lower() not in same)


def event(url: str, library: str) -> str:
    """The bytes of the first event."""
    body = content(whole(url, f"{library}/stream"))
    end = re.search(rb"(\r\n|\n)\1", body)
    return f"`{body[: end.end() if end else 0].decode()!r}`"


def failing(url: str, library: str, pause: float) -> str:
    """What comes of a stream whose generator raises after two events."""
    seen = whole(url, f"{library}/stream?fail_after=2&pause={pause}")
    return f"{len(Decoder().feed(content(seen)))} of 2 events, {ENDS.get(seen.end, seen.end)}"


def http10(url: str, library: str) -> str:
    """How the content is delimited in answer to HTTP/1.0."""
    seen = whole(url, f"{library}/stream", http_version="1.0")
    return "chunks, which no such client reads" if seen.framing == "chunked" else "the end of the connection"


def head_request(url: str, library: str) -> str:
    return str(whole(url, f"{library}/stream", method="HEAD").status)


def keepalive(url: str, library: str) -> str:
    """The first bytes of a stream that has nothing to say, and when they come."""
    with Stream(Sent("GET", f"{url}{library}/idle"), limits=LONG) as stream:
        stream.pump(lambda one: bool(one.exchange.reads), within=25.0)
        reads = stream.exchange.reads
        if not reads:
            return "none in 25 s"
        text = re.sub(r"\d{4}-[^\r\n]*", "TIME", reads[0].data.decode())
        return f"`{text!r}` after {int(reads[0].at)} s"


def leaving(url: str, library: str, path: str, how: Callable[[Stream], None]) -> str:
    """Whether the generator ends after its client has left."""
    stream = Stream(Sent("GET", f"{url}{library}/{path}"), limits=LONG)
    stream.until_head()
    began = time.monotonic()
    while active(url) == 0:
        if time.monotonic() - began > 10:
            return "it never began"
    how(stream)
    began = time.monotonic()
    while active(url):
        if time.monotonic() - began > 10:
            return "no, not in 10 s"
        time.sleep(0.05)
    return "yes"


def active(url: str) -> int:
    """How many generators are alive."""
    return int(httpx.get(f"{url}/probe", trust_env=False, timeout=30).json()["active_streams"])


# -- SIGTERM ----------------------------------------------------------------------------------------------------------

RESTARTS = ("LIF-08", "LIF-11", "FRM-11", "HTTP-03")
STILL_THERE = "still there after 10 s"
WATCHED = 10.0
"""Seconds for which a server that was told to stop is watched."""


@dataclass(frozen=True)
class Stop:
    """What a deploy does: to the process, to its open stream, to who comes meanwhile, to the generator; and the rules' word."""

    process: str
    stream: str
    newcomers: str
    generator: str
    rules: str


def stopping(server: Server, library: str, *, limited: bool, reference: bool = False) -> Stop:
    """SIGTERM while a stream is open; then the rules of shutdown and restart on the same server."""
    path = "/ticks?interval=0.05" if reference else f"{library}/endless"
    app, root = ("target_app.app:app", ROOT) if reference else ("side_by_side:app", SERVERS)
    with TemporaryDirectory() as folder:
        trace = Path(folder) / "trace"
        with served(server, app=app, root=root, limited=limited, trace=trace) as target:
            process, stream, newcomers = _told_to_stop(target, path)
            cleaned = trace.exists()
    with served(server, app=app, root=root, limited=limited) as target:
        rules = _rules(target, path)
    said = "" if reference or process == STILL_THERE else "yes" if cleaned else "no"
    return Stop(process, stream, newcomers, said, rules)


def _told_to_stop(target: ServedCommand, path: str) -> tuple[str, str, str]:
    with ThreadPoolExecutor(1) as pool, Stream(Sent("GET", target.url + path), limits=LONG) as stream:
        stream.until_events(2)
        target.signal(signal.SIGTERM)
        told = stream.elapsed
        stream.pump(within=0.2)
        newcomer = pool.submit(_newcomer, target.port)
        stream.pump(within=WATCHED - 0.2)
        gone = target.wait(max(WATCHED - (stream.elapsed - told), 3.0))
        seen = stream.exchange
        after = f"{ENDS.get(seen.end, seen.end)}, {_moment(seen.end_at - told)}" if stream.over else "stays open"
        process = STILL_THERE if gone is None else "gone with its stream" if stream.over else "gone before its stream"
    return process, after, newcomer.result()


def _moment(seconds: float) -> str:
    return "at once" if seconds < 1.8 else f"after {int(seconds)} s"  # 2 s is the shortest limit


def _newcomer(port: int) -> str:
    """What a client meets that comes while the server stops."""
    try:
        with socket.create_connection(("127.0.0.1", port), WATCHED) as connection:
            connection.settimeout(WATCHED)
            connection.sendall(b"GET /probe HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
            return "served" if connection.recv(100) else "taken, and closed without an answer"
    except ConnectionRefusedError:
        return "refused"
    except ConnectionError:
        return "taken, and reset without an answer"
    except TimeoutError:
        return "taken, and never answered"


def _rules(target: ServedCommand, path: str) -> str:
    endpoint = {"name": "endless", "request": {"path": path.partition("?")[0]}}
    if "?" in path:
        endpoint["request"]["params"] = dict([path.partition("?")[2].split("=")])  # type: ignore[index]
    contract = Profile.model_validate({"base_url": target.url, "endpoint": [endpoint], "source": target.url})
    bench = Bench(contract, contract.endpoint[0], Options(window=2.0, long=True), target)
    said = {rule: judge(suite.checks()[rule], bench).outcome for rule in RESTARTS}
    return ", ".join(f"{rule} {outcome}" for rule, outcome in said.items() if outcome != "pass") or "all hold"
