"""Sends texts through the inputs that a profile declares under `reflect`, and finds where they come back.

An input comes back as the whole data of an event, or inside of it, or in a string of its JSON payload, with other text
before and after. So two harmless markers are sent first; the places where both come back, each with the same
surroundings, are where hostile texts are looked for.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal, NamedTuple

from ssegauge.bench import Bench
from ssegauge.exchange import Sent
from ssegauge.judging import Untestable
from ssegauge.means import curl
from ssegauge.observation import Arrival, Evidence, Observation
from ssegauge.profile import pointer
from ssegauge.profile.request import Input
from ssegauge.visible import visible

Part = Literal["data", "event", "id"]
PARTS: tuple[Part, ...] = ("data", "event", "id")

MARKERS = ("ssegauge7Marker", "ssegauge Marker with 4 Words")
"""Plain texts that every input takes; the second tells inputs that are split into words from those that are not."""
SETTLE = 0.3
"""Seconds that a stream is read on after the place was seen: what was injected follows at once."""
PATIENCE = 3.0
"""Seconds that a stream is read on for the place: a longer text may need more events to come there."""
LONG = 1_000
"""Characters of a text that a stream may take so long to come to the end of that nobody waits for it."""
SIDE_BY_SIDE = 4
"""Streams that are asked for at the same time."""
SHORT = 4_000
"""Characters of a text in an address: most servers take 8 KiB of request line, percent-encoded."""

# -- the texts; tests/vectors/roundtrip.json is where the expectations come from ------------------------------------

LONG_LINE = "x" * 70_000
ONE_NEWLINE = ("a\nb", "a\r\nb")
NEWLINES = ("x\n", "\n", "\n\n", "a\n\nb", "\na")
LONE_CR = ("a\rb",)
EDGES = (" x", "\tx", ":x", "x ", "  x")
# In place, between letters: an input may be trimmed on its way in, which FLD-10 tells.
SEPARATORS = ("a\u2028b\u2029c\u0085d", "a\vb\fc\x1cd\x1de\x1ef")
NON_ASCII = ("\U0001f600", "e\u0301", "\ufeffdata: x", "ä€\U0001f600e\u0301 " * 3_000)
LOOKS_LIKE_A_FIELD = ("data: x", "event: pwn", "id: 9")
INJECTIONS = ("x\n\nevent: pwn\ndata: y", "x\n\nevent: pwn\ndata: y\n\n", "x\r\n\r\nevent: pwn\r\ndata: y\r\n\r\n")
CR_INJECTIONS = ("x\r\revent: pwn\rdata: y\r\r",)
NUL = ("\0",)
ONE_LINE_INJECTIONS = tuple(
    f"x{end}event: pwn{end}id: pwn{end}data: y{end}{end}event: pwn{end}data: y{end}{end}"
    for end in ("\n", "\r\n", "\r")
)
# The last one becomes CR LF where a writer keeps the low byte of each character (old Node.js).
HEADER_SPLITS = tuple(f"x{end}Ssegauge-Pwn: 1{end}{end}y" for end in ("\r\n", "\n", "\r", "\u010d\u010a"))
HOSTILE = ("x\n\ny\n", "x\r\n\r\ny", "x\r\ry", "\0", LONG_LINE)

CANARY = b"pwn"
HEADER_CANARY = "ssegauge-pwn"


class Place(NamedTuple):
    """Where an input comes back: the n-th event of a type, its whole data or a JSON string in it, and what surrounds it."""

    type: str
    occurrence: int
    tokens: tuple[str, ...] | None
    prefix: str
    suffix: str

    def __str__(self) -> str:
        where = "data" if self.tokens is None else "/" + "/".join(self.tokens)
        return f"{where} of {self.type!r} event {self.occurrence + 1}"


@dataclass(frozen=True)
class Sending:
    """A text that was sent, and the stream that came."""

    text: str
    sent: Sent
    seen: Observation

    @property
    def refused(self) -> bool:
        """It was answered with 4xx."""
        return (self.seen.exchange.status or 0) // 100 == 4

    @property
    def answered(self) -> bool:
        """A stream came back."""
        return self.seen.exchange.status == 200

    @property
    def reproduce(self) -> str:
        """The request as a curl command."""
        return curl.command(self.sent)

    def evidence(self, *more: Evidence) -> list[Evidence]:
        """What was sent, and the first blocks that came."""
        status = self.seen.exchange.status
        shown = [Evidence(f"sent '{visible(self.text)}'"), *more]
        if not self.answered:
            return [*shown, Evidence(f"status {status}" if status else self.seen.exchange.detail or "no response")]
        return [*shown, *(self.seen.show(block.start, block.end) for block in self.seen.anatomy.all_blocks[:4])]


@dataclass(eq=False)
class Reflection:
    """One reflected input of an endpoint: its markers' places, and every text sent through it, each sent once."""

    bench: Bench
    part: Part
    _sendings: dict[tuple[str, bool], Sending] = field(default_factory=dict)
    _places: list[Place] | None = None
    _enough: int = 0

    @property
    def input(self) -> Input:
        """The declared input."""
        found: Input | None = getattr(self.bench.endpoint.reflect, self.part)
        if found is None:
            raise Untestable(f"the profile declares no reflect.{self.part}")
        return found

    # -- sending ----------------------------------------------------------------------------------------------------

    def fits(self, text: str) -> str | None:
        """The text as this input can carry it, or None where it cannot: a header field holds no line ends."""
        if self.input.header is not None and (text.strip() != text or not (text.isascii() and text.isprintable())):
            return None
        return text if self.input.json_pointer is not None else text[:SHORT]

    def request(self, text: str) -> Sent:
        """The endpoint's request with the text as this input."""
        return self.bench.sent_for(self.input.put(self.bench.endpoint.request, text))

    def send(self, texts: Sequence[str], *, whole: bool = False) -> list[Sending]:
        """Send texts, several at a time; `whole` reads each stream to its end. Raises Untestable where none can be carried."""
        fitting = [fit for fit in map(self.fits, texts) if fit is not None]
        if not fitting:
            raise Untestable(f"reflect.{self.part} is a header field, which cannot carry these texts")
        if not whole:
            _ = self.places  # they say how far a stream is read
        missing = [text for text in dict.fromkeys(fitting) if self._kept(text, whole=whole) is None]
        for start in range(0, len(missing), SIDE_BY_SIDE):
            batch = missing[start : start + SIDE_BY_SIDE]
            runs = [self._run(text, whole=whole) for text in batch]
            self._sendings |= {(sending.text, whole): sending for sending in self.bench.together(runs)}
        found = [self._kept(text, whole=whole) for text in fitting]
        return [sending for sending in found if sending is not None]

    def _kept(self, text: str, *, whole: bool) -> Sending | None:
        return self._sendings.get((text, True)) or (None if whole else self._sendings.get((text, False)))

    def _run(self, text: str, *, whole: bool) -> Callable[[], Sending]:
        sent = self.request(text)

        def run() -> Sending:
            if whole or self.bench.observation.exchange.redirects:
                return Sending(text, sent, self.bench.observe(sent))
            with self.bench.open(sent) as stream:
                if stream.until_events(self._enough):
                    stream.pump(within=SETTLE)
                sending, until = Sending(text, sent, self.bench.view(stream)), time.monotonic() + PATIENCE
                while not self._reached(sending) and time.monotonic() < until:
                    stream.pump(within=SETTLE)
                    sending = Sending(text, sent, self.bench.view(stream))
                return sending

        return run

    # -- calibration ------------------------------------------------------------------------------------------------

    @property
    def places(self) -> list[Place]:
        """Where both markers came back in the same surroundings. Empty where there is no such place."""
        if self._places is None:
            markers = [marker for marker in MARKERS if self.fits(marker)] if self.part == "data" else [MARKERS[0]]
            seen = self.bench.together([self._mark(marker) for marker in markers])
            find = _places if self.part == "data" else self._field_places
            found = [list(find(sending.seen, sending.text)) for sending in seen]
            self._places = [place for place, _ in found[0] if all(place in dict(other) for other in found[1:])]
            indexes = [index for pairs in found for place, index in pairs if place in self._places]
            self._enough = max(indexes, default=0) + 1
        return self._places

    def _reached(self, sending: Sending) -> bool:
        """The stream came to a place, or will not: what is there can be judged."""
        if sending.seen.ended or not sending.answered or not self._places:
            return True
        return any(_event_at(sending.seen, place) is not None for place in self._places)

    def _mark(self, marker: str) -> Callable[[], Sending]:
        sent = self.request(marker)

        def run() -> Sending:
            if self.bench.observation.exchange.redirects:
                return Sending(marker, sent, self.bench.observe(sent))
            with self.bench.open(sent) as stream:
                wanted = marker.rsplit(maxsplit=1)[-1].encode()
                if stream.pump(lambda some: wanted in some.exchange.raw_body):
                    stream.pump(within=SETTLE)
                return Sending(marker, sent, self.bench.view(stream))

        return run

    def _field_places(self, seen: Observation, text: str) -> Iterator[tuple[Place, int]]:
        """Where the text is an event's type or id: only that it comes back matters, not what stands around it."""
        for arrival in seen.arrivals:
            value = arrival.event.type if self.part == "event" else arrival.event.last_event_id
            if text in value:
                yield Place("", 0, None, "", ""), arrival.index
                return

    def came_back(self, texts: Sequence[str]) -> list[tuple[Sending, bool]]:
        """Each text that was answered with a stream, and whether it came back whole at one of the places.

        Raises Untestable where the input comes back nowhere, or every text was refused.
        """
        if not self.places:
            raise Untestable(
                f"reflect.{self.part}: neither {MARKERS[0]!r} nor {MARKERS[1]!r} came back unchanged in the same place of data"
            )
        sendings = self.send(texts)
        answered = [sending for sending in sendings if sending.answered]
        if not answered:
            statuses = sorted({str(sending.seen.exchange.status or "no response") for sending in sendings})
            raise Untestable(f"no text of this rule was answered with a stream: {', '.join(statuses)}")
        told = [sending for sending in answered if len(sending.text) < LONG or self._reached(sending)]
        if not told:
            raise Untestable(f"the stream takes too long to come to the {self.places[0]} with these texts")
        return [(sending, any(_holds(sending, place) for place in self.places)) for sending in told]

    def got(self, sending: Sending) -> str:
        """What stands at the first place instead of the text, for people."""
        place = self.places[0]
        event = _event_at(sending.seen, place)
        if event is None:
            return f"no {place}"
        found = event.data if place.tokens is None else pointer.find(pointer.payload(event.data), list(place.tokens))
        return f"'{visible(found)}' in the {place}" if isinstance(found, str) else f"no string in the {place}"


