"""TLS is stamped like plain TCP, directly and through a proxy's tunnel; without stamps the program's clock is used."""

import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from ssegauge.load.transport import KERNEL_STAMPS
from tests.load.conftest import start, stop
from tests.load.visiting import counters_of, visited
from tests.timing import SLOWDOWN

HERE = Path(__file__).resolve().parent

pytestmark = pytest.mark.skipif(shutil.which("openssl") is None, reason="makes its certificate with openssl")


@pytest.fixture(scope="module")
def certificate(tmp_path_factory):
    folder = tmp_path_factory.mktemp("tls")
    subprocess.run(
        [
            *("openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=localhost"),
            *("-addext", "subjectAltName=DNS:localhost,IP:127.0.0.1"),
            *("-keyout", str(folder / "key.pem"), "-out", str(folder / "cert.pem")),
        ],
        check=True,
        capture_output=True,
    )
    return folder / "cert.pem", folder / "key.pem"


@pytest.fixture(scope="module")
def secure(certificate):
    process, port = start(str(HERE / "source.py"), "--tls", *map(str, certificate))
    yield f"https://127.0.0.1:{port}"
    stop(process)


def visit(cases, host, prelude=""):
    answer = visited({"host": host, "cases": cases}, prelude=prelude)
    return answer["outcomes"], counters_of(answer)


def test_tls_is_verified_stamped_and_tunnelled(secure, certificate, source):
    good = {"path": f"{secure}/ok", "verify": str(certificate[0]), "timeouts": {"first_byte": 5 * SLOWDOWN}}
    cases = {
        "verified": good,
        "tunnelled": good | {"proxy": str(source)},
        "cut": good | {"path": f"{secure}/truncate"},
        "closed": good | {"path": f"{secure}/until_close"},
        "unknown": {"path": f"{secure}/ok"},
        "unverified": {"path": f"{secure}/ok", "verify": False},
        "refused": good | {"proxy": "http://127.0.0.1:1"},
        "https proxy": good | {"proxy": "https://me:secret@127.0.0.1:1"},
        "large": good | {"method": "POST", "path": f"{secure}/echo", "json": {"x": "y" * 400_000}},
    }
    outcomes, counters = visit(cases, secure)
    verdicts = {name: outcome["verdict"] for name, outcome in outcomes.items()}
    assert verdicts == {
        "verified": "complete",
        "tunnelled": "complete",
        "cut": "truncated",
        "closed": "complete",
        "unknown": "connect_error",
        "unverified": "complete",
        "refused": "connect_error",
        "https proxy": "connect_error",
        "large": "complete",
    }, outcomes
    assert "self-signed" in outcomes["unknown"]["error"]
    said = "https://127.0.0.1:1: a proxy is spoken to in plain HTTP here, by http://; the tunnel through it is TLS"
    assert outcomes["https proxy"]["error"] == said
    assert counters.get("user_stamps", 0) == 0


def test_a_connection_that_ends_without_close_notify_ends_no_message(secure, certificate):
    """RFC 9112, 9.8. What has a length of its own is whole all the same."""
    cases = {path: {"path": secure + path, "verify": str(certificate[0])} for path in ("/torn", "/torn_length")}
    outcomes, _ = visit(cases, secure)
    assert {path: (found["verdict"], found["end"]) for path, found in outcomes.items()} == {
        "/torn": ("truncated", "eof"),
        "/torn_length": ("complete", "message_end"),
    }
    assert "close_notify" in outcomes["/torn"]["error"]


ASKED = """
import gc, os, socket
from ssegauge.load import transport

def asking():
    found = 0
    for name in os.listdir("/proc/self/fd"):
        try:
            known = socket.socket(fileno=os.dup(int(name)))
        except OSError:
            continue  # no socket
        found += known.getsockopt(socket.SOL_SOCKET, transport.SO_TIMESTAMPNS)
        known.close()
    return found

before = asking()
transport.keep_stamping()
transport.keep_stamping()
gc.collect()
print(before, asking())
"""


