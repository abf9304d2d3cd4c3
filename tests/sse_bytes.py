"""Bytes that are worth splitting: what tests of the decoders and of the anatomy draw from."""

from __future__ import annotations

import base64
import itertools
import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from hypothesis import strategies as st

VECTORS: list[dict[str, Any]] = json.loads((Path(__file__).parent / "vectors" / "streams.json").read_text())["vectors"]
IDS = [vector["id"] for vector in VECTORS]

PIECES = [
    *(b"data", b"event", b"id", b"retry", b"Data", b":", b": ", b" ", b"\t", b"x", b"12", b"\0"),
    *(b"\n", b"\r", b"\r\n", b"\n\n", b"\r\r", b"\r\n\r\n"),
    *(b"\xef\xbb\xbf", b"\xf0\x9f\x98\x80", b"\xf0\x9f", b"\xe2\x82", b"\xc2\x85", b"\xe2\x80\xa8", b"\xff", b"\xc0"),
    *(b"data: a\n", b"data:b\n\n", b"data\n", b"event: e\n", b"event\n", b"id: 7\n", b"id\n", b"id: \0\n", b":c\n"),
    *(b"retry: 99\n", b"retry: 9x\n", b"event: e\nid: 8\ndata: {}\n\n", b"id: 9\r\nevent: f\r\ndata: z\r\n\r\n"),
]
BODIES = st.one_of(
    st.lists(st.sampled_from(PIECES), max_size=16).map(b"".join),
    st.binary(max_size=40),
)


def body_of(vector: dict[str, Any]) -> bytes:
    """The bytes of a vector."""
    return base64.b64decode(vector["input_b64"])


def expected(vector: dict[str, Any]) -> list[tuple[str, str, str]]:
    """The events of a vector."""
    return [(event["type"], event["data"], event["last_event_id"]) for event in vector["events"]]


def split(body: bytes, cuts: Iterable[int]) -> list[bytes]:
    """The body in pieces, cut at these offsets; an empty piece comes of a cut at an end or twice at one place."""
    edges = [0, *sorted(min(cut, len(body)) for cut in cuts), len(body)]
    return [body[start:end] for start, end in itertools.pairwise(edges)]
