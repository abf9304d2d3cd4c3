"""What TARGET on a command line means: a bare URL with nothing declared, or the file of a profile."""

from __future__ import annotations

import base64
import json as jsonlib
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

from ssegauge.mistakes import Mistake, printable
from ssegauge.profile.fields import url_fault
from ssegauge.profile.loading import build, load
from ssegauge.profile.model import Profile, ProfileError


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
        return build(document, f"{parts.scheme}://{host}{request['path']}", Path())
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