@pytest.mark.skipif(not KERNEL_STAMPS, reason="the kernel's stamps are those of 64-bit Linux")
def test_one_socket_asks_for_stamps_before_the_first_stream_and_stays():
    """Whether the kernel would have been late without it cannot be told: some begin at once."""
    done = subprocess.run([sys.executable, "-W", "error", "-c", ASKED], capture_output=True, text=True, check=True)
    assert (done.stdout, done.stderr) == ("0 1\n", "")


ASKED_ONCE = """
import gevent.socket

real, asked = gevent.socket.getaddrinfo, []

def getaddrinfo(*place, **more):
    if asked:
        raise OSError("asked twice")
    asked.append(place)
    return real(*place, **more)

gevent.socket.getaddrinfo = getaddrinfo
"""


def test_the_name_of_the_target_is_looked_up_once_for_all_streams(source):
    cases = {str(number): {"before": {"path": "/ok"}, "path": "/ok"} for number in range(20)}
    outcomes, _ = visit(cases, source.replace("127.0.0.1", "localhost"), ASKED_ONCE)
    assert {outcome["verdict"] for outcome in outcomes.values()} == {"complete"}, outcomes["0"]


BOTH_FAMILIES = """
import gevent.socket, socket

def getaddrinfo(host, port, **_):
    return [(socket.AF_INET6, 1, 6, "", ("::1", port, 0, 0)), (socket.AF_INET, 1, 6, "", ("127.0.0.1", port))]

gevent.socket.getaddrinfo = getaddrinfo
"""
NO_IPV6 = """
import errno
import ssegauge.load.connect as c

make_socket = c.make_socket

def make(family):
    if family == socket.AF_INET6:
        raise OSError(errno.EAFNOSUPPORT, "no such family")
    return make_socket(family)

c.make_socket = make
"""


@pytest.mark.parametrize("prelude", [BOTH_FAMILIES, BOTH_FAMILIES + NO_IPV6], ids=["with IPv6", "without"])
def test_an_address_that_cannot_be_used_is_passed_over_for_the_next(source, prelude):
    job = {"host": source.replace("127.0.0.1", "both.test"), "cases": {"it": {"path": "/ok"}}}
    assert visited(job, prelude=prelude)["outcomes"]["it"]["verdict"] == "complete"


def test_own_addresses_are_taken_in_turn_each_for_its_family(source):
    cases = {str(number): {"path": "/echo", "events": True} for number in range(4)}
    job = {
        "host": source.replace("127.0.0.1", "both.test"),
        "cases": cases,
        "options": {"sse_source_addresses": "127.0.0.2, ::1, 127.0.0.3"},
    }
    outcomes = visited(job, prelude=BOTH_FAMILIES)["outcomes"].values()
    came = [json.loads(outcome["kept"][0][1])["from"] for outcome in outcomes]
    assert sorted(came) == ["127.0.0.2", "127.0.0.2", "127.0.0.3", "127.0.0.3"]


def test_where_no_own_address_is_of_the_targets_family_that_is_said(source):
    job = {"host": source, "cases": {"it": {"path": "/ok"}}, "options": {"sse_source_addresses": "::1"}}
    outcome = visited(job)["outcomes"]["it"]
    assert (outcome["verdict"], outcome["error"]) == ("connect_error", "no own address is of the family of 127.0.0.1")


def test_without_stamps_the_programs_clock_is_used_and_said(source):
    prelude = "import ssegauge.load.transport as t; t.KERNEL_STAMPS = False"
    outcomes, counters = visit({"ok": {"path": "/ok?events=5"}}, str(source), prelude)
    assert outcomes["ok"]["verdict"] == "complete"
    assert counters["user_stamps"] > 0


def test_a_system_without_epoll_reads_by_poll(source):
    prelude = "import ssegauge.load.reader as r; r._HAS_EPOLL = False"
    outcomes, _ = visit({"ok": {"path": "/ok?events=5"}, "cut": {"path": "/truncate"}}, str(source), prelude)
    assert {name: outcome["verdict"] for name, outcome in outcomes.items()} == {"ok": "complete", "cut": "truncated"}
