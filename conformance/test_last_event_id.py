"""Requests without an id, or with one that the server never gave (rules REC-03 to REC-05, REC-11, REC-13)."""

from __future__ import annotations

import secrets
from functools import partial

from ssegauge.bench import Bench, is_refusal
from ssegauge.client import Limits
from ssegauge.client.request import with_header, without_header
from ssegauge.exchange import Sent
from ssegauge.judging import Untestable, broken, rule
from ssegauge.means.resumption import asking, field_name, first_answer, own_id
from ssegauge.observation import Evidence, Observation
from ssegauge.visible import visible

ANSWER = 5.0
"""Seconds within which an odd id is answered (REC-04), beside the stream's usual time."""
AT_ONCE = 4
"""Requests at a time: few enough for a server with a handful of workers."""


@rule("REC-03", any_status=True)
def test_first_request_needs_no_last_event_id(bench: Bench) -> None:
    """A request without Last-Event-ID is served."""
    usual, field = bench.observation, field_name(bench)
    names = {name.lower() for name, _ in usual.exchange.request.headers}
    if field.lower() in names:
        _expect_served(bench, without_header(bench.final_sent, field), f"no {field}")
    elif not usual.is_stream:
        seen = first_answer(bench, with_header(bench.final_sent, field, "0"))
        if seen.is_stream:
            broken("the stream without it", f"the stream only with {field}", usual.show_head("content-type"))
        raise Untestable(f"there was no stream, with and without {field} (HTTP-01)")


@rule("REC-11")
def test_empty_last_event_id_counts_as_absent(bench: Bench) -> None:
    """A request with an empty Last-Event-ID is served like one without it; some clients send it."""
    _expect_served(bench, with_header(bench.final_sent, field_name(bench), ""), f"an empty {field_name(bench)}")


def _expect_served(bench: Bench, sent: Sent, what: str) -> None:
    usual, limits = bench.observation, Limits(first_byte=ANSWER + _usual_head(bench), window=bench.limits.window)
    with bench.open(sent, limits=limits) as stream:
        stream.until_head()
        if usual.arrivals:
            stream.until_events(1, usual.arrivals[0].at + ANSWER)
        seen = bench.view(stream)
    if (seen.exchange.status, seen.exchange.essence) != (usual.exchange.status, usual.exchange.essence):
        actual = f"status {seen.exchange.status or seen.exchange.detail}"
        broken(f"the stream for a request with {what}", actual, seen.show_head("content-type"))
    if usual.arrivals and seen.ended and not seen.arrivals and _plain_run_has_events(bench):
        broken(f"the stream for a request with {what}", "a stream without events", seen.show_head("content-type"))
    began, begins = _first_id(usual), _first_id(seen)
    if began and begins and began != begins and _first_id(first_answer(bench, _plain(bench))) == began:
        actual = f"one that begins with id {begins!r}, as if it were resumed"
        shown = seen.show_event(seen.contract_arrivals[0])
        broken(f"the stream from id {began!r} on for a request with {what}", actual, shown)


def _first_id(seen: Observation) -> str | None:
    return own_id(seen.contract_arrivals[0]) if seen.contract_arrivals else None


def _plain(bench: Bench) -> Sent:
    return without_header(bench.final_sent, field_name(bench))


def _plain_run_has_events(bench: Bench) -> bool:
    """A plain request gets events now: otherwise the trouble is another than the id (ISO-04)."""
    return bool(first_answer(bench, bench.final_sent).contract_arrivals)


@rule("REC-04")
def test_unknown_last_event_id_has_a_defined_answer(bench: Bench) -> None:
    """An unknown, malformed, very long or non-UTF-8 Last-Event-ID is never answered by 5xx or by silence."""
    answers = _odd_answers(bench)
    for what, seen in answers.items():
        if _undefined(bench, seen):
            again = _odd_answer(bench, ODD[what], ANSWER)
            if _undefined(bench, again):
                expected = f"a full replay, a reset event, 204 or 4xx for {what}"
                broken(expected, _answer(again), again.show_head(), _damage(bench))
    if damage := _damage(bench):
        broken("a server that goes on to serve", "one that does not", damage)


def _undefined(bench: Bench, seen: Observation) -> bool:
    status = seen.exchange.status
    if status is None or status >= 500 or (_is_cut(seen) and not _is_cut(bench.observation)):
        return True
    return _is_silent(seen) and _finishes(bench)


def _finishes(bench: Bench) -> bool:
    """Without an id it begins at once, and ends: it waits for no news, which may be all that an unknown id is owed."""
    usual = bench.observation
    return usual.ended and bool(usual.arrivals) and usual.arrivals[0].at < ANSWER / 2


def _is_silent(seen: Observation) -> bool:
    return seen.is_stream and not seen.ended and not seen.arrivals


def _is_cut(seen: Observation) -> bool:
    return seen.exchange.end in {"eof", "reset"} and not seen.arrivals


def _answer(seen: Observation) -> str:
    exchange = seen.exchange
    if exchange.status is None:
        return exchange.detail
    more = ", and the connection cut before an event, as by an exception" if _is_cut(seen) else ""
    if _is_silent(seen):
        more = f", and no event in {exchange.end_at:.1f} s: the client waits for ever"
    return f"status {exchange.status}{more}"


