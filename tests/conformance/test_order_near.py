"""Orders, terminals, sequences and progress that look odd and are right, beside those that are not."""

from __future__ import annotations

import json
from typing import Any

import pytest

from ssegauge.profile.presets import PRESETS
from ssegauge.verdict import EndKind
from tests.mutants.host import Host
from tests.mutants.order import Parts

from .near import held
from .recorded import at_once, exchange, said

DONE = b"data: [DONE]\n\n"
CHUNK = b'data: {"choices": []}\n\n'


def ev(kind: str, data: Any = None) -> bytes:
    return f"event: {kind}\ndata: {json.dumps({} if data is None else data)}\n\n".encode()


def outcome_of(rule: str, *frames: bytes, end: EndKind = "message_end", **keys: Any) -> str:
    return said(rule, exchange(at_once(*frames), end=end), **keys).partition(":")[0]


@pytest.mark.parametrize(
    ("order", "frames", "outcome"),
    [
        ("message+", [CHUNK, CHUNK, DONE], "pass"),
        ("message+", [DONE], "fail"),  # a sentinel is no chunk
        ('message+ "[DONE]"', [CHUNK, DONE], "pass"),
        ('start delta* "[DONE]"', [ev("start"), ev("delta"), DONE], "pass"),
        ("start delta* message", [ev("start"), ev("delta"), DONE], "pass"),  # its only use for a message
        ("start delta*", [ev("start"), ev("delta"), DONE], "pass"),
        ("message{3}", [CHUNK, CHUNK, DONE], "fail"),
    ],
)
def test_a_sentinel_counts_where_the_order_has_a_place_for_it(order: str, frames: list[bytes], outcome: str) -> None:
    assert outcome_of("ORD-01", *frames, order=order, terminal_data=["[DONE]"]) == outcome


KEYS: dict[str, Any] = {"order": "start delta+ done", "terminal": ["done"], "errors": ["error"], "ignore": ["ping"]}


@pytest.mark.parametrize(
    ("frames", "end", "outcome"),
    [
        ([ev("start"), ev("delta"), ev("done")], "message_end", "pass"),
        ([ev("ping"), ev("start"), ev("ping"), ev("delta"), ev("done"), ev("ping")], "message_end", "pass"),
        ([ev("start"), ev("error")], "message_end", "pass"),  # it failed, and said so
        ([ev("error")], "message_end", "untestable"),
        ([ev("start"), ev("delta")], "client", "pass"),  # we left
        ([ev("start"), ev("delta")], "message_end", "pass"),  # ORD-02's
        ([ev("start"), ev("delta")], "eof", "pass"),  # likewise
        ([ev("start"), ev("delta"), ev("done"), ev("delta")], "message_end", "pass"),  # ORD-03's
        ([ev("delta"), ev("done")], "message_end", "untestable"),  # ORD-07's
        ([ev("start"), ev("done")], "message_end", "fail"),
        ([ev("start"), ev("start"), ev("delta"), ev("done")], "message_end", "fail"),
    ],
)
def test_the_order_speaks_of_what_nobody_else_judges(frames: list[bytes], end: EndKind, outcome: str) -> None:
    assert outcome_of("ORD-01", *frames, end=end, **KEYS) == outcome


def test_a_stream_without_terminal_may_not_stop_too_early() -> None:
    keys = {"order": "start delta+ stop"}
    assert outcome_of("ORD-01", ev("start"), ev("delta"), **keys) == "fail"
    assert outcome_of("ORD-01", ev("start"), ev("delta"), end="client", **keys) == "pass"
    assert outcome_of("ORD-01", ev("start"), ev("delta"), end="reset", **keys) == "pass"  # HTTP-11's


def test_half_a_payload_is_no_event_out_of_order() -> None:
    torn = [ev("start"), b'event: delta\ndata: {"a":\n\n', b"data: 1}\n\n", ev("delta"), ev("done")]
    assert outcome_of("ORD-01", *torn, data="json", **KEYS) == "pass"
    assert outcome_of("ORD-01", *torn, **KEYS) == "fail"  # as text it is an event too many


def test_an_error_may_come_first() -> None:
    assert outcome_of("ORD-07", ev("error"), **KEYS) == "untestable"
    assert outcome_of("ORD-07", ev("ping"), ev("start"), **KEYS) == "pass"
    assert outcome_of("ORD-07", ev("ping"), ev("delta"), **KEYS) == "fail"


