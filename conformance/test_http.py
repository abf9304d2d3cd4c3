"""Status, methods, negotiation (rules HTTP-01 to HTTP-08, HTTP-15 to HTTP-20, HTTP-23, HTTP-24)."""

from __future__ import annotations

import time
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from urllib.parse import urljoin, urlsplit

from ssegauge.bench import Bench
from ssegauge.client import MAX_HOPS, REDIRECTS, Limits, Stream
from ssegauge.client.connection import Connection
from ssegauge.client.request import with_header, without_header
from ssegauge.exchange import Sent
from ssegauge.judging import NotDeclared, Untestable, broken, rule
from ssegauge.means.resumption import first_answer, own_id, read_contract
from ssegauge.observation import Evidence, Observation
from ssegauge.redaction import redact_url
from ssegauge.visible import visible

PROMPT = 2.0
"""Seconds within which HEAD and refusals are answered (HTTP-06, HTTP-23)."""


@rule("HTTP-01", any_status=True)
def test_stream_is_answered_with_status_200(observation: Observation) -> None:
    """A request for the stream is answered with status 200."""
    exchange = observation.exchange
    if exchange.status is None:
        if observation.is_silent:
            broken(
                "status 200",
                f"no response: the server accepted the request and sent nothing for {exchange.end_at:.1f} s",
                Evidence("is the head held back in a buffer, together with the events?"),
            )
        broken("status 200", f"no response: {exchange.detail or exchange.end}")
    if exchange.status != 200 and exchange.status not in REDIRECTS:
        said = [observation.show(0, len(observation.body), "the body")] if observation.body else []
        head = observation.show_head("location", "content-type", "allow")
        broken("status 200", f"status {exchange.status}", [*head, *said])


@rule("HTTP-02")
def test_error_known_before_the_first_byte_is_an_http_error(bench: Bench) -> None:
    """A request known to be wrong before the stream starts gets a 4xx or 5xx status with an ordinary error body."""
    sent = bench.sent("invalid")
    if bench.observation.exchange.redirects:
        seen = bench.observe(sent, limits=Limits(window=PROMPT))
    else:
        with bench.open(sent) as stream:
            stream.until_head()
            seen = bench.view(stream)
    exchange = seen.exchange
    if exchange.status is None:
        broken("a status of 400 or more", f"no response: {exchange.detail or exchange.end}")
    if exchange.status < 400 or exchange.essence == "text/event-stream":
        broken(
            "a status of 400 or more, and no event stream",
            f"status {exchange.status}, {exchange.essence or 'no type'}",
            seen.show_head(),
        )


@rule("HTTP-04")
def test_finished_stream_is_not_run_again_by_the_automatic_reconnect(bench: Bench) -> None:
    """The request that EventSource makes after a normal end is answered 204, or with the terminal event at once."""
    first = bench.observation
    if not first.terminals:
        raise NotDeclared("the stream brought no terminal, which ORD-02 judges")
    last_id = first.anatomy.last_event_id
    if bench.endpoint.request.method != "GET":
        raise NotDeclared("EventSource only makes GET requests, and the profile declares another method")
    sent = with_header(bench.final_sent, "Last-Event-ID", last_id) if last_id else bench.final_sent
    again = first_answer(bench, sent)
    if again.exchange.status == 204:
        return
    begins = again.contract_arrivals[0] if again.contract_arrivals else None
    if begins is None or not bench.endpoint.is_terminal(begins.type, begins.data):
        came = again.show_event(begins) if begins is not None else Evidence("no event")
        does = "the work again" if begins is not None else "no event"
        said = f"with Last-Event-ID: {last_id}" if last_id else "without an id, since the stream set none"
        broken(
            "204, or a stream that begins with its terminal",
            f"status {again.exchange.status} and {does}, {said}",
            came,
        )


