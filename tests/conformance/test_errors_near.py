"""Failures that are told well in unusual ways, and error texts that only look like leaks."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator

import pytest

from ssegauge.means.leaks import leaks
from ssegauge.pulse import Pulse
from tests.mutants.contract import PROFILE
from tests.mutants.encoding import SingleNewline
from tests.mutants.errors import SilentTruncation
from tests.mutants.host import Host
from tests.mutants.message import Call, Peer, block
from tests.mutants.server import Clean

from .near import held, outcome, outcomes
from .recorded import at_once, exchange, said

FAULT_RULES = ("ERR-01", "ERR-06", "ERR-07", "ERR-08", "ERR-09", "ERR-10", "ERR-11")
UNDECLARED = PROFILE.replace('errors   = ["error"]\n', "", 1)


def test_the_clean_server_fails_well(host: Host) -> None:
    held(host, Clean(), "ERR-02", "ERR-03", "ERR-04", "ERR-05", *FAULT_RULES)


class NeverFails(Clean):
    """The gateway tries again, and nobody notices."""

    async def events(self, call: Call, start: int) -> AsyncIterator[bytes]:
        call.query.pop("fail_after", None)
        async for frame in super().events(call, start):
            yield frame


def test_a_failure_that_does_not_come_about_is_not_judged(host: Host) -> None:
    for rule, text in outcomes(host, NeverFails(), *FAULT_RULES).items():
        assert text.startswith("untestable: the fault request brought the same finished stream"), rule


class FailsBeforeTheStart(Clean):
    def refusal(self, call: Call) -> tuple[int, dict[str, str]] | None:
        return (500, {}) if "fail_after" in call.query else super().refusal(call)


def test_a_failure_before_the_start_is_not_judged(host: Host) -> None:
    for rule, text in outcomes(host, FailsBeforeTheStart(), *FAULT_RULES).items():
        assert text.startswith("untestable: the fault request was answered with status 500"), rule


class CutsUndeclared(SilentTruncation):
    """A cut is a way to tell a failure, where no other is promised."""

    profile = UNDECLARED


def test_a_cut_can_be_told_from_an_end(host: Host) -> None:
    held(host, CutsUndeclared(), "ERR-06", "ERR-07", "ERR-09", "ERR-10", "ERR-11")


class FailsByAnotherName(Clean):
    """The profile declares no errors, but the stream ends in an event of its own kind."""

    profile = UNDECLARED

    def failure(self) -> bytes:
        return block(json.dumps({"type": "gave-up", "seq": 4}), event="gave-up")


def test_an_end_of_its_own_kind_can_be_told_from_success(host: Host) -> None:
    held(host, FailsByAnotherName(), "ERR-06", "ERR-07", "ERR-09", "ERR-10", "ERR-11")


class CutsInsideAnEvent(SilentTruncation):
    """Not even the field name was finished when the connection went."""

    profile = UNDECLARED

    async def produce(self, call: Call, peer: Peer, start: int) -> bool:
        finished = await super().produce(call, peer, start)
        if not finished:
            await peer.content(b"id: 4\nda")
        return finished


def test_half_a_line_is_no_foreign_text(host: Host) -> None:
    held(host, CutsInsideAnEvent(), "ERR-06", "ERR-11")


class CountsFromTheFailure(Clean):
    """`fail_after` is a number of seconds here, near enough to a number of events."""

    async def events(self, call: Call, start: int) -> AsyncIterator[bytes]:
        seconds = call.query.pop("fail_after", None)
        count = 0
        async for frame in super().events(call, start):
            if seconds is not None and count == 2:
                yield self.failure()
                return
            count += 1
            yield frame


def test_a_number_that_counts_something_else_proves_no_loss(host: Host) -> None:
    assert outcome(host, CountsFromTheFailure(), "ERR-08") == "untestable"


class CountsItsPings(Clean):
    """`fail_after` counts what is sent, and a ping is sent."""

    async def events(self, call: Call, start: int) -> AsyncIterator[bytes]:
        limit = int(call.query.pop("fail_after", "1000"))
        count = 0
        async for frame in super().events(call, start):
            for sent in (frame, block("{}", event="ping")) if count == 0 else (frame,):
                if count == limit:
                    yield self.failure()
                    return
                count += 1
                yield sent


class CountsItsPreamble(Clean):
    """`fail_after` counts what is sent, and a `retry` and a comment are sent before the first event."""

    async def events(self, call: Call, start: int) -> AsyncIterator[bytes]:
        limit = call.query.get("fail_after")
        if limit is not None:
            call.query["fail_after"] = str(int(limit) - 2)
        yield b"retry: 1500\n\n: welcome\n\n"
        async for frame in super().events(call, start):
            yield frame


def test_a_preamble_that_is_counted_is_no_lost_event(host: Host) -> None:
    assert outcome(host, CountsItsPreamble(), "ERR-08") == "untestable"


def test_events_that_the_profile_ignores_were_sent_all_the_same(host: Host) -> None:
    held(host, CountsItsPings(), "ERR-08")


def test_events_that_run_into_each_other_are_not_lost_by_a_failure(host: Host) -> None:
    found = outcomes(host, SingleNewline(), "FRM-06", *FAULT_RULES)
    assert [name for name, told in found.items() if told.startswith("fail")] == ["FRM-06"], found


class OthersEndToo(Clean):
    """One failure ends every other stream, and politely."""

    def __init__(self) -> None:
        super().__init__()
        self.failed = asyncio.Event()

    def failure(self) -> bytes:
        self.failed.set()
        return super().failure()

    async def events(self, call: Call, start: int) -> AsyncIterator[bytes]:
        fails = "fail_after" in call.query
        async for frame in super().events(call, start):
            if self.failed.is_set() and not fails:
                return
            yield frame


class NeverAnswersAgain(Clean):
    """Takes requests after a failure and says nothing more."""

    profile = PROFILE.replace('deadline = "3s"', 'deadline = "1s"')
    failed = False

    def failure(self) -> bytes:
        self.failed = True
        return super().failure()

    async def send_head(self, call: Call, peer: Peer) -> None:
        if self.failed and "fail_after" not in call.query:
            await asyncio.sleep(3600)
        await super().send_head(call, peer)


@pytest.mark.slow
@pytest.mark.parametrize(("overslept", "outcome"), [(0.0, "fail"), (1.0, "error")])
def test_silence_on_a_machine_that_oversleeps_proves_nothing(
    host: Host, overslept: float, outcome: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Pulse, "worst", lambda *_: overslept)
    assert outcomes(host, NeverAnswersAgain(), "ERR-10")["ERR-10"].partition(":")[0] == outcome


def test_neighbours_that_end_without_terminal_did_not_go_on(host: Host) -> None:
    assert outcome(host, OthersEndToo(), "ERR-10") == "fail"


# -- payloads -------------------------------------------------------------------------------------------------------


def judged(rule: str, payload: object, **keys: object) -> str:
    frame = block(payload if isinstance(payload, str) else json.dumps(payload), event="error")
    return said(rule, exchange(at_once(frame)), data="json", errors=["error"], **keys).partition(":")[0]


@pytest.mark.parametrize(
    ("payload", "outcome"),
    [
        ({"type": "about:blank", "title": "Not there", "status": 503}, "pass"),  # RFC 9457
        ({"code": -32000, "message": "not there"}, "pass"),
        ({"jsonrpc": "2.0", "id": 1, "error": {"code": -32000, "message": "not there"}}, "pass"),
        ({"type": "error", "error": {"type": "overloaded_error", "message": "Overloaded"}}, "pass"),  # Anthropic
        ({"error": {"message": "The server had an error", "type": "server_error", "code": None}}, "pass"),  # OpenAI
        ({"error": "invalid_grant", "error_description": "too old"}, "pass"),  # RFC 6749
        ({"error": "rate_limited", "message": "slow down"}, "pass"),
        ({"error": "it broke"}, "fail"),
        ({"message": "it broke"}, "fail"),
        ({"code": 5}, "fail"),
        ("it broke", "fail"),
        (["it broke"], "fail"),
    ],
)
def test_error_payloads_that_programs_can_read(payload: object, outcome: str) -> None:
    assert judged("ERR-03", payload) == outcome


def test_a_declared_schema_decides_about_error_payloads() -> None:
    schema = {"error": {"type": "object", "required": ["oops"]}}
    assert judged("ERR-03", {"oops": 1}, schema=schema) == "pass"
    assert judged("ERR-03", {"code": 1, "message": "no"}, schema=schema) == "fail"


def test_one_failure_may_be_told_twice() -> None:
    frames = [block("{}", event="error"), block("{}", event="response.failed")]
    assert said("ERR-04", exchange(at_once(*frames)), errors=["error", "response.failed"]) == "pass"
    late = exchange(at_once(*frames, block("{}", event="delta")))
    assert said("ERR-04", late, errors=["error", "response.failed"]).startswith("fail")


def test_pings_may_follow_an_error() -> None:
    seen = exchange(at_once(block("{}", event="error"), b": bye\n\n", block("", event="ping")))
    assert said("ERR-04", seen, errors=["error"], ignore=["ping"]) == "pass"


@pytest.mark.parametrize(
    "text",
    [
        "The model is not there, try again at 10:15",
        "Could not parse line 12 of your input: unexpected token at 3:14",
        "See https://docs.example.com/errors/timeout.html or https://github.com/org/repo/blob/main/src/app.py#L10",
        "/problems/out-of-credit",
        "/v1/streams/42/events",
        "/Users/2819c223/groups",  # SCIM
        "Please select a plan from the list, then update your card",
        "password: must be at least 8 characters",
        "Password incorrect",
        "secret=***",
        "Failed after 3 of 5 steps (60 %) at step fetch (retry 2)",
        "at least one item (see section 4) is required",
        "and/or either/or n/a",
        "Reference: 7f3e2a10-91b2-4c55-8e1d-0a4b6b1e2f33",
        "Maximum context length is 8192 tokens",
        "HTTP/1.1 503 from upstream",
        "ratio 3/4/5.c is odd",
    ],
)
def test_texts_for_users_are_no_leaks(text: str) -> None:
    assert list(leaks(text)) == []


@pytest.mark.parametrize(
    ("text", "what"),
    [
        ('Traceback (most recent call last):\n  File "x.py", line 3', "a stack trace"),
        ("TypeError: x\n    at Object.<anonymous> (index.js:10:5)", "a stack trace"),
        ("java.lang.NullPointerException\n\tat com.example.Foo.bar(Foo.java:42)", "a stack trace"),
        ("   at App.Run(String s) in C:\\src\\App.cs:line 12", "a stack trace"),
        ("panic: boom\ngoroutine 17 [running]:", "a stack trace"),
        ("thread 'main' panicked at src/main.rs:4:5", "a stack trace"),
        ("#0 index.php(12): run()", "a stack trace"),
        ("app.rb:12:in `call'", "a stack trace"),
        ("cannot open /srv/app/config/settings.yaml", "the path of a file"),
        ("No such file: /srv/deploy/.env/x", "the path of a file"),
        ("C:\\inetpub\\site\\web.config not found", "the path of a file"),
        ("SELECT id, name FROM users WHERE id = 1", "SQL"),
        ("duplicate key: INSERT INTO orders (id)", "SQL"),
        ('syntax error at or near "WHERE"', "SQL"),
        ("(sqlalchemy.exc.OperationalError) timeout", "SQL"),
        ("Incorrect API key provided: sk-abcdefghijklmnop1234", "a secret"),
        ("could not connect to postgres://app:hunter2@db.internal", "a secret"),
        ("host=db password=hunter22", "a secret"),
    ],
)
def test_leaks(text: str, what: str) -> None:
    found = {leak.what for leak in leaks(text)}
    assert what in found


def test_a_secret_is_not_quoted_whole() -> None:
    (leak,) = leaks("key sk-abcdefghijklmnop1234")
    assert leak.quote == "sk-abc…"
