"""FRM-01 to FRM-15, as far as bytes alone decide them: lines, blocks, and whether this is an event stream at all."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator

from ssegauge.anatomy import Anatomy, Field
from ssegauge.anomalies.anomaly import Anomaly, body_is, claims, holds_frame, shown

LINE_LIMIT = 64 << 10  # Go: bufio.MaxScanTokenSize, the line end included
EVENT_LIMIT = 1 << 20
_LINE_END = re.compile(rb"\r\n|\r|\n")
_END_NAMES = {b"\n": "LF", b"\r": "CR", b"\r\n": "CRLF"}
_FRAMED = re.compile(r"data:(?! ?[a-z]+/[\w.+-]+[;,]|[;,]).|event: ?[\w.:/-]+$|id: ?\S+$|retry: ?[0-9]+$", re.MULTILINE)
_ESCAPED = re.compile(r"(?:\\r)?\\n(?:\\r)?\\n(?:data|event|id|retry):")
_ENDS_ESCAPED = re.compile(r"(?:\\r)?\\n(?:\\r)?\\n\Z")
_QUOTE = re.compile(r"(?<!\\)[\"`]|(?<!\w)'|'(?!\w)")


def unclosed(anatomy: Anatomy) -> Iterator[Anomaly]:
    """FRM-01. Finished comments and retries may stand open: they have had their effect."""
    pending = anatomy.pending
    if pending is None or not anatomy.ended or body_is(anatomy) == "other":
        return
    last = pending.fields[-1] if pending.fields else None
    if last is None or all(field.eol and field.kind in ("comment", "retry") for field in pending.fields):
        return
    if any(_is_escaped(anatomy, field) for field in pending.fields):
        return  # FRM-15: the blank line is there, as text
    what = "the last line has no end" if not last.eol else "the last block has no blank line"
    yield Anomaly("FRM-01", pending.start, pending.end, f"{what}, clients discard it: {shown(_line(anatomy, last))}")


def lone_cr(anatomy: Anatomy) -> Iterator[Anomaly]:
    """FRM-03, at the first one."""
    yield from _line_end(anatomy, "FRM-03", b"\r", "end with a lone CR")


def crlf(anatomy: Anatomy) -> Iterator[Anomaly]:
    """FRM-13, at the first one."""
    yield from _line_end(anatomy, "FRM-13", b"\r\n", "end with CRLF")


def _line_end(anatomy: Anatomy, rule: str, end: bytes, what: str) -> Iterator[Anomaly]:
    found = _line_ends(anatomy)
    if found.get(end):
        start = next(match.start() for match in _LINE_END.finditer(anatomy.body) if match[0] == end)
        yield Anomaly(rule, start, start + len(end), f"{found[end]} of {sum(found.values())} lines {what}")


def mixed_line_ends(anatomy: Anatomy) -> Iterator[Anomaly]:
    """FRM-12, at the first line end that is not like the first."""
    found = _line_ends(anatomy)
    if len(found) > 1:
        ends = list(_LINE_END.finditer(anatomy.body))
        other = next(match for match in ends if match[0] != ends[0][0])
        counts = ", ".join(f"{_END_NAMES[end]} {count}" for end, count in sorted(found.items()))
        yield Anomaly("FRM-12", other.start(), other.end(), f"several kinds of line end: {counts}")


def _line_ends(anatomy: Anatomy) -> dict[bytes, int]:
    if body_is(anatomy) == "other":
        return {}
    found = dict(anatomy.line_ends)
    if not anatomy.ended and anatomy.body.endswith(b"\r"):
        found[b"\r"] -= 1  # the first half of a CRLF, perhaps
    return {end: count for end, count in found.items() if count}


def not_a_stream(anatomy: Anatomy) -> Iterator[Anomaly]:
    """FRM-05."""
    what = body_is(anatomy)
    if what != "stream":
        first = anatomy.fields[0]
        kind = "UTF-16" if what == "utf-16" else "no event stream"
        yield Anomaly("FRM-05", first.start, len(anatomy.body), f"the body is {kind}: {shown(_line(anatomy, first))}")


def unprefixed(anatomy: Anatomy) -> Iterator[Anomaly]:
    """FRM-07."""
    for field, rule in claims(anatomy):
        if rule == "FRM-07":
            text = f"a line of the payload has no field name and is lost: {shown(_line(anatomy, field))}"
            yield Anomaly("FRM-07", field.start, field.end, text)


def too_long(anatomy: Anatomy) -> Iterator[Anomaly]:
    """FRM-08: the longest line, or else the longest event."""
    if body_is(anatomy) == "other":
        return
    line = max(anatomy.fields, key=lambda field: field.end - field.start, default=None)
    if line is not None and line.end - line.start >= LINE_LIMIT:
        yield Anomaly("FRM-08", line.start, line.end, f"a line has {line.end - line.start} bytes, 64 KiB or more")
        return
    block = max(anatomy.all_blocks, key=lambda block: block.end - block.start, default=None)
    if block is not None and block.of("data"):
        size = sum(field.end - field.start + len(field.eol) for field in block.fields if field.kind != "comment")
        if size >= EVENT_LIMIT:
            yield Anomaly("FRM-08", block.start, block.end, f"an event has {size} bytes, 1 MiB or more")


def framed_twice(anatomy: Anatomy) -> Iterator[Anomaly]:
    """FRM-09, once, where most events are so. A `data:` URL is not a field."""
    framed = [block for block in anatomy.event_blocks if block.event and _FRAMED.match(block.event.data)]
    if framed and 2 * len(framed) > len(anatomy.events):
        first = framed[0]
        data = first.event.data if first.event else ""
        text = f"data begins with a field in {len(framed)} of {len(anatomy.events)} events: {shown(data)}"
        yield Anomaly("FRM-09", first.start, first.end, text)


def empty(anatomy: Anatomy) -> Iterator[Anomaly]:
    """FRM-10, where nothing else says why no event came: no field was lost, cut off, or without data."""
    telling = [field for field in anatomy.fields if field.kind in ("data", "event", "unknown") or not field.eol]
    if anatomy.ended and not anatomy.events and not telling:
        yield Anomaly("FRM-10", 0, len(anatomy.body), "the stream ended without an event")


def escaped_line_ends(anatomy: Anatomy) -> Iterator[Anomaly]:
    r"""FRM-15, once for each line. `\n\n` inside a JSON string or in quotes is a payload's own text."""
    for field in anatomy.fields:
        if _is_escaped(anatomy, field):
            yield Anomaly("FRM-15", field.start, field.end, f"line ends are sent as text: {shown(field.value, 80)}")


