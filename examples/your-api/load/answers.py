"""What our users do: most ask, some watch a job.

    ssegauge load sse-target.toml --scenario load/answers.py --results load.json -- -u 20 -r 20 -t 30s -s 10s
    locust -f load/answers.py --sse-target sse-target.toml

Each stream is judged by what sse-target.toml promises.
"""

import random

from locust import between, task
from ssegauge.load import SseUser

QUESTIONS = ("What is an event stream", "Why does my stream stop after a minute", "How do I come back to it")


class Visitor(SseUser):
    """Asks or watches, and then thinks."""

    wait_time = between(0.1, 0.5)

    @task(3)
    def ask(self) -> None:
        """One answer, to its end; a question that was refused is not asked again at once."""
        outcome = self.stream(endpoint="answer", json={"text": random.choice(QUESTIONS)})
        if outcome.verdict != "complete":
            self.pause(1)

    @task(1)
    def watch(self) -> None:
        """A job's progress, left where half of it is done."""
        with self.stream(endpoint="progress", events=True) as stream:
            for event in stream:
                if '"percent":50' in event.data.replace(" ", ""):
                    stream.leave()
