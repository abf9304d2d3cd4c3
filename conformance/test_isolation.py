"""Clients beside each other (rules ISO-*)."""

from __future__ import annotations

import secrets
import statistics
import time
from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from itertools import pairwise

from ssegauge.bench import Bench
from ssegauge.client import LONG, Limits, Stream
from ssegauge.client.request import with_header
from ssegauge.exchange import Sent
from ssegauge.judging import Untestable, broken, rule
from ssegauge.means.burst import STEADY, burst, frozen, longest_alone, run
from ssegauge.means.crowd import company, five, matrix, require_company
from ssegauge.means.leaving import STALLED_BUFFER, wait_until_full
from ssegauge.means.resumption import Identity, common_identity, first_answer, read_contract
from ssegauge.means.timing import require_quiet
from ssegauge.observation import Evidence, Observation
from ssegauge.probe import joined

OPEN = 50
"""Idle streams that are open while an ordinary request is made (ISO-03)."""
ORDINARY = 1.0
"""Seconds within which it is answered."""
ENOUGH = 1.25
"""Seconds after which it makes no difference when it is answered."""
DRAINED = 5.0
"""Seconds in which streams that were left before are let go."""
TWENTY = 20
LATER = 2.0
"""Seconds that the first event may come later for one of twenty than for one alone (ISO-08)."""
READING = 1.2
"""Seconds that four clients read beside one that does not (ISO-05)."""
DELAY = 0.3
"""Seconds of silence more than without it that are called a delay."""
FULL = 100 << 10
"""Bytes a second from which a server is blocked by a client that does not read, within the second that we wait."""
LEFT_AFTER = 2
"""Events after which a stream is left in the middle (ISO-04)."""
NOTICED = 0.25
"""Seconds that a server is given to see that its client has left, and to keep what it keeps of the stream."""
BUSY = 0.2
"""Seconds that this machine may wake up late before times are no longer judged."""


@rule("ISO-01")
def test_parallel_clients_each_get_a_complete_stream(bench: Bench) -> None:
    """Five clients at once each get a complete and conformant stream."""
    seen = company(bench)
    if seen.alone:
        raise Untestable("a second stream alone is not like the first, which ISO-04 judges")
    if not seen.steady:
        raise Untestable("the stream differs from run to run, alone too")
    if seen.together:
        broken("five streams at once like one alone", seen.together)


@rule("ISO-04")
def test_consecutive_connections_are_independent(bench: Bench) -> None:
    """A second connection does not continue, and does not find empty, what the first one was reading."""
    alone = company(bench).alone
    if alone:
        broken("a second stream like the first", alone)
    began = [begun for begun in (_begun_after_one_that_was_left(bench) for _ in range(2)) if begun]
    if len(began) == 2:
        expected = "a stream that begins like the first, also where the one before it was left in the middle"
        broken(
            expected,
            "it begins elsewhere",
            bench.observation.show_event(bench.observation.contract_arrivals[0]),
            *began,
        )


def _begun_after_one_that_was_left(bench: Bench) -> list[Evidence]:
    """How a stream begins after another was left in the middle; empty where it begins like all the others do."""
    usual = bench.observation.contract_arrivals
    others = [seen.contract_arrivals for seen in five(bench)]
    if not bench.observation.ended or len(usual) < LEFT_AFTER + 1 or not all(others):
        return []
    pairs = [common_identity(usual[:1], other[:1]) for other in others]
    if None in pairs:
        return []
    identity = Identity(frozenset().union(*(pair.volatile for pair in pairs if pair)))
    with bench.open() as stream:
        read_contract(bench, stream, LEFT_AFTER)
    time.sleep(NOTICED)
    next_one = first_answer(bench, bench.final_sent)
    first = next_one.contract_arrivals[:1]
    if not first or identity.key(first[0]) == identity.key(usual[0]):
        return []
    return [next_one.show_event(first[0], "the next one's first")]


@rule("ISO-02")
def test_data_of_one_client_reaches_no_other(bench: Bench) -> None:
    """A marker that one client sent never appears in another client's stream."""
    marks = [f"ssegauge{secrets.token_hex(6)}" for _ in range(5)]
    runs = [partial(_marked_run, bench, mark, second=index % 2 == 1) for index, mark in enumerate(marks)]
    together = bench.together(runs)
    afterwards = f"ssegauge{secrets.token_hex(6)}"  # what is kept for whoever comes next
    together.append(_marked_run(bench, afterwards, second=True))
    for mark, seen in zip([*marks, afterwards], together, strict=True):
        for foreign in marks:
            place = seen.body.find(foreign.encode())
            if foreign != mark and place >= 0:
                shown = seen.show(max(place - 40, 0), place + 60, f"in the stream of the client that sent {mark}")
                broken("no other client's input", f"the marker {foreign} of another client", shown)


