"""The page: what is in it, that it is well formed, and that nothing from a result becomes markup."""

from __future__ import annotations

import base64
import hashlib
import json
import re
import shutil
import sys
from dataclasses import replace
from html.parser import HTMLParser
from itertools import pairwise

import pytest

from ssegauge import gate, results
from ssegauge.cli import main
from ssegauge.gate import thresholds
from ssegauge.report import page
from ssegauge.report.html_report import html

from .made_up import HOSTILE, conformance, finding, load, row, times

VOID = {"br", "col", "link", "meta", "wbr"}


class Node:
    def __init__(self, tag, attributes, parent):
        self.tag, self.attributes, self.parent, self.children, self.own = tag, dict(attributes), parent, [], []

    def all(self, tag=None, **attributes):
        found = []
        for child in self.children:
            if tag in {None, child.tag} and all(
                child.attributes.get(key.rstrip("_")) == value for key, value in attributes.items()
            ):
                found.append(child)
            found += child.all(tag, **attributes)
        return found

    def one(self, tag=None, **attributes):
        (found,) = self.all(tag, **attributes)
        return found

    @property
    def text(self):
        return " ".join("".join(part if isinstance(part, str) else part.text for part in self.own).split())


class Tree(HTMLParser):
    """Refuses what is not properly closed: what a browser would mend silently."""

    def __init__(self, text):
        super().__init__(convert_charrefs=True)
        self.root = self.at = Node("", {}, None)
        self.feed(text)
        self.close()
        assert self.at is self.root

    def handle_starttag(self, tag, attrs):
        node = Node(tag, attrs, self.at)
        self.at.children.append(node)
        self.at.own.append(node)
        if tag not in VOID:
            self.at = node

    def handle_endtag(self, tag):
        assert tag == self.at.tag
        self.at = self.at.parent

    def handle_data(self, data):
        if self.at.tag not in {"script", "style"}:
            self.at.own.append(data)


def parsed(*documents, **options):
    return Tree(html(documents, **options)).root


BROKEN = conformance(
    finding("HTTP-01", "MUST", "pass"),
    finding("HDR-01", "MUST", "fail", evidence=[
        {"note": "event 1", "bytes": "data: b\\n\\n", "offset": 9, "at": 0.5},
        {"note": "event 0", "bytes": "data: a\\n\\n", "offset": 0, "at": 0.25},
    ]),
    finding("HDR-01", "MUST", "pass", endpoint="other"),
    finding("HDR-04", "SHOULD", "fail", endpoint="other"),
    finding("HDR-05", "RECOMMENDED", "fail"),
    finding("HDR-03", "MUST", "fail", accepted="the gateway mends it"),
    finding("DIS-02", "MUST", "untestable"),
    finding("ORD-01", "MUST", "not_declared", reason="the profile does not declare order"),
)  # fmt: skip


# -- the whole --------------------------------------------------------------------------------------------------------


def test_the_verdict_stands_on_top_in_a_sentence() -> None:
    tree = parsed(BROKEN)
    assert tree.one("span", class_="stamp is-no-go").text == "no go"
    assert (
        tree.one("h1").text
        == "Clients can lose events or misread the stream: 1 MUST requirement is broken on 1 of 2 endpoints."
    )
    assert tree.one("title").text.startswith("no go: Clients can lose events")


