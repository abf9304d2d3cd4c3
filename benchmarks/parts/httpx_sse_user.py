"""A Locust user that reads with httpx-sse, as people write it; first events and gaps go into PEER_TIMES."""

import atexit
import json
import logging
import os
import ssl
import time

from locust import User, task

import httpx  # isort: skip - after Locust, which patches
from httpx_sse import connect_sse  # isort: skip

logging.getLogger("httpx").setLevel(logging.WARNING)
CONTEXT = ssl.create_default_context()
TIMES = {"first_event": [], "gap": []}
atexit.register(lambda: open(os.environ["PEER_TIMES"], "w").write(json.dumps(TIMES)))  # noqa: PTH123, SIM115


class HttpxSse(User):
    def on_start(self):
        # One client a user, one TLS context for all: the fastest way that httpx has (a shared client scans its pool).
        limits = httpx.Limits(max_connections=None, max_keepalive_connections=None)
        timeout = httpx.Timeout(30, read=None)
        self.client = httpx.Client(verify=CONTEXT, trust_env=False, limits=limits, timeout=timeout)

    @task
    def read(self):
        begun = last = time.perf_counter()
        first = True
        with connect_sse(self.client, "GET", self.host) as source:
            for _ in source.iter_sse():
                now = time.perf_counter()
                TIMES["first_event" if first else "gap"].append((now - (begun if first else last)) * 1000)
                first, last = False, now
        self.environment.events.request.fire(
            request_type="GET",
            name="x",
            response_time=(last - begun) * 1000,
            response_length=0,
            exception=None,
            context={},
        )
