"""A target that its own command starts, as it is deployed."""

import signal
import socket
import subprocess
import sys
import urllib.request

import psutil
import pytest

from ssegauge import cli
from ssegauge.commanded import ServedCommand
from ssegauge.errors import UserError
from ssegauge.probe import ProcessGauge
from tests.timing import MS, eventually

FILES = f"{sys.executable} -m http.server --bind 127.0.0.1 {{port}}"
# A parent that ignores its end, and a worker that listens, as servers with workers do.
WITH_WORKER = f"""{sys.executable} -c "
import signal, subprocess, sys
signal.signal(signal.SIGTERM, signal.SIG_IGN)
subprocess.run([sys.executable, '-m', 'http.server', '--bind', '127.0.0.1', '{{port}}'])
" """


def answers(url: str) -> bool:
    with urllib.request.urlopen(url, timeout=10_000 * MS) as answer:
        return bool(answer.status == 200)


def test_it_is_started_and_comes_back_at_its_address_after_a_signal(tmp_path):
    with ServedCommand(FILES, root=tmp_path) as served:
        assert answers(served.url)
        first = served.pid
        served.signal(signal.SIGTERM)
        assert served.wait(10_000 * MS) is not None
        served.restart()
        assert answers(served.url)
        assert served.pid != first
    assert served.process.poll() is not None


def test_a_worker_is_looked_at_and_ends_with_its_parent(tmp_path):
    with ServedCommand(WITH_WORKER, root=tmp_path) as served:
        worker = psutil.Process(served.pid).children()[0]
        with socket.create_connection(("127.0.0.1", served.port), 1):
            eventually(lambda: ProcessGauge(served.pid, served.port).active() >= 1)  # its sockets are the target's
        served.signal(signal.SIGTERM)
        assert served.wait(200 * MS) is None, "the parent does not listen to it"
        served.signal(signal.SIGKILL)
        worker.wait(10_000 * MS)
        with pytest.raises(ConnectionRefusedError):
            socket.create_connection(("127.0.0.1", served.port), 1)


FOR_A_MOMENT = """
import subprocess
print(flush=True)
while True:
    subprocess.run(["true"])
"""


def test_children_that_come_and_go_are_no_obstacle():
    """As those of a server with a process for each connection."""
    with subprocess.Popen([sys.executable, "-c", FOR_A_MOMENT], stdout=subprocess.PIPE) as parent:
        try:
            assert parent.stdout is not None
            parent.stdout.readline()
            assert all(ProcessGauge(parent.pid).footprint().descriptors >= 3 for _ in range(100))
        finally:
            parent.kill()


@pytest.mark.parametrize(
    ("line", "told"),
    [
        ("python -m http.server", "say where the server gets its port from"),
        ("no-such-server {port}", "no-such-server cannot be started: no such file"),
        (f"{sys.executable} -c \"import sys; sys.exit('no app here {{port}}')\"", "it ended at once: no app here"),
        ('server "{port}', "cannot be read: No closing quotation"),
    ],
    ids=["no port", "no program", "ends", "quotes"],
)
def test_what_does_not_start_is_told_in_one_line(line, told):
    with pytest.raises(UserError) as raised:
        ServedCommand(line)
    assert told in str(raised.value)
    assert "\n" not in str(raised.value)


SILENT = f"""{sys.executable} -c "
import socket, time
listener = socket.create_server(('127.0.0.1', {{port}}))
open('port', 'w').write('{{port}}')
while True:
    time.sleep(1)  # takes every connection and says nothing
" """


@pytest.mark.parametrize("ending", [signal.SIGTERM, signal.SIGINT])
def test_a_check_that_is_told_to_end_takes_its_server_along(tmp_path, ending):
    command = [sys.executable, "-m", "ssegauge", "check", "/stream", "--server", SILENT]
    with subprocess.Popen(command, cwd=tmp_path, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        eventually((tmp_path / "port").exists, within=20_000 * MS)
        [server] = psutil.Process(process.pid).children()
        process.send_signal(ending)
        _, said = process.communicate(timeout=30_000 * MS)
    assert process.returncode == 130
    assert "Traceback" not in said
    assert not server.is_running()


def test_one_thing_starts_the_target(capsys):
    assert cli.main(["check", "/stream", "--app", "main:app", "--server", FILES]) == 2
    assert "take one of them" in capsys.readouterr().err
