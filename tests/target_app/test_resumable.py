"""A run goes on where its client lost it."""

import pytest

PATH = "/resumable?run=check&count=6"


def run(app, last_event_id=None, path=PATH, header="Last-Event-ID"):
    headers = {} if last_event_id is None else {header: last_event_id}
    return app.events(path, headers=headers)


def test_every_event_has_an_id_of_its_own(app):
    ids = [event.id for event in run(app)]
    assert ids == [f"check-{n}" for n in range(1, 8)]


def test_the_same_run_is_the_same(app):
    assert run(app) == run(app)


@pytest.mark.parametrize("header", ["Last-Event-ID", "last-event-id", "LAST-EVENT-ID"])
def test_it_goes_on_right_after_the_last_event(app, header):
    whole = run(app)
    for position, event in enumerate(whole[:-1], start=1):
        assert run(app, event.id, header=header) == whole[position:]


def test_after_the_end_there_is_nothing_more(app):
    response = app.client.get(PATH, headers={"Last-Event-ID": run(app)[-1].id})
    assert (response.status_code, response.content) == (204, b"")


@pytest.mark.parametrize(
    "unknown",
    [
        b"", b"check-0", b"check-8", b"check-01", b"check-+1", b"other-3", b"3", b"check-999999999999", b"x" * 4096,
        "chéck-1".encode(), "chéck-1".encode("latin-1"), b"\xff\xfe", "check-\u0663".encode(), b"%0d%0aevent: x",
        b'"><script>', b"../../etc/passwd",
    ],
    ids=lambda unknown: repr(unknown[:20]),
)  # fmt: skip
def test_an_id_that_was_never_given_gets_the_whole_run(app, unknown):
    assert run(app, unknown) == run(app)


def test_a_retry_shares_its_block_with_data(app):
    body = app.client.get(PATH).content
    assert body.startswith(b"id: check-1\nevent: item\ndata: ")
    assert b"}\nretry: 3000\n\n" in body


def test_to_come_back_is_no_second_job(app):
    before = app.probe()["jobs_started"]
    run(app)
    run(app, "check-3")
    assert app.probe()["jobs_started"] == before + 1
