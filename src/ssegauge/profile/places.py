"""Where in an event's JSON a thing stands, and what it means there: a key, a count of tokens, progress, a time."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from functools import cached_property
from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, StrictBool, model_validator

from ssegauge.profile import pointer as pointers
from ssegauge.profile.fields import EventType, Model, Pointer
from ssegauge.profile.pointer import MISSING

_MOST_TOKENS = 10**12  # no stream has as many: whoever says so does not count
_YEAR_10000 = 253_402_300_800  # seconds since the Unix epoch; ISO 8601 ends there, too (4.1.2.4)


class Place(Model):
    """A place in an event's payload, by JSON pointer."""

    pointer: Pointer

    @cached_property
    def _tokens(self) -> list[str]:
        return pointers.parts(self.pointer)

    def find(self, document: Any) -> Any:
        """What stands there in a decoded payload, or `MISSING`."""
        return pointers.find(document, self._tokens)

    def in_data(self, data: str) -> Any:
        """What stands there in an event's data, or `MISSING`, also where the data is no JSON."""
        # A name that is not even in the text needs no parsing: this is asked of every event under load.
        if self._tokens and not self._tokens[-1].isdigit() and "\\" not in data and self._tokens[-1] not in data:
            return MISSING
        document = pointers.payload(data)
        return MISSING if document is MISSING else self.find(document)

    def says(self, data: str) -> bool:
        """Whether something stands there: not null, false, zero or empty, for an error may be declared as null."""
        return bool(self.in_data(data))


def _one_or_more(value: Any) -> Any:
    return (value,) if isinstance(value, Mapping | Place) else value


Places = Annotated[tuple[Place, ...], BeforeValidator(_one_or_more)]


class Discriminator(Place):
    """Where the payload repeats the event's type; `names`: clients go by it, so it names an event that has no name."""

    names: StrictBool = False

    def type_of(self, type: str, data: str) -> str:
        """The type that clients see in an event of this type and data."""
        if not self.names or type != "message":
            return type
        said = self.in_data(data)
        return said if isinstance(said, str) and said else type


class Tokens(Place):
    """Where the server says how many tokens the stream has had; `less`: how many of them it did not send."""

    less: Pointer | None = None

    def count(self, data: str) -> int | None:
        """Tokens sent, by an event's data; None where it does not say."""
        found = self.in_data(data)
        if type(found) is not int or abs(found) > _MOST_TOKENS:
            return None
        unsent = pointers.find(pointers.payload(data), self._less) if self._less else 0
        return max(0, found - unsent) if type(unsent) is int else found

    @cached_property
    def _less(self) -> list[str]:
        return pointers.parts(self.less) if self.less else []


class Progress(Place):
    """Where progress is told: in events of type `event` (any where it is not named), from `range`'s start to its end."""

    event: EventType | None = None
    range: tuple[float, float] = (0, 100)

    @model_validator(mode="after")
    def _ascends(self) -> Progress:
        if not self.range[0] < self.range[1]:
            raise ValueError("range: the first number is the smaller one")
        return self


class SentAt(Place):
    """Where an event says when it was sent: a number since the Unix epoch in `unit`, or an ISO 8601 time ("iso")."""

    unit: Literal["ns", "us", "ms", "s", "iso"] = "ns"

    def seconds(self, document: Any) -> float | None:
        """Seconds since the Unix epoch by a decoded payload, or None where it does not say."""
        found = self.find(document)
        if self.unit == "iso":
            return _iso_seconds(found)
        if isinstance(found, bool) or not isinstance(found, int | float):
            return None
        unit = {"ns": 10**9, "us": 10**6, "ms": 1000, "s": 1}[self.unit]
        # Of an integer beyond all floats no quotient can be taken, and infinity is no time.
        return found / unit if abs(found) < _YEAR_10000 * unit else None


def _iso_seconds(value: Any) -> float | None:
    try:
        moment = datetime.fromisoformat(value)
    except (TypeError, ValueError):
        return None
    return None if moment.tzinfo is None else moment.timestamp()  # without its zone it is no moment