@rule("HTTP-05", any_status=True)
def test_204_205_and_304_carry_no_content(bench: Bench) -> None:
    """A 204, 205 or 304 response carries no content, and a 204 neither Content-Length nor Transfer-Encoding."""
    for seen in bench.once("answers", lambda: _answers(bench)):
        exchange = seen.exchange
        if exchange.status not in {204, 205, 304}:
            continue
        content = exchange.raw_body + exchange.excess
        asked = Evidence(f"asked: {_told(exchange.request)}")
        if content:
            actual = f"{len(content)} bytes after the head: {visible(content, 40)}"
            broken(f"no content with {exchange.status}", actual, asked, seen.show_head())
        fields = [name for name in ("Content-Length", "Transfer-Encoding") if exchange.values(name)]
        if exchange.status == 204 and fields:
            expected = "neither Content-Length nor Transfer-Encoding with 204"
            broken(expected, ", ".join(fields), asked, seen.show_head(*fields))


@rule("HTTP-06")
def test_head_is_answered_promptly_and_without_content(bench: Bench) -> None:
    """HEAD is answered within 2 s, without content, and leaves the connection usable for the next request."""
    asked = [bench.final_sent]
    if "endless" in bench.endpoint.declares:  # where HEAD runs the stream unseen, only a long one shows it
        asked.append(bench.sent("endless"))
    for sent in asked:
        _expect_head(bench, replace(sent, method="HEAD", body=None))


def _expect_head(bench: Bench, sent: Sent) -> None:
    usual = bench.observation.exchange.head_at or 0.0
    within = PROMPT if usual < PROMPT / 2 else PROMPT + usual  # that GET's head is late, too, is LIF-01's
    with bench.open(sent, limits=Limits(window=within, first_byte=within)) as head:
        head.until_head(within)
        seen = bench.view(head)
        if seen.exchange.head_at is None:
            broken(f"an answer within {within:g} s", f"none: {seen.exchange.detail or 'nothing came'}", Evidence(redact_url(sent.url)))  # fmt: skip
        closes = "close" in seen.exchange.members("connection") or seen.exchange.http_version == "1.0"
        late = head.exchange.excess
        if not late and not closes and head.connection is not None:
            late = _first_bytes_of_next(bench, head.connection, PROMPT + within)
    if late and not late.startswith(b"HTTP/1."):
        broken("no content after the head", f"{late[:40]!r} came where the next status line belongs", seen.show_head())
    if not closes and not late:
        broken(
            "a connection that answers the next request",
            f"no answer to the request after HEAD, for {PROMPT + within:g} s",
            seen.show_head(),
        )


def _first_bytes_of_next(bench: Bench, connection: Connection, within: float) -> bytes:
    limits = Limits(window=within, first_byte=within)
    with Stream(bench.final_sent, connection=connection, limits=limits) as following:
        following.pump(lambda stream: len(_wire(stream)) >= len(b"HTTP/1."))  # some servers write byte by byte
        return _wire(following)


def _wire(stream: Stream) -> bytes:
    return b"".join(read.data for read in stream.exchange.wire)


@rule("HTTP-07", any_status=True)
def test_redirect_leads_to_the_stream(observation: Observation) -> None:
    """A redirect carries a valid Location, makes no loop and leads within five hops to a 200 event stream."""
    exchange = observation.exchange
    hops = [
        Evidence(f"{hop.status} {redact_url(hop.url)} → {redact_url(hop.location or '(no Location)')}")
        for hop in exchange.redirects
    ]
    if exchange.status in REDIRECTS:
        location = exchange.value("location")
        if location is None or len(exchange.redirects) < MAX_HOPS:
            missing = "without Location" if location is None else "with a Location that leads nowhere"
            broken("a Location that can be followed", f"{exchange.status} {missing}", hops)
        broken(f"a stream within {MAX_HOPS} hops", f"{len(hops) + 1} redirects and no stream", hops)
    urls = [hop.url for hop in exchange.redirects]
    if len(set(urls)) != len(urls):
        broken("no loop", "an address came twice", hops)
    if hops and not (exchange.status == 200 and exchange.essence == "text/event-stream"):
        broken("a 200 event stream at the end", f"status {exchange.status}, {exchange.essence or 'no type'}", hops)


@rule("HTTP-08")
def test_accept_that_lists_the_event_stream_is_served(bench: Bench) -> None:
    """A request whose Accept lists text/event-stream is served, alone or in a list, in any case, with parameters."""
    beside = _asked_for_beside_the_stream(bench)
    alone = ("text/event-stream", "Text/Event-Stream;q=0.9")
    written = tuple(", ".join([*beside, one]) for one in alone)
    for accept in dict.fromkeys((*written, ", ".join([*(beside or ["application/json"]), "text/event-stream"]))):
        _expect_stream(bench, with_header(bench.final_sent, "Accept", accept), f"Accept: {accept}")


