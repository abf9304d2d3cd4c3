"""JSON-01 to JSON-09, FRM-06, FRM-14, LIF-04 and LIF-10: what stands in data that is declared to be JSON."""

from __future__ import annotations

import ast
import json
import re
import warnings
from collections import Counter
from collections.abc import Callable, Collection, Iterator
from itertools import pairwise
from typing import Any, NamedTuple

from ssegauge.anatomy import Anatomy, Block
from ssegauge.anomalies.anomaly import Anomaly, shown

EXACT = 2**53 - 1
_AROUND = " \t\n'\"`"
REACH = 3  # blocks in which the rest of a cut document is looked for
_LITERAL_LIMIT = 100_000
_REPR = re.compile(r"'|\bNone\b|\bTrue\b|\bFalse\b")
_OBJECT = re.compile(r"<[\w.]+(?: object at 0x[0-9a-fA-F]+|: [^<>]*)>")

JsonJudge = Callable[..., Iterator[Anomaly]]


class Payload(NamedTuple):
    """One event's data and what a JSON parser says to it."""

    block: Block
    data: str
    value: Any
    error: str | None  # why it is not JSON; None where it is, NaN and Infinity allowed
    constants: tuple[str, ...]
    repeated: tuple[str, ...]
    large: tuple[str, ...]

    def anomaly(self, rule: str, text: str) -> Anomaly:
        """An anomaly of this payload."""
        return Anomaly(rule, self.block.start, self.block.end, f"event {self.block.index}: {text}")


def payloads(anatomy: Anatomy, exempt: Collection[str] = (), ignored: Collection[str] = ()) -> list[Payload]:
    """The payloads that must be JSON: without `exempt` data (sentinels) and events of an `ignored` type.

    Empty data is left out too: it is FLD-08's.
    """
    key = ("payloads", frozenset(exempt), frozenset(ignored))
    if key not in anatomy.worked_out:
        reader = _Reader()
        anatomy.worked_out[key] = [
            reader.read(block, block.event.data)
            for block in anatomy.event_blocks
            if block.event
            and block.event.data
            and block.event.data not in exempt
            and block.event.type not in ignored
            and misspelt_sentinel(block.event.data, exempt) is None
        ]
    found: list[Payload] = anatomy.worked_out[key]
    return found


def misspelt_sentinel(data: str, sentinels: Collection[str]) -> str | None:
    """The sentinel that was meant by data that is no JSON: with blanks or quotes around it, or in another case."""
    if len(data) > 2 * max(map(len, sentinels), default=0) + 8 or data in sentinels or is_json(data):
        return None
    bare = data.strip(_AROUND).casefold()
    return next((sentinel for sentinel in sentinels if sentinel.strip(_AROUND).casefold() == bare), None)


class _Reader:
    """Parses JSON and notes what is odd in it. One decoder for all payloads: to make one takes longer than to use it."""

    def __init__(self) -> None:
        self._constants: list[str] = []
        self._repeated: list[str] = []
        self._large: list[str] = []
        self._decoder = json.JSONDecoder(
            object_pairs_hook=self._pairs, parse_int=self._integer, parse_constant=self._constants.append
        )

    def _pairs(self, items: list[tuple[str, Any]]) -> dict[str, Any]:
        built = dict(items)
        if len(built) < len(items):
            self._repeated += [name for name, count in Counter(name for name, _ in items).items() if count > 1]
        return built

    def _integer(self, digits: str) -> int:
        if len(digits) > 17 or abs(int(digits)) > EXACT:
            self._large.append(digits)
        return int(digits[:100])

    def read(self, block: Block, data: str) -> Payload:
        """The payload of this block."""
        for notes in (self._constants, self._repeated, self._large):
            notes.clear()
        value, error = None, None
        try:
            value = self._decoder.decode(data)
        except json.JSONDecodeError as failure:
            error = f"{failure.msg} at character {failure.pos}"
        except RecursionError:
            error = "nested too deeply"
        return Payload(block, data, value, error, tuple(self._constants), tuple(self._repeated), tuple(self._large))


_lenient = json.JSONDecoder(parse_int=str)
_opens = re.compile(r"[ \t\r\n]*+[\[{\"0-9tfnNI-]").match


def is_json(text: str) -> bool:
    """Whether this is one JSON document, NaN and Infinity allowed."""
    if not _opens(text):
        return False
    try:
        _lenient.decode(text)
    except (json.JSONDecodeError, RecursionError):
        return False
    return True


def not_json(anatomy: Anatomy, exempt: Collection[str] = (), ignored: Collection[str] = ()) -> Iterator[Anomaly]:
    """JSON-01, which leaves constants to JSON-02 and another language's notation to JSON-07."""
    for payload in payloads(anatomy, exempt, ignored):
        if payload.error and not _is_repr(payload.data):
            yield payload.anomaly("JSON-01", f"not JSON, {payload.error}: {shown(payload.data)}")


def constants(anatomy: Anatomy, exempt: Collection[str] = (), ignored: Collection[str] = ()) -> Iterator[Anomaly]:
    """JSON-02."""
    for payload in payloads(anatomy, exempt, ignored):
        if payload.constants and not payload.error:
            yield payload.anomaly("JSON-02", f"{payload.constants[0]} is no JSON number: {shown(payload.data)}")


def repeated_names(anatomy: Anatomy, exempt: Collection[str] = (), ignored: Collection[str] = ()) -> Iterator[Anomaly]:
    """JSON-03."""
    for payload in payloads(anatomy, exempt, ignored):
        if payload.repeated and not payload.error:
            yield payload.anomaly("JSON-03", f"an object has the name {shown(payload.repeated[0])} more than once")


