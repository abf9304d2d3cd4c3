"""Sockets that say when their bytes arrived.

Linux stamps each segment on receipt; `recvmsg` hands out the stamp of the newest segment among the bytes it returns
(socket(7), SO_TIMESTAMPNS). TLS runs over `ssl.MemoryBIO`, so that its bytes are stamped as well. Where there are no
stamps the caller takes the time itself.
"""

from __future__ import annotations

import _socket
import contextlib
import socket
import ssl
import struct
import sys
import time
from functools import cache
from typing import Protocol

# asm-generic/socket.h; Python's socket module does not name it.
SO_TIMESTAMPNS = 35
KERNEL_STAMPS = sys.platform == "linux" and struct.calcsize("l") == 8
READ_SIZE = 65536
STAMPS_BEGIN = 1.0
"""Seconds that the kernel is given to begin with stamps."""
_TIMESPEC = struct.Struct("@qq").unpack
_STAMP_SPACE = 64
_TCP_INFO_SIZE = 104
_OF_TCP_INFO = (56, 68, 100)  # where tcpi_last_ack_recv, tcpi_rtt and tcpi_total_retrans stand


class Transport(Protocol):
    """A connected socket. Bytes with the wall-clock stamp of the newest among them, 0 where there is none.

    `late_ns`: how long what the peer said while the connection was made had waited for us.
    """

    sock: _socket.socket
    late_ns: int
    ended: bool  # the peer has said that no more will come, together with the last bytes

    def receive(self) -> tuple[bytes | None, int]:
        """What has arrived; None at the end. Raises BlockingIOError where nothing has, OSError where the line broke."""
        ...

    def seal(self, data: bytes) -> bytes:
        """The bytes that carry `data` on the wire."""
        ...


@cache
def keep_stamping() -> None:
    """Have the kernel stamp what arrives, from now until this process ends.

    Linux begins with it some time after the first socket of a machine asked for it, and ends with the last; what arrives
    in between bears no stamp (net_enable_timestamp, net/core/dev.c). So one socket asks first, sees it begin, and stays.
    """
    if not KERNEL_STAMPS:
        return
    sock = _socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    deadline = time.monotonic() + STAMPS_BEGIN
    with contextlib.suppress(OSError):  # no such address here: then the first stream asks
        sock.setsockopt(socket.SOL_SOCKET, SO_TIMESTAMPNS, 1)
        sock.settimeout(STAMPS_BEGIN)
        sock.bind(("127.0.0.1", 0))
        sock.sendto(b".", sock.getsockname())
        while not sock.recvmsg(1, _STAMP_SPACE)[1] and time.monotonic() < deadline:
            time.sleep(0.001)
            sock.sendto(b".", sock.getsockname())
    sock.detach()  # and so open to the end


def make_socket(family: int) -> _socket.socket:
    """A socket that does not block and whose bytes will be stamped.

    The plain C type: gevent's costs a wrapper and a watcher more for each of ten thousand.
    """
    sock = _socket.socket(family, socket.SOCK_STREAM)
    sock.setblocking(False)
    if KERNEL_STAMPS:
        sock.setsockopt(socket.SOL_SOCKET, SO_TIMESTAMPNS, 1)
    if family != getattr(socket, "AF_UNIX", None):
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return sock


def answer_waited_ns(sock: _socket.socket, elapsed_ns: int) -> int:
    """How much of the time in which a TCP connection was made its answer had been there and we had not looked.

    By what Linux knows of it (struct tcp_info, include/uapi/linux/tcp.h): the way there and back takes as long as it
    measured, or ended when the last ACK came where it had to ask twice (RFC 6298, 3). 0 where the system does not say.
    """
    if sys.platform != "linux" or sock.family not in (socket.AF_INET, socket.AF_INET6):
        return 0
    info = sock.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, _TCP_INFO_SIZE)
    if len(info) < _TCP_INFO_SIZE:
        return 0
    since_ack_ms, rtt_us, asked_again = (struct.unpack_from("=I", info, at)[0] for at in _OF_TCP_INFO)
    if not (rtt_us or asked_again):
        return 0
    waited = since_ack_ms * 1_000_000 if asked_again else elapsed_ns - rtt_us * 1000
    return int(min(max(0, waited), elapsed_ns))


