"""Truth: what is reported of first events and gaps, against the source's own log.

    python benchmarks/load_truth.py [--streams 50,200,1000,5000] [--no-peers]

Streams of 20 events, 200 ms apart, the first 250 to 350 ms after the request; the same is read with httpx-sse and with
FastHttp under Locust. Source and reader have a core each. Ends with 1 where a run that calls itself valid, and that
read no later than 50 ms (p99), is off by more than a millisecond at p99.
"""

import argparse
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent / "parts"))
from measuring import PARTS, ROOT, bench, locust, nearest_rank, table  # isort: skip

PROMPT_MS, OFF_MS = 50, 1  # the goal: so near to the truth while read lag stays below that
QUERY = "events=20&gap_ms=200&first_ms=250&spread_ms=100"


def ours(folder, source, streams):
    rate = max(50, streams // 5)
    scenario = ROOT / "loadtests" / "concurrent_streams.py"
    _, results = locust(scenario, source, QUERY, streams, rate, 8, 20, folder)
    reported = {(name, q): results["latency"][name][q] for name in ("first_event", "gap") for q in ("p50", "p99")}
    lag = results["harness"]["read_lag"]["p99"]
    note = f"read lag p99 {lag:.1f} ms" + ("" if results["valid"] else ", INVALID")
    return reported, note, results["valid"] and lag < PROMPT_MS


def peer(name):
    def run(folder, source, streams):
        rate = max(50, streams // 5)
        _, times = locust(PARTS / f"{name}.py", source, QUERY, streams, rate, 8, 20, folder)
        found = {
            (m, q): nearest_rank(times[m], float(q[1:]) / 100) for m in ("first_event", "gap") for q in ("p50", "p99")
        }
        return found, "", False

    return run


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--streams", default="50,200,1000,5000")
    parser.add_argument("--no-peers", action="store_true")
    options = parser.parse_args()
    readers = {"ssegauge": ours}
    if not options.no_peers:
        readers |= {"Locust + httpx-sse": peer("httpx_sse_user"), "Locust + FastHttp": peer("fasthttp_user")}
    rows, wrong = [], []
    for streams in map(int, options.streams.split(",")):
        for name, run in readers.items():
            with bench() as (folder, source):
                reported, note, promises = run(folder, source, streams)
                source.stop()
                truth = source.times()
            row = [streams, name]
            for measure in ("first_event", "gap"):
                for q in ("p50", "p99"):
                    true = nearest_rank(truth[measure], float(q[1:]) / 100)
                    said = reported[measure, q]
                    row.append(f"{said:.1f} ({said - true:+.2f}, x{said / true:.3f})")
                    if promises and q == "p99" and abs(said - true) > OFF_MS:
                        wrong.append(f"{streams} streams: {measure}.{q} is {said:.2f} ms, true are {true:.2f}")
            rows.append([*row, note])
    print("Reported, and in brackets its distance to the source's log and its ratio to it; milliseconds.\n")
    table(["streams", "reader", "first_event p50", "p99", "gap p50", "p99", ""], rows)
    sys.exit("\n".join(wrong) or None)


if __name__ == "__main__":
    main()
