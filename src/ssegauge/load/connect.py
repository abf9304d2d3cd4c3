"""From an address to a transport that is ready for the request: names, proxy, TLS. Runs in the user's greenlet."""

from __future__ import annotations

import _socket
import errno
import os
import socket
import ssl
from base64 import b64encode
from collections.abc import Callable
from functools import lru_cache
from typing import NamedTuple, TypeVar
from urllib.parse import SplitResult, unquote, urlsplit

import gevent
from gevent.hub import get_hub

from ssegauge.load.addresses import Address, Addresses, Sources
from ssegauge.load.clock import monotonic_ns
from ssegauge.load.transport import Plain, Tls, Transport, answer_waited_ns, close, make_socket

_READ, _WRITE = 1, 2  # libev's EV_READ, EV_WRITE
_MAX_PROXY_HEAD = 65536
_T = TypeVar("_T")
_addresses = Addresses()

# Our own limits, not the target's fault: too many files, no free port, no memory for sockets.
OWN_ERRORS = frozenset({errno.EMFILE, errno.ENFILE, errno.EADDRNOTAVAIL, errno.ENOBUFS, errno.ENOMEM})
_OF_THIS_MACHINE = OWN_ERRORS | {errno.EAFNOSUPPORT}  # says less than what another address answered


class ConnectError(Exception):
    """No connection came about. `timeout`: it took too long. `own`: the generator's limits, not the target."""

    def __init__(self, message: str, *, timeout: bool = False, own: bool = False) -> None:
        super().__init__(message)
        self.timeout = timeout
        self.own = own


class Origin(NamedTuple):
    """Where requests go: scheme, host and port as the address says them."""

    scheme: str
    host: str
    port: int

    @classmethod
    def of(cls, url: str | SplitResult) -> Origin:
        """The origin of an http or https address. Raises ValueError."""
        parts = urlsplit(url) if isinstance(url, str) else url
        if parts.scheme not in ("http", "https") or not parts.hostname:
            raise ValueError(f"{parts.geturl()}: an address begins with http:// or https:// and names a host")
        return cls(parts.scheme, parts.hostname, parts.port or (443 if parts.scheme == "https" else 80))

    @property
    def authority(self) -> str:
        """What the Host header says: without the port where it is the scheme's own."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        default = 443 if self.scheme == "https" else 80
        return host if self.port == default else f"{host}:{self.port}"


class Route(NamedTuple):
    """How to get to an origin. `sources`: our own addresses to come from."""

    proxy: str | None = None
    tls: ssl.SSLContext | None = None
    sources: Sources | None = None
    http2: bool = False


def open_transport(origin: Origin, route: Route, seconds: float) -> Transport:
    """A transport to the origin, after TCP, proxy and TLS; HTTP/2 is chosen by ALPN, or known before. Raises ConnectError after `seconds` at the latest."""
    proxy = proxy_of(route.proxy) if route.proxy else None
    first = proxy or origin
    timeout = gevent.Timeout(seconds)
    timeout.start()
    sock: _socket.socket | None = None
    try:
        plain = _connect_any(first, route.sources)
        sock = plain.sock
        if proxy and (origin.scheme == "https" or route.http2):
            _tunnel(plain, origin, proxy_authorization(route.proxy))
        if origin.scheme == "https":
            tls = _handshake(plain, route.tls or default_context(http2=route.http2), origin.host)
            if route.http2 and tls.chosen_protocol != "h2":
                raise ConnectError("the server did not choose HTTP/2")
            return tls
        return plain
    except gevent.Timeout as reached:
        _discard(sock)
        if reached is not timeout:
            raise
        raise ConnectError(f"no connection to {first.authority} within {seconds:g} s", timeout=True) from None
    except ConnectError:
        _discard(sock)
        raise
    except (OSError, UnicodeError) as error:  # UnicodeError: a host name that IDNA cannot carry
        _discard(sock)
        raise ConnectError(_reason(error), own=getattr(error, "errno", None) in OWN_ERRORS) from None
    except BaseException:
        _discard(sock)
        raise
    finally:
        timeout.close()


def send_all(transport: Transport, data: bytes) -> None:
    """Send everything, waiting where the kernel's buffer is full. Raises OSError."""
    sealed = memoryview(transport.seal(data))
    while sealed:
        try:
            sealed = sealed[transport.sock.send(sealed) :]
        except BlockingIOError:
            _wait(transport.sock, _WRITE)


@lru_cache(maxsize=8)
def default_context(verify: bool | str = True, *, http2: bool = False) -> ssl.SSLContext:
    """One context for all streams: building one costs as much as a thousand connections.

    `verify`: True for the system's authorities, False for none, or a path to a file or directory of them.
    """
    if isinstance(verify, str):
        context = ssl.create_default_context(
            cafile=verify if os.path.isfile(verify) else None,  # noqa: PTH113 - a string is what we have
            capath=verify if os.path.isdir(verify) else None,  # noqa: PTH112
        )
    else:
        context = ssl.create_default_context()
    if verify is False:
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    context.set_alpn_protocols(["h2", "http/1.1"] if http2 else ["http/1.1"])
    return context


