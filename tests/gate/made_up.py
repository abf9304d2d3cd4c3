"""Results that nobody measured, for tests of gates."""

import math

from ssegauge import gate, results
from ssegauge.gate import Run, thresholds

HOSTILE = "x<script>alert(1)</script>|\x1b[31m`\u202e\n[a](http://evil)\0"

GROWTH = 1.002


def histogram(values_ms, censored_ms=()):
    def counts(values):
        found = {}
        for value in values:
            index = int(math.log(value * 1000) / math.log(GROWTH))
            found[index] = found.get(index, 0) + 1
        return sorted(found), [found[index] for index in sorted(found)]

    index, count = counts(values_ms)
    document = {"unit": "us", "growth": GROWTH, "index": index, "count": count}
    if censored_ms:
        document["censored_index"], document["censored_count"] = counts(censored_ms)
    return document


def times(values, **more):
    ranked = sorted(values)

    def at(share):
        return ranked[max(0, math.ceil(share * len(ranked)) - 1)]

    stats = {
        name: at(share) for name, share in (("p50", 0.5), ("p90", 0.9), ("p95", 0.95), ("p99", 0.99), ("p999", 0.999))
    }
    return {"count": len(ranked), "mean": sum(ranked) / len(ranked), **stats, "max": ranked[-1], "censored": 0} | more


def load(**more):
    document = {
        "schema": results.SCHEMA,
        "kind": "load",
        "scenario": "concurrent_streams",
        "clock": "kernel",
        "valid": True,
        "invalid_reasons": [],
        "duration_s": 60.0,
        "streams": {"attempted": 1000, "opened": 1000, "peak_open": 500, "failed": 1, "dropped_arrivals": 0,
                    "by_verdict": {"complete": 999, "truncated": 1}},
        "events": {"received": 60_000, "comments": 10, "bytes": 5_000_000, "lost": 0, "duplicated": 0, "reordered": 0},
        "latency": {"first_event": times([100.0] * 950 + [180.0] * 40 + [400.0] * 10), "gap": times([20.0] * 5000)},
        "harness": {"read_lag": times([0.1] * 100), "coalesced_ratio": 0.02},
        "endpoints": {"agent-think": {"latency": {"gap": times([20.0] * 5000)}, "streams": {"attempted": 1000, "failed": 1}}},
        "machine": {"cpu": "A", "cores": 2, "memory_mb": 1000},
    }  # fmt: skip
    return document | more


def conformance(*outcomes):
    rules = [
        {"rule": f"R-{n:02}", "endpoint": "/", "level": level, "outcome": outcome} | ({"accepted": why} if why else {})
        for n, (level, outcome, why) in enumerate((*entry, "")[:3] for entry in outcomes)
    ]
    return {"schema": results.SCHEMA, "kind": "conformance", "rules": rules}


def noisy_run(dice, *, slower=1.0, seconds=60, per_second=30, run_noise=0.02, second_noise=0.08, series=True):
    """A run with noise at three levels: of the whole run, of its seconds (which hang together), of its values."""
    level = math.exp(dice.gauss(0, run_noise)) * slower
    drift, rows, everything = 0.0, [], []
    for second in range(seconds):
        drift = 0.6 * drift + dice.gauss(0, second_noise)
        values = [100 * level * math.exp(drift + dice.gauss(0, 0.3)) for _ in range(per_second)]
        everything += values
        amount = round(1000 / level * math.exp(dice.gauss(0, 0.05)))
        entry = {"count": per_second, "histogram": histogram(values)}
        rows.append({"t": second, "events": amount, "latency": {"first_event": entry}})
    received = sum(row["events"] for row in rows)
    more = {"series": rows} if series else {}
    return load(
        latency={"first_event": times(everything)}, events={"received": received}, duration_s=float(seconds), **more
    )


def judged(text, *documents, baseline=None):
    gates = thresholds.parse(text, "gates.toml", documents)
    return gate.judge(gates, [Run(f"r{n}.json", document) for n, document in enumerate(documents)], baseline)


def one(text, *documents, baseline=None):
    judgement = judged(text, *documents, baseline=baseline)
    assert len(judgement.rulings) == 1
    return judgement.rulings[0]


WORSE = '[baseline]\n"first_event.p95" = { worse_by = "5%", confidence = 0.95 }'
