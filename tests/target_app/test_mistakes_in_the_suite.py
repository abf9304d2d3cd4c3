"""Each of the seed's mistakes is named by its rule, and the rule holds on its correct twin."""

from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from ssegauge import suite
from ssegauge.bench import Bench, Options
from ssegauge.finding import Finding
from ssegauge.judging import judge
from ssegauge.profile import Profile
from ssegauge.serving import ServedApp
from target_app.mistakes import MISTAKES, Mistake

NAMED = [mistake for mistake in MISTAKES if mistake.rule is not None]


@pytest.fixture(scope="module")
def app() -> Iterator[ServedApp]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("SSEGAUGE_PACE", "0.05")
        with ServedApp("ssegauge.target_app.app:app") as served:
            yield served


def found(app: ServedApp, mistake: Mistake, path: str, rule: str) -> Finding:
    declared: dict[str, Any] = dict(mistake.declares)
    beside = {key: declared.pop(key) for key in ("probe", "target") if key in declared}
    endpoint = {"name": mistake.name, "request": {"path": path}, **declared}
    profile = Profile.model_validate({"base_url": app.url, "endpoint": [endpoint], "source": app.url + path, **beside})
    httpx.get(app.url, timeout=30, trust_env=False)  # what the mistake before has blocked comes first
    bench = Bench(profile, profile.endpoint[0], Options(window=3.0))
    return judge(suite.checks()[rule], bench)


@pytest.mark.parametrize("mistake", NAMED, ids=lambda mistake: mistake.name)
def test_the_rule_names_the_mistake_and_holds_on_its_twin(app: ServedApp, mistake: Mistake) -> None:
    assert mistake.rule is not None
    right = found(app, mistake, mistake.right, mistake.rule)
    wrong = found(app, mistake, mistake.wrong, mistake.rule)
    assert wrong.outcome == "fail", f"{mistake.title}: {mistake.rule} {wrong.outcome} {wrong.reason}"
    assert right.outcome == "pass", f"{mistake.title}: {mistake.rule} {right.outcome} {right.actual} {right.reason}"


def test_ten_mistakes_of_which_one_no_byte_shows() -> None:
    assert [mistake.number for mistake in MISTAKES] == list(range(1, 11))
    assert [mistake.name for mistake in MISTAKES if mistake.rule is None] == ["swagger"]
