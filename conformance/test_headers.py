"""Response header fields (rules HDR-*)."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from email.message import Message
from email.utils import format_datetime, parsedate_to_datetime

from ssegauge.bench import Bench
from ssegauge.client.request import with_header
from ssegauge.content_coding import looks_compressed
from ssegauge.judging import Untestable, broken, rule
from ssegauge.means.resumption import own_id
from ssegauge.observation import Evidence, Observation
from ssegauge.visible import visible

CODINGS = "gzip, deflate"
"""Codings that clients accept and that can be decoded anywhere."""


@rule("HDR-01")
def test_content_type_is_text_event_stream(bench: Bench) -> None:
    """The essence of Content-Type is text/event-stream, in any case, with or without parameters."""
    for observation, asked in _served(bench):
        exchange = observation.exchange
        if exchange.essence != "text/event-stream":
            seen = exchange.value("content-type")
            actual = "no Content-Type" if seen is None else f"Content-Type: {seen}"
            broken("Content-Type: text/event-stream", actual, asked, observation.show_head("content-type"))


@rule("HDR-02")
def test_content_type_has_one_value(observation: Observation) -> None:
    """There is one Content-Type field with one value."""
    lines = observation.exchange.values("content-type")
    members = observation.exchange.members("content-type")
    if len(lines) > 1 or len(members) > 1:
        actual = f"{len(lines)} field lines with {len(members)} values"
        broken("one Content-Type field with one value", actual, observation.show_head("content-type"))


@rule("HDR-03")
def test_charset_is_utf_8_or_absent(observation: Observation) -> None:
    """A charset parameter, where present, has the value utf-8, in any case."""
    for line in observation.exchange.values("content-type"):
        message = Message()
        message["Content-Type"] = line
        charset = message.get_param("charset")
        if charset is not None and str(charset).strip().lower() != "utf-8":
            broken("charset=utf-8, or none", f"charset={charset}", observation.show_head("content-type"))


@rule("HDR-04")
def test_caches_are_told_not_to_keep_the_stream(bench: Bench) -> None:
    """Cache-Control contains no-store or no-cache."""
    for observation, asked in _served(bench):
        directives = _directives(observation)
        # `no-cache="set-cookie"` only speaks of that field (RFC 9111 section 5.2.2.4)
        if "no-store" not in directives and directives.get("no-cache") != "":
            seen = observation.exchange.value("cache-control")
            actual = "no Cache-Control" if seen is None else f"Cache-Control: {seen}"
            broken("Cache-Control: no-store (or no-cache)", actual, asked, observation.show_head("cache-control"))


@rule("HDR-05")
def test_buffering_proxies_are_told_not_to_buffer(bench: Bench) -> None:
    """Responses carry X-Accel-Buffering: no where an nginx-like proxy may stand in front."""
    if bench.profile.target.proxied:
        raise Untestable("the profile declares target.proxied, so BUF-03 decides instead")
    seen = bench.observation.exchange.members("x-accel-buffering")
    if not seen and _is_nginx(bench.observation):
        raise Untestable("nginx answers, and keeps X-Accel-Buffering to itself: ask the server behind it")
    if seen != ["no"]:
        actual = f"X-Accel-Buffering: {', '.join(seen)}" if seen else "no X-Accel-Buffering"
        broken("X-Accel-Buffering: no", actual, bench.observation.show_head("x-accel-buffering"))


def _is_nginx(observation: Observation) -> bool:
    server = (observation.exchange.value("server") or "").lower()
    return server.startswith(("nginx", "openresty", "tengine"))


@rule("HDR-06")
def test_stream_has_no_validators_and_no_freshness(observation: Observation) -> None:
    """A live stream carries no ETag, no Last-Modified, no future Expires and no positive max-age."""
    exchange = observation.exchange
    faults = [name for name in ("ETag", "Last-Modified") if exchange.values(name)]
    if any(_is_future(value) for value in exchange.values("expires")):
        faults.append("Expires in the future")
    directives = _directives(observation)
    faults += [
        f"{name}={directives[name]}"
        for name in ("max-age", "s-maxage")
        if directives.get(name, "").isdigit() and int(directives[name]) > 0
    ]
    if faults:
        shown = observation.show_head("etag", "last-modified", "expires", "cache-control")
        broken("neither validators nor freshness", ", ".join(faults), shown)


@rule("HDR-07")
def test_body_is_encoded_as_content_encoding_says(bench: Bench) -> None:
    """The body really is in the coding that Content-Encoding names, also where the client accepts one, as browsers do."""
    _expect_coding(bench.observation)
    if bench.live:
        with bench.open(with_header(bench.final_sent, "Accept-Encoding", CODINGS)) as stream:
            stream.pump(lambda some: len(some.exchange.raw_body) >= 8, within=2.0)
            _expect_coding(bench.view(stream), Evidence(f"asked with Accept-Encoding: {CODINGS}"))


def _expect_coding(observation: Observation, *asked: Evidence) -> None:
    first = Evidence("the first bytes", visible(observation.exchange.raw_body[:40]), 0)
    named = [coding for coding in observation.exchange.members("content-encoding") if coding != "identity"]
    if named:
        problem = observation.decoded.problem
        if "cannot be decoded here" in problem:
            raise Untestable(f"{problem}: install the package for it")
        if problem and "passes" not in problem:
            shown = [*asked, *observation.show_head("content-encoding"), first]
            broken(f"a body in {', '.join(named)}", problem, shown)
        return
    body = observation.exchange.raw_body
    if looks_compressed(body):
        broken("a body as it is, since no Content-Encoding is named", "compressed bytes", [*asked, first])


@rule("HDR-08")
def test_vary_names_what_chose_the_response(bench: Bench) -> None:
    """Where the response may be stored, Vary lists every request field that chose it."""
    if "no-store" in _directives(bench.observation):
        return
    sent = bench.final_sent
    if sent.method not in {"GET", "HEAD"}:
        return  # stored only with an explicit lifetime and a Content-Location (RFC 9110, 9.3.3): not for a stream
    variants = {"Accept": "application/json", "Accept-Encoding": "gzip", "Origin": "https://ssegauge.example"}
    origins = bench.profile.target.origins
    if origins:
        variants["Origin"] = origins[0]
    plain = _chosen(bench.observation)
    for name, value in variants.items():
        with bench.open(with_header(sent, name, value)) as stream:
            stream.until_head()
            other = bench.view(stream)
        differs = other.exchange.status is not None and _chosen(other) != plain
        vary = {*bench.observation.exchange.members("vary"), *other.exchange.members("vary")}
        if differs and other.exchange.status == 200 and not vary & {name.lower(), "*"}:
            shown = [
                *bench.observation.show_head("vary", "content-type"),
                *other.show_head("vary", "content-type", "content-encoding"),
            ]
            broken(f"Vary: {name}", f"another response with {name}: {value}, and no such Vary", shown)


@rule("HDR-09")
def test_conditional_request_is_answered_with_the_stream(bench: Bench) -> None:
    """A request with If-None-Match or If-Modified-Since gets the stream."""
    recent = format_datetime(datetime.now(UTC) - timedelta(seconds=1), usegmt=True)
    own = bench.observation.exchange
    conditions = [("If-None-Match", "*"), ("If-Modified-Since", recent)]
    # what a client that kept the stream would ask: a server may know no other value than its own
    conditions += [("If-None-Match", own.values("etag")[0])] if own.values("etag") else []
    conditions += [("If-Modified-Since", own.values("last-modified")[0])] if own.values("last-modified") else []
    for name, value in conditions:
        with bench.open(with_header(bench.final_sent, name, value)) as stream:
            stream.until_head()
            seen = bench.view(stream)
        if seen.exchange.status != bench.observation.exchange.status:
            broken(
                "the stream", f"status {seen.exchange.status} to a request with {name}: {value}", seen.show_head("etag")
            )


@rule("HDR-10")
def test_content_coding_was_asked_for(bench: Bench) -> None:
    """Content-Encoding names only codings that the request accepted."""
    for accepted in ("identity", "gzip", "br"):
        with bench.open(with_header(bench.final_sent, "Accept-Encoding", accepted)) as stream:
            stream.until_head()
            seen = bench.view(stream)
        codings = set(seen.exchange.members("content-encoding")) - {"identity", accepted}
        if codings:
            broken(
                f"no coding, or {accepted}, as Accept-Encoding: {accepted} asks",
                f"Content-Encoding: {', '.join(sorted(codings))}",
                seen.show_head("content-encoding"),
            )


@rule("HDR-11")
def test_intermediaries_are_told_not_to_transform(observation: Observation) -> None:
    """Cache-Control: no-transform keeps intermediaries from compressing or rewriting the stream."""
    if "no-transform" not in _directives(observation):
        broken("Cache-Control: no-transform", "Cache-Control without it", observation.show_head("cache-control"))


def _served(bench: Bench) -> Iterator[tuple[Observation, list[Evidence]]]:
    """The stream, and what a client that comes back in the middle of it is served, which may be made elsewhere."""
    yield bench.observation, []
    marks = [own_id(arrival) or "" for arrival in bench.observation.contract_arrivals]
    last_id = next((mark for mark in marks if mark and mark.isascii() and mark.isprintable()), None)
    if not bench.live or last_id is None or bench.final_sent.method != "GET":
        return
    seen = bench.once("head of a reconnect", lambda: _head_of_reconnect(bench, last_id))
    if seen.exchange.status == 200:
        yield seen, [Evidence(f"asked with Last-Event-ID: {visible(last_id)}")]


def _head_of_reconnect(bench: Bench, last_id: str) -> Observation:
    with bench.open(with_header(bench.final_sent, "Last-Event-ID", last_id)) as stream:
        stream.until_head()
        return bench.view(stream)


def _directives(observation: Observation) -> dict[str, str]:
    """Cache-Control as name and value; a directive without value has an empty one (RFC 9111 section 5.2)."""
    pairs = (member.partition("=") for member in observation.exchange.members("cache-control"))
    return {name.strip(): value.strip().strip('"') for name, _, value in pairs}


def _is_future(value: str) -> bool:
    """An invalid date, "0" above all, means already expired (RFC 9111 section 5.3)."""
    try:
        moment = parsedate_to_datetime(value)
    except ValueError:
        return False
    return moment.replace(tzinfo=moment.tzinfo or UTC) > datetime.now(UTC)


def _chosen(observation: Observation) -> tuple[object, ...]:
    """What a cache would keep apart: status, media type, coding, and who may read it."""
    exchange = observation.exchange
    return (
        exchange.status, exchange.essence, exchange.value("content-encoding"), exchange.value("access-control-allow-origin"),
    )  # fmt: skip