def large_integers(anatomy: Anatomy, exempt: Collection[str] = (), ignored: Collection[str] = ()) -> Iterator[Anomaly]:
    """JSON-04."""
    for payload in payloads(anatomy, exempt, ignored):
        if payload.large and not payload.error:
            text = f"JavaScript rounds the integer {payload.large[0][:40]}"
            yield payload.anomaly("JSON-04", text)


def language_repr(anatomy: Anatomy, exempt: Collection[str] = (), ignored: Collection[str] = ()) -> Iterator[Anomaly]:
    """JSON-07."""
    for payload in payloads(anatomy, exempt, ignored):
        if payload.error and _is_repr(payload.data):
            yield payload.anomaly("JSON-07", f"Python's notation, not JSON: {shown(payload.data)}")


def _is_repr(data: str) -> bool:
    if len(data) > _LITERAL_LIMIT or not _REPR.search(data):
        return False
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            shape = ast.parse(_OBJECT.sub("None", data).strip(), mode="eval").body
    except (ValueError, SyntaxError, MemoryError, RecursionError, TypeError):
        return False
    if isinstance(shape, ast.Dict):
        return all(isinstance(key, ast.Constant) for key in shape.keys)
    if isinstance(shape, ast.Call):  # a dataclass, or a model
        return not shape.args and bool(shape.keywords) and isinstance(shape.func, ast.Name | ast.Attribute)
    return isinstance(shape, ast.Constant | ast.List | ast.Tuple | ast.Set)


def encoded_twice(anatomy: Anatomy, exempt: Collection[str] = (), ignored: Collection[str] = ()) -> Iterator[Anomaly]:
    """JSON-09."""
    for payload in payloads(anatomy, exempt, ignored):
        inner = payload.value
        if isinstance(inner, str) and inner.lstrip()[:1] in ("{", "[") and is_json(inner):
            yield payload.anomaly("JSON-09", f"a JSON document inside a JSON string: {shown(payload.data)}")


def merged(anatomy: Anatomy, exempt: Collection[str] = (), ignored: Collection[str] = ()) -> Iterator[Anomaly]:
    """FRM-06."""
    for payload in payloads(anatomy, exempt, ignored):
        if payload.error and _is_merged(payload, exempt):
            count = len(payload.block.of("data"))
            yield payload.anomaly("FRM-06", f"{count} documents in one block: {shown(payload.data)}")


def _is_merged(payload: Payload, exempt: Collection[str]) -> bool:
    lines = payload.data.split("\n")
    return len(lines) > 1 and all(line in exempt or is_json(line) for line in lines)


def interleaved(anatomy: Anatomy, exempt: Collection[str] = (), ignored: Collection[str] = ()) -> Iterator[Anomaly]:
    """FRM-14. A document cut between two neighbours is no sign of two writers: that is JSON-01's, or LIF-04's."""
    broken = [payload for payload in payloads(anatomy, exempt, ignored) if payload.error]
    for at, payload in enumerate(broken):
        if _is_merged(payload, exempt):
            continue
        if len(payload.block.of("event")) > 1 or len(payload.block.of("id")) > 1:
            yield payload.anomaly("FRM-14", f"fields of two events in one block: {shown(payload.data)}")
        elif _continues(payload, broken[at + 1 : at + 1 + REACH]):
            yield payload.anomaly("FRM-14", f"a document goes on after another one: {shown(payload.data)}")


def _continues(payload: Payload, later: list[Payload]) -> bool:
    lines = payload.data.split("\n")
    own = [line for line in lines if not is_json(line)]
    for other in later:
        apart = (other.block.index or 0) - (payload.block.index or 0) > 1
        if apart and _joins(payload.data, other.data):
            return True
        if len(own) < len(lines) and own and _joins("\n".join(own), other.data):
            return True
    return False


def _joins(first: str, second: str) -> bool:
    return is_json(first + second) or is_json(f"{first}\n{second}")


def cut_by_keepalive(
    anatomy: Anatomy, exempt: Collection[str] = (), ignored: Collection[str] = ()
) -> Iterator[Anomaly]:
    """LIF-04."""
    found = {payload.block.index: payload for payload in payloads(anatomy, exempt, ignored)}
    for payload in found.values():
        after = found.get((payload.block.index or 0) + 1)
        if payload.error and after and payload.block.fields[-1].kind == "comment" and _joins(payload.data, after.data):
            yield payload.anomaly("LIF-04", f"a comment's blank line cuts it in two: {shown(payload.data)}")
    yield from _types_cut_off(anatomy)


def _types_cut_off(anatomy: Anatomy) -> Iterator[Anomaly]:
    """LIF-04, before the data: the type is lost with its block, and the data goes on as a message."""
    types = {block.event.type for block in anatomy.event_blocks if block.event}
    for block, after in pairwise(anatomy.blocks):
        named = [field.text for field in block.of("event")]
        lost = named and block.event is None and not block.of("data") and block.fields[-1].kind == "comment"
        if lost and named[-1] in types and after.event and not after.of("event"):
            text = f"a comment's blank line cuts the type {shown(named[-1])} from its data"
            yield Anomaly("LIF-04", block.start, after.end, text)


def comment_blocks(
    anatomy: Anatomy,
    exempt: Collection[str] = (),  # noqa: ARG001 - all judges of payloads are called alike
    ignored: Collection[str] = (),  # noqa: ARG001 - likewise
) -> Iterator[Anomaly]:
    """LIF-10, at the first one."""
    has_id = False
    for block in anatomy.blocks:
        if has_id and block.fields and all(field.kind == "comment" for field in block.fields):
            yield Anomaly("LIF-10", block.start, block.end, "a comment and a blank line after an id")
            return
        for field in block.of("id"):
            has_id = bool(field.value) if b"\0" not in field.value else has_id