@pytest.mark.parametrize(
    ("documents", "word", "sentence"),
    [
        ([conformance(finding("HTTP-01", "MUST", "pass"))], "go", "Every rule that could be judged is kept (1 check judged, 0 not)."),
        ([conformance(finding("HDR-04", "SHOULD", "fail"))], "go, but", "Every MUST requirement is kept, but 1 SHOULD requirement is broken: some browsers"),
        ([conformance(finding("HTTP-01", "MUST", "untestable"))], "no answer", "No rule could be judged."),
        ([load()], "go", "All 1,200 streams ended as they should, up to 40 open at once; 95 of 100 began within 38.9 ms."),
        ([load(valid=False, invalid_reasons=["full"])], "no answer", "The run was invalid, so its figures say nothing"),
        ([load(events={"received": 10, "lost": 3})], "no go", "All 1,200 streams came to their end, but not all of what they sent: 3 events were lost."),
        (
            [load(streams={"attempted": 1000, "failed": 5, "by_verdict": {"complete": 995, "reset": 4, "stalled": 1}})],
            "go, but", "5 of 1,000 streams (0.5 %) failed: 4 were reset, 1 fell silent.",
        ),
        ([conformance(finding("HDR-01", "MUST", "fail")), load()], "no go", "Clients can lose events or misread the stream (1 of 2 results say so)."),
    ],
)  # fmt: skip
def test_verdicts(documents, word, sentence) -> None:
    tree = parsed(*documents)
    assert [node.text for node in tree.all("span") if "stamp" in node.attributes.get("class", "")] == [word]
    assert tree.one("h1").text.startswith(sentence)


def test_the_page_can_be_read_without_eyes_and_without_a_mouse() -> None:
    tree = parsed(BROKEN, load())
    assert tree.one("html").attributes["lang"] == "en"
    assert {len(tree.all(landmark)) for landmark in ("header", "nav", "main", "footer")} == {1}
    assert tree.all("a")[0].attributes == {"class": "skip", "href": "#results"}
    levels = [int(node.tag[1]) for node in tree.all() if re.fullmatch("h[1-6]", node.tag)]
    assert levels[0] == 1
    assert levels.count(1) == 1
    assert all(after <= before + 1 for before, after in pairwise(levels))
    for table in tree.all("table"):
        assert table.children[0].tag == "caption"
        assert table.children[0].text
        assert all(head.attributes.get("scope") in {"col", "row", "colgroup"} for head in table.all("th"))
        box = table.parent.attributes
        assert (box["role"], box["tabindex"]) == ("region", "0")
    for plot in tree.all("div", role="img"):
        assert tree.one(id=plot.attributes["aria-describedby"]).text
        assert plot.parent.all("table")


def test_every_link_within_the_page_leads_somewhere_and_every_id_is_one() -> None:
    tree = parsed(BROKEN, load(), load())
    ids = [node.attributes["id"] for node in tree.all() if "id" in node.attributes]
    assert len(ids) == len(set(ids))
    inner = [href for node in tree.all("a") if (href := node.attributes["href"]).startswith("#")]
    assert {href.removeprefix("#") for href in inner} <= set(ids)


def test_the_policy_lets_only_our_own_scripts_and_styles_in() -> None:
    text = html([load()])
    policy = re.search('Content-Security-Policy" content="([^"]*)"', text)[1]
    rules = dict(rule.split(" ", 1) for rule in policy.split("; "))
    assert rules["default-src"] == "'none'"
    assert "unsafe" not in policy
    assert "http" not in policy
    scripts = re.findall("<script>(.*?)</script>", text, re.DOTALL)
    assert len(scripts) == 2
    for script in scripts:
        digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
        assert f"'sha256-{digest}'" in rules["script-src"]


def test_the_page_asks_for_nothing_from_outside() -> None:
    for node in parsed(BROKEN, load()).all():
        assert "src" not in node.attributes
        assert node.tag == "a" or node.attributes.get("href", "data:,") == "data:,"
        assert not [name for name in node.attributes if name.startswith("on") or name == "style"]


def test_conformance_alone_brings_no_plotly() -> None:
    assert len(html([BROKEN])) < 80_000


# -- conformance ------------------------------------------------------------------------------------------------------


def test_the_matrix_has_a_row_for_each_rule_and_a_column_for_each_endpoint() -> None:
    tree = parsed(BROKEN)
    headers = next(topic for topic in tree.all("details", class_="topic") if topic.one("b").text == "headers")
    assert "open" in headers.attributes
    table = headers.one("table")
    assert [cell.text for cell in table.one("thead").all("th")] == ["rule", "level", "main", "other"]
    rows = {
        row.one("th").one("span").text: [cell.text for cell in row.all("td")] for row in table.one("tbody").all("tr")
    }
    assert rows == {
        "HDR-01": ["MUST", "✗ broken", "✓ held"],
        "HDR-03": ["MUST", "~ accepted", "not run"],
        "HDR-04": ["SHOULD", "not run", "✗ broken"],
        "HDR-05": ["RECOMMENDED", "• remark", "not run"],
    }


