"""FLD-01 to FLD-17, ERR-02 and REC-10: what stands in the four fields."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterator

from ssegauge.anatomy import Anatomy, Block, Field
from ssegauge.anomalies.anomaly import Anomaly, body_is, claims, holds_frame, lost_data, meant_name, shown
from ssegauge.wire import accepted_retry

RETRY_RANGE = (500, 300_000)
ID_LIMIT = 128


def misspelt(anatomy: Anatomy) -> Iterator[Anomaly]:
    """FLD-01."""
    for field, rule in claims(anatomy):
        if rule == "FLD-01":
            text = f"{shown(field.name)} is not {meant_name(field)}: the field is lost"
            yield Anomaly("FLD-01", field.start, field.end, text)


def nul_in_id(anatomy: Anatomy) -> Iterator[Anomaly]:
    """FLD-02."""
    for field in _finished(anatomy, "id"):
        if b"\0" in field.value:
            yield Anomaly("FLD-02", field.start, field.end, f"an id holds NUL and is ignored: {shown(field.value)}")


def retry_not_digits(anatomy: Anatomy) -> Iterator[Anomaly]:
    """FLD-03."""
    for field in _finished(anatomy, "retry"):
        if accepted_retry(field.value) is None and not holds_frame(field):
            text = f"a retry is not ASCII digits and is ignored: {shown(field.value)}"
            yield Anomaly("FLD-03", field.start, field.end, text)


def retry_implausible(anatomy: Anatomy) -> Iterator[Anomaly]:
    """FLD-04."""
    low, high = RETRY_RANGE
    for field in _finished(anatomy, "retry"):
        retry = accepted_retry(field.value)
        if retry is not None and not low <= retry <= high:
            text = f"a retry of {shown(field.value)} ms is not between {low} and {high}"
            yield Anomaly("FLD-04", field.start, field.end, text)


def id_alone(anatomy: Anatomy) -> Iterator[Anomaly]:
    """FLD-05. An id with NUL is ignored, and FLD-02's."""
    for block in _without_data(anatomy):
        ids = [field for field in block.of("id") if b"\0" not in field.value]
        if ids:
            yield Anomaly("FLD-05", ids[0].start, ids[0].end, f"an id without data: {shown(ids[0].value)}")


def repeated(anatomy: Anatomy) -> Iterator[Anomaly]:
    """FLD-06, once for each block."""
    for block in anatomy.blocks:
        if len(block.fields) < 2:
            continue
        counts = Counter(field.kind for field in block.fields)
        twice = [f"{counts[kind]} {kind} fields" for kind in ("event", "id", "retry") if counts[kind] > 1]
        if twice:
            yield Anomaly("FLD-06", block.start, block.end, f"one block has {', '.join(twice)}: the last wins")


def type_alone(anatomy: Anatomy) -> Iterator[Anomaly]:
    """FLD-07."""
    for block in _without_data(anatomy):
        types = block.of("event")
        if types:
            text = f"an event without data is lost: type {shown(types[-1].value)}"
            yield Anomaly("FLD-07", block.start, block.end, text)


def empty_data(anatomy: Anatomy, ignored: Collection[str] = (), *, primer: bool = False) -> Iterator[Anomaly]:
    """FLD-08; `ignored` are the event types that the profile lets be empty, `primer`: an id may come with empty data."""
    for block in anatomy.event_blocks:
        if block.event and not block.event.data and block.event.type not in ignored:
            if primer and block.of("id"):
                continue
            text = f"event {block.index} of type {shown(block.event.type)} has empty data"
            yield Anomaly("FLD-08", block.start, block.end, text)


def type_with_blanks(anatomy: Anatomy) -> Iterator[Anomaly]:
    """FLD-11."""
    for field in _finished(anatomy, "event"):
        if field.text != field.text.strip():
            yield Anomaly(
                "FLD-11", field.start, field.end, f"an event type has blanks at its edges: {shown(field.value)}"
            )


