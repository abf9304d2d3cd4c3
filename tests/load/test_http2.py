"""Many streams on one connection: each has its verdict, whatever becomes of the others."""

import json
import select
import socket
import subprocess
import sys
from contextlib import contextmanager
from pathlib import Path
from threading import Thread
from urllib.parse import urlsplit

import pytest
import trustme

from tests.load.conftest import start, stop
from tests.load.visiting import counters_of, visited
from tests.timing import MS, SLOWDOWN, eventually

HERE = Path(__file__).resolve().parent
SHORT = 0.4 * SLOWDOWN
LIMITS = {"connect": 10, "first_byte": 20, "idle": 20, "total": 30}


@pytest.fixture
def server():
    """Starts the damaging server; its address."""
    started = []

    def begin(*options, scheme="http"):
        process, port = start(str(HERE / "source_h2.py"), *map(str, options))
        started.append(process)
        return f"{scheme}://127.0.0.1:{port}"

    yield begin
    for process in started:
        stop(process)


@contextmanager
def talkative(address):
    """A proxy whose answer to CONNECT comes in one segment with the first words of the server; its address."""
    host, port = urlsplit(address).hostname, urlsplit(address).port

    def serve():
        client, _ = listener.accept()
        with client, socket.create_connection((host, port)) as there:
            client.recv(65536)
            client.sendall(b"HTTP/1.1 200 OK\r\n\r\n" + there.recv(65536))
            other = {client: there, there: client}
            while True:
                for sock in select.select(list(other), [], [])[0]:
                    data = sock.recv(65536)
                    if not data:
                        return
                    other[sock].sendall(data)

    with socket.create_server(("127.0.0.1", 0)) as listener:
        thread = Thread(target=serve)
        thread.start()
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"
        thread.join()


@pytest.fixture
def visit(tmp_path):
    """Opens streams of a profile that declares http2, all at once; their outcomes, and what the generator counted."""

    def run(address, cases, *, target="", options=None, prelude="", **call):
        profile = tmp_path / "target.toml"
        profile.write_text(
            f'base_url = "{address}"\n[target]\n{target}\n'
            '[[endpoint]]\nname = "tokens"\nrequest = { path = "/ok" }\nhttp2 = true\n'
            'data = "json"\norder = "token* done"\nterminal = ["done"]\nsequence = { pointer = "/seq" }\n'
            '[[endpoint]]\nname = "any"\nrequest = { path = "/ok" }\nhttp2 = true\n'
        )
        every = {"endpoint": "tokens", "timeouts": LIMITS, **call}
        named = {name: {**every, "name": name, **case} for name, case in cases.items()}
        job = {"profile": str(profile), "cases": named, "options": options or {}}
        answer = visited(job, prelude=prelude)
        return answer["outcomes"], counters_of(answer)

    return run


def shown(outcomes):
    return {name: (found["verdict"], found["end"], found["events"]) for name, found in outcomes.items()}


ENDS = {
    # path: verdict, how it ended, events
    "/ok": ("complete", "message_end", 11),
    "/interim": ("complete", "message_end", 11),
    "/zipped": ("complete", "message_end", 2),
    "/moved": ("complete", "message_end", 11),
    "/much?events=40": ("complete", "message_end", 41),
    "/no_end": ("truncated", "message_end", 10),
    "/rst": ("reset", "reset", 10),
    "/stall": ("stalled", "timeout_idle", 10),
    "/mute": ("timeout", "timeout_first_byte", 0),
    "/unavailable": ("http_error", "message_end", 0),
}


def test_streams_of_one_connection_end_each_in_its_own_way(server, visit):
    quick = {"/stall": {"idle": SHORT}, "/mute": {"first_byte": SHORT}}
    cases = {path: {"path": path, "timeouts": LIMITS | quick.get(path, {})} for path in ENDS}
    outcomes, counters = visit(server(), cases)
    assert shown(outcomes) == ENDS
    assert outcomes["/rst"]["error"] == "RST_STREAM INTERNAL_ERROR"
    assert outcomes["/ok"]["counts"] == [0, 0, 0]
    assert counters["http2_connections"] == 1
    assert counters.get("user_stamps", 0) == 0, "the bytes of a shared connection are stamped by the kernel, too"


