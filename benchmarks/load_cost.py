"""Cost: CPU an event and memory a stream, beside a bare uvloop reader that only splits events, and beside Locust's own ways.

    python benchmarks/load_cost.py [--streams 1000] [--rate 10] [--rounds 3]

Streams that go on, so many events a second each. All readers in turn, so many times; the medians. The first table is of
the steady state; the second of the whole run, per event that was read: the others reach no steady state at this load.
"""

import argparse
import statistics
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent / "parts"))
from measuring import PARTS, ROOT, bench, cost, locust, read, table  # isort: skip

SECONDS = 6
MOST_OF_FLOOR, TIMES_HTTPX = 2, 5  # the goals


def query(rate):
    return f"events=1000000&gap_ms={1000 / rate}&first_ms=200&spread_ms={1000 / rate}"


def bare(streams, rate):
    with bench() as (folder, source):
        command = [sys.executable, str(PARTS / "bare_reader.py"), f"{source.address}?{query(rate)}"]
        watch = read([*command, str(streams), str(streams // 4), str(SECONDS + 2)], folder)
        source.stop()
        return cost(watch, source, SECONDS)


def under_locust(scenario, streams, rate):
    with bench() as (folder, source):
        watch, found = locust(scenario, source, query(rate), streams, max(10, streams // 4), SECONDS + 8, 0, folder)
        source.stop()
        read_events = (
            found["events"]["received"] if "events" in found else len(found["gap"]) + len(found["first_event"])
        )
        begin = min(source.requests()) - 0.05
        cpu = watch.rows[-1][1] - watch.at(begin)[1]
        return *cost(watch, source, SECONDS), cpu * 1e6 / max(1, read_events), read_events


def held(holds):
    return "held" if holds else "NOT held"


def medians(rounds):
    """Column by column."""
    return [statistics.median(values) for values in zip(*rounds, strict=True)]


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--streams", type=int, default=1000)
    parser.add_argument("--rate", type=float, default=10)
    parser.add_argument("--rounds", type=int, default=3)
    options = parser.parse_args()
    readers = {
        "ssegauge": ROOT / "loadtests" / "concurrent_streams.py",
        "Locust + httpx-sse": PARTS / "httpx_sse_user.py",
        "Locust + FastHttp": PARTS / "fasthttp_user.py",
    }
    floors, found = [], {name: [] for name in readers}
    for _ in range(options.rounds):
        floors.append(bare(options.streams, options.rate))
        for name, file in readers.items():
            found[name].append(under_locust(file, options.streams, options.rate))
    floor, _, events = medians(floors)
    ours = medians(found["ssegauge"])
    print(
        f"{options.streams} streams of {options.rate:g} events a second, steady; medians of {options.rounds} rounds:\n"
    )
    rows = [["bare uvloop reader", f"{events:.0f}", floor, "1", ""]]
    rows.append(["ssegauge", f"{ours[2]:.0f}", ours[0], f"{ours[0] / floor:.2f}", f"{ours[1]:.1f}"])
    table(["reader", "events/s", "CPU us an event", "ratio", "KB a stream"], rows)
    print("\nThe whole run, opening the streams included:\n")
    rows = []
    for name, rounds in found.items():
        steady, _, _, whole, count = medians(rounds)
        rows.append([name, count, whole, f"{whole / ours[3]:.2f}", steady, f"{steady / ours[0]:.2f}"])
    table(["reader", "events read", "CPU us an event, whole run", "ratio", "steady, if it keeps up", "ratio"], rows)
    ratios = [
        sorted(theirs[0] / own[0] for theirs, own in zip(found[name], found["ssegauge"], strict=True))
        for name in list(readers)[1:]
    ]
    against_floor, against_httpx = ours[0] / floor, statistics.median(ratios[0])
    print(
        f"\nGoal: at most {MOST_OF_FLOOR} times the bare reader: {held(against_floor <= MOST_OF_FLOOR)}, {against_floor:.2f}"
    )
    print(
        f"Goal: {TIMES_HTTPX} times less than httpx-sse: {held(against_httpx >= TIMES_HTTPX)}, {against_httpx:.2f};",
        end=" ",
    )
    print(f"the bare reader itself: {medians(found['Locust + httpx-sse'])[0] / floor:.2f}")
    print("\nRatios of the single rounds, steady, to httpx-sse and to FastHttp:")
    print(*(" ".join(f"{ratio:.2f}" for ratio in several) for several in ratios), sep="; ")


if __name__ == "__main__":
    main()
