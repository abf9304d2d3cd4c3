"""What a client must not be able to do (rules SEC-*)."""

from __future__ import annotations

import base64
import json
import re
import time
from collections import Counter
from dataclasses import replace
from functools import partial

from ssegauge.bench import Bench
from ssegauge.client import LONG, Limits
from ssegauge.client.request import with_header
from ssegauge.exchange import Sent
from ssegauge.judging import Untestable, broken, rule
from ssegauge.means import curl, reflection
from ssegauge.means.burst import PATIENCE, burst, run
from ssegauge.means.crowd import require_company
from ssegauge.means.reflection import Reflection, Sending
from ssegauge.means.timing import require_quiet
from ssegauge.needs import CROWD
from ssegauge.observation import Evidence, Observation
from ssegauge.profile import secret
from ssegauge.visible import visible


@rule("SEC-01")
def test_text_in_data_creates_no_field_and_no_event(bench: Bench) -> None:
    """User text with LF or CRLF in data creates no extra field and no extra event."""
    mirror = reflection.reflection(bench, "data")
    for sending in mirror.send([*reflection.INJECTIONS, *reflection.LOOKS_LIKE_A_FIELD]):
        _expect_no_injection(sending)
    for sending, whole in mirror.came_back(reflection.LOOKS_LIKE_A_FIELD):
        if not whole:
            _broken_text(mirror, sending, f"'{visible(sending.text)}' as text")


@rule("SEC-02")
def test_text_in_event_id_retry_or_comment_cannot_inject(bench: Bench) -> None:
    """User text in event or id cannot start a new line: CR and LF are refused or removed."""
    mirrors = reflection.reflections(bench, ("event", "id"))
    judged = 0
    for mirror in mirrors:
        for sending in mirror.send(reflection.ONE_LINE_INJECTIONS):
            _expect_no_injection(sending)
        judged += bool(mirror.places)
    if not judged:
        names = " or ".join(f"reflect.{mirror.part}" for mirror in mirrors)
        raise Untestable(f"{names}: {reflection.MARKERS[0]!r} did not come back there")


@rule("SEC-03")
def test_lone_carriage_return_in_data_is_treated_as_a_newline(bench: Bench) -> None:
    """A lone CR in user text is treated as a line end by the writer."""
    mirror = reflection.reflection(bench, "data")
    for sending in mirror.send([*reflection.CR_INJECTIONS, *reflection.LONE_CR]):
        _expect_no_injection(sending)
    for sending, whole in mirror.came_back(reflection.LONE_CR):
        if not whole:
            _broken_text(mirror, sending, f"'{visible(reflection.with_lf(sending.text))}' in the {mirror.places[0]}")


@rule("SEC-04")
def test_text_reaches_no_response_header(bench: Bench) -> None:
    """CR and LF from the query or from Last-Event-ID never reach the response's header section."""
    requests = [
        mirror.request(text)
        for mirror in reflection.reflections(bench)
        for text in reflection.HEADER_SPLITS
        if mirror.fits(text) is not None
    ]
    requests.append(with_header(bench.final_sent, "Last-Event-ID", f"x%0D%0A{reflection.HEADER_CANARY}: 1"))
    for start in range(0, len(requests), reflection.SIDE_BY_SIDE):
        batch = requests[start : start + reflection.SIDE_BY_SIDE]
        for seen in bench.together([partial(_head, bench, sent) for sent in batch]):
            _expect_own_header_section(seen)


def _head(bench: Bench, sent: Sent) -> Observation:
    with bench.open(sent) as stream:
        stream.until_head()
        return bench.view(stream)


def _expect_own_header_section(seen: Observation) -> None:
    exchange = seen.exchange
    reproduce = curl.command(exchange.request)
    if exchange.values(reflection.HEADER_CANARY):
        broken(
            "the header section of a plain request",
            "a field that was sent as text",
            seen.show_head(),
            reproduce=reproduce,
        )
    if exchange.end == "malformed" and exchange.head_at is None:
        asked = Evidence(f"after a request for {visible(exchange.request.url)}")
        broken("a header section that can be read", exchange.detail, asked, reproduce=reproduce)