def test_several_targets_stand_side_by_side() -> None:
    other = conformance(finding("HDR-01", "MUST", "pass")) | {"target": "http://other.example"}
    table = parsed(BROKEN, other).all("table")[0]
    groups = [(cell.text, cell.attributes["colspan"]) for cell in table.all("th", scope="colgroup")]
    assert groups == [("http://127.0.0.1:8000", "2"), ("http://other.example", "1")]


def test_a_broken_rule_says_what_was_required_seen_and_how_to_mend_it() -> None:
    tree = parsed(BROKEN)
    article = tree.one("article", class_="card broken must")
    assert article.one("h3").text.startswith("MUST HDR-01 ")
    assert article.one("blockquote").text == "It holds."
    assert article.one("a").attributes["href"] == "https://html.spec.whatwg.org/"
    names, values = ([node.text for node in article.one("dl").all(tag)] for tag in ("dt", "dd"))
    facts = dict(zip(names, values, strict=True))
    assert (facts["expected"], facts["got"], facts["to mend it"]) == ("this", "that", "Mend it.")
    assert facts["run it again"] == "ssegauge check URL --rule HDR-01"


def test_the_wire_log_is_a_timeline() -> None:
    pieces = parsed(BROKEN).one("article", class_="card broken must").one("ol", class_="wire").all("li")
    assert [piece.one("div", class_="when").text for piece in pieces] == [
        "250 ms byte 0 event 0",
        "500 ms 250 ms later byte 9 event 1",
    ]
    assert [piece.one("code").text for piece in pieces] == ["data: a\\n\\n", "data: b\\n\\n"]


def test_a_cell_of_the_matrix_leads_to_its_failure() -> None:
    tree = parsed(BROKEN)
    cell = next(link for link in tree.all("a") if link.text == "✗ broken")
    assert "on main" in tree.one(id=cell.attributes["href"].removeprefix("#")).text


def test_what_was_not_judged_is_told_with_its_reason() -> None:
    section = parsed(BROKEN).one("section", id="not-judged")
    rows = [[cell.text for cell in row.all()] for table in section.all("tbody") for row in table.all("tr")]
    assert rows == [
        ["needs the process id: pass --pid or --app", "DIS-02 MUST", "main"],
        ["order", "ORD-01 MUST", "main"],
    ]


# -- load -------------------------------------------------------------------------------------------------------------


def test_a_load_run_has_its_plots_and_each_has_a_table() -> None:
    text = html([load()])
    tree = Tree(text).root
    titles = [figure.one("figcaption").own[0] for figure in tree.all("figure")]
    assert titles == [
        "Open streams and events a second", "How streams ended, over time", "First event over time", "Gap between events over time",
        "Distributions, by percentile", "Read lag beside what it could distort",
    ]  # fmt: skip
    for plot in tree.all("div", class_="plot"):
        anchor = plot.attributes["data-plot"]
        figure = json.loads(re.search(f'<script type="application/json" id="{anchor}">(.*?)</script>', text)[1])
        assert figure["traces"]
        assert figure["layout"]


def test_a_percentile_among_values_that_were_cut_is_marked_as_a_bound() -> None:
    values = [20.0 + value / 10 for value in range(180)]
    entry = times(*values, cut=tuple([40.0] * 20)) | {"at_least": ["p95", "p99", "p999", "max"]}
    tree = parsed(load(latency={"first_event": entry}))
    row = next(row for row in tree.all("tr") if "first eventfirst event" in row.text)
    assert [cell.text for cell in row.all("td")] == [
        "180 + 20 cut off",
        "29.9 ms",
        "≥ 40 ms",
        "≥ 40 ms",
        "≥ 40 ms",
        "≥ 40 ms",
    ]


def test_a_long_run_is_drawn_with_several_seconds_a_point() -> None:
    rows = load()["series"]
    text = html([load(series=[rows[1] | {"t": t} for t in range(7000)])])
    figure = json.loads(re.search('<script type="application/json" id="r1-traffic-data">(.*?)</script>', text)[1])
    assert len(figure["traces"][0]["x"]) <= 600
    assert "A point stands for 12 seconds" in text


