"""What the page says of rules."""

from __future__ import annotations

from .made_up import BROKEN, conformance, finding
from .tree import parsed


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
