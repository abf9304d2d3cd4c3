"""`ssegauge parse` as it is typed: on a file, in a pipe, at an address."""

from __future__ import annotations

import gzip
import json
import os
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

COMMAND = [sys.executable, "-c", "import sys; from ssegauge.cli import main; sys.exit(main())", "parse"]
HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n"
BODY = b"\xef\xbb\xbfid: 1\nevent: a\ndata: caf\xc3\xa9 \x1b\xff\n\ndata: x\ndata: y\n\ndata: lost"
EVENTS = [
    {"type": "a", "data": "café \x1b\ufffd", "last_event_id": "1"},
    {"type": "message", "data": "x\ny", "last_event_id": "1"},
]


def parse(*args: str, stdin: bytes = b"") -> subprocess.CompletedProcess[bytes]:
    return subprocess.run([*COMMAND, *args], input=stdin, capture_output=True, timeout=60, check=False)


def printed(output: bytes) -> list[Any]:
    return [json.loads(line) for line in output.decode("ascii").splitlines()]


@contextmanager
def answering(*pieces: bytes, reset: bool = False) -> Iterator[tuple[str, list[bytes]]]:
    """A server for one request: it sends these bytes and closes. Yields its address, and the request as it came."""
    requests: list[bytes] = []

    def serve() -> None:
        connection, _ = listener.accept()
        with connection:
            requests.append(connection.recv(65536))
            for piece in pieces:
                connection.sendall(piece)
            if reset:
                connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")

    with socket.create_server(("127.0.0.1", 0)) as listener:
        thread = threading.Thread(target=serve)
        thread.start()
        try:
            yield f"http://127.0.0.1:{listener.getsockname()[1]}/stream", requests
        finally:
            thread.join(30)


def test_a_file_gives_one_json_object_for_each_event(tmp_path: Path) -> None:
    (tmp_path / "stream").write_bytes(BODY)
    done = parse(str(tmp_path / "stream"))
    assert printed(done.stdout) == EVENTS
    assert (done.stderr, done.returncode) == (b"", 0)


@pytest.mark.parametrize("args", [[], ["-"]], ids=["nothing", "dash"])
def test_standard_input_is_the_default(args: list[str]) -> None:
    assert printed(parse(*args, stdin=BODY).stdout) == EVENTS


def test_an_event_is_printed_while_the_stream_goes_on() -> None:
    with subprocess.Popen(COMMAND, stdin=subprocess.PIPE, stdout=subprocess.PIPE, bufsize=0) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        for number in range(3):
            process.stdin.write(f"data: {number}\n\n".encode())
            assert json.loads(process.stdout.readline())["data"] == str(number)
        process.stdin.close()
        assert process.wait(30) == 0


def test_an_address_is_asked_for_a_stream_from_the_last_id() -> None:
    with answering(HEAD + b"\r\n", BODY) as (url, requests):
        done = parse(url, "--last-event-id", "0é")
    assert printed(done.stdout) == EVENTS
    assert (done.stderr, done.returncode) == (b"", 0)
    head = requests[0].lower()
    assert b"accept: text/event-stream\r\n" in head
    assert b"accept-encoding: identity\r\n" in head
    assert "last-event-id: 0é\r\n".encode() in head


def test_the_last_id_is_where_the_decoder_starts() -> None:
    assert printed(parse("--last-event-id", "7", stdin=b"data: x\n\n").stdout)[0]["last_event_id"] == "7"


def test_lint_names_rule_level_and_byte() -> None:
    done = parse("--lint", stdin=BODY)
    assert printed(done.stdout) == EVENTS
    lines = done.stderr.decode().splitlines()
    assert [line.split(": ")[0] for line in lines] == [
        "ENC-03 SHOULD byte 0",
        "REC-10 INFO byte 0",
        "ENC-04 SHOULD byte 30",
        "ENC-01 MUST byte 31",
        "FRM-01 MUST byte 51",
    ]
    assert done.returncode == 0


