"""What one stream does, or is made to do, is no other stream's business, and costs nothing once it is over."""

import pytest

from tests.load.acting import acted


def test_a_stream_that_cannot_be_judged_costs_no_other_stream_its_events(source):
    """A fault of ours, planted: what a server makes us stumble over must not be blamed on those read beside it."""
    found = acted(
        source,
        """
from ssegauge.load.stream import Stream
whole = Stream._take
def stumbling(self, events, stamp, before, slice_):
    if self._endpoint == "odd" and self.events >= 5:
        raise OverflowError("planted")
    whole(self, events, stamp, before, slice_)
Stream._take = stumbling
paths = {"odd": "/ok?events=20&gap_ms=5"} | {f"good {n}": "/ok?events=20&gap_ms=5" for n in range(20)}
streams = {name: gevent.spawn(user().stream, "GET", path, name=name) for name, path in paths.items()}
gevent.joinall(streams.values())
say(**{name: [stream.value.verdict, stream.value.events, stream.value.unjudged] for name, stream in streams.items()})
""",
    )
    assert found.pop("odd") == ["malformed", 5, True]
    assert set(map(tuple, found.values())) == {("complete", 21, False)}


def test_who_has_left_takes_nobody_s_socket_along(source):
    """The number of a closed socket is the next one's: whoever left it has no business with it any more."""
    found = acted(
        source,
        """
one, other = user(), user()
with one.stream("GET", "/ok?events=1000&gap_ms=20", events=True) as first:
    for event in first:
        first.leave()
    second = other.stream("GET", "/ok?events=40&gap_ms=20", events=True, timeouts=Timeouts(idle=5 * SECOND))
    second.__enter__()
    events = iter(second)
    next(events)
watched = one.session.reader.open_sockets
for event in events:
    pass
second.__exit__(None, None, None)
say(left=first.outcome.verdict, other=second.outcome.verdict, watched=watched)
""",
    )
    assert found == {"left": "client_closed", "other": "complete", "watched": 1}


def test_who_stops_reading_reads_nothing_and_calls_nobody_silent(source):
    found = acted(
        source,
        """
with user().stream("GET", "/ok?events=200&gap_ms=10", events=True, timeouts=Timeouts(idle=0.3 * SECOND)) as stream:
    events = iter(stream)
    next(events)
    stream.resume()  # it reads already
    stream.pause()
    stream.pause()
    before = stream._stream.bytes
    gevent.sleep(1 * SECOND)
    while_stopped = stream._stream.bytes - before
    stream.resume()
    rest = sum(1 for _ in events)
say(read=while_stopped, rest=rest, verdict=stream.outcome.verdict)
""",
    )
    assert found["read"] == 0
    assert (found["verdict"], found["rest"]) == ("complete", 200)


def test_a_slow_task_holds_its_stream_up_and_the_run_says_so(source):
    """At most ten thousand events wait for a task, then the server has to; that these gaps are ours is counted."""
    found = acted(
        source,
        """
with user().stream("GET", "/flood?events=60000", name="flood", events=True) as stream:
    events = iter(stream)
    next(events)
    while not stream._paused:
        gevent.sleep(0.01)
    gevent.sleep(0.2 * SECOND)
    waiting = len(stream._inbox)
    rest = sum(1 for _ in events)
say(waiting=waiting, rest=rest, verdict=stream.outcome.verdict,
    held_up=user().session.recorder.ledger.book("flood").counters["held_up"])
""",
    )
    assert 10_000 < found["waiting"] < 20_000
    assert (found["verdict"], found["rest"]) == ("complete", 60_000)
    assert found["held_up"] >= 1


def test_streams_that_have_ended_are_not_kept_until_their_limits(source):
    found = acted(
        source,
        """
from ssegauge.load.stream import Stream
for _ in range(20):
    user().stream("GET", "/ok", timeouts=Timeouts(idle=3600, first_byte=3600, total=7200))
gc.collect()
say(kept=sum(isinstance(found, Stream) for found in gc.get_objects()))
""",
    )
    assert found["kept"] <= 1  # the last one may still be in the hands of whoever read it


def test_who_is_stopped_while_a_redirect_connects_has_left(source):
    """A full backlog answers nobody."""
    found = acted(
        source,
        """
import socket
full = socket.create_server(("127.0.0.1", 0), backlog=0)
before = [socket.create_connection(full.getsockname()) for _ in range(1)]
address = "http://127.0.0.1:%d/" % full.getsockname()[1]
outcomes = []
environment.events.request.add_listener(lambda exception, **_: outcomes.append(str(exception or "none")))
visitor = user()
visitor._tell = lambda outcome: outcomes.append(outcome.verdict)
task = gevent.spawn(visitor.stream, "GET", "/redirect?to=" + address)
gevent.sleep(0.5 * SECOND)
waited = not task.ready()
task.kill()
say(waited=waited, outcomes=outcomes)
""",
    )
    assert found == {"waited": True, "outcomes": ["client_closed"]}


@pytest.mark.parametrize("busy", [3, 30])
def test_limits_are_looked_at_however_many_sockets_have_something(source, busy):
    found = acted(
        source,
        f"""
from ssegauge.load import reader
reader._MOST = 8  # sockets of a sweep
floods = [gevent.spawn(user().stream, "GET", "/flood?events=100000000", timeouts=Timeouts(total=20 * SECOND))
          for _ in range({busy})]
silent = gevent.spawn(user().stream, "GET", "/mute", timeouts=Timeouts(first_byte=0.5 * SECOND))
silent.join(15 * SECOND)
say(verdict=silent.value.verdict if silent.value else "", floods=sum(not flood.ready() for flood in floods))
""",
    )
    assert found == {"verdict": "timeout", "floods": busy}


def test_a_connection_does_not_take_as_long_as_we_were_busy(source):
    """The kernel knows when it was there; that we looked later is the generator's lag and not the target's."""
    found = acted(
        source,
        """
from gevent.monkey import get_original
user().stream("GET", "/ok")  # its name is looked up
def be_busy():
    get_original("time", "sleep")(0.5 * SECOND)
streams = [gevent.spawn(user().stream, "GET", "/ok") for _ in range(5)]
gevent.spawn(be_busy)
gevent.joinall(streams)
say(connect=max(stream.value.times["connect"] for stream in streams) / 1e6 / SECOND,
    lasted=max(stream.value.lasted_us for stream in streams) / 1e6 / SECOND)
""",
    )
    assert found["connect"] < 0.25


def test_no_limit_to_connect_is_none(source):
    found = acted(
        source,
        """
environment.parsed_options.sse_connect_timeout = 0.0
say(verdict=user().stream("GET", "/ok").verdict)
""",
    )
    assert found["verdict"] == "complete"


def test_a_worker_that_comes_after_a_reset_is_counted_with_the_others(source):
    """It hears of resets with the options that it is given together with its users."""
    found = acted(
        source,
        """
from ssegauge.load.conductor import Conductor
from ssegauge.load.generator import Generator
environment.create_local_runner()
conductor = Conductor(environment)
conductor.begin()
conductor.reset()
late = Generator(Environment(user_classes=[Reader], parsed_options=environment.parsed_options))
late.session.recorder.started("/")
conductor.collector.add("late", late.delta(final=True))
say(attempted=conductor.collector.ledger.book("/").counters["attempted"])
""",
    )
    assert found["attempted"] == 1
