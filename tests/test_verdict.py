from itertools import product

import pytest

from ssegauge.verdict import END_KINDS, MEANINGS, RULES, VERDICTS, Facts, verdict

BOTH = (False, True)
EVERY_CASE = [
    Facts(*values) for values in product(END_KINDS, (None, 200, 204, 503), BOTH, (0, 3), BOTH, BOTH, BOTH, BOTH)
]
GOOD = Facts("message_end", 200, True, 3, True, True, False, False)


def but(**changes):
    return Facts(**{name: changes.get(name, getattr(GOOD, name)) for name in Facts.__slots__})


@pytest.mark.parametrize(
    ("facts", "word"),
    [
        (GOOD, "complete"),
        (but(terminal_declared=False, terminal_seen=False), "complete"),
        (but(error_seen=True, terminal_seen=False), "error_event"),
        (but(error_seen=True, end="reset"), "error_event"),
        (but(error_seen=True, end="client"), "error_event"),
        (but(end="eof", terminal_seen=False), "truncated"),
        (but(end="eof"), "truncated"),
        (but(pending=True), "truncated"),
        (but(pending=True, terminal_seen=False), "truncated"),
        (but(end="reset", terminal_seen=False), "reset"),
        (but(end="reset"), "reset"),
        (but(end="reset", status=None, event_stream=False, events=0, terminal_seen=False), "reset"),
        (but(terminal_seen=False), "no_terminal"),
        (but(events=0, terminal_declared=False, terminal_seen=False), "no_terminal"),
        (but(end="timeout_idle"), "stalled"),
        (but(end="timeout_total"), "timeout"),
        (but(end="timeout_first_byte", status=None, event_stream=False, events=0, terminal_seen=False), "timeout"),
        (but(status=503), "http_error"),
        (but(status=204, event_stream=False, events=0), "http_error"),
        (but(event_stream=False), "http_error"),
        (but(status=503, end="eof"), "http_error"),
        (but(end="connect_error", status=None, event_stream=False, events=0), "connect_error"),
        (but(end="timeout_connect", status=None, event_stream=False, events=0), "connect_error"),
        (but(end="malformed"), "malformed"),
        (but(end="malformed", status=None, event_stream=False, events=0), "malformed"),
        (but(end="client"), "client_closed"),
        (but(end="client", terminal_seen=False, pending=True), "client_closed"),
    ],
    ids=str,
)
def test_how_a_stream_ended(facts, word):
    assert verdict(facts) == word


def test_every_case_has_a_verdict_and_every_verdict_a_case_and_a_meaning():
    assert {verdict(facts) for facts in EVERY_CASE} == set(VERDICTS) == set(MEANINGS)
    assert len(VERDICTS) == 11


def test_complete_means_all_of_it():
    complete = [facts for facts in EVERY_CASE if verdict(facts) == "complete"]
    assert complete
    for facts in complete:
        assert facts.end == "message_end"
        assert facts.status == 200
        assert facts.event_stream
        assert facts.events > 0
        assert facts.terminal_seen or not facts.terminal_declared
        assert not facts.error_seen
        assert not facts.pending


def test_whatever_has_all_of_it_is_complete():
    for facts in EVERY_CASE:
        if (
            (facts.end, facts.status, facts.event_stream) == ("message_end", 200, True)
            and facts.events
            and (facts.terminal_seen or not facts.terminal_declared)
            and not facts.error_seen
            and not facts.pending
        ):
            assert verdict(facts) == "complete"


def test_an_error_event_of_a_stream_is_never_hidden():
    for facts in EVERY_CASE:
        if facts.error_seen and facts.status == 200 and facts.event_stream:
            assert verdict(facts) in {"error_event", "connect_error"}
            assert (verdict(facts) == "connect_error") == (facts.end in {"connect_error", "timeout_connect"})


def test_what_was_no_event_stream_is_an_http_error_however_it_ended():
    for facts in EVERY_CASE:
        if facts.status in {204, 503} and facts.end not in {"connect_error", "timeout_connect"}:
            assert verdict(facts) == "http_error"


def test_no_row_of_the_table_is_idle():
    reached = {next((row for row, (applies, _) in enumerate(RULES) if applies(facts)), None) for facts in EVERY_CASE}
    assert reached == {None, *range(len(RULES))}
