"""Cost: CPU an event and memory a stream, beside a bare uvloop reader that only splits events, and beside Locust's own ways.

    python benchmarks/load_cost.py [--streams 1000] [--rate 10]

Streams that go on, so many events a second each. The first table is of the steady state; the second of the whole run,
per event that was read: the others do not reach a steady state at this load.
"""

import argparse
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent / "parts"))
from measuring import PARTS, ROOT, bench, cost, locust, read, table  # isort: skip

SECONDS = 6


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
        return cost(watch, source, SECONDS), cpu * 1e6 / max(1, read_events), read_events


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--streams", type=int, default=1000)
    parser.add_argument("--rate", type=float, default=10)
    options = parser.parse_args()
    floor, _, events = bare(options.streams, options.rate)
    ours = under_locust(ROOT / "loadtests" / "concurrent_streams.py", options.streams, options.rate)
    (cpu, memory, our_events), whole, count = ours
    print(f"{options.streams} streams of {options.rate:g} events a second, steady:\n")
    rows = [["bare uvloop reader", f"{events:.0f}", floor, "1", ""]]
    rows.append(["ssegauge", f"{our_events:.0f}", cpu, f"{cpu / floor:.2f}", f"{memory:.1f}"])
    table(["reader", "events/s", "CPU us an event", "ratio", "KB a stream"], rows)
    print("\nThe whole run, opening the streams included:\n")
    rows = [["ssegauge", count, whole, "1", cpu, "1"]]
    for name, file in (("Locust + httpx-sse", "httpx_sse_user.py"), ("Locust + FastHttp", "fasthttp_user.py")):
        (steady, _, _), peer, read_events = under_locust(PARTS / file, options.streams, options.rate)
        rows.append([name, read_events, peer, f"{peer / whole:.2f}", steady, f"{steady / cpu:.2f}"])
    table(["reader", "events read", "CPU us an event, whole run", "ratio", "steady, if it keeps up", "ratio"], rows)


if __name__ == "__main__":
    main()
