"""TLS in memory: what it has to say itself never costs bytes that have come."""

import contextlib
import socket
import ssl

import pytest
import trustme

from ssegauge.load.transport import Plain, Tls


class Peer:
    """The server's side of a pair of sockets."""

    def __init__(self, sock, authority):
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.set_alpn_protocols(["h2", "http/1.1"])
        authority.issue_cert("localhost").configure_cert(context)
        self.sock = sock
        self.incoming, self.outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
        self.tls = context.wrap_bio(self.incoming, self.outgoing, server_side=True)

    def handshake(self):
        with contextlib.suppress(BlockingIOError):
            self.incoming.write(self.sock.recv(65536))
        with contextlib.suppress(ssl.SSLWantReadError):
            self.tls.do_handshake()
        self.sock.send(self.outgoing.read())

    def say(self, data):
        self.tls.write(data)
        self.sock.send(self.outgoing.read())


@pytest.fixture
def pair(request):
    """A client that has shaken hands, and its peer; over HTTP/1, or what the test's parameter names."""
    ours, theirs = socket.socketpair()
    with ours, theirs:
        for sock in (ours, theirs):
            sock.setblocking(False)
        authority = trustme.CA()
        context = ssl.create_default_context()
        authority.configure_trust(context)
        context.set_alpn_protocols([getattr(request, "param", "http/1.1")])
        client, peer = Tls(Plain(ours), context, "localhost"), Peer(theirs, authority)
        while not client.handshake():
            peer.handshake()
            client.absorb()
        peer.handshake()
        yield client, peer


def fill(sock):
    """Send until the kernel takes no more; how much that was."""
    count = 0
    with contextlib.suppress(BlockingIOError):
        while True:
            count += sock.send(b"x" * 65536)
    return count


def test_bytes_that_have_come_are_handed_out_though_the_answer_of_tls_finds_no_room(pair):
    client, peer = pair
    filled = fill(client.sock)
    client._out.write(b"an answer")  # as to a HelloRequest; Python's ssl sends none
    peer.say(b"data: x\n\n")
    assert client.receive()[0] == b"data: x\n\n"
    while filled:
        filled -= len(peer.sock.recv(filled))
    peer.say(b"data: y\n\n")
    assert client.receive()[0] == b"data: y\n\n"
    assert peer.sock.recv(100) == b"an answer", "it is said as soon as there is room"


@pytest.mark.parametrize("pair", ["h2"], indirect=True)
def test_over_http2_the_answer_of_tls_comes_between_what_we_say(pair):
    """A part of our last record may still wait to be sent."""
    client, peer = pair
    client._out.write(b"an answer")
    peer.say(b"frames")
    assert client.receive()[0] == b"frames"
    with pytest.raises(BlockingIOError):
        peer.sock.recv(100)
    assert client.seal(b"frames").startswith(b"an answer")


def test_close_notify_is_an_end_and_a_mere_fin_is_none(pair):
    client, peer = pair
    peer.say(b"data: x\n\n")
    peer.sock.shutdown(socket.SHUT_WR)
    assert client.receive()[0] == b"data: x\n\n"
    with pytest.raises(ssl.SSLEOFError):
        client.receive()
    assert not client.ended


def test_close_notify_in_the_same_breath_is_seen(pair):
    client, peer = pair
    peer.tls.write(b"data: x\n\n")
    with contextlib.suppress(ssl.SSLWantReadError):
        peer.tls.unwrap()
    peer.sock.send(peer.outgoing.read())
    assert (client.receive()[0], client.ended) == (b"data: x\n\n", True)
