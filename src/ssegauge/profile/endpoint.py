"""One stream of a target, as its profile declares it: the request, the contract, and the situations.

Every class here is frozen and refuses keys that it does not know. Times are in seconds.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cached_property
from typing import Any, Final, Literal

from jsonschema.protocols import Validator
from pydantic import Field, StrictBool, StrictStr, field_validator

from ssegauge.order import Order
from ssegauge.profile.fields import Duration, EventType, HeaderName, Method, Model
from ssegauge.profile.places import Discriminator, Place, Places, Progress, SentAt, Tokens
from ssegauge.profile.request import Input, Overlay, Request
from ssegauge.profile.schemas import validator

Situation = Literal["fault", "invalid", "idle", "slow_start", "endless"]
SITUATIONS: Final = ("fault", "invalid", "idle", "slow_start", "endless")
StreamTime = Literal[
    "ttfb",
    "first_body_byte",
    "first_event",
    "first_match",
    "time_per_token",
    "longest_gap",
    "longest_silence",
    "duration",
]
"""Times of a stream that a limit can be set on; see `Endpoint.goodput`."""


class Reflect(Model):
    """Inputs that come back in an event's data, type or id."""

    data: Input | None = None
    event: Input | None = None
    id: Input | None = None


class Resume(Model):
    """How a client asks for what follows an event: the header field that bears its id, and a method if it is another."""

    header: HeaderName = Field(default="Last-Event-ID", alias="from")
    method: Method | None = None


class Publish(Request):
    """The request that feeds a broadcast; POST where nothing else is said."""

    method: Method = "POST"


class Broadcast(Model):
    """The endpoint is a feed that all its clients share."""

    publish: Publish


class Endpoint(Model):
    """One stream of the target, and what its profile promises of it."""

    name: StrictStr = Field(min_length=1)
    preset: StrictStr | None = None
    request: Request = Field(default_factory=Request)
    data: Literal["json", "text"] | None = None
    order: StrictStr | None = None
    terminal: tuple[EventType, ...] = ()
    terminal_data: tuple[StrictStr, ...] = ()
    terminal_when: Place | None = None
    errors: tuple[EventType, ...] = ()
    error_when: tuple[Place, ...] = ()
    ignore: tuple[EventType, ...] = ()
    primer: StrictBool = False
    progress: Progress | None = None
    sequence: Place | None = None
    sent_at: SentAt | None = None
    schemas: dict[EventType, dict[str, Any]] = Field(default_factory=dict, alias="schema", repr=False)
    first_match: tuple[EventType, ...] = ()
    first_match_when: Places = ()
    tokens: Tokens | None = None
    goodput: dict[StreamTime, Duration] = Field(default_factory=dict)
    deadline: Duration | None = None
    group: Place | None = None
    discriminator: Discriminator | None = None
    lifetime: Duration | None = None
    reflect: Reflect = Field(default_factory=Reflect)
    resume: Resume | None = None
    broadcast: Broadcast | None = None
    other_methods: tuple[Method, ...] = ()
    http2: StrictBool = False
    echo: StrictBool = False
    fault: Overlay | None = None
    invalid: Overlay | None = None
    idle: Overlay | None = None
    slow_start: Overlay | None = None
    endless: Overlay | None = None

    @field_validator("error_when", mode="before")
    @classmethod
    def _one_or_several(cls, value: Any) -> Any:
        return [value] if isinstance(value, dict | Place) else value

    @cached_property
    def grammar(self) -> Order | None:
        """The compiled order."""
        return None if self.order is None else Order.compile(self.order)

    @cached_property
    def declares(self) -> frozenset[str]:
        """The needs of the catalogue's rules that this endpoint declares."""
        said: Mapping[str, object] = {
            **{name: getattr(self, name) for name in _PLAIN_NEEDS},
            "terminal": self.terminal or self.terminal_data or self.terminal_when,
            "errors": self.errors or self.error_when,
            "schema": self.schemas,
            "first_match": self.first_match or self.first_match_when,
            "group": self.group and self.order,
            **{f"reflect.{part}": getattr(self.reflect, part) for part in ("data", "event", "id")},
            f"data={self.data}": self.data,
            f"method={self.request.method}": True,
        }
        return frozenset(need for need, value in said.items() if value)

    def situation(self, name: Situation) -> Request:
        """The request that brings the situation about. Raises LookupError where the profile declares none."""
        overlay: Overlay | None = getattr(self, name)
        if overlay is None:
            raise LookupError(f"{self.name} declares no {name}")
        return self.request.overlaid(overlay)

    def type_of(self, type: str, data: str) -> str:
        """The type that the contract goes by: the event's own, or what the payload says where clients go by that."""
        return type if self.discriminator is None else self.discriminator.type_of(type, data)

    def is_terminal(self, type: str, data: str) -> bool:
        """Whether this event ends the stream."""
        if type in self.terminal or data in self.terminal_data:
            return True
        return self.terminal_when is not None and self.terminal_when.says(data)

    def is_error(self, type: str, data: str = "") -> bool:
        """Whether this event reports a failure."""
        return type in self.errors or any(place.says(data) for place in self.error_when)

    def is_ignored(self, type: str) -> bool:
        """Whether events of this type stand outside of the contract."""
        return type in self.ignore

    def is_primer(self, data: str, has_id: bool) -> bool:
        """Whether this event only tells the client an id to come back with, where the profile says that there are such."""
        return self.primer and has_id and not data

    def is_first_match(self, type: str, data: str = "") -> bool:
        """Whether this event is one of those whose first arrival is timed as `first_match`."""
        return type in self.first_match or any(place.says(data) for place in self.first_match_when)

    def validator(self, type: str) -> Validator | None:
        """The JSON Schema validator of this event type, or None where none is declared."""
        return self._validators.get(type)

    @cached_property
    def _validators(self) -> dict[str, Validator]:
        return {type: validator(schema) for type, schema in self.schemas.items()}


_PLAIN_NEEDS: Final = (
    *SITUATIONS,
    *("order", "terminal_data", "progress", "sequence", "sent_at", "deadline", "discriminator", "lifetime"),
    *("resume", "broadcast", "other_methods", "echo"),
)
