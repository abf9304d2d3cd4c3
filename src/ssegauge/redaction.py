"""Keeps secrets out of recordings, results, reports and logs.

Names are matched, not values: a header or query key whose name tells of a credential is shown as ``***``.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from urllib.parse import urlsplit, urlunsplit

MASK = "***"

SECRET_HEADERS = frozenset(
    {
        "authorization",
        "proxy-authorization",
        "cookie",
        "set-cookie",
        "x-api-key",
        "api-key",
        "x-auth-token",
        "x-csrf-token",
    }
)
_SECRET_WORDS = re.compile(
    r"(^|[-_.])(api[-_]?key|key|token|secret|password|passwd|pwd|signature|sig|auth|session)s?($|[-_.])", re.IGNORECASE
)
_QUERY_ITEM = re.compile(r"(?P<name>[^&;=]*)=(?P<value>[^&;]*)")


def is_secret(name: str) -> bool:
    """True where a header field or query key of this name usually carries a credential."""
    lowered = name.strip().lower()
    return lowered in SECRET_HEADERS or _SECRET_WORDS.search(lowered) is not None


def redact_headers(headers: Iterable[tuple[str, str]], extra: frozenset[str] = frozenset()) -> list[tuple[str, str]]:
    """The fields with the values of secret ones masked; `extra` names more of them, in lower case."""
    return [(name, MASK if is_secret(name) or name.lower() in extra else value) for name, value in headers]


def redact_url(url: str, extra: frozenset[str] = frozenset()) -> str:
    """The address with user information and the values of secret query keys masked."""
    parts = urlsplit(url)
    netloc = parts.netloc
    if "@" in netloc:
        netloc = f"{MASK}@{netloc.rpartition('@')[2]}"

    def mask(item: re.Match[str]) -> str:
        name = item["name"]
        return f"{name}={MASK}" if is_secret(name) or name.lower() in extra else item[0]

    return urlunsplit(parts._replace(netloc=netloc, query=_QUERY_ITEM.sub(mask, parts.query)))
