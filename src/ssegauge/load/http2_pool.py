"""The open HTTP/2 connections of one process: a stream goes where there is room, else a new connection is made."""

from __future__ import annotations

import time
from typing import Any

from gevent.lock import BoundedSemaphore

from ssegauge.load.connect import ConnectError, Origin, Route, open_transport
from ssegauge.load.http2_connection import Http2Connection
from ssegauge.load.reader import Reader
from ssegauge.load.recorder import Recorder


class Http2Pool:
    """`at_most`: streams on one connection; the server's own limit holds besides."""

    def __init__(self, reader: Reader, recorder: Recorder, at_most: int) -> None:
        self._reader = reader
        self._recorder = recorder
        self._at_most = at_most
        self._open: dict[Any, list[Http2Connection]] = {}
        self._turns: dict[Any, BoundedSemaphore] = {}

    def connection(self, origin: Origin, route: Route, seconds: float) -> Http2Connection:
        """One with room for a stream. Raises ConnectError after `seconds` at the latest."""
        key = (origin, route.proxy, id(route.tls))
        found = self._with_room(key)
        if found is not None:
            return found
        deadline = time.monotonic() + seconds
        # One after the other: of many streams that begin at once the first would else open a connection each.
        turn = self._turns.setdefault(key, BoundedSemaphore(1))
        if not turn.acquire(timeout=seconds):
            raise ConnectError(f"no connection to {origin.authority} within {seconds:g} s", timeout=True)
        try:
            return self._with_room(key) or self._connect(key, origin, route, deadline)
        finally:
            turn.release()

    def close_idle(self) -> None:
        """Close the connections that have no streams."""
        for connections in self._open.values():
            for connection in connections:
                if connection.idle:
                    connection.close()

    def _with_room(self, key: Any) -> Http2Connection | None:
        connections = self._open.get(key)
        if connections is None:
            return None
        if any(connection.closed for connection in connections):
            connections[:] = [connection for connection in connections if not connection.closed]
        return next((connection for connection in connections if connection.room()), None)

    def _connect(self, key: Any, origin: Origin, route: Route, deadline: float) -> Http2Connection:
        transport = open_transport(origin, route, max(0.001, deadline - time.monotonic()))
        connection = Http2Connection(transport, self._reader, self._recorder, self._at_most)
        connection.open(deadline - time.monotonic())
        if not connection.room():
            connection.close()
            raise ConnectError("the server allows no streams on an HTTP/2 connection")
        self._recorder.harness.counters["http2_connections"] += 1
        self._open.setdefault(key, []).append(connection)
        return connection
