"""ENC-01 to ENC-08: bytes and characters."""

from __future__ import annotations

import bisect
import json
import re
import unicodedata
from collections.abc import Iterator

from ssegauge.anatomy import BOM, Anatomy, Field
from ssegauge.anomalies.anomaly import Anomaly, shown

# VT, FF and FS to RS are ENC-05's: they end a line in clients that split with their language's own line splitter.
_CONTROLS_IN_VALUES = re.compile(rb"[\x00-\x08\x0e-\x1b\x1f]")
_CONTROLS = re.compile(rb"[\x00-\x08\x0b\x0c\x0e-\x1f]")
_SEPARATORS = re.compile(rb"[\x0b\x0c\x1c-\x1e]|\xc2\x85|\xe2\x80[\xa8\xa9]")
_LINES = re.compile(rb"[^\r\n]+")
_REPLACED = re.compile(rb"(?<!\\)(?:\\\\)*+(\\u[fF]{3}[dD])")
_HIGH = "\u0080-\u00bf\u0152\u0153\u0160\u0161\u0178\u017d\u017e\u0192\u02c6\u02dc\u2013-\u203a\u20ac\u2122"
_TWICE = re.compile(f"[\u00c2-\u00df][{_HIGH}]|[\u00e0-\u00ef][{_HIGH}]{{2}}|[\u00f0-\u00f4][{_HIGH}]{{3}}")
_SMALL_SHARE = 0.1


def ill_formed(anatomy: Anatomy) -> Iterator[Anomaly]:
    """ENC-01, once for each line: no character holds a line end, not even a broken one."""
    for line in _LINES.finditer(anatomy.body):
        try:
            line[0].decode()
        except UnicodeDecodeError as error:
            start, end = line.start() + error.start, line.start() + error.end
            cut_by_us = not anatomy.ended and end == len(anatomy.body)
            if cut_by_us and error.reason == "unexpected end of data":
                return
            found = anatomy.body[start:end].hex(" ")
            yield Anomaly("ENC-01", start, end, f"not UTF-8: bytes {found}{_place(anatomy, start)}")


def _place(anatomy: Anatomy, at: int) -> str:
    blocks = anatomy.event_blocks
    last = bisect.bisect_right(blocks, at, key=lambda block: block.start) - 1
    return f" in event {last}" if last >= 0 and at < blocks[last].end else ""


def replacement_character(anatomy: Anatomy) -> Iterator[Anomaly]:
    """ENC-02, once for each line; in JSON also as its escape, which is what writers that keep to ASCII make of it."""
    for block in anatomy.all_blocks:
        for field in block.of("data"):
            at = field.value.find(b"\xef\xbf\xbd")
            start, length = field.end - len(field.value) + at, 3
            if at < 0:
                escaped = _REPLACED.search(field.value)
                if escaped is None or block.event is None or not _is_json(block.event.data):
                    continue
                start, length = field.end - len(field.value) + escaped.start(1), 6
            yield Anomaly("ENC-02", start, start + length, f"data holds U+FFFD: {shown(field.value)}")


def _is_json(text: str) -> bool:
    try:
        json.loads(text)
    except (ValueError, RecursionError):
        return False
    return True


def mark_at_start(anatomy: Anatomy) -> Iterator[Anomaly]:
    """ENC-03."""
    if anatomy.bom:
        yield Anomaly("ENC-03", 0, 3, "the stream starts with a byte order mark")


def controls(anatomy: Anatomy) -> Iterator[Anomaly]:
    """ENC-04, once for each line. NUL in an id is FLD-02's, other controls there are FLD-13's."""
    for field in anatomy.fields:
        if field.kind not in ("data", "event", "comment"):
            continue
        found = (_CONTROLS if field.kind == "comment" else _CONTROLS_IN_VALUES).search(field.value)
        if found:
            start = field.end - len(field.value) + found.start()
            text = f"{field.kind} holds the control character U+{found[0][0]:04X}: {shown(field.value)}"
            yield Anomaly("ENC-04", start, start + 1, text)


def separators(anatomy: Anatomy) -> Iterator[Anomaly]:
    """ENC-05, once for each line."""
    for field in anatomy.fields:
        found = _SEPARATORS.search(field.value) if field.kind in ("data", "event", "id") else None
        if found:
            start = field.end - len(field.value) + found.start()
            name = f"U+{ord(found[0].decode()):04X}"
            yield Anomaly(
                "ENC-05", start, start + len(found[0]), f"{field.kind} holds a raw {name}: {shown(field.value)}"
            )


def encoded_twice(anatomy: Anatomy) -> Iterator[Anomaly]:
    """ENC-06, once, where at least a tenth of the text beyond ASCII looks like UTF-8 that was taken for Latin-1.

    Real text holds such pairs too, but few: a capital before a quotation mark, as in CAFÉ», is one.
    """
    twice, once, first = 0, 0, None
    for field in anatomy.fields:
        if field.kind != "data" or field.value.isascii():
            continue
        found = [match for match in _TWICE.finditer(field.text) if _is_twice(match[0])]
        twice += len(found)
        once += sum(char > "\x7f" for char in field.text) - sum(len(match[0]) for match in found)
        if found and first is None:
            first = (field, found[0][0])
    if first is not None and twice >= _SMALL_SHARE * (twice + once):
        field, sample = first
        meant = unicodedata.name(_narrow(sample).decode()[0], "a character")
        text = f"UTF-8 encoded twice, {twice} times: {meant} comes as {shown(sample)}"
        yield Anomaly("ENC-06", field.start, field.end, text)


def _narrow(text: str) -> bytes:
    # Windows-1252 leaves five places free, which decoders of the web fill with the C1 control of that number.
    return b"".join(char.encode("latin-1") if char < "\u0100" else char.encode("cp1252") for char in text)


def _is_twice(text: str) -> bool:
    try:
        _narrow(text).decode()
    except UnicodeError:
        return False
    # Two printable characters beyond those that accents of western languages become: too common in real text.
    return len(text) > 2 or text[0] in "ÂÃ" or "\x80" <= text[1] <= "\x9f" or text[1] > "\xff"


def mark_at_line_start(anatomy: Anatomy) -> Iterator[Anomaly]:
    """ENC-08."""
    for field in anatomy.fields:
        if _starts_with_mark(field):
            yield Anomaly(
                "ENC-08", field.start, field.start + 3, f"a line starts with a byte order mark: {shown(field.name)}"
            )


def _starts_with_mark(field: Field) -> bool:
    return field.kind == "unknown" and field.name.startswith(BOM)
