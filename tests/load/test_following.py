"""A logical stream over its connections: what is brought along, and what can be said of what was lost."""

import pytest

from tests.load.acting import acted

FOLLOWED = """
from ssegauge.load.figures import damage
from ssegauge.load.reconnect import follow
from ssegauge.load.target import LoadTarget
from ssegauge.profile import loading
brought = []
class Following(Reader):
    def stream(self, *positional, **said):
        brought.append(said["last_event_id"])
        return super().stream(*positional, **said)
open("target.toml", "w").write(PROFILE.replace("BASE", sys.argv[1]))
environment.parsed_options.sse_target = "target.toml"
who = Following(environment)
follow(who, lambda: 3600, most=MOST)
say(brought=brought, **damage(who.session.recorder.ledger.book("e")))
"""
PROFILE = """
base_url = "BASE"
[[endpoint]]
name = "e"
request = { path = "%s" }
terminal = ["done"]
resume = { from = "Last-Event-ID" }
"""


def followed(source, path, most=1000, more=""):
    return acted(source, f"PROFILE = {PROFILE % path + more!r}\nMOST = {most}\n{FOLLOWED}")


@pytest.fixture(autouse=True)
def _elsewhere(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)


def test_an_id_that_the_server_took_away_is_not_brought_along(source):
    """HTML, 9.2.6: an empty id resets the last event ID, and then no Last-Event-ID is sent (9.2.3)."""
    assert followed(source, "/forget", most=5)["brought"] == ["", "5", "", "5", ""]


@pytest.mark.parametrize(
    ("query", "more", "found"),
    [
        # ids that count
        ("events=9&cut=3", "", (0, 0, 0)),
        ("events=9&cut=3&skip=1", "", (2, 0, 0)),
        ("events=9&cut=3&again=1", "", (0, 3, 0)),
        # ids that do not: what comes twice is seen, what is lost cannot be
        ("events=9&cut=3&skip=1&named=tok-", "", (None, 0, None)),
        ("events=9&cut=3&again=1&named=tok-", "", (None, 3, None)),
        # a sequence that is declared and not there
        ("events=9&cut=3&skip=1", 'data = "json"\nsequence = { pointer = "/number" }', (None, None, None)),
        ("events=9&cut=3&skip=1&named=tok-", 'data = "json"\nsequence = { pointer = "/seq" }', (2, 0, 0)),
    ],
)
def test_what_is_lost_is_told_where_something_counts_it_and_nowhere_else(source, query, more, found):
    said = followed(source, f"/resume?{query}", more=more)
    assert (said["lost"], said["duplicated"], said["reordered"]) == found
