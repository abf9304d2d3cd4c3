"""Streams with a context: a task that is executed, and its progress."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated

from fastapi import APIRouter, Path, Response
from pydantic import BaseModel, Field

from ..describe import streamed
from ..events import event, failure
from ..stream import Events, Opened, Stream

router = APIRouter(tags=["tasks"])

EXECUTION_LIMIT_S = 60

# 2^53 - 1: JavaScript rounds what is larger.
TaskId = Annotated[int, Field(ge=0, le=2**53 - 1)]


class TaskRequest(BaseModel):
    """A task to be executed."""

    task_id: TaskId
    operation: Annotated[str, Field(min_length=1, max_length=200)]


def now() -> str:
    """The time in UTC, with its offset."""
    return datetime.now(UTC).isoformat()


_NOW = "2026-01-01T12:00:00+00:00"


@router.post(
    "/tasks/{task_id}/execute/stream",
    **streamed(
        "status{3} progress{4} complete",
        status=[
            {"task_id": 7, "status": "loading", "message": "Loading task details..."},
            {"task_id": 7, "status": "processing", "message": "Processing task...", "progress": 0},
        ],
        progress={"task_id": 7, "progress": 25},
        complete={"task_id": 7, "status": "completed", "result": "Task executed successfully"},
    ),
)
async def execute_task_by_id(task_id: Annotated[int, Path(ge=0, le=2**53 - 1)], stream: Opened) -> Response:
    """Executes a task: loads, validates, processes it in quarters."""
    stream.probe.jobs_started += 1
    return stream.respond(_execution_by_id(task_id, stream), task_id=task_id)


async def _execution_by_id(task_id: int, stream: Stream) -> Events:
    yield event("status", {"task_id": task_id, "status": "loading", "message": "Loading task details..."})
    await stream.pause(1)
    yield event("status", {"task_id": task_id, "status": "validating", "message": "Validating inputs..."})
    await stream.pause(1)
    processing = {"task_id": task_id, "status": "processing", "message": "Processing task...", "progress": 0}
    yield event("status", processing)
    for progress in (25, 50, 75, 100):
        await stream.pause(1)
        yield event("progress", {"task_id": task_id, "progress": progress})
    yield event("complete", {"task_id": task_id, "status": "completed", "result": "Task executed successfully"})


@router.get(
    "/tasks/{task_id}/progress/stream",
    **streamed(
        "progress{5} complete",
        progress={"task_id": 7, "step": "Initializing", "progress": 10, "timestamp": _NOW},
        complete={"task_id": 7, "final_status": "success"},
    ),
)
async def stream_task_progress(task_id: Annotated[int, Path(ge=0, le=2**53 - 1)], stream: Opened) -> Response:
    """Shows how far a task has come, in per cent, with the name of each step."""
    return stream.respond(_progress(task_id, stream), task_id=task_id)


async def _progress(task_id: int, stream: Stream) -> Events:
    steps = (("Initializing", 10), ("Loading data", 30), ("Processing", 60), ("Finalizing", 90), ("Complete", 100))
    for step, progress in steps:
        yield event("progress", {"task_id": task_id, "step": step, "progress": progress, "timestamp": now()})
        await stream.pause(1)
    yield event("complete", {"task_id": task_id, "final_status": "success"})


@router.post(
    "/tasks/execute/stream",
    **streamed(
        "status (status result){5} complete",
        status=[
            {"task_id": 7, "status": "validating", "timestamp": _NOW},
            {"task_id": 7, "step": "Initializing", "progress": 10},
        ],
        result={"step": "Initializing", "result": "Initializing completed", "progress": 10},
        complete={"task_id": 7, "status": "completed", "duration_seconds": 5.5, "timestamp": _NOW},
    ),
)
async def execute_task(task: TaskRequest, stream: Opened) -> Response:
    """Executes the task of the body with all that a stream in production has: errors told in the stream,
    a time limit, an end when the client leaves, progress, times."""
    stream.probe.jobs_started += 1
    return stream.respond(_execution(task, stream), task_id=task.task_id)


async def _execution(task: TaskRequest, stream: Stream) -> Events:
    yield event("status", {"task_id": task.task_id, "status": "validating", "timestamp": now()})
    await stream.pause(0.5)

    steps = (("Initializing", 10), ("Loading data", 25), ("Processing", 50), ("Analyzing", 75), ("Finalizing", 90))
    for step, progress in steps:
        if stream.elapsed() > EXECUTION_LIMIT_S:
            limit = {"timeout_seconds": EXECUTION_LIMIT_S, "task_id": task.task_id}
            yield failure("Execution timeout", "TimeoutError", **limit)
            return
        if await stream.is_disconnected():
            return
        yield event("status", {"task_id": task.task_id, "step": step, "progress": progress})
        await stream.pause(1)
        yield event("result", {"step": step, "result": f"{step} completed", "progress": progress})

    finished = {"status": "completed", "duration_seconds": round(stream.took(), 2), "timestamp": now()}
    yield event("complete", {"task_id": task.task_id, **finished})
