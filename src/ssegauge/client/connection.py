"""One connection to the origin of an address: TCP or TLS, closed by FIN, cut by RST, or lost without a word.

The socket is ours because rules need what HTTP clients hide: when bytes came, and whether the other side closed, cut or
reset.
"""

from __future__ import annotations

import contextlib
import ctypes
import select
import socket
import ssl
import struct
import sys
import time
from dataclasses import dataclass, field
from functools import cached_property
from urllib.parse import urlsplit

from ssegauge.profile import Target

_SO_ATTACH_FILTER = 26  # asm-generic/socket.h
_LINGER_RESET = struct.pack("ii", 1, 0)  # SO_LINGER on, 0 s: close() sends RST (socket(7))


@dataclass(frozen=True)
class Transport:
    """How the target is reached: TLS settings, or another address to connect to."""

    verify: bool = True
    ca: str | None = None
    cert: str | None = None
    key: str | None = None

    def merged(self, target: Target) -> Transport:
        """These settings, and those of the profile's [target] where nothing else is said."""
        return Transport(
            verify=self.verify and not target.insecure,
            ca=self.ca or target.ca,
            cert=self.cert or target.cert,
            key=self.key or target.key,
        )

    def context(self) -> ssl.SSLContext:
        """A TLS context that offers HTTP/1.1 and reports a missing closure alert (RFC 5246 section 7.2.1)."""
        context = ssl.create_default_context(cafile=self.ca)
        if not self.verify:
            context.check_hostname = False
            context.verify_mode = ssl.CERT_NONE
        if self.cert:
            context.load_cert_chain(self.cert, self.key)
        context.set_alpn_protocols(["http/1.1"])
        return context

    @cached_property
    def shared(self) -> ssl.SSLContext:
        """The same context for every connection: to read what a system trusts takes longer than a handshake."""
        return self.context()


def alpn(host: str, port: int, transport: Transport, within: float = 5.0) -> str | None:
    """The protocol that the server chooses where HTTP/2 and HTTP/1.1 are offered, or None. Raises no OSError."""
    context = transport.context()
    context.set_alpn_protocols(["h2", "http/1.1"])
    try:
        with (
            socket.create_connection((host, port), within) as plain,
            context.wrap_socket(plain, server_hostname=host) as secure,
        ):
            return secure.selected_alpn_protocol()
    except OSError:
        return None


@dataclass
class Connection:
    """One TCP (or TLS) connection to the origin of `url`. Raises OSError where it cannot be made."""

    url: str
    transport: Transport = field(default_factory=Transport)
    timeout: float = 5.0
    receive_buffer: int | None = None

    def __post_init__(self) -> None:
        parts = urlsplit(self.url)
        secure = parts.scheme == "https"
        host, port = parts.hostname or "", parts.port or (443 if secure else 80)
        before = time.monotonic()
        self.socket = self._connect(host, port)
        if secure:
            context = self.transport.shared
            self.socket = context.wrap_socket(self.socket, server_hostname=host, suppress_ragged_eofs=False)
        self.connect_s = time.monotonic() - before
        self.socket.setblocking(False)

    def _connect(self, host: str, port: int) -> socket.socket:
        if self.receive_buffer is None:
            made = socket.create_connection((host, port), timeout=self.timeout)
        else:
            family, kind, protocol, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
            made = socket.socket(family, kind, protocol)
            # must be set before connect to bound the window (tcp(7))
            made.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, self.receive_buffer)
            made.settimeout(self.timeout)
            made.connect(address)
        made.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        return made

    def send(self, data: bytes, within: float = 10.0) -> None:
        """Send all of `data`. Raises OSError, TimeoutError included."""
        deadline = time.monotonic() + within
        view = memoryview(data)
        while view:
            try:
                view = view[self.socket.send(view) :]
            except (BlockingIOError, ssl.SSLWantWriteError, ssl.SSLWantReadError):
                left = deadline - time.monotonic()
                if left <= 0 or not select.select([], [self.socket], [], left)[1]:
                    raise TimeoutError("the request could not be sent") from None

    def receive(self, within: float) -> bytes | None:
        """The next bytes, b"" at an orderly end, None where nothing came in time. Raises OSError at a reset."""
        deadline = time.monotonic() + within
        while True:
            try:
                return self.socket.recv(1 << 16)
            except (BlockingIOError, ssl.SSLWantReadError, ssl.SSLWantWriteError):
                left = deadline - time.monotonic()
                if left <= 0:
                    return None
                select.select([self.socket], [], [], left)
            except ssl.SSLZeroReturnError:
                return b""

    def close(self) -> None:
        """Close by FIN."""
        with contextlib.suppress(OSError):
            self.socket.shutdown(socket.SHUT_RDWR)
        self.socket.close()

    def reset(self) -> None:
        """Close by RST, as a client does that crashed."""
        with contextlib.suppress(OSError):
            self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _LINGER_RESET)
        self.socket.close()

    def vanish(self) -> None:
        """Drop every segment that comes from now on, unseen and unacknowledged, as a peer does that lost its network.

        A socket filter that accepts nothing does it (SO_ATTACH_FILTER, socket(7)). Raises OSError where there is none.
        """
        if not sys.platform.startswith("linux"):
            raise OSError("dropping the packets of one connection needs Linux")
        reject = ctypes.create_string_buffer(struct.pack("=HBBI", 0x06, 0, 0, 0))  # BPF_RET | BPF_K: keep 0 bytes
        program = struct.pack("HP", 1, ctypes.addressof(reject))
        self.socket.setsockopt(socket.SOL_SOCKET, _SO_ATTACH_FILTER, program)
