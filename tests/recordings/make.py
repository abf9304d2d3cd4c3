"""Fills the corpus: one stream of each foreign server, and of the mutants that a recording can tell from a right server."""

from __future__ import annotations

import argparse
import json
import re
import tempfile
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

from ssegauge import suite
from ssegauge.bench import Bench
from ssegauge.exchange import Exchange
from ssegauge.judging import judge
from ssegauge.rules import CATALOGUE
from tests.field.contract import bench_for as field_bench
from tests.field.running import running
from tests.field.test_servers import CLEAN, KNOWN
from tests.mutants.catalogue import MUTANTS, bench_for
from tests.mutants.host import Host
from tests.mutants.server import Clean

from .corpus import FOLDER, Entry, entries, pin

LARGEST = 2_800
"""Bytes of a recording that is kept: the corpus stays small."""


def _name(*parts: str) -> str:
    return re.sub(r"[^a-z0-9]+", "-", " ".join(parts).lower()).strip("-")


def _save(name: str, recording: Exchange, endpoint: str, contract: str, profiles: dict[str, str]) -> Entry | None:
    text = json.dumps(recording.to_json(), separators=(",", ":")) + "\n"
    if len(text) > LARGEST:
        return None
    contract = re.sub(r'base_url = "[^"]*"', 'base_url = "http://127.0.0.1:1"', contract)
    profile = profiles.setdefault(contract, f"profile-{len(profiles) + 1}.toml")
    (FOLDER / profile).write_text(contract.lstrip(), encoding="utf-8")
    entry = Entry(name, profile, endpoint)
    entry.path.write_text(text, encoding="utf-8")
    return entry


def _shows(bench: Bench, recording: Exchange, rule: str) -> bool:
    """The recording alone tells that the rule is broken."""
    again = replace(bench, recording=recording)
    return judge(suite.checks()[rule], again).outcome == "fail"


def _mutants(profiles: dict[str, str]) -> Iterator[Entry | None]:
    host = Host()
    try:
        kinds = [kind for kind in MUTANTS.values() if CATALOGUE[kind.rule].recording]
        servers: list[tuple[str, Clean, str]] = [
            (_name("mutant", name), kind(), kind.endpoint) for name, kind in MUTANTS.items() if kind in kinds
        ]
        servers += [(_name("clean", endpoint), Clean(), endpoint) for endpoint in ("main", "echo", "chat")]
        for name, server, endpoint in servers:
            with bench_for(host, server, endpoint=endpoint) as bench:
                seen = bench.observation.exchange
                kept = not server.rule or _shows(bench, seen, server.rule)
            yield _save(name, seen, endpoint, server.profile, profiles) if kept else None
    finally:
        host.stop()


def _foreign(profiles: dict[str, str]) -> Iterator[Entry | None]:
    for name, case in {**CLEAN, **KNOWN}.items():
        with running(case.server) as server, tempfile.TemporaryDirectory() as folder:
            bench = field_bench(server, Path(folder), more=case.more)
            contract = Path(folder, "sse-target.toml").read_text(encoding="utf-8")
            seen = {"": bench.observation}
            if case.more:
                seen["failing"] = bench.observe(bench.sent("fault"))
            for purpose, observation in seen.items():
                yield _save(_name(name, purpose), observation.exchange, "stream", contract, profiles)


def main() -> None:
    """Record, and pin."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--pin", action="store_true", help="judge the recordings that are there, and make none")
    if parser.parse_args().pin:
        pin([replace(entry, outcomes=None) for entry in entries()])
        return
    FOLDER.mkdir(exist_ok=True)
    profiles: dict[str, str] = {}
    pin([entry for entry in (*_mutants(profiles), *_foreign(profiles)) if entry is not None])


if __name__ == "__main__":
    main()
