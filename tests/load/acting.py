"""Runs a script that opens streams, outside of pytest's process, which Locust would patch; reads what it prints last."""

import json
import subprocess
import sys

from tests.timing import MS, SLOWDOWN

HEAD = """
import gc, json, sys
import gevent
from types import SimpleNamespace
from locust.env import Environment
from ssegauge.load import SseUser, Timeouts

class Reader(SseUser):
    pass

environment = Environment(user_classes=[Reader], host=sys.argv[1], parsed_options=SimpleNamespace(sse_target=""))
SECOND = float(sys.argv[2])  # one, stretched on slow machines

def user():
    return Reader(environment)

def say(**found):
    print(json.dumps(found))
"""


def acted(host, script):
    """What the script says with `say`. It has `user()`, and `SECOND` for its waits."""
    done = subprocess.run(
        [sys.executable, "-c", HEAD + script, host, str(SLOWDOWN)], capture_output=True, text=True, timeout=60_000 * MS
    )
    assert done.returncode == 0, done.stderr
    assert "Traceback" not in done.stderr, done.stderr
    return json.loads(done.stdout.splitlines()[-1])