def _asked_for_beside_the_stream(bench: Bench) -> list[str]:
    """What else the request of the profile accepts: a protocol may demand it, for its answers come in both (MCP)."""
    said = [value for name, value in bench.final_sent.headers if name.lower() == "accept"]
    ranges = [part.strip() for value in said for part in value.split(",") if part.strip()]
    wide = ("text/event-stream", "text/*", "*/*")
    return [part for part in ranges if part.partition(";")[0].strip().lower() not in wide]


@rule("HTTP-16")
def test_wildcard_or_missing_accept_is_served(bench: Bench) -> None:
    """A client that sends Accept: */* or no Accept at all gets the stream."""
    beside = _asked_for_beside_the_stream(bench)
    if beside:
        raise NotDeclared(f"the profile's request asks for {beside[0]} as well: which one is the default is not said")
    _expect_stream(bench, with_header(bench.final_sent, "Accept", "*/*"), "Accept: */*")
    _expect_stream(bench, without_header(bench.final_sent, "Accept"), "no Accept")


@rule("HTTP-17")
def test_accept_that_rules_the_stream_out_is_not_a_server_error(bench: Bench) -> None:
    """Accept: application/json alone is answered 406, or with the stream, or with JSON, and never with 5xx."""
    with bench.open(with_header(bench.final_sent, "Accept", "application/json")) as stream:
        stream.until_head()
        seen = bench.view(stream)
    if seen.exchange.status is None or seen.exchange.status >= 500:
        broken("a status below 500", f"{seen.exchange.status or seen.exchange.detail}", seen.show_head())


def _expect_stream(bench: Bench, sent: Sent, what: str) -> None:
    with bench.open(sent) as stream:
        stream.until_head()
        seen = bench.view(stream)
    expected = bench.observation.exchange
    got = seen.exchange
    if got.status != expected.status or got.essence != expected.essence:
        actual = f"{got.status or got.detail} {got.essence or 'without a type'}"
        broken(f"the stream for a request with {what}", actual, seen.show_head("content-type"))


@rule("HTTP-15")
def test_automatic_reconnect_repeats_no_side_effect(bench: Bench) -> None:
    """Getting the stream again after a cut does not start a second job: browsers re-issue the same GET by themselves."""
    if bench.endpoint.request.method != "GET":
        raise NotDeclared("browsers only repeat GET requests, and the profile declares another method")
    if "resume" not in bench.endpoint.declares:
        raise NotDeclared("the profile declares neither resume nor a counter of started jobs")
    first = bench.observation
    marked = [arrival for arrival in first.contract_arrivals if arrival.event.last_event_id]
    if len(marked) < 2:
        raise NotDeclared("the stream has too few events with an id to be cut between them")
    if [own_id(arrival) for arrival in first.contract_arrivals].count(marked[0].event.last_event_id) > 1:
        raise Untestable("the first id stands for other events, too, which FLD-12 judges: it cannot tell runs apart")
    with bench.open(bench.final_sent) as stream:
        read_contract(bench, stream, first.contract_arrivals.index(marked[0]) + 1)
        before = bench.view(stream).contract_arrivals
    if not before:
        raise NotDeclared("the stream brought no event before the cut")
    last_id = before[-1].event.last_event_id
    again = first_answer(bench, with_header(bench.final_sent, "Last-Event-ID", last_id))
    after = again.contract_arrivals
    if after and after[0].event.last_event_id == before[0].event.last_event_id:
        broken(
            "the first run to go on",
            f"the stream began anew after Last-Event-ID: {last_id}",
            again.show_event(after[0]),
        )