def test_without_plotly_the_tables_say_the_same(monkeypatch) -> None:
    monkeypatch.setattr(page, "_plotly", lambda: None)
    text = html([load()])
    tree = Tree(text).root
    assert len(text) < 120_000
    assert "pip install 'ssegauge[report]'" in text
    assert all("open" in figure.one("details").attributes for figure in tree.all("figure"))


def test_several_runs_stand_side_by_side() -> None:
    tree = parsed(load(), load(target="https://other.example"))
    section = tree.one("section", id="side-by-side")
    assert [cell.text for cell in section.all("table")[0].one("thead").all("th")] == [
        "figure", "concurrent_streams on https://sse.example", "concurrent_streams on https://other.example",
    ]  # fmt: skip
    assert len(section.all("figure")) == 2


def test_a_baseline_is_laid_beside() -> None:
    slower = load(latency={"first_event": times(*[40.0 + value / 10 for value in range(200)])})
    section = parsed(slower, baseline=[load()]).one("section", id="baseline")
    table = next(table for table in section.all("table") if table.one("caption").text.startswith("Worse and better"))
    row = next(row for row in table.all("tr") if row.children[0].text == "first_event.p50")
    assert [cell.text for cell in row.all("td")][:3] == ["29.9 ms", "49.9 ms", "1.67"]


def test_times_are_drawn_as_multiples_of_the_baseline() -> None:
    slower = load(
        series=[row(t, latency={"gap": times(*[22.0] * 40)}) for t in range(30)], latency={"gap": times(*[22.0] * 200)}
    )
    was = load(
        series=[row(t, latency={"gap": times(*[20.0] * 40)}) for t in range(30)], latency={"gap": times(*[20.0] * 200)}
    )
    section = parsed(slower, baseline=[was]).one("section", id="baseline")
    figure = section.one("figure")
    assert "3 are worse and 0 are better" in figure.text
    assert figure.one("div", class_="plot").attributes["data-plot"] == "baseline0-ratios-data"
    rows = {found.children[0].text: [cell.text for cell in found.all("td")] for found in figure.one("tbody").all("tr")}
    assert rows["gap.p50"][0] == "1.1"
    assert rows["gap.p50"][-1] == "worse"


GATES = """
[conformance]
must = "all"
[load]
"first_event.p95" = "< 20ms"
"gap.p95" = "< 1s"
"lag.p95" = "< 1s"
[baseline]
"first_event.p50" = { worse_by = "10%" }
"""


def judged(text, *documents, baseline=None):
    runs = [gate.Run(f"{index}.json", document) for index, document in enumerate(documents)]
    return gate.judge(thresholds.parse(text, "gates.toml", documents), runs, baseline)


def test_the_gates_are_the_verdict_and_what_did_not_hold_stands_on_top() -> None:
    tree = parsed(BROKEN, load(), judgement=judged(GATES, BROKEN, load()))
    assert tree.one("span", class_="stamp is-no-go").text == "no go"
    assert tree.one("h1").text == "2 of 4 gates failed: conformance / MUST, concurrent_streams / first_event.p95."
    section = tree.one("section", id="gates")
    rows = [[cell.text for cell in (*found.all("td"), found.one("th"))] for found in section.one("tbody").all("tr")]
    assert [(found[0], found[-1]) for found in rows] == [
        ("failed", "conformance / MUST"),
        ("failed", "concurrent_streams / first_event.p95"),
        ("inconclusive", "concurrent_streams / lag.p95"),
        ("held", "concurrent_streams / gap.p95"),
    ]
    assert rows[1][1:4] == ["< 20 ms", "38.9 ms", "1.json"]
    assert "no --baseline: [baseline] was not applied" in section.text


