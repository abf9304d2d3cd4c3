"""Results that nobody measured, for tests of reports."""

from __future__ import annotations

from typing import Any

HOSTILE = "</pre><script>alert(1)</script>\x1b[31m\u202e`|*_#]]>\0" + "x" * 500


def finding(rule: str, level: str, outcome: str, **more: Any) -> dict[str, Any]:
    """A finding with every key of the results file."""
    plain = {
        "rule": rule, "endpoint": "main", "level": level, "outcome": outcome, "requirement": "It holds.", "source": "WHATWG HTML 9.2.6",
        "source_url": "https://html.spec.whatwg.org/", "expected": "", "actual": "", "evidence": [], "reproduce": "", "mend": "",
        "reason": "", "duration_s": 0.01,
    }  # fmt: skip
    if outcome == "fail":
        plain |= {
            "expected": "this", "actual": "that", "mend": "Mend it.", "reproduce": f"ssegauge check URL --rule {rule}",
            "evidence": [{"note": "event 0", "bytes": "data: x\\n", "offset": 12, "at": 0.25}],
        }  # fmt: skip
    elif outcome != "pass":
        plain["reason"] = "needs the process id: pass --pid or --app"
    return plain | more


def conformance(*findings: dict[str, Any]) -> dict[str, Any]:
    """A conformance document of these findings."""
    return {
        "schema": "ssegauge/results/1", "kind": "conformance", "target": "http://127.0.0.1:8000", "profile": "sse-target.toml",
        "tool": {"name": "ssegauge", "version": "0"}, "started": "2026-11-22T12:00:00+00:00", "duration_s": 1.5,
        "rules": list(findings), "summary": {}, "machine": {},
    }  # fmt: skip
