"""Tokens and limits: what is counted, what is a good stream, what is asked; pure parts, without a run."""

import json
import random
from collections import Counter

import pytest

from ssegauge import results
from ssegauge.errors import UserError
from ssegauge.gate import metrics, thresholds
from ssegauge.load import goodput
from ssegauge.load.contract import Contract, Delivery, Watch
from ssegauge.load.dialects import DIALECTS, Chat, dialect_of
from ssegauge.load.figures import book_figures
from ssegauge.load.judge import _missed
from ssegauge.load.ledger import Book
from ssegauge.load.outcome import Outcome
from ssegauge.load.prompts import Conversation, Prompts, read_prompts
from ssegauge.load.recorder import Recorder
from ssegauge.profile import ProfileError, load
from ssegauge.profile.endpoint import Endpoint
from ssegauge.profile.presets import PRESETS
from ssegauge.verdict import Facts, verdict
from ssegauge.wire import LazyDecoder

COMPLETE = Facts("message_end", 200, True, 3, True, True, False, False)


def watched(preset, *blocks):
    watch = Watch(Contract(Endpoint(name="chat", **PRESETS[preset])), Delivery(), lambda _: None)
    for event in LazyDecoder("").feed("".join(f"{block}\n\n" for block in blocks).encode()):
        watch.see(event, 0.0)
    return watch


def chunk(delta, **more):
    return "data: " + json.dumps({"choices": [{"index": 0, "delta": delta}], **more})


ROLE = chunk({"role": "assistant", "content": ""})


def test_a_token_is_a_chunk_with_content_and_no_other():
    watch = watched("openai-chat", ROLE, chunk({"content": "a"}), chunk({"content": "b"}), chunk({}), "data: [DONE]")
    assert (watch.matched, watch.tokens) == (2, None)


def test_a_piece_of_a_tool_call_is_a_token():
    assert watched("openai-chat", ROLE, chunk({"content": None, "tool_calls": [{"index": 0}]})).matched == 1


def test_the_server_s_count_goes_before_ours_without_what_it_kept_to_itself():
    usage = {"completion_tokens": 30, "completion_tokens_details": {"reasoning_tokens": 20}}
    last = "data: " + json.dumps({"choices": [], "usage": usage})
    assert watched("openai-chat", chunk({"content": "a b c"}), last).tokens == 10


@pytest.mark.parametrize(
    ("preset", "block"),
    [
        ("openai-responses", {"type": "response.completed", "response": {"usage": {"output_tokens": 7}}}),
        ("anthropic-messages", {"type": "message_delta", "delta": {}, "usage": {"output_tokens": 7}}),
    ],
)
def test_each_api_counts_in_its_own_place(preset, block):
    assert watched(preset, f"event: {block['type']}\ndata: {json.dumps(block)}").tokens == 7


LIMITS = {"first_match": 0.5, "time_per_token": 0.05, "longest_gap": 1.0}


def missed(times, facts=COMPLETE, limits=LIMITS, **more):
    contract = Contract(Endpoint(name="chat", **PRESETS["openai-chat"]), limits=limits)
    return _missed(Outcome("chat", verdict(facts), facts, times=times, **more), contract)


def test_a_stream_within_its_limits_is_good():
    assert missed({"first_match": 500_000.0, "time_per_token": 50_000.0, "longest_gap": 2.0}) == ()


def test_each_limit_that_is_not_kept_is_named():
    assert missed({"first_match": 500_001.0, "time_per_token": 60_000.0}) == ("first_match", "time_per_token")


def test_a_token_that_never_came_is_too_late_and_a_gap_that_never_was_is_not_too_long():
    assert missed({}) == ("first_match",)


def test_a_failed_stream_is_not_good_however_fast():
    assert missed({"first_match": 1.0}, faults={"order": 1}) == ("failed",)


def test_a_stream_that_we_closed_is_not_judged():
    assert missed({"first_match": 1.0}, Facts("client", 200, True, 3, True, False, False, False)) is None


def test_without_limits_nothing_is_good_or_bad():
    assert missed({"first_match": 1.0}, limits=None) is None


class Still:
    offset_ns = 0

    @staticmethod
    def wall_second(_now):
        return 1


