"""One stream after the other against a server that damages them: what is said of each."""

import json
from pathlib import Path

import pytest

from tests.load.visiting import visited
from tests.timing import SLOWDOWN

HERE = Path(__file__).resolve().parent
SHORT = 0.4 * SLOWDOWN


ENDS = {
    # path: verdict, how it ended, events
    "/ok": ("complete", "message_end", 11),
    "/until_close": ("complete", "message_end", 11),
    "/length": ("complete", "message_end", 11),
    "/zipped": ("complete", "message_end", 11),
    "/flushed": ("complete", "message_end", 11),
    "/unzipped": ("truncated", "message_end", 11),
    "/hints": ("complete", "message_end", 11),
    "/pinged?events=5&gap_ms=20": ("complete", "message_end", 6),
    "/truncate": ("truncated", "eof", 10),
    "/short_length": ("truncated", "eof", 11),
    "/unfinished": ("truncated", "message_end", 10),
    "/no_terminal": ("no_terminal", "message_end", 10),
    "/empty": ("no_terminal", "message_end", 0),
    "/err": ("error_event", "message_end", 11),
    "/rst": ("reset", "reset", 10),
    "/stall": ("stalled", "timeout_idle", 10),
    "/pings?gap_ms=20": ("timeout", "timeout_total", 0),
    "/mute": ("timeout", "timeout_first_byte", 0),
    "/unavailable": ("http_error", "message_end", 0),
    "/html": ("http_error", "message_end", 0),
    "/loop": ("http_error", "message_end", 0),
    "/redirect?to=/ok": ("complete", "message_end", 11),
    "/redirect?to=ftp://there/": ("http_error", "message_end", 0),
    "/no_http": ("malformed", "malformed", 0),
    "/bad_chunk": ("malformed", "malformed", 1),
}
HOSTILE = ["/endless_head", "/long_line", "/bomb"]


@pytest.fixture(scope="module")
def ended(source, profile):
    limits = {"connect": 5, "first_byte": 5 * SHORT, "idle": 5 * SHORT, "total": 10 * SHORT}
    cases = {
        path: {
            "endpoint": "tokens",
            "path": path,
            "name": path,
            "timeouts": limits | ({"first_byte": SHORT} if path == "/mute" else {}),
        }
        for path in ENDS
    }
    cases["refused"] = {"endpoint": "tokens", "path": "http://127.0.0.1:1/", "name": "refused"}
    return visited({"profile": str(profile(tokens="/ok")), "host": source, "cases": cases})


@pytest.mark.parametrize("path", ENDS)
def test_every_end_has_its_verdict(ended, path):
    outcome = ended["outcomes"][path]
    assert (outcome["verdict"], outcome["end"], outcome["events"]) == ENDS[path], outcome


@pytest.mark.parametrize("path", HOSTILE)
def test_what_has_no_end_is_cut_off_in_bounded_memory(source, path):
    outcome = visited({"host": source, "cases": {"it": {"path": path}}})["outcomes"]["it"]
    assert (outcome["verdict"], outcome["events"]) == ("malformed", 0), outcome
    assert outcome["error"]


def test_a_refused_connection_is_a_connect_error(ended):
    outcome = ended["outcomes"]["refused"]
    assert outcome["verdict"] == "connect_error"
    assert "refused" in outcome["error"].lower()


def test_locust_is_told_once_of_each_stream_and_why_it_failed(ended):
    rows = {name: (kind, ms, error) for kind, name, ms, error in ended["rows"]}
    assert len(ended["rows"]) == len(rows) == len(ended["outcomes"])
    assert rows["/ok"][0] == "SSE first_event"
    assert rows["/ok"][1] == pytest.approx(ended["outcomes"]["/ok"]["times"]["first_event"] / 1000)
    assert rows["/ok"][2] == ""
    assert rows["/mute"][1] is None
    for path, (verdict, _, _) in ENDS.items():
        assert rows[path][2].startswith("" if verdict == "complete" else verdict)
        assert bool(rows[path][2]) == (verdict != "complete")


