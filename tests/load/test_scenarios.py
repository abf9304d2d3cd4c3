"""Each scenario does what its first line says, against a server that counts."""

import subprocess
import sys
from pathlib import Path

import pytest

from tests.timing import MS

ROOT = Path(__file__).resolve().parent.parent.parent
SCENARIOS = sorted(path.stem for path in (ROOT / "loadtests").glob("*.py"))


def users(count, seconds, *, stop=None):
    options = ["-u", str(count), "-r", str(count), "-t", f"{seconds}s"]
    return options + (["-s", f"{stop}s"] if stop else [])


@pytest.mark.slow
def test_every_scenario_loads_by_its_path_alone(tmp_path):
    started = {
        name: subprocess.Popen(
            [sys.executable, "-m", "locust", "-f", str(ROOT / "loadtests" / f"{name}.py"), "--list"],
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            cwd=tmp_path,
        )
        for name in SCENARIOS
    }
    for name, process in started.items():
        output, _ = process.communicate(timeout=60_000 * MS)
        assert process.returncode == 0, (name, output)
        assert "Available Users" in output


def test_open_arrivals_keep_their_schedule(locust, source):
    options = ["--host", f"{source}/ok?events=3&gap_ms=10", "--sse-rate", "40", "--sse-arrivals", "constant"]
    ended = locust("time_to_first_byte", *options, *users(40, 6, stop=2)).finish()
    streams = ended.results["streams"]
    whole_seconds = [row for row in ended.results["series"] if row["phase"] == "steady"][1:-1]
    assert whole_seconds, ended.output
    late = (
        40 * ended.results["harness"]["schedule_lag"]["max"] / 1000
    )  # what a busy machine holds up comes at once afterwards
    for row in whole_seconds:
        assert row["started"] + row["dropped_arrivals"] == pytest.approx(40, abs=6 + late), whole_seconds
    assert ended.results["asked"]["measure"] == "ttfb"
    assert ended.results["events"]["lost"] is None, "a bare address says nothing of a sequence"
    latency = ended.results["latency"]
    assert latency["ttfb_from_intended"]["count"] == streams["attempted"]
    assert latency["ttfb_from_intended"]["p50"] >= latency["ttfb"]["p50"]
    assert ended.results["harness"]["schedule_lag"]["count"] == streams["attempted"]


def test_arrivals_without_a_free_user_are_counted_not_moved(locust, source):
    options = ["--host", f"{source}/ok?events=1000&gap_ms=20", "--sse-rate", "20", "--sse-arrivals", "constant"]
    ended = locust("time_to_first_byte", *options, *users(5, 3)).finish()
    streams = ended.results["streams"]
    assert streams["attempted"] == 5, ended.output
    assert streams["dropped_arrivals"] > 20  # Locust's own clock for -t starts up to a second before the users do


@pytest.mark.slow
def test_steps_change_the_number_of_streams(locust, source):
    options = ["--host", f"{source}/ok?events=1000&gap_ms=20", "--sse-steps", "3x2s,9x2s", "-r", "10"]
    ended = locust("concurrent_streams", *options).finish()
    opens = [row["open"] for row in ended.results["series"] if row["phase"] == "steady"]
    assert 3 in opens, ended.output
    assert opens[-1] == 9
    assert opens == sorted(opens)


def test_churn_leaves_by_both_ways_and_sees_the_target_let_go(locust, source, profile):
    path = profile(ticks="/ok?events=1000&gap_ms=20")
    options = ["--sse-target", str(path), "--sse-pid", str(source.pid), "--sse-longest", "0.5"]
    ended = locust("churn", *options, *users(6, 3)).finish()
    assert set(ended.results["streams"]["by_verdict"]) == {"client_closed"}, ended.output
    assert ended.results["streams"]["attempted"] > 20
    assert ended.results["churn"]["back"] is True
    assert "churn: the target serves no more streams than before the run, " in ended.output
    assert max(value for _, value in ended.results["churn"]["sockets"]) > 0
    assert ended.code == 0


@pytest.mark.slow
def test_churn_fails_where_streams_are_not_let_go(locust, source, profile):
    path = profile(stuck="/deaf")
    options = ["--sse-target", str(path), "--sse-pid", str(source.pid), "--sse-longest", "0.5", "--sse-settle", "1"]
    ended = locust("churn", *options, *users(3, 2)).finish()
    assert ended.results["churn"]["back"] is False, ended.output
    found = ended.results["churn"]
    assert found["after"] > found["base"]
    assert f"churn: the target still serves {found['after']:g} streams " in ended.output
    assert ended.code == 1


STORM = ["--sse-storm", "1.2", *users(5, 5)]


