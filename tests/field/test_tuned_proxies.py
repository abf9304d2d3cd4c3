"""The configurations of docs/proxies.md, judged: through them a stream is what it is at the server's own address."""

from __future__ import annotations

from pathlib import Path

import pytest

from ssegauge import locate, profile
from ssegauge.bench import Bench, Options
from ssegauge.finding import Finding
from ssegauge.serving import ServedApp

from .contract import broken, findings
from .proxies import TUNED
from .running import SERVERS
from .test_proxies import PROFILE

pytestmark = [pytest.mark.field, pytest.mark.slow]

THROUGH = {"BUF-03", "BUF-04", "BUF-05", "BUF-06", "BUF-07", "BUF-09"}
STILL_BROKEN = {"Caddy": {"BUF-07"}}
"""A server's death looks like a clean end: no line of Caddy 2.6 mends that."""


def _outcomes(found: list[Finding]) -> dict[str, str]:
    return {seen.rule: f"error: {seen.reason}" if seen.outcome == "error" else seen.outcome for seen in found}


def _expected(name: str) -> dict[str, str]:
    still = STILL_BROKEN.get(name, set())
    return {rule: "fail" if rule in still else "pass" for rule in THROUGH}


@pytest.mark.parametrize("name", list(TUNED))
def test_nothing_is_lost_in_front_of_a_server_that_tells_proxies_nothing(name: str, tmp_path: Path) -> None:
    with ServedApp("paced:app", root=SERVERS) as app, TUNED[name](app.url, tmp_path) as front:
        path = tmp_path / "sse-target.toml"
        path.write_text(PROFILE.format(url=app.url, target=f'proxied = "{front}"'), encoding="utf-8")
        contract = profile.load(path)
        bench = Bench(contract, contract.endpoint[0], Options(window=8.0, long=True), app)
        found = findings(bench, THROUGH)
        assert _outcomes(found) == _expected(name), broken(found)


@pytest.mark.parametrize("name", list(TUNED))
def test_nothing_is_lost_in_front_of_the_reference_app(name: str, tmp_path: Path) -> None:
    with ServedApp("target_app.app:app") as app, TUNED[name](app.url, tmp_path) as front:
        for endpoint, rules in (("stream", THROUGH - {"BUF-04"}), ("resumable", {"BUF-04"})):
            found = findings(_bench(endpoint, app.url, app, proxied=front), rules)
            expected = {rule: outcome for rule, outcome in _expected(name).items() if rule in rules}
            assert _outcomes(found) == expected, broken(found)


@pytest.mark.parametrize("name", list(TUNED))
def test_every_other_rule_holds_at_the_address_of_the_proxy(name: str, tmp_path: Path) -> None:
    with ServedApp("target_app.app:app") as app, TUNED[name](app.url, tmp_path) as front:
        assert broken(findings(_bench("stream", front))) == {}


def _bench(endpoint: str, url: str, app: ServedApp | None = None, **target: object) -> Bench:
    contract = profile.load(locate.path("target_app") / "sse-target.toml")
    known = contract.target.model_copy(update=target)
    contract = contract.model_copy(update={"base_url": url, "target": known})
    declared = next(known for known in contract.endpoint if known.name == endpoint)
    return Bench(contract, declared, Options(window=5.0, long=app is not None, scale=0.1), app)
