"""Echo: what is sent comes back as events. The contract is docs/echo-contract.md; any server can offer it."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query, Response
from pydantic import BaseModel, ConfigDict, Field

from ..describe import streamed
from ..events import event, text_event
from ..stream import Events, Opened, Stream

router = APIRouter(tags=["echo"])

MAX_EVENTS = 1000

# A line end in a type or an id would begin a field of the sender's choice, so it is refused, not removed.
# NUL makes clients ignore the id, and Firefox lose the event.
ONE_LINE = r"^[^\x00\r\n]*$"

OneLine = Annotated[str, Field(pattern=ONE_LINE, max_length=4096)]
Data = Annotated[str, Field(max_length=1 << 20)]


class EchoEvent(BaseModel):
    """One block: each field that is given appears in it, and no other."""

    model_config = ConfigDict(extra="forbid")

    type: OneLine | None = None
    data: Data | None = None
    id: OneLine | None = None
    retry: Annotated[int, Field(ge=0, le=2**31 - 1, strict=True)] | None = None
    comment: Data | None = None


@router.post("/echo", **streamed("(what was sent)"))
async def echo(events: Annotated[list[EchoEvent], Field(max_length=MAX_EVENTS)], stream: Opened) -> Response:
    """Streams the events of the body back, in order, and ends. Nothing is added, not even a terminal event."""
    return stream.respond_plainly(_echoed(events, stream))


async def _echoed(events: list[EchoEvent], stream: Stream) -> Events:
    for item in events:
        yield text_event(item.data, kind=item.type, id=item.id, retry=item.retry, comment=item.comment)
        await stream.pause(0)


_ONE = streamed("(the event) complete", complete={"done": True})


@router.get("/echo", **_ONE)
async def echo_values(
    stream: Opened,
    data: Data = "Hello",
    kind: Annotated[OneLine | None, Query(alias="event")] = None,
    last_id: Annotated[OneLine | None, Query(alias="id")] = None,
) -> Response:
    """Streams one event with these values, then `complete`."""
    return stream.respond(_reflected(EchoEvent(data=data, type=kind, id=last_id)))


@router.post("/echo/one", **_ONE)
async def echo_one(item: EchoEvent, stream: Opened) -> Response:
    """Streams the event of the body, then `complete`: for values that do not fit into an address."""
    return stream.respond(_reflected(item))


async def _reflected(item: EchoEvent) -> Events:
    yield text_event(item.data, kind=item.type, id=item.id, retry=item.retry, comment=item.comment)
    yield event("complete", {"done": True})
