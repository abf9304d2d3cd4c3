"""A Locust user that reads lines with FastHttp; first events and gaps go into PEER_TIMES.

`iter_lines` waits for 1,024 bytes, so this takes geventhttpclient's own readline, the best that can be had there.
"""

import atexit
import json
import os
import time

from locust import FastHttpUser, task

TIMES = {"first_event": [], "gap": []}
atexit.register(lambda: open(os.environ["PEER_TIMES"], "w").write(json.dumps(TIMES)))  # noqa: PTH123, SIM115


class FastLines(FastHttpUser):
    network_timeout = 300

    @task
    def read(self):
        begun = last = time.perf_counter()
        first = True
        with self.client.get(self.host, stream=True, catch_response=True, name="x") as answer:
            while line := answer._response.readline(b"\n"):
                if line == b"\n":
                    now = time.perf_counter()
                    TIMES["first_event" if first else "gap"].append((now - (begun if first else last)) * 1000)
                    first, last = False, now
            answer.success()
