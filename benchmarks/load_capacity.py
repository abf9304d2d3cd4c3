"""Capacity: the most events a second that one process reads with a read lag p99 under 10 ms, and 10,000 streams at once.

    python benchmarks/load_capacity.py [--streams 1000] [--open 10000] [--rates 10,15,20,25,30,40]

The rates are tried from the lowest, until one is too much; between it and the one before it is then narrowed down twice.
Beside it what Locust + httpx-sse reads of the first rate in the same run.
"""

import argparse
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent / "parts"))
from measuring import PARTS, ROOT, bench, locust, table  # isort: skip

SCENARIO = ROOT / "loadtests" / "concurrent_streams.py"
SECONDS = 8
LAG_MS = 10
NARROWED = 2  # times that the span between the last rate held and the first that was not is halved


def steady(results):
    return [row for row in results["series"] if row["phase"] == "steady"][1:-1]


def at_rate(streams, rate):
    query = f"events=1000000&gap_ms={1000 / rate}&first_ms=100&spread_ms={1000 / rate}"
    with bench() as (folder, source):
        _, results = locust(SCENARIO, source, query, streams, streams // 4, SECONDS + 5, 0, folder)
        source.stop()
    rows = steady(results)
    lag = sorted(row["harness"]["read_lag"]["p99"] for row in rows)[len(rows) // 2]
    cpu = sum(row["harness"]["cpu"] for row in rows) / len(rows)
    events = sum(row["events"] for row in rows) / len(rows)
    return events, lag, cpu, results


def peer(streams, rate):
    """Events a second that httpx-sse reads under Locust, whether or not it keeps up."""
    query = f"events=1000000&gap_ms={1000 / rate}&first_ms=100&spread_ms={1000 / rate}"
    with bench() as (folder, source):
        _, times = locust(PARTS / "httpx_sse_user.py", source, query, streams, streams // 4, SECONDS + 5, 0, folder)
        source.stop()
    requests = source.requests()
    last = max(source.records[2::3]) / 1e9
    return len(times["gap"]) / (last - sum(requests) / len(requests))


def most_open(streams):
    query = "events=1000000&gap_ms=5000&first_ms=1000&spread_ms=5000&size=145"
    with bench() as (folder, source):
        watch, results = locust(SCENARIO, source, query, streams, 500, streams // 500 + 15, 0, folder)
        source.stop()
    last = steady(results)[-1]
    requests = source.requests()
    memory = (watch.at(max(requests) + 3)[2] - watch.at(min(requests) - 0.05)[2]) / 1024 / streams
    written = source.writes(0, 1e12)
    return results, last, memory, written


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--streams", type=int, default=1000)
    parser.add_argument("--open", type=int, default=10_000)
    parser.add_argument("--rates", default="10,15,20,25,30,40", help="events a second of each stream")
    options = parser.parse_args()
    rows, best = [], 0

    def held(rate):
        nonlocal best
        events, lag, cpu, results = at_rate(options.streams, rate)
        coalesced = f"{results['harness']['coalesced_ratio']:.1%}"
        valid = "valid" if results["valid"] else "; ".join(results["invalid_reasons"])
        rows.append([f"{rate * options.streams:.0f}", f"{events:.0f}", f"{cpu:.0%}", lag, coalesced, valid])
        holds = lag < LAG_MS and events > 0.99 * rate * options.streams
        best = max(best, events) if holds else best
        return holds

    rates = [float(rate) for rate in options.rates.split(",")]
    low = 0.0
    for rate in rates:
        if not held(rate):
            for _ in range(NARROWED if low else 0):
                middle = (low + rate) / 2
                low, rate = (middle, rate) if held(middle) else (low, middle)  # noqa: PLW2901 - the search goes on
            break
        low = rate
    theirs = peer(options.streams, rates[0])
    print(f"{options.streams} streams, one process on one core:\n")
    table(["events/s asked", "read", "CPU", "read lag p99 ms", "coalesced", ""], rows)
    print(f"\nWith a read lag p99 under {LAG_MS} ms: {best:.0f} events/s of those tried.")
    print(
        f"Locust + httpx-sse reads {theirs:.0f} events/s of {rates[0] * options.streams:.0f}: a ratio of {best / theirs:.1f}."
    )
    if options.open:
        results, last, memory, written = most_open(options.open)
        print(f"\n{results['streams']['peak_open']} streams open at once, {memory:.1f} KB of memory each;")
        print(f"{last['events']} events/s, read lag p99 {last['harness']['read_lag']['p99']:.1f} ms;")
        print(f"{written} events written, {results['events']['received']} read, {results['streams']['by_verdict']}.")


if __name__ == "__main__":
    main()
