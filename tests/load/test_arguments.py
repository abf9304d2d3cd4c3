"""What a run is told: numbers that mean something, values from the environment, and mistakes that end it in one line."""

import os
import subprocess
import sys
from argparse import ArgumentParser

import pytest

from ssegauge.load.options import Adder


@pytest.mark.parametrize(
    ("metavar", "default", "wrong"),
    [
        ("SECONDS", 10.0, "-1"),
        ("SHARE", 1.0, "7"),
        ("NUMBER", 100, "0"),
        ("PER_SECOND", 1.0, "nan"),
        ("SECONDS", 10.0, "inf"),
    ],
)
def test_a_number_that_means_nothing_is_refused(metavar, default, wrong, capsys):
    parser = ArgumentParser()
    Adder(type("Group", (), {"add_argument": lambda _, *a, env_var, **k: parser.add_argument(*a, **k)})())(
        "thing", default, metavar, "a thing"
    )
    assert parser.parse_args([]).sse_thing == default
    with pytest.raises(SystemExit):
        parser.parse_args([f"--sse-thing={wrong}"])
    said = "a finite number" if wrong in {"nan", "inf"} else f"at least {1 if metavar == 'NUMBER' else 0}"
    assert f"argument --sse-thing: {said}" in capsys.readouterr().err
    with pytest.raises(SystemExit):
        parser.parse_args(["--sse-thing=x"])
    assert f"invalid {type(default).__name__} value: 'x'" in capsys.readouterr().err


PROFILE = """
base_url = "http://127.0.0.1:9"
[[endpoint]]
name = "json"
request = { method = "POST", json = { key = "env:OF_BODY", deep = [{ key = "Bearer env:OF_BODY" }] } }
[[endpoint]]
name = "data"
request = { method = "POST", data = "env:OF_BODY" }
"""


PLANS = """
import sys
from locust.env import Environment
from ssegauge.load import SseUser

class Plain(SseUser):
    tasks = [lambda _: None]

environment = Environment(user_classes=[Plain], host="http://127.0.0.1:9")
environment.create_local_runner()
environment.parsed_options = type("Options", (), {"sse_target": sys.argv[1]})()
for name in ("json", "data"):
    plan = Plain(environment)._plan(None, None, endpoint=name)
    print(plan.headers["Content-Type"], plan.body.decode())
"""


def test_a_body_takes_its_values_from_the_environment_and_is_sent_as_a_check_sends_it(tmp_path):
    (tmp_path / "target.toml").write_text(PROFILE)
    words = [sys.executable, "-c", PLANS, str(tmp_path / "target.toml")]
    done = subprocess.run(words, capture_output=True, text=True, env={**os.environ, "OF_BODY": "a=1"})
    assert done.stdout.splitlines() == [
        'application/json {"key":"a=1","deep":[{"key":"Bearer a=1"}]}',
        "application/x-www-form-urlencoded a=1",
    ], done.stderr


ASKS = """
from locust import task
from ssegauge.load import SseUser

class Asks(SseUser):
    @task
    def ask(self):
        self.stream(endpoint="nowhere")
"""


@pytest.mark.slow
@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["-u", "-3"], "-u: a number of users, not -3"),
        (["--sse-proxy", "nonsense"], "--sse-proxy: nonsense: an address begins with http"),
        (["--sse-proxy", "https://me:x@there"], "--sse-proxy: https://there: a proxy is spoken to in plain HTTP here"),
        (["--sse-request", '{"headers": ["X: env:NOT_THERE"]}'], "the environment variable NOT_THERE is not set"),
    ],
)
def test_a_mistake_is_told_before_the_run(locust, source, words, told):
    ended = locust("concurrent_streams", "--host", f"{source}/ok", "-t", "2s", *words).finish()
    assert told in ended.output
    assert "Traceback" not in ended.output
    assert ended.code == 2
    assert ended.results is None


@pytest.mark.slow
def test_a_process_that_is_not_there_cannot_be_watched(locust, source):
    words = ["--sse-pid", str(2**22 + 1), "-t", "2s"]  # Linux gives no process so high a number
    ended = locust("churn", "--host", f"{source}/ok", *words).finish()
    assert f"--sse-pid: there is no process {2**22 + 1}" in ended.output
    assert ended.code == 2


@pytest.mark.slow
def test_results_that_cannot_be_written_are_a_mistake_and_the_figures_are_shown(locust, source, tmp_path):
    (tmp_path / "file").write_text("")
    words = ["-u", "1", "-t", "2s", "--sse-results", str(tmp_path / "file" / "results.json")]
    ended = locust("concurrent_streams", "--host", f"{source}/ok", *words).finish()
    assert "cannot be written" in ended.output
    assert "1 attempted" in ended.output or "complete" in ended.output
    assert ended.code == 2


@pytest.mark.slow
def test_a_mistake_in_a_scenario_ends_the_run_and_says_why(locust, source, tmp_path):
    (tmp_path / "asks.py").write_text(ASKS)
    ended = locust(str(tmp_path / "asks.py"), "--host", f"{source}/ok", "-u", "3", "-t", "60s").finish()
    assert ended.output.count("ERROR/ssegauge.load") == 1
    assert "no endpoint is called 'nowhere'" in ended.results["invalid_reasons"][0]
    assert "Traceback" not in ended.output
    assert ended.code == 2
