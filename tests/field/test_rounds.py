"""No false alarm: clean servers judged again and again while another process keeps a core busy.

SSEGAUGE_ROUNDS says how often; twenty by hand, a few in continuous integration.
"""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from .contract import bench_for, findings
from .running import lacking, running
from .test_servers import CLEAN

pytestmark = [pytest.mark.field, pytest.mark.slow]

ROUNDS = int(os.environ.get("SSEGAUGE_ROUNDS", "2"))
AT_ONCE = int(os.environ.get("SSEGAUGE_AT_ONCE", "3"))
LONGEST = 3600
"""Seconds after which the busy process ends by itself, whatever became of the test."""
BUSY = f"import time\nend = time.monotonic() + {LONGEST}\nwhile time.monotonic() < end: pass"
SIX = ("starlette on uvicorn", "sse-starlette on uvicorn", "django on uvicorn", "aiohttp", "tornado", "node")


@pytest.fixture(scope="module")
def busy() -> Iterator[None]:
    """One core has something else to do."""
    process = subprocess.Popen([sys.executable, "-c", BUSY])
    try:
        yield
    finally:
        process.kill()
        process.wait()


def _rounds(name: str, folder: Path) -> list[str]:
    """What was found broken on this server, with the round in which it was."""
    case = CLEAN[name]
    found: list[str] = []
    with running(case.server) as server:
        for turn in range(ROUNDS):
            for finding in findings(bench_for(server, folder, more=case.more, target=case.target)):
                failed = finding.outcome == "fail" and finding.level in {"MUST", "SHOULD"}
                # an honest "too busy to judge" is no alarm; any other error is a defect of the suite
                if failed or (finding.outcome == "error" and "too busy" not in finding.reason):
                    found.append(f"{name}, round {turn + 1}: {finding.rule}: {finding.actual or finding.reason}")
    return found


def test_clean_servers_raise_no_alarm_beside_a_busy_core(busy: None, tmp_path_factory: pytest.TempPathFactory) -> None:
    names = [name for name in SIX if not lacking(CLEAN[name].server)]
    folders = [tmp_path_factory.mktemp("target") for _ in names]
    with ThreadPoolExecutor(AT_ONCE) as pool:
        alarms = [alarm for found in pool.map(_rounds, names, folders) for alarm in found]
    assert alarms == []
