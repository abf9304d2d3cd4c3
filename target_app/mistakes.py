"""The guide's ten common mistakes, each served beside its correct twin.

`MISTAKES` says which rule of the catalogue names each of them, and what a profile has to declare for that.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from typing import Annotated, Any

from fastapi import APIRouter, Query, Response
from fastapi.responses import JSONResponse
from sse_starlette.event import ServerSentEvent

from .describe import streamed
from .events import LINE_END, event, text_event
from .stream import Events, Opened, ServerLeaving, Stream

router = APIRouter(prefix="/mistakes", tags=["mistakes"])

# Twenty clients of a stream that blocks so long wait six seconds for the last first event: enough to be
# noticed, and short enough not to wedge the application for everybody else.
BLOCKED_S = 0.3

# Work that nobody waits for has to end some time, since it cannot be stopped by the client that began it.
ABANDONED_S = 20.0


@dataclass(frozen=True, slots=True)
class Mistake:
    """One mistake: where it is served, and what finds it."""

    number: int
    name: str
    title: str
    rule: str | None
    """Id of the rule that names it; None where no byte of the stream shows it."""
    declares: dict[str, Any] = field(default_factory=dict)
    """Keys of the endpoint that the rule needs, as in a profile; `[probe]` and `[target]` under their names."""
    also: tuple[str, ...] = ()
    """Rules that the mistake cannot help breaking too."""

    @property
    def wrong(self) -> str:
        """Path of the mistake."""
        return f"/mistakes/{self.name}/wrong"

    @property
    def right(self) -> str:
        """Path of its correct twin."""
        return f"/mistakes/{self.name}/right"


_COMPLETE = {"terminal": ["complete"]}
_PROBE = {"url": "/_probe", "active_streams": "/active_streams"}
_FAULT = {"fault": {"params": {"fail_after": 1}}, "errors": ["error"], "data": "json"}

MISTAKES = (
    Mistake(1, "return", "return instead of yield", "HDR-01", also=("FRM-05", "HDR-04", "HDR-05", "HDR-11")),
    Mistake(2, "dict", "a dict instead of a JSON string", "JSON-07", {"data": "json"}),
    Mistake(3, "blocking-sleep", "time.sleep instead of asyncio.sleep", "ISO-08", _COMPLETE, also=("ISO-03",)),
    Mistake(4, "no-end", "a stream without end", "LIF-06", {"deadline": "2s"}),
    Mistake(5, "no-disconnect", "work goes on when the client has left", "DIS-01", {"probe": _PROBE}, also=("DIS-10",)),
    Mistake(6, "uncaught", "an exception that nobody catches", "ERR-01", _FAULT, also=("ERR-08",)),
    Mistake(7, "swagger", "testing a stream in Swagger UI", None),
    Mistake(8, "no-types", "events without types", "ORD-07", {"order": "status progress complete"}),
    Mistake(9, "missing-import", "a name that was never imported", "HTTP-11", also=("FRM-10", "LIF-02")),
    Mistake(10, "no-cors", "no CORS for pages elsewhere", "COR-01",
            {"target": {"origins": ["http://localhost:3000"]}}, also=("COR-02", "COR-04")),
)  # fmt: skip

# The application leaves these paths without CORS.
WITHOUT_CORS = frozenset(mistake.wrong for mistake in MISTAKES if mistake.rule == "COR-01")

_SAID = streamed("message+ complete?", message={"text": "Hello"}, complete={"done": True})
_COUNTED = streamed("message* complete?", message={"count": 1}, complete={"done": True})


@router.get("", summary="The table of mistakes")
async def show_mistakes() -> list[dict[str, Any]]:
    """What is wrong, where it is served, where its twin is, and which rule names it."""
    return [
        {"number": m.number, "title": m.title, "wrong": m.wrong, "right": m.right, "rule": m.rule, "also": m.also,
         "declares": m.declares}
        for m in MISTAKES
    ]  # fmt: skip


@router.get("/return/wrong", response_class=JSONResponse)
async def return_wrong() -> dict[str, str]:
    """1: the generator returns, so that a dict goes out as JSON and no stream at all."""
    return await _returns()


async def _returns() -> dict[str, str]:
    return {"data": "Hello"}


@router.get("/return/right", **_SAID)
async def return_right(stream: Opened) -> Response:
    """1: the generator yields."""
    return stream.respond(_says(stream))


async def _says(stream: Stream, *words: str) -> Events:
    for word in words or ("Hello", "World"):
        yield event("message", {"text": word})
        await stream.pause(0)
    yield event("complete", {"done": True})


@router.get("/dict/wrong", **_SAID)
async def dict_wrong(stream: Opened) -> Response:
    """2: data is a dict, so that its Python notation goes out, single quotes and all."""
    return stream.respond(_dict_as_data())


async def _dict_as_data() -> Events:
    yield ServerSentEvent({"text": "Hello"}, event="message", sep=LINE_END)
    yield event("complete", {"done": True})


@router.get("/dict/right", **_SAID)
async def dict_right(stream: Opened) -> Response:
    """2: data is JSON."""
    return stream.respond(_says(stream, "Hello"))


@router.get("/blocking-sleep/wrong", **_SAID)
async def blocking_sleep_wrong(stream: Opened) -> Response:
    """3: every other stream of the server stands still while this one sleeps."""
    return stream.respond(_blocks())


async def _blocks() -> Events:
    yield event("message", {"text": "Hello"})
    time.sleep(BLOCKED_S)  # noqa: ASYNC251 - the mistake
    yield event("message", {"text": "World"})
    yield event("complete", {"done": True})


@router.get("/blocking-sleep/right", **_SAID)
async def blocking_sleep_right(stream: Opened) -> Response:
    """3: the same pause, in which others go on."""
    return stream.respond(_sleeps(stream))


async def _sleeps(stream: Stream) -> Events:
    yield event("message", {"text": "Hello"})
    await stream.wait(BLOCKED_S)
    yield event("message", {"text": "World"})
    yield event("complete", {"done": True})


@router.get("/no-end/wrong", **_COUNTED)
async def no_end_wrong(stream: Opened) -> Response:
    """4: nothing ever ends it but the client."""
    return stream.respond(_never_ends(stream))


async def _never_ends(stream: Stream) -> Events:
    while True:
        yield event("message", {"count": 1})
        await stream.wait(0.1)


@router.get("/no-end/right", **_COUNTED)
async def no_end_right(stream: Opened) -> Response:
    """4: ten messages, and the end is said."""
    return stream.respond(_ends(10, stream))


async def _ends(count: int, stream: Stream) -> Events:
    for i in range(count):
        yield event("message", {"count": i})
        await stream.pause(1)
    yield event("complete", {"done": True})


@router.get("/no-disconnect/wrong", **_COUNTED)
async def no_disconnect_wrong(stream: Opened) -> Response:
    """5: the work runs in a task of its own, which nobody tells that the client has left.

    A generator alone would be stopped: sse-starlette cancels it within milliseconds.
    """
    return stream.respond(_fed_by_a_task(stream))


async def _fed_by_a_task(stream: Stream) -> Events:
    produced: asyncio.Queue[int | None] = asyncio.Queue()
    task = asyncio.create_task(_produce(produced, stream))
    _ABANDONED.add(task)
    task.add_done_callback(_ABANDONED.discard)
    while (count := await produced.get()) is not None:
        yield event("message", {"count": count})


# asyncio keeps only weak references to tasks.
_ABANDONED: set[asyncio.Task[None]] = set()


async def _produce(produced: asyncio.Queue[int | None], stream: Stream) -> None:
    count = 0
    until = time.monotonic() + ABANDONED_S
    with stream.watch.work():
        while time.monotonic() < until:
            produced.put_nowait(count)
            count += 1
            try:
                await stream.wait(0.1)
            except ServerLeaving:
                break
    produced.put_nowait(None)


@router.get("/no-disconnect/right", **_COUNTED)
async def no_disconnect_right(stream: Opened) -> Response:
    """5: the work asks whether anybody still listens, and ends with the stream."""
    return stream.respond(_asks(stream))


async def _asks(stream: Stream) -> Events:
    for i in range(1000):
        if await stream.is_disconnected():
            return
        yield event("message", {"count": i})
        await stream.wait(0.1)
    yield event("complete", {"done": True})


@router.get("/uncaught/wrong", **_SAID)
async def uncaught_wrong(
    stream: Opened, fail_after: Annotated[int | None, Query(ge=0, description="As everywhere.")] = None
) -> Response:
    """6: with `fail_after` it raises, and the connection is cut without a word."""
    return stream.send(_raises(fail_after, stream))


async def _raises(fail_after: int | None, stream: Stream) -> Events:
    said = ("Starting", "Working", "Done")
    for sent, text in enumerate(said):
        if sent == fail_after:
            raise ValueError("Something broke!")
        yield event("message", {"text": text})
        await stream.pause(0)
    yield event("complete", {"done": True})


@router.get("/uncaught/right", **_SAID)
async def uncaught_right(stream: Opened) -> Response:
    """6: with `fail_after` it fails too, and tells its reader."""
    return stream.respond(_says(stream, "Starting", "Working", "Done"))


@router.get("/swagger/wrong", response_class=JSONResponse)
async def swagger_wrong(stream: Opened) -> Response:
    """7: a stream that the OpenAPI document takes for JSON; Swagger UI shows nothing until it has ended.

    The mistake is in the document and in the way of testing: the bytes are right.
    """
    return stream.respond(_says(stream))


@router.get("/swagger/right", **_SAID)
async def swagger_right(stream: Opened) -> Response:
    """7: the same stream, documented as one. Look at it with `curl -N`, in /demo, or with EventSource."""
    return stream.respond(_says(stream))


@router.get("/no-types/wrong", **_SAID)
async def no_types_wrong(stream: Opened) -> Response:
    """8: everything is a `message`, so that no client can tell the end from the rest."""
    return stream.respond(_without_types())


async def _without_types() -> Events:
    yield text_event('{"text": "Starting"}')
    yield text_event('{"percent": 50}')
    yield text_event('{"done": true}')


@router.get(
    "/no-types/right",
    **streamed(
        "status progress complete", status={"text": "Starting"}, progress={"percent": 50}, complete={"done": True}
    ),
)
async def no_types_right(stream: Opened) -> Response:
    """8: each event says what it is."""
    return stream.respond(_with_types())


async def _with_types() -> Events:
    yield event("status", {"text": "Starting"})
    yield event("progress", {"percent": 50})
    yield event("complete", {"done": True})


@router.get("/missing-import/wrong", **_COUNTED)
async def missing_import_wrong(stream: Opened) -> Response:
    """9: the name is missed only when the generator runs, which is after the status 200 has gone out."""
    return stream.send(_misses_a_name())


async def _misses_a_name() -> AsyncIterator[ServerSentEvent]:
    yield text_event(json.dumps({"count": 1}))  # type: ignore[name-defined]  # noqa: F821 - the mistake


@router.get("/missing-import/right", **_COUNTED)
async def missing_import_right(stream: Opened) -> Response:
    """9: all that is used is imported."""
    return stream.respond(_ends(1, stream))


@router.get("/no-cors/wrong", **_SAID)
async def no_cors_wrong(stream: Opened) -> Response:
    """10: no page of another origin may read it, not even the declared ones."""
    return stream.respond(_says(stream))


@router.get("/no-cors/right", **_SAID)
async def no_cors_right(stream: Opened) -> Response:
    """10: the origins of the settings may."""
    return stream.respond(_says(stream))
