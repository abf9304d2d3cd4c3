"""What an error event says, and what follows it (rules ERR-02 to ERR-05)."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from ssegauge.bench import Bench
from ssegauge.judging import Untestable, broken, expect_clean_bytes, rule
from ssegauge.means.failing import run_fault
from ssegauge.means.leaks import leaks
from ssegauge.observation import Arrival, Evidence, Observation
from ssegauge.profile.pointer import MISSING, payload
from ssegauge.visible import visible


@rule("ERR-02")
def test_event_named_error_or_open_is_reported(observation: Observation) -> None:
    """EventSource delivers an event named error or open to the same listeners as its own connection events."""
    expect_clean_bytes("ERR-02", observation, "a type of the application's own, failed or app_error say")


@rule("ERR-03")
def test_error_payload_is_machine_readable(bench: Bench) -> None:
    """The payload of an error event is a JSON object with a code or type and a message."""
    for seen, arrival in _error_events(bench):
        schema = bench.endpoint.validator(arrival.type)
        document = payload(arrival.data)
        if schema is not None and document is not MISSING:
            fault = next(schema.iter_errors(document), None)
            lacking = "" if fault is None else f"against its declared schema: {visible(fault.message)}"
        else:
            lacking = _lacks(document)
        if lacking:
            broken("an object with a code or type and a message", lacking, seen.show_event(arrival))


@rule("ERR-04")
def test_nothing_follows_an_error_event(bench: Bench) -> None:
    """An error event is the last event: no data and no success terminal follow it."""
    for seen, first in _error_events(bench, first_only=True):
        after = [
            arrival
            for arrival in seen.contract_arrivals
            if arrival.index > first.index and not bench.endpoint.is_error(arrival.type, arrival.data)
        ]
        if after:
            types = ", ".join(dict.fromkeys(visible(arrival.type) for arrival in after))
            shown = [seen.show_event(first, "the error"), *map(seen.show_event, after)]
            broken("nothing after the error event", f"{len(after)} of type {types}", shown)


@rule("ERR-05")
def test_error_payload_leaks_no_internals(bench: Bench) -> None:
    """Error payloads contain no stack trace, file path, SQL or secret."""
    for _, arrival in _error_events(bench):
        for text in _strings(arrival.data):
            for leak in leaks(text):
                note = f"event {arrival.index}: {visible(leak.quote, 80)}"
                broken("no internals", leak.what, Evidence(note, offset=arrival.block.start, at=arrival.at))


def _error_events(bench: Bench, *, first_only: bool = False) -> list[tuple[Observation, Arrival]]:
    """The error events of the ordinary stream and of the fault, with where they were seen."""
    streams = [bench.observation]
    if bench.live and "fault" in bench.endpoint.declares:
        fault = run_fault(bench)
        streams += [fault] if fault.is_stream else []
    found = [(seen, arrival) for seen in streams for arrival in seen.errors[: 1 if first_only else None]]
    if not found:
        hint = "" if "fault" in bench.endpoint.declares else ": declare fault in the profile"
        raise Untestable(f"no error event was seen{hint}")
    return found


def _lacks(document: Any) -> str:
    """What an error payload lacks; empty where nothing. The object may stand under `error`, as in JSON-RPC."""
    if document is MISSING:
        return "a payload that is no JSON"
    if not isinstance(document, dict):
        return f"a payload that is no object: {visible(json.dumps(document)[:60])}"
    inner = document.get("error")
    objects = [document, inner] if isinstance(inner, dict) else [document]
    if any(_has_code(one) and _has_message(one) for one in objects) or _is_tool_error(document.get("result")):
        return ""
    return "no code or type" if any(map(_has_message, objects)) else "no message"


def _is_tool_error(result: Any) -> bool:
    """The Model Context Protocol's way: the result is flagged, and its content says to the model what went wrong.

    https://modelcontextprotocol.io/specification/2025-11-25/server/tools#error-handling
    """
    if not isinstance(result, dict) or result.get("isError") is not True or not isinstance(result.get("content"), list):
        return False
    return any(isinstance(part, dict) and isinstance(part.get("text"), str) for part in result["content"])


def _has_code(document: dict[str, Any]) -> bool:
    named = [document.get(name) for name in ("type", "code", "status")]
    if any(isinstance(document.get(name), str) for name in ("message", "title", "detail", "error_description")):
        named.append(document.get("error"))  # OAuth's way (RFC 6749 section 5.2): error is the code
    return any(isinstance(value, str | int) and not isinstance(value, bool) and value != "" for value in named)


def _has_message(document: dict[str, Any]) -> bool:
    names = ("message", "title", "detail", "error_description")
    return any(isinstance(document.get(name), str) and document[name].strip() for name in names)


def _strings(data: str) -> Iterator[str]:
    """The texts in a payload as a reader sees them: every string of a JSON document, or the data itself."""
    document = payload(data)
    if document is MISSING:
        yield data
        return
    todo = [document]
    while todo:
        value = todo.pop()
        if isinstance(value, str):
            yield value
        elif isinstance(value, dict):
            todo += value.values()
        elif isinstance(value, list):
            todo += value
