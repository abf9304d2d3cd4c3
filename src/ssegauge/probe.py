"""What the target shows of itself: how many streams it serves, and what its process holds.

`Gauge` reads a status address, a metrics page, or the process table. `StreamProbe` is an ASGI middleware that users can
add to offer such an address: `app.add_middleware(StreamProbe)`; `--app` adds it by itself.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import re
import ssl
import time
from collections.abc import Awaitable, Callable, MutableMapping
from dataclasses import dataclass
from typing import Any, NamedTuple, Protocol
from urllib.parse import urljoin

import httpx
import jsonpointer
import psutil

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]
App = Callable[[Scope, Receive, Send], Awaitable[None]]


class ProbeError(Exception):
    """The target's probe could not be read; says which and why."""


class Gauge(Protocol):
    """Counts the streams that the target still serves."""

    def active(self) -> float:
        """The number of streams that the target says are active. Raises ProbeError."""


@dataclass(frozen=True)
class StatusGauge:
    """Reads a number at a JSON pointer (RFC 6901) of a status address."""

    url: str
    pointer: str
    headers: tuple[tuple[str, str], ...] = ()
    verify: bool | ssl.SSLContext = True

    def document(self) -> Any:
        """The status document."""
        try:
            answer = httpx.get(self.url, headers=dict(self.headers), timeout=5.0, verify=self.verify, trust_env=False)
            answer.raise_for_status()
            return answer.json()
        except (httpx.HTTPError, ValueError) as error:
            raise ProbeError(f"probe {self.url}: {error}") from None

    def at(self, pointer: str) -> float:
        """The number at `pointer`."""
        document = self.document()
        try:
            value = jsonpointer.resolve_pointer(document, pointer)
        except jsonpointer.JsonPointerException:
            raise ProbeError(f"probe {self.url}: nothing at {pointer!r}") from None
        if isinstance(value, bool) or not isinstance(value, int | float):
            raise ProbeError(f"probe {self.url}: {pointer!r} is {value!r} and no number")
        return value

    def active(self) -> float:
        """The number of active streams."""
        return self.at(self.pointer)


@dataclass(frozen=True)
class MetricsGauge:
    """Reads a metric from a page in the Prometheus text format; samples of several labels are added up."""

    url: str
    name: str
    headers: tuple[tuple[str, str], ...] = ()
    verify: bool | ssl.SSLContext = True

    def active(self) -> float:
        """The metric's value."""
        try:
            page = httpx.get(self.url, headers=dict(self.headers), timeout=5.0, verify=self.verify, trust_env=False)
            page.raise_for_status()
        except httpx.HTTPError as error:
            raise ProbeError(f"metrics {self.url}: {error}") from None
        sample = re.compile(rf"^{re.escape(self.name)}(?:\{{[^}}]*\}})?\s+(\S+)", re.MULTILINE)
        values = [float(value) for value in sample.findall(page.text)]
        if not values:
            raise ProbeError(f"metrics {self.url}: no sample named {self.name!r}")
        return sum(values)


class Footprint(NamedTuple):
    """What a process and its children hold: open sockets by state, descriptors, threads, resident bytes.

    `tasks` are those of its event loop, where StreamProbe shows them.
    """

    established: int
    close_wait: int
    descriptors: int
    threads: int
    resident: int
    tasks: int = 0


@dataclass(frozen=True)
class ProcessGauge:
    """Counts the connections that a process and its children hold; a connection that the peer left counts too."""

    pid: int
    port: int | None = None

    def footprint(self) -> Footprint:
        """What the process tree holds now. Raises ProbeError where it is gone or not ours to look at."""
        try:
            root = psutil.Process(self.pid)
            held = [self._held(root)]
            for child in root.children(recursive=True):
                with contextlib.suppress(psutil.NoSuchProcess):  # a process for each connection is gone with it
                    held.append(self._held(child))
        except (psutil.Error, OSError) as error:
            raise ProbeError(f"process {self.pid}: {error}") from None
        return Footprint(*(sum(kind) for kind in zip(*held, strict=True)))

    def _held(self, process: psutil.Process) -> Footprint:
        """What a single process holds."""
        sockets = [pair for pair in process.net_connections("tcp") if self._counts(pair)]
        return Footprint(
            established=sum(pair.status == psutil.CONN_ESTABLISHED for pair in sockets),
            close_wait=sum(pair.status == psutil.CONN_CLOSE_WAIT for pair in sockets),
            descriptors=process.num_fds(),
            threads=process.num_threads(),
            resident=process.memory_info().rss,
        )

    def _counts(self, pair: Any) -> bool:
        return self.port is None or (pair.laddr and pair.laddr.port == self.port)

    def active(self) -> float:
        """Connections that are open on the process's side."""
        seen = self.footprint()
        return seen.established + seen.close_wait


def settle(
    read: Callable[[], float], base: float, within: float, every: float = 0.05
) -> tuple[float, list[tuple[float, float]]]:
    """Read until the value is down at `base` or time is up: the last value, and the curve of (seconds, value)."""
    began = time.monotonic()
    curve: list[tuple[float, float]] = []
    while True:
        value = read()
        curve.append((time.monotonic() - began, value))
        if value <= base or time.monotonic() - began >= within:
            return value, curve
        time.sleep(every)


def joined(base_url: str, path: str) -> str:
    """`path` as an absolute address on the target."""
    return urljoin(base_url, path)


class StreamProbe:
    """ASGI middleware that counts event streams and answers `path` with the counts.

    `active_streams` counts from the moment a response with Content-Type text/event-stream starts until the app's call
    returns, so a generator that runs on after its client left is still counted.
    """

    def __init__(self, app: App, path: str = "/_ssegauge/probe") -> None:
        self.app = app
        self.path = path
        self.counts = {"active_streams": 0, "opened": 0, "requests": 0, "chunks": 0}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one ASGI call."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
        elif scope["path"] == self.path:
            await self._answer(send)
        else:
            await self._watch(scope, receive, send)

    async def _answer(self, send: Send) -> None:
        body = json.dumps(self.counts | {"tasks": len(asyncio.all_tasks())}).encode()
        headers = [
            (b"content-type", b"application/json"),
            (b"cache-control", b"no-store"),
            (b"content-length", str(len(body)).encode()),
        ]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        await send({"type": "http.response.body", "body": body})

    async def _watch(self, scope: Scope, receive: Receive, send: Send) -> None:
        counts = self.counts
        counts["requests"] += 1
        streaming = False

        async def counted(message: MutableMapping[str, Any]) -> None:
            nonlocal streaming
            if message["type"] == "http.response.start" and _is_event_stream(message.get("headers", ())):
                streaming = True
                counts["active_streams"] += 1
                counts["opened"] += 1
            elif message["type"] == "http.response.body" and streaming:
                counts["chunks"] += 1
            await send(message)

        try:
            await self.app(scope, receive, counted)
        finally:
            if streaming:
                counts["active_streams"] -= 1


def _is_event_stream(headers: Any) -> bool:
    return any(
        name.lower() == b"content-type" and value.lower().startswith(b"text/event-stream") for name, value in headers
    )
