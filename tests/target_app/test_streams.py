"""Every stream of the guide: its events, their order, the names in their payloads."""

from datetime import UTC, datetime, timedelta
from itertools import pairwise

import pytest

QUERY = {"query": "What is SSE"}
TASK = {"task_id": 123, "operation": "analyze"}


def told(app, method, path, **request):
    return [(event.type, event.payload) for event in app.events(path, method=method, **request)]


DONE = ("complete", {"done": True})

EXACT = {
    "/stream": [*[("message", {"count": i}) for i in range(5)], DONE],
    "/stream/hello": [*[("message", {"text": text}) for text in ("Hello", "from", "Server-Sent", "Events!")], DONE],
    "/stream/progress": [*[("progress", {"progress": i}) for i in range(0, 101, 10)], DONE],
    "/process/stream": [
        *[("progress", {"step": step}) for step in ("Analyzing", "Processing", "Finalizing")],
        ("complete", {"result": "Done!"}),
    ],
    "/countdown/3": [
        *[("countdown", {"remaining": i}) for i in (3, 2, 1)],
        ("complete", {"message": "Countdown finished!"}),
    ],
    "/countdown/0": [("complete", {"message": "Countdown finished!"})],
    "/stream/safe?fail=never": [("message", {"msg": "Starting"}), ("message", {"msg": "Success"}), DONE],
    "/stream/detect-disconnect": [*[("message", {"count": i}) for i in range(100)], DONE],
    "/stream/timeout?count=4": [*[("message", {"count": i}) for i in range(4)], DONE],
}


@pytest.mark.parametrize("path", EXACT)
def test_a_stream_is_the_guides(app, path):
    assert told(app, "GET", path) == EXACT[path]


def test_root_says_what_it_is(app):
    assert app.client.get("/").json() == {"message": "SSE Streaming API"}


def test_a_task_is_executed_by_its_number(app):
    assert told(app, "POST", "/tasks/7/execute/stream") == [
        ("status", {"task_id": 7, "status": "loading", "message": "Loading task details..."}),
        ("status", {"task_id": 7, "status": "validating", "message": "Validating inputs..."}),
        ("status", {"task_id": 7, "status": "processing", "message": "Processing task...", "progress": 0}),
        *[("progress", {"task_id": 7, "progress": progress}) for progress in (25, 50, 75, 100)],
        ("complete", {"task_id": 7, "status": "completed", "result": "Task executed successfully"}),
    ]


def test_a_tasks_progress_has_steps_and_times(app):
    *steps, end = told(app, "GET", "/tasks/7/progress/stream")
    assert [kind for kind, _ in steps] == ["progress"] * 5
    assert [(p["step"], p["progress"]) for _, p in steps] == [
        ("Initializing", 10), ("Loading data", 30), ("Processing", 60), ("Finalizing", 90), ("Complete", 100),
    ]  # fmt: skip
    for _, payload in steps:
        assert list(payload) == ["task_id", "step", "progress", "timestamp"]
        assert_is_now_in_utc(payload["timestamp"])
    assert end == ("complete", {"task_id": 7, "final_status": "success"})


def test_a_task_is_executed_with_all_that_production_needs(app):
    first, *steps, end = told(app, "POST", "/tasks/execute/stream", json=TASK)
    assert list(first[1]) == ["task_id", "status", "timestamp"]
    assert (first[0], first[1]["task_id"], first[1]["status"]) == ("status", 123, "validating")
    assert_is_now_in_utc(first[1]["timestamp"])
    names = (("Initializing", 10), ("Loading data", 25), ("Processing", 50), ("Analyzing", 75), ("Finalizing", 90))
    assert steps == [
        event
        for step, progress in names
        for event in (
            ("status", {"task_id": 123, "step": step, "progress": progress}),
            ("result", {"step": step, "result": f"{step} completed", "progress": progress}),
        )
    ]
    assert list(end[1]) == ["task_id", "status", "duration_seconds", "timestamp"]
    assert (end[0], end[1]["status"]) == ("complete", "completed")
    assert 0 < end[1]["duration_seconds"] < 10


