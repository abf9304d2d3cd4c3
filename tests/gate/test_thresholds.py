"""The gates file: what may stand in it, and what is told of the rest."""

import pytest

from ssegauge.gate import thresholds
from ssegauge.gate.thresholds import GatesError
from tests.gate.made_up import conformance, judged, load

DESIGN = """
[conformance]
must   = "all"
should = "<= 3"

[load]
"streams.failed_ratio" = "<= 0.1%"
"events.lost"          = "== 0"

[load.concurrent_streams]
"streams.peak_open" = ">= 500"
"first_event.p95"   = "< 200ms"

[load.concurrent_streams.endpoints.agent-think]
"gap.p99" = "< 250ms"

[baseline]
"first_event.p95" = { worse_by = "10%", confidence = 0.95 }

[samples]
minimum = 200
"""


def test_the_gates_of_the_design_are_read_as_they_stand_and_hold():
    judgement = judged(DESIGN, load(), conformance(("MUST", "pass"), ("SHOULD", "fail")), baseline=[load()])
    assert [ruling.outcome for ruling in judgement.rulings] == ["held"] * 8
    assert judgement.exit_code == 0
    assert judgement.warnings == ()


@pytest.mark.parametrize(
    ("text", "line", "words"),
    [
        ('[load]\n"first_evnt.p95" = "< 1ms"', 2, "the nearest are first_event.p95"),
        ('[load]\n"stream.failed_ratio" = "< 1"', 2, "streams.failed_ratio"),
        ('[load]\n"first_event.p95" = "< 200"', 2, 'a time needs a unit; write "< 200ms"'),
        ('[load]\n"first_event.p95" = "< 200sec"', 2, '"sec" is no unit of time'),
        ('[load]\n"first_event.p95" = "200ms"', 2, "is no bound"),
        ('[load]\n"first_event.p95" = "=< 200ms"', 2, "is no bound"),
        ('[load]\n"first_event.p95" = 200', 2, "expected a bound in quotes"),
        ('[load]\n"events.lost" = "== 0ms"', 2, "a count has none"),
        ('[load]\n"events.lost" = "== 0%"', 2, "a count has none"),
        ('[load]\n"streams.failed_ratio" = "< 1ms"', 2, "a share is a fraction or in per cent"),
        ('[load.concurrent_streams.endpoints.x]\n\n"gap.p9x" = "< 1ms"', 3, "there is no metric"),
        ('[conformance]\nmusst = "all"', 2, 'did you mean "must"?'),
        ("[conformance]\nmust = true", 2, 'expected "all"'),
        ('[gates]\nx = "y"', 1, "unknown section"),
        ("[samples]\nminimum = -1", 2, "expected a whole number"),
        ("[samples]\nminimun = 1", 2, 'did you mean "minimum"?'),
        ('[baseline]\n"gap.p95" = { worse_by = "ten" }', 2, 'expected a share such as "10%"'),
        ('[baseline]\n"gap.p95" = { worse_by = "10%", confidence = 95 }', 2, "expected a number from 0.5"),
        ('[baseline]\n"gap.p95" = { worseby = "10%" }', 2, "there is no metric"),
        ('[load]\n"first_event.p95" = ', 2, "not valid TOML"),
    ],
)
def test_a_mistake_in_the_gates_is_one_line_with_file_line_and_mend(text, line, words):
    with pytest.raises(GatesError) as caught:
        thresholds.parse(text, "gates.toml")
    assert str(caught.value).startswith(f"gates.toml:{line}: ")
    assert words in str(caught.value)
    assert "\n" not in str(caught.value)


ODD = ['"text"', "1", "true", "[]", "[[]]", "{}", "{ is = 1 }", '{ worse_by = "1.2.3%" }', "1979-05-27", "nan", '"< 9e999ms"',
       '{ is = "< 1ms" }', "{ worse_by = [] }", '{ worse_by = "10%", confidence = "x" }', "{ x = {} }"]  # fmt: skip


@pytest.mark.parametrize(
    "section", ["", "[conformance]", "[load]", "[load.x]", "[load.x.endpoints]", "[baseline]", "[samples]"]
)
def test_whatever_stands_in_the_gates_it_is_read_or_told_in_one_line(section):
    for key in (
        "must",
        "load",
        "conformance",
        "baseline",
        "minimum",
        '"gap.p95"',
        "gap",
        "endpoints",
        '"\\u001b[31m\\n"',
    ):
        for value in ODD:
            try:
                thresholds.parse(f"{section}\n{key} = {value}\n", "gates.toml")
            except GatesError as error:
                assert str(error).isprintable()  # noqa: PT017 - most values are wrong, and some are right


def test_the_default_gates_are_those_of_the_reports_folder(root):
    text = (root / "reports" / "gates.toml").read_text()
    assert text == (root / "src" / "ssegauge" / "gate" / "default_gates.toml").read_text()
    assert thresholds.parse(text, "gates.toml").load
