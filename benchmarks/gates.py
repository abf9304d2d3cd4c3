"""Gates: how often each accuses a target of being slower than itself, and which slow-downs it finds.

    python benchmarks/gates.py [--runs 30] [--found 5] [--seconds 10] [--slower 5,10,20] [--load 2]

Streams of 20 events, 20 ms apart; a slow-down adds so many per cent to each gap. `--load` keeps so many processes busy
now and then, half a second to five seconds at a time: a shared runner. Each run reads A and B together, and three
gates judge it:

- absolute: B's figures, held to those of another run plus a tenth, one of the same target, drawn by lot;
- baseline: the same with `worse_by = "10%"`, which knows the noise of both runs;
- paired: B's figures over A's, as `ssegauge compare A B --worse-by 10%` does; and of gaps alone, `--metric gap.mean`.

`--keep DIR` keeps the results; `--judge DIR` judges those that were kept.
"""

import argparse
import json
import os
import random
import subprocess
import sys
import tempfile
import time
from collections import Counter
from contextlib import contextmanager
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent / "parts"))
from measuring import ROOT, table  # isort: skip

from ssegauge import gate
from ssegauge.gate import paired, thresholds

METRICS = ("first_event.p50", "gap.mean", "gap.p95")
QUERY = "events=20&first_ms=20&spread_ms=20&gap_ms="
BURN = (
    "import random,sys,time\n"
    "dice=random.Random(int(sys.argv[1]))\n"
    "while True:\n"
    "    end=time.time()+dice.uniform(.5,5)\n"
    "    while time.time()<end: pass\n"
    "    time.sleep(dice.uniform(.5,5))\n"
)
COMPUTING = r"""
import asyncio, sys, time
from urllib.parse import parse_qsl, urlsplit

async def stream(reader, writer):
    head = await reader.readuntil(b"\r\n\r\n")
    params = dict(parse_qsl(urlsplit(head.split(b" ", 2)[1].decode()).query))
    gap = float(params["gap_ms"])
    writer.write(b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\nconnection: close\r\n\r\n")
    for number in range(int(params["events"])):
        for _ in range(int(PER_MS * gap * 0.15)):
            for _ in range(1000): pass
        writer.write(b"data: %d\n\n" % number)
        await writer.drain()
        await asyncio.sleep(gap * 0.85 / 1000)
    writer.close()

async def main():
    server = await asyncio.start_server(stream, "127.0.0.1", 0)
    print(server.sockets[0].getsockname()[1], flush=True)
    await server.serve_forever()

PER_MS = float(sys.argv[1])
asyncio.run(main())
"""


def turns_per_ms():
    """Thousands of turns of a loop in a millisecond of this processor: both servers get the same work."""
    count, end = 0, time.thread_time() + 0.3
    while time.thread_time() < end:
        for _ in range(1000):
            pass
        count += 1
    return count / 300


@contextmanager
def targets(*, computes):
    """The addresses of A and B: the source whose schedule is known, or two servers that compute what they send."""
    command = [sys.executable, str(ROOT / "benchmarks/parts/source.py")]
    if computes:
        command = [sys.executable, "-c", COMPUTING, f"{turns_per_ms():.6f}"]
    processes = [subprocess.Popen(command, stdout=subprocess.PIPE, text=True) for _ in range(2)]
    try:
        yield [f"http://127.0.0.1:{int(process.stdout.readline())}" for process in processes]
    finally:
        for process in processes:
            process.kill()
            process.wait()


def run(addresses, slower, options, path):
    command = [sys.executable, "-m", "locust", "-f", str(ROOT / "loadtests" / "paired.py")]
    a, b = addresses
    command += ["--sse-target", f"{a}/?{QUERY}20", "--sse-against", f"{b}/?{QUERY}{20 + slower / 5:g}"]
    command += ["-u", str(options.users), "-r", str(options.users), "-t", f"{options.seconds}s", "-s", "10s"]
    command += ["--headless", "--only-summary", "--loglevel", "ERROR", "--sse-results", str(path)]
    # as `ssegauge compare` does; all three gates then see the same runs
    command += ["--sse-max-read-lag", "5000"]
    subprocess.run(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, check=False)
    return json.loads(path.read_text())


