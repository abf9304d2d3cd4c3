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

sys.path.insert(0, str(ROOT))
from tests.load.damage import DAMAGE, ONCE, PATHS, profile_of  # isort: skip

KINDS = ("lost", "duplicated", "reordered")


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
        (folder / "target.toml").write_text(profile_of(f"http://127.0.0.1:{int(source.stdout.readline())}", PATHS))
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
