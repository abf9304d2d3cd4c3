"""One stream of a target, as its profile declares it: the request, the contract, and the situations.

Every class here is frozen and refuses keys that it does not know. Times are in seconds.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from functools import cached_property
from typing import Annotated, Any, Final, Literal, cast

from jsonschema.protocols import Validator
from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    StrictBool,
    StrictStr,
    field_validator,
    model_validator,
)

from ssegauge import pointer as pointers
from ssegauge.fields import Duration, EventType, HeaderName, Headers, Method, Param, Path, Pointer
from ssegauge.order import Order
from ssegauge.pointer import MISSING
from ssegauge.schemas import validator

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


class Model(BaseModel):
    """What all parts of a profile share: frozen, no unknown keys, and values never in messages."""

    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True, validate_by_name=True)


class Overlay(Model):
    """What a situation changes about a request; a key that it leaves out stays as it was."""

    method: Method | None = None
    path: Path | None = None
    headers: Headers = Field(default_factory=dict)
    params: dict[StrictStr, Param] = Field(default_factory=dict)
    json_body: Any = Field(default=None, alias="json")
    data: StrictStr | None = None

    @model_validator(mode="after")
    def _one_body(self) -> Overlay:
        if self.json_body is not None and self.data is not None:
            raise ValueError("a request has one body: json or data")
        return self

    def __repr__(self) -> str:  # headers, parameters and bodies may hold secrets
        return f"{type(self).__name__}({self.method or ''} {self.path or ''})".replace("( ", "(").replace(" )", ")")

    __str__ = __repr__


class Request(Overlay):
    """A request of a profile. Its values may be "env:NAME"; see `ssegauge.profile.secret`.

    `{unique}` in it is another value in each request of a check, as the id of a JSON-RPC call must be.
    """

    method: Method = "GET"
    path: Path = "/"

    @classmethod
    def overlay(cls, **changes: Any) -> Overlay:
        """An overlay of these keys: method, path, headers, params, json, data."""
        return Overlay(**changes)

    def overlaid(self, other: Overlay) -> Request:
        """The request with the overlay's keys: headers, params and json objects merged, other keys replaced."""
        json_body, data = self.json_body, self.data
        if other.json_body is not None:
            both = isinstance(json_body, dict) and isinstance(other.json_body, dict)
            json_body, data = ({**json_body, **other.json_body} if both else other.json_body), None
        elif other.data is not None:
            json_body, data = None, other.data
        changed = {name.lower() for name in other.headers}
        kept = {name: value for name, value in self.headers.items() if name.lower() not in changed}
        return Request(
            method=other.method or self.method,
            path=self.path if other.path is None else other.path,
            headers={**kept, **other.headers},
            params={**self.params, **other.params},
            json=json_body,
            data=data,
        )


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


class Tokens(Place):
    """Where the server says how many tokens the stream has had; `less`: how many of them it did not send."""

    less: Pointer | None = None

    def count(self, data: str) -> int | None:
        """Tokens sent, by an event's data; None where it does not say."""
        found = self.in_data(data)
        if type(found) is not int:
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
        return found / {"ns": 1e9, "us": 1e6, "ms": 1e3, "s": 1.0}[self.unit]


def _iso_seconds(value: Any) -> float | None:
    try:
        moment = datetime.fromisoformat(value)
    except (TypeError, ValueError):
        return None
    return None if moment.tzinfo is None else moment.timestamp()  # without its zone it is no moment


class Input(Model):
    """An input of the request, by which text is sent that comes back: exactly one of the three."""

    params: StrictStr | None = None
    json_pointer: Pointer | None = Field(default=None, alias="json")
    header: HeaderName | None = None

    @model_validator(mode="after")
    def _exactly_one(self) -> Input:
        if sum(value is not None for value in (self.params, self.json_pointer, self.header)) != 1:
            raise ValueError('expected exactly one of { params = "name" }, { json = "/pointer" }, { header = "Name" }')
        return self

    def put(self, request: Request, value: Any) -> Request:
        """The request with this value as the input."""
        if self.params is not None:
            return request.overlaid(Overlay(params={self.params: value}))
        if self.header is not None:
            return request.overlaid(Overlay.model_construct(headers={self.header: value}))
        tokens = pointers.parts(cast("str", self.json_pointer))
        return request.overlaid(Overlay(json=pointers.put(request.json_body, tokens, value)))


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
    discriminator: Place | None = None
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