def id_reused(anatomy: Anatomy) -> Iterator[Anomaly]:
    """FLD-12, once for each id. Only events that carry the id themselves count: it stays for those that follow."""
    seen: dict[bytes, tuple[str, str]] = {}
    told = set()
    for block in anatomy.event_blocks:
        ids = [field.value for field in block.of("id") if field.value and b"\0" not in field.value]
        if not ids or block.event is None:
            continue
        event = block.event[:2]
        if seen.setdefault(ids[-1], event) != event and ids[-1] not in told:
            told.add(ids[-1])
            yield Anomaly("FLD-12", block.start, block.end, f"id {shown(ids[-1])} is used again for another event")


def id_not_for_header(anatomy: Anatomy) -> Iterator[Anomaly]:
    """FLD-13."""
    for field in _finished(anatomy, "id"):
        if b"\0" in field.value or holds_frame(field):
            continue
        if len(field.value) > ID_LIMIT:
            text = f"an id has {len(field.value)} characters, more than {ID_LIMIT}: {shown(field.value)}"
            yield Anomaly("FLD-13", field.start, field.end, text)
        elif any(not 0x21 <= byte <= 0x7E for byte in field.value):
            text = f"an id has characters beyond visible ASCII: {shown(field.value)}"
            yield Anomaly("FLD-13", field.start, field.end, text)


def id_reset(anatomy: Anatomy) -> Iterator[Anomaly]:
    """FLD-14."""
    last = b""
    for field in _finished(anatomy, "id"):
        if last and not field.value:
            yield Anomaly("FLD-14", field.start, field.end, f"an empty id erases {shown(last)}")
        if b"\0" not in field.value:
            last = field.value


def unknown_fields(anatomy: Anatomy) -> Iterator[Anomaly]:
    """FLD-16, once for each name."""
    found: dict[bytes, list[Field]] = {}
    for field, rule in claims(anatomy):
        if rule == "FLD-16":
            found.setdefault(field.name, []).append(field)
    for name, fields in found.items():
        first = fields[0]
        text = f"unknown field {shown(name)}, {len(fields)} times: clients ignore it"
        yield Anomaly("FLD-16", first.start, first.end, text)


def retry_alone(anatomy: Anatomy) -> Iterator[Anomaly]:
    """FLD-17. A retry that is not accepted is FLD-03's."""
    for block in _without_data(anatomy):
        for field in block.of("retry")[:1]:
            if accepted_retry(field.value) is not None:
                yield Anomaly("FLD-17", field.start, field.end, f"a retry without data: {shown(field.value)}")


def connection_names(anatomy: Anatomy) -> Iterator[Anomaly]:
    """ERR-02, once for each of the two types."""
    for name in ("error", "open"):
        named = [block for block in anatomy.event_blocks if block.event and block.event.type == name]
        if named:
            text = f"{len(named)} events of type {name}, which EventSource uses for its own"
            yield Anomaly("ERR-02", named[0].start, named[0].end, text)


def no_retry(anatomy: Anatomy) -> Iterator[Anomaly]:
    """REC-10."""
    if not anatomy.retries and anatomy.events and body_is(anatomy) != "other":
        yield Anomaly("REC-10", 0, 0, "the stream sets no retry: browsers come back after their own 3 or 5 s")


def _finished(anatomy: Anatomy, kind: str) -> list[Field]:
    return [field for field in anatomy.fields if field.kind == kind and field.eol]


def _without_data(anatomy: Anatomy) -> list[Block]:
    # Where a line was meant as data, FLD-01, ENC-08 or FRM-15 says why there is none.
    if "without data" not in anatomy.worked_out:
        anatomy.worked_out["without data"] = [
            block
            for block in anatomy.blocks
            if block.fields
            and not block.of("data")
            and not lost_data(block)
            and not any(holds_frame(field) for field in block.fields)
        ]
    found: list[Block] = anatomy.worked_out["without data"]
    return found