@rule("SEC-05")
def test_missing_or_wrong_credentials_get_no_stream(bench: Bench) -> None:
    """A request without credentials or with wrong ones gets 401 or 403 and not a 200 stream, empty or not."""
    request = bench.endpoint.request
    own = {name.lower() for part in bench.credentials.values() for name in part}
    bare = request.model_copy(
        update={
            "headers": {name: value for name, value in request.headers.items() if name.lower() not in own},
            "params": {name: value for name, value in request.params.items() if name.lower() not in own},
        }
    )
    wrong = {
        part: {name: altered(secret(str(value))) for name, value in values.items()}
        for part, values in bench.credentials.items()
    }
    for what, identity in (("without credentials", {}), ("with altered credentials", wrong)):
        sent = bench.sent_for(bare, identity=identity)
        redirected = bool(bench.observation.exchange.redirects)
        seen = bench.observe(sent, limits=Limits(window=2.0)) if redirected else _head(bench, sent)
        status = seen.exchange.status
        # Any 4xx keeps the stream closed: 404 hides that it is there (RFC 9110 15.5.4), 400 and 429 are other ways to say no.
        if status is None or status // 100 != 4:
            broken(f"401 or 403 {what}", f"status {status}" if status else seen.exchange.detail, seen.show_head())


@rule("SEC-06")
def test_overload_is_refused_quickly(bench: Bench) -> None:
    """Beyond its capacity the server refuses quickly, accepts nobody to stay silent, and harms no open stream."""
    require_company(bench)
    first = burst(bench)
    if not first.states["silent"] and not first.harmed:
        return
    if first.states["served"] <= CROWD:
        raise Untestable(f"no more than {CROWD} clients at once are served, which ISO-08 judges")
    again = run(bench)
    count = len(first.clients)
    if first.states["silent"] and again.states["silent"]:
        require_quiet(bench, first.since, PATIENCE, busy=PATIENCE / 10)
        broken(
            f"each of {count} clients served, or refused within {PATIENCE:g} s",
            f"{first.states['silent']} left in silence", first.evidence, Evidence("once more:"), again.evidence,
        )  # fmt: skip
    if first.harmed and again.harmed:
        ends = Counter(client.harm for client in first.harmed)
        broken(
            "open streams that go on unharmed", f"{len(first.harmed)} of {count} ended otherwise than alone",
            [Evidence(f"{count} {end}") for end, count in ends.items()], first.evidence,
        )  # fmt: skip


@rule("SEC-07")
def test_expired_credentials_end_the_stream(bench: Bench) -> None:
    """A stream does not outlive the credentials that opened it: at expiry it ends on an event boundary."""
    left = seconds_left(bench)
    if left is None:
        raise Untestable("the credentials do not say when they expire, as a JSON Web Token does (RFC 7519 4.1.4)")
    if not 0 < left <= SHORT_LIVED:
        raise Untestable(f"the credentials expire in {left:.0f} s; give some that expire within {SHORT_LIVED:g} s")
    patience = left + AFTER_EXPIRY
    situation = next((name for name in ("endless", "idle") if name in bench.endpoint.declares), None)
    sent = bench.final_sent if situation is None else bench.sent(situation)
    with bench.open(sent, limits=replace(LONG, window=patience)) as stream:
        stream.pump(within=patience)
        over, seen = stream.over, bench.view(stream)
    if not seen.is_stream:
        raise Untestable(f"no stream to judge: status {seen.exchange.status}")
    if over and seen.exchange.end_at < left - 1:
        raise Untestable("the stream ended before its credentials did: declare `endless` or `idle`")
    if not over:
        broken(
            f"an end within {AFTER_EXPIRY:g} s of the expiry",
            f"a stream that is open {stream.elapsed - left:.1f} s after it",
            Evidence(f"the credentials expired {left:.1f} s after the request"),
        )
    pending = seen.anatomy.pending
    if pending is not None and pending.fields:
        broken("an end between events", "an unfinished event", seen.show(pending.start, pending.end))


