"""The form of Locust's page: what it says is held to what the command line is held to, and is what the run does."""

import json

import pytest

from tests.load.web_page import locust_page
from tests.timing import MS, eventually


def swarm(page, **fields):
    said = {"user_count": 2, "spawn_rate": 2, "host": "", **fields}
    return json.loads(page.post("/swarm", "&".join(f"{name}={value}" for name, value in said.items())))


def opened(page):
    return sum(book["opened"] for book in page.data()["endpoints"].values())


def ended(page):
    eventually(lambda: page.data()["final"], within=20_000 * MS)


@pytest.fixture
def two_endpoints(profile):
    return str(profile(good="/ok?events=5&gap_ms=20", other="/ok?events=5&gap_ms=20"))


def test_a_mistake_is_said_in_the_form_and_the_next_run_is_as_it_was_told(tmp_path, two_endpoints):
    with locust_page(tmp_path, "--sse-target", two_endpoints) as page:
        for field, value, words in (
            ("sse_idle_timeout", "-1", "--sse-idle-timeout: at least 0, not -1"),
            ("sse_total_timeout", "inf", "--sse-total-timeout: a finite number, not inf"),
            ("sse_idle_timeout", "soon", "--sse-idle-timeout: expected a number, not 'soon'"),
            ("sse_http2_streams", "2.5", "--sse-http2-streams: expected a whole number, not '2.5'"),
            ("sse_measure", "latency", "--sse-measure: one of ttfb, "),
            ("sse_endpoint", "nobody", "no endpoint is called 'nobody'"),
            ("sse_target", "missing.toml", "missing.toml"),
            ("sse_goodput", "first_evnt=1s", 'there is no time "first_evnt"'),
            ("sse_steps", "garbage", '--sse-steps: "garbage" is no step'),
            ("host", "nonsense", "no URL of the web"),
        ):
            answer = swarm(page, **{field: value})
            assert (answer["success"], words in answer["message"]) == (False, True), answer
        for users in ("-5", "many"):  # which Locust refuses, and then nothing else is taken over
            assert not swarm(page, user_count=users, sse_endpoint="other", host="http://127.0.0.1:1")["success"]
        assert page.data()["rows"] == []
        assert swarm(page)["success"]
        eventually(lambda: page.data()["endpoints"].keys() == {"good", "other"}, within=10_000 * MS)
        page.post("/stop", "")
        ended(page)
        assert "connect_error" not in page.data()["endpoints"]["other"]["verdicts"]
        assert swarm(page, sse_endpoint="good")["success"]
        eventually(lambda: page.data()["endpoints"].keys() == {"good"}, within=10_000 * MS)


def test_steps_are_those_of_the_form(tmp_path, two_endpoints):
    with locust_page(tmp_path, "--sse-target", two_endpoints) as page:
        assert swarm(page, user_count=1, sse_steps="3x200ms,1x200ms")["success"]
        eventually(lambda: page.data()["users"] == 3, within=10_000 * MS)
        ended(page)
        assert swarm(page, sse_steps="")["success"]  # and not the steps of the run before
        eventually(lambda: page.data()["users"] == 2, within=10_000 * MS)
        assert page.data()["final"] is None


def test_the_limit_of_a_search_is_that_of_the_form(tmp_path, two_endpoints):
    results = tmp_path / "results.json"
    with locust_page(tmp_path, "--sse-target", two_endpoints, "--sse-results", results, scenario="capacity") as page:
        assert "is no limit" in swarm(page, sse_limit="first_event < 1s")["message"]
        asked = {"sse_limit": "gap.p99 %3C 900ms", "sse_first": 1, "sse_most": 2, "sse_hold": 2, "sse_settle": 1}
        assert "--sse-hold" in swarm(page, **asked | {"sse_hold": 0.5})["message"]
        assert swarm(page, **asked)["success"]
        ended(page)
        eventually(results.exists, within=5000 * MS)
        assert json.loads(results.read_text())["capacity"]["limit"] == "gap.p99 < 900 ms"


@pytest.mark.slow
def test_the_second_target_of_a_pair_may_come_from_the_form(tmp_path, source):
    results = tmp_path / "results.json"
    address = f"{source}/ok?events=5%26gap_ms=20"
    with locust_page(tmp_path, "--sse-results", results, scenario="paired") as page:
        assert "give --host URL" in swarm(page, sse_against=address)["message"]
        assert "give --sse-against" in swarm(page, host=address)["message"]
        assert swarm(page, host=address, sse_against=address)["success"]
        eventually(lambda: any(book["verdicts"] for book in page.data()["endpoints"].values()), within=20_000 * MS)
        page.post("/stop", "")
        ended(page)
        eventually(results.exists, within=5000 * MS)
        assert len(json.loads(results.read_text())["pairs"]) == 1


@pytest.mark.slow
def test_a_run_that_is_started_while_the_last_one_settles_has_its_own_results(tmp_path, source, profile):
    """Churn waits until the target has let go of all streams, and this one never does."""
    results = tmp_path / "results.json"
    told = ["--sse-target", str(profile(deaf="/deaf")), "--sse-pid", str(source.pid), "--sse-settle", "3"]
    with locust_page(tmp_path, *told, "--sse-longest", "0.1", "--sse-results", results, scenario="churn") as page:
        for users, seconds in ((1, 1), (3, 5)):  # the second one is still there when the first one has settled
            assert swarm(page, user_count=users, spawn_rate=users)["success"]
            eventually(lambda users=users: page.data()["users"] == users, within=20_000 * MS)
            run = page.data()["run"]
            eventually(lambda seconds=seconds: opened(page) > 3 and len(page.data()["rows"]) >= seconds, 20_000 * MS)
            page.post("/stop", "")  # it settles for three seconds now
        eventually(lambda: page.data()["run"] == run and page.data()["final"], within=30_000 * MS)
        document = json.loads(results.read_text())
        shown = page.data()["endpoints"]["deaf"]
        assert document["streams"]["attempted"] == shown["attempted"] > 0


@pytest.mark.slow
def test_a_run_that_waits_for_the_last_one_to_settle_can_be_called_off(tmp_path, source, profile):
    told = ["--sse-target", str(profile(deaf="/deaf")), "--sse-pid", str(source.pid), "--sse-settle", "3"]
    with locust_page(tmp_path, *told, "--sse-longest", "0.1", scenario="churn") as page:
        assert swarm(page)["success"]
        eventually(lambda: opened(page) > 3, within=20_000 * MS)
        first = page.data()["run"]
        page.post("/stop", "")
        assert swarm(page)["success"]
        page.post("/stop", "")
        ended(page)
        assert (page.data()["run"], page.data()["users"]) == (first, 0)
        assert swarm(page)["success"]
        eventually(lambda: page.data()["run"] != first, within=20_000 * MS)
