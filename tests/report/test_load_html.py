"""What the page says of a load run: its plots, and a table for each."""

from __future__ import annotations

import json
import re

from ssegauge.report import page
from ssegauge.report.html_report import html

from .made_up import load, row, times
from .tree import Tree, parsed


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