def test_a_wrong_content_length_is_the_fault_of_its_stream_alone(server, visit):
    """RFC 9113, 8.1.1: a malformed response is a stream error. What came within the length counts."""
    right = len(b'event: token\ndata: {"seq": 0}\n\n')
    end = len(b'event: done\ndata: {"ok": true}\n\n')
    cases = {
        "longer": {"path": f"/measured?length={3 * right + 1}"},
        "shorter": {"path": f"/measured?length={10 * right + end + 1}"},
        "none": {"path": "/bare"},
        "right": {"path": f"/measured?length={10 * right + end}"},
        "of HEAD": {"path": "/bare", "method": "HEAD"},
        "other": {"path": "/ok?events=30&gap_ms=10"},
    }
    outcomes, counters = visit(server(), cases)
    assert shown(outcomes) == {
        "longer": ("malformed", "malformed", 3),
        "shorter": ("malformed", "malformed", 11),
        "none": ("malformed", "malformed", 0),
        "right": ("complete", "message_end", 11),
        "of HEAD": ("no_terminal", "message_end", 0),
        "other": ("complete", "message_end", 31),
    }
    assert outcomes["longer"]["error"] == "more content than content-length says"
    assert outcomes["shorter"]["error"] == "less content than content-length says"
    assert counters["http2_connections"] == 1


@pytest.mark.parametrize(
    ("by", "verdict"), [("abort", {"truncated", "reset"}), ("close", {"truncated"})], ids=["abort", "close"]
)
def test_a_lost_connection_is_told_of_each_of_its_streams(server, visit, by, verdict):
    cases = {str(number): {"path": f"/lost?by={by}&gap_ms=10"} for number in range(5)}
    outcomes, _ = visit(server(), cases)
    assert {outcome["verdict"] for outcome in outcomes.values()} <= verdict, shown(outcomes)
    assert all(outcome["events"] > 0 for outcome in outcomes.values())


@pytest.mark.slow
def test_a_connection_that_turns_to_nonsense_is_malformed_and_what_came_before_counts(server, visit):
    cases = {"bad": {"path": "/nonsense"}, "other": {"path": "/stall"}}
    outcomes, _ = visit(server(), cases)
    assert {name: (end, events) for name, (_, end, events) in shown(outcomes).items()} == {
        "bad": ("malformed", 10),
        "other": ("malformed", 10),
    }


def test_after_goaway_accepted_streams_go_on_and_new_ones_get_a_new_connection(server, visit):
    cases = {
        "first": {"path": "/goes_away?events=30&gap_ms=5"},
        "later": {"before": {"endpoint": "tokens", "path": "/goes_away?events=3"}, "path": "/ok"},
    }
    outcomes, counters = visit(server(), cases)
    assert shown(outcomes) == {"first": ("complete", "message_end", 31), "later": ("complete", "message_end", 11)}
    assert counters["http2_connections"] >= 2


@pytest.mark.slow
def test_a_request_that_the_server_left_unprocessed_is_made_again(server, visit):
    outcomes, counters = visit(server(), {"it": {"path": "/refuses_once"}})
    assert shown(outcomes) == {"it": ("complete", "message_end", 11)}
    assert counters["http2_connections"] == 2


@pytest.mark.slow
def test_goaway_with_an_error_is_a_reset_that_says_why(server, visit):
    outcomes, _ = visit(server(), {"it": {"path": "/calms"}})
    assert shown(outcomes) == {"it": ("reset", "reset", 10)}
    assert outcomes["it"]["error"] == "GOAWAY ENHANCE_YOUR_CALM: too much"


@pytest.mark.slow
def test_no_more_streams_are_opened_on_a_connection_than_the_server_allows(server, visit):
    cases = {str(number): {"path": "/ok?events=20&gap_ms=20"} for number in range(10)}
    outcomes, counters = visit(server("--most", 4), cases)
    assert {outcome["verdict"] for outcome in outcomes.values()} == {"complete"}, shown(outcomes)
    assert counters["http2_connections"] == 3


@pytest.mark.slow
def test_our_own_limit_of_streams_holds_too(server, visit):
    cases = {str(number): {"path": "/ok?events=20&gap_ms=20"} for number in range(6)}
    outcomes, counters = visit(server(), cases, options={"sse_http2_streams": 2})
    assert {outcome["verdict"] for outcome in outcomes.values()} == {"complete"}, shown(outcomes)
    assert counters["http2_connections"] == 3


