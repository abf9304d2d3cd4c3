"""JUnit XML of a conformance run: a suite for each endpoint, a case for each rule.

A broken rule that fails the run is a `failure`; a broken one that does not (SHOULD without --strict, RECOMMENDED, INFO, an
accepted deviation) is `skipped` with what was broken, since the format knows no warnings. What could not be judged is an
`error` where it counts, and `skipped` where it does not; an accepted deviation that is none any more is a `failure`.
"""

from __future__ import annotations

import re
import xml.etree.ElementTree as ET
from pathlib import Path
from typing import Any

from ssegauge.finding import Weight, as_text, weighs
from ssegauge.results import write_whole
from ssegauge.rules import CATALOGUE

_NOT_XML = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
"""What XML 1.0 section 2.2 does not allow, not even escaped."""


def write_junit(document: dict[str, Any], path: Path, *, strict: bool = False, require: bool = False) -> None:
    """Write the report of a conformance document."""
    write_whole(path, junit(document, strict=strict, require=require))


def junit(document: dict[str, Any], *, strict: bool = False, require: bool = False) -> str:
    """The report as text."""
    root = ET.Element("testsuites", name="ssegauge")
    by_endpoint: dict[str, list[dict[str, Any]]] = {}
    for finding in document["rules"]:
        by_endpoint.setdefault(finding["endpoint"], []).append(finding)
    for endpoint, findings in by_endpoint.items():
        suite = ET.SubElement(root, "testsuite", name=_text(endpoint), timestamp=document["started"])
        cases = [_case(suite, finding, weighs(finding, strict=strict, require=require)) for finding in findings]
        _count(suite, cases, findings)
    _count(root, [case for suite in root for case in suite], document["rules"])
    ET.indent(root)
    return ET.tostring(root, encoding="unicode", xml_declaration=True) + "\n"


def _case(suite: ET.Element, finding: dict[str, Any], weight: Weight) -> ET.Element:
    law = CATALOGUE[finding["rule"]]
    case = ET.SubElement(
        suite,
        "testcase",
        classname=_text(f"ssegauge.{law.category}"),
        name=_text(f"{law.id} {law.title}"),
        time=f"{finding.get('duration_s', 0.0):.3f}",
    )
    outcome, level = finding["outcome"], finding["level"]
    if weight == "stale":
        _detail(case, "failure", "it holds: take it out of the accepted deviations", "")
    elif outcome == "fail" and weight == "breaks":
        _detail(case, "failure", f"{level}: {finding['actual']}", as_text(finding))
    elif outcome == "fail":
        why = f"accepted: {finding['accepted']}" if finding.get("accepted") else f"{level} broken: {finding['actual']}"
        _detail(case, "skipped", why, "")
        ET.SubElement(case, "system-out").text = _text(as_text(finding))
    elif weight != "nothing":
        _detail(case, "error" if weight == "doubts" else "failure", finding["reason"], "")
    elif outcome != "pass":
        _detail(case, "skipped", f"{outcome}: {finding['reason']}", "")
    return case


def _detail(case: ET.Element, kind: str, message: str, text: str) -> None:
    ET.SubElement(case, kind, message=_text(message), type=f"ssegauge.{kind}").text = _text(text) or None


def _count(element: ET.Element, cases: list[ET.Element], findings: list[dict[str, Any]]) -> None:
    for name, kind in (("failures", "failure"), ("errors", "error"), ("skipped", "skipped")):
        element.set(name, str(sum(case.find(kind) is not None for case in cases)))
    element.set("tests", str(len(cases)))
    element.set("time", f"{sum(finding.get('duration_s', 0.0) for finding in findings):.3f}")


def _text(text: str) -> str:
    return _NOT_XML.sub("\ufffd", text)
