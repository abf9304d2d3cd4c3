"""What a load run aims at: a profile's endpoints, or the address that --host names."""

from __future__ import annotations

import json
import ssl
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache, cached_property
from typing import Any
from urllib.parse import urljoin, urlsplit

from locust.env import Environment

from ssegauge.errors import UserError
from ssegauge.load.connect import default_context
from ssegauge.profile import Profile, from_url, open_target, resolved, secret
from ssegauge.profile.endpoint import Endpoint
from ssegauge.profile.fields import url_fault
from ssegauge.profile.request import Request
from ssegauge.redaction import redact_url

_REQUEST = frozenset({"method", "headers", "json", "data", "preset"})


@dataclass(frozen=True)
class Call:
    """A request of the profile with its secrets filled in."""

    method: str
    url: str
    headers: dict[str, str]
    params: dict[str, Any]
    json: Any
    data: str | None


class LoadTarget:
    """A profile, seen from the load side."""

    def __init__(self, profile: Profile, base_url: str) -> None:
        self.profile = profile
        self.base_url = base_url.rstrip("/")

    @cached_property
    def secret_names(self) -> frozenset[str]:
        """Names of header fields and query keys that the profile marks as secret, in lower case."""
        return self.profile.secret_names

    def endpoint(self, name: str | None = None) -> Endpoint:
        """The endpoint of that name; the first where none is named. Raises UserError."""
        if not name:
            return self.profile.endpoint[0]
        for endpoint in self.profile.endpoint:
            if endpoint.name == name:
                return endpoint
        names = ", ".join(endpoint.name for endpoint in self.profile.endpoint)
        raise UserError(f"{self.profile.source}: no endpoint is called {name!r}; there are: {names}")

    def endpoints(self, names: str | None = None) -> list[Endpoint]:
        """Those named, separated by commas; all where none is. Raises UserError."""
        wanted = [part.strip() for part in (names or "").split(",") if part.strip()]
        return [self.endpoint(name) for name in wanted] or list(self.profile.endpoint)

    def call(self, request: Request) -> Call:
        """The request with credentials and with the values that the environment holds. Raises ProfileError."""
        credentials = self.profile.target.credentials
        headers = {**self._headers(credentials), **_filled(request.headers)}
        params = {**_filled(credentials.get("params", {})), **_filled(request.params)}
        return Call(
            method=request.method,
            url=self.url(request.path),
            headers=headers,
            params=params,
            json=resolved(request.json_body),
            data=None if request.data is None else secret(request.data),
        )

    def url(self, path: str) -> str:
        """The address of a path below the base, or an address as it is."""
        if urlsplit(path).scheme:
            return path
        return urljoin(self.base_url, path) if path.startswith("//") else self.base_url + path

    @cache  # noqa: B019 - there is one target in a process
    def tls_context(self, *, http2: bool = False) -> ssl.SSLContext:
        """The context that the profile asks for: own authorities, a client's certificate, or no verification."""
        target = self.profile.target
        verify = False if target.insecure else target.ca or True
        if not target.cert:
            return default_context(verify, http2=http2)
        context = default_context.__wrapped__(verify, http2=http2)
        context.load_cert_chain(target.cert, target.key)
        return context

    def _headers(self, credentials: Mapping[Any, Any]) -> dict[str, str]:
        return _filled(credentials.get("headers", {}))


def target_of(environment: Environment) -> LoadTarget:
    """What --sse-target and --host say. Raises UserError where neither does, or where the profile is wrong."""
    options = environment.parsed_options
    said = getattr(options, "sse_target", None)
    host = environment.host
    request = _request(getattr(options, "sse_request", None) or "{}")
    if said:
        profile = open_target(said, **request)
        fault = url_fault(host) if host else None
        if fault is not None:
            raise UserError(f'--host: "{host}" {fault}')
        return LoadTarget(profile, host or profile.base_url)
    if not host:
        raise UserError("no target: give --host URL, or --sse-target PROFILE")
    profile = from_url(host, **request)
    return LoadTarget(profile, profile.base_url)


def _request(text: str) -> dict[str, Any]:
    try:
        request = json.loads(text)
    except ValueError as error:
        raise UserError(f"--sse-request: not valid JSON: {error}") from None
    if not isinstance(request, dict) or not request.keys() <= _REQUEST:
        raise UserError(f"--sse-request: expected an object of {', '.join(sorted(_REQUEST))}")
    return request


def hide_secrets(environment: Environment) -> None:
    """Take secrets out of --host, which Locust shows on its pages and in its HTML report; --sse-target keeps them."""
    host, options = environment.host, environment.parsed_options
    if not host or options is None:
        return
    hidden = getattr(options, "sse_hidden", "")
    if hidden and options.sse_target == hidden and host != _origin(hidden):
        options.sse_target = ""  # another host has been written into the web form since
    if redact_url(host) != host and not getattr(options, "sse_target", ""):
        options.sse_target = options.sse_hidden = host
        environment.host = _origin(host)


def _origin(address: str) -> str:
    parts = urlsplit(address)
    return f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}"


def _filled(values: Mapping[str, Any]) -> dict[str, Any]:
    return {name: secret(value) if isinstance(value, str) else value for name, value in values.items()}
