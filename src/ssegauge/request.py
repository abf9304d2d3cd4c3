"""The request as it goes over the wire: what EventSource would add, fields set or left out, and the bytes."""

from __future__ import annotations

import uuid
from dataclasses import replace
from urllib.parse import urlsplit

from ssegauge.exchange import Sent

USER_AGENT = "ssegauge"


def with_defaults(sent: Sent) -> Sent:
    """The request with Host and what EventSource sends, where the profile says nothing else."""
    names = {name.lower() for name, _ in sent.headers}
    parts = urlsplit(sent.url)
    host = parts.netloc.rpartition("@")[2]
    defaults = [
        ("Host", host),
        ("Accept", "text/event-stream"),
        ("Accept-Encoding", "identity"),
        ("User-Agent", USER_AGENT),
    ]
    if sent.body is not None and "transfer-encoding" not in names:
        defaults.append(("Content-Length", str(len(sent.body))))
    added = [(name, value) for name, value in defaults if name.lower() not in names]
    return replace(
        sent,
        headers=(
            *[pair for pair in added if pair[0] == "Host"],
            *sent.headers,
            *[pair for pair in added if pair[0] != "Host"],
        ),
    )


UNIQUE = "{unique}"
"""Stands in a profile's request for a value that no other request has: the id of a JSON-RPC call, say."""


def with_own_value(sent: Sent) -> Sent:
    """The request with a value of its own wherever `UNIQUE` stands, the same one at each place."""
    value = uuid.uuid4().hex
    written = {UNIQUE: value, "%7Bunique%7D": value}  # the second is the first, percent-encoded

    def filled(text: str) -> str:
        for mark, own in written.items():
            text = text.replace(mark, own)
        return text

    body = sent.body.replace(UNIQUE.encode(), value.encode()) if sent.body else sent.body
    return replace(
        sent, url=filled(sent.url), headers=tuple((name, filled(text)) for name, text in sent.headers), body=body
    )


def without_header(sent: Sent, name: str) -> Sent:
    """The request with no field of that name, not even a default one: an empty marker stops the default."""
    return replace(sent, headers=(*[pair for pair in sent.headers if pair[0].lower() != name.lower()], (name, _ABSENT)))


def with_header(sent: Sent, name: str, value: str) -> Sent:
    """The request with the field set to one value."""
    return replace(sent, headers=(*[pair for pair in sent.headers if pair[0].lower() != name.lower()], (name, value)))


_ABSENT = "\0absent"


def head_bytes(sent: Sent) -> bytes:
    """The request's head and body as they go over the wire. Field values may hold any byte but CR, LF and NUL."""
    parts = urlsplit(sent.url)
    target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    lines = [f"{sent.method} {target} HTTP/{sent.http_version}"]
    for name, value in sent.headers:
        if value == _ABSENT:
            continue
        if any(character in value for character in "\r\n\0"):
            raise ValueError(f"header {name} holds a line end or NUL")
        lines.append(f"{name}: {value}")
    return "\r\n".join([*lines, "", ""]).encode("utf-8", "surrogateescape") + (sent.body or b"")