@pytest.mark.parametrize(
    ("text", "word", "sentence"),
    [
        ('[load]\n"gap.p95" = "< 1s"', "go", "The gate held."),
        ('[load]\n"gap.p95" = "< 1s"\n"ttfb.p95" = "< 1s"', "go", "All 2 gates held."),
        ('[load]\n"lag.p95" = "< 1s"', "no answer", "1 of 1 gate could not be decided: concurrent_streams / lag.p95."),
        ('[load]\n"gap.p95" = "< 1ms"', "no go", "1 of 1 gate failed: concurrent_streams / gap.p95."),
    ],
)  # fmt: skip
def test_gates_in_a_word_and_a_sentence(text, word, sentence) -> None:
    tree = parsed(load(), judgement=judged(text, load()))
    assert (tree.all("span")[2].text, tree.one("h1").text) == (word, sentence)


def test_a_document_with_nothing_but_what_the_schema_asks_for_makes_a_page() -> None:
    bare = {"schema": results.SCHEMA, "kind": "load", "scenario": "s", "valid": True}
    rules = {
        "schema": results.SCHEMA,
        "kind": "conformance",
        "rules": [{"rule": "X-1", "level": "MUST", "outcome": "fail"}],
    }
    for document in (bare, rules):
        assert parsed(results.check(document, "made up")).one("h1").text


# -- what others sent -------------------------------------------------------------------------------------------------


def poisoned(value, text):
    """The document with every text in it replaced, but for the words that the schema lists, and with that text as every free key."""
    kept = {"schema", "kind", "level", "outcome", "clock", "unit", "phase", "scenario"}
    if isinstance(value, dict):
        return {key: inner if key in kept else poisoned(inner, text) for key, inner in value.items()}
    if isinstance(value, list):
        return [poisoned(inner, text) for inner in value]
    return text if isinstance(value, str) else value


MARKUP = "\"'><img src=x onerror=alert(1)></script><script>alert(1)</script><!--" + HOSTILE
HUGE = "x<b>" * 300_000


@pytest.mark.parametrize(
    "text",
    [MARKUP, HUGE, "javascript:alert(1)", "\x1b[31m\u202e\u2066\u200b\x00\ud800"],
    ids=["markup", "megabyte", "script-address", "invisible"],
)
def test_hostile_text_is_shown_and_does_nothing(text) -> None:
    run = load(
        endpoints={text: load()["endpoints"]["main"]},
        failures={text: 3},
        invalid_reasons=[text],
        valid=False,
        scenario=text[:300],
    )
    run["streams"] = run["streams"] | {"by_verdict": {text: 3}, "failed": 3}
    documents = [poisoned(BROKEN, text), poisoned(run, text)]
    was = poisoned(load(scenario=text[:300], machine={"cpu": text}), text)
    said = judged(GATES, *documents, baseline=[was])
    said = replace(said, rulings=tuple(replace(ruling, source=text, reason=text) for ruling in said.rulings))
    plain = html([BROKEN, load()], baseline=[load()], judgement=judged(GATES, BROKEN, load(), baseline=[load()]))
    written = html(documents, baseline=[was], judgement=said)
    tags = {node.tag for node in Tree(written).root.all()}
    assert tags <= {node.tag for node in Tree(plain).root.all()}
    assert len(written) < len(plain) + 400_000
    outside = re.sub("<script>.*?</script>", "", written, flags=re.DOTALL)
    assert not set(outside) & set("\x1b\x00\u202e\u2066\u200b\ud800")
    assert all(link.attributes["href"].startswith(("#", "https://")) for link in Tree(written).root.all("a"))


# -- the command ------------------------------------------------------------------------------------------------------


def test_the_command_writes_a_page_or_a_summary(tmp_path, capsys) -> None:
    results.write(tmp_path / "check.json", BROKEN)
    results.write(tmp_path / "load.json", load())
    files = [str(tmp_path / name) for name in ("check.json", "load.json")]
    assert main(["report", *files, "-o", str(tmp_path / "report.html"), "--baseline", files[1]]) == 0
    assert main(["report", *files, "-o", str(tmp_path / "summary.md"), "--baseline", files[1]]) == 0
    assert Tree((tmp_path / "report.html").read_text("utf-8")).root.one("section", id="baseline")
    summary = (tmp_path / "summary.md").read_text("utf-8")
    assert summary.startswith("## ❌ SSE conformance of http\\://127.0.0.1:8000\n")
    assert "## ✅ concurrent\\_streams on https\\://sse.example" in summary
    assert "figures differ beyond the noise" in summary