def _marked_run(bench: Bench, mark: str, *, second: bool) -> Observation:
    """A stream of a client that sent a mark: as the input that comes back, or in a field that servers log and trace."""
    other = bench.profile.target.second_identity
    identity = {str(part): dict(values) for part, values in other.items()} if second and other else None
    request, place = bench.endpoint.request, bench.endpoint.reflect.data
    sent = bench.sent_for(request if place is None else place.put(request, mark), identity=identity)
    if place is None:
        sent = with_header(with_header(sent, "X-Request-Id", mark), "User-Agent", f"ssegauge {mark}")
    limits = bench.limits if bench.observation.ended else Limits(window=3.0)
    return bench.observe(sent, limits=limits)


@rule("ISO-03")
def test_open_streams_do_not_starve_ordinary_requests(bench: Bench) -> None:
    """While fifty idle streams are open, an ordinary request is answered within 1 s."""
    alone = _alone(bench)
    if alone is None or alone > ORDINARY / 2:
        raise Untestable(f"the health address is slow without streams too: {_seconds(alone)}")
    idle = bench.sent("idle") if bench.endpoint.idle is not None else bench.final_sent
    since = time.monotonic()
    streams = [stream for some in bench.together([partial(_open_ten, bench, idle)] * (OPEN // 10)) for stream in some]
    try:
        answers = [_ordinary(bench) for _ in range(2)]
    finally:
        for stream in streams:
            stream.close()
    slow = [answer for answer in answers if answer is None or answer > ORDINARY]
    if len(slow) == len(answers):
        if None not in slow:
            require_quiet(bench, since, min(answer for answer in slow if answer is not None), busy=BUSY)
        broken(
            f"an answer within {ORDINARY:g} s", ", ".join(map(_seconds, answers)), Evidence(f"alone: {_seconds(alone)}")
        )


def _alone(bench: Bench) -> float | None:
    """How soon an ordinary request is answered; asked again for a while, as streams of rules before may still run."""
    until = time.monotonic() + DRAINED
    while True:
        answer = _ordinary(bench)
        if (answer is not None and answer <= ORDINARY / 2) or time.monotonic() > until:
            return answer


def _open_ten(bench: Bench, sent: Sent) -> list[Stream]:
    streams = [bench.open(sent) for _ in range(10)]
    for stream in streams:
        stream.until_head(0.5)
    return streams


def _ordinary(bench: Bench) -> float | None:
    """Seconds until the health address answered, or None."""
    sent = Sent("GET", joined(bench.profile.base_url, bench.profile.target.health or "/"))
    with bench.open(sent, limits=Limits(connect=ENOUGH, first_byte=ENOUGH, window=ENOUGH)) as stream:
        stream.until_head(ENOUGH)
        head = stream.exchange.head_at
        return None if head is None else head + (stream.exchange.connect_s or 0.0)


def _seconds(value: float | None) -> str:
    return "no answer" if value is None else f"{value:.2f} s"


# -- slow readers ---------------------------------------------------------------------------------------------------


@rule("ISO-05")
def test_slow_reader_delays_nobody(bench: Bench) -> None:
    """A client that reads slowly or not at all delays no other client's events."""
    seen = bench.observation
    if bench.endpoint.endless is None and seen.ended:
        raise Untestable("the stream is too short to fill a client's buffers: declare endless")
    require_company(bench)
    sent = bench.final_sent if bench.endpoint.endless is None else bench.sent("endless")
    silence, rate = _read_by_four(bench, sent)
    if rate < FULL:
        raise Untestable(
            f"the stream brings {rate / 1024:.0f} KiB/s: too little to block its server by one slow client"
        )
    since = time.monotonic()
    beside = _beside_stalled(bench, sent)
    if beside <= silence + DELAY:
        return
    again = _beside_stalled(bench, sent)
    if again > silence + DELAY:
        require_quiet(bench, since, min(beside, again) - silence, busy=BUSY)
        broken(
            f"silences of about {silence:.2f} s, as without a client that does not read",
            f"{beside:.2f} s and {again:.2f} s beside one",
        )


def _beside_stalled(bench: Bench, sent: Sent) -> float:
    with bench.open(sent, receive_buffer=STALLED_BUFFER) as stalled:
        wait_until_full(stalled)
        return _read_by_four(bench, sent)[0]


def _read_by_four(bench: Bench, sent: Sent) -> tuple[float, float]:
    """The longest silence of the middle one of four clients, and how many bytes a second one of them got."""
    runs = bench.together([partial(_read, bench, sent)] * 4)
    return statistics.median_low([silence for silence, _ in runs]), statistics.median([rate for _, rate in runs])


def _read(bench: Bench, sent: Sent) -> tuple[float, float]:
    times = [0.0]

    def note(some: Stream) -> bool:
        times.extend(read.at for read in some.exchange.reads[-1:])
        return False

    with bench.open(sent, limits=replace(LONG, window=READING)) as stream:
        stream.pump(note, within=READING)
        return _longest([*times, stream.elapsed]), stream.received / READING


def _longest(times: Sequence[float]) -> float:
    return max(after - before for before, after in pairwise(times))


# -- a shared feed --------------------------------------------------------------------------------------------------


@rule("ISO-06")
def test_every_subscriber_gets_every_message_whichever_worker_serves_it(bench: Bench) -> None:
    """On a shared feed every subscriber gets every published message, whichever worker its connection landed on."""
    seen = matrix(bench)
    if seen.shared_out:
        raise Untestable("subscribers take messages from each other, which ISO-07 judges")
    if not seen.full:
        broken(f"{seen.published} messages for each of {len(seen.rows)} subscribers", str(seen))


@rule("ISO-07")
def test_subscribers_do_not_take_messages_from_each_other(bench: Bench) -> None:
    """A message that one subscriber received is not missing for another."""
    seen = matrix(bench)
    if seen.shared_out:
        broken(f"{seen.published} messages for each of {len(seen.rows)} subscribers", f"each message once: {seen}")


# -- many that stay -------------------------------------------------------------------------------------------------


@rule("ISO-08")
def test_twenty_clients_that_stay_are_all_served(bench: Bench) -> None:
    """Twenty clients that stay connected all get their first event within its usual time plus 2 s."""
    usual = bench.observation.arrivals
    if not usual:
        raise Untestable("the stream brought no event within the observation window")
    require_company(bench)
    bound = usual[0].at + LATER * max(bench.options.scale, 0.5)
    since = time.monotonic()
    late = _unserved(bench, bound)
    if late and _unserved(bench, bound):
        require_quiet(bench, since, bound, busy=BUSY)
        broken(f"a first event for {TWENTY} clients within {bound:.1f} s", f"none for {len(late)} of them", late[:3])


def _unserved(bench: Bench, bound: float) -> list[Evidence]:
    """What came to those of twenty clients, all connected, that got no event in time."""
    streams = bench.together([partial(bench.open)] * TWENTY)
    try:
        bench.together([partial(stream.until_events, 1, bound) for stream in streams])
        missed = [bench.view(stream) for stream in streams if stream.events == 0]
        refused = [seen for seen in missed if seen.exchange.status in {429, 503}]
        if refused and len(refused) == len(missed):
            raise Untestable(f"the server refuses {len(refused)} of {TWENTY} clients, as it may: SEC-06 judges how")
        return [Evidence(f"status {seen.exchange.status}" if seen.exchange.status else "no answer") for seen in missed]
    finally:
        for stream in streams:
            stream.close()


@rule("ISO-09")
def test_streams_do_not_freeze_together(bench: Bench) -> None:
    """Streams do not all fall silent at the same moment: that shows a blocking call in a shared event loop."""
    alone = longest_alone(bench.observation)
    if len(bench.observation.exchange.reads) < 2:
        raise Untestable("the stream comes in a single piece: it has no pace that could freeze")
    if alone > STEADY:
        raise Untestable(f"alone the stream is silent for {alone:.1f} s: more than a short look can tell from a freeze")
    require_company(bench)
    first = burst(bench)
    found = frozen(first)
    if found is None:
        if first.states["served"] < TWENTY:
            raise Untestable("fewer than twenty clients at once are served, which ISO-08 judges")
        return
    again = frozen(run(bench))
    if again is None:
        return
    require_quiet(bench, first.since, min(found.seconds, again.seconds) - alone, busy=BUSY)
    broken(
        f"silences of {alone:.2f} s at most, as alone", found.text, found.evidence, Evidence(f"once more: {again.text}")
    )
