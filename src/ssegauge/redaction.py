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
    r"(^|[-_.\[])((access|auth|bearer|csrf|id|refresh|xsrf)?token"  # one token: max_tokens is a number
    r"|(api[-_]?key|key|jwt|bearer|secret|credential|password|passphrase|passwd|pwd|signature|sig|auth|session|sessionid)s?)"
    r"($|[-_.\[\]])",
    re.IGNORECASE,
)
_WORDS = re.compile(r"(?<=[a-z0-9])(?=[A-Z])")
_ADDRESS = re.compile(r"""[a-z][a-z0-9+.-]*://[^\s"'<>]+""", re.IGNORECASE)
_QUERY_ITEM = re.compile(r"(?P<name>[^&;=]*)=(?P<value>[^&;]*)")


def is_secret(name: str) -> bool:
    """True where a header field or query key of this name usually carries a credential."""
    lowered = _WORDS.sub("-", name.strip()).lower()  # accessToken is access-token
    if lowered.startswith("access-control-"):  # of Access-Control-Allow-Credentials every value is public
        return False
    return name.strip().lower() in SECRET_HEADERS or _SECRET_WORDS.search(lowered) is not None


def redact_headers(headers: Iterable[tuple[str, str]], extra: frozenset[str] = frozenset()) -> list[tuple[str, str]]:
    """The fields with the values of secret ones masked; `extra` names more of them, in lower case."""
    return [(name, MASK if is_secret(name) or name.lower() in extra else value) for name, value in headers]


def redact_url(url: str, extra: frozenset[str] = frozenset()) -> str:
    """The address with user information and the values of secret query keys masked."""

    def mask(item: re.Match[str]) -> str:
        name = item["name"]
        return f"{name}={MASK}" if is_secret(name) or name.lower() in extra else item[0]

    try:
        parts = urlsplit(url)
    except ValueError:  # no address at all, and may hold a secret all the same
        before, mark, query = url.partition("?")
        return before + mark + _QUERY_ITEM.sub(mask, query)
    netloc = parts.netloc
    if "@" in netloc:
        netloc = f"{MASK}@{netloc.rpartition('@')[2]}"
    return urlunsplit(parts._replace(netloc=netloc, query=_QUERY_ITEM.sub(mask, parts.query)))


def redact_text(text: str, extra: frozenset[str] = frozenset()) -> str:
    """The text with each address in it redacted."""
    return _ADDRESS.sub(lambda found: redact_url(found[0], extra), text)