def test_the_command_shows_what_the_gates_say_and_leaves_the_exit_code_to_the_gate(tmp_path) -> None:
    results.write(tmp_path / "load.json", load())
    (tmp_path / "gates.toml").write_text(GATES)
    asked = [
        str(tmp_path / "load.json"),
        "--gates",
        str(tmp_path / "gates.toml"),
        "--baseline",
        str(tmp_path / "load.json"),
    ]
    assert main(["gate", *asked]) == 1
    assert main(["report", *asked, "-o", str(tmp_path / "report.html")]) == 0
    assert main(["report", *asked, "-o", str(tmp_path / "report.md")]) == 0
    page_ = Tree((tmp_path / "report.html").read_text("utf-8")).root
    assert page_.one("h1").text == "1 of 4 gates failed: concurrent_streams / first_event.p95."
    assert "concurrent_streams / first_event.p50 against the baseline" in page_.one("section", id="gates").text
    assert (tmp_path / "report.md").read_text("utf-8").startswith("## ❌ ssegauge gate failed: 1 failed")


PNG = b"\x89PNG\r\n\x1a\n"


@pytest.mark.slow
@pytest.mark.browser
def test_the_plots_are_written_as_images(tmp_path, capsys) -> None:
    if not any(map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))):
        pytest.skip("needs chromium from the distribution's packages")
    run = load(scenario=MARKUP[:100])
    results.write(tmp_path / "load.json", run)
    arguments = [
        "report",
        str(tmp_path / "load.json"),
        "-o",
        str(tmp_path / "report.html"),
        "--png",
        str(tmp_path / "png"),
    ]
    assert main(arguments) == 0, capsys.readouterr().err
    files = sorted((tmp_path / "png").iterdir())
    assert len(files) == 6
    assert all(re.fullmatch(r"[A-Za-z0-9.-]+\.png", file.name) for file in files)
    for file in files:
        content = file.read_bytes()
        assert content.startswith(PNG)
        width, height = (int.from_bytes(content[at : at + 4], "big") for at in (16, 20))
        assert (width, height) == (2000, 920)
    assert "plots: 6 in" in capsys.readouterr().out


def test_images_need_an_extra_and_say_which(tmp_path, monkeypatch, capsys) -> None:
    results.write(tmp_path / "load.json", load())
    monkeypatch.setitem(sys.modules, "kaleido", None)
    arguments = ["report", str(tmp_path / "load.json"), "-o", str(tmp_path / "report.html"), "--png", str(tmp_path)]
    assert main(arguments) == 2
    assert (
        capsys.readouterr().err
        == "ssegauge: --png needs the extra 'png': pip install 'ssegauge[png]' (kaleido is missing)\n"
    )


def test_images_need_a_browser_and_say_so(tmp_path, monkeypatch, capsys) -> None:
    results.write(tmp_path / "load.json", load())
    monkeypatch.setenv("BROWSER_PATH", str(tmp_path / "none"))
    arguments = ["report", str(tmp_path / "load.json"), "-o", str(tmp_path / "report.html"), "--png", str(tmp_path)]
    assert main(arguments) == 2
    told = capsys.readouterr().err
    assert told.count("\n") == 1
    assert "--png draws with Chrome or Chromium, and finds none: install one" in told


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["missing.json"], "missing.json: cannot be read"),
        (["good.json", "-o", "report.pdf"], "-o report.pdf: end the name in .html for a page or .md for a summary"),
        (["good.json", "--baseline", "missing.json"], "missing.json: cannot be read"),
        (["good.json", "-o", "good.json/report.html"], "cannot be written"),
    ],
)
def test_a_mistake_is_one_line(arguments, told, tmp_path, monkeypatch, capsys) -> None:
    monkeypatch.chdir(tmp_path)
    results.write("good.json", load())
    assert main(["report", *arguments]) == 2
    assert told in capsys.readouterr().err