def test_times_come_in_their_order(ended):
    times = ended["outcomes"]["/ok"]["times"]
    assert 0 < times["ttfb"] <= times["first_body_byte"] <= times["first_event"] < times["duration"]
    assert times["connect"] > 0
    assert times["longest_gap"] <= times["duration"]


def test_a_comment_ends_a_silence_and_no_gap(ended):
    times = ended["outcomes"]["/pinged?events=5&gap_ms=20"]["times"]
    assert 0 < times["longest_silence"] < times["longest_gap"]
    assert times["longest_gap"] > 5 * 20_000 * 0.9  # five pauses lie between two events
    times = ended["outcomes"]["/ok"]["times"]
    assert times["longest_silence"] >= times["longest_gap"]


def test_a_silence_lasts_as_long_as_its_limit(ended):
    assert ended["outcomes"]["/mute"]["lasted_us"] == pytest.approx(SHORT * 1e6, rel=0.5)
    assert ended["outcomes"]["/stall"]["lasted_us"] >= 5 * SHORT * 1e6


def test_streams_without_a_first_event_are_counted_as_at_least(ended):
    for path in ("/mute", "/empty", "/unavailable", "refused"):
        latency = ended["ledger"]["books"][path]["latency"]
        assert latency["first_event"]["censored_count"] == [1], path
        assert latency["first_event"]["count"] == []


def test_failed_streams_are_not_among_the_times_of_the_good(ended):
    book = ended["ledger"]["books"]["/truncate"]
    assert "first_event" not in book["latency"]
    assert book["failed"]["first_event"]["count"] == [1]


FAULTS = {
    "/damaged?numbers=0,1,2,3": ({}, [0, 0, 0]),
    "/damaged?numbers=0,1,3,4": ({}, [1, 0, 0]),
    "/damaged?numbers=0,1,1,2": ({}, [0, 1, 0]),
    "/damaged?numbers=0,2,1,3": ({}, [0, 0, 1]),
    "/order": ({"order": 1}, [0, 0, 0]),
    "/broken_json": ({"json": 1}, [0, 0, 0]),
    "/after_terminal": ({"order": 1, "terminal": 1}, [0, 0, 0]),
}


@pytest.fixture(scope="module")
def checked(source, profile):
    cases = {path: {"endpoint": "tokens", "path": path, "name": path} for path in FAULTS}
    return visited({"profile": str(profile(tokens="/ok")), "host": source, "cases": cases})["outcomes"]


@pytest.mark.parametrize("path", FAULTS)
def test_a_stream_that_ends_well_can_still_break_its_contract(checked, path):
    outcome = checked[path]
    assert outcome["verdict"] == "complete"
    assert (outcome["faults"], outcome["counts"]) == FAULTS[path]
    assert outcome["failed"] == (FAULTS[path] != ({}, [0, 0, 0]))


@pytest.fixture(scope="module")
def asked(source):
    cases = {
        "plain": {"path": "/echo"},
        "post": {"method": "POST", "path": "/echo", "json": {"q": "ä"}, "headers": {"X-Id": "7"}},
        "form": {"method": "POST", "path": "/echo", "data": {"a": "1 2"}},
        "params": {"path": "/echo?x=1", "params": {"q": "a b", "n": [1, 2], "on": True}},
        "basic": {"path": "/echo", "auth": ["me", "secret"]},
        "resumed": {"path": "/echo", "last_event_id": "41"},
        "cookie": {"path": "/echo", "before": {"path": "/echo"}, "cookies": {"own": "1"}},
        "proxied": {"path": "/echo", "proxy": source},
        "moved": {"method": "POST", "path": "/redirect?to=/echo&status=303", "json": {}, "auth": "Bearer x"},
        "kept": {"method": "POST", "path": "/redirect?to=/echo&status=307", "json": {"a": 1}, "auth": "Bearer x"},
        "leaves": {"path": "/ok?events=50&gap_ms=5", "events": True, "read": 3},
        "iterates": {"path": "/ok?events=5", "events": True},
        "timed": {"path": "/pings?gap_ms=10", "leave_after": SHORT},
        "head": {"method": "HEAD", "path": "/no_body", "timeouts": {"idle": 20 * SHORT}},
        "unfollowed": {"path": "/redirect?to=/ok", "redirects": 0},
    }
    for keywords in cases.values():
        if "/echo" in keywords["path"]:
            keywords["events"] = True
    return visited({"host": source, "cases": cases})["outcomes"]


