"""Master and workers on two hosts: two network namespaces with a cable between them."""

import json
import os
import shutil
import subprocess
import sys

import pytest

from tests.load.conftest import HERE, Ended
from tests.load.damage import ONCE, PATHS, assert_counted, profile_of
from tests.timing import MS

pytestmark = pytest.mark.slow

MASTER, WORKER = "192.0.2.1", "192.0.2.2"  # for documentation only (RFC 5737), so nobody's


def ip(*words):
    return subprocess.run(["ip", *words], capture_output=True, text=True, check=False)


@pytest.fixture
def hosts():
    """Names of two namespaces that reach each other by these addresses, and nothing else."""
    if shutil.which("ip") is None:
        pytest.skip("needs ip, of Debian's iproute2")
    names = [f"ssegauge-{os.getpid()}-{side}" for side in "ab"]
    try:
        for name in names:
            made = ip("netns", "add", name)
            if made.returncode:
                pytest.skip(f"may not make network namespaces: {made.stderr.strip()}")
        cable = ("link", "add", "wire0", "netns", names[0], "type", "veth", "peer", "name", "wire0", "netns", names[1])
        made = ip(*cable)
        if made.returncode:
            pytest.skip(f"may not join network namespaces: {made.stderr.strip()}")
        for name, address in zip(names, (MASTER, WORKER), strict=True):
            ip("-n", name, "address", "add", f"{address}/30", "dev", "wire0")
            for device in ("lo", "wire0"):
                assert ip("-n", name, "link", "set", device, "up").returncode == 0
        yield names
    finally:
        for name in names:
            ip("netns", "delete", name)


@pytest.fixture
def on(tmp_path):
    """Starts Python on one of the hosts."""
    started = []

    def begin(host, *words):
        own = tmp_path / str(len(started))  # a host has a folder of its own for what Locust's master sends (`-f -`)
        own.mkdir()
        process = subprocess.Popen(
            ["ip", "netns", "exec", host, sys.executable, *words],
            env={**os.environ, "TMPDIR": str(own)},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            cwd=tmp_path,
        )
        started.append(process)
        return process

    yield begin
    for process in started:
        process.kill()  # a worker without its master would wait for it
        process.wait(timeout=10_000 * MS)
        process.stdout.close()


@pytest.fixture
def distributed(hosts, on, tmp_path):
    """A master on the one host; two workers and the target on the other. `run(*options)` gives the three processes."""
    here, there = hosts
    source = on(there, str(HERE / "source.py"))
    address = f"http://127.0.0.1:{int(source.stdout.readline())}"
    (tmp_path / "target.toml").write_text(profile_of(address, PATHS))
    (tmp_path / "once.py").write_text(ONCE)

    def run(*options):
        common = ["--sse-target", str(tmp_path / "target.toml"), "--sse-idle-timeout", "0.5"]
        command = ["-m", "locust", "-f", str(tmp_path / "once.py"), *common, "--headless", "--only-summary"]
        command += ["--master", "--master-bind-host", MASTER, "--expect-workers", "2"]
        command += ["--sse-results", str(tmp_path / "results.json"), "--sse-max-read-lag", "10000"]
        master = on(here, *command, *options)
        # `-`: they are sent the scenario by their master
        workers = [on(there, "-m", "locust", "-f", "-", "--worker", "--master-host", MASTER) for _ in range(2)]
        return master, workers

    return run


def ended(process, tmp_path, within=90_000 * MS):
    output, _ = process.communicate(timeout=within)
    return Ended(process, output, tmp_path / "results.json")


def test_the_sum_of_workers_on_another_host_is_exact(distributed, tmp_path):
    master, _ = distributed("-u", "6", "-r", "6", "-t", "8s")
    found = ended(master, tmp_path)
    assert found.results is not None, found.output
    assert_counted(found.results, 6)
    assert len(found.results["harness"]["workers"]) == 2
    assert found.results["valid"], found.results["invalid_reasons"]
    assert found.code == 1, found.output  # damaged streams failed
    assert "Traceback" not in found.output


def test_workers_that_are_cut_off_are_named_and_the_run_is_invalid(distributed, hosts, tmp_path):
    master, _ = distributed("-u", "4", "-r", "4", "-t", "12s")
    # the run begins when both are there; it is cut in the middle
    begun = ("All users spawned", "Spawning is complete")  # the second where a busy machine's workers report late
    assert any(said in line for line in master.stdout for said in begun), "the run ended before it was cut"
    assert ip("-n", hosts[1], "link", "set", "wire0", "down").returncode == 0
    found = ended(master, tmp_path)
    assert found.results is not None, found.output
    assert not found.results["valid"]
    reasons = json.dumps(found.results["invalid_reasons"])
    assert reasons.count("its streams are missing from the figures") == 2, reasons
    assert found.code == 3, found.output
