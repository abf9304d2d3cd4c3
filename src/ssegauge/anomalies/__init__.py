"""What is wrong with the bytes of a stream, by rule id: one decision in one place, for the suite and for `parse --lint`."""

from __future__ import annotations

from collections.abc import Collection

from ssegauge.anatomy import Anatomy
from ssegauge.anomalies import encoding, fields, framing, payloads
from ssegauge.anomalies.anomaly import Anomaly, Judge

__all__ = ["JSON_JUDGES", "JUDGES", "Anomaly", "Judge", "anomalies", "payload_anomalies"]

JUDGES: dict[str, Judge] = {
    "ENC-01": encoding.ill_formed,
    "ENC-02": encoding.replacement_character,
    "ENC-03": encoding.mark_at_start,
    "ENC-04": encoding.controls,
    "ENC-05": encoding.separators,
    "ENC-06": encoding.encoded_twice,
    "ENC-08": encoding.mark_at_line_start,
    "FRM-01": framing.unclosed,
    "FRM-03": framing.lone_cr,
    "FRM-05": framing.not_a_stream,
    "FRM-07": framing.unprefixed,
    "FRM-08": framing.too_long,
    "FRM-09": framing.framed_twice,
    "FRM-10": framing.empty,
    "FRM-12": framing.mixed_line_ends,
    "FRM-13": framing.crlf,
    "FRM-15": framing.escaped_line_ends,
    "FLD-01": fields.misspelt,
    "FLD-02": fields.nul_in_id,
    "FLD-03": fields.retry_not_digits,
    "FLD-04": fields.retry_implausible,
    "FLD-05": fields.id_alone,
    "FLD-06": fields.repeated,
    "FLD-07": fields.type_alone,
    "FLD-08": fields.empty_data,
    "FLD-11": fields.type_with_blanks,
    "FLD-12": fields.id_reused,
    "FLD-13": fields.id_not_for_header,
    "FLD-14": fields.id_reset,
    "FLD-16": fields.unknown_fields,
    "FLD-17": fields.retry_alone,
    "ERR-02": fields.connection_names,
    "REC-10": fields.no_retry,
}
"""Rules that the bytes alone decide. FLD-08's judge also takes `ignored`, the types that may be empty."""

JSON_JUDGES: dict[str, payloads.JsonJudge] = {
    "JSON-01": payloads.not_json,
    "JSON-02": payloads.constants,
    "JSON-03": payloads.repeated_names,
    "JSON-04": payloads.large_integers,
    "JSON-07": payloads.language_repr,
    "JSON-09": payloads.encoded_twice,
    "FRM-06": payloads.merged,
    "FRM-14": payloads.interleaved,
    "LIF-04": payloads.cut_by_keepalive,
    "LIF-10": payloads.comment_blocks,
}
"""Rules for streams that declare JSON. Each takes (anatomy, exempt payloads, ignored event types)."""


def anomalies(anatomy: Anatomy) -> list[Anomaly]:
    """All that breaks a rule whatever the profile says, in the order of the bytes."""
    return sorted((found for judge in JUDGES.values() for found in judge(anatomy)), key=lambda found: found.start)


def payload_anomalies(anatomy: Anatomy, exempt: Collection[str] = (), ignored: Collection[str] = ()) -> list[Anomaly]:
    """All that breaks a rule where the profile says that data is JSON."""
    found = (found for judge in JSON_JUDGES.values() for found in judge(anatomy, exempt, ignored))
    return sorted(found, key=lambda found: found.start)
