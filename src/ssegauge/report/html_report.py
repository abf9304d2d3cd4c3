"""One HTML page of one result or of many: the verdict, gates, what the figures cannot say, rules, load, baseline, machines."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final, NamedTuple

from ssegauge.gate import Judgement
from ssegauge.report import conformance_html, gates_html, load_html
from ssegauge.report.comparison_html import comparisons
from ssegauge.report.doubts import warnings
from ssegauge.report.extras import extras
from ssegauge.report.findings import findings
from ssegauge.report.html import Child, Element, cut, el
from ssegauge.report.page import has_plotly, page, scroll
from ssegauge.report.percentile_plots import side_by_side
from ssegauge.report.plots import plots
from ssegauge.report.statements import Statement, Word, overall, statement, target
from ssegauge.report.tokens_html import tokens
from ssegauge.results import tool, write_whole

Document = Mapping[str, Any]

_CLASSES: Final[dict[Word, str]] = {
    "go": "is-go",
    "go, but": "is-but",
    "no answer": "is-no-answer",
    "no go": "is-no-go",
}


class Result(NamedTuple):
    """A document under the name that the page gives it."""

    label: str
    anchor: str
    document: Document


def write_html(
    documents: Sequence[Document], path: Path, *, baseline: Sequence[Document] = (), judgement: Judgement | None = None
) -> None:
    """Write the report of these documents; `baseline` is what they are compared with, `judgement` what the gates say.

    Raises ResultsError.
    """
    write_whole(path, html(documents, baseline=baseline, judgement=judgement))


def html(
    documents: Sequence[Document], *, baseline: Sequence[Document] = (), judgement: Judgement | None = None
) -> str:
    """The report as text. Where there are gates, theirs is the verdict."""
    results = _named(documents)
    said = overall(documents) if judgement is None else gates_html.statement_of(judgement)
    data: dict[str, Any] = {}
    sections = [
        ("gates", "Gates", None if judgement is None else gates_html.gates(judgement, several=len(results) > 1)),
        ("doubts", "What the figures cannot say", _doubts(results)),
        *_conformance([result for result in results if result.document["kind"] == "conformance"]),
        *_load([result for result in results if result.document["kind"] == "load"], baseline, data),
        ("baseline", "Against the baseline", comparisons(baseline, documents, data) if baseline else None),
        ("about", "How this was measured", _about(results)),
    ]
    title = f"{said.word}: {said.sentence}"
    foot = ["Written by ", " ".join(tool().values()), ". This page is one file; it loads nothing and sends nothing."]
    return page(cut(title, 150), _verdict(said, results, gated=judgement is not None), sections, foot, data)


def load_runs(documents: Sequence[Document]) -> list[tuple[str, Document]]:
    """The load runs among these documents, each under the name that the page gives it."""
    return [(result.label, result.document) for result in _named(documents) if result.document["kind"] == "load"]


# -- the head ---------------------------------------------------------------------------------------------------------


def _named(documents: Sequence[Document]) -> list[Result]:
    """Each under its target or scenario, as long as that tells them apart."""
    labels = [
        target(document) if document["kind"] == "conformance" else cut(document["scenario"], 60)
        for document in documents
    ]
    labels = [
        label if labels.count(label) == 1 or document["kind"] == "conformance" else f"{label} on {target(document)}"
        for label, document in zip(labels, documents, strict=True)
    ]
    return [
        Result(
            label if labels.count(label) == 1 else f"{label} ({labels[:number].count(label)})", f"r{number}", document
        )
        for number, (label, document) in enumerate(zip(labels, documents, strict=True), 1)
    ]


def _verdict(said: Statement, results: Sequence[Result], *, gated: bool) -> Child:
    times = sorted(str(result.document["started"]) for result in results if result.document.get("started"))
    when = cut(times[0], 40).replace("T", " ").replace("+00:00", " UTC") if times else None
    brand = el("p", el("span", el("b", "ssegauge"), " report"), el("span", when), class_="brand")
    head = el(
        "div", el("span", said.word, class_=f"stamp {_CLASSES[said.word]}"), el("h1", said.sentence), class_="verdict"
    )
    about = el("p", "Target: ", el("bdi", target(results[0].document)), class_="muted of")
    if len(results) == 1 and not gated:
        return [brand, head, about]
    says = el("ul", (_says(result) for result in results), class_="says")
    return [brand, head, about if len(results) == 1 else None, says]


def _says(result: Result) -> Element:
    said = statement(result.document)
    name = (
        ("Load, ", el("a", el("bdi", result.label), href=f"#{result.anchor}"))
        if result.document["kind"] == "load"
        else ("Conformance of ", el("b", el("bdi", result.label)))
    )
    return el(
        "li", el("span", said.word, class_=f"tag {_CLASSES[said.word]}"), " ", el("span", name, ": ", said.sentence)
    )


def _doubts(results: Sequence[Result]) -> Child:
    several = len(results) > 1
    said: dict[tuple[str, str | None], list[Child]] = {}
    for result in results:
        for sentence in (*_invalid(result.document), *((sentence, None) for sentence in warnings(result.document))):
            said.setdefault(sentence, []).append(el("span", el("bdi", result.label), class_="tag plain"))
    items = [
        el("li", sentence + ".", [[" ", label] for label in labels] if several else None, class_=class_)
        for (sentence, class_), labels in said.items()
    ]
    return el("ul", items, class_="doubts") if items else None


def _invalid(document: Document) -> list[tuple[str, str]]:
    if document["kind"] != "load" or document["valid"] is True:
        return []
    reasons = document.get("invalid_reasons") or ["the results do not say why"]
    return [(f"invalid: {cut(reason)}", "invalid") for reason in reasons[:20]]


# -- the parts --------------------------------------------------------------------------------------------------------


def _conformance(results: Sequence[Result]) -> list[tuple[str, str, Child]]:
    columns = conformance_html.columns((result.label, findings(result.document)) for result in results)
    if not columns:
        return []
    return [
        ("rules", "Rules by endpoint", conformance_html.matrix(columns)),
        ("broken", "Broken rules", conformance_html.failures(columns)),
        ("not-judged", "Not judged", conformance_html.unjudged(columns)),
    ]


def _load(
    results: Sequence[Result], baseline: Sequence[Document], data: dict[str, Any]
) -> list[tuple[str, str, Child]]:
    drawn = has_plotly()
    sections: list[tuple[str, str, Child]] = []
    if len(results) > 1:
        parts = [(result.label, result.document) for result in results]
        both = (
            side_by_side("first_event", "First event, by percentile", parts),
            side_by_side("gap", "Gap between events, by percentile", parts),
        )
        compared = load_html.drawings("all", [plot for plot in both if plot is not None], data, drawn=drawn)
        sections.append(("side-by-side", "Side by side", [load_html.side_by_side(parts), compared]))
    sections += [
        (result.anchor, f"Load: {result.label}", _run(result, _matching(baseline, result.document), data, drawn=drawn))
        for result in results
    ]
    return sections


def _matching(baseline: Sequence[Document], document: Document) -> Document | None:
    return next((run for run in baseline if run["kind"] == "load" and run["scenario"] == document["scenario"]), None)


def _run(result: Result, was: Document | None, data: dict[str, Any], *, drawn: bool) -> Child:
    document = result.document
    said = statement(document)
    note = (
        "Plots are left out, because plotly is not installed: pip install 'ssegauge[report]'. Their figures are here."
    )
    return [
        el(
            "p",
            el("span", said.word, class_=f"tag {_CLASSES[said.word]}"),
            " ",
            el("span", said.sentence),
            class_="lead",
        ),
        el("p", "Target: ", el("bdi", target(document)), class_="muted"),
        el("p", note, class_="muted") if not drawn else None,
        load_html.tiles(document),
        (
            (
                el("h3", found.name.capitalize()),
                load_html.special(found, f"{result.anchor}x{number}", data, drawn=drawn),
            )
            for number, found in enumerate(extras(document))
        ),
        load_html.drawings(result.anchor, plots(document, was), data, drawn=drawn),
        (
            (el("h3", heading), table)
            for heading, table in (
                ("Endpoints", load_html.endpoints(document)),
                ("Failures", load_html.failures(document)),
                ("Times", load_html.times(document)),
                ("Tokens", tokens(document)),
                ("Generator", load_html.generator(document)),
            )
            if table is not None
        ),
    ]


def _about(results: Sequence[Result]) -> Child:
    facts = [_facts(result.document) for result in results]
    names = [name for name in facts[0] if any(each[name] not in {None, ""} for each in facts)]
    rows = [
        el("tr", el("th", name, scope="row"), (el("td", el("bdi", cut(each[name], 2000))) for each in facts))
        for name in names
    ]
    heads = (
        el("thead", el("tr", el("td"), (el("th", el("bdi", result.label), scope="col") for result in results)))
        if len(results) > 1
        else None
    )
    return scroll("Machine, command and versions", heads, el("tbody", rows), said=True)


def _facts(document: Document) -> dict[str, str | int | None]:
    """What bears on the figures, by the name that the page gives it; the same names for every document."""
    machine = document.get("machine") or {}
    command = document.get("command")
    packages = machine.get("packages") or {}
    duration = document.get("duration_s")
    written_by = document.get("tool")
    return {
        "target": target(document),
        "profile": document.get("profile"),
        "started": document.get("started"),
        "took": None if duration is None else f"{duration:,.1f} s",
        "command": " ".join(map(str, command)) if isinstance(command, list) else command,
        "processor": machine.get("cpu"),
        "cores": machine.get("cores"),
        "memory": f"{machine['memory_mb'] / 1024:,.1f} GB" if machine.get("memory_mb") else None,
        "system": " ".join(str(machine[key]) for key in ("os", "arch") if machine.get(key)),
        "Python": machine.get("python"),
        "packages": ", ".join(f"{cut(name, 60)} {cut(version, 60)}" for name, version in list(packages.items())[:60]),
        "tool": " ".join(map(str, written_by.values())) if isinstance(written_by, Mapping) else written_by,
    }