@rule("SEC-08")
def test_hostile_text_does_not_end_the_stream(bench: Bench) -> None:
    """User text with line ends, NUL or very long lines does not end the stream for its reader."""
    plain = bench.observation
    if "terminal" in bench.endpoint.declares and plain.ended and not plain.terminals:
        raise Untestable("the plain stream has no terminal either, which ORD-02 judges")
    judged = 0
    for mirror in reflection.reflections(bench):
        if any(mirror.fits(text) for text in reflection.HOSTILE):
            judged += 1
            _expect_survival(bench, mirror)
    if not judged:
        raise Untestable("the declared inputs are header fields, which cannot carry hostile texts")


SHORT_LIVED = 30.0
"""Seconds within which credentials must expire so that a run can wait for it."""
AFTER_EXPIRY = 5.0
"""Seconds that a stream may go on after the expiry, clocks that differ included."""
_TOKEN = re.compile(r"[A-Za-z0-9_-]{8,}")
_JWT = re.compile(r"[\w-]+\.([\w-]+)\.[\w-]*", re.ASCII)


def altered(credential: str) -> str:
    """The credential with one character in the middle of each long word changed; it keeps its form.

    Not at the end: the last character of a base64 text may hold bits that nobody reads.
    """
    changed = _TOKEN.sub(lambda found: _flipped(found[0]), credential)
    return changed if changed != credential else f"{credential}-ssegauge"


def _flipped(word: str) -> str:
    middle = len(word) // 2
    return word[:middle] + ("A" if word[middle] != "A" else "B") + word[middle + 1 :]


def seconds_left(bench: Bench) -> float | None:
    """Seconds until the first of the credentials that are JSON Web Tokens expires, or None where none is."""
    values = [secret(str(value)) for part in bench.credentials.values() for value in part.values()]
    tokens = [found[1] for value in values for found in _JWT.finditer(value)]
    expiries = [expiry for expiry in map(_expiry, tokens) if expiry is not None]
    return min(expiries) - time.time() if expiries else None


def _expiry(payload: str) -> float | None:
    try:
        claims = json.loads(base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4)))
    except ValueError:
        return None
    expiry = claims.get("exp") if isinstance(claims, dict) else None
    return float(expiry) if isinstance(expiry, int | float) and not isinstance(expiry, bool) else None


def _expect_survival(bench: Bench, mirror: Reflection) -> None:
    plain = bench.observation
    for sending in mirror.send(reflection.HOSTILE, whole=plain.ended):
        if sending.refused:
            continue
        seen = sending.seen
        actual = ""
        if not sending.answered:
            actual = (
                f"status {seen.exchange.status}" if seen.exchange.status else f"no response: {seen.exchange.detail}"
            )
        elif plain.arrivals and not seen.arrivals:
            actual = f"a stream without events, which ended by {seen.exchange.end}"
        elif plain.terminals and seen.ended and not seen.terminals:
            actual = f"{seen.verdict}: {len(seen.arrivals)} events, no terminal"
        elif seen.ended and seen.exchange.end != "message_end" and plain.exchange.end in {"message_end", "client"}:
            actual = f"{seen.exchange.end}: {seen.exchange.detail}"
        if actual:
            broken(
                f"the stream to its end, or a 4xx status, after {visible(sending.text, 60)} in {mirror.part}",
                actual,
                sending.evidence(),
                reproduce=sending.reproduce,
            )


def _broken_text(mirror: reflection.Reflection, sending: Sending, wanted: str) -> None:
    broken(wanted, mirror.got(sending), sending.evidence(), reproduce=sending.reproduce)


def _expect_no_injection(sending: Sending) -> None:
    found = reflection.injected(sending.seen) if sending.answered else None
    if found is not None:
        broken("the text as text, in the line that it was meant for", f"a line of its own: {found.bytes}", sending.evidence(found), reproduce=sending.reproduce)  # fmt: skip
