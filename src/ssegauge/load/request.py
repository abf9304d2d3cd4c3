"""A request as bytes."""

from __future__ import annotations

import json as jsonlib
import re
from collections.abc import Mapping
from typing import Any
from urllib.parse import SplitResult, quote, urlencode, urljoin, urlsplit, urlunsplit

from ssegauge.load.connect import Origin, proxy_authorization
from ssegauge.redaction import is_secret

_SAFE = "/:@!$&'()*+,;=%-._~"
_NO_BODY_AFTER = frozenset({301, 302, 303})
# What belongs to a connection of HTTP/1 (RFC 9113, 8.2.2); Host has become :authority.
_NOT_IN_HTTP2 = frozenset(
    {"connection", "host", "keep-alive", "proxy-connection", "te", "transfer-encoding", "upgrade"}
)
_TOKEN = re.compile(r"[!#$%&'*+.^_`|~0-9a-z-]+").fullmatch


def with_params(url: str, params: Mapping[str, Any] | None) -> str:
    """The address with these query parameters added; a list gives its name several times."""
    parts = urlsplit(url)
    if params:
        said = {name: _said(value) for name, value in params.items()}
        query = "&".join(part for part in (parts.query, urlencode(said, doseq=True)) if part)
        parts = parts._replace(query=query)
    return urlunsplit(parts._replace(fragment=""))


def body_of(
    json: Any, data: str | bytes | Mapping[str, Any] | None, *, text_type: str | None = None
) -> tuple[bytes, str | None]:
    """The body and its content type: of text `text_type`. `data` as a mapping is a form."""
    if json is not None:
        return jsonlib.dumps(json, ensure_ascii=False, separators=(",", ":")).encode(), "application/json"
    if data is None:
        return b"", None
    if isinstance(data, bytes):
        return data, None
    if isinstance(data, str):
        return data.encode(), text_type
    return urlencode(dict(data), doseq=True).encode(), "application/x-www-form-urlencoded"


def headers_of(
    headers: Mapping[str, str] | None, *, content_type: str | None, last_event_id: str, resume_header: str
) -> dict[str, str]:
    """What an EventSource sends, under what the caller says. Compression is not asked for: it delays events."""
    merged = {"Accept": "text/event-stream", "Cache-Control": "no-store"}
    if content_type:
        merged["Content-Type"] = content_type
    if last_event_id:
        merged[resume_header] = last_event_id
    said = {name.lower() for name in headers or ()}
    return {**{name: value for name, value in merged.items() if name.lower() not in said}, **(headers or {})}


def render(method: str, url: str, headers: Mapping[str, str], body: bytes, proxy: str | None) -> bytes:
    """The bytes of an HTTP/1.1 request. Through a proxy a plain http target is named in full (RFC 9112, 3.2.2)."""
    parts = urlsplit(url)
    origin = Origin.of(parts)
    target = _target(parts)
    lines = []
    said = {name.lower() for name in headers}
    if proxy and parts.scheme == "http":
        target = f"http://{origin.authority}{target}"
        authorization = proxy_authorization(proxy)
        if authorization:
            lines.append(f"Proxy-Authorization: {authorization}")
    if "host" not in said:
        lines.insert(0, f"Host: {origin.authority}")
    lines += [f"{name}: {value}" for name, value in headers.items()]
    if (body or method in ("POST", "PUT", "PATCH")) and "content-length" not in said:
        lines.append(f"Content-Length: {len(body)}")
    for line in lines:
        if "\r" in line or "\n" in line:
            raise ValueError(f"a header field stands on one line: {line.partition(':')[0]}")
    head = "\r\n".join([f"{method} {target} HTTP/1.1", *lines, "", ""])
    return head.encode("utf-8", "surrogateescape") + body


def fields_of(method: str, url: str, headers: Mapping[str, str], body: bytes) -> list[tuple[str, str]]:
    """The field lines of an HTTP/2 request. Raises ValueError where it cannot carry one."""
    parts = urlsplit(url)
    lower = {name.lower(): value.strip() for name, value in headers.items()}
    for name, value in lower.items():
        if not _TOKEN(name) or any(character in value for character in "\r\n\0"):
            raise ValueError(f"no header field: {name}")
    fields = [
        (":method", method),
        (":scheme", parts.scheme),
        (":authority", lower.get("host") or Origin.of(parts).authority),
        (":path", _target(parts)),
    ]
    fields += [(name, value) for name, value in lower.items() if name not in _NOT_IN_HTTP2]
    if body and "content-length" not in lower:
        fields.append(("content-length", str(len(body))))
    return fields


def redirected(
    status: int, method: str, url: str, location: str, headers: Mapping[str, str], body: bytes, secret: frozenset[str]
) -> tuple[str, str, dict[str, str], bytes]:
    """Method, address, headers and body of the request that follows (RFC 9110, 15.4).

    Secrets stay with their origin, those that `secret` names besides (in lower case), and so does its own name.
    """
    following = urljoin(url, location.encode("latin-1", "replace").decode("utf-8", "replace"))
    kept = dict(headers)
    if status in _NO_BODY_AFTER and method not in ("GET", "HEAD"):
        method, body = "GET", b""
        kept = {name: value for name, value in kept.items() if not name.lower().startswith("content-")}
    if Origin.of(following) != Origin.of(url):
        stays = secret | {"host"}
        kept = {name: value for name, value in kept.items() if not is_secret(name) and name.lower() not in stays}
    return method, following, kept, body


def _target(parts: SplitResult) -> str:
    path = quote(parts.path or "/", safe=_SAFE)
    return f"{path}?{quote(parts.query, safe=_SAFE + '?')}" if parts.query else path


def _said(value: Any) -> Any:
    if isinstance(value, list | tuple):
        return [_said(item) for item in value]
    return str(value).lower() if isinstance(value, bool) else str(value)
