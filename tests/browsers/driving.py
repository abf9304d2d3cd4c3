"""Opens pages in a real browser and runs scripts in them: Chromium by Playwright, Firefox ESR by WebDriver BiDi.

Playwright asks a stock Firefox for what the extended support release does not know yet, so its own protocol is spoken here.
"""

from __future__ import annotations

import contextlib
import itertools
import json
import os
import signal
import socket
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Protocol

from wsproto import ConnectionType, WSConnection
from wsproto.events import Message, Ping, Request, TextMessage

from tests.timing import MS, eventually

from .oracle import command

PATIENCE = 30_000 * MS
"""Seconds that a browser may take to an answer on a busy machine."""


class Tab(Protocol):
    """A page that is open."""

    def evaluate(self, script: str) -> Any:
        """The value of a JavaScript expression; of a promise, what it resolves to."""

    def close(self) -> None:
        """Close the tab, as a user does."""


class Browser(Protocol):
    """A browser under way."""

    def open(self, url: str) -> Tab:
        """The page at this address, loaded, in a tab of its own."""


def _as_text(script: str) -> str:
    return f"(async () => JSON.stringify((await ({script})) ?? null))()"


class ChromiumTab:
    def __init__(self, page: Any) -> None:
        self.page = page

    def evaluate(self, script: str) -> Any:
        return json.loads(self.page.evaluate(_as_text(script)))

    def close(self) -> None:
        self.page.close()


class Chromium:
    def __init__(self, browser: Any) -> None:
        self.browser = browser

    def open(self, url: str) -> ChromiumTab:
        page = self.browser.new_page()
        page.goto(url)
        return ChromiumTab(page)


class FirefoxTab:
    def __init__(self, session: BidiSession, context: str) -> None:
        self.session, self.context = session, context

    def evaluate(self, script: str) -> Any:
        answer = self.session.call(
            "script.evaluate", expression=_as_text(script), target={"context": self.context}, awaitPromise=True
        )
        assert answer["type"] == "success", answer.get("exceptionDetails", {}).get("text")
        return json.loads(answer["result"]["value"])

    def close(self) -> None:
        self.session.call("browsingContext.close", context=self.context)


class BidiSession:
    """A session of WebDriver BiDi (W3C) over one WebSocket: commands go out, each waits for its answer."""

    def __init__(self, port: int) -> None:
        self.socket = socket.create_connection(("127.0.0.1", port), PATIENCE)
        self.connection = WSConnection(ConnectionType.CLIENT)
        self.numbers = itertools.count(1)
        self._send(Request(host=f"127.0.0.1:{port}", target="/session"))
        next(self._events())
        self.call("session.new", capabilities={"alwaysMatch": {}})

    def _send(self, event: Any) -> None:
        self.socket.sendall(self.connection.send(event))

    def _events(self) -> Iterator[Any]:
        while True:
            yield from self.connection.events()
            data = self.socket.recv(1 << 16)
            assert data, "Firefox hung up"
            self.connection.receive_data(data)

    def _messages(self) -> Iterator[dict[str, Any]]:
        text = ""
        for event in self._events():
            if isinstance(event, Ping):
                self._send(event.response())
            elif isinstance(event, TextMessage):
                text += event.data
                if event.message_finished:
                    yield json.loads(text)
                    text = ""

    def call(self, method: str, **params: Any) -> dict[str, Any]:
        """What the command brings back."""
        number = next(self.numbers)
        self._send(Message(data=json.dumps({"id": number, "method": method, "params": params})))
        answer = next(message for message in self._messages() if message.get("id") == number)
        assert answer["type"] == "success", answer.get("message")
        result: dict[str, Any] = answer["result"]
        return result

    def open(self, url: str) -> FirefoxTab:
        context = self.call("browsingContext.create", type="tab")["context"]
        self.call("browsingContext.navigate", context=context, url=url, wait="complete")
        return FirefoxTab(self, context)


@contextlib.contextmanager
def firefox(profile: Path) -> Iterator[Browser]:
    """Firefox ESR without a screen, with a profile of its own. Skips the test where it is missing."""
    arguments = [*command("firefox", profile, "about:blank"), "--remote-debugging-port", "0"]
    told = profile / "WebDriverBiDiServer.json"
    with (profile / "words").open("wb") as words:
        process = subprocess.Popen(
            arguments, env={**os.environ, "HOME": str(profile), "MOZ_CRASHREPORTER_DISABLE": "1"},
            stdin=subprocess.DEVNULL, stdout=words, stderr=words, start_new_session=True,
        )  # fmt: skip
        try:
            eventually(lambda: told.exists() and told.read_text().endswith("}"), within=PATIENCE)
            session = BidiSession(json.loads(told.read_text())["ws_port"])
            try:
                yield session
            finally:
                session.socket.close()
        finally:
            os.killpg(process.pid, signal.SIGKILL)  # a session of its own: only the browser's processes are in it
            process.wait()