def _damage(bench: Bench) -> list[Evidence]:
    """What the odd ids did to a server that gave events at once to a plain request before it got them."""
    if not _serves_at_once(bench):
        return []
    for _ in range(2):
        seen = first_answer(bench, bench.final_sent)
        if seen.contract_arrivals or is_refusal(seen.exchange):
            return []
    bench.lost = "REC-04"
    return [Evidence("after these ids a plain request gets no event any more")]


def _serves_at_once(bench: Bench) -> bool:
    """Whether plain requests got an event at once; asked before the first odd id is sent."""

    def look() -> bool:
        seen = [bench.observation, first_answer(bench, bench.final_sent)]
        return all(one.contract_arrivals and one.contract_arrivals[0].at < ANSWER for one in seen)

    return bench.once("serves at once", look)


@rule("REC-13")
def test_failed_resume_is_not_an_empty_stream(bench: Bench) -> None:
    """A resume that cannot be served is not answered with a 200 that ends empty: clients then come back for ever."""
    if bench.observation.ended and not bench.observation.arrivals:
        raise Untestable("the stream is empty without an id too")
    for what, seen in _odd_answers(bench).items():
        if _is_empty(seen) and _is_empty(_odd_answer(bench, ODD[what])) and _plain_run_has_events(bench):
            broken(f"an event, 204 or 4xx for {what}", "status 200 and a stream that ended empty", seen.show_head())


def _is_empty(seen: Observation) -> bool:
    return seen.exchange.status == 200 and seen.exchange.end == "message_end" and not seen.arrivals


@rule("REC-05")
def test_last_event_id_is_not_reflected(bench: Bench) -> None:
    """No value of Last-Event-ID creates a field, an event or a header: not raw, not decoded, not through an error text."""
    for what, seen in _odd_answers(bench).items():
        names = [f"{name}: {value}" for name, value in seen.exchange.headers if CANARY in name.lower()]
        if names:
            broken(f"no header that {what} creates", names[0], Evidence(f"Last-Event-ID: {ODD[what]}"))
        if seen.exchange.essence != "text/event-stream":
            continue
        for line in seen.anatomy.fields:
            created = line.kind == "data" and line.text == f"{CANARY}-made"
            if created or (line.kind not in {"data", "comment"} and CANARY.encode() in line.name + line.value):
                shown = seen.show(line.start, line.end)
                text = f"a line of its own: {visible(line.name + b': ' + line.value, 80)}"
                broken(f"no field that {what} creates", text, shown, Evidence(f"Last-Event-ID: {ODD[what]}"))


CANARY = f"ssegauge{secrets.token_hex(4)}"
ODD = {
    "an unknown id": f"{CANARY}-unknown",
    "a number that is too high": "99999999999999999999",
    "a negative number": "-1",
    "an id of 4 KiB": CANARY + "x" * 4096,
    "an id that is not UTF-8": f"{CANARY}\udcff\udcfe",
    "an id with quotes and markup": f"'\"><script>{CANARY}</script>{{}}%00",
    "an id that is a path": f"../../{CANARY}",
    "an encoded line feed": f"{CANARY}%0aevent: {CANARY}%0adata: {CANARY}-made%0a%0a",
    "an encoded line end": f"{CANARY}%0d%0aevent: {CANARY}%0d%0aX-{CANARY}: 1%0d%0a%0d%0adata: {CANARY}-made%0d%0a%0d%0a",
    "an encoded carriage return": f"{CANARY}%0devent: {CANARY}%0d",
}
"""Ids that no server gave out, by what is odd about them."""


BEGINNING = 128 << 10
"""Bytes of each answer that are looked at: ten of them are kept for the rules that share them."""


def _odd_answers(bench: Bench) -> dict[str, Observation]:
    return bench.once("odd ids", lambda: _ask_oddly(bench))


def _ask_oddly(bench: Bench) -> dict[str, Observation]:
    _serves_at_once(bench)
    runs = [partial(_odd_answer, bench, value) for value in ODD.values()]
    answers: list[Observation] = []
    for start in range(0, len(runs), AT_ONCE):
        answers += bench.together(runs[start : start + AT_ONCE])
    return dict(zip(ODD, answers, strict=True))


def _odd_answer(bench: Bench, value: str, wait: float = 0.5) -> Observation:
    """The beginning of the answer to a request with this id: where an id is reflected or refused, it shows there."""
    patience = ANSWER + _usual_head(bench)
    limits = Limits(first_byte=patience, window=bench.limits.window + ANSWER, max_body=BEGINNING)
    with bench.open(asking(bench, value), limits=limits) as stream:
        stream.until_head()
        usual = [arrival.at for arrival in bench.observation.arrivals[:2]]
        stream.until_events(2 if wait < ANSWER else 1, min((usual[-1] if usual else 0.0) + wait, ANSWER))
        seen = bench.view(stream)
        if not stream.over:
            seen.exchange.end_at = stream.elapsed
        return seen


def _usual_head(bench: Bench) -> float:
    return bench.observation.exchange.head_at or 0.0
