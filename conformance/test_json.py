"""Payloads under data = "json" (rules JSON-*)."""

from __future__ import annotations

import json

from jsonschema.exceptions import best_match

from ssegauge.anomalies.payloads import misspelt_sentinel
from ssegauge.judging import broken, expect_clean_bytes, rule
from ssegauge.observation import Observation
from ssegauge.profile import pointer
from ssegauge.visible import visible


@rule("JSON-01")
def test_every_payload_is_one_json_document(observation: Observation) -> None:
    """With data = "json" every payload but the declared sentinels is one JSON text, complete and alone."""
    expect_clean_bytes("JSON-01", observation, "one JSON text in every payload")


@rule("JSON-02")
def test_numbers_are_json_numbers(observation: Observation) -> None:
    """NaN, Infinity and -Infinity do not appear."""
    expect_clean_bytes("JSON-02", observation, "numbers that JSON has")


@rule("JSON-03")
def test_object_names_are_unique(observation: Observation) -> None:
    """No object has the same name twice; what receivers do with it differs."""
    expect_clean_bytes("JSON-03", observation, "every name once in an object")


@rule("JSON-04")
def test_integers_are_exact_in_every_client(observation: Observation) -> None:
    """Integers lie within 2^53 - 1 of zero, or are strings: JavaScript clients round larger ones."""
    expect_clean_bytes("JSON-04", observation, "integers within 2^53 - 1 of zero")


@rule("JSON-05")
def test_event_matches_the_schema_of_its_type(observation: Observation) -> None:
    """Each event of a type that has a schema is valid against it."""
    endpoint = observation.endpoint
    for arrival in observation.arrivals:
        validator = endpoint.validator(arrival.type)
        document = pointer.payload(arrival.data)
        if validator is None or document is pointer.MISSING:
            continue  # a payload that is no JSON is JSON-01's
        if isinstance(document, str) and isinstance(pointer.payload(document), dict | list):
            continue  # a document that is encoded twice is JSON-09's
        fault = best_match(validator.iter_errors(document))
        if fault is not None:
            at = fault.json_path.removeprefix("$") or "the document"
            broken(
                f"an event of type {arrival.type} as its schema says",
                f"{visible(at)}: {visible(fault.message)}",
                observation.show_event(arrival),
            )


@rule("JSON-06")
def test_type_inside_the_payload_equals_the_event_type(observation: Observation) -> None:
    """Where the payload repeats the event's type, the two are equal."""
    place = observation.endpoint.discriminator
    assert place is not None
    for arrival in observation.contract_arrivals:
        if arrival.data in observation.endpoint.terminal_data:
            continue
        said = place.in_data(arrival.data)
        type = arrival.event.type
        if said is not pointer.MISSING and said not in {type, type.strip()}:  # blanks are FLD-11's
            broken(
                f"{place.pointer} equal to the event type",
                f"{visible(str(said))} in an event of type {visible(type)}",
                observation.show_event(arrival),
            )


@rule("JSON-07")
def test_payload_is_not_a_language_repr(observation: Observation) -> None:
    """A payload is JSON and not a language's own notation (single quotes, None, True)."""
    expect_clean_bytes("JSON-07", observation, "JSON, and no language's own notation")


@rule("JSON-08")
def test_sentinel_is_sent_bare(observation: Observation) -> None:
    """A declared sentinel is sent as it is declared: [DONE], not "[DONE]"."""
    declared = observation.endpoint.terminal_data
    quoted = {json.dumps(sentinel): sentinel for sentinel in declared}
    for arrival in observation.arrivals:
        bare = quoted.get(arrival.data.strip())
        if bare is not None:
            broken(f"{bare} as it is", f"{arrival.data} in JSON quotes", observation.show_event(arrival))
        # beside plain text, other words than the sentinel's own are text
        meant = misspelt_sentinel(arrival.data, declared) if observation.endpoint.data == "json" else None
        if meant is not None:
            broken(f"{visible(meant)} as it is", visible(repr(arrival.data)), observation.show_event(arrival))


@rule("JSON-09")
def test_document_is_not_encoded_twice(observation: Observation) -> None:
    """A payload is not a JSON string whose content is a JSON object or array."""
    expect_clean_bytes("JSON-09", observation, "a document that is encoded once")
