"""Judges single rules on made-up recordings: bytes with the times at which they came."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from ssegauge import suite
from ssegauge.bench import Bench
from ssegauge.exchange import Exchange, Read, Sent
from ssegauge.finding import Finding
from ssegauge.judging import judge
from ssegauge.profile import Profile
from ssegauge.profile.endpoint import Endpoint
from ssegauge.verdict import EndKind

URL = "http://127.0.0.1:1/stream"


def exchange(
    reads: Sequence[tuple[float, bytes]],
    *,
    end: EndKind = "message_end",
    end_at: float | None = None,
    head_at: float = 0.01,
    headers: Sequence[tuple[str, str]] = (("Content-Type", "text/event-stream"),),
) -> Exchange:
    """An exchange of these reads, which ended right after the last one where nothing else is said."""
    last = reads[-1][0] if reads else head_at
    return Exchange(
        "main", Sent("GET", URL), http_version="1.1", status=200, reason="OK", headers=list(headers), framing="chunked",
        first_byte_at=head_at, head_at=head_at, reads=[Read(at, data) for at, data in reads],
        end=end, end_at=last + 0.001 if end_at is None else end_at,
    )  # fmt: skip


def finding(rule: str, seen: Exchange, **keys: Any) -> Finding:
    """What the rule says of a recording, under an endpoint of these keys."""
    endpoint = Endpoint.model_validate({"name": "main", "request": {"path": "/stream"}, **keys})
    profile = Profile(base_url="http://127.0.0.1:1", endpoint=(endpoint,))
    return judge(suite.checks()[rule], Bench(profile, endpoint, recording=seen))


def said(rule: str, seen: Exchange, **keys: Any) -> str:
    """The outcome, as a word, and why, where it is not judged or broken."""
    found = finding(rule, seen, **keys)
    return found.outcome if found.outcome == "pass" else f"{found.outcome}: {found.actual or found.reason}"


def at_once(*frames: bytes) -> list[tuple[float, bytes]]:
    """All frames in one read."""
    return [(0.02, b"".join(frames))]


def paced(*frames: bytes, step: float = 0.1) -> list[tuple[float, bytes]]:
    """A read for each frame."""
    return [(0.02 + number * step, frame) for number, frame in enumerate(frames)]
