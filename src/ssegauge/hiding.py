"""Keeps the secrets of a profile out of what is told of a run, wherever they turn up: a server may send them back."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final
from urllib.parse import parse_qsl, quote, urlsplit

from ssegauge.profile import Profile, ProfileError, secret
from ssegauge.redaction import MASK, is_secret, redact_text

SHORTEST: Final = 6
"""Characters of a value that is looked for: a shorter one stands in many words by chance."""

_SCHEMES: Final = frozenset({"bearer", "digest", "negotiate"})
_FREE: Final = ("expected", "actual", "evidence", "reproduce", "reason")


def secret_values(profile: Profile) -> tuple[str, ...]:
    """Values of the profile that are secret by their name, or come from the environment; the longest first."""
    named = profile.secret_names
    found: set[str] = set()
    for name, value in _pairs(profile):
        if is_secret(name) or name.lower() in named:
            text = _resolved(value)
            found.update(form for form in (text, quote(text, safe="")) if len(form) >= SHORTEST)
            found.update(word for word in text.split() if len(word) >= SHORTEST and word.lower() not in _SCHEMES)
    return tuple(sorted(found, key=len, reverse=True))


def hide(finding: Mapping[str, Any], values: tuple[str, ...]) -> dict[str, Any]:
    """The finding, as the results hold it, with these values and the secrets of addresses masked in what is free text."""
    return {key: _masked(value, values) if key in _FREE else value for key, value in finding.items()}


def _masked(value: Any, values: tuple[str, ...]) -> Any:
    if isinstance(value, str):
        for hidden in values:
            value = value.replace(hidden, MASK)
        return redact_text(value)
    if isinstance(value, dict):
        return {key: _masked(item, values) for key, item in value.items()}
    return [_masked(item, values) for item in value] if isinstance(value, list) else value


def _pairs(profile: Profile) -> Iterator[tuple[str, str]]:
    for identity in (profile.target.credentials, profile.target.second_identity):
        for part in identity.values():
            yield from ((name, str(value)) for name, value in part.items())
    for endpoint in profile.endpoint:
        request = endpoint.request
        yield from (
            (name, str(value)) for values in (request.headers, request.params) for name, value in values.items()
        )
        yield from parse_qsl(urlsplit(request.path).query)


def _resolved(value: str) -> str:
    try:
        return secret(value)
    except ProfileError:  # told where the request is made; here there is nothing to hide
        return ""