class TestAnthropicParts:
    """Content blocks that come one after the other, and side by side, inside what surrounds them."""

    def judged(self, *frames: bytes, end: EndKind = "message_end") -> str:
        return outcome_of("ORD-13", *frames, end=end, **PRESETS["anthropic-messages"])

    def block(self, kind: str, index: int) -> bytes:
        return ev(f"content_block_{kind}", {"type": f"content_block_{kind}", "index": index})

    def around(self, *parts: bytes) -> list[bytes]:
        return [ev("message_start"), ev("ping"), *parts, ev("message_delta"), ev("message_stop")]

    def test_blocks_one_after_the_other(self) -> None:
        parts = [self.block(kind, index) for index in (0, 1) for kind in ("start", "delta", "delta", "stop")]
        assert self.judged(*self.around(*parts)) == "pass"

    def test_blocks_side_by_side(self) -> None:
        parts = [self.block(kind, index) for kind in ("start", "delta", "stop") for index in (0, 1)]
        assert self.judged(*self.around(*parts)) == "pass"

    def test_no_block_at_all(self) -> None:
        assert self.judged(*self.around()) == "pass"

    def test_delta_after_its_stop(self) -> None:
        parts = [self.block("start", 0), self.block("stop", 0), self.block("delta", 0)]
        assert self.judged(*self.around(*parts)) == "fail"

    def test_block_that_is_never_closed(self) -> None:
        assert self.judged(*self.around(self.block("start", 0), self.block("delta", 0))) == "fail"

    def test_block_that_was_open_when_we_left(self) -> None:
        assert self.judged(ev("message_start"), self.block("start", 0), end="client") == "pass"

    def test_the_whole_is_left_to_the_parts(self) -> None:
        assert outcome_of("ORD-01", ev("message_start"), **PRESETS["anthropic-messages"]) == "not_declared"


@pytest.mark.parametrize(
    ("frames", "end", "outcome"),
    [
        ([ev("start"), ev("delta")], "message_end", "fail"),
        ([ev("start"), ev("delta")], "eof", "fail"),
        ([ev("start"), ev("delta")], "malformed", "fail"),
        ([ev("start"), ev("error")], "message_end", "fail"),
        ([ev("start"), ev("delta")], "client", "untestable"),
        ([ev("start"), b"event: done\ndata: {}\n"], "message_end", "untestable"),  # FRM-01's
        ([b"<html>\n<body>\n"], "message_end", "untestable"),  # FRM-05's
        ([], "message_end", "fail"),
    ],
)
def test_missing_terminal(frames: list[bytes], end: EndKind, outcome: str) -> None:
    assert outcome_of("ORD-02", *frames, end=end, **KEYS) == outcome


def test_json_instead_of_a_stream_lacks_more_than_its_terminal() -> None:
    seen = exchange(at_once(b'{"a": 1}'), headers=[("Content-Type", "application/json")])
    assert said("ORD-02", seen, **KEYS).startswith("untestable")


def test_comment_or_ping_after_the_terminal_is_tolerated() -> None:
    frames = [ev("start"), ev("delta"), ev("done"), b": bye\n\n", ev("ping")]
    assert outcome_of("ORD-03", *frames, **KEYS) == "pass"
    assert outcome_of("ORD-03", *frames, ev("usage"), **KEYS) == "fail"


def test_a_terminal_event_may_be_followed_by_one_sentinel() -> None:
    keys = {"terminal": ["done"], "terminal_data": ["[DONE]"]}
    assert outcome_of("ORD-08", ev("done"), DONE, **keys) == "pass"
    assert outcome_of("ORD-03", ev("done"), DONE, **keys) == "pass"
    assert outcome_of("ORD-08", ev("done"), DONE, DONE, **keys) == "fail"
    assert outcome_of("ORD-08", ev("done"), ev("done"), DONE, **keys) == "fail"


@pytest.mark.parametrize(
    ("end", "end_at", "outcome"),
    [
        ("message_end", 1.9, "pass"),
        ("message_end", 2.5, "fail"),
        ("client", 2.5, "fail"),
        ("timeout_total", 2.5, "fail"),
        ("client", 1.0, "untestable"),
    ],
)
def test_the_end_after_the_terminal(end: EndKind, end_at: float, outcome: str) -> None:
    seen = exchange(at_once(ev("start"), ev("done")), end=end, end_at=end_at)
    assert said("ORD-04", seen, terminal=["done"]).startswith(outcome)


@pytest.mark.parametrize(
    ("frames", "end", "keys", "outcome"),
    [
        ([ev("a")], "message_end", {}, "fail"),
        ([ev("a")], "client", {}, "pass"),
        ([ev("a")], "eof", {}, "pass"),
        ([ev("error")], "message_end", {"errors": ["error"]}, "pass"),
        ([], "message_end", {}, "untestable"),
        ([ev("a")], "message_end", {"terminal": ["done"]}, "pass"),
    ],
)
def test_an_end_that_tells_nothing(frames: list[bytes], end: EndKind, keys: dict[str, Any], outcome: str) -> None:
    assert outcome_of("ORD-09", *frames, end=end, **keys) == outcome


def numbered(*values: Any) -> list[bytes]:
    return [ev("tick", {} if value is None else {"seq": value}) for value in values]


