"""One conformance run: its target, its options, a bench for each endpoint, and the findings so far."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from ssegauge import results
from ssegauge.bench import Bench, Options
from ssegauge.commanded import ServedCommand
from ssegauge.errors import UserError
from ssegauge.exchange import Exchange
from ssegauge.profile import Profile, expect_environment
from ssegauge.redaction import redact_url
from ssegauge.serving import ServedApp, reach


@dataclass
class Run:
    """What is put to the test. The app, where one is given, starts with the first bench and stops with `stop`."""

    profile: Profile
    options: Options = field(default_factory=Options)
    app_spec: str | None = None
    root: Path = field(default_factory=Path.cwd)
    only: tuple[str, ...] = ()
    recording: Exchange | None = None
    port: int = 0  # of the app; 0 is any that is free
    command: str | None = None  # starts the target in place of an app

    def __post_init__(self) -> None:
        self.app: ServedApp | None = None
        self._benches: dict[str, Bench] = {}
        unknown = sorted(set(self.only) - {endpoint.name for endpoint in self.profile.endpoint})
        if unknown:
            names = ", ".join(endpoint.name for endpoint in self.profile.endpoint)
            raise UserError(f"{self.profile.source}: no endpoint {unknown[0]!r}; there are: {names}")
        if self.recording is None:  # a forgotten export is one line now, and not a line for each rule
            expect_environment(self.profile, (known for known in self.profile.endpoint if known.name in self.endpoints))

    @property
    def endpoints(self) -> list[str]:
        """The names of the endpoints under test, in the profile's order."""
        return [endpoint.name for endpoint in self.profile.endpoint if not self.only or endpoint.name in self.only]

    def start(self) -> None:
        """Start the app and see that the target can be reached. Raises Inconclusive where it cannot, UserError for the app."""
        if self.recording is not None:
            return
        if self.app_spec and self.app is None:
            self.app = ServedApp(self.app_spec, root=self.root, port=self.port)
            self.profile = self.profile.model_copy(update={"base_url": self.app.url})
        if self.command and self.app is None:
            self.app = ServedCommand(self.command, root=self.root, port=self.port)
            self.profile = self.profile.model_copy(update={"base_url": self.app.url})
        if self.app is None:
            reach(self.profile.base_url, self.options.transport)

    def bench(self, endpoint: str) -> Bench:
        """The bench of an endpoint, the same one each time."""
        if endpoint not in self._benches:
            declared = next(known for known in self.profile.endpoint if known.name == endpoint)
            recording = None if self.recording is None else replace(self.recording, endpoint=endpoint)
            self._benches[endpoint] = Bench(self.profile, declared, self.options, self.app, recording)
        return self._benches[endpoint]

    def stop(self) -> None:
        """Stop what this run started."""
        if self.app is not None:
            self.app.stop()
            self.app = None


def conformance_document(run: Run, findings: Sequence[dict[str, Any]], started: datetime) -> dict[str, Any]:
    """The results file of a conformance run."""
    summary: dict[str, Counter[str]] = {}
    for finding in findings:
        outcome = "accepted" if finding.get("accepted") and finding["outcome"] == "fail" else finding["outcome"]
        summary.setdefault(finding["level"], Counter())[outcome] += 1
    return {
        "schema": results.SCHEMA,
        "kind": "conformance",
        "target": redact_url(run.profile.base_url),
        "profile": run.profile.source,
        "tool": results.tool(),
        "started": started.isoformat(timespec="seconds"),
        "duration_s": round((datetime.now(UTC) - started).total_seconds(), 3),
        "rules": list(findings),
        "summary": {level: dict(counts) for level, counts in summary.items()},
        "machine": results.machine(),
    }
