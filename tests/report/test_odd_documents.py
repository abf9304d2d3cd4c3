"""Documents that the schema lets through and nobody expects: a report is made of each all the same."""

from __future__ import annotations

import copy

import pytest

from ssegauge.report import page
from ssegauge.report.html_report import html
from ssegauge.report.markdown import markdown
from ssegauge.results import ResultsError, check

from .made_up import conformance, finding, load, times

ODD = [None, True, "text", ["text"], {"key": [1]}, -1.5, 1e300]
BRIEF = times(1.0, 2.0, cut=(3.0,))
LOAD = load(
    latency={"first_event": BRIEF},
    series=load()["series"][:2],
    endpoints={"main": {"streams": {"attempted": 1}, "latency": {"gap": BRIEF}}},
    failures={"cut": 1},
    failed_latency={"duration": BRIEF},
    capacity={
        "limit": "x",
        "holds": 2,
        "breaks": 3,
        "curve": [{"users": 1, "ms": 2.0, "holds": True}, {"users": 2, "ms": 3.0}],
    },
    churn={"back": True, "memory": [[0, 1], [1, 2]]},
)
CONFORMANCE = conformance(
    finding("HTTP-01", "MUST", "pass"),
    finding("HDR-01", "MUST", "fail", accepted=None),
    finding("DIS-02", "MUST", "untestable"),
)


def paths(value, path=()):
    """Every place in a document, of a list the first item only."""
    yield path
    if isinstance(value, dict):
        for key, inner in value.items():
            yield from paths(inner, (*path, key))
    elif isinstance(value, list) and value:
        yield from paths(value[0], (*path, 0))


def changed(document, path, value):
    copied = copy.deepcopy(document)
    at = copied
    for part in path[:-1]:
        at = at[part]
    at[path[-1]] = value
    return copied


@pytest.fixture(autouse=True)
def without_plotly(monkeypatch):
    """Its five megabytes change nothing here but the time that it takes."""
    monkeypatch.setattr(page, "_plotly", lambda: None)


@pytest.mark.parametrize("document", [LOAD, CONFORMANCE], ids=["load", "conformance"])
def test_whatever_the_schema_lets_through_can_be_shown(document) -> None:
    shown = 0
    for path in paths(document):
        if not path or "histogram" in path:
            continue
        for odd in ODD:
            try:
                accepted = check(changed(document, path, odd), "made up")
            except ResultsError:
                continue
            try:
                html([accepted])
                markdown(accepted)
            except Exception as error:
                raise AssertionError(f"{'.'.join(map(str, path))} = {odd!r}") from error
            shown += 1
    assert shown > 50