@pytest.fixture
def figures():
    """Four streams of 11 tokens: three at 20 ms a token, of which one was slow to begin, and one that failed."""
    recorder = Recorder(Still())
    for first, lost in ((100_000.0, ()), (100_000.0, ()), (900_000.0, ("first_match",)), (100_000.0, ("failed",))):
        recorder.started("chat")
        facts = COMPLETE if lost != ("failed",) else Facts("eof", 200, True, 3, True, False, False, False)
        times = {"first_match": first, "time_per_token": 20_000.0, "duration": 400_000.0}
        recorder.ended(Outcome("chat", verdict(facts), facts, times=times, tokens=11, missed=lost))
    return book_figures(Book.from_json(json.loads(json.dumps(recorder.take().book("chat").to_json()))))


def test_goodput_is_the_share_of_good_streams(figures):
    assert figures["goodput"] == {"good": 2, "judged": 4, "missed": {"failed": 1, "first_match": 1}}
    assert metrics.read(figures, metrics.metric("goodput")).value == 0.5


def test_tokens_a_second_are_of_each_stream_that_did_not_fail(figures):
    rate = figures["rates"]["tokens_per_second"]
    assert (rate["count"], rate["p50"]) == (3, pytest.approx(50, rel=0.002))
    read = metrics.read(figures, metrics.metric("tokens_per_second.p05"))
    assert (read.value, read.samples) == (pytest.approx(50, rel=0.002), 3)
    assert metrics.read(figures, metrics.metric("rates.tokens_per_second.p2")).value == pytest.approx(50, rel=0.002)
    assert figures["events"]["tokens"] == 44


def test_the_figures_are_what_the_schema_says(figures):
    document = {"schema": results.SCHEMA, "kind": "load", "scenario": "llm_chat", "valid": True, **figures}
    results.check(document, "results.json")
    assert metrics.read({**document, "duration_s": 2.0}, metrics.metric("events.tokens_per_second")).value == 22


def test_gates_can_ask_for_them():
    text = '[load.llm_chat]\n"goodput" = ">= 95%"\n"tokens_per_second.p50" = "> 20/s"\n"time_per_token.p99" = "< 80ms"'
    goods, rate, time = thresholds.parse(text, "gates.toml").load
    assert (goods.metric.kind, goods.metric.more_is_better, goods.threshold.limit) == ("share", True, 0.95)
    assert (rate.metric.kind, rate.metric.more_is_better, rate.threshold.limit) == ("rate", True, 20.0)
    assert (time.metric.kind, time.threshold.limit) == ("time", 80.0)


def test_limits_are_read_with_their_units():
    assert goodput.stated(" first_match=500ms, time_per_token = 0.05s,") == {"first_match": 0.5, "time_per_token": 0.05}
    assert goodput.stated("") == {}


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("first_match", '"first_match" is no limit; write first_match=500ms'),
        ("first_mach=1s", 'there is no time "first_mach" (did you mean "first_match"?)'),
        ("first_match=soon", 'first_match: "soon" is no duration'),
    ],
)
def test_a_wrong_limit_is_one_clear_line(text, said):
    with pytest.raises(UserError) as wrong:
        goodput.stated(text)
    assert said in str(wrong.value)


def test_a_limit_on_tokens_needs_to_know_them(tmp_path):
    with pytest.raises(UserError, match="first_match needs to know which events are tokens"):
        goodput.check({"first_match": 1.0}, [Endpoint(name="bare")])
    path = tmp_path / "target.toml"
    head = 'base_url = "http://127.0.0.1:1"\n[[endpoint]]\nname = "chat"\n'
    path.write_text(head + 'goodput = { time_per_token = "50ms" }\n')
    with pytest.raises(ProfileError, match=r"target.toml:4: .*needs first_match"):
        load(path)
    path.write_text(head + 'preset = "openai-chat"\ngoodput = { time_per_token = "50ms" }\n')
    assert goodput.in_ms({}, load(path).endpoint) == {"chat": {"time_per_token": 50.0}}


# -- prompts


def written(tmp_path, text, name="prompts.jsonl"):
    path = tmp_path / name
    path.write_text(text, encoding="utf-8")
    return path


