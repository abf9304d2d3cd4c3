"""One stream of each language model API as the app sends it, damaged on its way: what goes over the wire, and how it ends."""

from __future__ import annotations

import contextlib
import json
import socket
import struct
import threading
from collections.abc import Callable
from typing import NamedTuple

HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream; charset=utf-8\r\n"
LAST_CHUNK = b"0\r\n\r\n"


class Wire(NamedTuple):
    """All that the server sends, and whether the connection ends by RST instead of FIN."""

    data: bytes
    reset: bool = False


class Sent(NamedTuple):
    """What the app sends: a whole stream, and one that fails in its text."""

    whole: bytes
    failed: bytes


def _chunked(body: bytes, *, ends: bool = True) -> bytes:
    return HEAD + b"Transfer-Encoding: chunked\r\n\r\n%x\r\n%s\r\n" % (len(body), body) + LAST_CHUNK * ends


def _half(body: bytes) -> bytes:
    """The beginning of the stream, into the text: whole events only."""
    blocks = body.split(b"\n\n")
    return b"".join(block + b"\n\n" for block in blocks[: len(blocks) // 2])


def _without_last(body: bytes) -> bytes:
    return body[: body.rstrip().rindex(b"\n\n") + 2]


def _between(body: bytes, extra: bytes) -> bytes:
    half = _half(body)
    return half + extra + body[len(half) :]


def _refusal() -> bytes:
    page = json.dumps({"error": {"message": "no upstream", "type": "server_error"}}).encode()
    return b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n%s" % (len(page), page)


SITUATIONS: dict[str, Callable[[Sent], Wire]] = {
    "whole": lambda sent: Wire(_chunked(sent.whole)),
    "ends in mid-text, properly": lambda sent: Wire(_chunked(_half(sent.whole))),
    "ends in mid-text, by a close that is no cut (no chunks, no length)": lambda sent: Wire(
        HEAD + b"Connection: close\r\n\r\n" + _half(sent.whole)
    ),
    "ends inside an event, properly": lambda sent: Wire(_chunked(_half(sent.whole) + b"data: {")),
    "cut in mid-text (last chunk missing)": lambda sent: Wire(_chunked(_half(sent.whole), ends=False)),
    "reset in mid-text": lambda sent: Wire(_chunked(_half(sent.whole), ends=False), reset=True),
    "error in mid-text": lambda sent: Wire(_chunked(sent.failed)),
    "all but its terminal": lambda sent: Wire(_chunked(_without_last(sent.whole))),
    "no event at all": lambda _sent: Wire(_chunked(b": nothing\n\n")),
    "200 with an error as JSON": lambda _sent: Wire(_refusal()),
    "an event of an unknown type": lambda sent: Wire(
        _chunked(_between(sent.whole, b'event: news\ndata: {"type": "news"}\n\n'))
    ),
    "a payload that is no JSON": lambda sent: Wire(
        _chunked(_between(sent.whole, sent.whole[: sent.whole.index(b"data: ")] + b"data: {oops\n\n"))
    ),
    "comments as keepalive": lambda sent: Wire(_chunked(_between(sent.whole, b": keepalive\n\n"))),
}


class Replay:
    """A server that answers /SITUATION-NUMBER/... with that situation's bytes, for the API that the path names."""

    def __init__(self, bodies: dict[str, Sent]) -> None:
        self.bodies = bodies
        self._listening = socket.create_server(("127.0.0.1", 0))
        self._listening.settimeout(0.05)
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._serve)
        self._thread.start()

    def url(self, situation: str) -> str:
        """The address below which every API answers with this situation."""
        return f"http://127.0.0.1:{self._listening.getsockname()[1]}/{list(SITUATIONS).index(situation)}"

    def stop(self) -> None:
        self._over.set()
        self._thread.join()

    def _serve(self) -> None:
        with self._listening:
            while not self._over.is_set():
                with contextlib.suppress(TimeoutError):
                    peer, _ = self._listening.accept()
                    peer.settimeout(5)
                    with peer, contextlib.suppress(OSError):
                        self._answer(peer)

    def _answer(self, peer: socket.socket) -> None:
        asked = b""
        while b"\r\n\r\n" not in asked:
            asked += peer.recv(1 << 16)
        head, _, body = asked.partition(b"\r\n\r\n")
        length = next((int(line[15:]) for line in head.lower().split(b"\r\n") if line[:15] == b"content-length:"), 0)
        while len(body) < length:
            body += peer.recv(1 << 16)
        number, _, api = head.split(b" ")[1].decode().removeprefix("/").partition("/")
        wire = list(SITUATIONS.values())[int(number)](self.bodies["/" + api])
        peer.sendall(wire.data)
        if wire.reset:
            peer.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        else:
            # Let the client read all before the close: bytes of a request that are still to come would reset it.
            peer.shutdown(socket.SHUT_WR)
            with contextlib.suppress(TimeoutError):
                peer.recv(1)