@pytest.mark.parametrize(("piece", "judged"), [(b": x\n", 400_003), (b"x" * 4096, 4 << 20)], ids=["lines", "bytes"])
def test_lint_judges_the_beginning_of_a_long_stream_and_says_so(piece: bytes, judged: int) -> None:
    body = piece * ((5 << 20) // len(piece))
    done = parse("--lint", "--max-line", "9999999", stdin=body)
    assert done.returncode == 0
    assert f"--lint judged the first {judged} of {len(body)} bytes" in done.stderr.decode().splitlines()[-1]
    assert b"FRM-01" not in done.stderr


def test_lint_judges_payloads_where_they_should_be_json() -> None:
    body = b'retry: 1000\ndata: {"a": 1}\n\ndata: [DONE]\n\ndata: {\n\n'
    assert parse("--lint", stdin=body).stderr == b""
    told = parse("--lint", "--json", "--sentinel", "[DONE]", stdin=body).stderr.decode().splitlines()
    assert len(told) == 1
    assert told[0].startswith("JSON-01 MUST byte 42: ")


@pytest.mark.parametrize(
    ("args", "stdin", "code", "told"),
    [
        (["none"], b"", 2, "ssegauge: none: No such file or directory"),
        ([os.curdir], b"", 2, "ssegauge: .: Is a directory"),
        (["--max-line", "0"], b"", 2, "ssegauge: Invalid value for '--max-line'"),
        (["http://"], b"", 2, "ssegauge: http://: "),
        (["http://127.0.0.1:1/"], b"", 3, "ssegauge: http://127.0.0.1:1/: not reached: "),
        (
            ["--max-line", "10"],
            b"data: x\n\ndata: 678901\n\n",
            1,
            "ssegauge: standard input: line of more than 10 bytes at byte offset 9; --max-line",
        ),
        (
            ["--max-event", "10"],
            b"data: x\n\ndata: x\ndata: y\n\n",
            1,
            "ssegauge: standard input: event of more than 10 bytes at byte offset 17; --max-event",
        ),
    ],
    ids=["no file", "directory", "option", "no host", "nobody", "line", "event"],
)
def test_a_mistake_is_one_clear_line(args: list[str], stdin: bytes, code: int, told: str, tmp_path: Path) -> None:
    done = subprocess.run([*COMMAND, *args], input=stdin, capture_output=True, timeout=60, check=False, cwd=tmp_path)
    assert done.returncode == code
    [line] = done.stderr.decode().splitlines()
    assert line.startswith(told)
    assert [event["data"] for event in printed(done.stdout)] == (["x"] if code == 1 else [])


def test_an_answer_that_is_no_stream_is_named() -> None:
    with answering(b"HTTP/1.1 503 Service Unavailable\r\nContent-Length: 0\r\n\r\n") as (url, _):
        done = parse(url)
    assert done.stderr.decode() == f"ssegauge: {url}: answered 503 Service Unavailable; only a 200 is a stream\n"
    assert done.returncode == 3


def test_another_content_type_is_remarked_on() -> None:
    with answering(b"HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\n\r\ndata: x\n\n") as (url, _):
        done = parse(url)
    assert b"content type is 'text/plain'" in done.stderr
    assert len(printed(done.stdout)) == 1


def test_every_member_of_compressed_content_is_read() -> None:
    """A server that compresses each event alone sends a member for each (RFC 1952, 2.2); a large one is no bomb."""
    members = [gzip.compress(b"data: %d\n\n" % number) for number in range(5)]
    members.append(gzip.compress(b"data: " + b"x" * 3_000_000 + b"\n\n"))
    with answering(HEAD + b"Content-Encoding: gzip\r\n\r\n", *members) as (url, _):
        done = parse(url, "--max-line", "4000000", "--max-event", "4000000")
    assert [len(event["data"]) for event in printed(done.stdout)] == [1, 1, 1, 1, 1, 3_000_000]
    assert (done.returncode, done.stderr) == (0, b"")


@pytest.mark.parametrize(("coding", "code"), [(b"gzip", 1), (b"br", 1), (b"zstd", 3)])
def test_content_that_cannot_be_inflated_is_one_line(coding: bytes, code: int) -> None:
    with answering(HEAD + b"Content-Encoding: " + coding + b"\r\n\r\ndata: x\n\n") as (url, _):
        done = parse(url)
    assert done.returncode == code
    assert len(done.stderr.splitlines()) == 1


@pytest.mark.parametrize("reset", [False, True], ids=["cut", "reset"])
def test_a_stream_that_breaks_off_keeps_its_events_and_is_named(*, reset: bool) -> None:
    head = HEAD + b"Transfer-Encoding: chunked\r\n\r\n"
    with answering(head, b"9\r\ndata: x\n\n\r\n", reset=reset) as (url, _):
        done = parse(url)
    assert done.returncode in (1, 3)  # a reset may overtake the bytes before it
    [line] = done.stderr.decode().splitlines()
    assert line.startswith(f"ssegauge: {url}: ")
    assert reset or (done.returncode == 1 and len(printed(done.stdout)) == 1)


@contextmanager
def after_an_event() -> Iterator[subprocess.Popen[bytes]]:
    """The command, reading on after it has printed a first event."""
    with subprocess.Popen(COMMAND, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        process.stdin.write(b"data: x\n\n")
        process.stdin.flush()
        assert process.stdout.readline()
        yield process


def test_a_closed_pipe_is_no_error() -> None:
    with after_an_event() as process:
        process.stdout.close()
        try:
            process.stdin.write(b"data: x\n\n" * 1000)
            process.stdin.close()
        except BrokenPipeError:
            pass
        assert process.stderr.read() == b""
        process.wait(30)


def test_ctrl_c_is_quiet() -> None:
    with after_an_event() as process:
        process.send_signal(signal.SIGINT)
        assert process.wait(30) == 130
        assert process.stderr.read() == b""
