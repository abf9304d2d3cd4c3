"""Where to, and where from: the addresses of a host, looked up once for all that ask, and our own, taken in turn."""

from __future__ import annotations

import errno
import socket
import time
from collections.abc import Callable
from itertools import cycle
from typing import Any, NamedTuple, cast

import gevent
import gevent.socket
from gevent.event import AsyncResult
from gevent.monkey import get_original

Address = tuple[int, Any]
"""Family, and what connect() takes."""
_getaddrinfo = get_original("socket", "getaddrinfo")  # gevent's waits for a thread
_FRESH_SECONDS = 30.0  # a name is asked for again after that
_STALE_SECONDS = 60.0  # so long an older answer is better than to have all streams wait (RFC 8767)
_Place = tuple[str, int]


class _Known(NamedTuple):
    found: list[Address]
    since: float


def _look_up(host: str, port: int) -> list[Address]:
    return _told(gevent.socket.getaddrinfo(host, port, type=socket.SOCK_STREAM))


def _told(answers: Any) -> list[Address]:
    return [(int(family), address) for family, _, _, _, address in answers]


def _as_it_stands(host: str, port: int) -> list[Address] | None:
    """An address that is written as one, which nobody has to be asked for."""
    try:
        return _told(_getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_NUMERICHOST))
    except (OSError, UnicodeError):
        return None


class Sources:
    """Own addresses of both families. Some 28,000 ports for each of them and the target: more streams need more."""

    def __init__(self, addresses: list[str]) -> None:
        families = (int(socket.AF_INET6 if ":" in address else socket.AF_INET) for address in addresses)
        said = list(zip(families, addresses, strict=True))
        self._turns = {family: cycle([own for other, own in said if other == family]) for family, _ in said}

    def towards(self, address: Address) -> str:
        """The next of the same family. Raises OSError where there is none."""
        family, place = address
        if family not in self._turns:
            raise OSError(errno.EADDRNOTAVAIL, f"no own address is of the family of {place[0]}")
        return next(self._turns[family])


class Addresses:
    """`look_up` is asked, and may wait; `now` tells the time in seconds."""

    def __init__(
        self,
        look_up: Callable[[str, int], list[Address]] = _look_up,
        now: Callable[[], float] = time.monotonic,
    ) -> None:
        self._look_up = look_up
        self._now = now
        self._known: dict[_Place, _Known] = {}
        self._pending: dict[_Place, AsyncResult[list[Address]]] = {}

    def of(self, host: str, port: int) -> list[Address]:
        """In the order in which to try them. Raises OSError, or UnicodeError where IDNA cannot carry the name."""
        place = (host, port)
        known = self._known.get(place)
        age = self._now() - known.since if known is not None else 0.0
        if known is not None and age < _FRESH_SECONDS:
            return known.found
        written = _as_it_stands(host, port)
        if written is not None:
            self._known[place] = _Known(written, self._now())
            return written
        pending = self._pending.get(place) or self._renew(place)
        if known is not None and age < _STALE_SECONDS:
            return known.found
        return cast("list[Address]", pending.get())  # None, says gevent, where nothing was set

    def _renew(self, place: _Place) -> AsyncResult[list[Address]]:
        # In a greenlet of its own: whoever asked first may be told to stop, and the others still wait.
        pending = self._pending[place] = AsyncResult()
        gevent.spawn(self._ask, place, pending)
        return pending

    def _ask(self, place: _Place, pending: AsyncResult[list[Address]]) -> None:
        try:
            found = self._look_up(*place)
        except (OSError, ValueError) as error:  # UnicodeError is one, and a name that no resolver takes
            self._known.pop(place, None)  # the next one asks, and is told
            pending.set_exception(error)
        else:
            self._known[place] = _Known(found, self._now())
            pending.set(found)
        finally:
            del self._pending[place]