@pytest.mark.parametrize(
    ("allowed", "options"), [(1, {}), (100, {"sse_http2_streams": 1})], ids=["by the server", "by us"]
)
def test_connections_are_made_at_once_where_each_stream_needs_its_own(server, visit, allowed, options):
    """One after the other, a server half a connection's limit away would lose all but two."""
    cases = {str(number): {"timeouts": LIMITS | {"connect": 2 * SHORT}} for number in range(20)}
    outcomes, counters = visit(server("--most", allowed, "--far-ms", 1000 * SHORT), cases, options=options)
    assert {outcome["verdict"] for outcome in outcomes.values()} == {"complete"}, shown(outcomes)
    assert counters["http2_connections"] == 20


def test_a_connection_that_fails_is_told_to_all_that_counted_on_it_in_the_same_words(server, visit):
    cases = {str(number): {"timeouts": LIMITS | {"connect": SHORT}} for number in range(20)}
    outcomes, _ = visit(server("--mute"), cases)
    assert {outcome["verdict"] for outcome in outcomes.values()} == {"connect_error"}
    assert len({outcome["message"] for outcome in outcomes.values()}) == 1


def test_each_stream_waits_as_long_as_it_was_told_to(server, visit):
    cases = {
        "impatient": {"timeouts": LIMITS | {"connect": SHORT}},
        "patient": {"timeouts": LIMITS | {"connect": 10 * SHORT}},
    }
    outcomes, _ = visit(server("--far-ms", 3000 * SHORT), cases)
    assert {name: found["verdict"] for name, found in outcomes.items()} == {
        "impatient": "connect_error",
        "patient": "complete",
    }


def test_the_window_of_a_connection_is_opened_again_as_its_streams_are_read(server, visit):
    prelude = "import ssegauge.load.http2_connection as c; c._CONNECTION_WINDOW = 1 << 16"
    outcomes, counters = visit(server(), {str(n): {"path": "/much?events=20"} for n in range(3)}, prelude=prelude)
    assert set(shown(outcomes).values()) == {("complete", "message_end", 21)}
    assert counters["http2_connections"] == 1


def test_through_a_proxy_the_first_words_of_the_server_are_heard(server, visit):
    """It greets before it is asked, and they may come with the proxy's answer."""
    address = server()
    with talkative(address) as proxy:
        outcomes, _ = visit(address, {"it": {}}, proxy=proxy)
    assert shown(outcomes) == {"it": ("complete", "message_end", 11)}


@pytest.mark.slow
def test_a_connection_is_used_again(server, visit):
    cases = {"it": {"before": {"endpoint": "tokens", "path": "/ok"}, "path": "/ok"}}
    outcomes, counters = visit(server(), cases)
    assert shown(outcomes) == {"it": ("complete", "message_end", 11)}
    assert counters["http2_connections"] == 1


@pytest.mark.slow
def test_a_server_that_allows_no_streams_is_a_connect_error(server, visit):
    outcomes, _ = visit(server("--most", 0), {"it": {}})
    assert outcomes["it"]["verdict"] == "connect_error"
    assert outcomes["it"]["error"] == "the server allows no streams on an HTTP/2 connection"


@pytest.mark.slow
def test_the_request_is_said_in_http2_words(server, visit):
    case = {
        "endpoint": "any",
        "method": "POST",
        "path": "/echo?a=1",
        "json": {"x": "y" * 200_000},
        "headers": {"X-Id": "7", "Connection": "close", "Host": "example.org"},
        "events": True,
    }
    outcomes, _ = visit(server(), {"it": case})
    said = json.loads(outcomes["it"]["kept"][0][1])
    assert said["size"] == 200_008
    headers = said["headers"]
    assert (headers[":method"], headers[":path"], headers[":scheme"]) == ("POST", "/echo?a=1", "http")
    assert (headers[":authority"], headers["x-id"]) == ("example.org", "7")
    assert headers["accept"] == "text/event-stream"
    assert "connection" not in headers


@pytest.mark.slow
def test_a_header_field_that_is_none_is_told_before_it_is_sent(server, visit):
    outcomes, _ = visit(server(), {"bad": {"headers": {"X-Bad": "a\nb"}}, "good": {}})
    assert (outcomes["bad"]["verdict"], outcomes["good"]["verdict"]) == ("connect_error", "complete")


@pytest.mark.slow
def test_a_task_that_leaves_resets_its_stream_and_no_other(server, visit):
    cases = {
        "leaves": {"path": "/ok?events=200&gap_ms=5", "events": True, "read": 3},
        "stays": {"path": "/ok?events=30&gap_ms=5"},
    }
    outcomes, _ = visit(server(), cases)
    assert outcomes["leaves"]["verdict"] == "client_closed"
    assert shown(outcomes)["stays"] == ("complete", "message_end", 31)


