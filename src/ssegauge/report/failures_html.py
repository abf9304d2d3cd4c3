"""Broken rules in full: the sentence, its source, and for each endpoint what was expected, what came, and the wire."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import pairwise
from typing import Final

from ssegauge.report.findings import Piece, Seen
from ssegauge.report.html import Child, Element, el, link
from ssegauge.rules import CATALOGUE, LEVELS

MOST_CASES: Final = 400
_ESCAPE: Final = re.compile(r"(\\(?:[nrt0\\]|x[0-9a-f]{2}|u[0-9a-f]{4}|U[0-9a-f]{8}))")
_LEVELS: Final[tuple[str, ...]] = LEVELS
_ORDER: Final = {identifier: number for number, identifier in enumerate(CATALOGUE)}

Case = tuple[str, Seen]


def broken_rules(cases: Sequence[Case], targets: Mapping[int, str]) -> Child:
    """All failures by rule, those that count before those that fail nothing. `targets`: where, by the id of the finding object."""
    counting = [case for case in cases if case[1].broken and case[1].level in {"MUST", "SHOULD"}]
    remarks = [case for case in cases if case[1].broken and case[1].level not in {"MUST", "SHOULD"}]
    accepted = [case for case in cases if case[1].accepted]
    if not cases:
        return None

    def rules(some: Sequence[Case], heading: str) -> list[Element]:
        return [_rule(group, targets, heading) for group in _by_rule(some[:MOST_CASES])]

    return [
        el("div", rules(counting, "h3"), class_="cards")
        if counting
        else el("p", "No MUST and no SHOULD is broken.", class_="muted"),
        _more(len(counting) - MOST_CASES),
        _folded(
            "remark",
            "remarks",
            "of level RECOMMENDED and INFO: they fail nothing",
            rules(remarks, "h4"),
            len(remarks),
        ),
        _folded("accepted deviation", "accepted deviations", "", rules(accepted, "h4"), len(accepted)),
    ]


def _more(count: int) -> Child:
    return el("p", f"{count} more are in the results file and not shown here.", class_="muted") if count > 0 else None


def _folded(one: str, many: str, about: str, articles: Sequence[Element], count: int) -> Child:
    if not articles:
        return None
    title = f"{count} {one if count == 1 else many}"
    heading = el("h3", title, " ", el("span", about, class_="muted") if about else None)
    return el("details", el("summary", heading), el("div", articles, class_="cards"), class_="folded")


def _by_rule(cases: Iterable[Case]) -> Iterator[list[Case]]:
    by_rule: dict[str, list[Case]] = {}
    for anchor, seen in cases:
        by_rule.setdefault(seen.rule, []).append((anchor, seen))
    yield from sorted(by_rule.values(), key=lambda group: _place(group[0][1]))


def _place(seen: Seen) -> tuple[int, int, str]:
    return _LEVELS.index(seen.level), _ORDER.get(seen.rule, len(_ORDER)), seen.rule


def _rule(group: Sequence[Case], targets: Mapping[int, str], level: str) -> Element:
    first = group[0][1]
    counts = "MUST" if first.level == "MUST" and first.broken else "other"
    heading = el(
        level,
        el("span", first.level, class_=f"tag {'is-no-go' if counts == 'MUST' else 'is-but'}"),
        " ",
        el("span", el("span", first.rule, class_="mono"), " ", first.title),
    )
    source = link(first.source_url, first.source or first.source_url) if first.source_url else first.source
    return el(
        "article",
        heading,
        el("blockquote", first.requirement) if first.requirement else None,
        el("p", source, class_="source") if source else None,
        (_case(anchor, seen, targets.get(id(seen), "")) for anchor, seen in group),
        class_="card broken must" if counts == "MUST" else "card broken",
    )


def _case(anchor: str, seen: Seen, target: str) -> Element:
    place: list[Child] = [
        "on ",
        el("b", el("bdi", seen.endpoint or "(unnamed)")),
        [" of ", el("bdi", target)] if target else None,
    ]
    facts = [
        ("accepted", seen.accepted or None),
        ("expected", seen.expected or None),
        ("got", el("b", seen.actual) if seen.actual else None),
        ("on the wire", _wire(seen.evidence)),
        ("to mend it", seen.mend or None),
        ("run it again", el("pre", seen.reproduce, class_="command") if seen.reproduce else None),
    ]
    rows = [(el("dt", name), el("dd", value)) for name, value in facts if value is not None]
    return el("div", el("p", place), el("dl", rows, class_="facts"), class_="case", id=anchor)


# -- the wire log -----------------------------------------------------------------------------------------------------


def _wire(evidence: Sequence[Piece]) -> Element | None:
    if not evidence:
        return None
    if all(piece.at is not None for piece in evidence):
        evidence = sorted(evidence, key=lambda piece: piece.at or 0.0)
    before: float | None = None
    items = []
    for piece in evidence:
        items.append(_piece(piece, before))
        before = piece.at if piece.at is not None else before
    return el("ol", items, class_="wire")


def _piece(piece: Piece, before: float | None) -> Element:
    when = []
    if piece.at is not None:
        when.append(el("b", f"{piece.at * 1000:,.0f} ms"))
        if before is not None and piece.at - before >= 0.001:
            when.append(el("span", f"{(piece.at - before) * 1000:,.0f} ms later"))
    if piece.offset is not None:
        when.append(el("span", f"byte {piece.offset:,}"))
    if piece.note:
        when.append(el("span", piece.note))
    place = el("div", ([part, " "] for part in when), class_="when") if when else None
    return el("li", place, el("code", _bytes(piece.bytes)) if piece.bytes else None)


def _bytes(text: str) -> Iterator[Child]:
    """Escaped bytes with the escapes set apart, a line of the stream on a line of its own."""
    parts = [part for part in _ESCAPE.split(text) if part]
    for part, following in pairwise([*parts, ""]):
        if not _ESCAPE.fullmatch(part):
            yield part
            continue
        yield el("span", part, class_="esc")
        if following and (part == "\\n" or (part == "\\r" and following != "\\n")):
            yield el("br")
