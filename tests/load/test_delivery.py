"""Numbers that came, came twice, came late, or never."""

import random

import pytest

from ssegauge.load.delivery import Ids, Numbers


def follow(numbers):
    followed = Numbers()
    for number in numbers:
        followed.see(number)
    return followed.lost, followed.duplicated, followed.reordered


@pytest.mark.parametrize(
    ("numbers", "lost", "duplicated", "reordered"),
    [
        ([0, 1, 2, 3], 0, 0, 0),
        ([7, 8, 9], 0, 0, 0),
        ([0, 1, 3, 4], 1, 0, 0),
        ([0, 1, 5], 3, 0, 0),
        ([0, 1, 1, 2], 0, 1, 0),
        ([0, 2, 1, 3], 0, 0, 1),
        ([1, 0, 2], 0, 0, 1),
        ([0, 1, 2, 0, 1, 2], 0, 3, 0),
        ([0, 5, 3, 3], 3, 1, 1),
        ([5, 2, 6], 2, 0, 1),
        ([-2, -1, 0], 0, 0, 0),
        ([0, 10**15], 10**15 - 1, 0, 0),
    ],
    ids=str,
)
def test_every_number_is_accounted_for(numbers, lost, duplicated, reordered):
    assert follow(numbers) == (lost, duplicated, reordered)


def test_known_damage_is_counted_exactly():
    dice = random.Random(11)
    for _ in range(50):
        numbers = list(range(400))
        dropped = set(dice.sample(range(1, 399), 17))
        kept = [n for n in numbers if n not in dropped]
        repeated = dice.sample(kept, 9)
        for number in repeated:
            kept.insert(kept.index(number) + 1, number)
        assert follow(kept) == (17, 9, 0)


def test_holes_are_bounded_in_memory_and_exact_in_number():
    followed = Numbers()
    for number in range(0, 60_000, 2):
        followed.see(number)
    assert followed.lost == 29_999
    assert len(followed._holes) <= 10_000


def test_ids_that_count_show_what_a_resumed_stream_left_out():
    ids = Ids()
    for connection in (["1", "2", "3"], ["5", "6"]):
        ids.connect()
        for id in connection:
            ids.see(id)
    assert (ids.lost, ids.duplicated) == (1, 0)


def test_ids_that_do_not_count_show_repetitions_only():
    ids = Ids()
    for connection in (["a", "10", "12"], ["12", "20"]):
        ids.connect()
        for id in connection:
            ids.see(id)
    assert (ids.lost, ids.duplicated) == (0, 1)


def test_what_a_resumed_stream_replays_from_before_is_doubled_not_late():
    followed = Numbers()
    for connection in ([7], [5, 6, 7, 8]):
        followed.connect()
        for number in connection:
            followed.see(number)
    assert (followed.lost, followed.duplicated, followed.reordered) == (0, 3, 0)
