"""Pages of other origins (rules COR-*)."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from urllib.parse import urljoin, urlsplit

from ssegauge.bench import Bench
from ssegauge.client import MAX_HOPS, REDIRECTS
from ssegauge.client.request import with_header
from ssegauge.exchange import Exchange, Sent
from ssegauge.judging import broken, rule
from ssegauge.observation import Observation

STRANGER = "https://evil.example"
CLIENT_FIELDS = ("authorization", "cache-control", "content-type", "last-event-id")
"""What clients built on fetch send, in the order in which browsers list it (Fetch: CORS-unsafe request-header names)."""
SAFE_METHODS = {"GET", "HEAD", "POST"}
"""CORS-safelisted methods: a preflight need not name them (Fetch)."""
CORS_FIELDS = ("access-control-allow-origin", "access-control-allow-credentials", "vary", "location")


@rule("COR-01")
def test_allowed_origin_may_read_the_stream_every_time(bench: Bench) -> None:
    """A declared origin gets Access-Control-Allow-Origin on the stream, on every reconnect answer and redirect hop."""
    for origin in bench.profile.target.origins:
        for what, seen in _answers_to(bench, origin):
            if seen.exchange.status is not None and not _may_read(seen.exchange, origin):
                value = seen.exchange.value("access-control-allow-origin")
                broken(
                    f"Access-Control-Allow-Origin: {origin}",
                    f"{'none' if value is None else value} on {what}, status {seen.exchange.status}",
                    seen.show_head(*CORS_FIELDS),
                )


@rule("COR-02")
def test_credentials_go_with_an_exact_origin(bench: Bench) -> None:
    """Where credentials are allowed, Access-Control-Allow-Origin is the exact origin and Access-Control-Allow-Credentials is `true`."""
    by_cookie = any(name.lower() == "cookie" for name in bench.credentials.get("headers", {}))
    for origin in bench.profile.target.origins:
        sent = with_header(bench.final_sent, "Origin", origin)
        if not by_cookie:
            sent = with_header(sent, "Cookie", "ssegauge=1")
        seen = _head(bench, sent)
        allowed = seen.exchange.value("access-control-allow-credentials")
        if seen.exchange.status is None or (allowed is None and not by_cookie):
            continue
        value = seen.exchange.value("access-control-allow-origin")
        if value != origin or allowed != "true":
            broken(
                f"Access-Control-Allow-Origin: {origin} and Access-Control-Allow-Credentials: true",
                f"{value} and {allowed}",
                seen.show_head(*CORS_FIELDS),
            )


@rule("COR-03")
def test_arbitrary_origin_is_not_allowed_with_credentials(bench: Bench) -> None:
    """An arbitrary origin, or `null`, is never echoed together with Access-Control-Allow-Credentials."""
    origins = bench.profile.target.origins
    # lists that are compared by prefix, by suffix or by a pattern whose dots are not escaped let these in
    alike = [f"{origins[0]}.evil.example", *_lookalikes(origins[0])] if origins else []
    for origin in (STRANGER, "null", *alike):
        if origin in origins:
            continue
        seen = _head(bench, with_header(bench.final_sent, "Origin", origin))
        exchange = seen.exchange
        echoed = exchange.value("access-control-allow-origin") == origin
        if echoed and exchange.value("access-control-allow-credentials") == "true":
            broken(
                f"no permission for Origin: {origin}", "the origin is echoed, and credentials are allowed", seen.show_head(*CORS_FIELDS),
            )  # fmt: skip


@rule("COR-04")
def test_preflight_for_the_fields_that_clients_send_succeeds(bench: Bench) -> None:
    """A preflight for Last-Event-ID, Authorization, Cache-Control or Content-Type is answered with the field allowed."""
    origin = bench.profile.target.origins[0]
    method = bench.endpoint.request.method
    refused: list[str] = []
    seen = _preflight(bench, origin, CLIENT_FIELDS)
    if _refusal(seen.exchange, origin, method, CLIENT_FIELDS) is None:
        return
    for name in CLIENT_FIELDS:
        alone = _preflight(bench, origin, (name,))
        why = _refusal(alone.exchange, origin, method, (name,))
        if why is not None:
            refused.append(f"{name} ({why})")
            seen = alone
    if refused:
        broken(
            "a preflight that allows each of these fields",
            f"refused: {', '.join(refused)}",
            seen.show_head("allow", "access-control-allow-headers", "access-control-allow-methods", *CORS_FIELDS),
        )


# -- asking as a page of another origin -----------------------------------------------------------------------------


def _head(bench: Bench, sent: Sent) -> Observation:
    with bench.open(sent) as stream:
        stream.until_head()
        return bench.view(stream)


def _answers_to(bench: Bench, origin: str) -> Iterator[tuple[str, Observation]]:
    """What a page of that origin is answered: on every hop, by the stream, and when it comes back."""
    sent = with_header(bench.sent(), "Origin", origin)
    for _ in range(MAX_HOPS + 1):
        seen = _head(bench, sent)
        location = seen.exchange.value("location")
        if seen.exchange.status not in REDIRECTS or not location:
            yield "the stream", seen
            break
        yield f"the redirect to {location}", seen
        sent = replace(sent, url=urljoin(sent.url, location))
    last_id = bench.observation.anatomy.last_event_id
    if last_id and last_id.isascii() and last_id.isprintable() and bench.endpoint.request.method == "GET":
        yield "the answer to a reconnect", _head(bench, with_header(sent, "Last-Event-ID", last_id))


def _may_read(exchange: Exchange, origin: str) -> bool:
    """Fetch, CORS check: the values of all field lines together are the origin or `*`."""
    return exchange.value("access-control-allow-origin") in {origin, "*"}


def _lookalikes(origin: str) -> list[str]:
    parts = urlsplit(origin)
    hosts = [f"evil{parts.netloc}"]
    if "." in parts.netloc:
        hosts.append(parts.netloc.replace(".", "x", 1))
    return [f"{parts.scheme}://{host}" for host in hosts]


def _preflight(bench: Bench, origin: str, fields: tuple[str, ...]) -> Observation:
    """OPTIONS as browsers send it: without credentials, body or the request's own fields."""
    headers = (
        ("Origin", origin),
        ("Accept", "*/*"),
        ("Access-Control-Request-Method", bench.endpoint.request.method),
        ("Access-Control-Request-Headers", ",".join(fields)),
    )
    return _head(bench, Sent("OPTIONS", bench.final_sent.url, headers))


def _refusal(exchange: Exchange, origin: str, method: str, fields: tuple[str, ...]) -> str | None:
    """Why the preflight does not allow the fields (Fetch, CORS-preflight fetch), or None."""
    if exchange.status is None or exchange.status // 100 != 2:
        return f"status {exchange.status}" if exchange.status else "no answer"
    if not _may_read(exchange, origin):
        return "no Access-Control-Allow-Origin"
    credentials = exchange.value("access-control-allow-credentials") == "true"
    allowed = exchange.members("access-control-allow-headers")
    # `*` stands for every field but Authorization, and for itself alone where credentials go along
    missing = [
        name
        for name in fields
        if name not in allowed and not ("*" in allowed and not credentials and name != "authorization")
    ]
    if missing:
        return "not in Access-Control-Allow-Headers"
    methods = exchange.members("access-control-allow-methods")
    if method not in SAFE_METHODS and method.lower() not in methods and "*" not in methods:
        return f"{method} not in Access-Control-Allow-Methods"
    return None
