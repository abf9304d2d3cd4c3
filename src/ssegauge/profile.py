"""The profile: a target and its endpoints, declared in TOML, or a bare URL with nothing declared.

    profile = load("sse-target.toml")
    profile = from_url("http://127.0.0.1:8000/stream")

A mistake is one ProfileError of one line: file, line, key, what is wrong, what to do.
"""

from __future__ import annotations

import base64
import json as jsonlib
import os
import re
import tomllib
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Annotated, Any, Final, Literal
from urllib.parse import unquote, urlsplit

from pydantic import Field, StrictBool, StrictStr, ValidationError

from ssegauge import schemas, toml_lines
from ssegauge.endpoint import (
    SITUATIONS,
    Endpoint,
    Input,
    Model,
    Overlay,
    Place,
    Progress,
    Request,
    SentAt,
    Situation,
)
from ssegauge.errors import UserError
from ssegauge.fields import Address, BaseUrl, HeaderName, Headers, Origin, Param, Pointer, Url, url_fault
from ssegauge.mistakes import Mistake, first_mistake, printable, similar
from ssegauge.order import Order, OrderError
from ssegauge.pointer import MISSING
from ssegauge.presets import PRESETS

__all__ = [
    "MISSING",
    "SITUATIONS",
    "Endpoint",
    "Input",
    "Metrics",
    "Overlay",
    "Place",
    "Probe",
    "Profile",
    "ProfileError",
    "Progress",
    "Request",
    "SentAt",
    "Situation",
    "Target",
    "from_url",
    "load",
    "open_target",
    "resolved",
    "secret",
]

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


def load(path: str | Path) -> Profile:
    """The profile in this file. Raises ProfileError."""
    path = Path(path)
    text = _text_of(path)
    try:
        document = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise ProfileError(_syntax_message(path, text, error)) from error
    except RecursionError as error:
        raise ProfileError(f"{path}:1: nested too deeply") from error
    try:
        return _profile(document, str(path), path.parent)
    except Mistake as mistake:
        line = toml_lines.nearest(toml_lines.lines(text), mistake.path)
        raise ProfileError(f"{path}:{line}: {mistake.message(document)}") from mistake


def _text_of(path: Path) -> str:
    try:
        return path.read_bytes().decode("utf-8-sig")
    except FileNotFoundError as error:
        raise ProfileError(f"{path}: there is no such file; `ssegauge init URL` writes a profile") from error
    except UnicodeDecodeError as error:
        raise ProfileError(f"{path}: not a text file in UTF-8 (byte {error.start})") from error
    except OSError as error:
        raise ProfileError(f"{path}: cannot be read: {(error.strerror or str(error)).lower()}") from error


def _syntax_message(path: Path, text: str, error: tomllib.TOMLDecodeError) -> str:
    found = re.fullmatch(r"(.*) \(at line (\d+), column (\d+)\)", str(error), re.DOTALL)
    if found is not None:
        return f"{path}:{found[2]}: not valid TOML: {found[1]} (column {found[3]})"
    return f"{path}:{text.count(chr(10)) + 1}: not valid TOML: {str(error).replace(' (at end of document)', '')}, at the end of the file"


def _profile(document: dict[str, Any], source: str, folder: Path) -> Profile:
    if "source" in document:
        raise Mistake(("source",), "unknown key")
    prepared = {**document, "source": source}
    entries = document.get("endpoint")
    if isinstance(entries, list):
        prepared["endpoint"] = [
            _prepared_endpoint(entry, ("endpoint", index), folder) for index, entry in enumerate(entries)
        ]
    elif entries is not None:
        raise Mistake(("endpoint",), "an endpoint stands under [[endpoint]], with two brackets")
    else:
        raise Mistake((), "declares no endpoint; add [[endpoint]] with a name and a request")
    if isinstance(document.get("target"), dict):
        prepared["target"] = _prepared_target(document["target"], folder)
    try:
        profile = Profile.model_validate(prepared)
    except ValidationError as error:
        raise first_mistake(error, document, Profile) from error
    for mistake in _contradictions(profile):
        raise mistake
    return profile


