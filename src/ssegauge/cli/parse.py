"""`ssegauge parse`: what a conforming client would see in a file, in standard input, or at an address."""

from __future__ import annotations

import itertools
import json
import os
import re
import sys
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import cast

import click
import httpx

from ssegauge.anatomy import Dissector
from ssegauge.anomalies import anomalies, payload_anomalies
from ssegauge.content_coding import Plain, Undecodable
from ssegauge.errors import DID_NOT_HOLD, Inconclusive, UserError
from ssegauge.rules import CATALOGUE
from ssegauge.wire import MIB, Decoder, Event, LimitError

PIECE = 1 << 16
_FEW = (
    512  # compressed bytes at a time: they inflate to half a megabyte at most (a factor of 1,032, says zlib's manual)
)
LINT_BYTES = 4 * MIB
LINT_LINES = 100_000
"""What --lint keeps of a stream and judges: its beginning. Some 100 MB of memory at most."""
CONNECT_S = 10.0

EXAMPLES = """\b
Examples:
  ssegauge parse recorded.txt
  ssegauge parse --lint http://localhost:8000/stream
  curl -sN http://localhost:8000/stream | ssegauge parse | head -3
"""


class StreamError(UserError):
    """Raised when the stream cannot be read to its end: a limit was passed, or the connection broke."""

    exit_code = DID_NOT_HOLD


@click.command(epilog=EXAMPLES)
@click.argument("source", metavar="[FILE or URL]", default="-")
@click.option("--lint", is_flag=True, help="Also print what is wrong with the bytes, to standard error.")
@click.option("--json", "as_json", is_flag=True, help="With --lint: every payload should be JSON.")
@click.option("--sentinel", multiple=True, help="With --json: a payload that need not be JSON, as [DONE]. Repeatable.")
@click.option("--last-event-id", default="", help="Start with this id; an address is asked to go on from it.")
@click.option("--max-line", type=click.IntRange(min=1), default=MIB, show_default=True, help="Bytes of a line.")
@click.option("--max-event", type=click.IntRange(min=1), default=MIB, show_default=True, help="Bytes of an event.")
def command(
    source: str,
    sentinel: tuple[str, ...],
    last_event_id: str,
    max_line: int,
    max_event: int,
    *,
    lint: bool,
    as_json: bool,
) -> None:
    """Print each event as one JSON object on a line: what a conforming client would see.

    Reads standard input where no file or address is given. Events are printed as soon as they are complete.
    """
    decoder = Decoder(last_event_id, max_line=max_line, max_event=max_event)
    linter = _Linter(last_event_id) if lint else None
    ended = False
    try:
        for piece in _pieces(source, last_event_id):
            if linter is not None:
                linter.feed(piece)
            _print(decoder.feed(piece))
        ended = True
    except LimitError as error:
        _print(cast("Sequence[Event]", error.events))
        option = "--max-line" if error.what == "line" else "--max-event"
        raise StreamError(f"{_name(source)}: {error}; {option} sets the limit") from error
    finally:
        if linter is not None:
            linter.tell(sentinel, ended=ended, as_json=as_json)


def _print(events: Iterable[Event]) -> None:
    # ASCII only: whatever a server sends, what is printed is valid in every encoding and harmless to a terminal.
    sys.stdout.writelines(json.dumps(_shown(event)) + "\n" for event in events)
    sys.stdout.flush()


def _shown(event: Event) -> dict[str, str]:
    return {"type": event.type, "data": event.data, "last_event_id": event.last_event_id}


