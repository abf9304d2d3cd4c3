"""The page as people open it: from a file, with no network, in light and dark, on a phone, on paper."""

from __future__ import annotations

import pytest
from playwright.sync_api import expect

from ssegauge.report.html_report import write_html

from .made_up import HOSTILE, conformance, finding, load

pytestmark = pytest.mark.browser

MARKUP = '"><img src=x onerror="window.struck=1"><script>window.struck=1</script>' + HOSTILE
CAPACITY = {
    "limit": "first_event.p95 < 200 ms",
    "holds": 20,
    "breaks": 40,
    "curve": [{"users": 20, "ms": 50.0, "holds": True}, {"users": 40, "ms": 250.0, "holds": False}],
}
WIDE = "no-space-in-this-name-" * 40


@pytest.fixture(scope="module")
def report(tmp_path_factory):
    """Everything that a page can hold, and texts that want out of it."""
    broken = conformance(
        finding("HTTP-01", "MUST", "pass"),
        finding("HDR-01", "MUST", "fail", actual=MARKUP, endpoint=WIDE),
        finding("HDR-05", "RECOMMENDED", "fail", mend=WIDE),
        finding("DIS-02", "MUST", "untestable", reason=MARKUP),
    )
    run = load(
        scenario=MARKUP, failures={MARKUP: 3, WIDE: 4}, command=WIDE, endpoints={WIDE: load()["endpoints"]["main"]}
    )
    path = tmp_path_factory.mktemp("report") / "report.html"
    write_html([broken, run, load(capacity=CAPACITY)], path, baseline=[load()])
    return path


@pytest.fixture(scope="module")
def opened(browser, report):
    """The report in a page of its own; at the end nothing was complained of, asked for or struck."""
    context = browser.new_context(viewport={"width": 1280, "height": 900}, reduced_motion="reduce", offline=True)
    page, faults = context.new_page(), []
    page.on("pageerror", lambda error: faults.append(str(error)))
    page.on("console", lambda message: faults.append(message.text))
    page.on("request", lambda request: faults.append(request.url) if request.url.startswith("http") else None)
    page.goto(report.as_uri())
    yield page
    assert page.evaluate("window.struck") is None
    context.close()
    assert faults == []


@pytest.fixture
def page(opened):
    """The page as it was at first: wide, light, on a screen."""
    opened.set_viewport_size({"width": 1280, "height": 900})
    opened.emulate_media(media="screen", color_scheme="light")
    return opened


FITS = """() => [...document.querySelectorAll(".plot")]
    .every(plot => plot.querySelector("svg").getBoundingClientRect().width <= plot.parentElement.clientWidth)"""


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [375, 1280])
def test_every_plot_is_drawn_within_its_card_and_the_page_never_scrolls_sideways(page, width, scheme) -> None:
    page.emulate_media(color_scheme=scheme)
    page.set_viewport_size({"width": width, "height": 900})
    drawn = page.locator(".plot .main-svg:first-child")
    expect(drawn).to_have_count(page.locator(".plot").count())
    assert drawn.count() >= 12
    page.wait_for_function(FITS)
    page.evaluate("document.querySelectorAll('details').forEach(item => { item.open = true; })")
    assert page.evaluate("document.documentElement.scrollWidth") <= width


def test_plots_follow_the_page_into_the_dark(page) -> None:
    text = page.locator(".plot .xtick text").first
    before = text.evaluate("item => getComputedStyle(item).fill")
    page.emulate_media(color_scheme="dark")
    expect(text).not_to_have_css("fill", before)


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_text_stands_out_from_its_ground(page, scheme) -> None:
    """WCAG 2.2, 1.4.3: a contrast of 4.5 to 1."""
    page.emulate_media(color_scheme=scheme)
    low = page.evaluate(
        """() => {
                const parse = text => (text.match(/[\\d.]+/g) || []).map(Number);
                const light = ([r, g, b]) => [r, g, b].map(c => (c /= 255) <= 0.03928 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4)
                    .reduce((sum, c, i) => sum + c * [0.2126, 0.7152, 0.0722][i], 0);
                const ground = node => {
                    for (let at = node; at; at = at.parentElement) {
                        const colour = parse(getComputedStyle(at).backgroundColor);
                        if (colour.length && colour[3] !== 0) return colour;
                    }
                    return [255, 255, 255];
                };
                const low = new Set();
                for (const node of document.querySelectorAll("body *:not(svg *):not(script)")) {
                    if (![...node.childNodes].some(child => child.nodeType === 3 && child.data.trim())) continue;
                    const style = getComputedStyle(node);
                    const [a, b] = [light(parse(style.color)), light(ground(node))].sort((x, y) => y - x);
                    const ratio = (a + 0.05) / (b + 0.05);
                    if (ratio < 4.5) low.add(`${node.className} ${node.tagName} ${style.color} ${ratio.toFixed(2)}`);
                }
                return [...low];
            }"""
    )
    assert low == []


def test_the_keyboard_reaches_results_and_details(page) -> None:
    page.reload()
    page.keyboard.press("Tab")
    expect(page.get_by_role("link", name="Skip to the results")).to_be_focused()
    page.keyboard.press("Enter")
    expect(page.get_by_role("main")).to_be_focused()
    topic = page.locator("details.topic").first
    topic.locator("summary").focus()
    before = topic.evaluate("item => item.open")
    page.keyboard.press("Enter")
    assert topic.evaluate("item => item.open") != before


def test_a_link_into_closed_details_opens_them(page) -> None:
    page.evaluate("document.querySelectorAll('details').forEach(item => { item.open = !item.closest('.folded'); })")
    page.get_by_role("link", name="• remark").click()
    expect(page.get_by_text("HDR-05").last).to_be_visible()


def test_on_paper_what_is_broken_is_open_and_dark_on_white(page) -> None:
    page.reload()
    page.emulate_media(media="print", color_scheme="dark")
    page.evaluate("dispatchEvent(new Event('beforeprint'))")
    assert page.locator("main details:not([open]):not(.topic):not(figure details)").count() == 0
    expect(page.get_by_text("HDR-05").last).to_be_visible()
    assert page.evaluate("getComputedStyle(document.body).backgroundColor") == "rgb(255, 255, 255)"
    assert len(page.pdf()) > 20_000


def test_a_plot_can_be_saved_as_a_picture(page) -> None:
    page.locator("#r2-traffic").hover()
    with page.expect_download() as download:
        page.locator("#r2-traffic [data-title*='Download']").click()
    assert download.value.suggested_filename == "ssegauge-r2-traffic.png"
    assert download.value.path().read_bytes().startswith(b"\x89PNG")