def injected(seen: Observation) -> Evidence | None:
    """A field that only our text can have written: a line of its own whose value is the canary."""
    for line in seen.anatomy.fields:
        if line.kind in {"event", "id", "retry"} and line.value.strip() == CANARY:
            return seen.show(line.start, line.end, "a field that was sent as text")
    return None


def _strings(document: Any, tokens: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], str]]:
    """Every string of a JSON document with its place."""
    if isinstance(document, str):
        yield tokens, document
    elif isinstance(document, dict | list):
        items = document.items() if isinstance(document, dict) else enumerate(document)
        for name, value in items:
            yield from _strings(value, (*tokens, str(name)))


def _places(seen: Observation, text: str) -> Iterator[tuple[Place, int]]:
    """Every place where the text stands, and the index of its event."""
    counts: dict[str, int] = {}
    for arrival in seen.contract_arrivals:
        occurrence = counts.get(arrival.type, 0)
        counts[arrival.type] = occurrence + 1
        for tokens, string in _texts(arrival, seen):
            prefix, found, suffix = string.partition(text)
            if found and text not in suffix:
                yield Place(arrival.type, occurrence, tokens, prefix, suffix), arrival.index


def _texts(arrival: Arrival, seen: Observation) -> Iterator[tuple[tuple[str, ...] | None, str]]:
    document = pointer.MISSING if seen.endpoint.data == "text" else pointer.payload(arrival.data)
    if isinstance(document, dict | list | str):
        yield from _strings(document)
    else:
        yield None, arrival.data