class _Linter:
    """Judges the beginning of a stream: an endless one does not fill the memory."""

    def __init__(self, last_event_id: str) -> None:
        self._dissector = Dissector(last_event_id)
        self._seen = self._judged = self._lines = 0

    def feed(self, piece: bytes) -> None:
        whole = self._seen == self._judged
        self._seen += len(piece)
        if whole:
            piece = self._within(piece[: LINT_BYTES - self._judged])
            self._dissector.feed(piece)
            self._judged += len(piece)

    def _within(self, piece: bytes) -> bytes:
        lines = piece.count(b"\n") + piece.count(b"\r")
        if self._lines + lines <= LINT_LINES:
            self._lines += lines
            return piece
        ends = itertools.islice(re.finditer(rb"[\r\n]", piece), LINT_LINES - self._lines, None)
        return piece[: next(ends).start()]

    def tell(self, sentinels: tuple[str, ...], *, ended: bool, as_json: bool) -> None:
        whole = self._seen == self._judged
        anatomy = self._dissector.anatomy(ended=ended and whole)
        found = anomalies(anatomy)
        if as_json:
            found += payload_anomalies(anatomy, sentinels)
        for anomaly in sorted(found, key=lambda anomaly: anomaly.start):
            level = CATALOGUE[anomaly.rule].level
            click.echo(f"{anomaly.rule} {level} byte {anomaly.start}: {anomaly.text}", err=True)
        if not whole:
            told = f"--lint judged the first {self._judged} of {self._seen} bytes"
            click.echo(f"ssegauge: {told}: at most {LINT_BYTES} bytes and {LINT_LINES} lines", err=True)


def _name(source: str) -> str:
    return "standard input" if source == "-" else source


def _pieces(source: str, last_event_id: str) -> Iterator[bytes]:
    if source.lower().startswith(("http://", "https://")):
        yield from _download(source, last_event_id)
    elif source == "-":
        yield from _read(sys.stdin.fileno())
    else:
        try:
            with Path(source).open("rb", buffering=0) as file:
                yield from _read(file.fileno())
        except OSError as error:
            raise UserError(f"{source}: {error.strerror}") from error


def _read(descriptor: int) -> Iterator[bytes]:
    # os.read gives what is there, where a buffered read would wait for more
    while piece := os.read(descriptor, PIECE):
        yield piece


def _download(url: str, last_event_id: str) -> Iterator[bytes]:
    headers = [(b"Accept", b"text/event-stream"), (b"Cache-Control", b"no-store"), (b"Accept-Encoding", b"identity")]
    if last_event_id:
        headers.append((b"Last-Event-ID", last_event_id.encode()))
    timeout = httpx.Timeout(CONNECT_S, read=None)  # a silent stream is not a dead one
    started = False
    try:
        with httpx.stream("GET", url, headers=headers, timeout=timeout, follow_redirects=True) as response:
            _check(response, url)
            plain = _plain(response, url)
            started = True
            yield from _content(response, plain)
    except (httpx.InvalidURL, httpx.UnsupportedProtocol) as error:
        raise UserError(f"{url}: {error}") from error
    except (httpx.HTTPError, httpx.StreamError, Undecodable) as error:
        reason = str(error) or type(error).__name__
        if started:
            raise StreamError(f"{url}: the stream broke off: {reason}") from error
        raise Inconclusive(f"{url}: not reached: {reason}") from error


def _plain(response: httpx.Response, url: str) -> Plain:
    try:
        return Plain([coding.lower() for coding in response.headers.get_list("content-encoding", split_commas=True)])
    except UserError as error:
        raise Inconclusive(f"{url}: {error}") from error


def _content(response: httpx.Response, plain: Plain) -> Iterator[bytes]:
    # httpx reads the first member of gzip only (RFC 1952, 2.2); servers that compress each event alone send many.
    for piece in response.iter_raw():
        for start in range(0, len(piece), _FEW):
            yield plain.of(piece[start : start + _FEW])


def _check(response: httpx.Response, url: str) -> None:
    if response.status_code != 200:
        status = f"{response.status_code} {response.reason_phrase}".strip()
        raise Inconclusive(f"{url}: answered {status}; only a 200 is a stream")
    kind = response.headers.get("content-type", "")
    if kind.partition(";")[0].strip().lower() != "text/event-stream":
        told = ascii(kind) if kind else "missing"
        click.echo(f"ssegauge: the content type is {told}: a browser would refuse this stream", err=True)
