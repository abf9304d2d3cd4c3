"""What an outcome does to a run: the command line, the plugin and JUnit say the same of every one."""

from __future__ import annotations

import itertools
import xml.etree.ElementTree as ET

import pytest

from ssegauge.cli.check import exit_code
from ssegauge.errors import DID_NOT_HOLD, INCONCLUSIVE
from ssegauge.finding import OUTCOMES, weighs
from ssegauge.pytest_plugin import _settle
from ssegauge.report.junit import junit
from ssegauge.rules import LEVELS

from .report.made_up import conformance, finding

Failed, Skipped, XFailed = pytest.fail.Exception, pytest.skip.Exception, pytest.xfail.Exception
EVERY = list(itertools.product(LEVELS, OUTCOMES, (False, True), (False, True), (False, True)))


class Config:
    """As much of pytest's configuration as an outcome depends on."""

    def __init__(self, *, strict: bool, require: bool) -> None:
        self.options = {"sse_strict": strict, "sse_require": require}

    def getoption(self, name: str) -> bool:
        return self.options[name]


@pytest.mark.parametrize(("level", "outcome", "accepted", "strict", "require"), EVERY)
def test_every_surface_weighs_an_outcome_alike(
    level: str, outcome: str, accepted: bool, strict: bool, require: bool
) -> None:
    found = finding("HDR-04", level, outcome, **({"accepted": "known"} if accepted else {}))
    document = conformance(finding("HTTP-01", "MUST", "pass"), found)
    weight = weighs(found, strict=strict, require=require)

    code = exit_code(document, strict=strict, require=require)
    assert code == {"breaks": DID_NOT_HOLD, "stale": DID_NOT_HOLD, "doubts": INCONCLUSIVE}.get(weight, 0)

    caught: BaseException | None = None
    try:
        _settle(Config(strict=strict, require=require), found)  # type: ignore[arg-type]
    except (Failed, Skipped) as raised:  # an expected failure is a Failed, too
        caught = raised
    assert (isinstance(caught, Failed) and not isinstance(caught, XFailed)) == (weight != "nothing")
    assert (caught is None) == (weight == "nothing" and outcome == "pass")

    case = ET.fromstring(junit(document, strict=strict, require=require)).findall(".//testcase")[1]
    kinds = {child.tag for child in case} & {"failure", "error"}
    assert kinds == {"breaks": {"failure"}, "stale": {"failure"}, "doubts": {"error"}}.get(weight, set())


@pytest.mark.parametrize(
    ("level", "outcome", "options", "weight"),
    [
        ("MUST", "fail", {}, "breaks"),
        ("SHOULD", "fail", {}, "nothing"),
        ("SHOULD", "fail", {"strict": True}, "breaks"),
        ("RECOMMENDED", "fail", {"strict": True}, "nothing"),
        ("INFO", "fail", {"strict": True}, "nothing"),
        ("MUST", "error", {}, "doubts"),
        ("SHOULD", "error", {}, "nothing"),
        ("SHOULD", "error", {"strict": True}, "doubts"),
        ("INFO", "untestable", {}, "nothing"),
        ("INFO", "untestable", {"require": True}, "breaks"),
        ("MUST", "not_declared", {"strict": True, "require": True}, "nothing"),
        ("MUST", "pass", {"strict": True, "require": True}, "nothing"),
    ],
)
def test_levels_that_count(level: str, outcome: str, options: dict[str, bool], weight: str) -> None:
    assert weighs(finding("HDR-04", level, outcome), **options) == weight


def test_an_accepted_deviation_weighs_nothing_until_it_holds() -> None:
    for outcome in OUTCOMES:
        found = finding("HDR-04", "MUST", outcome, accepted="known")
        assert weighs(found, strict=True, require=True) == ("stale" if outcome == "pass" else "nothing")
