"""The page as people use it."""

import pytest
from playwright.sync_api import expect

pytestmark = pytest.mark.browser


@pytest.fixture
def page(app, browser):
    opened = browser.new_page()
    faults = []
    opened.on("pageerror", lambda error: faults.append(str(error)))
    opened.on("console", lambda message: faults.append(message.text) if message.type == "error" else None)
    opened.goto(f"{app.url}/demo")
    opened.get_by_label("Pace").fill("0.05")
    yield opened
    opened.close()
    assert faults == []


def rows(page):
    return [tuple(row.locator("span").nth(n).inner_text() for n in (1, 2)) for row in page.locator("li").all()]


def start(page, stream, reader):
    page.get_by_label("Stream", exact=True).select_option(label=stream)
    page.get_by_label(reader).check()
    page.get_by_role("button", name="Start stream").click()


COUNTED = [*[("message", f'{{"count": {i}}}') for i in range(5)], ("complete", '{"done": true}')]


@pytest.mark.parametrize("reader", ["EventSource", "fetch"])
def test_events_are_shown_as_they_come(page, reader):
    start(page, "GET /stream", reader)
    expect(page.get_by_role("status")).to_have_text("Complete")
    assert rows(page) == COUNTED


@pytest.mark.parametrize("reader", ["EventSource", "fetch"])
def test_a_stream_that_fails_is_told_from_a_connection_that_fails(page, reader):
    start(page, "GET /stream?fail_after=3", reader)
    expect(page.get_by_role("status")).to_have_text("The stream failed")
    assert [kind for kind, _ in rows(page)] == ["message"] * 3 + ["error"]


@pytest.mark.parametrize("reader", ["EventSource", "fetch"])
def test_markup_is_shown_as_text(page, reader):
    start(page, "GET /echo?data=%3Cb%3Etext%2C+not+markup%3C%2Fb%3E", reader)
    expect(page.get_by_role("status")).to_have_text("Complete")
    assert rows(page)[0] == ("message", "<b>text, not markup</b>")
    assert page.locator("b").count() == 0


def test_a_post_is_read_by_fetch(page):
    start(page, "POST /tasks/execute/stream", "fetch")
    expect(page.get_by_role("status")).to_have_text("Complete")
    assert len(rows(page)) == 12


def test_a_post_cannot_be_read_by_eventsource(page):
    start(page, "POST /tasks/execute/stream", "EventSource")
    expect(page.get_by_role("status")).to_contain_text("EventSource can only send GET")


@pytest.mark.parametrize("reader", ["EventSource", "fetch"])
def test_a_stream_can_be_stopped(app, page, reader):
    start(page, "GET /idle?keepalive=5", reader)
    expect(page.get_by_role("status")).to_have_text("Connected")
    page.get_by_role("button", name="Stop stream").click()
    expect(page.get_by_role("status")).to_have_text("Connection closed")
    expect(page.get_by_role("button", name="Stop stream")).to_be_disabled()


def test_a_finished_stream_is_not_run_again_by_a_page_that_forgets_to_close_it(app, page):
    before = app.probe()["opened"]
    states = page.evaluate(
        """path => new Promise(resolve => {
            const source = new EventSource(path), states = [];
            source.onerror = () => {
                states.push(source.readyState);
                if (source.readyState === EventSource.CLOSED) resolve(states);
            };
        })""",
        "/stream?pace=0",
    )
    assert states == [0, 2]  # it came back once, and the answer 204 closed it for good
    assert app.probe()["opened"] == before + 1