def echoed(asked, name):
    return json.loads(asked[name]["kept"][0][1])


def test_a_request_says_what_an_event_source_says(asked):
    said = echoed(asked, "plain")
    assert said["method"] == "GET"
    assert said["headers"]["accept"] == "text/event-stream"
    assert "accept-encoding" not in said["headers"]


def test_json_is_posted(asked):
    said = echoed(asked, "post")
    assert (said["method"], json.loads(said["body"])) == ("POST", {"q": "ä"})
    assert (said["headers"]["content-type"], said["headers"]["x-id"]) == ("application/json", "7")


def test_a_form_is_posted(asked):
    assert echoed(asked, "form")["body"] == "a=1+2"


def test_parameters_join_those_of_the_path(asked):
    assert echoed(asked, "params")["target"] == "/echo?x=1&q=a+b&n=1&n=2&on=true"


def test_basic_authorization_is_sent(asked):
    assert echoed(asked, "basic")["headers"]["authorization"] == "Basic bWU6c2VjcmV0"


def test_the_last_event_id_is_sent(asked):
    assert echoed(asked, "resumed")["headers"]["last-event-id"] == "41"


def test_a_call_has_an_id_of_its_own_and_is_resumed_as_the_profile_says(source, tmp_path):
    place = tmp_path / "sse-target.toml"
    place.write_text(
        f'base_url = "{source}"\n[[endpoint]]\nname = "call"\nresume = {{ method = "GET" }}\n'
        'request = { method = "POST", path = "/echo", headers = { X-Call = "{unique}" }, json = { id = "{unique}" } }\n'
    )
    cases = {
        "one": {"endpoint": "call", "events": True},
        "other": {"endpoint": "call", "events": True},
        "back": {"endpoint": "call", "events": True, "last_event_id": "41"},
    }
    asked = visited({"profile": str(place), "host": source, "cases": cases})["outcomes"]
    one, other, back = (echoed(asked, name) for name in cases)
    assert json.loads(one["body"]) == {"id": one["headers"]["x-call"]}
    assert one["headers"]["x-call"] != other["headers"]["x-call"]
    assert (one["method"], back["method"], back["body"]) == ("POST", "GET", "")
    assert back["headers"]["last-event-id"] == "41"


def test_a_user_keeps_cookies(asked):
    assert echoed(asked, "cookie")["headers"]["cookie"] == "session=abc; own=1"


def test_a_proxy_is_asked_for_the_whole_address(asked):
    assert echoed(asked, "proxied")["headers"]["was-proxied"] == "yes"


def test_a_redirect_is_followed_as_its_status_says(asked):
    assert (echoed(asked, "moved")["method"], echoed(asked, "moved")["body"]) == ("GET", "")
    assert (echoed(asked, "kept")["method"], echoed(asked, "kept")["body"]) == ("POST", '{"a":1}')
    assert echoed(asked, "moved")["headers"]["authorization"] == "Bearer x"


def test_a_redirect_is_not_followed_where_nobody_wants_it(asked):
    assert asked["unfollowed"]["verdict"] == "http_error"
    assert asked["unfollowed"]["error"] == "HTTP 302"


def test_a_response_to_head_is_not_waited_for(asked):
    assert (asked["head"]["end"], asked["head"]["status"]) == ("message_end", 200)


def test_events_are_handed_out_as_they_come(asked):
    types = [kind for kind, _, _ in asked["iterates"]["kept"]]
    assert types == ["token"] * 5 + ["done"]
    assert asked["iterates"]["verdict"] == "complete"


def test_a_task_can_leave_in_the_middle(asked):
    assert (len(asked["leaves"]["kept"]), asked["leaves"]["verdict"]) == (3, "client_closed")
    assert not asked["leaves"]["failed"]


def test_a_stream_can_be_left_after_a_time(asked):
    assert asked["timed"]["verdict"] == "client_closed"
    assert asked["timed"]["lasted_us"] == pytest.approx(SHORT * 1e6, rel=0.5)
