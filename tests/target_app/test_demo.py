"""The page for browsers."""

import re

import pytest


@pytest.fixture(scope="module")
def page(app):
    response = app.client.get("/demo")
    assert response.headers["content-type"] == "text/html; charset=utf-8"
    assert "connect-src 'self'" in response.headers["content-security-policy"]
    return response.text


def test_what_a_server_says_is_never_markup(page):
    assert "textContent" in page
    assert not re.search(r"innerHTML|outerHTML|insertAdjacentHTML|document\.write|\beval\b", page)


def test_nothing_comes_from_elsewhere(page):
    assert not re.search(r"https?://|src=", page)


def test_it_can_be_used_without_a_mouse_and_without_eyes(page):
    assert '<html lang="en">' in page
    assert 'role="status"' in page
    for field in re.findall(r'<(?:select|input type="number") ?[^>]*', page):
        name = re.search(r'id="([^"]+)"', page[page.index(field) :])[1]
        assert f'for="{name}"' in page


def test_every_stream_of_the_list_is_served(app, page):
    listed = re.findall(r'\["(GET|POST)", "([^"]+)"(?:, \{ task_id: 123, operation: "analyze" \})?\]', page)
    assert len(listed) > 15
    for method, path in listed:
        body = {"json": {"task_id": 123, "operation": "analyze"}} if path == "/tasks/execute/stream" else {}
        with app.client.stream(method, path, **body) as response:
            assert response.status_code == 200, path
            assert response.headers["content-type"].startswith("text/event-stream")
