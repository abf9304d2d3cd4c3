"""Hold many streams open: -u of them, one a user; the next begins when one ends.

    locust -f loadtests/concurrent_streams.py --host http://localhost:8000/stream -u 500 -r 50 -t 60s -s 30s --headless

`-s` lets the last streams end, so that none is cut by the run's end.
"""

from __future__ import annotations

from locust import task

from ssegauge.load import SseUser


class ConcurrentStreams(SseUser):
    """Reads one stream after the other."""

    @task
    def read(self) -> None:
        """One stream, to its end."""
        self.stream()