def test_prompts_come_in_four_forms(tmp_path):
    lines = [
        '"plain"',
        '{"prompt": "one", "weight": 3}',
        '{"turns": ["first", "second"], "system": "Be brief.", "body": {"max_tokens": 5}}',
        '{"messages": [{"role": "user", "content": "a"}, {"role": "assistant", "content": "b"}, {"role": "user", "content": "c"}]}',
    ]
    history = ({"role": "user", "content": "a"}, {"role": "assistant", "content": "b"})
    expected = [
        Conversation(("plain",)),
        Conversation(("one",), weight=3.0),
        Conversation(("first", "second"), system="Be brief.", body={"max_tokens": 5}),
        Conversation(("c",), history=history),
    ]
    assert read_prompts(written(tmp_path, "\n".join(lines))).conversations == expected
    assert read_prompts(written(tmp_path, f"[{','.join(lines)}]", "prompts.json")).conversations == expected
    assert read_prompts(written(tmp_path, "one\n\ntwo\n", "p.txt")).conversations == [
        Conversation(("one",)),
        Conversation(("two",)),
    ]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "holds no prompt"),
        ("hello", ":1: not valid JSON"),
        ('"a"\n{"prmpt": "b"}', ":2: unknown key 'prmpt'"),
        ('{"prompt": "a", "turns": ["b"]}', "exactly one of prompt, turns and messages"),
        ('{"turns": []}', "turns: expected text"),
        ('{"messages": [{"role": "user"}]}', "expected objects with role and content"),
        ('{"prompt": "a", "weight": -1}', "weight: expected a number that is not negative"),
        ('{"prompt": "a", "weight": 0}', "every weight is 0"),
        ("[1]", "expected a text, or an object"),
    ],
)
def test_a_mistake_in_the_prompts_is_one_clear_line(tmp_path, text, said):
    with pytest.raises(UserError) as wrong:
        read_prompts(written(tmp_path, text))
    assert said in str(wrong.value)
    assert "\n" not in str(wrong.value)


def test_prompts_are_drawn_by_weight_and_seed():
    prompts = Prompts(
        [Conversation(("often",), weight=3), Conversation(("seldom",)), Conversation(("never",), weight=0)]
    )

    def drawn():
        dice = random.Random(1)
        return [prompts.draw(dice).turns[0] for _ in range(4000)]

    counts = Counter(drawn())
    assert set(counts) == {"often", "seldom"}
    assert counts["often"] == pytest.approx(3000, abs=150)
    assert drawn() == drawn()


def test_a_chat_sends_all_that_was_said():
    chat = Chat(DIALECTS["openai-chat"], Conversation(("a", "b"), system="Be brief.", body={"seed": 1}), {"model": "m"})
    chat.ask("a")
    chat.hear("answer")
    assert chat.ask("b") == {
        "model": "m",
        "seed": 1,
        "stream": True,
        "stream_options": {"include_usage": True},
        "messages": [
            {"role": "system", "content": "Be brief."},
            {"role": "user", "content": "a"},
            {"role": "assistant", "content": "answer"},
            {"role": "user", "content": "b"},
        ],
    }


def test_what_the_profile_says_goes_before_the_preset_s_body_and_null_takes_away():
    chat = Chat(DIALECTS["openai-chat"], Conversation(("a",)), {"stream_options": None, "messages": ["of the profile"]})
    assert chat.ask("a") == {"stream": True, "messages": [{"role": "user", "content": "a"}]}


@pytest.mark.parametrize(
    ("preset", "event", "asked"),
    [
        ("openai-chat", {"choices": [{"delta": {"content": "a"}}]}, "messages"),
        ("openai-responses", {"type": "response.output_text.delta", "delta": "a"}, "input"),
        (
            "anthropic-messages",
            {"type": "content_block_delta", "delta": {"type": "text_delta", "text": "a"}},
            "messages",
        ),
    ],
)
def test_each_api_is_asked_and_heard_in_its_own_words(preset, event, asked):
    dialect = dialect_of(preset, "chat")
    assert dialect.text_of(json.dumps(event)) == "a"
    assert dialect.text_of("[DONE]") == ""
    assert dialect.body("", [{"role": "user", "content": "q"}])[asked] == [{"role": "user", "content": "q"}]
