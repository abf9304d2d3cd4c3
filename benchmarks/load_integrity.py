"""Integrity: streams damaged in known numbers, and what the ledger says of them.

    python benchmarks/load_integrity.py [--users 20] [--processes 0]

A source that truncates, errs, falls silent, resets, leaves out, repeats and swaps: each user opens each of its streams
once. Prints what was done beside what was counted; exits with 1 where the two differ.
"""

import argparse
import json
import socket
import subprocess
import sys
import tempfile
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent / "parts"))
from measuring import ROOT, table  # isort: skip

DAMAGE = {
    # endpoint: path, how its streams end, events lost, doubled and reordered in each
    "good": ("/ok?events=50", "complete", (0, 0, 0)),
    "cut": ("/truncate?events=20", "truncated", (0, 0, 0)),
    "half an event": ("/unfinished?events=20", "truncated", (0, 0, 0)),
    "failing": ("/err?events=20", "error_event", (0, 0, 0)),
    "silent": ("/stall?events=5", "stalled", (0, 0, 0)),
    "endless": ("/no_terminal?events=5", "no_terminal", (0, 0, 0)),
    "reset": ("/rst?events=20", "reset", (0, 0, 0)),
    "repeats": ("/damaged?numbers=0,1,2,2,3,3,4", "complete", (0, 2, 0)),
    "drops": ("/damaged?numbers=0,1,4,5,7", "complete", (3, 0, 0)),
    "swaps": ("/damaged?numbers=0,2,1,3,5,4,6", "complete", (0, 0, 2)),
    "busy": ("/unavailable", "http_error", (0, 0, 0)),
    "no HTTP": ("/no_http", "malformed", (0, 0, 0)),
}
KINDS = ("lost", "duplicated", "reordered")
ONCE = """
from locust import task
from ssegauge.load import SseUser

class Once(SseUser):
    @task
    def each_endpoint(self):
        for endpoint in self.session.target.endpoints():
            self.stream(endpoint=endpoint)
        self.pause(3600)
"""


def profile(address):
    lines = [f'base_url = "{address}"']
    for name, (path, _, _) in DAMAGE.items():
        lines += ["[[endpoint]]", f'name = "{name}"', f'request = {{ path = "{path}" }}', 'data = "json"']
        lines += ['order = "token* done"', 'terminal = ["done"]', 'errors = ["error"]']
        lines += ['sequence = { pointer = "/seq" }']
    return "\n".join(lines)


def workers(count):
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = str(free.getsockname()[1])
    return ["--processes", str(count), "--master-port", port, "--master-bind-port", port]


def run(users, processes, folder):
    command = [sys.executable, str(ROOT / "tests" / "load" / "source.py")]
    source = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    try:
        (folder / "once.py").write_text(ONCE)
        (folder / "target.toml").write_text(profile(f"http://127.0.0.1:{int(source.stdout.readline())}"))
        command = [sys.executable, "-m", "locust", "-f", str(folder / "once.py"), "--headless", "--only-summary"]
        command += ["--sse-target", str(folder / "target.toml"), "--sse-results", str(folder / "results.json")]
        command += ["-u", str(users), "-r", str(users), "-t", "20s", "--sse-idle-timeout", "3"]
        command += workers(processes) if processes else []
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        if not (folder / "results.json").exists():
            sys.exit(f"the run left no results:\n{done.stderr[-2000:]}")
        return json.loads((folder / "results.json").read_text())
    finally:
        source.terminate()
        source.wait()
        source.stdout.close()


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--users", type=int, default=20)
    parser.add_argument("--processes", type=int, default=0, help="workers; 0: all in one process")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        results = run(options.users, options.processes, Path(folder))
    rows, wrong = [], 0
    for name, (_, verdict, each) in DAMAGE.items():
        found = results["endpoints"].get(name, {"streams": {"by_verdict": {}}, "events": {}})
        done = [options.users, *(count * options.users for count in each)]
        counted = [found["streams"]["by_verdict"].get(verdict, 0), *(found["events"].get(kind) for kind in KINDS)]
        same = counted == done and sum(found["streams"]["by_verdict"].values()) == options.users
        wrong += not same
        rows.append(
            [name, verdict, *(f"{a} / {b}" for a, b in zip(done, counted, strict=True)), "" if same else "WRONG"]
        )
    print(f"{options.users} users, {options.processes or 1} processes; done / counted:\n")
    table(["stream", "verdict", "streams", "lost", "doubled", "reordered", ""], rows)
    print(f"\n{len(rows) - wrong} of {len(rows)} rows are exact.")
    sys.exit(bool(wrong))


if __name__ == "__main__":
    main()
