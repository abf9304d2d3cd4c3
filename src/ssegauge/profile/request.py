"""A request as a profile declares it, and what situations and inputs change about it."""

from __future__ import annotations

from typing import Any, cast

from pydantic import Field, StrictStr, model_validator

from ssegauge.profile import pointer as pointers
from ssegauge.profile.fields import HeaderName, Headers, Method, Model, Param, Path, Pointer


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
