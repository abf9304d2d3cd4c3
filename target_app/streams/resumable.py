"""A stream that goes on where its client lost it."""

from __future__ import annotations

import re
from typing import Annotated

from fastapi import APIRouter, Query, Response

from ..describe import streamed
from ..events import event
from ..stream import Events, Opened, Stream

router = APIRouter(tags=["resumable"])

_ID = re.compile(r"(?P<run>[A-Za-z0-9_]+)-(?P<n>[1-9][0-9]{0,5})")


@router.get(
    "/resumable",
    **streamed(
        "item{1,10000} complete",
        item={"run": "a", "seq": 1, "text": "Item 1 of run a"},
        complete={"run": "a", "items": 10},
    ),
)
async def stream_items(
    stream: Opened,
    run: Annotated[
        str, Query(pattern=r"^[A-Za-z0-9_]{1,64}$", description="Which run; the same run, the same data.")
    ] = "a",
    count: Annotated[int, Query(ge=1, le=10_000, description="How many items it has.")] = 10,
) -> Response:
    """Items that depend on the run and their number only, each with the id `RUN-NUMBER`, `complete` too.

    With `Last-Event-ID: RUN-n` it goes on with item n + 1; after the id of `complete` it answers 204. An id
    that this run never gave (another run's, malformed, too large) is answered with the whole run.
    """
    seen = _seen(stream.last_event_id, run, count)
    if seen > count:
        return Response(status_code=204, headers={"Cache-Control": "no-store"})
    stream.probe.jobs_started += not seen
    response = stream.respond(_items(run, seen, count, stream))
    # Some clients take a comment in a block of its own, once an id was sent, for an event with empty data. The
    # longest silence here is half a second times the greatest pace: no keepalive is needed.
    return stream.kept_alive(response, 0)


def _seen(last_event_id: str | None, run: str, count: int) -> int:
    match = _ID.fullmatch(last_event_id or "")
    if match is None or match["run"] != run or int(match["n"]) > count + 1:
        return 0
    return int(match["n"])


async def _items(run: str, seen: int, count: int, stream: Stream) -> Events:
    for n in range(seen + 1, count + 1):
        yield event("item", {"run": run, "seq": n, "text": f"Item {n} of run {run}"}, id=f"{run}-{n}")
        await stream.pause(0.5)
    yield event("complete", {"run": run, "items": count}, id=f"{run}-{count + 1}")