def close(sock: _socket.socket, *, reset: bool = False) -> None:
    """Close with FIN, or with RST where the peer shall see a client that died."""
    try:
        if reset:
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    except OSError:
        pass  # the peer was faster
    sock.close()


class Plain:
    """TCP as it is."""

    __slots__ = ("_recvmsg", "late_ns", "sock")

    ended = False

    def __init__(self, sock: _socket.socket) -> None:
        self.sock = sock
        self.late_ns = 0
        self._recvmsg = sock.recvmsg

    def receive(self) -> tuple[bytes | None, int]:
        """See `Transport`."""
        data, ancillary, _, _ = self._recvmsg(READ_SIZE, _STAMP_SPACE)
        if not data:
            return None, 0
        if ancillary and ancillary[0][1] == SO_TIMESTAMPNS:
            seconds, nanoseconds = _TIMESPEC(ancillary[0][2])
            return data, seconds * 1_000_000_000 + nanoseconds
        return data, 0

    def seal(self, data: bytes) -> bytes:
        """See `Transport`."""
        return data


class Tls:
    """TLS over a plain transport; `handshake` first, until it says that it is done."""

    __slots__ = ("_in", "_out", "_owed", "_plain", "_since", "_tls", "ended", "late_ns", "sock")

    def __init__(self, plain: Plain, context: ssl.SSLContext, server_hostname: str) -> None:
        self.sock = plain.sock
        self._plain = plain
        self._in, self._out = ssl.MemoryBIO(), ssl.MemoryBIO()
        self._owed = b""  # what TLS itself has to say and the kernel had no room for
        self._since = time.time_ns()  # when we began to wait
        self.late_ns = plain.late_ns
        self.ended = False
        self._tls = context.wrap_bio(self._in, self._out, server_hostname=server_hostname)

    @property
    def chosen_protocol(self) -> str | None:
        """What ALPN settled on."""
        return self._tls.selected_alpn_protocol()

    def handshake(self) -> bool:
        """One step, as far as the bytes at hand carry it. Raises ssl.SSLError, OSError."""
        try:
            self._tls.do_handshake()
        except ssl.SSLWantReadError:
            self.flush()
            return False
        self.flush()
        return True

    def absorb(self) -> bool:
        """Take bytes of the handshake from the socket; False at the end of the connection."""
        data, stamp = self._plain.receive()
        now = time.time_ns()
        if stamp:
            self.late_ns += max(0, now - max(stamp, self._since))
        self._since = now
        if data is not None:
            self._in.write(data)
        return data is not None

    def flush(self) -> None:
        """Send what TLS itself has to say, as far as the kernel has room; the rest with what is said next."""
        self._owed += self._out.read()
        if self._owed:
            with contextlib.suppress(BlockingIOError):
                self._owed = self._owed[self.sock.send(self._owed) :]

    def receive(self) -> tuple[bytes | None, int]:
        """See `Transport`. Raises ssl.SSLEOFError where the connection was closed without close_notify."""
        data, stamp = self._plain.receive()
        if data is None:
            self._in.write_eof()
        else:
            self._in.write(data)
        parts = []
        try:
            while part := self._tls.read(READ_SIZE):
                parts.append(part)
            self.ended = True  # close_notify; the connection itself may stay open for long
        except ssl.SSLWantReadError:
            self._answer()
        except ssl.SSLZeroReturnError:
            self.ended = True
        except ssl.SSLEOFError:
            if not parts:
                raise
        if self.ended and not parts:
            return None, 0
        return b"".join(parts), stamp

    def seal(self, data: bytes) -> bytes:
        """See `Transport`."""
        self._tls.write(data)
        sealed, self._owed = self._owed + self._out.read(), b""
        return sealed

    def _answer(self) -> None:
        # Over HTTP/2 a part of our last frames may still wait to be sent, and this must not come into its midst. There
        # it can wait for the next: nothing is renegotiated (RFC 9113, 9.2.1), and a KeyUpdate is answered before we
        # say something ourselves (RFC 8446, 4.6.3).
        if (self._owed or self._out.pending) and self.chosen_protocol != "h2":
            with contextlib.suppress(OSError):  # the line is broken: the next read says how
                self.flush()
