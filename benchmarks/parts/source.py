"""A source whose schedule is known: it writes events on time, and logs when it wrote each of them.

    python benchmarks/parts/source.py --port 0 --log writes.bin [--cpu 1]

`GET /?events=20&gap_ms=100&first_ms=50&size=80` streams so many events, so far apart, the first so long after the
request; `spread_ms` shifts each stream by a part of it, so that streams do not write in step. The port is printed.
At the end (SIGTERM) the log holds records of three little-endian 64-bit integers: stream, event (-1: the request),
wall-clock nanoseconds just before the write (of a request: the kernel's stamp of its arrival).
"""

from __future__ import annotations

import argparse
import asyncio
import os
import signal
import socket
import struct
import time
from array import array
from itertools import count
from pathlib import Path
from urllib.parse import parse_qsl, urlsplit

import uvloop

HEAD = (
    b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ncache-control: no-store\r\n"
    b"transfer-encoding: chunked\r\n\r\n"
)
LOG = array("q")
SO_TIMESTAMPNS = 35
_ids = count()
tasks = set()


def event(number: int, size: int) -> bytes:
    body = b'data: {"seq":%d,"sent":%d,"pad":"' % (number, time.time_ns())
    body += b"x" * max(0, size - len(body) - 4) + b'"}\n\n'
    return b"%x\r\n%s\r\n" % (len(body), body)


class Source(asyncio.Protocol):
    """One stream. The request has been read before, with the kernel's stamp of its arrival."""

    def __init__(self, params, arrived) -> None:
        self.loop = asyncio.get_running_loop()
        self.timer: asyncio.TimerHandle | None = None
        self.params = params
        self.arrived = arrived

    def connection_made(self, transport):
        self.transport = transport
        params = self.params
        self.id = next(_ids)
        LOG.extend((self.id, -1, self.arrived))
        self.events = int(params.get("events", 10))
        self.gap = float(params.get("gap_ms", 100)) / 1000
        self.size = int(params.get("size", 80))
        spread = float(params.get("spread_ms", 0)) / 1000
        self.number = 0
        transport.write(HEAD)
        late = (time.time_ns() - self.arrived) / 1e9
        first = float(params.get("first_ms", 50)) / 1000 + spread * (self.id * 0.6180339887 % 1.0)
        self.due = self.loop.time() - late + first
        self.timer = self.loop.call_at(self.due, self.tick)

    def tick(self):
        if self.number >= self.events:
            self.transport.write(b"0\r\n\r\n")
            self.timer = None
            return
        written = event(self.number, self.size)
        LOG.extend((self.id, self.number, time.time_ns()))
        self.transport.write(written)
        self.number += 1
        self.due += self.gap
        self.timer = self.loop.call_at(self.due, self.tick)

    def connection_lost(self, _):
        if self.timer is not None:
            self.timer.cancel()


def accept(loop, listener):
    """Take whoever has come; each connection's request is read by itself, for the sake of its stamp."""
    while True:
        try:
            sock, _ = listener.accept()
        except BlockingIOError:
            return
        sock.setblocking(False)
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        loop.add_reader(sock, begin, loop, sock)


def begin(loop, sock):
    try:
        data, ancillary, _, _ = sock.recvmsg(65536, 64)
    except BlockingIOError:
        return
    except OSError:
        data = b""
    loop.remove_reader(sock)
    if b"\r\n\r\n" not in data:  # requests of benchmarks are small and come whole
        sock.close()
        return
    seconds, nanoseconds = struct.unpack("@qq", ancillary[0][2])
    params = dict(parse_qsl(urlsplit(data.split(b" ", 2)[1].decode()).query))
    made = loop.connect_accepted_socket(lambda: Source(params, seconds * 10**9 + nanoseconds), sock)
    tasks.add(task := loop.create_task(made))
    task.add_done_callback(tasks.discard)


async def main(options):
    loop = asyncio.get_running_loop()
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    listener = socket.create_server(("127.0.0.1", options.port), backlog=16384)
    listener.setblocking(False)
    listener.setsockopt(socket.SOL_SOCKET, SO_TIMESTAMPNS, 1)
    loop.add_reader(listener, accept, loop, listener)
    print(listener.getsockname()[1], flush=True)
    await stop.wait()


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--port", type=int, default=0)
    parser.add_argument("--log")
    parser.add_argument("--cpu", type=int, help="the core to stay on")
    options = parser.parse_args()
    if options.cpu is not None:
        os.sched_setaffinity(0, {options.cpu})
    import resource

    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    uvloop.run(main(options))
    if options.log:
        Path(options.log).write_bytes(LOG.tobytes())