@rule("HTTP-18")
def test_head_starts_nothing(bench: Bench) -> None:
    """HEAD opens no stream and starts no work: the number of active streams is the same after it as before."""
    gauge = bench.gauge
    assert gauge is not None
    before = gauge.active()
    for _ in range(10):
        with bench.open(
            replace(bench.final_sent, method="HEAD", body=None), limits=Limits(window=PROMPT, first_byte=PROMPT)
        ) as head:
            if not head.until_head(PROMPT):
                break  # that it is not answered is HTTP-06's; the work that it started is seen after one
    deadline = time.monotonic() + PROMPT
    after = gauge.active()
    while after > before and time.monotonic() < deadline:
        time.sleep(0.05)
        after = gauge.active()
    if after > before:
        broken(f"{before:g} active streams after ten HEAD requests, as before", f"{after:g}")


@rule("HTTP-19", any_status=True)
def test_post_stream_is_redirected_with_307_or_308(observation: Observation) -> None:
    """A stream that is requested by POST is redirected with 307 or 308 only."""
    for hop in observation.exchange.redirects:
        if hop.status not in {307, 308}:
            broken(
                "307 or 308",
                f"{hop.status}: clients repeat the request as GET",
                Evidence(f"to {redact_url(hop.location or '')}"),
            )


@rule("HTTP-20")
def test_original_and_final_address_of_a_redirect_both_keep_serving(bench: Bench) -> None:
    """Where the stream is reached by a redirect, both the original and the final address serve a second request."""
    exchange = bench.observation.exchange
    if not exchange.redirects:
        return
    again = bench.observe(bench.sent(), limits=Limits(window=1.0))
    if not again.is_stream:
        broken(
            "the stream at the original address again", f"status {again.exchange.status}", again.show_head("location")
        )
    _expect_stream(bench, bench.final_sent, "the final address again")


@rule("HTTP-23")
def test_method_that_the_stream_does_not_offer_is_refused(bench: Bench) -> None:
    """A method that the endpoint does not offer is answered 405 (or 404, 501), promptly, and not with a second stream."""
    for method in bench.endpoint.other_methods:
        sent = replace(bench.final_sent, method=method, body=b"" if method in {"POST", "PUT", "PATCH"} else None)
        with bench.open(sent, limits=Limits(window=PROMPT, first_byte=PROMPT)) as stream:
            stream.until_head()
            seen = bench.view(stream)
        if seen.exchange.status not in {404, 405, 501}:
            broken("405, 404 or 501", f"{method} got {seen.exchange.status or 'no answer'}", seen.show_head())


@rule("HTTP-24", any_status=True)
def test_405_names_the_allowed_methods(bench: Bench) -> None:
    """Every 405 carries an Allow field."""
    for seen in bench.once("answers", lambda: _answers(bench)):
        if seen.exchange.status == 405 and not seen.exchange.values("allow"):
            broken("an Allow field with every 405", f"none after {seen.exchange.request.method}", seen.show_head())


def _told(sent: Sent) -> str:
    """The method, and the fields that made the answer what it is."""
    telling = ("if-none-match", "if-modified-since", "last-event-id")
    return ", ".join([sent.method, *(f"{name}: {visible(value)}" for name, value in sent.headers if name.lower() in telling)])  # fmt: skip


def _answers(bench: Bench) -> list[Observation]:
    """The observation, and with a server at hand its answers to HEAD, foreign methods, conditions and a late reconnect."""
    found = [bench.observation]
    if not bench.live or not urlsplit(bench.profile.base_url).scheme:
        return found
    target = bench.final_sent
    others = [replace(target, method="HEAD", body=None)]
    others += [replace(target, method=method, body=None) for method in bench.endpoint.other_methods]
    if target.method == "GET":
        a_second_ago = format_datetime(datetime.now(UTC) - timedelta(seconds=1), usegmt=True)
        others.append(with_header(with_header(target, "If-None-Match", "*"), "If-Modified-Since", a_second_ago))
    last_id = bench.observation.anatomy.last_event_id if bench.observation.is_stream else ""
    if last_id and target.method == "GET":
        others.append(with_header(target, "Last-Event-ID", last_id))
    for sent in others:
        with bench.open(
            replace(sent, url=urljoin(target.url, sent.url)), limits=Limits(window=PROMPT, first_byte=PROMPT)
        ) as stream:
            stream.until_head()
            if stream.exchange.status in {204, 205, 304}:
                stream.pump(within=PROMPT)
            found.append(bench.view(stream))
    return found
