"""Runs `visits.py` and reads what it says of its streams."""

import json
import subprocess
import sys
from pathlib import Path

from tests.timing import MS

VISITS = str(Path(__file__).resolve().parent / "visits.py")


def visited(job, *, prelude=""):
    """What became of a job; `prelude` is run before it, in its process."""
    code = f"import runpy, sys\n{prelude}\nsys.argv = ['visits']\nrunpy.run_path({VISITS!r})"
    done = subprocess.run(
        [sys.executable, *(["-c", code] if prelude else [VISITS])],
        input=json.dumps(job),
        capture_output=True,
        text=True,
        timeout=60_000 * MS,
    )
    assert done.returncode == 0, done.stderr
    assert "Traceback" not in done.stderr, done.stderr
    return json.loads(done.stdout)


def counters_of(answer):
    """What the generator counted of itself, over all seconds."""
    counters = {}
    for _, second in answer["ledger"]["harness"]["slices"]:
        for name, count in second["counters"].items():
            counters[name] = counters.get(name, 0) + count
    return counters
