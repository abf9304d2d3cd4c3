"""One anomaly, and what several topics must agree on: whose fault a line is, so that one cause gives one red line."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import Literal, NamedTuple

from ssegauge.anatomy import BOM, Anatomy, Block, Field

# A line that was meant as a field: one word before the colon. Anything else is text that lost its `data:`.
_FIELD_LIKE = re.compile(rb"[^\s\"'`{}\[\]()<>,;]+:")
_NAMES = ("data", "event", "id", "retry")


class Anomaly(NamedTuple):
    """Bytes `start` to `end` break `rule`; `text` is one line for people, with the server's text escaped."""

    rule: str
    start: int
    end: int
    text: str


Judge = Callable[[Anatomy], Iterator[Anomaly]]


def shown(value: str | bytes, limit: int = 60) -> str:
    """Text of a server in quotes, short, with everything but plain ASCII escaped."""
    text = value.decode("utf-8", "replace") if isinstance(value, bytes) else value
    return ascii(text[:limit]) + (" ..." if len(text) > limit else "")


def meant_name(field: Field) -> str | None:
    """The known name that an unknown one becomes by trimming or case folding."""
    name = field.name.decode("utf-8", "replace").strip().casefold()
    return name if field.kind == "unknown" and name in _NAMES else None


def lost_data(block: Block) -> bool:
    """Whether a line of this block was meant as data, and missed it by its case, a blank, or a byte order mark."""
    return any(
        meant_name(field._replace(name=field.name.removeprefix(BOM))) == "data"
        for field in block.fields
        if field.kind == "unknown"
    )


_FIELD_AS_TEXT = re.compile(r"\\n(?:data|event|id|retry):")


def holds_frame(field: Field) -> bool:
    r"""Whether an event type, id or retry goes on with a literal `\n` and the next field: FRM-15's."""
    return field.kind in ("event", "id", "retry") and bool(_FIELD_AS_TEXT.search(field.text))


Body = Literal["stream", "utf-16", "other"]


def body_is(anatomy: Anatomy) -> Body:
    """What the body is: a stream, a stream in UTF-16, or something else (an error page, JSON lines, plain text).

    Something else has lines without a known field name and either no event, or fewer known lines than unknown ones
    behind a first line that opens markup or JSON.
    """
    if "body" not in anatomy.worked_out:
        anatomy.worked_out["body"] = _body_is(anatomy)
    found: Body = anatomy.worked_out["body"]
    return found


def _body_is(anatomy: Anatomy) -> Body:
    lines = anatomy.fields
    unknown = [field for field in lines if field.kind == "unknown" and (field.eol or anatomy.ended)]
    if not unknown:
        return "stream"
    if unknown[0] is lines[0] and lines[0].name.count(0) * 4 > len(lines[0].name):
        return "utf-16"
    if anatomy.events:
        opens_document = lines[0].name.lstrip()[:1] in (b"<", b"{", b"[")
        return "other" if opens_document and 2 * len(unknown) > len(lines) else "stream"
    if len(unknown) < len(lines) and lines[0].name.lstrip()[:1] != b"<":
        return "stream"
    tried = any(meant_name(field) or field.name.startswith(BOM) for field in unknown)
    markup = lines[0].name.lstrip()[:1] == b"<"
    return "stream" if tried and not markup else "other"


def claims(anatomy: Anatomy) -> list[tuple[Field, str]]:
    """Every finished line with an unknown field name, and the one rule that reports it."""
    if "claims" not in anatomy.worked_out:
        anatomy.worked_out["claims"] = _claims(anatomy)
    found: list[tuple[Field, str]] = anatomy.worked_out["claims"]
    return found


def _claims(anatomy: Anatomy) -> list[tuple[Field, str]]:
    if body_is(anatomy) != "stream":
        return [(field, "FRM-05") for field in anatomy.unknown]
    claimed = []
    for block in anatomy.all_blocks:
        after_data = inside_text = False
        for field in block.fields:
            if field.kind == "data":
                after_data, inside_text = True, False
            if field.kind != "unknown" or not field.eol:
                continue
            line = anatomy.body[field.start : field.end]
            if field.name.startswith(BOM):
                claimed.append((field, "ENC-08"))
            elif meant_name(field):
                claimed.append((field, "FLD-01"))
            elif after_data and (inside_text or not _FIELD_LIKE.match(line)):
                inside_text = True
                claimed.append((field, "FRM-07"))
            else:
                claimed.append((field, "FLD-16"))
    return claimed