def test_a_storm_loses_nothing_where_streams_resume(locust, profile):
    ended = locust(
        "reconnect_storm", "--sse-target", str(profile(feed="/resume?events=150&gap_ms=20")), *STORM
    ).finish()
    events, streams = ended.results["events"], ended.results["streams"]
    assert (events["lost"], events["duplicated"], events["reordered"]) == (0, 0, 0), ended.output
    assert streams["reconnects"] >= 10
    assert ended.code == 0


@pytest.mark.slow
@pytest.mark.parametrize(("damage", "kind"), [("skip=2", "lost"), ("again=3", "duplicated")], ids=["skips", "repeats"])
def test_a_storm_counts_what_resuming_loses_or_doubles(locust, profile, damage, kind):
    path = profile(feed=f"/resume?events=100000&gap_ms=20&{damage}")
    ended = locust("reconnect_storm", "--sse-target", str(path), *STORM).finish()
    each = int(damage[-1])
    # The first connection of each stream resumes nothing; one that the run's end cut before its first event shows nothing.
    arrived = (
        sum(
            ended.results[part].get("first_event", {}).get("count", 0)
            for part in ("latency", "failed_latency")
            if part in ended.results
        )
        - 5
    )
    assert ended.results["events"][kind] == each * arrived, ended.output
    assert ended.code == 1


@pytest.mark.slow
def test_slow_readers_are_kept_apart(locust, profile):
    path = profile(ticks="/ok?events=1000&gap_ms=10")
    options = ["--sse-target", str(path), "--sse-calm", "3", "--sse-slow-share", "0.5"]
    ended = locust("slow_readers", *options, *users(4, 7)).finish()
    good, stopped = (ended.results["endpoints"][name] for name in ("ticks", "ticks (stopped)"))
    assert good["streams"]["attempted"] == stopped["streams"]["attempted"] == 2, ended.output
    assert good["events"]["received"] > 1.5 * stopped["events"]["received"]
    found = ended.results["slow_readers"]
    assert found["gap_p99_after_ms"] > 0
    assert found["noticed"] is False, ended.output
    assert "slow_readers: the others did not notice: " in ended.output
    assert ended.code == 0, ended.output


@pytest.mark.slow
def test_a_server_that_waits_for_slow_readers_is_found(locust, profile):
    path = profile(ticks="/fan_out?gap_ms=20")
    options = ["--sse-target", str(path), "--sse-calm", "2", "--sse-slow-share", "0.25"]
    ended = locust("slow_readers", *options, *users(4, 6)).finish()
    assert ended.results["slow_readers"]["noticed"] is True, ended.output
    assert "slow_readers: the others noticed: " in ended.output
    assert ended.code == 1, ended.output


@pytest.mark.slow
def test_a_soak_tells_what_grows(locust, source, profile):
    path = profile(ticks="/ok?events=20&gap_ms=10")
    ended = locust("soak", "--sse-target", str(path), "--sse-pid", str(source.pid), *users(3, 6, stop=2)).finish()
    found = ended.results["soak"]
    assert found["target_rss_mb_per_hour"] is not None, ended.output
    assert found["gap_p99_ms_per_hour"] is not None
    assert found["failed_per_second_per_hour"] == 0


def test_the_short_way_is_the_same_run(source, tmp_path):
    results = tmp_path / "results.json"
    command = [sys.executable, "-m", "ssegauge", "load", f"{source}/ok?events=3", "--results", str(results)]
    process = subprocess.Popen(
        [*command, "--", "-u", "3", "-t", "2s", "--only-summary"],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    output, _ = process.communicate(timeout=20_000 * MS)
    assert process.returncode in (0, 3), output
    assert results.exists(), output
    assert "complete" in output


@pytest.mark.slow
def test_the_arguments_of_a_scenario_are_shown(tmp_path):
    words = ["load", "http://127.0.0.1:1/", "--scenario", "churn", "--", "--help"]
    done = subprocess.run(
        [sys.executable, "-m", "ssegauge", *words], capture_output=True, text=True, cwd=tmp_path, timeout=60_000 * MS
    )
    assert done.returncode == 0, done.stderr
    for argument in ("--sse-longest SECONDS", "--sse-settle SECONDS", "--sse-endpoint NAMES", "--run-time"):
        assert argument in done.stdout


@pytest.mark.slow
def test_endpoints_are_chosen_by_their_names(locust, profile):
    path = profile(a="/ok?events=2", b="/ok?events=2", c="/ok?events=2")
    ended = locust("concurrent_streams", "--sse-target", str(path), "--sse-endpoint", "a, b", *users(4, 3)).finish()
    assert set(ended.results["endpoints"]) == {"a", "b"}, ended.output
