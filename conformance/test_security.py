"""What a client must not be able to do (rules SEC-*)."""

from __future__ import annotations

from ssegauge import reflection
from ssegauge.bench import Bench
from ssegauge.client import with_header
from ssegauge.judging import Untestable, broken, rule
from ssegauge.observation import Evidence
from ssegauge.reflection import Reflection, Sending
from ssegauge.visible import visible


@rule("SEC-01")
def test_text_in_data_creates_no_field_and_no_event(bench: Bench) -> None:
    """User text with LF or CRLF in data creates no extra field and no extra event."""
    mirror = reflection.reflection(bench, "data")
    for sending in mirror.send([*reflection.INJECTIONS, *reflection.LOOKS_LIKE_A_FIELD]):
        _expect_no_injection(sending)
    for sending, whole in mirror.came_back(reflection.LOOKS_LIKE_A_FIELD):
        if not whole:
            broken(
                f"{visible(sending.text)} as text", mirror.got(sending), sending.evidence(), reproduce=sending.reproduce
            )


@rule("SEC-02")
def test_text_in_event_id_retry_or_comment_cannot_inject(bench: Bench) -> None:
    """User text in event or id cannot start a new line: CR and LF are refused or removed."""
    mirrors = reflection.reflections(bench, ("event", "id"))
    judged = 0
    for mirror in mirrors:
        for sending in mirror.send(reflection.ONE_LINE_INJECTIONS):
            _expect_no_injection(sending)
        judged += bool(mirror.places)
    if not judged:
        names = " or ".join(f"reflect.{mirror.part}" for mirror in mirrors)
        raise Untestable(f"{names}: {reflection.MARKERS[0]!r} did not come back there")


@rule("SEC-03")
def test_lone_carriage_return_in_data_is_treated_as_a_newline(bench: Bench) -> None:
    """A lone CR in user text is treated as a line end by the writer."""
    mirror = reflection.reflection(bench, "data")
    for sending in mirror.send([*reflection.CR_INJECTIONS, *reflection.LONE_CR]):
        _expect_no_injection(sending)
    for sending, whole in mirror.came_back(reflection.LONE_CR):
        if not whole:
            broken(
                f"{visible(reflection.with_lf(sending.text))} in the {mirror.places[0]}",
                mirror.got(sending),
                sending.evidence(),
                reproduce=sending.reproduce,
            )


@rule("SEC-04")
def test_text_reaches_no_response_header(bench: Bench) -> None:
    """CR and LF from the query or from Last-Event-ID never reach the response's header section."""
    requests = [
        mirror.request(text)
        for mirror in reflection.reflections(bench)
        for text in reflection.HEADER_SPLITS
        if mirror.fits(text) is not None
    ]
    requests.append(with_header(bench.final_sent, "Last-Event-ID", f"x%0D%0A{reflection.HEADER_CANARY}: 1"))
    for sent in requests:
        with bench.open(sent) as stream:
            stream.until_head()
            seen = bench.view(stream)
        if seen.exchange.values(reflection.HEADER_CANARY):
            broken(
                "the header section of a plain request",
                "a field that was sent as text",
                seen.show_head(),
                reproduce=Sending("", sent, seen).reproduce,
            )
        if seen.exchange.end == "malformed" and seen.exchange.head_at is None:
            broken(
                "a header section that can be read",
                seen.exchange.detail,
                Evidence(f"after a request for {visible(sent.url)}"),
                reproduce=Sending("", sent, seen).reproduce,
            )


@rule("SEC-08")
def test_hostile_text_does_not_end_the_stream(bench: Bench) -> None:
    """User text with line ends, NUL or very long lines does not end the stream for its reader."""
    plain = bench.observation
    if "terminal" in bench.endpoint.declares and plain.ended and not plain.terminals:
        raise Untestable("the plain stream has no terminal either, which ORD-02 judges")
    judged = 0
    for mirror in reflection.reflections(bench):
        if any(mirror.fits(text) for text in reflection.HOSTILE):
            judged += 1
            _expect_survival(bench, mirror)
    if not judged:
        raise Untestable("the declared inputs are header fields, which cannot carry hostile texts")


def _expect_survival(bench: Bench, mirror: Reflection) -> None:
    plain = bench.observation
    for sending in mirror.send(reflection.HOSTILE, whole=plain.ended):
        if sending.refused:
            continue
        seen = sending.seen
        actual = ""
        if not sending.answered:
            actual = (
                f"status {seen.exchange.status}" if seen.exchange.status else f"no response: {seen.exchange.detail}"
            )
        elif plain.arrivals and not seen.arrivals:
            actual = f"a stream without events, which ended by {seen.exchange.end}"
        elif plain.terminals and seen.ended and not seen.terminals:
            actual = f"{seen.verdict}: {len(seen.arrivals)} events, no terminal"
        elif seen.ended and seen.exchange.end != "message_end" and plain.exchange.end in {"message_end", "client"}:
            actual = f"{seen.exchange.end}: {seen.exchange.detail}"
        if actual:
            broken(
                f"the stream to its end, or a 4xx status, after {visible(sending.text, 60)} in {mirror.part}",
                actual,
                sending.evidence(),
                reproduce=sending.reproduce,
            )


def _expect_no_injection(sending: Sending) -> None:
    found = reflection.injected(sending.seen) if sending.answered else None
    if found is not None:
        broken("the text as text", "a field of its own", sending.evidence(found), reproduce=sending.reproduce)
