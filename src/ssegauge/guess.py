"""Guesses a contract from two looks at a stream, so that nobody begins a profile with an empty file.

What both runs show is declared; what may be true but was only seen is left as a comment.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import groupby, pairwise

from ssegauge.observation import Arrival, Observation
from ssegauge.profile.pointer import MISSING, payload

KEEPALIVES = frozenset({"ping", "heartbeat", "keepalive", "keep-alive", "hb"})
_PLAIN_NAME = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.\-]*")
LONGEST_UNIT = 6
"""Types of a group that repeats, as in (status result)+, at most."""


@dataclass
class Guess:
    """What two runs of a stream have in common. `notes` are remarks for the reader of the profile."""

    json: bool = False
    order: str | None = None
    terminal: str | None = None
    sentinel: str | None = None
    ignore: list[str] = field(default_factory=list)
    preset: str | None = None
    deadline_s: int | None = None
    progress: str | None = None
    sequence: str | None = None
    discriminator: str | None = None
    notes: list[str] = field(default_factory=list)


def guess(runs: Sequence[Observation]) -> Guess:
    """The contract that all the runs keep."""
    found = Guess()
    ended = all(run.ended for run in runs)
    found.ignore = sorted({arrival.type for run in runs for arrival in run.arrivals} & KEEPALIVES)
    kept = [[arrival for arrival in run.arrivals if arrival.type not in found.ignore] for run in runs]
    if not all(kept):
        found.notes.append("no event was seen: is this the right address?")
        return found
    found.sentinel = _sentinel([[event.data for event in events] for events in kept]) if ended else None
    bodies = [events[:-1] if found.sentinel else events for events in kept]
    found.json = all(_is_document(event.data) for events in bodies for event in events)
    types = [[event.type for event in events] for events in bodies]
    found.terminal = None if found.sentinel or not ended else _terminal(types)
    found.order = _order(types, open_end=not ended)
    if ended:
        longest = max(run.exchange.end_at for run in runs)
        found.deadline_s = max(10, math.ceil(longest * 3 / 5) * 5)
    else:
        found.notes.append("the stream went on when we stopped looking, so no terminal and no deadline is declared")
    found.preset = _preset(bodies, found.sentinel)
    if ended and not (found.terminal or found.sentinel or found.preset):
        found.notes.append("no event marks the end: a cut stream cannot be told from a whole one (ORD-09)")
    if found.json:
        _look_into(found, [[json.loads(event.data) for event in events] for events in bodies], types)
    return found


def _sentinel(runs: list[list[str]]) -> str | None:
    """The same short text at the end of every run, after payloads that are JSON, and no JSON itself: [DONE] with all."""
    last = {run[-1] for run in runs}
    if len(last) != 1 or not all(len(run) > 1 and all(map(_is_document, run[:-1])) for run in runs):
        return None
    text = last.pop()
    return text if text == "[DONE]" or (0 < len(text) <= 40 and payload(text) is MISSING) else None


def _is_document(data: str) -> bool:
    return isinstance(payload(data), dict | list)


def _terminal(types: list[list[str]]) -> str | None:
    """The type that ends every run and comes nowhere else."""
    last = {run[-1] for run in types}
    if len(last) != 1 or any(len(run) < 2 for run in types):
        return None
    kind = last.pop()
    return kind if all(run.count(kind) == 1 for run in types) else None


def _order(types: list[list[str]], *, open_end: bool) -> str | None:
    """A grammar that accepts every run: the sequence with repeats folded, or the first, any of the middle, the last."""
    folded = {_fold(run) for run in types}
    if len(folded) == 1 and not open_end:
        return folded.pop()
    every = sorted({kind for run in types for kind in run})
    first, last = {run[0] for run in types}, {run[-1] for run in types}
    anything = f"({' | '.join(map(_name, every))})*" if len(every) > 1 else f"{_name(every[0])}*"
    if open_end:
        return anything
    if len(first) == len(last) == 1 and all(len(run) > 1 for run in types):
        middle = sorted({kind for run in types for kind in run[1:-1]})
        return " ".join(
            part
            for part in (_name(*first), f"({' | '.join(map(_name, middle))})*" if middle else "", _name(*last))
            if part
        )
    return anything


def _fold(run: list[str]) -> str:
    """Neighbours of one type become `type+`; a group that repeats becomes `(group)+`."""
    parts = [_name(kind) + ("+" if len(list(same)) > 1 else "") for kind, same in groupby(run)]
    for size in range(2, LONGEST_UNIT + 1):
        at = 0
        while at + 2 * size <= len(parts):
            unit = parts[at : at + size]
            times = 1
            while parts[at + times * size : at + (times + 1) * size] == unit:
                times += 1
            if times > 1:
                parts[at : at + times * size] = [f"({' '.join(unit)})+"]
            at += 1
    return " ".join(parts)


def _name(kind: str) -> str:
    return kind if _PLAIN_NAME.fullmatch(kind) else json.dumps(kind, ensure_ascii=False)


def _look_into(found: Guess, runs: list[list[object]], types: list[list[str]]) -> None:
    """Members that look like a sequence number, a progress value, or the event's own name."""
    objects = [[document for document in run if isinstance(document, dict)] for run in runs]
    for name in sorted({str(key) for run in objects for document in run for key in document}):
        values = [[document[name] for document in run if name in document] for run in objects]
        numbers = all(isinstance(value, int | float) and not isinstance(value, bool) for run in values for value in run)
        pointer = "/" + name.replace("~", "~0").replace("/", "~1")
        if numbers and all(len(run) > 2 for run in values):
            if all(len(run) == len(types[index]) and _counts_up(run) for index, run in enumerate(values)):
                found.sequence = found.sequence or pointer
            elif _tells_progress(name) and all(run == sorted(run) and run[0] >= 0 and run[-1] == 100 for run in values):
                found.progress = found.progress or pointer
        named = [
            [
                kind
                for kind, document in zip(kinds, run, strict=True)
                if isinstance(document, dict) and document.get(name) == kind
            ]
            for kinds, run in zip(types, runs, strict=True)
        ]
        if all(len(names) == len(kinds) and len(set(kinds)) > 1 for names, kinds in zip(named, types, strict=True)):
            found.discriminator = found.discriminator or pointer


def _tells_progress(name: str) -> bool:
    return "progress" in name.lower() or "percent" in name.lower()


def _counts_up(values: list[float]) -> bool:
    return all(after == before + 1 for before, after in pairwise(values))


def _preset(bodies: list[list[Arrival]], sentinel: str | None) -> str | None:
    """A well-known shape, by what only it has."""
    documents = [payload(event.data) for events in bodies for event in events]
    types = {event.type for events in bodies for event in events}
    objects = [document for document in documents if isinstance(document, dict)]
    if (
        sentinel == "[DONE]"
        and objects
        and all(document.get("object") == "chat.completion.chunk" for document in objects)
    ):
        return "openai-chat"
    if {"message_start", "message_stop"} <= types:
        return "anthropic-messages"
    # gateways leave the names out, and clients go by the payload's
    if "response.created" in types | {str(document.get("type")) for document in objects}:
        return "openai-responses"
    if objects and all(document.get("jsonrpc") == "2.0" for document in objects):
        return "mcp-streamable-http"
    return None
