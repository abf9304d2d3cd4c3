"""Redirects, followed as Fetch follows them, and kept."""

from __future__ import annotations

from dataclasses import replace
from urllib.parse import urljoin, urlsplit

from ssegauge.client.connection import Transport
from ssegauge.client.stream import Limits, record
from ssegauge.exchange import Exchange, Hop, Sent
from ssegauge.redaction import is_secret

REDIRECTS = frozenset({301, 302, 303, 307, 308})
MAX_HOPS = 5
"""Hops that are followed; HTTP-07 asks for no more."""


def record_following(
    sent: Sent,
    *,
    endpoint: str = "",
    limits: Limits | None = None,
    transport: Transport | None = None,
    secret_names: frozenset[str] = frozenset(),
) -> Exchange:
    """Like `record`, following up to five redirects; the hops are kept with the exchange.

    Fields with credentials, and those of `secret_names` (in lower case), are for the origin that they were given for.
    """
    hops: list[Hop] = []
    while True:
        exchange = record(sent, endpoint=endpoint, limits=limits, transport=transport)
        exchange.redirects = hops
        location = exchange.value("location")
        if exchange.status not in REDIRECTS or len(hops) >= MAX_HOPS:
            return exchange
        hops.append(Hop(exchange.status, sent.url, location))
        following = location and urljoin(sent.url, location)
        if not following or urlsplit(following).scheme not in {"http", "https"}:
            return exchange
        sent = _redirected(sent, exchange.status, following, secret_names)


def _redirected(sent: Sent, status: int, url: str, secret_names: frozenset[str]) -> Sent:
    """The next request (Fetch, HTTP-redirect fetch): 301 and 302 turn POST into GET, 303 everything but HEAD."""
    headers = tuple(pair for pair in sent.headers if pair[0].lower() != "host")
    if _origin(url) != _origin(sent.url):
        headers = tuple(pair for pair in headers if not is_secret(pair[0]) and pair[0].lower() not in secret_names)
    becomes_get = (status in {301, 302} and sent.method == "POST") or (
        status == 303 and sent.method not in {"GET", "HEAD"}
    )
    if becomes_get:
        kept = tuple(pair for pair in headers if not pair[0].lower().startswith("content-"))
        return replace(sent, method="GET", url=url, headers=kept, body=None)
    return replace(sent, url=url, headers=headers)


def _origin(url: str) -> tuple[str, str]:
    parts = urlsplit(url)
    default = ":443" if parts.scheme == "https" else ":80"
    return parts.scheme, parts.netloc.rpartition("@")[2].lower().removesuffix(default)
