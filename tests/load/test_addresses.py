"""A name is looked up once for all that wait, and again before the answer is old."""

import socket

import pytest

from ssegauge.load.addresses import Addresses

ONE, OTHER = [(socket.AF_INET, ("127.0.0.1", 80))], [(socket.AF_INET, ("127.0.0.2", 80))]


class Names:
    """A resolver that answers when it is told to, and a clock."""

    def __init__(self):
        import gevent.event

        self.spawn, self.idle = gevent.spawn, gevent.idle
        self.told = gevent.event.Event()
        self.asked = 0
        self.answer = ONE
        self.time = 0.0
        self.addresses = Addresses(self.look_up, lambda: self.time)

    def look_up(self, *_):
        self.asked += 1
        self.told.wait()
        if isinstance(self.answer, Exception):
            raise self.answer
        return self.answer

    def ask(self, count=1):
        """So many ask at once; they have begun when this returns."""
        asking = [self.spawn(self.addresses.of, "example.org", 80) for _ in range(count)]
        self.idle()
        return asking

    def say(self, answer=ONE):
        self.answer = answer
        self.told.set()
        self.idle()
        self.idle()
        self.told.clear()

    def known(self):
        """What is said at once."""
        asking = self.ask()[0]
        return asking.value if asking.ready() else None


@pytest.fixture
def names():
    return Names()


def test_many_that_ask_at_once_share_one_look_up(names):
    asking = names.ask(100)
    names.say()
    assert [greenlet.get() for greenlet in asking] == [ONE] * 100
    assert names.asked == 1


def test_what_is_known_is_not_asked_for_again(names):
    names.ask()
    names.say()
    names.time = 29
    assert (names.known(), names.asked) == (ONE, 1)


def test_an_old_answer_serves_while_it_is_renewed(names):
    names.ask()
    names.say()
    names.time = 31
    assert [names.known(), names.known()] == [ONE, ONE]
    assert names.asked == 2
    names.say(OTHER)
    assert (names.known(), names.asked) == (OTHER, 2)


def test_a_very_old_answer_serves_no_more(names):
    names.ask()
    names.say()
    names.time = 3600
    asking = names.ask(3)
    assert not any(greenlet.ready() for greenlet in asking)
    names.say(OTHER)
    assert [greenlet.get() for greenlet in asking] == [OTHER] * 3


def test_a_failure_is_told_to_all_that_waited_and_is_not_kept(names):
    def ask():
        with pytest.raises(socket.gaierror, match="no such name"):
            names.addresses.of("example.org", 80)
        return True

    asking = [names.spawn(ask) for _ in range(3)]
    names.idle()
    names.say(socket.gaierror(socket.EAI_NONAME, "no such name"))
    assert [greenlet.get() for greenlet in asking] == [True] * 3
    again = names.ask()
    names.say()
    assert (again[0].get(), names.asked) == (ONE, 2)


def test_a_name_that_is_gone_is_told_to_the_next(names):
    names.ask()
    names.say()
    names.time = 31
    assert names.known() == ONE
    names.say(socket.gaierror(socket.EAI_NONAME, "no such name"))
    assert names.known() is None, "it is asked for again"


def test_the_others_are_told_though_the_first_has_left(names):
    first, *others = names.ask(3)
    first.kill()
    names.say()
    assert [greenlet.get() for greenlet in others] == [ONE, ONE]


@pytest.mark.parametrize(("host", "family"), [("127.0.0.1", socket.AF_INET), ("::1", socket.AF_INET6)])
def test_what_is_written_as_an_address_is_asked_of_nobody(host, family):
    asked = []
    assert Addresses(lambda *place: asked.append(place)).of(host, 80) == [
        (family, (host, 80, 0, 0)[: 2 if "." in host else 4])
    ]
    assert asked == []
