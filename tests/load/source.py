"""A server that damages its streams in known ways; one path, one way. Raw asyncio: what goes out is what is written.

python tests/load/source.py        prints its port; `--tls CERT KEY` serves TLS
"""

import asyncio
import gzip
import json
import socket
import ssl
import struct
import sys
import zlib
from urllib.parse import parse_qsl, urlsplit

HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n"
CHUNKED = HEAD + b"Transfer-Encoding: chunked\r\n\r\n"
END = b"0\r\n\r\n"
BOMB = gzip.compress(b"\n" * (20 << 20))  # made beforehand: it takes long, and others are being served
kept = []
fanned = []


def chunk(data):
    return b"%x\r\n%s\r\n" % (len(data), data)


def event(number, kind="token", id=False):
    head = f"id: {number}\n" if id else ""
    return f'{head}event: {kind}\ndata: {{"seq": {number}}}\n\n'.encode()


DONE = b'event: done\ndata: {"ok": true}\n\n'
FAILED = b'event: error\ndata: {"message": "upstream"}\n\n'


class Exchange:
    def __init__(self, reader, writer, method, target, headers, body):
        self.reader, self.writer = reader, writer
        self.method, self.headers, self.body = method, headers, body
        self.path = urlsplit(target).path
        self.target = target
        self.params = dict(parse_qsl(urlsplit(target).query))
        self.events = int(self.params.get("events", 10))
        self.gap = float(self.params.get("gap_ms", 1)) / 1000

    async def send(self, data):
        self.writer.write(data)
        await self.writer.drain()

    async def numbers(self, numbers, *, pause=True):
        for number in numbers:
            await self.send(chunk(event(number)))
            if pause:
                await asyncio.sleep(self.gap)

    def reset(self):
        sock = self.writer.get_extra_info("socket")
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.writer.transport.abort()

    async def ok(self):
        await self.send(CHUNKED)
        await self.numbers(range(self.events))
        await self.send(chunk(DONE) + END)

    async def pinged(self):
        """Four comments between two events."""
        await self.send(CHUNKED)
        for number in range(self.events):
            await self.numbers([number])
            for _ in range(4):
                await self.send(chunk(b": ping\n\n"))
                await asyncio.sleep(self.gap)
        await self.send(chunk(DONE) + END)

    async def fan_out(self):
        """One loop for all clients, which waits for each: who does not read stops the others."""
        await self.send(CHUNKED)
        fanned.append(self)
        if len(fanned) == 1:
            while fanned:
                for client in list(fanned):
                    try:
                        await client.send(chunk(event(0) + b":" + b"x" * 100_000 + b"\n"))
                    except ConnectionError:
                        fanned.remove(client)
                await asyncio.sleep(self.gap)
        else:
            await self.reader.read()
            fanned.remove(self)

    async def flood(self):
        """As many as there is room for, all at once."""
        await self.send(CHUNKED)
        many = b"".join(chunk(event(0)) for _ in range(100))
        for _ in range(self.events // 100):
            await self.send(many)
        await self.send(chunk(DONE) + END)

    async def damaged(self):
        """Numbers as the query lists them, comma-separated."""
        await self.send(CHUNKED)
        await self.numbers([int(n) for n in self.params["numbers"].split(",")])
        await self.send(chunk(DONE) + END)

    async def truncate(self):
        await self.send(CHUNKED)
        await self.numbers(range(self.events))

    async def unfinished(self):
        await self.send(CHUNKED)
        await self.numbers(range(self.events))
        await self.send(chunk(b"event: token\ndata: half") + END)

    async def no_terminal(self):
        await self.send(CHUNKED)
        await self.numbers(range(self.events))
        await self.send(END)

    async def empty(self):
        await self.send(CHUNKED + END)

    async def err(self):
        await self.send(CHUNKED)
        await self.numbers(range(self.events))
        await self.send(chunk(FAILED) + END)

    async def stall(self):
        await self.send(CHUNKED)
        await self.numbers(range(self.events))
        await self.reader.read()

    async def pings(self):
        """Comments only, for ever: no silence, no event."""
        await self.send(CHUNKED)
        while True:
            await self.send(chunk(b": ping\n\n"))
            await asyncio.sleep(self.gap)

    async def deaf(self):
        """Never notices that its client has left: its socket stays open."""
        await self.send(CHUNKED + chunk(event(0)))
        self.writer.transport.pause_reading()
        kept.append(self.writer)
        await asyncio.sleep(3600)

    async def mute(self):
        await self.reader.read()

    async def rst(self):
        await self.send(CHUNKED)
        await self.numbers(range(self.events))
        self.reset()

    async def order(self):
        await self.send(CHUNKED)
        await self.send(chunk(event(0)) + chunk(event(1, "thought")) + chunk(DONE) + END)

    async def broken_json(self):
        await self.send(CHUNKED + chunk(b"event: token\ndata: {oops\n\n") + chunk(DONE) + END)

    async def after_terminal(self):
        await self.send(CHUNKED + chunk(DONE) + chunk(event(0)) + END)

    async def unavailable(self):
        await self.send(b"HTTP/1.1 503 Busy\r\nContent-Type: text/plain\r\nContent-Length: 4\r\n\r\nbusy")

    async def html(self):
        await self.send(b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Length: 4\r\n\r\n<p/>")

    async def redirect(self):
        status = self.params.get("status", "302")
        await self.send(f"HTTP/1.1 {status} Go\r\nLocation: {self.params['to']}\r\nContent-Length: 0\r\n\r\n".encode())

    async def loop(self):
        await self.send(b"HTTP/1.1 302 Go\r\nLocation: /loop\r\nContent-Length: 0\r\n\r\n")

    async def endless_head(self):
        await self.send(b"HTTP/1.1 200 OK\r\n")
        while True:
            await self.send(b"X-More: " + b"x" * 1000 + b"\r\n")

    async def no_http(self):
        await self.send(b"SSH-2.0-OpenSSH_9\r\n")

    async def bad_chunk(self):
        await self.send(CHUNKED + chunk(event(0)) + b"zz\r\nevent\r\n")

    async def long_line(self):
        await self.send(CHUNKED)
        while True:
            await self.send(chunk(b"x" * 60_000))

    async def bomb(self):
        await self.send(HEAD + b"Content-Encoding: gzip\r\nContent-Length: %d\r\n\r\n" % len(BOMB) + BOMB)

    async def zipped(self):
        body = gzip.compress(b"".join(event(n) for n in range(self.events)) + DONE)
        await self.send(HEAD + b"Content-Encoding: gzip\r\nContent-Length: %d\r\n\r\n" % len(body) + body)

    async def unzipped(self):
        """Every event is there, and the end of the coding is not: what closes a response without finishing its filter."""
        body = gzip.compress(b"".join(event(n) for n in range(self.events)) + DONE)[:-8]
        await self.send(CHUNKED[:-2] + b"Content-Encoding: gzip\r\n\r\n" + chunk(body) + END)

    async def flushed(self):
        """A coding that is flushed with every event, and never finished."""
        encoder = zlib.compressobj(wbits=31)
        await self.send(CHUNKED[:-2] + b"Content-Encoding: gzip\r\n\r\n")
        for part in [*map(event, range(self.events)), DONE]:
            await self.send(chunk(encoder.compress(part) + encoder.flush(zlib.Z_SYNC_FLUSH)))
        await self.send(END)

    async def until_close(self):
        await self.send(HEAD + b"\r\n" + b"".join(event(n) for n in range(self.events)) + DONE)

    async def torn(self):
        """FIN at once, without the closing word of TLS."""
        await self.until_close()
        self.writer.get_extra_info("socket").shutdown(socket.SHUT_WR)

    async def torn_length(self):
        await self.length()
        self.writer.get_extra_info("socket").shutdown(socket.SHUT_WR)

    async def length(self):
        body = b"".join(event(n) for n in range(self.events)) + DONE
        await self.send(HEAD + b"Content-Length: %d\r\n\r\n" % len(body) + body)

    async def short_length(self):
        body = b"".join(event(n) for n in range(self.events)) + DONE
        await self.send(HEAD + b"Content-Length: %d\r\n\r\n" % (len(body) + 10) + body)

    async def no_body(self):
        """As a response to HEAD is: it says how long the content would be, and the connection stays."""
        await self.send(HEAD + b"Content-Length: 10\r\n\r\n")
        await self.reader.read()

    async def hints(self):
        await self.send(b"HTTP/1.1 103 Early Hints\r\nLink: </x>\r\n\r\n")
        await self.ok()

    async def echo(self):
        said = {"method": self.method, "target": self.target, "headers": self.headers, "body": self.body.decode()}
        said["from"] = self.writer.get_extra_info("peername")[0]
        head = CHUNKED[:-2] + b"Set-Cookie: session=abc; Path=/\r\n\r\n"
        await self.send(head + chunk(f"event: token\ndata: {json.dumps(said)}\n\n".encode()) + chunk(DONE) + END)

    async def resume(self):
        """`events` in all, cut off after `cut` of them, by ids; `skip` and `again` damage each resumption."""
        first = int(self.headers.get("last-event-id", "").removeprefix(self.params.get("named", "")) or -1) + 1
        if first:
            first += int(self.params.get("skip", 0)) - int(self.params.get("again", 0))
        await self.send(CHUNKED + chunk(b"retry: 20\n\n"))
        for count, number in enumerate(range(first, self.events)):
            if count == int(self.params.get("cut", 1 << 30)):
                return
            await self.send(
                chunk(event(number, id=True).replace(b"id: ", b"id: " + self.params.get("named", "").encode()))
            )
            await asyncio.sleep(self.gap)
        await self.send(chunk(DONE) + END)

    async def forget(self):
        """Gives an id to whoever brings none, and takes it away from whoever brings one; cut each time."""
        field = b"id" if self.headers.get("last-event-id") else b"id: 5"
        await self.send(CHUNKED + chunk(b"retry: 1\n\n") + chunk(field + b"\ndata: x\n\n"))


async def serve(reader, writer):
    try:
        head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
        first, *lines = head.split("\r\n")[:-2]
        headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines)}
        method, target, _ = first.split(" ")
        if method == "CONNECT":
            await tunnel(reader, writer, target)
            return
        if target.startswith("http://"):
            target = target[target.index("/", 7) :]
            headers["was-proxied"] = "yes"
        body = await reader.readexactly(int(headers.get("content-length", 0)))
        exchange = Exchange(reader, writer, method, target, headers, body)
        await getattr(exchange, exchange.path.strip("/") or "ok")()
    except (ConnectionError, asyncio.IncompleteReadError):
        pass
    finally:
        if not writer.transport.is_closing():
            writer.close()


async def tunnel(reader, writer, target):
    host, _, port = target.rpartition(":")
    there_reader, there_writer = await asyncio.open_connection(host, int(port))
    writer.write(b"HTTP/1.1 200 Connected\r\n\r\n")

    async def copy(source, sink):
        try:
            while data := await source.read(65536):
                sink.write(data)
                await sink.drain()
        except ConnectionError:
            pass
        finally:
            sink.close()

    await asyncio.gather(copy(reader, there_writer), copy(there_reader, writer))


async def main():
    context = None
    if sys.argv[1:2] == ["--tls"]:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(sys.argv[2], sys.argv[3])
    server = await asyncio.start_server(serve, "127.0.0.1", 0, ssl=context, backlog=1024)
    sys.stdout.write(f"{server.sockets[0].getsockname()[1]}\n")
    sys.stdout.flush()
    await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(main())
