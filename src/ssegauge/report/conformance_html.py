"""The conformance part of the page: rules by topic and endpoint, what is broken in full, what was not judged and why."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final

from ssegauge.report.failures_html import broken_rules
from ssegauge.report.findings import OTHER, UNJUDGED, Seen, topics
from ssegauge.report.html import Child, Element, el
from ssegauge.report.page import scroll
from ssegauge.rules import CATEGORIES

MOST_COLUMNS: Final = 60
_NAMED: Final = 40
_CELLS: Final = {
    "pass": ("pass", "✓ held"),
    "error": ("fail-error", "! not judged"),
    "untestable": ("quiet", "untestable"),
    "not_declared": ("quiet", "not declared"),
}
_KINDS: Final = {
    "broken": ("MUST broken", "is-no-go"),
    "weak": ("SHOULD broken", "is-but"),
    "remark": ("remarks", "is-but"),
    "accepted": ("accepted", "plain"),
    "held": ("held", "is-go"),
    "not judged": ("not judged", "plain"),
}


@dataclass(frozen=True)
class Column:
    """An endpoint of a target, with what was found on it by rule."""

    target: str
    endpoint: str
    found: dict[str, Seen]


def columns(results: Iterable[tuple[str, Sequence[Seen]]]) -> list[Column]:
    """A column for each endpoint of each result, in their order."""
    made = []
    for target, found in results:
        by_endpoint: dict[str, dict[str, Seen]] = {}
        for seen in found:
            by_endpoint.setdefault(seen.endpoint, {})[seen.rule] = seen
        made += [Column(target, endpoint, by_rule) for endpoint, by_rule in by_endpoint.items()]
    return made


def matrix(shown: Sequence[Column]) -> list[Child]:
    """Endpoints by rules: a table for each topic, open where something in it is broken."""
    everything = [seen for column in shown for seen in column.found.values()]
    anchors = {id(seen): anchor for anchor, seen in _cases(shown)}
    left_out = len(shown) - MOST_COLUMNS
    return [
        el("p", f"{left_out} more endpoints are in the results file and not shown here.", class_="muted")
        if left_out > 0
        else None,
        el("div", (_topic(topic, everything, shown[:MOST_COLUMNS], anchors) for topic in topics(everything))),
    ]


def failures(shown: Sequence[Column]) -> Child:
    """Every broken rule with its sentence, and each endpoint that breaks it with what was seen there."""
    several = len({column.target for column in shown}) > 1
    targets = {id(seen): column.target for column in shown for seen in column.found.values() if several}
    return broken_rules(_cases(shown), targets)


def unjudged(shown: Sequence[Column]) -> Child:
    """What was not judged, by reason."""
    tables = [_reasons(outcome, words, shown) for outcome, words in UNJUDGED.items()]
    return el("div", tables, class_="cards") if any(tables) else None


def _cases(shown: Sequence[Column]) -> list[tuple[str, Seen]]:
    failed = [seen for column in shown for seen in column.found.values() if seen.outcome == "fail"]
    return [(f"case-{number}", seen) for number, seen in enumerate(failed, 1)]


# -- the matrix -------------------------------------------------------------------------------------------------------


def _topic(topic: str, everything: Sequence[Seen], shown: Sequence[Column], anchors: dict[int, str]) -> Element:
    own = [seen for seen in everything if seen.topic == topic]
    rules = sorted({seen.rule: seen for seen in own}.values(), key=lambda seen: seen.rule)
    broken = any(seen.broken and seen.level in {"MUST", "SHOULD"} for seen in own)
    about = "rules that this version's catalogue does not hold" if topic == OTHER else CATEGORIES[topic]
    summary = el(
        "summary", el("b", topic), el("span", about, class_="about"), el("span", _counts(own), class_="counts")
    )
    body = el("tbody", (_rule(law, shown, anchors) for law in rules))
    table = scroll(f"{topic}: rules by endpoint", _headings(shown), body, class_="matrix", said=True)
    return el("details", summary, table, class_="topic", open=broken)


def _counts(own: Sequence[Seen]) -> list[Element]:
    counts = Counter(_kind(seen) for seen in own)
    return [
        el("span", f"{counts[kind]} {words if counts[kind] != 1 else words.removesuffix('s')}", class_=f"tag {class_}")
        for kind, (words, class_) in _KINDS.items()
        if counts[kind]
    ]


def _kind(seen: Seen) -> str:
    if seen.outcome == "fail":
        return "accepted" if seen.accepted else {"MUST": "broken", "SHOULD": "weak"}.get(seen.level, "remark")
    return "held" if seen.outcome == "pass" else "not judged"


def _headings(shown: Sequence[Column]) -> Element:
    targets = Counter(column.target for column in shown)
    lead = [el("th", "rule", scope="col"), el("th", "level", scope="col")]
    endpoints = [el("th", el("bdi", column.endpoint or "(unnamed)"), scope="col", class_="cell") for column in shown]
    if len(targets) == 1:
        return el("thead", el("tr", lead, endpoints))
    groups = [
        el("th", el("bdi", target), scope="colgroup", colspan=count, class_="group")
        for target, count in targets.items()
    ]
    return el("thead", el("tr", el("td"), el("td"), groups), el("tr", lead, endpoints))


def _rule(law: Seen, shown: Sequence[Column], anchors: dict[int, str]) -> Element:
    name = el("th", el("span", law.rule, class_="mono"), " ", law.title, scope="row")
    cells = (_cell(column.found.get(law.rule), anchors) for column in shown)
    return el("tr", name, el("td", law.level, class_="level"), cells)


def _cell(seen: Seen | None, anchors: dict[int, str]) -> Element:
    if seen is None:
        return el("td", el("span", "not run", class_="quiet"), class_="cell")
    if seen.outcome != "fail":
        class_, text = _CELLS[seen.outcome]
        return el("td", text, class_=f"cell {class_}")
    kind = _kind(seen)
    text = {"broken": "✗ broken", "weak": "✗ broken", "remark": "• remark", "accepted": "~ accepted"}[kind]
    class_ = {"broken": "fail-must", "accepted": "quiet"}.get(kind, "fail-other")
    return el("td", el("a", text, href=f"#{anchors[id(seen)]}"), class_=f"cell {class_}")


# -- not judged -------------------------------------------------------------------------------------------------------


def _reasons(outcome: str, words: str, shown: Sequence[Column]) -> Element | None:
    by_reason: dict[str, dict[str, None]] = {}
    where: dict[str, dict[str, None]] = {}
    for column in shown:
        for seen in column.found.values():
            if seen.outcome == outcome:
                reason = seen.reason or "no reason given"
                if outcome == "not_declared":  # the table's caption says so
                    reason = reason.removeprefix("the profile does not declare ")
                by_reason.setdefault(reason, {})[f"{seen.rule} {seen.level}"] = None
                where.setdefault(reason, {})[column.endpoint] = None
    if not by_reason:
        return None
    rows = [
        el("tr", el("th", reason, scope="row"), el("td", _listed(rules)), el("td", _listed(where[reason])))
        for reason, rules in list(by_reason.items())[:200]
    ]
    count = sum(seen.outcome == outcome for column in shown for seen in column.found.values())
    heading = el("thead", el("tr", (el("th", text, scope="col") for text in ("what is missing", "rules", "endpoints"))))
    table = scroll(f"{count} {words}", heading, el("tbody", rows), said=True)
    summary = el("summary", f"{count} {words}")
    return el("details", summary, table, class_="card", open=outcome != "not_declared")


def _listed(names: Iterable[str]) -> str:
    names = list(names)
    rest = len(names) - _NAMED
    return ", ".join(names[:_NAMED]) + (f" and {rest} more" if rest > 0 else "")
