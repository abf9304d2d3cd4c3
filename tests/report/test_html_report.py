"""The page as a whole: its verdict, that it is well formed, and that nothing from a result becomes markup."""

from __future__ import annotations

import base64
import hashlib
import re
from dataclasses import replace
from itertools import pairwise

import pytest

from ssegauge.report.html_report import html

from .made_up import BROKEN, GATES, MARKUP, conformance, finding, judged, load
from .tree import Tree, parsed


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


def poisoned(value, text):
    """The document with every text in it replaced, but for the words that the schema lists, and with that text as every free key."""
    kept = {"schema", "kind", "level", "outcome", "clock", "unit", "phase", "scenario"}
    if isinstance(value, dict):
        return {key: inner if key in kept else poisoned(inner, text) for key, inner in value.items()}
    if isinstance(value, list):
        return [poisoned(inner, text) for inner in value]
    return text if isinstance(value, str) else value


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