def proxy_of(url: str) -> Origin:
    """Where a proxy listens. Raises ValueError, whose message leaves user and password out."""
    parts = urlsplit(url)
    bare = parts._replace(netloc=parts.netloc.rpartition("@")[2])
    if parts.scheme == "https":
        # Over http:// its Proxy-Authorization would be sent in the clear where TLS was asked for.
        said = "a proxy is spoken to in plain HTTP here, by http://; the tunnel through it is TLS"
        raise ValueError(f"{bare.geturl()}: {said}")
    return Origin.of(bare)


def proxy_authorization(proxy: str | None) -> str | None:
    """The Proxy-Authorization value for an address with user information."""
    parts = urlsplit(proxy or "")
    return basic(unquote(parts.username), unquote(parts.password or "")) if parts.username else None


def basic(user: str, password: str) -> str:
    """An Authorization value of the Basic scheme (RFC 7617)."""
    return "Basic " + b64encode(f"{user}:{password}".encode()).decode()


def _connect_any(origin: Origin, sources: Sources | None) -> Plain:
    failure: OSError | None = None
    for address in _addresses.of(origin.host, origin.port):
        try:
            return _connect(address, sources)
        except OSError as error:
            if failure is None or error.errno not in _OF_THIS_MACHINE:
                failure = error
    raise failure or OSError(f"{origin.host} has no address")


def _connect(address: Address, sources: Sources | None) -> Plain:
    family, place = address
    sock = make_socket(family)
    plain = Plain(sock)
    try:
        if sources is not None:
            sock.bind((sources.towards(address), 0))
        began = monotonic_ns()
        code = sock.connect_ex(place)
        if code == errno.EINPROGRESS:
            _wait(sock, _WRITE)
            code = sock.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)
        if code:
            raise OSError(code, os.strerror(code))
        plain.late_ns = answer_waited_ns(sock, monotonic_ns() - began)
    except BaseException:
        close(sock)
        raise
    return plain


def _tunnel(plain: Plain, origin: Origin, authorization: str | None) -> None:
    # RFC 9110, 9.3.6: a 2xx answer to CONNECT has no content, what follows is the tunnel.
    target = f"{f'[{origin.host}]' if ':' in origin.host else origin.host}:{origin.port}"
    head = f"CONNECT {target} HTTP/1.1\r\nHost: {target}\r\n"
    if authorization:
        head += f"Proxy-Authorization: {authorization}\r\n"
    send_all(plain, f"{head}\r\n".encode("latin-1"))
    answer = _head(plain.sock)
    status = answer.split(b"\r\n", 1)[0].split(b" ", 2)
    if len(status) < 2 or not status[1].startswith(b"2"):
        line = answer.split(b"\r\n", 1)[0].decode("latin-1")
        raise ConnectError(f"the proxy refused the tunnel: {line}")


def _head(sock: _socket.socket) -> bytes:
    # Not a byte more: what follows is the server's, who speaks first in HTTP/2, and bears its own stamps.
    head = b""
    while not head.endswith(b"\r\n\r\n"):
        waiting = _retried(sock, lambda: sock.recv(_MAX_PROXY_HEAD, socket.MSG_PEEK))
        if not waiting or len(head) >= _MAX_PROXY_HEAD:
            raise ConnectError("the proxy's answer has no end" if waiting else "the proxy closed the connection")
        end = (head + waiting).find(b"\r\n\r\n")
        head += sock.recv(len(waiting) if end < 0 else end + 4 - len(head))
    return head


def _handshake(plain: Plain, context: ssl.SSLContext, host: str) -> Tls:
    tls = Tls(plain, context, host)
    while not tls.handshake():
        if not _retried(tls.sock, tls.absorb):
            raise ConnectError("the connection was closed during the TLS handshake")
    return tls


def _retried(sock: _socket.socket, read: Callable[[], _T]) -> _T:
    while True:
        try:
            return read()
        except BlockingIOError:
            _wait(sock, _READ)


def _wait(sock: _socket.socket, event: int) -> None:
    hub = get_hub()
    watcher = hub.loop.io(sock.fileno(), event)
    try:
        hub.wait(watcher)
    finally:
        watcher.close()


def _discard(sock: _socket.socket | None) -> None:
    if sock is not None:
        close(sock)


def _reason(error: Exception) -> str:
    if isinstance(error, ssl.SSLCertVerificationError):
        return f"TLS: {error.verify_message}"
    return getattr(error, "strerror", None) or str(error) or type(error).__name__
