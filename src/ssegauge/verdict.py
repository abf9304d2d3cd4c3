"""How a stream ended: one decision, for one stream and for ten thousand.

`RULES` is the precedence: the first row that applies gives the verdict. The order says which of two
true things about the same stream is the one to tell.

1. What never became a stream comes first: no connection, an answer that is no event stream. What
   happened afterwards on such a connection (a cut error page, say) says nothing about a stream.
2. Then what the server said itself: an error event. A server that reports its failure and then cuts
   the connection has reported its failure; that it also cut is seen in `Facts.end`.
3. Then how the message ended. A cut, a reset or a timeout outranks a terminal event that was seen
   before: HTTP says that the message is incomplete, and a client that waits for its end waits in
   vain. So `complete` is never said of a message that did not come to its proper end.
4. Of a message that did end properly, the contract decides: bytes of an unfinished event, or of an
   unfinished content coding, mean that the producer was cut and somebody closed politely
   (`truncated`); a declared terminal that did not come, or a stream without a single event, is
   `no_terminal`.
5. What is left is `complete`.

Where we closed ourselves (`client`) the server is not to blame, and what would have come is unknown:
after no-stream and error event, which were seen, it outranks everything and is never a success, not
even when the terminal had come, for the end of the message was not seen.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final, Literal, get_args

EndKind = Literal[
    "message_end",  # the HTTP message came to its proper end
    "eof",  # the connection was closed before that
    "reset",  # the connection, or the HTTP/2 stream, was reset
    "timeout_connect",  # no connection within its limit
    "timeout_first_byte",  # a connection, but not one byte of the response
    "timeout_idle",  # the stream fell silent
    "timeout_total",  # the stream was still going at its deadline
    "client",  # we closed
    "malformed",  # bytes that are no HTTP, no such content coding, or past a limit
    "connect_error",  # refused, unreachable, no such name, TLS failed
]
Verdict = Literal[
    "complete",
    "error_event",
    "truncated",
    "reset",
    "no_terminal",
    "stalled",
    "timeout",
    "http_error",
    "connect_error",
    "malformed",
    "client_closed",
]
END_KINDS: Final[tuple[EndKind, ...]] = get_args(EndKind)
VERDICTS: Final[tuple[Verdict, ...]] = get_args(Verdict)

MEANINGS: Final[dict[Verdict, str]] = {
    "complete": "the message ended properly, and the stream as its contract says",
    "error_event": "the server reported a failure in the stream",
    "truncated": "the stream was cut before its end",
    "reset": "the connection was reset",
    "no_terminal": "the stream ended without its terminal event, or without any event",
    "stalled": "the stream fell silent for longer than allowed",
    "timeout": "the stream took longer than allowed",
    "http_error": "the answer was not a 200 event stream",
    "connect_error": "no connection came about",
    "malformed": "the bytes were not HTTP, or passed a limit",
    "client_closed": "we closed the stream ourselves",
}


@dataclass(frozen=True, slots=True)
class Facts:
    """What was seen of one stream.

    status: None where no response head came. event_stream: the content type is text/event-stream.
    events: how many were dispatched, the ignored ones left out. terminal_declared, terminal_seen,
    error_seen: by the profile. pending: bytes of an unfinished block, or of an unfinished content
    coding, were left at the end.
    """

    end: EndKind
    status: int | None
    event_stream: bool
    events: int
    terminal_declared: bool
    terminal_seen: bool
    error_seen: bool
    pending: bool


def _ended(*kinds: EndKind) -> Callable[[Facts], bool]:
    return lambda facts: facts.end in kinds


def _is_no_stream(facts: Facts) -> bool:
    return facts.status is not None and (facts.status != 200 or not facts.event_stream)


def _lacks_its_end(facts: Facts) -> bool:
    return facts.events == 0 or (facts.terminal_declared and not facts.terminal_seen)


RULES: Final[tuple[tuple[Callable[[Facts], bool], Verdict], ...]] = (
    (_ended("connect_error", "timeout_connect"), "connect_error"),
    (_is_no_stream, "http_error"),
    (lambda facts: facts.error_seen, "error_event"),
    (_ended("client"), "client_closed"),
    (_ended("malformed"), "malformed"),
    (_ended("reset"), "reset"),
    (_ended("timeout_first_byte", "timeout_total"), "timeout"),
    (_ended("timeout_idle"), "stalled"),
    (_ended("eof"), "truncated"),
    # from here on the message ended properly
    (lambda facts: facts.status is None, "malformed"),
    (lambda facts: facts.pending, "truncated"),
    (_lacks_its_end, "no_terminal"),
)


def verdict(facts: Facts) -> Verdict:
    """The word for how this stream ended: the first row of `RULES` that applies, else `complete`."""
    return next((word for applies, word in RULES if applies(facts)), "complete")