def _prepared_endpoint(entry: Any, at: toml_lines.Path, folder: Path) -> Any:
    if not isinstance(entry, dict):
        return entry
    preset = _preset(entry.get("preset"), at)
    merged = {**preset, **entry}
    if isinstance(entry.get("request", {}), dict) and "request" in preset:
        merged["request"] = _with_fields_of(preset["request"], entry.get("request", {}))
    if isinstance(entry.get("schema"), dict):
        merged["schema"] = {
            type: _schema(value, (*at, "schema", type), folder) for type, value in entry["schema"].items()
        }
    return merged


def _with_fields_of(preset: dict[str, Any], request: dict[str, Any]) -> dict[str, Any]:
    headers = request.get("headers", {})
    if not isinstance(headers, dict):
        return request
    said = {name.lower() for name in headers}
    added = {name: value for name, value in preset["headers"].items() if name.lower() not in said}
    return {**request, "headers": {**added, **headers}}


def _preset(name: Any, at: toml_lines.Path) -> dict[str, Any]:
    if name is None:
        return {}
    if not isinstance(name, str) or name not in PRESETS:
        raise Mistake(
            (*at, "preset"), f"there is no preset {name!r}{similar(str(name), PRESETS)}; there are {', '.join(PRESETS)}"
        )
    return PRESETS[name]


def _schema(value: Any, at: toml_lines.Path, folder: Path) -> Any:
    try:
        if isinstance(value, str):
            return schemas.read(folder / value)
        if isinstance(value, dict):
            schemas.check(value)
    except schemas.SchemaFault as fault:
        raise Mistake(at, str(fault) if isinstance(value, str) else f"the schema {fault}") from fault
    return value


def _prepared_target(target: dict[str, Any], folder: Path) -> dict[str, Any]:
    prepared = dict(target)
    for name in ("ca", "cert", "key"):
        if isinstance(target.get(name), str):
            file = folder / target[name]
            if not file.is_file():
                raise Mistake(("target", name), f'there is no file "{file}"')
            prepared[name] = str(file)
    return prepared


def _contradictions(profile: Profile) -> Iterator[Mistake]:
    names: set[str] = set()
    for index, endpoint in enumerate(profile.endpoint):
        at = ("endpoint", index)
        if endpoint.name in names:
            yield Mistake((*at, "name"), "another endpoint has the same name; names tell endpoints apart in results")
        names.add(endpoint.name)
        yield from _endpoint_contradictions(endpoint, at)
    probe = profile.probe
    if probe is not None and not (probe.url or probe.pid or probe.metrics):
        yield Mistake(("probe",), "shows nothing; give it url, pid or metrics")
    if probe is not None and (probe.url is None) != (probe.active_streams is None):
        missing = "url" if probe.url is None else "active_streams"
        yield Mistake(("probe",), f'missing key "{missing}": url and active_streams (a JSON pointer) belong together')
    if profile.target.key is not None and profile.target.cert is None:
        yield Mistake(("target", "key"), "a key belongs to a certificate; add cert")


def _endpoint_contradictions(endpoint: Endpoint, at: toml_lines.Path) -> Iterator[Mistake]:
    for key in ("terminal", "errors", "first_match"):
        for index, type in enumerate(getattr(endpoint, key)):
            if endpoint.is_ignored(type):
                yield Mistake((*at, key, index), f'"{type}" stands under ignore, too: it cannot be both', (*at, key))
    if endpoint.order is not None:
        try:
            Order.compile(endpoint.order)
        except OrderError as error:
            yield Mistake((*at, "order"), str(error))
    if endpoint.group is not None and endpoint.order is None:
        yield Mistake((*at, "group"), "needs order beside it: it says for which events the order holds together")
    if not (endpoint.first_match or endpoint.first_match_when):
        for key in ("first_match", "time_per_token"):
            if key in endpoint.goodput:
                yield Mistake((*at, "goodput", key), "needs first_match or first_match_when: which events are tokens")
    if endpoint.data == "text":
        for key in ("progress", "sequence", "sent_at", "group", "discriminator", "schemas"):
            if getattr(endpoint, key):
                written = "schema" if key == "schemas" else key
                yield Mistake((*at, written), 'looks into JSON, but data = "text"; write data = "json"')
    for index, method in enumerate(endpoint.other_methods):
        if method == endpoint.request.method:
            yield Mistake((*at, "other_methods", index), f"{method} is the method of the request itself")


