"""The profile as typed objects: a target and its endpoints.

A mistake is one ProfileError of one line: file, line, key, what is wrong, what to do.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterable
from typing import Annotated, Any, Final, Literal

from pydantic import Field, StrictBool, StrictStr

from ssegauge.errors import UserError
from ssegauge.profile.endpoint import Endpoint
from ssegauge.profile.fields import Address, BaseUrl, HeaderName, Headers, Model, Origin, Param, Pointer, Url

_ENV: Final = re.compile(r"(?P<scheme>[A-Za-z]+ )?env:(?P<name>[A-Za-z_][A-Za-z0-9_]*)")


class ProfileError(UserError):
    """Raised where a profile, or the URL given in its place, cannot be used."""


Identity = dict[Literal["headers", "params"], Headers | dict[StrictStr, Param]]


class Metrics(Model):
    """A gauge in the Prometheus text format that counts the active streams."""

    url: Address = "/metrics"
    name: StrictStr


class Probe(Model):
    """How the target shows what still runs: a status address, a metric, or its process id on this host."""

    url: Address | None = None
    active_streams: Pointer | None = None
    pid: Annotated[int, Field(strict=True, gt=0)] | None = None
    metrics: Metrics | None = None


class Target(Model):
    """What is known of the server as a whole. `credentials` and `second_identity` hold headers and params."""

    health: Address | None = None
    proxied: Url | None = None
    origins: tuple[Origin, ...] = ()
    credentials: Identity = Field(default_factory=dict, repr=False)
    second_identity: Identity = Field(default_factory=dict, repr=False)
    control: StrictBool = False
    ca: StrictStr | None = None
    cert: StrictStr | None = None
    key: StrictStr | None = None
    insecure: StrictBool = False
    secrets: tuple[HeaderName, ...] = ()


class Profile(Model):
    """A target and its endpoints."""

    base_url: BaseUrl
    endpoint: tuple[Endpoint, ...] = Field(min_length=1)
    probe: Probe | None = None
    target: Target = Field(default_factory=Target)
    source: str = ""

    @property
    def secret_names(self) -> frozenset[str]:
        """Names of headers and query keys that the profile marks as secret, in lower case, the usual ones apart."""
        named = {*self.target.secrets}
        for identity in (self.target.credentials, self.target.second_identity):
            for part in identity.values():
                named.update(part)
        for endpoint in self.endpoint:
            request = endpoint.request
            for values in (request.headers, request.params):
                named.update(name for name, value in values.items() if isinstance(value, str) and _ENV.fullmatch(value))
        return frozenset(name.lower() for name in named)


def secret(value: str) -> str:
    """The value itself, or for "env:NAME" and "Bearer env:NAME" with the environment's. Raises ProfileError."""
    found = _ENV.fullmatch(value)
    if found is None:
        return value
    try:
        return (found["scheme"] or "") + os.environ[found["name"]]
    except KeyError:
        raise ProfileError(
            f"the environment variable {found['name']} is not set; the profile takes a value from it (env:{found['name']})"
        ) from None


def resolved(value: Any) -> Any:
    """The value with every "env:NAME" in it replaced by the environment's: a JSON body, say. Raises ProfileError."""
    if isinstance(value, str):
        return secret(value)
    if isinstance(value, dict):
        return {key: resolved(item) for key, item in value.items()}
    return [resolved(item) for item in value] if isinstance(value, list) else value


def expect_environment(known: Profile, endpoints: Iterable[Endpoint]) -> None:
    """See that the requests of these endpoints can be made. Raises ProfileError where the environment lacks a value."""
    resolved(known.target.credentials)
    for endpoint in endpoints:
        request = endpoint.request
        resolved([dict(request.headers), dict(request.params), request.json_body, request.data])
