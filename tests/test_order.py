import random
import re
import time

import pytest

from ssegauge.order import MAX_POSITIONS, Deviation, Order, OrderError

THINK = "thought+ status token+ complete"


@pytest.mark.parametrize(
    ("text", "accepted", "refused"),
    [
        (THINK, ["thought status token complete", "thought thought status token token complete"], ["", "thought"]),
        ("a|b c", ["a", "b c"], ["a c", "b", "a b c"]),
        ("(a|b) c", ["a c", "b c"], ["a", "a b c"]),
        ("a* b?", ["", "a", "b", "a a b"], ["b a", "b b"]),
        ("a{2}", ["a a"], ["a", "a a a"]),
        ("a{2,}", ["a a", "a a a a"], ["a"]),
        ("a{0,2} b", ["b", "a b", "a a b"], ["a a a b"]),
        ("(a b?){1,2} c", ["a c", "a b a c", "a a b c"], ["c", "a b a b a c"]),
        ("start . end", ["start x end", "start end end"], ["start end", "start x y end"]),
        ("start .* end", ["start end", "start x y end", "start end end"], ["start x"]),
        (
            "response.created x-1:y/z (response.output_text.delta)+",
            ["response.created x-1:y/z response.output_text.delta"],
            ["response.created"],
        ),
        ("Straße+", ["Straße"], ["strasse"]),
    ],
)
def test_an_order_accepts_just_its_sequences(text, accepted, refused):
    order = Order.compile(text)
    assert [order.deviation(sequence.split()) for sequence in accepted] == [None] * len(accepted)
    assert all(order.deviation(sequence.split()) is not None for sequence in refused)


def test_a_quoted_type_may_hold_anything_that_an_event_type_can():
    order = Order.compile(r'"two words"+ "say \"hi\" \\" "."')
    assert order.deviation(["two words", 'say "hi" \\', "."]) is None
    assert order.deviation(["two words", 'say "hi" \\', "anything"]) is not None
    assert order.types == {"two words", 'say "hi" \\', "."}


def test_the_deviation_is_the_end_of_the_shortest_prefix_that_nothing_repairs():
    order = Order.compile(THINK)
    assert order.deviation(["thought", "token", "status"]) == Deviation(1, "token", ("thought", "status"))


def test_a_sequence_that_stops_too_early_says_what_was_awaited():
    assert Order.compile(THINK).deviation(["thought", "status", "token"]) == Deviation(3, None, ("token", "complete"))


def test_nothing_may_follow_an_exhausted_order():
    assert Order.compile("a").deviation(["a", "a"]) == Deviation(1, "a", ())


def test_states_are_advanced_one_event_at_a_time():
    state = Order.compile("a b*").start()
    assert not state.accepting
    state = state.advance("a")
    assert state is not None
    assert state.accepting
    assert state.expected == ("b",)
    assert state.advance("c") is None


def test_first_says_what_can_begin():
    order = Order.compile("a? (b|c+) d")
    assert [order.first(type) for type in "abcd"] == [True, True, True, False]


@pytest.mark.parametrize(
    ("text", "column", "words"),
    [
        ("", 1, "expected an event type or (, found the end"),
        ("  ", 3, "found the end"),
        ("a, b", 2, "found ','"),
        ("a b)", 4, "found ')'"),
        ("a (b", 3, "never closed"),
        ("a (b | , c)", 8, "found ','"),
        ("a |", 4, "found the end"),
        ("| a", 1, "found '|'"),
        ("()", 2, "found ')'"),
        ("+ a", 1, "found '+'"),
        ("^a$", 1, "found '^'"),
        ("a+*", 3, "two repetitions in a row"),
        ("a+?", 3, "two repetitions in a row"),
        ("a{3,2}", 2, "{3,2} repeats nothing"),
        ("a{0}", 2, "repeats nothing"),
        ("a{,3}", 2, "{m}, {m,} or {m,n}"),
        ("a{x}", 2, "{m}, {m,} or {m,n}"),
        ('a "b', 3, "never closed"),
        ('a ""', 3, "never empty"),
        ("thought.*", 1, "begins or ends with a dot"),
        ("(" * 101 + "a" + ")" * 101, 101, "nested more than 100 deep"),
        (f"a{{{MAX_POSITIONS + 1}}}", 1, "too long"),
        ("((a{100}){100}){100}", 3, "too long"),
    ],
)
def test_a_mistake_names_its_column_and_what_was_expected(text, column, words):
    with pytest.raises(OrderError) as caught:
        Order.compile(text)
    assert caught.value.column == column
    assert str(caught.value).startswith(f"column {column}: ")
    assert words in str(caught.value)
    assert "\n" not in str(caught.value)


def _random_expression(dice, depth=0):
    kind = dice.randrange(6) if depth < 4 else 0
    if kind <= 1:
        return dice.choice(["a", "b", "c", "."])
    inner = [_random_expression(dice, depth + 1) for _ in range(dice.randrange(1, 4))]
    joined = (" | " if kind == 2 else " ").join(inner)
    if kind < 4:
        return f"( {joined} )"
    return f"( {joined} ){dice.choice(['*', '+', '?', '{2}', '{1,}', '{0,2}', '{2,3}'])}"


def test_an_order_agrees_with_a_regular_expression_over_letters():
    dice = random.Random(20240607)
    for _ in range(400):
        text = _random_expression(dice)
        order, pattern = Order.compile(text), re.compile(text.replace(" ", ""))
        for _ in range(20):
            word = "".join(dice.choices("abc", k=dice.randrange(7)))
            deviation = order.deviation(word)
            assert (deviation is None) == (pattern.fullmatch(word) is not None), (text, word)


def test_a_deviation_can_really_not_be_repaired_and_its_prefix_can():
    dice = random.Random(7)
    words = ["".join(dice.choices("abc", k=length)) for length in range(9) for _ in range(60)]
    for _ in range(60):
        text = _random_expression(dice)
        order, pattern = Order.compile(text), re.compile(text.replace(" ", ""))
        accepted = [word for word in words if pattern.fullmatch(word)]
        for word in words:
            deviation = order.deviation(word)
            if deviation is not None and deviation.found is not None:
                assert not any(other.startswith(word[: deviation.at + 1]) for other in accepted), (text, word)


def test_what_makes_backtracking_explode_takes_no_time():
    started = time.process_time()
    for text in ("(a?){500} a{500}", "((a*)*)* b", "(a|a)+ (a|aa)* b", "(a|b)* a (a|b){200}"):
        Order.compile(text).deviation(["a"] * 500)
    assert time.process_time() - started < 5


def test_parts_hold_the_events_of_each_key_and_what_surrounds_them():
    order = Order.compile("open (start delta* stop)? close")
    events = [("open", None), ("start", 0), ("start", 1), ("delta", 0), ("stop", 1), ("note", None), ("stop", 0)]
    parts = order.parts([*events, ("close", None)])
    assert parts == {0: [0, 1, 3, 6, 7], 1: [0, 2, 4, 7]}
    types = [type for type, _ in [*events, ("close", None)]]
    assert all(order.deviation(types[index] for index in indices) is None for indices in parts.values())


def test_without_any_key_the_whole_stream_is_one_part():
    assert Order.compile("a b").parts([("a", None), ("b", None)]) == {None: [0, 1]}


def test_orders_are_equal_when_their_texts_are():
    assert Order.compile("a b") == Order.compile("a b") != Order.compile("a  b")
    assert len({Order.compile("a"), Order.compile("a")}) == 1
