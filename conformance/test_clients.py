"""What popular clients make of the stream (rules CLT-*)."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import islice

from ssegauge.anatomy import Anatomy
from ssegauge.judging import broken, rule
from ssegauge.means.clients import Difference, eventsource_parser_differs, firefox_differs, httpx_sse_differs
from ssegauge.observation import Observation


@rule("CLT-01")
def test_httpx_sse_reads_the_same_events(observation: Observation) -> None:
    """httpx-sse, which several Python SDKs build on, reads the events that the standard says."""
    _expect_no_difference(observation, httpx_sse_differs)


@rule("CLT-02")
def test_firefox_reads_the_same_events(observation: Observation) -> None:
    """EventSource in Firefox reads the events that the standard says."""
    _expect_no_difference(observation, firefox_differs)


@rule("CLT-03")
def test_eventsource_parser_reads_the_same_events(observation: Observation) -> None:
    """eventsource-parser, which most JavaScript clients outside of browsers build on, reads the events that the standard says."""
    _expect_no_difference(observation, eventsource_parser_differs)


def _expect_no_difference(observation: Observation, differences: Callable[[Anatomy], Iterator[Difference]]) -> None:
    found = list(islice(differences(observation.anatomy), 5))
    if found:
        broken("the same events", found[0].text, [observation.show(each.start, each.end, each.text) for each in found])
