"""Reconnection and resuming (rules REC-01, -02, -06 to -10, -12; ids that no server gave are in test_last_event_id)."""

from __future__ import annotations

from functools import partial

from ssegauge.bench import Bench
from ssegauge.judging import NotDeclared, Untestable, broken, rule
from ssegauge.means.resumption import (
    Identity,
    Resumed,
    asking,
    common_identity,
    cut_again,
    cuts,
    field_name,
    first_answer,
    leave,
    own_id,
)
from ssegauge.observation import Arrival, Evidence, Observation


@rule("REC-01")
def test_every_event_to_resume_from_has_an_id(observation: Observation) -> None:
    """Every event that a client may have to resume after carries its own id; after the terminal nothing is left."""
    resumable = [arrival for arrival in observation.contract_arrivals if not _is_last(observation, arrival)]
    without = [arrival for arrival in resumable if not own_id(arrival)]
    if without:
        share = f"{len(without)} of {len(resumable)} events without one"
        broken("an id line in every event", share, [observation.show_event(arrival) for arrival in without[:3]])


def _is_last(observation: Observation, arrival: Arrival) -> bool:
    endpoint = observation.endpoint
    return endpoint.is_terminal(arrival.type, arrival.data) or endpoint.is_error(arrival.type, arrival.data)


# -- resuming -------------------------------------------------------------------------------------------------------


@rule("REC-02")
def test_resumed_stream_continues_after_the_last_id(bench: Bench) -> None:
    """A request with Last-Event-ID n continues right after n: no gap, no repetition, the same data as without the cut."""
    for cut in cuts(bench):
        if _differs(cut) and (again := cut_again(bench, cut)) is not None and _differs(again):
            broken(
                f"the {len(again.expected)} events after the id {again.last_id!r}",
                f"status {again.seen.exchange.status}: {again.difference()}",
                _shown(again),
            )


def _differs(cut: Resumed) -> bool:
    return bool(cut.difference())


@rule("REC-08")
def test_replay_comes_first_and_once(bench: Bench) -> None:
    """After a resume the missed events come first, in order and once; live events follow."""
    for cut in cuts(bench):
        if _disordered(cut) and (again := cut_again(bench, cut)) is not None and _disordered(again):
            stray = again.disorder()
            assert stray is not None
            broken(
                "the missed events in order and once",
                f"{stray.type} {own_id(stray) or ''} as event {stray.index} out of its place, or a second time",
                _shown(again),
            )


def _disordered(cut: Resumed) -> bool:
    return not cut.difference().repeated and cut.disorder() is not None


@rule("REC-07")
def test_ids_mean_the_same_on_every_connection(bench: Bench) -> None:
    """The same event has the same id on every connection."""
    for cut in cuts(bench):
        if cut.renamed() is not None and (again := cut_again(bench, cut)) is not None:
            pair = again.renamed()
            if pair is not None:
                was, came = pair
                broken(
                    f"id {own_id(was)!r} again for the same event",
                    f"id {own_id(came)!r} on the second connection",
                    again.seen.show_event(came),
                )


def _shown(cut: Resumed) -> list[Evidence]:
    head = [*cut.seen.show_head("content-type")] if not cut.got else []
    return [*head, *(cut.seen.show_event(arrival) for arrival in cut.got[:4])]


@rule("REC-06")
def test_non_ascii_id_is_recognised_when_it_returns(bench: Bench) -> None:
    """A non-ASCII id is recognised when it comes back as raw UTF-8 bytes."""
    events = bench.observation.contract_arrivals
    counts = [index + 1 for index, each in enumerate(events[:-1]) if not (own_id(each) or "").isascii()]
    if not counts:
        return  # nothing but ASCII comes back
    left = leave(bench, counts[0])
    if left is None:
        raise Untestable("the id outside of ASCII did not come again")
    got = left.seen.contract_arrivals
    first, following = events[0], events[counts[0]]
    if got and own_id(got[0]) != own_id(following) and own_id(got[0]) == own_id(first) and counts[0] > 0:
        broken(f"the event after {left.last_id!r}", "the stream from its beginning", left.seen.show_event(got[0]))
    if left.seen.exchange.status is None or left.seen.exchange.status >= 400:
        refused = f"status {left.seen.exchange.status or left.seen.exchange.detail}"
        broken(f"the event after {left.last_id!r}", refused, left.seen.show_head())


