"""HTTP/2 (rules HTTP-13 and HTTP-14)."""

from __future__ import annotations

import httpx

from ssegauge.bench import Bench
from ssegauge.client.request import with_defaults
from ssegauge.judging import CannotJudge, Untestable, broken, rule
from ssegauge.observation import Evidence
from ssegauge.visible import visible

CONNECTION_FIELDS = frozenset({"connection", "keep-alive", "proxy-connection", "transfer-encoding", "upgrade"})
"""Fields of one connection, which HTTP/2 does not carry (RFC 9113 section 8.2.2)."""
NOT_SENT = CONNECTION_FIELDS | {"host", "content-length"}
PATIENCE = 10.0
"""Seconds within which the header section must come."""


@rule("HTTP-13")
def test_http_2_response_has_no_connection_specific_fields(bench: Bench) -> None:
    """Over HTTP/2 there is no Connection, Keep-Alive, Proxy-Connection, Transfer-Encoding or Upgrade field."""
    fields = _fields_over_h2(bench)
    found = [(name, value) for name, value in fields if name.lower() in CONNECTION_FIELDS]
    if found:
        shown = [Evidence("", visible(f"{name}: {value}")) for name, value in fields]
        broken("none of these fields", ", ".join(f"{name}: {value}" for name, value in found), shown)


@rule("HTTP-14")
def test_browser_facing_endpoint_offers_http_2(bench: Bench) -> None:
    """An endpoint that browsers use offers HTTP/2."""
    if not bench.offers_h2:
        broken("h2 chosen where it is offered by ALPN", "another protocol, or none")


def _fields_over_h2(bench: Bench) -> list[tuple[str, str]]:
    """The response's fields as they were sent. httpx leaves their validation to us."""
    sent = with_defaults(bench.final_sent)
    headers = [(name, value) for name, value in sent.headers if name.lower() not in NOT_SENT]
    context = bench.options.transport.context()
    try:
        with (
            httpx.Client(http2=True, verify=context, trust_env=False, timeout=PATIENCE) as client,
            client.stream(sent.method, sent.url, headers=headers, content=sent.body) as response,
        ):
            if response.http_version != "HTTP/2":
                raise Untestable(f"the target answered by {response.http_version}")
            return [(name.decode("latin-1"), value.decode("latin-1")) for name, value in response.headers.raw]
    except httpx.HTTPError as error:
        raise CannotJudge(f"the request over HTTP/2 failed: {str(error) or type(error).__name__}") from None
