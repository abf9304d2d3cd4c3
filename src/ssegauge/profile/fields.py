"""The kinds of values that a profile holds, each with what it must look like and how to mend it."""

from __future__ import annotations

import math
import re
from typing import Annotated, Any
from urllib.parse import urlsplit

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, StrictStr

from ssegauge.profile import pointer as pointers

_DURATION = re.compile(r"(\d+(?:\.\d+)?)\s*(ms|s|m|h)")
_SECONDS = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0}
_TOKEN = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")  # RFC 9110, section 5.6.2
_LINE_END = re.compile(r"[\r\n\0]")


def duration(value: Any) -> float:
    """Seconds of "500ms", "30s", "2m", "1h" or a number. Raises ValueError."""
    if isinstance(value, str):
        found = _DURATION.fullmatch(value.strip())
        if found is None:
            raise ValueError(f'"{value}" is no duration; write "500ms", "30s", "2m", "1h" or a number of seconds')
        value = float(found[1]) * _SECONDS[found[2]]
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise ValueError('expected a duration: "500ms", "30s", "2m", "1h" or a number of seconds')  # noqa: TRY004 - pydantic turns a ValueError into a message
    if not (math.isfinite(value) and value > 0):
        raise ValueError("a duration is more than nothing and has an end")
    return float(value)


def _method(value: str) -> str:
    if not _TOKEN.fullmatch(value):
        raise ValueError(f'"{value}" is no HTTP method')
    return value.upper()


def _header_name(value: str) -> str:
    if not _TOKEN.fullmatch(value):
        raise ValueError("no name of a header field: letters, digits and hyphens")
    return value


def _header_value(value: str) -> str:
    if _LINE_END.search(value):
        raise ValueError("a header's value stands on one line")
    return value


def _path(value: str) -> str:
    if value and not value.startswith(("/", "http://", "https://")):
        raise ValueError(f'a path begins with a slash; write "/{value}"')
    if re.search(r"[\s\x00-\x1f]", value):
        raise ValueError("a path has no spaces; write %20")
    return value


def _param(value: Any) -> Any:
    if isinstance(value, str | bool | int | float):
        return value
    if isinstance(value, list) and all(isinstance(item, str | bool | int | float) for item in value):
        return value
    raise ValueError("a query parameter is a string, a number, true, false, or a list of these")


def _event_type(value: str) -> str:
    if not value or _LINE_END.search(value):
        raise ValueError(
            'no event type: it is never empty and stands on one line; an event without a name is "message"'
        )
    return value


def _absolute_url(value: str) -> str:
    fault = url_fault(value)
    if fault is not None:
        raise ValueError(f'"{value}" {fault}')
    return value.rstrip("/")


def url_fault(value: str) -> str | None:
    """What is wrong with this address of a target, as the rest of a sentence; None where nothing is."""
    if re.search(r"[\s\x00-\x1f\x7f]", value):
        return "is no URL: it has a space or control character in it; write %20"
    try:
        parts = urlsplit(value)
        port = parts.port
    except ValueError as error:
        return f"is no URL: {str(error).lower()}"
    if parts.scheme not in {"http", "https"} or "://" not in value:
        return "is no URL of the web; it begins with http:// or https://"
    if not parts.hostname or port == 0:
        return "names no host that can be connected to"
    return None


def _base_url(value: str) -> str:
    parts = urlsplit(_absolute_url(value))
    if parts.query or parts.fragment:
        raise ValueError("base_url ends before ? and #; put them into the endpoint's path")
    if parts.username is not None:
        raise ValueError("base_url shows a user's name; put it into [target] credentials, as a header")
    return value.rstrip("/")


def _origin(value: str) -> str:
    if value != "null" and (url_fault(value) or urlsplit(value).path or urlsplit(value).query):
        raise ValueError(f'"{value}" is no origin; write it like "https://app.example", without a path')
    return value


def _below_base(value: str) -> str:
    if not value.startswith("/"):
        return _absolute_url(value)
    return value


Duration = Annotated[float, BeforeValidator(duration)]
Pointer = Annotated[StrictStr, AfterValidator(pointers.check)]
Method = Annotated[StrictStr, AfterValidator(_method)]
HeaderName = Annotated[StrictStr, AfterValidator(_header_name)]
HeaderValue = Annotated[StrictStr, AfterValidator(_header_value)]
Headers = dict[HeaderName, HeaderValue]
Param = Annotated[Any, BeforeValidator(_param)]
Path = Annotated[StrictStr, AfterValidator(_path)]
EventType = Annotated[StrictStr, AfterValidator(_event_type)]
Url = Annotated[StrictStr, AfterValidator(_absolute_url)]
Address = Annotated[StrictStr, AfterValidator(_below_base)]
Origin = Annotated[StrictStr, AfterValidator(_origin)]
BaseUrl = Annotated[StrictStr, AfterValidator(_base_url)]


class Model(BaseModel):
    """What all parts of a profile share: frozen, no unknown keys, and values never in messages."""

    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True, validate_by_name=True)