def _event_at(seen: Observation, place: Place) -> Arrival | None:
    alike = [arrival for arrival in seen.contract_arrivals if arrival.type == place.type]
    return alike[place.occurrence] if place.occurrence < len(alike) else None


def _holds(sending: Sending, place: Place) -> bool:
    arrival = _event_at(sending.seen, place)
    if arrival is None:
        return False
    expected = place.prefix + with_lf(sending.text) + place.suffix
    if place.tokens is None:
        return arrival.data == expected
    found = pointer.find(pointer.payload(arrival.data), list(place.tokens))
    return found in (expected, place.prefix + sending.text + place.suffix)


def with_lf(text: str) -> str:
    """The text with CRLF and CR as LF, which is all that an event stream can carry (HTML 9.2.5)."""
    return text.replace("\r\n", "\n").replace("\r", "\n")


def reflection(bench: Bench, part: Part) -> Reflection:
    """The endpoint's reflection of that part, shared by all rules. Raises Untestable where it is not declared."""
    made: Reflection = bench.once(f"reflection of {part}", lambda: Reflection(bench, part))
    _ = made.input
    return made


def reflections(bench: Bench, parts: Sequence[Part] = PARTS) -> list[Reflection]:
    """The reflections that the endpoint declares, of these parts."""
    return [reflection(bench, part) for part in parts if f"reflect.{part}" in bench.endpoint.declares]
