"""Hostile servers: each attack gets a verdict in bounded time and memory, and nothing of it is unescaped in a report."""

from __future__ import annotations

import asyncio
import contextlib
import gzip
import json
import os
import subprocess
import sys
import time
import zlib
from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path

import pytest

from .mutants.host import Host
from .mutants.server import Clean

MEMORY = 300 << 20
DEADLINE = 150.0
HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nCache-Control: no-store\r\n"
OPEN = HEAD + b"Connection: close\r\n\r\n"
CHUNKED = HEAD + b"Transfer-Encoding: chunked\r\n\r\n"
MARKUP = "<script>alert(1)</script>\x1b[2J\x1b]0;owned\x07\u202e&amp;`|"

Attack = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


async def flood(writer: asyncio.StreamWriter, piece: bytes, most: int = 64 << 20) -> None:
    """Send the piece over and over, bounded, as fast as the reader takes it."""
    block = piece * max(1, (64 << 10) // len(piece))
    for _ in range(most // len(block)):
        writer.write(block)
        await writer.drain()


def sending(*pieces: bytes, then: bytes = b"", hold: float = 0.0) -> Attack:
    """Send pieces, then flood, then hold the connection open for a while."""

    async def attack(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        for piece in pieces:
            writer.write(piece)
            await writer.drain()
        if then:
            await flood(writer, then)
        await asyncio.sleep(hold)

    return attack


def cut_at(offset: int) -> Attack:
    """A good stream, reset after so many bytes."""
    whole = (
        CHUNKED
        + b"".join(b"%x\r\n%s\r\n" % (len(part), part) for part in [b"event: a\ndata: 1\n\n"] * 4)
        + b"0\r\n\r\n"
    )

    async def attack(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(whole[:offset])
        await writer.drain()
        writer.transport.abort()

    return attack


def bomb() -> bytes:
    """64 MiB of an endless line in some 64 KiB of gzip."""
    return gzip.compress(b"data: " + b"a" * (64 << 20))


async def drip(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    for byte in OPEN + b"data: slow\n\n":
        writer.write(bytes([byte]))
        await asyncio.sleep(0.1)


async def loop_of_redirects(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    writer.write(b"HTTP/1.1 302 Found\r\nLocation: /stream\r\nContent-Length: 0\r\n\r\n")
    await writer.drain()


NAMES = f"event: {MARKUP}\ndata: {MARKUP}\n{MARKUP}: x\n\n".encode()
ATTACKS: dict[str, Attack] = {
    "line-without-end": sending(OPEN, b"data: ", then=b"a"),
    "event-without-end": sending(OPEN, then=b"data: abc\n"),
    "headers-without-end": sending(b"HTTP/1.1 200 OK\r\n", then=b"X-Filler: aaaaaaaaaaaaaaaaaaaaaaaaaaaaa\r\n"),
    "status-line-without-end": sending(b"HTTP/1.1 200 ", then=b"O"),
    "blank-lines-without-end": sending(OPEN, then=b"\n"),
    "comments-without-end": sending(OPEN, then=b": x\n"),
    "tiny-events-without-end": sending(OPEN, then=b"data:\n\n"),
    "invalid-utf-8-without-end": sending(OPEN, then=b"data: \xff\xfe\xc3\n\n"),
    "informational-without-end": sending(then=b"HTTP/1.1 103 Early Hints\r\n\r\n"),
    "compression-bomb": sending(HEAD + b"Content-Encoding: gzip\r\nConnection: close\r\n\r\n", bomb()),
    "bomb-of-bombs": sending(
        HEAD + b"Content-Encoding: gzip, gzip\r\nConnection: close\r\n\r\n", gzip.compress(bomb())
    ),
    "deflate-bomb": sending(
        HEAD + b"Content-Encoding: deflate\r\nConnection: close\r\n\r\n", zlib.compress(b"\n" * (64 << 20))
    ),
    "chunk-size-that-is-none": sending(CHUNKED, b"zz\r\ndata: x\n\n\r\n"),
    "chunk-size-negative": sending(CHUNKED, b"-5\r\ndata: x\n\n\r\n"),
    "chunk-size-enormous": sending(CHUNKED, b"fffffffffffffffff\r\ndata: x\n\n"),
    "content-length-negative": sending(HEAD + b"Content-Length: -1\r\n\r\ndata: x\n\n"),
    "content-length-enormous": sending(HEAD + b"Content-Length: 99999999999999999999\r\n\r\ndata: x\n\n"),
    "no-http-at-all": sending(b"SSH-2.0-OpenSSH_9.2\r\n"),
    "accepts-and-is-silent": sending(hold=60),
    "drips": drip,
    "redirects-in-a-circle": loop_of_redirects,
    "names-with-markup": sending(HEAD + f"X-Note: {MARKUP}".encode() + b"\r\nConnection: close\r\n\r\n", NAMES),
    **{f"reset-at-byte-{offset}": cut_at(offset) for offset in (0, 5, 60, 100, 130, 170)},
}
FAST = {"line-without-end", "chunk-size-that-is-none", "names-with-markup", "reset-at-byte-130"}


class Hostile(Clean):
    """Answers every request with the attack."""

    def __init__(self, attack: Attack) -> None:
        super().__init__()
        self.attack = attack

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(ConnectionError, asyncio.IncompleteReadError):
            await reader.readuntil(b"\r\n\r\n")
            await self.attack(reader, writer)
        with contextlib.suppress(Exception):
            writer.close()


@pytest.fixture(scope="module")
def host() -> Iterator[Host]:
    started = Host()
    yield started
    started.stop()


def check(url: str, folder: Path) -> tuple[int, str, int, float]:
    """Exit code, output, peak memory in bytes and seconds of a whole check."""
    command = [sys.executable, "-m", "ssegauge", "check", url, "--window", "1", "--save", "saved"]
    for option, name in (("--results", "r.json"), ("--junit", "r.xml"), ("--markdown", "r.md"), ("--html", "r.html")):
        command += [option, name]
    began = time.monotonic()
    with (folder / "out").open("w+") as out:
        process = subprocess.Popen(command, cwd=folder, stdout=out, stderr=subprocess.STDOUT)
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
    return process.returncode, (folder / "out").read_text(), usage.ru_maxrss * 1024, time.monotonic() - began


@pytest.mark.parametrize(
    "name", [pytest.param(name, marks=[] if name in FAST else pytest.mark.slow) for name in ATTACKS]
)
def test_attack_gets_a_verdict(host: Host, tmp_path: Path, name: str) -> None:
    with host.serving(Hostile(ATTACKS[name])) as url:
        code, out, memory, seconds = check(f"{url}/stream", tmp_path)
    assert code in {0, 1, 3}, out
    assert "Traceback" not in out
    assert "internal error" not in out
    assert "the check failed" not in out, [line for line in out.splitlines() if "the check failed" in line]
    assert memory < MEMORY, f"{memory >> 20} MiB"
    assert seconds < DEADLINE, f"{seconds:.0f} s"
    findings = json.loads((tmp_path / "r.json").read_text())["rules"]
    assert any(finding["outcome"] in {"pass", "fail"} for finding in findings)
    for file in (tmp_path / "out", tmp_path / "r.md", tmp_path / "r.xml", tmp_path / "r.html"):
        text = file.read_text(encoding="utf-8")
        assert file.suffix == "" or "<script>alert" not in text, file.name  # a terminal knows no markup
        assert "\x1b" not in text, file.name
        assert "\u202e" not in text, file.name