def from_url(
    url: str,
    *,
    method: str | None = None,
    headers: Sequence[str | tuple[str, str]] = (),
    json: Any = None,
    data: str | None = None,
    preset: str | None = None,
) -> Profile:
    """The profile of a bare URL: one endpoint, named by its path, with nothing declared but what `preset` says.

    `headers` are "Name: value" or pairs. `json` is text to be read as JSON, or a value; with it, or with `data`, the
    method is POST where none is named. A user's name and password in the URL become a header. Raises ProfileError.
    """
    fault = url_fault(url)
    if fault is not None:
        hint = f"; write http://{url}" if "://" not in url and re.match(r"[\w.-]+(:\d+)?(/|$)", url) else ""
        raise ProfileError(f'"{url}" {fault}{hint}')
    parts = urlsplit(url)
    request = {
        "method": method or ("GET" if json is None and data is None else "POST"),
        "path": (parts.path or "/") + (f"?{parts.query}" if parts.query else ""),
        "headers": dict(_header(header) for header in headers),
        "data": data,
        "json": _json(json),
    }
    target: dict[str, Any] = {}
    if parts.username is not None:
        pair = f"{unquote(parts.username)}:{unquote(parts.password or '')}"
        basic = base64.b64encode(pair.encode()).decode()  # RFC 7617
        target["credentials"] = {"headers": {"Authorization": f"Basic {basic}"}}
    host = parts.netloc.rpartition("@")[2]
    document = {
        "base_url": f"{parts.scheme}://{host}",
        "endpoint": [{"name": parts.path or "/", "request": request} | ({"preset": preset} if preset else {})],
        "target": target,
    }
    try:
        return _profile(document, f"{parts.scheme}://{host}{request['path']}", Path())
    except Mistake as mistake:
        raise ProfileError(_option_message(mistake)) from mistake


def _option_message(mistake: Mistake) -> str:
    option = next(
        (
            f"--{part.removesuffix('s')}"
            for part in mistake.path
            if part in {"method", "headers", "json", "data", "preset"}
        ),
        "",
    )
    return printable(": ".join(part for part in (option, mistake.text) if part))


def _header(header: str | tuple[str, str]) -> tuple[str, str]:
    if not isinstance(header, str):
        return header
    name, colon, value = header.partition(":")
    if not colon:
        raise ProfileError(f'--header "{header}": expected "Name: value"')
    return name.strip(), value.strip()


def _json(value: Any) -> Any:
    if not isinstance(value, str):
        return value
    try:
        return jsonlib.loads(value)
    except ValueError as error:
        raise ProfileError(f"--json: not valid JSON: {error}") from error


def open_target(target: str, **request: Any) -> Profile:
    """The profile that TARGET on a command line means: a URL, or a file. `request` goes to `from_url`.

    Raises ProfileError, also where request options are given for a file, which has them itself.
    """
    if "://" in target or not (Path(target).exists() or target.endswith(".toml")):
        if "/" not in target and ":" not in target and "." not in target:
            raise ProfileError(f'"{target}" is neither a URL, which begins with http:// or https://, nor a file')
        return from_url(target, **request)
    given = [f"--{name.removesuffix('s')}" for name, value in request.items() if value]
    if given:
        raise ProfileError(f"{given[0]} goes with a URL; {target} is a profile and says it itself, under request")
    return load(target)
