"""Opens streams as an SseUser does, outside of pytest's process, which Locust would patch.

Reads {"host": …, "profile": …, "options": {…}, "cases": {name: keywords of SseUser.stream}} from standard input and
prints the outcome of each case as JSON. `events: true` iterates; `read` then ends the iteration after so many events.
"""

import json
import sys
from types import SimpleNamespace

import gevent
from locust.env import Environment

from ssegauge.load import SseUser, Timeouts


class Reader(SseUser):
    pass


def visit(user, keywords):
    method = keywords.pop("method", None)
    path = keywords.pop("path", None)
    if "timeouts" in keywords:
        keywords["timeouts"] = Timeouts(**keywords["timeouts"])
    if "auth" in keywords and isinstance(keywords["auth"], list):
        keywords["auth"] = tuple(keywords["auth"])
    kept = []
    if keywords.get("events"):
        most = keywords.pop("read", 1 << 30)
        with user.stream(method, path, **keywords) as stream:
            for event in stream:
                kept.append([event.type, event.data, event.last_event_id])
                if len(kept) == most:
                    stream.leave()
        return stream.outcome, kept
    return user.stream(method, path, **keywords), kept


def told(outcome, kept):
    return {
        "verdict": outcome.verdict,
        "end": outcome.facts.end,
        "status": outcome.status,
        "error": outcome.error,
        "message": outcome.message,
        "failed": outcome.failed,
        "times": outcome.times,
        "events": outcome.events,
        "faults": outcome.faults,
        "counts": [outcome.lost, outcome.duplicated, outcome.reordered],
        "retry_ms": outcome.retry_ms,
        "last_event_id": outcome.last_event_id,
        "lasted_us": outcome.lasted_us,
        "kept": kept,
    }


def main():
    job = json.load(sys.stdin)
    options = SimpleNamespace(sse_target=job.get("profile", ""), **job.get("options", {}))
    environment = Environment(user_classes=[Reader], host=job.get("host"), parsed_options=options)
    rows = []
    environment.events.request.add_listener(
        lambda **row: rows.append([row["request_type"], row["name"], row["response_time"], str(row["exception"] or "")])
    )

    def one(keywords):
        user = Reader(environment)
        before = keywords.pop("before", None)
        if before:
            visit(user, before)
        return told(*visit(user, keywords))

    greenlets = {name: gevent.spawn(one, keywords) for name, keywords in job["cases"].items()}
    gevent.joinall(greenlets.values(), raise_error=True)
    books = Reader(environment).session.recorder.ledger
    json.dump(
        {
            "outcomes": {name: greenlet.value for name, greenlet in greenlets.items()},
            "rows": rows,
            "ledger": books.to_json(),
        },
        sys.stdout,
    )


main()
