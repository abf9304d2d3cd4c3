"""The request as it goes over the wire: what EventSource would add, fields set or left out, and the bytes."""

from __future__ import annotations

import uuid
from dataclasses import replace
from functools import cached_property
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


_MARKS = (UNIQUE, "%7Bunique%7D")  # percent-encoded in an address and in a form


class OwnValue:
    """A value for one request, to be put wherever `UNIQUE` stands in it; drawn where it is needed first."""

    @cached_property
    def value(self) -> str:
        """32 hexadecimal digits."""
        return uuid.uuid4().hex

    def into(self, text: str) -> str:
        """The address or field with the value in it."""
        for mark in _MARKS:
            if mark in text:
                text = text.replace(mark, self.value)
        return text

    def into_body(self, body: bytes) -> bytes:
        """The body with the value in it."""
        for mark in _MARKS:
            if mark.encode() in body:
                body = body.replace(mark.encode(), self.value.encode())
        return body


def with_own_value(sent: Sent) -> Sent:
    """The request with a value of its own wherever `UNIQUE` stands, the same one at each place."""
    own = OwnValue()
    headers = tuple((name, own.into(text)) for name, text in sent.headers)
    return replace(
        sent, url=own.into(sent.url), headers=headers, body=own.into_body(sent.body) if sent.body else sent.body
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
