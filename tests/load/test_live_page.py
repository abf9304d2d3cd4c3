"""The live page: its data, its place in Locust's page, and what a person sees in a browser."""

import pytest

from tests.load.web_page import begin, locust_page
from tests.timing import MS, eventually


@pytest.fixture
def two_endpoints(profile):
    return str(profile(good="/ok?events=20&gap_ms=20", cut="/truncate?events=5&gap_ms=20"))


def test_a_run_is_followed_second_by_second_through_reset_and_a_second_run(tmp_path, two_endpoints):
    with locust_page(tmp_path, "--sse-target", two_endpoints, base="/locust") as page:
        assert '<script src="/locust/ssegauge/tab.js"' in page.get("/")
        assert "/locust/ssegauge/" in page.get("/")
        assert page.data()["rows"] == []
        begin(page)
        eventually(lambda: len(page.data()["rows"]) > 2, within=10_000 * MS)
        first = page.data()
        known = first["rows"][-1]["t"]
        eventually(lambda: page.data(run=first["run"], since=known)["rows"], within=5000 * MS)
        assert all(row["t"] > known for row in page.data(run=first["run"], since=known)["rows"])
        assert first["endpoints"]["cut"]["verdicts"].keys() == {"truncated"}
        assert page.data(endpoint="good")["rows"][-1]["by_verdict"].keys() <= {"complete"}
        page.post("/stats/reset", "")
        eventually(lambda: page.data()["run"] != first["run"], within=5000 * MS)
        assert page.data(run=first["run"], since=known)["rows"][:1] in ([], page.data()["rows"][:1])
        page.post("/stop", "")
        eventually(lambda: page.data()["final"], within=10_000 * MS)
        begin(page)
        eventually(lambda: page.data()["rows"] and page.data()["final"] is None, within=10_000 * MS)


@pytest.mark.slow
def test_nothing_is_said_to_be_whole_that_nobody_counted(tmp_path, source):
    with locust_page(tmp_path, "--host", f"{source}/ok?events=5&gap_ms=20") as page:
        page.post("/swarm", "user_count=2&spawn_rate=2")
        eventually(lambda: [b for b in page.data()["endpoints"].values() if b["verdicts"]], within=20_000 * MS)
        [book] = page.data()["endpoints"].values()
        assert [book[kind] for kind in ("lost", "duplicated", "reordered")] == [None] * 3


def test_charts_come_from_the_installed_library(tmp_path, two_endpoints):
    with locust_page(tmp_path, "--sse-target", two_endpoints) as page:
        html = page.get("/ssegauge/")
        assert "http://" not in html
        assert "https://" not in html
        assert len(page.get("/ssegauge/plotly.min.js")) > 1_000_000


@pytest.mark.browser
def test_a_person_sees_the_tab_and_its_charts(tmp_path, two_endpoints, browser):
    with locust_page(tmp_path, "--sse-target", two_endpoints) as page, browser.new_page() as tab:
        begin(page)
        errors = []
        tab.on("pageerror", lambda error: errors.append(str(error)))
        tab.on(
            "request",
            lambda asked: (
                errors.append(asked.url) if "127.0.0.1" not in asked.url and asked.url[:4] == "http" else None
            ),
        )
        tab.goto(page.address)
        tab.get_by_role("tab", name="Event streams").click()
        inside = tab.frame_locator("iframe[title='Event streams']")
        inside.locator("#streams .scatterlayer .trace").first.wait_for(state="attached", timeout=15_000 * MS * 1000)
        assert inside.locator(".chart .main-svg").count() >= 6
        assert "open streams" in inside.locator("#figures").inner_text()
        assert "truncated" in inside.locator("#endpoints").inner_text()
        assert errors == []


@pytest.mark.slow
@pytest.mark.browser
def test_a_second_alone_is_seen(tmp_path, source, browser):
    """One user, one stream in three seconds: the first events stand in seconds that have no neighbours."""
    with locust_page(tmp_path, "--host", f"{source}/ok?events=30&gap_ms=100") as page, browser.new_page() as tab:
        tab.goto(f"{page.address}/ssegauge/")
        page.post("/swarm", "user_count=1&spawn_rate=1")
        eventually(lambda: len(page.data()["rows"]) > 5, within=20_000 * MS)
        dot = "path => path.getBBox().width > 3"
        tab.wait_for_function(
            f"[...document.querySelectorAll('#first_event .points path')].some({dot})", timeout=15_000 * MS * 1000
        )
        assert "–" not in tab.locator("#figures div", has_text="first event p95").inner_text()