@pytest.mark.parametrize(
    ("values", "increasing", "whole"),
    [
        ([1, 2, 3], "pass", "pass"),
        ([0, 1, 2], "pass", "pass"),
        ([41, 42, 43], "pass", "pass"),  # a stream may begin anywhere
        (["1", "2", "3"], "pass", "pass"),
        ([1.0, 2.0, 3.0], "pass", "pass"),
        ([1, None, 2, None], "pass", "pass"),  # some events bear no number
        ([None, None], "untestable", "untestable"),
        ([1, 2, 4], "pass", "fail"),
        ([1, 3, 2, 4], "fail", "pass"),
        ([1, 2, 2, 3], "fail", "pass"),
        ([1, 10**15], "pass", "fail"),  # found without counting what is missing
        ([True, False], "untestable", "untestable"),
    ],
)
def test_sequences(values: list[Any], increasing: str, whole: str) -> None:
    keys = {"sequence": {"pointer": "/seq"}, "data": "json"}
    assert outcome_of("ORD-05", *numbered(*values), **keys) == increasing
    assert outcome_of("ORD-10", *numbered(*values), **keys) == whole


def progressing(*values: Any) -> list[bytes]:
    return [*(ev("progress", {"progress": value}) for value in values), ev("done")]


@pytest.mark.parametrize(
    ("values", "forward", "within", "reached"),
    [
        ([0, 50, 100], "pass", "pass", "pass"),
        ([0, 50, 50, 100, 100], "pass", "pass", "pass"),
        ([0, None, 100], "pass", "pass", "pass"),  # not known yet
        ([33.3, 66.60000001, 99.99999999], "pass", "pass", "pass"),
        ([0, 60, 40, 100], "fail", "pass", "pass"),
        ([0, 50, 120], "pass", "fail", "pass"),
        ([-1, 100], "pass", "fail", "pass"),
        ([0, "50%", 100], "pass", "fail", "pass"),
        ([0, 50, 90], "pass", "pass", "fail"),
        ([0, 100, 90], "fail", "pass", "pass"),  # one cause, one line
        ([], "untestable", "pass", "untestable"),
    ],
)
def test_progress(values: list[Any], forward: str, within: str, reached: str) -> None:
    keys = {"progress": {"event": "progress", "pointer": "/progress", "range": [0, 100]}, "terminal": ["done"]}
    for rule, outcome in (("ORD-06", forward), ("ORD-11", within), ("ORD-12", reached)):
        assert outcome_of(rule, *progressing(*values), **keys) == outcome, rule


def test_the_terminal_itself_may_tell_the_last_of_the_progress() -> None:
    keys = {"progress": {"pointer": "/progress"}, "terminal": ["done"]}
    assert outcome_of("ORD-12", ev("step", {"progress": 50}), ev("done", {"progress": 100}), **keys) == "pass"


def test_each_part_has_a_progress_of_its_own() -> None:
    keys = {"progress": {"pointer": "/p"}, "group": {"pointer": "/file"}, "order": "up+", "terminal": ["done"]}
    frames = [ev("up", {"file": name, "p": value}) for value in (50, 100) for name in "ab"]
    assert outcome_of("ORD-06", *frames, ev("done"), **keys) == "pass"
    assert outcome_of("ORD-12", *frames, ev("done"), **keys) == "pass"
    assert outcome_of("ORD-12", *frames[:3], ev("done"), **keys) == "fail"


def test_parts_that_interleave_are_right(host: Host) -> None:
    held(host, Parts(), "ORD-02", "ORD-03", "ORD-07", "ORD-08", "ORD-13")


UNNAMED = [
    b'data: {"type":"response.%s"}\n\n' % name
    for name in (
        b"created",
        b"in_progress",
        b"output_item.added",
        b"output_text.delta",
        b"output_item.done",
        b"completed",
    )
]
"""Events whose name stands in the payload alone, as LiteLLM's proxy sends OpenAI's responses."""


@pytest.mark.parametrize("rule", ["ORD-01", "ORD-02", "ORD-03", "ORD-07", "ORD-13"])
def test_where_clients_go_by_the_payloads_type_it_is_the_type(rule: str) -> None:
    preset = {key: value for key, value in PRESETS["openai-responses"].items() if rule != "ORD-01" or key != "group"}
    assert outcome_of(rule, *UNNAMED, **preset) == "pass"
    assert outcome_of("ORD-02", *UNNAMED[:-1], **preset) == "fail"
    assert outcome_of("ORD-07", *UNNAMED[1:], **preset) == "fail"


def test_an_event_without_its_name_is_told_once() -> None:
    preset = PRESETS["openai-responses"]
    told = said("JSON-06", exchange(at_once(*UNNAMED)), **preset)
    assert told == "fail: response.created in an event of type message"
    assert outcome_of("ORD-02", *UNNAMED, **{**preset, "discriminator": {"pointer": "/type"}}) == "fail"