@rule("REC-12")
def test_last_event_id_is_matched_in_any_case(bench: Bench) -> None:
    """The field name Last-Event-ID is matched without regard to case; over HTTP/2 it always arrives in lower case."""
    if not bench.observation.anatomy.last_event_id:
        raise Untestable("the stream set no id (REC-01)")
    with bench.open() as stream:
        stream.pump(lambda _: bool(bench.view(stream).anatomy.last_event_id))
        last_id = bench.view(stream).anatomy.last_event_id
    usual = first_answer(bench, asking(bench, last_id))
    for name in (field_name(bench).lower(), field_name(bench).upper()):
        seen = first_answer(bench, asking(bench, last_id, field=name))
        if _signature(bench, seen) != _signature(bench, usual):
            broken(
                f"{name} to be answered like {field_name(bench)}",
                "the stream from elsewhere" if seen.arrivals else f"status {seen.exchange.status}",
                _first_of(usual), _first_of(seen),
            )  # fmt: skip


def _signature(bench: Bench, seen: Observation) -> tuple[object, ...]:
    """The answer's kind and its first event: by payload where payloads tell events apart, for ids are REC-07's."""
    first = seen.contract_arrivals[0] if seen.contract_arrivals else None
    identity = cuts(bench)[0].identity
    keys = identity.keys(bench.observation.contract_arrivals)
    told = first and (identity.key(first) if len(set(keys)) == len(keys) else (first.type, own_id(first)))
    return seen.exchange.status, seen.exchange.essence, told


def _first_of(seen: Observation) -> list[Evidence]:
    return [seen.show_event(seen.contract_arrivals[0])] if seen.contract_arrivals else seen.show_head("content-type")


@rule("REC-09")
def test_replay_is_authorised(bench: Bench) -> None:
    """A Last-Event-ID that belongs to another identity yields none of that identity's events."""
    other = {str(part): dict(values) for part, values in bench.profile.target.second_identity.items()}
    as_other = bench.sent_for(bench.endpoint.request, identity=other)
    observe = partial(bench.observe, follow=False)
    mine, theirs = bench.together([lambda: observe(bench.final_sent), lambda: observe(as_other)])
    marked = [arrival for arrival in mine.contract_arrivals[:-1] if own_id(arrival)]
    if not marked:
        raise Untestable("the stream set no id that others follow (REC-01)")
    identity = common_identity(bench.observation.contract_arrivals, mine.contract_arrivals) or Identity(by_id=True)
    private = set(identity.keys(mine.contract_arrivals)) - set(identity.keys(theirs.contract_arrivals))
    last_id = own_id(marked[len(marked) // 2]) or ""
    seen = observe(asking(bench, last_id, sent=as_other))
    leaked = [arrival for arrival in seen.contract_arrivals if identity.key(arrival) in private]
    if seen.is_stream and leaked:
        private -= set(identity.keys(observe(as_other).contract_arrivals))  # alone: side by side is ISO-01's question
        leaked = [arrival for arrival in leaked if identity.key(arrival) in private]
    if seen.is_stream and leaked:
        broken(
            "none of the first identity's events", f"{len(leaked)} of them after Last-Event-ID: {last_id}", seen.show_event(leaked[0]),
        )  # fmt: skip


@rule("REC-10")
def test_absence_of_retry_is_reported(observation: Observation) -> None:
    """A stream that browsers come back to sets `retry:`."""
    if observation.endpoint.request.method != "GET":
        raise NotDeclared("browsers come back to GET requests only, and the profile declares another method")
    if observation.arrivals and not observation.anatomy.retries:
        broken("a retry field", "none: browsers come back after 3 s or 5 s, all at once", observation.show(0, 60))
