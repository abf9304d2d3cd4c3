"""The HTTP message that carries the stream: framing, length, end (rules HTTP-09 to HTTP-12, HTTP-21, -22, -25, -26)."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import replace

from ssegauge.bench import Bench
from ssegauge.client import Stream
from ssegauge.judging import Untestable, broken, rule
from ssegauge.means.resumption import first_answer
from ssegauge.means.timing import require_quiet
from ssegauge.observation import Observation

CODINGS = {"chunked", "compress", "deflate", "gzip", "x-compress", "x-gzip"}
"""Registered transfer codings (RFC 9112 section 7)."""
LEAST_SPREAD = 0.06
"""Seconds between first and last event below which a burst cannot be told from a stream."""
BUSY = 0.2
"""Seconds that this machine may wake up late before times are no longer judged."""


@rule("HTTP-09", any_status=True)
def test_message_has_one_framing(observation: Observation) -> None:
    """A response never carries Content-Length together with Transfer-Encoding."""
    _http1(observation)
    if observation.exchange.values("content-length") and observation.exchange.values("transfer-encoding"):
        broken("one of the two", "both", observation.show_head("content-length", "transfer-encoding"))


@rule("HTTP-10", any_status=True)
def test_content_length_equals_the_body_length(observation: Observation) -> None:
    """Content-Length, where present, equals the number of body bytes."""
    exchange = observation.exchange
    if exchange.framing != "length" or exchange.request.method == "HEAD":
        return
    lengths = set(exchange.members("content-length"))
    shown = observation.show_head("content-length")
    if len(lengths) != 1 or not all(length.isascii() and length.isdigit() for length in lengths):
        broken("one number", f"Content-Length: {exchange.value('content-length')}", shown)
    announced, got = int(lengths.pop()), len(exchange.raw_body)
    if exchange.excess:
        broken(f"{announced} bytes of content", f"more than that: {len(exchange.excess)} bytes followed", shown)
    if exchange.end in {"eof", "reset"} and got < announced:
        broken(f"{announced} bytes of content", f"{got}, and then the connection was closed", shown)


@rule("HTTP-11")
def test_normal_end_is_a_complete_message(observation: Observation) -> None:
    """A stream that ends by the server's will ends as a complete HTTP message."""
    exchange = observation.exchange
    if "terminal" in observation.endpoint.declares and not observation.terminals:
        return  # how a stream without its terminal ended is ORD-02's
    if exchange.framing == "length" and exchange.end == "eof":
        return  # HTTP-10 counts the bytes
    if exchange.end in {"eof", "reset", "malformed"}:
        tail = observation.show(max(len(observation.body) - 60, 0), len(observation.body), "the last bytes")
        broken("a complete message", f"{exchange.end}: {exchange.detail}", tail)


@rule("HTTP-12", any_status=True)
def test_http_1_0_request_gets_no_transfer_encoding(bench: Bench) -> None:
    """A response to an HTTP/1.0 request has no Transfer-Encoding."""
    seen = _http10(bench, lambda stream: stream.exchange.head_at is not None)
    if seen.exchange.values("transfer-encoding"):
        broken(
            "no Transfer-Encoding in answer to HTTP/1.0",
            seen.exchange.value("transfer-encoding") or "",
            seen.show_head("transfer-encoding"),
        )


@rule("HTTP-21")
def test_open_ended_stream_announces_no_length(observation: Observation) -> None:
    """A stream whose length is not known when it starts carries no Content-Length."""
    exchange = observation.exchange
    if exchange.values("content-length") and exchange.end in {"client", "timeout_total"}:
        broken("no Content-Length", "one, although the stream was still open", observation.show_head("content-length"))


@rule("HTTP-22")
def test_http_1_0_client_gets_events_as_they_happen(bench: Bench) -> None:
    """An HTTP/1.0 client gets events as they are produced, not in one piece at the end."""
    usual = _spread(bench.observation)
    if usual is None or usual < LEAST_SPREAD:
        raise Untestable("the stream has no spread of events in time that could be compared")
    since = time.monotonic()
    seen = _http10(
        bench, lambda stream: len(stream.arrived) > 1 and stream.arrived[-1] - stream.arrived[0] >= usual / 4
    )
    if not seen.arrivals:
        if seen.is_stream and first_answer(bench, bench.final_sent).arrivals:
            broken(
                "the stream's events",
                f"none by HTTP/1.0: {seen.exchange.detail or seen.exchange.end}",
                seen.show_head(),
            )
        raise Untestable(f"an HTTP/1.0 request is answered {seen.exchange.status}, without events")
    spread = seen.arrivals[-1].at - seen.arrivals[0].at
    # Held back they all come late; all at once and early is a server that had them at hand, and was quicker this time.
    held = seen.arrivals[0].at - bench.observation.arrivals[0].at
    if spread < usual / 4 and held > usual / 4:
        require_quiet(bench, since, min(usual - spread, held), busy=BUSY)
        broken(
            f"events over {usual:.2f} s, as by HTTP/1.1",
            f"all within {spread:.3f} s, the first one {held:.2f} s later than by HTTP/1.1",
            [seen.show_event(arrival) for arrival in seen.arrivals[:4]],
        )


@rule("HTTP-25", any_status=True)
def test_close_delimited_body_announces_the_close(observation: Observation) -> None:
    """A body that is neither chunked nor has a Content-Length is announced with Connection: close."""
    exchange = observation.exchange
    _http1(observation)
    if exchange.framing == "close" and exchange.http_version == "1.1" and "close" not in exchange.members("connection"):
        broken(
            "Connection: close",
            exchange.value("connection") or "no Connection field",
            observation.show_head("connection", "content-length", "transfer-encoding"),
        )


@rule("HTTP-26", any_status=True)
def test_transfer_encoding_is_chunked_and_nothing_else(observation: Observation) -> None:
    """Transfer-Encoding, where present, lists registered codings only, with chunked once and last."""
    codings = [coding.split(";")[0].strip() for coding in observation.exchange.members("transfer-encoding")]
    if not codings:
        return
    unknown = [coding for coding in codings if coding not in CODINGS]
    if unknown or codings.count("chunked") != 1 or codings[-1] != "chunked":
        broken(
            "registered codings, chunked once and last", ", ".join(codings), observation.show_head("transfer-encoding")
        )


def _http1(observation: Observation) -> None:
    if observation.exchange.http_version == "2":
        raise Untestable("HTTP/2 frames its messages by itself")


def _http10(bench: Bench, until: Callable[[Stream], bool]) -> Observation:
    with bench.open(replace(bench.final_sent, http_version="1.0")) as stream:
        stream.pump(until)
        return bench.view(stream)


def _spread(observation: Observation) -> float | None:
    """Seconds between the first and the last event, or None with fewer than three."""
    arrivals = observation.arrivals
    return arrivals[-1].at - arrivals[0].at if len(arrivals) >= 3 else None
