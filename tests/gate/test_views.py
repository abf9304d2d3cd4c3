"""A judgement in the terminal, as Markdown and as JUnit."""

from xml.etree import ElementTree as ET

from rich.console import Console

from ssegauge.gate import views as gate_views
from tests.gate.made_up import HOSTILE, conformance, judged, load


def test_text_from_results_is_escaped_everywhere(capsys):
    document = conformance(("MUST", "fail"))
    document["rules"][0]["endpoint"] = HOSTILE
    judgement = judged(
        '[conformance]\nmust = "all"\n[load]\n"gap.p50" = "< 1s"', document,
        load(scenario=HOSTILE, valid=False, invalid_reasons=[HOSTILE]),
    )  # fmt: skip
    gate_views.show(judgement, Console(highlight=False))
    gate_views.show(judgement, Console(highlight=False, force_terminal=True, color_system=None))
    told = capsys.readouterr().out
    page = gate_views.markdown(judgement)
    for text in (told, page):
        assert not {"\x1b", "\u202e", "\0"} & set(text)
    assert "<script>" not in page
    assert "](http" not in page
    assert "http://" not in page
    rows = [line for line in page.splitlines() if line.startswith("| ")]
    assert {len(row.replace("\\|", "").split("|")) for row in rows} == {7}
    tree = ET.fromstring(gate_views.junit(judgement))
    assert [case.find("failure") is not None for case in tree.iter("testcase")] == [True, False]


def test_junit_counts_what_it_holds():
    judgement = judged('[load]\n"first_match.p95" = "< 1s"\n"first_event.p95" = "< 1ms"\n"gap.p50" = "< 1s"', load())
    suite = ET.fromstring(gate_views.junit(judgement)).find("testsuite")
    assert (suite.get("tests"), suite.get("failures"), suite.get("errors")) == ("3", "1", "1")
    assert len(suite.findall("testcase")) == 3
    assert len(suite.findall("testcase/failure")) == 1
    assert len(suite.findall("testcase/error")) == 1


def test_a_piped_judgement_is_plain_lines(capsys):
    gate_views.show(judged('[load]\n"gap.p50" = "< 1s"', load()), Console(highlight=False))
    assert capsys.readouterr().out.splitlines() == [
        "held         concurrent_streams / gap.p50: 20 ms (must be < 1000 ms)",
        "gate held: 1 held",
    ]
