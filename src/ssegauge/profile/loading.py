"""From a TOML file to a profile, with presets filled in, and every mistake told with its line."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from ssegauge import text_file, toml_lines
from ssegauge.mistakes import Mistake, first_mistake, similar
from ssegauge.order import Order, OrderError
from ssegauge.profile import schemas
from ssegauge.profile.endpoint import Endpoint
from ssegauge.profile.model import Profile, ProfileError
from ssegauge.profile.presets import PRESETS


def load(path: str | Path) -> Profile:
    """The profile in this file. Raises ProfileError."""
    path = Path(path)
    text = text_file.read(path, ProfileError, missing="there is no such file; `ssegauge init URL` writes a profile")
    document = text_file.parse_toml(text, str(path), ProfileError)
    try:
        return build(document, str(path), path.parent)
    except Mistake as mistake:
        line = toml_lines.nearest(toml_lines.lines(text), mistake.path)
        raise ProfileError(f"{path}:{line}: {mistake.message(document)}") from mistake


def build(document: dict[str, Any], source: str, folder: Path) -> Profile:
    """The profile of a document as TOML gives it. `source` names it; `folder` is where its files are. Raises Mistake."""
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