@pytest.mark.slow
def test_a_server_without_http2_is_a_connect_error(visit):
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def answer():
            connection, _ = listener.accept()
            with connection:
                connection.recv(65536)
                connection.sendall(b"HTTP/1.1 400 Bad Request\r\nConnection: close\r\n\r\n")

        thread = Thread(target=answer)
        thread.start()
        outcomes, _ = visit(f"http://127.0.0.1:{listener.getsockname()[1]}", {"it": {}})
        thread.join()
    assert outcomes["it"]["verdict"] == "connect_error"
    assert outcomes["it"]["error"] == "HTTP/2: the answer is HTTP/1"


@pytest.mark.slow
def test_a_server_that_says_nothing_is_a_connect_error_in_time(server, visit):
    outcomes, _ = visit(server("--mute"), {"it": {"timeouts": LIMITS | {"connect": SHORT}}})
    assert (outcomes["it"]["verdict"], outcomes["it"]["end"]) == ("connect_error", "timeout_connect")


@pytest.fixture(scope="module")
def certificate(tmp_path_factory):
    folder = tmp_path_factory.mktemp("tls")
    authority = trustme.CA()
    issued = authority.issue_cert("localhost", "127.0.0.1")
    authority.cert_pem.write_to_path(str(folder / "ca.pem"))
    issued.private_key_and_cert_chain_pem.write_to_path(str(folder / "cert.pem"))
    return folder / "ca.pem", folder / "cert.pem"


def test_over_tls_http2_is_chosen_by_alpn(server, visit, certificate):
    authority, pem = certificate
    address = server("--tls", pem, pem, scheme="https")
    outcomes, counters = visit(address, {"a": {}, "b": {"path": "/rst"}}, target=f'ca = "{authority}"')
    assert shown(outcomes) == {"a": ("complete", "message_end", 11), "b": ("reset", "reset", 10)}
    assert (counters["http2_connections"], counters.get("user_stamps", 0)) == (1, 0)


@pytest.mark.slow
def test_a_server_that_does_not_choose_http2_is_a_connect_error(server, visit, certificate):
    authority, pem = certificate
    address = server("--tls", pem, pem, "--alpn", "http/1.1", scheme="https")
    outcomes, _ = visit(address, {"it": {}}, target=f'ca = "{authority}"')
    assert outcomes["it"]["error"] == "the server did not choose HTTP/2"


APP = """
import asyncio

async def app(scope, receive, send):
    if scope["type"] != "http":
        return
    await send({"type": "http.response.start", "status": 200, "headers": [(b"content-type", b"text/event-stream")]})
    for number in range(20):
        body = b'event: token\\ndata: {"seq": %d}\\n\\n' % number
        await send({"type": "http.response.body", "body": body, "more_body": True})
        await asyncio.sleep(0.01)
    if scope["path"] == "/fails":
        raise RuntimeError("as a test wants it")
    await send({"type": "http.response.body", "body": b'event: done\\ndata: {}\\n\\n', "more_body": False})
"""


@pytest.fixture
def hypercorn(tmp_path):
    """Serves that application over HTTP/2 without TLS; its address."""
    (tmp_path / "served.py").write_text(APP)
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = [sys.executable, "-m", "hypercorn", "--workers", "1", "--bind", f"127.0.0.1:{port}", "served:app"]
    process = subprocess.Popen(command, cwd=tmp_path, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)

    def listens():
        with socket.socket() as probe:
            return probe.connect_ex(("127.0.0.1", port)) == 0

    eventually(listens, within=20_000 * MS)
    yield f"http://127.0.0.1:{port}"
    process.terminate()
    process.wait(timeout=10_000 * MS)


@pytest.mark.slow
def test_hypercorn_serves_hundreds_of_streams_on_a_few_connections(hypercorn, visit):
    cases = {str(number): {} for number in range(150)} | {"fails": {"path": "/fails"}}
    outcomes, counters = visit(hypercorn, cases)
    failed = outcomes.pop("fails")
    assert {tuple(found) for found in shown(outcomes).values()} == {("complete", "message_end", 21)}
    assert failed["failed"], "no terminal, a reset or a close: how a server fails is its own business"
    assert counters["http2_connections"] == 2
