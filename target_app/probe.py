"""What the application shows of itself: how many streams are open, and what still runs for nobody."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from fastapi import APIRouter, Request
from fastapi.responses import JSONResponse

router = APIRouter(tags=["probe"])


@dataclass(eq=False, slots=True)
class Watch:
    """One stream as the probe sees it: active while its response is open or its work goes on."""

    probe: Probe
    responses: int = 0
    works: int = 0

    @contextmanager
    def response(self) -> Iterator[None]:
        """The time in which the response is being sent."""
        self.probe.opened += 1
        self.responses += 1
        self.probe.active.add(self)
        try:
            yield
        finally:
            self.responses -= 1
            self._rest()

    @contextmanager
    def work(self) -> Iterator[None]:
        """The time in which something is produced for the stream."""
        self.works += 1
        self.probe.active.add(self)
        try:
            yield
        finally:
            self.works -= 1
            self._rest()

    def _rest(self) -> None:
        if not self.responses and not self.works:
            self.probe.active.discard(self)


@dataclass(slots=True)
class Probe:
    """The counters of one application. They live in one event loop, so that no lock is needed."""

    opened: int = 0
    events: int = 0
    failed: int = 0
    jobs_started: int = 0
    active: set[Watch] = field(default_factory=set)

    def report(self) -> dict[str, int]:
        """The counters as `/_probe` shows them."""
        return {
            "active_streams": len(self.active),
            "orphaned": sum(1 for watch in self.active if not watch.responses),
            "opened": self.opened,
            "events": self.events,
            "failed": self.failed,
            "jobs_started": self.jobs_started,
            "pid": os.getpid(),
        }


@router.get("/_probe", summary="What runs now")
async def show_probe(request: Request) -> JSONResponse:
    """Streams that are active (response open or work going on), those of them whose client has left
    (`orphaned`), and what was counted since the start: streams opened, events produced, streams that
    failed, and jobs that were started (by POST, and by the first request for a resumable run)."""
    probe: Probe = request.app.state.probe
    return JSONResponse(probe.report(), headers={"Cache-Control": "no-store"})
