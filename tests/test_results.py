import json
import os
import stat
import threading

import pytest

from ssegauge import results
from ssegauge.results import ResultsError
from tests.timing import MS

CONFORMANCE = {
    "schema": results.SCHEMA,
    "kind": "conformance",
    "target": "http://127.0.0.1:8000",
    "rules": [{"rule": "HTTP-01", "endpoint": "/", "level": "MUST", "outcome": "pass", "requirement": "Grüße"}],
    "summary": {"MUST": {"pass": 1}},
}
LOAD = {
    "schema": results.SCHEMA,
    "kind": "load",
    "scenario": "concurrent_streams",
    "clock": "kernel",
    "valid": True,
    "invalid_reasons": [],
    "streams": {"attempted": 2, "failed": 0, "by_verdict": {"complete": 2}},
    "duration_s": 1,
    "events": {"received": 4, "lost": 0},
    "latency": {"first_event": {"count": 2, "p50": 1.5, "p99": 2.0, "max": 2.0, "censored": 0}},
    "series": [{"t": 0, "open": 2, "events": 4}],
}


@pytest.mark.parametrize("document", [CONFORMANCE, LOAD], ids=["conformance", "load"])
def test_what_is_written_is_read(tmp_path, document):
    results.write(tmp_path / "new" / "results.json", document)
    assert results.read(tmp_path / "new" / "results.json") == document


def test_a_file_is_replaced_whole_and_leaves_nothing_beside_it(tmp_path):
    file = tmp_path / "results.json"
    file.write_text("old")
    results.write(file, LOAD)
    assert [path.name for path in tmp_path.iterdir()] == ["results.json"]
    assert stat.S_IMODE(file.stat().st_mode) == 0o666 & ~results._umask()


def test_what_is_no_file_is_written_into_and_stays(tmp_path):
    """As /dev/null, which root would replace for everybody."""
    path = tmp_path / "pipe"
    os.mkfifo(path)
    said = []
    reader = threading.Thread(target=lambda: said.append(path.read_text()))
    reader.start()
    results.write(path, CONFORMANCE)
    reader.join(10_000 * MS)
    assert json.loads(said[0]) == CONFORMANCE
    assert path.is_fifo()


def test_what_is_no_results_document_is_not_written(tmp_path):
    file = tmp_path / "results.json"
    file.write_text("old")
    with pytest.raises(ResultsError, match="streams"):
        results.write(file, LOAD | {"streams": {"failed": -1}})
    assert file.read_text() == "old"
    assert len(list(tmp_path.iterdir())) == 1


def test_a_path_that_cannot_be_written_is_one_line(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(ResultsError, match=r"cannot be written: [^\n]+$"):
        results.write(tmp_path / "file" / "results.json", LOAD)


def test_numbers_that_json_has_no_word_for_become_null(tmp_path):
    latency = {"gap": {"count": 1, "p50": float("nan"), "max": float("inf")}}
    results.write(tmp_path / "r.json", LOAD | {"latency": latency})
    assert results.read(tmp_path / "r.json")["latency"]["gap"] == {"count": 1, "p50": None, "max": None}


def test_text_that_is_no_text_is_written_all_the_same(tmp_path):
    results.write(tmp_path / "r.json", CONFORMANCE | {"target": "\ud800"})
    assert results.read(tmp_path / "r.json")["kind"] == "conformance"


@pytest.mark.parametrize(
    ("content", "words"),
    [
        ("", "not valid JSON"),
        ("[1]", "it holds no object"),
        ("{}", 'it has no "schema"'),
        ('{"schema": 3}', "its schema is 3"),
        ('{"schema": "someone/else/1"}', "its schema is someone/else/1, not ssegauge/results/1"),
        ('{"schema": "ssegauge/results/0"}', "an older ssegauge (ssegauge/results/0)"),
        ('{"schema": "ssegauge/results/2"}', "a newer ssegauge (ssegauge/results/2)"),
        ('{"schema": "ssegauge/results/1"}', "'kind' is a required property"),
        ('{"schema": "ssegauge/results/1", "kind": "x"}', "kind: 'x' is not one of"),
        ('{"schema": "ssegauge/results/1", "kind": "load"}', "'scenario' is a required property"),
        ('{"schema": "ssegauge/results/1", "kind": "conformance", "rules": [{"rule": 1}]}', "rules[0]"),
        ('{"schema": "\\u001b[31m\\nx"}', "\\x1b[31m\\nx"),
        ("[" * 200_000, "to"),
    ],
    ids=lambda value: value[:40] if isinstance(value, str) else None,
)
def test_what_is_no_results_file_is_refused_with_one_line(tmp_path, content, words):
    file = tmp_path / "r.json"
    file.write_text(content)
    with pytest.raises(ResultsError, match=r"^[^\n\x1b]+$") as caught:
        results.read(file)
    assert str(caught.value).startswith(f"{file}: ")
    assert words in str(caught.value)


@pytest.mark.parametrize("number", ["NaN", "Infinity", "-Infinity", "1e999"])
def test_what_is_no_number_is_refused_with_one_line(tmp_path, number):
    file = tmp_path / "r.json"
    file.write_text(json.dumps(LOAD).replace('"duration_s": 1', f'"duration_s": {number}'))
    assert number in file.read_text()
    with pytest.raises(ResultsError, match=f"not valid JSON.*{number}"):
        results.read(file)


def test_a_file_that_is_not_there_is_one_line(tmp_path):
    with pytest.raises(ResultsError, match="cannot be read: no such file or directory"):
        results.read(tmp_path / "gone.json")


def test_the_machine_is_described():
    machine = results.machine()
    assert machine["cores"] >= 1
    assert machine["memory_mb"] > 0
    assert machine["packages"]["ssegauge"] == results.tool()["version"]
    assert {"cpu", "os", "python"} <= set(machine)
    json.dumps(machine)
