"""The example for Kubernetes: its files agree with each other, and what its containers are told is run, without them."""

from __future__ import annotations

import os
import re
import shlex
import subprocess
import sys
from contextlib import ExitStack
from pathlib import Path

import pytest
import yaml

from ssegauge import results
from tests.shell import free_port, reference_app
from tests.timing import MS, eventually

ROOT = Path(__file__).parent.parent
EXAMPLE = ROOT / "examples" / "kubernetes"
PROFILE = ROOT / "examples" / "ci" / "sse-target.toml"
FILES = ("locusttest.yaml", "jobs.yaml")
WORKERS = 2
LESS = {"users": "10", "spawn-rate": "10", "run-time": "3s", "stop-timeout": "2", "autoquit": "5"}
"""What the example has more of, or waits longer for."""
SHORT = {"-f": "locustfile", "-u": "users", "-r": "spawn-rate", "-t": "run-time", "-s": "stop-timeout"}


def documents(name):
    return list(yaml.safe_load_all((EXAMPLE / name).read_text(encoding="utf-8")))


def container(job):
    (found,) = job["spec"]["template"]["spec"]["containers"]
    return found


def told(name):
    """What master and workers get, as the operator puts it together, or as it is written."""
    if name == "locusttest.yaml":
        args = shlex.split(documents(name)[0]["spec"]["args"])
        return ["--master", *args], ["--worker", "--master-host", "streams-master", *args]
    return tuple(container(job)["args"] for job in documents(name)[1:])


def options(words):
    """The options by their long names, each with its value, or None."""
    found = {}
    for word in words:
        if re.match(r"--?[a-z]", word):
            name, equals, value = word.partition("=")
            name = SHORT.get(name, name.removeprefix("--"))
            found[name] = value if equals else None
        else:
            found[name] = word
    return found


# -- what they look like ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", FILES)
def test_the_master_waits_for_as_many_workers_as_there_are_and_keeps_its_results(name):
    master, _ = map(options, told(name))
    last = documents(name)[-1]["spec"]
    assert master["expect-workers"] == str(last.get("workers", last.get("completions")))
    assert last.get("parallelism") == last.get("completions")
    assert "headless" not in master, "a master that ends takes its results file along"
    assert f"cat {master['sse-results']} >" in (EXAMPLE / "README.md").read_text(encoding="utf-8")


def test_both_files_use_one_image_one_profile_and_run_the_same():
    test = documents("locusttest.yaml")[0]
    service, master, worker = documents("jobs.yaml")
    images = {test["spec"]["image"], container(master)["image"], container(worker)["image"]}
    assert len(images) == 1
    assert f"docker build -t {images.pop()} " in (EXAMPLE / "README.md").read_text(encoding="utf-8")
    profiles = [job["spec"]["template"]["spec"]["volumes"][0]["configMap"] for job in (master, worker)]
    assert [test["spec"]["locustfile"]["configMap"]] * 2 == profiles
    assert service["spec"]["selector"].items() <= master["spec"]["template"]["metadata"]["labels"].items()
    assert options(container(worker)["args"])["master-host"] == service["metadata"]["name"] == "streams-master"
    operated, written = (options(told(name)[0]) for name in FILES)
    seconds = {"stop-timeout": operated["stop-timeout"].removesuffix("s")}
    assert (operated | seconds).items() <= written.items()


def test_the_image_starts_locust_and_has_the_scenario_where_it_is_looked_for():
    text = (EXAMPLE / "Dockerfile").read_text(encoding="utf-8")
    assert 'ENTRYPOINT ["locust"]' in text
    for name in FILES:
        folder, _, scenario = options(told(name)[0])["locustfile"].rpartition("/")
        assert f" {folder} " in text
        assert (ROOT / "loadtests" / scenario).is_file()


def test_links_lead_somewhere():
    for target in re.findall(r"\]\((?!https:)([^)\s]+)\)", (EXAMPLE / "README.md").read_text(encoding="utf-8")):
        assert (EXAMPLE / target).exists(), target


# -- what they do -----------------------------------------------------------------------------------------------------


def typed(words, folder, port):
    """The same, for processes of this machine and for less time."""
    found = options(words)
    found |= {name: value for name, value in LESS.items() if name in found}
    if "expect-workers" in found:
        found["expect-workers"] = str(WORKERS)
    if "master-host" in found:
        found |= {"master-host": "127.0.0.1", "master-port": port}
    else:
        found |= {"master-bind-host": "127.0.0.1", "master-bind-port": port}
        found |= {"web-host": "127.0.0.1", "web-port": str(free_port())}
    places = {"/loadtests": ROOT / "loadtests", "/home/locust": folder, "/tmp": folder}
    for name, value in found.items():
        for there, here in places.items():
            if value and value.startswith(f"{there}/"):
                found[name] = f"{here}{value.removeprefix(there)}"
                break
    return [f"--{name}" if value is None else f"--{name}={value}" for name, value in found.items()]


@pytest.mark.slow
@pytest.mark.parametrize("name", FILES)
def test_master_and_workers_run(tmp_path, name):
    port, file, said = str(free_port()), tmp_path / "results.json", tmp_path / "said.txt"
    master, worker = told(name)
    with ExitStack() as stack:
        app = stack.enter_context(reference_app(0.02))
        profile = PROFILE.read_text(encoding="utf-8").replace("http://127.0.0.1:8000", app.url)
        (tmp_path / "sse-target.toml").write_text(profile, encoding="utf-8")
        sink = stack.enter_context(said.open("ab"))
        running = []
        for number, words in enumerate([master] + [worker] * WORKERS):
            own = tmp_path / str(number)  # a pod has a /tmp of its own; there Locust puts the file that the master gave
            own.mkdir()
            process = subprocess.Popen(
                [sys.executable, "-m", "locust", *typed(words, tmp_path, port)],
                cwd=tmp_path,
                env={**os.environ, "TMPDIR": str(own)},
                stdin=subprocess.DEVNULL,
                stdout=sink,
                stderr=sink,
            )
            stack.callback(process.kill)
            running.append(process)
        eventually(lambda: file.exists() or any(process.poll() is not None for process in running), 60_000 * MS)
        assert file.exists(), said.read_text()[-6000:]
        document = results.read(file)
        if "autoquit" not in options(master):
            for process in reversed(running):
                assert process.poll() is None, said.read_text()[-6000:]
                process.terminate()
        codes = [process.wait(60_000 * MS) for process in running]
    assert document["streams"]["by_verdict"].keys() == {"complete"}
    assert codes[0] in {0, 3}, said.read_text()[-6000:]  # 3: the machine may be too busy for times
    assert codes[1:] == [0] * WORKERS, said.read_text()[-6000:]
