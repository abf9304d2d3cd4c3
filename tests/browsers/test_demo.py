"""The reference app and its page in real browsers: what people see, and what the server sees of it."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

from tests.target_app.conftest import App
from tests.timing import eventually

from .driving import PATIENCE, Browser, Chromium, Tab, firefox

pytestmark = [pytest.mark.browser, pytest.mark.slow]

RETRY = "500"  # the shortest that the app allows


@pytest.fixture(scope="module")
def app() -> Iterator[App]:
    served = App(SSEGAUGE_PACE="1", SSEGAUGE_RETRY_MS=RETRY)
    yield served
    served.stop()


@pytest.fixture(scope="module", params=["chromium", "firefox"])
def driven(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Browser]:
    if request.param == "chromium":
        yield Chromium(request.getfixturevalue("browser"))
    else:
        with firefox(tmp_path_factory.mktemp("firefox")) as started:
            yield started


@contextlib.contextmanager
def opened(driven: Browser, url: str) -> Iterator[Tab]:
    tab = driven.open(url)
    try:
        yield tab
    finally:
        tab.close()


def start(tab: Tab, stream: str, reader: str = "eventsource", pace: str = "") -> None:
    """Choose the stream of the list that begins so, and press the button. Notes when each row comes."""
    tab.evaluate(f"""(() => {{
        window.times = [];
        new MutationObserver(() => window.times.push(performance.now())).observe(rows, {{ childList: true }});
        choice.value = [...choice.options].find(option => option.text.startsWith("{stream}")).value;
        pace.value = "{pace}";
        document.querySelector('input[value="{reader}"]').checked = true;
        start.click();
    }})()""")


def status(tab: Tab) -> str:
    text: str = tab.evaluate("statusLine.textContent")
    return text


def row_count(tab: Tab) -> int:
    count: int = tab.evaluate("rows.childElementCount")
    return count


def runs(app: App, count: int) -> None:
    """The server comes to say that so many streams are active."""
    eventually(lambda: app.probe()["active_streams"] == count, within=PATIENCE)


def shows(tab: Tab, text: str) -> None:
    eventually(lambda: text in status(tab), within=PATIENCE)


readers = pytest.mark.parametrize("reader", ["eventsource", "fetch"])


@readers
def test_events_appear_one_by_one(app: App, driven: Browser, reader: str) -> None:
    with opened(driven, f"{app.url}/demo") as tab:
        start(tab, "GET /ticks", reader, pace="0.2")  # ten, 0.1 s apart
        shows(tab, "Complete")
        times = tab.evaluate("window.times")
        assert row_count(tab) == 11
    # held back, they would come within a few milliseconds, however late
    assert times[-1] - times[0] > 0.5 * 10 * 100


@readers
def test_stop_ends_the_work_on_the_server(app: App, driven: Browser, reader: str) -> None:
    with opened(driven, f"{app.url}/demo") as tab:
        runs(app, 0)
        start(tab, "GET /idle", reader)
        shows(tab, "Connected")
        runs(app, 1)
        tab.evaluate("stop.click()")
        shows(tab, "Connection closed")
        runs(app, 0)
        assert tab.evaluate("stop.disabled")


@readers
def test_a_closed_tab_frees_its_stream(app: App, driven: Browser, reader: str) -> None:
    runs(app, 0)
    before = app.probe()["opened"]
    with opened(driven, f"{app.url}/demo") as tab:
        start(tab, "GET /feed", reader)
        shows(tab, "Connected")
        runs(app, 1)
    runs(app, 0)
    assert app.probe()["opened"] == before + 1, "nothing came back"


@readers
def test_an_error_of_the_stream_is_shown(app: App, driven: Browser, reader: str) -> None:
    with opened(driven, f"{app.url}/demo") as tab:
        start(tab, "GET /stream?fail_after=3", reader, pace="0.05")
        shows(tab, "The stream failed")
        assert tab.evaluate("rows.lastElementChild.className") == "error"
        assert row_count(tab) == 4


def test_eventsource_comes_back_after_the_server_was_started_again(driven: Browser) -> None:
    served = App(SSEGAUGE_PACE="1", SSEGAUGE_RETRY_MS=RETRY)
    try:
        with opened(driven, f"{served.url}/demo") as tab:
            start(tab, "GET /resumable", pace="10")
            eventually(lambda: row_count(tab) >= 2, within=PATIENCE)
            served.process.kill()
            shows(tab, "Connection lost")
            served.stop()
            before = row_count(tab)
            served = App(served.port, SSEGAUGE_PACE="1", SSEGAUGE_RETRY_MS=RETRY)
            eventually(lambda: row_count(tab) > before, within=PATIENCE)
            assert status(tab) == "Connected"
            numbers = tab.evaluate(
                "[...rows.querySelectorAll('.data')].map(cell => JSON.parse(cell.textContent).seq).filter(Boolean)"
            )
    finally:
        served.stop()
    assert numbers == list(range(1, len(numbers) + 1)), "it goes on where it was cut"


def test_fetch_says_that_the_server_died(driven: Browser) -> None:
    served = App(SSEGAUGE_PACE="1")
    try:
        with opened(driven, f"{served.url}/demo") as tab:
            start(tab, "GET /idle", "fetch")
            shows(tab, "Connected")
            served.process.kill()
            shows(tab, "The connection failed")
            assert tab.evaluate("statusLine.className") == "bad"
    finally:
        served.stop()


# -- other origins --------------------------------------------------------------------------------------------------


class Page(BaseHTTPRequestHandler):
    """An empty page of another origin."""

    def do_GET(self) -> None:
        self.send_response(200)
        self.send_header("Content-Type", "text/html")
        self.send_header("Content-Length", "22")
        self.end_headers()
        self.wfile.write(b"<!doctype html><p>page")

    def log_message(self, format: str, *arguments: object) -> None:
        pass


@contextlib.contextmanager
def another_origin() -> Iterator[str]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), Page)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def read_across(tab: Tab, url: str) -> dict[str, Any]:
    """What a page gets of a stream elsewhere, with credentials: by EventSource, and by fetch with a preflight."""
    answer: dict[str, Any] = tab.evaluate(f"""(async () => {{
        const byEventSource = await new Promise(resolve => {{
            const source = new EventSource("{url}", {{ withCredentials: true }});
            const seen = [];
            source.onmessage = event => seen.push(event.data);
            const finish = () => {{ source.close(); resolve(seen.length); }};
            source.addEventListener("complete", finish);
            source.onerror = finish;
        }});
        const request = {{ credentials: "include", headers: {{ "Last-Event-ID": "", "Authorization": "Bearer a" }} }};
        const byFetch = await fetch("{url}", request).then(
            answer => answer.text().then(text => text.split("\\n\\n").length > 5), () => false);
        return {{ byEventSource, byFetch }};
    }})()""")
    return answer


def test_a_stream_with_credentials_is_read_by_pages_of_listed_origins_only(driven: Browser) -> None:
    with another_origin() as listed, another_origin() as other:
        served = App(SSEGAUGE_ORIGINS=listed)
        url = f"{served.url}/stream"
        try:
            with opened(driven, listed) as tab:
                assert read_across(tab, url) == {"byEventSource": 5, "byFetch": True}
            with opened(driven, other) as tab:
                assert read_across(tab, url) == {"byEventSource": 0, "byFetch": False}
            runs(served, 0)
        finally:
            served.stop()
