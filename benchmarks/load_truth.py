"""Truth: what is reported of first events and gaps, against the source's own log.

    python benchmarks/load_truth.py [--streams 50,200,1000,5000] [--peers]

Streams of 20 events, 200 ms apart, the first 250 to 350 ms after the request; `--peers` reads the same with httpx-sse
and with FastHttp under Locust. Source and reader have a core each.
"""

import argparse
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent / "parts"))
from measuring import PARTS, ROOT, bench, locust, nearest_rank, table  # isort: skip

QUERY = "events=20&gap_ms=200&first_ms=250&spread_ms=100"


def ours(folder, source, streams):
    rate = max(50, streams // 5)
    scenario = ROOT / "loadtests" / "concurrent_streams.py"
    _, results = locust(scenario, source, QUERY, streams, rate, 8, 20, folder)
    reported = {(name, q): results["latency"][name][q] for name in ("first_event", "gap") for q in ("p50", "p99")}
    lag = results["harness"]["read_lag"]["p99"]
    return reported, f"read lag p99 {lag:.1f} ms" + ("" if results["valid"] else ", INVALID")


def peer(name):
    def run(folder, source, streams):
        rate = max(50, streams // 5)
        _, times = locust(PARTS / f"{name}.py", source, QUERY, streams, rate, 8, 20, folder)
        found = {
            (m, q): nearest_rank(times[m], float(q[1:]) / 100) for m in ("first_event", "gap") for q in ("p50", "p99")
        }
        return found, ""

    return run


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--streams", default="50,200,1000")
    parser.add_argument("--peers", action="store_true")
    options = parser.parse_args()
    readers = {"ssegauge": ours}
    if options.peers:
        readers |= {"Locust + httpx-sse": peer("httpx_sse_user"), "Locust + FastHttp": peer("fasthttp_user")}
    rows = []
    for streams in map(int, options.streams.split(",")):
        for name, run in readers.items():
            with bench() as (folder, source):
                reported, note = run(folder, source, streams)
                source.stop()
                truth = source.times()
            row = [streams, name]
            for measure in ("first_event", "gap"):
                for q in ("p50", "p99"):
                    true = nearest_rank(truth[measure], float(q[1:]) / 100)
                    said = reported[measure, q]
                    row.append(f"{said:.1f} ({said - true:+.2f}, x{said / true:.3f})")
            rows.append([*row, note])
    print("Reported, and in brackets its distance to the source's log and its ratio to it; milliseconds.\n")
    table(["streams", "reader", "first_event p50", "p99", "gap p50", "p99", ""], rows)


if __name__ == "__main__":
    main()