def _is_escaped(anatomy: Anatomy, field: Field) -> bool:
    if field.kind != "data":
        return holds_frame(field)
    return _goes_on_escaped(field.text) or (bool(_ENDS_ESCAPED.search(field.text)) and _all_end_escaped(anatomy))


def _goes_on_escaped(text: str) -> bool:
    if not _ESCAPED.search(text):
        return False
    try:
        document = json.loads(text)
    except (ValueError, RecursionError):
        return _unquoted(text)
    # A whole frame as one JSON string was put through an encoder; in an object it is what somebody wrote.
    return isinstance(document, str) and document.startswith(("data:", "event:", "id:", "retry:"))


def _all_end_escaped(anatomy: Anatomy) -> bool:
    r"""Whether `\n\n` ends every data line: a shell's `echo`, say. One line may end so by what it is about."""
    if "all end escaped" not in anatomy.worked_out:
        lines = [field.text for field in anatomy.fields if field.kind == "data"]
        all_end = len(lines) > 1 and all(_ENDS_ESCAPED.search(line) for line in lines)
        anatomy.worked_out["all end escaped"] = all_end
    found: bool = anatomy.worked_out["all end escaped"]
    return found


def _unquoted(text: str) -> bool:
    # Both marks of a pair of quotes stand before a line end that is not quoted.
    marks = at = 0
    for found in _ESCAPED.finditer(text):
        marks += len(_QUOTE.findall(text, at, found.start()))
        at = found.start()
        if marks % 2 == 0:
            return True
    return False


def _line(anatomy: Anatomy, field: Field) -> bytes:
    return anatomy.body[field.start : field.end]
