"""The open HTTP/2 connections of one process: a stream goes where there is room, else where there will be."""

from __future__ import annotations

import time
from collections import defaultdict
from typing import Any

import gevent

from ssegauge.load.connect import ConnectError, Origin, Route, open_transport
from ssegauge.load.http2_connection import Http2Connection
from ssegauge.load.reader import Reader
from ssegauge.load.recorder import Recorder


class _Making:
    """A connection that is being made. `failure`: its greenlet, and what that returns; `seats`: streams it has room for."""

    __slots__ = ("failure", "seats")

    def __init__(self, failure: Any, seats: int) -> None:
        self.failure = failure
        self.seats = seats


class Http2Pool:
    """`at_most`: streams on one connection; the server's own limit holds besides."""

    def __init__(self, reader: Reader, recorder: Recorder, at_most: int) -> None:
        self._reader = reader
        self._recorder = recorder
        self._at_most = at_most
        self._allowed: dict[Any, int] = {}  # by a server, as it said on its last connection
        self._open: dict[Any, list[Http2Connection]] = defaultdict(list)
        self._making: dict[Any, list[_Making]] = defaultdict(list)

    def connection(self, origin: Origin, route: Route, seconds: float) -> Http2Connection:
        """One with room for a stream. Raises ConnectError, ValueError where none came about, which may take `seconds`.

        Where the server allows fewer streams than were waiting for a connection, those that are left wait for another.
        """
        key = (origin, route.proxy, id(route.tls))
        while (found := self._with_room(key)) is None:
            failure = self._seat(key, origin, route, seconds).failure.get()
            if failure is not None:
                raise failure.with_traceback(None)  # told to each that counted on this connection
        return found

    def close_idle(self) -> None:
        """Close the connections that have no streams."""
        for connections in self._open.values():
            for connection in connections:
                if connection.idle:
                    connection.close()

    def _with_room(self, key: Any) -> Http2Connection | None:
        connections = self._open[key]
        if any(connection.closed for connection in connections):
            connections[:] = [connection for connection in connections if not connection.closed]
        return next((connection for connection in connections if connection.room()), None)

    def _seat(self, key: Any, origin: Origin, route: Route, seconds: float) -> _Making:
        """A place on a connection in the making: as many are made at once as those that wait will need."""
        makings = self._making[key, seconds]
        making = next((making for making in makings if making.seats), None)
        if making is None:
            # In a greenlet of its own: whoever asked first may be told to stop, and the others still wait.
            greenlet = gevent.spawn(self._make, key, origin, route, seconds)
            making = _Making(greenlet, self._allowed.get(key, self._at_most))
            makings.append(making)
            greenlet.rawlink(lambda _: makings.remove(making))
        making.seats -= 1
        return making

    def _make(self, key: Any, origin: Origin, route: Route, seconds: float) -> ConnectError | ValueError | None:
        try:
            connection = self._connect(origin, route, seconds)
        except (ConnectError, ValueError) as error:
            return error
        self._allowed[key] = connection.allowed
        self._open[key].append(connection)
        self._recorder.harness.counters["http2_connections"] += 1
        return None

    def _connect(self, origin: Origin, route: Route, seconds: float) -> Http2Connection:
        deadline = time.monotonic() + seconds
        connection = Http2Connection(
            open_transport(origin, route, seconds), self._reader, self._recorder, self._at_most
        )
        connection.open(deadline - time.monotonic())
        if not connection.room():
            connection.close()
            raise ConnectError("the server allows no streams on an HTTP/2 connection")
        return connection