def alone(document):
    """B as if it had been run by itself."""
    return {**document, **document["endpoints"]["B /"], "endpoints": {}}


def absolute(before, now):
    """A threshold a tenth above what was once measured, as people write them."""
    lines = "\n".join(f'"{name}" = "<= {value(before, name) * 1.1:.4f}ms"' for name in METRICS)
    return gate.judge(thresholds.parse(f"[load]\n{lines}\n", "absolute"), [gate.Run("now", now)])


def against(before, now):
    """The same with the noise of both runs in mind."""
    lines = "\n".join(f'"{name}" = {{ worse_by = "10%" }}' for name in METRICS)
    gates = thresholds.parse(f"[baseline]\n{lines}\n", "baseline")
    return gate.judge(gates, [gate.Run("now", now)], [before])


def value(document, name):
    distribution, stat = name.split(".")
    return document["latency"][distribution][stat]


def judged(before, document):
    return {
        "absolute": absolute(before, alone(document)).word,
        "baseline": against(before, alone(document)).word,
        "paired": paired.judge(document, paired.Ask()).word,
        "paired, gap.mean": paired.judge(document, paired.Ask(metrics=("gap.mean",), tails=())).word,
    }


def make_runs(options, folder):
    busy, began = [], time.monotonic()
    shares = [0, *(float(word) for word in options.slower.split(","))]
    plan = [(share, n) for share in shares for n in range(options.runs if share == 0 else options.found)]
    random.Random(0).shuffle(plan)  # what the machine does meanwhile falls on all alike
    burning = [subprocess.Popen([sys.executable, "-c", BURN, str(seed)]) for seed in range(options.load)]
    try:
        with targets(computes=options.computes) as addresses:
            for share, number in plan:
                run(addresses, share, options, folder / f"pair-{share:g}-{number}.json")
                busy.append(os.getloadavg()[0])
    finally:
        for process in burning:
            process.kill()
            process.wait()
    seconds = time.monotonic() - began
    print(f"{options.seconds} s a run, {seconds:.0f} s in all; load average {min(busy):.1f} to {max(busy):.1f}")


def report(folder):
    runs = {path: json.loads(path.read_text()) for path in sorted(folder.glob("pair-*.json"))}
    same = [path for path in runs if path.name.startswith("pair-0-")]
    for name in METRICS:
        values = sorted(value(alone(runs[path]), name) for path in same)
        print(
            f"{name} of the same target: {values[0]:.1f} to {values[-1]:.1f} ms, median {values[len(values) // 2]:.1f}"
        )
    words, dice = {}, random.Random(0)
    for path, document in runs.items():
        before = alone(runs[dice.choice([other for other in same if other != path] or same)])
        for name, word in judged(before, document).items():
            words.setdefault((name, float(path.name.split("-")[1])), Counter())[word] += 1
    order = list(dict.fromkeys(name for name, _ in words))
    rows = [
        [name, f"{share:g} %", *(words[name, share][word] for word in ("failed", "held", "inconclusive"))]
        for name, share in sorted(words, key=lambda key: (order.index(key[0]), key[1]))
    ]
    print()
    table(["gate", "slower by", "failed", "held", "inconclusive"], rows)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--runs", type=int, default=30, help="of the same target against itself")
    parser.add_argument("--found", type=int, default=5, help="of each slow-down")
    parser.add_argument("--seconds", type=int, default=10)
    parser.add_argument("--users", type=int, default=8)
    parser.add_argument("--slower", default="5,10,20")
    parser.add_argument("--load", type=int, default=0)
    parser.add_argument("--computes", action="store_true", help="a target that computes, in place of one that waits")
    parser.add_argument("--keep", type=Path)
    parser.add_argument("--judge", type=Path)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as temporary:
        folder = options.judge or options.keep or Path(temporary)
        if options.judge is None:
            make_runs(options, folder)
        report(folder)


if __name__ == "__main__":
    main()