def test_an_agent_processes(app):
    assert told(app, "POST", "/agent/process/stream", params=QUERY) == [
        ("thinking", {"step": "understanding", "message": "Analyzing your request..."}),
        ("thinking", {"step": "planning", "message": "Creating execution plan...",
                      "plan": ["Fetch data", "Process data", "Format response"]}),
        *[
            ("tool", payload)
            for tool in ("database", "api", "formatter")
            for payload in (
                {"tool": tool, "status": "calling"},
                {"tool": tool, "status": "complete", "result": f"{tool} executed"},
            )
        ],
        *[("token", {"token": token}) for token in ("Here's", " the", " result", ":", " Done!")],
        ("complete", {"message": "Processing complete", "tokens": 5}),
    ]  # fmt: skip


def test_an_agent_thinks(app):
    thoughts = (
        "I need to break this down into steps",
        "First, I'll gather the necessary information",
        "Then I'll process the data",
        "Finally, I'll format a response",
    )
    answer = "Based on my analysis, here is the answer."
    assert told(app, "GET", "/agent/think/stream", params=QUERY) == [
        ("thought", {"type": "initial", "message": "Analyzing query: What is SSE"}),
        *[
            ("thought", {"type": "planning", "step": step, "total_steps": 4, "message": thought})
            for step, thought in enumerate(thoughts, start=1)
        ],
        ("status", {"message": "Executing plan..."}),
        *[("token", {"token": word + " "}) for word in answer.split()],
        ("complete", {"message": "Thinking complete", "thoughts_count": 4, "response_length": len(answer)}),
    ]


def test_the_challenge_has_percentages_and_times(app):
    events = told(app, "GET", "/agent/stream", params=QUERY)
    answer = "Based on your query about 'What is SSE', here is my response."
    plain = [(kind, {k: v for k, v in p.items() if k not in {"progress", "timestamp"}}) for kind, p in events]
    thoughts = (
        "Breaking down the problem", "Searching for relevant information",
        "Processing the data", "Formulating a response",
    )  # fmt: skip
    assert plain == [
        ("status", {"message": "Analyzing query..."}),
        *[("thought", {"step": n, "total": 4, "thought": text}) for n, text in enumerate(thoughts, start=1)],
        *[("token", {"token": word + " "}) for word in answer.split()],
        ("complete", {"done": True, "query": "What is SSE"}),
    ]
    progress = [payload["progress"] for _, payload in events]
    assert all(before <= after for before, after in pairwise(progress))
    assert progress[-2:] == [100, 100]
    for _, payload in events:
        assert list(payload)[-2:] == ["progress", "timestamp"]
        assert_is_now_in_utc(payload["timestamp"])


def test_a_stream_that_fails_by_chance_fails_when_it_is_told_to(app):
    assert told(app, "GET", "/stream/safe?fail=always") == [
        ("message", {"msg": "Starting"}),
        ("error", {"error": "Random error occurred", "type": "ValueError", "message": "Random error occurred"}),
    ]


def test_the_chance_of_failing_is_repeated_by_its_seed(app):
    def ends(seed):
        return told(app, "GET", f"/stream/safe?seed={seed}&pace=0")[-1][0]

    first = [ends(seed) for seed in range(20)]
    assert first == [ends(seed) for seed in range(20)]
    assert set(first) == {"complete", "error"}


@pytest.mark.parametrize("pace", ["0", "0.01"])
def test_a_stream_keeps_its_time_limit(app, pace):
    *counted, end = told(app, "GET", f"/stream/timeout?pace={pace}&timeout=5")
    said = "Stream timeout exceeded"
    assert end == ("error", {"error": said, "type": "TimeoutError", "timeout": 5, "message": said})
    assert 1 <= len(counted) <= 6
    assert counted == [("message", {"count": i}) for i in range(len(counted))]


def test_the_time_limit_is_thirty_seconds(app):
    *counted, end = told(app, "GET", "/stream/timeout?pace=0")
    assert end[1]["timeout"] == 30
    assert len(counted) == 31


def assert_is_now_in_utc(text):
    moment = datetime.fromisoformat(text)
    assert moment.utcoffset() == timedelta(0)
    assert abs(datetime.now(UTC) - moment) < timedelta(minutes=1)
