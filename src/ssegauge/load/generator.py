"""The side of a run that makes load: a worker, or a process that runs alone."""

from __future__ import annotations

from weakref import WeakKeyDictionary

from locust.env import Environment

from ssegauge.load.collector import Delta
from ssegauge.load.histogram import Histogram
from ssegauge.load.session import forget, option, session_of


class Generator:
    """Says what has come since it was last asked."""

    def __init__(self, environment: Environment) -> None:
        self.environment = environment
        self.number = 0
        self.resets: int = option(environment, "sse_resets", 0)  # of the run, before this process took part in it
        self.session = session_of(environment)
        self.session.recorder.take()
        self.session.watch.restart()

    def restart(self, resets: int) -> None:
        """Begin anew, for the so-manieth time in this run."""
        self.resets = resets
        self.session.recorder.restart()

    def delta(self, *, final: bool) -> Delta:
        """Everything since the last one."""
        session = self.session
        recorder, clock = session.recorder, session.reader.clock
        session.watch.second()
        said = Delta(
            run=option(self.environment, "sse_run", "local"),
            number=self.number,
            resets=self.resets,
            ledger=recorder.take(),
            state={
                "peak_open": recorder.peak_open,
                "peaks": dict(recorder.peaks),
                "clock_steps": clock.steps,
                "cpu": session.watch.share_of_core(),
            },
            final=final,
            waits=self._waits(),
        )
        self.number += 1
        return said

    def _waits(self) -> Histogram:
        asked = option(self.environment, "sse_waits", None)  # by who looks for a capacity
        if asked is None:
            return Histogram()
        name, most_ms = asked
        return self.session.recorder.waits(most_ms * 1000, for_the_first=name == "first_event")


_generators: WeakKeyDictionary[Environment, Generator] = WeakKeyDictionary()


def generator_of(environment: Environment) -> Generator:
    """The generator of this process, for the run that goes on."""
    found = _generators.get(environment)
    if found is None:
        found = _generators[environment] = Generator(environment)
    return found


def maybe_generator(environment: Environment) -> Generator | None:
    """The generator, where a run has begun."""
    return _generators.get(environment)


def begin_generating(environment: Environment) -> None:
    """A run starts in a process that makes load: options may have changed since the last."""
    forget(environment)
    _generators[environment] = Generator(environment)
