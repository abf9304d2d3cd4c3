"""A comparison with the baseline that is done in seconds, however many endpoints there are."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import islice
from typing import Any, Final

from ssegauge.gate.compare import Comparison, compare

Document = Mapping[str, Any]

MOST_ENDPOINTS: Final = 10
"""Endpoints whose figures are compared: each takes about a second, for the noise is found by resampling."""


def against(baseline: Sequence[Document], documents: Sequence[Document]) -> Comparison:
    """These documents against the baseline's, all of one scenario. Raises UserError where they do not compare."""
    shared: dict[str, None] = dict.fromkeys(documents[0].get("endpoints") or {})
    for document in (*baseline, *documents):
        shared = {name: None for name in shared if name in (document.get("endpoints") or {})}
    kept = set(islice(shared, MOST_ENDPOINTS))
    return compare([_only(document, kept) for document in baseline], [_only(document, kept) for document in documents])


def _only(document: Document, endpoints: set[str]) -> Document:
    parts = document.get("endpoints") or {}
    return {**document, "endpoints": {name: part for name, part in parts.items() if name in endpoints}}
