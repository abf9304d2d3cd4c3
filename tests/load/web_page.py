"""Locust with its web page, and what a page asks of it."""

import contextlib
import json
import os
import signal
import subprocess
import sys
import urllib.request
from pathlib import Path

from tests.timing import MS, eventually

ROOT = Path(__file__).resolve().parent.parent.parent


class Page:
    def __init__(self, address):
        self.address = address

    def get(self, path=""):
        with urllib.request.urlopen(self.address + path, timeout=5000 * MS) as answer:
            return answer.read().decode()

    def data(self, **query):
        asked = "&".join(f"{name}={value}" for name, value in query.items())
        return json.loads(self.get(f"/ssegauge/data?{asked}"))

    def post(self, path, data):
        with urllib.request.urlopen(self.address + path, data=data.encode(), timeout=5000 * MS) as answer:
            return answer.read().decode()


@contextlib.contextmanager
def locust_page(tmp_path, *arguments, base="", scenario="concurrent_streams"):
    log = tmp_path / "locust.log"
    command = ["-m", "locust", "-f", str(ROOT / "loadtests" / f"{scenario}.py"), "--web-host", "127.0.0.1"]
    for port in range(20_000 + os.getpid() % 10_000, 65_000, 997):
        options = [*command, "--web-port", str(port), *(["--web-base-path", base] if base else []), *arguments]
        with log.open("w") as file:
            process = subprocess.Popen([sys.executable, *options], stdout=file, stderr=file, start_new_session=True)
        page = Page(f"http://127.0.0.1:{port}{base}")

        def answers(page=page, process=process):
            if process.poll() is not None:
                return True
            with contextlib.suppress(OSError):
                return bool(page.get("/"))
            return False

        eventually(answers, within=15_000 * MS)
        if process.poll() is None:
            break  # else the port was taken
    try:
        yield page
    finally:
        os.killpg(process.pid, signal.SIGINT)
        try:
            process.wait(timeout=15_000 * MS)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()
    assert "Traceback" not in log.read_text()


def begin(page, users=6):
    page.post("/swarm", f"user_count={users}&spawn_rate={users}&host=")
