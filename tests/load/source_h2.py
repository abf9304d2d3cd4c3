"""An HTTP/2 server that damages its streams in known ways; one path, one way. `python source_h2.py [--tls CERT KEY]`

The frames are h2's where they are right and ours where they are not. `/count` says how many connections there were.
Prints its port.
"""

import argparse
import asyncio
import gzip
import json
import ssl
import struct
import sys
from urllib.parse import parse_qsl, urlsplit

import h2.config
import h2.connection
import h2.errors
import h2.events
import h2.settings

DONE = b'event: done\ndata: {"ok": true}\n\n'
connections = 0
options = None


def event(number):
    return f'event: token\ndata: {{"seq": {number}}}\n\n'.encode()


def go_away(last, code, reason=b""):
    return struct.pack(">HBBBIII", 0, 8 + len(reason), 7, 0, 0, last, code) + reason


class Connection(asyncio.Protocol):
    def __init__(self):
        self.h2 = h2.connection.H2Connection(h2.config.H2Configuration(client_side=False, header_encoding="utf-8"))
        self.tasks = {}
        self.bodies = {}
        self.room = asyncio.Event()
        self.early, self.greeted = b"", False

    def connection_made(self, transport):
        global connections  # noqa: PLW0603 - it counts
        connections += 1
        self.transport = transport
        if not options.mute:
            asyncio.get_running_loop().call_later(options.far_ms / 1000, self.greet)

    def greet(self):
        self.h2.local_settings = h2.settings.Settings(
            client=False, initial_values={h2.settings.SettingCodes.MAX_CONCURRENT_STREAMS: options.most}
        )
        self.h2.initiate_connection()
        self.greeted = True
        self.heed()

    def connection_lost(self, _):
        for task in self.tasks.values():
            task.cancel()

    def data_received(self, data):
        if options.mute:
            return
        self.early += data
        if self.greeted:
            self.heed()

    def heed(self):
        data, self.early = self.early, b""
        for said in self.h2.receive_data(data):
            number = getattr(said, "stream_id", 0)
            if isinstance(said, h2.events.RequestReceived):
                self.bodies[number] = [dict(said.headers), b""]
            elif isinstance(said, h2.events.DataReceived):
                self.bodies[number][1] += said.data
                self.h2.acknowledge_received_data(said.flow_controlled_length, number)
            elif isinstance(said, h2.events.StreamEnded):
                self.tasks[number] = asyncio.get_running_loop().create_task(self.serve(number))
            elif isinstance(said, h2.events.StreamReset) and number in self.tasks:
                self.tasks.pop(number).cancel()
            elif isinstance(said, h2.events.WindowUpdated | h2.events.RemoteSettingsChanged):
                self.room.set()
        self.flush()

    def flush(self):
        self.transport.write(self.h2.data_to_send())

    async def serve(self, number):
        headers, body = self.bodies.pop(number)
        target = urlsplit(headers[":path"])
        params = dict(parse_qsl(target.query))
        stream = Stream(self, number, headers, body, params)
        await getattr(stream, target.path.strip("/"))()
        self.flush()


class Stream:
    def __init__(self, connection, number, headers, body, params):
        self.connection, self.h2, self.number = connection, connection.h2, number
        self.headers, self.body, self.params = headers, body, params
        self.events = int(params.get("events", 10))
        self.gap = float(params.get("gap_ms", 1)) / 1000

    def head(self, status="200", kind="text/event-stream", **fields):
        named = [(name.replace("_", "-"), value) for name, value in fields.items()]
        self.h2.send_headers(self.number, [(":status", status), ("content-type", kind), *named])
        self.connection.flush()

    async def send(self, data, *, end=False):
        while data and (room := self.room()) < len(data):
            if room > 0:
                self.h2.send_data(self.number, data[:room])
                data = data[room:]
                self.connection.flush()
                continue
            self.connection.room.clear()
            await self.connection.room.wait()
        self.h2.send_data(self.number, data, end_stream=end)
        self.connection.flush()

    def room(self):
        return min(self.h2.local_flow_control_window(self.number), self.h2.max_outbound_frame_size)

    async def tokens(self):
        for number in range(self.events):
            await self.send(event(number))
            await asyncio.sleep(self.gap)

    async def ok(self):
        self.head()
        await self.tokens()
        await self.send(DONE, end=True)

    async def interim(self):
        self.h2.send_headers(self.number, [(":status", "103")])
        await self.ok()

    async def no_end(self):
        """Complete events, then an end in the middle of one."""
        self.head()
        await self.tokens()
        await self.send(b"data: un", end=True)

    async def rst(self):
        self.head()
        await self.tokens()
        self.h2.reset_stream(self.number, h2.errors.ErrorCodes.INTERNAL_ERROR)
        self.connection.flush()

    async def stall(self):
        self.head()
        await self.tokens()
        await asyncio.Event().wait()

    async def mute(self):
        await asyncio.Event().wait()

    async def unavailable(self):
        self.head("503", "text/plain")
        await self.send(b"later", end=True)

    async def zipped(self):

        self.head(content_encoding="gzip")
        await self.send(gzip.compress(event(0) + DONE), end=True)

    async def measured(self):
        """As `ok`, with a content-length that need not be right."""
        self.head(content_length=self.params["length"])
        await self.tokens()
        await self.send(DONE, end=True)

    async def bare(self):
        """A head that names a length, and nothing more."""
        fields = [(":status", "200"), ("content-type", "text/event-stream"), ("content-length", "9")]
        self.h2.send_headers(self.number, fields, end_stream=True)
        self.connection.flush()

    async def moved(self):
        self.h2.send_headers(self.number, [(":status", "307"), ("location", "/ok")], end_stream=True)
        self.connection.flush()

    async def echo(self):
        self.head()
        said = {"headers": self.headers, "size": len(self.body), "connections": connections}
        await self.send(f"data: {json.dumps(said)}\n\n".encode(), end=True)

    async def much(self):
        """More than all windows hold."""
        self.head()
        for number in range(self.events):
            await self.send(b'event: token\ndata: {"seq": %d, "pad": "%s"}\n\n' % (number, b"x" * 20_000))
        await self.send(DONE, end=True)

    async def lost(self):
        """The whole connection, when all have begun."""
        self.head()
        await self.tokens()
        if self.params.get("by") == "abort":
            self.connection.transport.abort()
        elif self.params.get("by") == "close":
            self.connection.transport.close()
        await asyncio.Event().wait()

    async def nonsense(self):
        self.head()
        await self.tokens()
        self.connection.transport.write(b"\xff" * 100)
        await asyncio.Event().wait()

    async def goes_away(self):
        """No further streams; this one and those before go on to their end in the same breath."""
        self.head()
        self.connection.transport.write(go_away(self.number, 0))
        await self.tokens()
        await self.send(DONE, end=True)

    async def refuses_once(self):
        """On the first connection GOAWAY says that this request was not looked at; on any other it is served."""
        if connections > 1:
            await self.ok()
        else:
            self.connection.transport.write(go_away(0, 0, b"moving"))

    async def calms(self):
        self.head()
        await self.tokens()
        self.connection.transport.write(go_away(self.number, 11, b"too much"))
        self.connection.transport.close()


async def main():
    loop = asyncio.get_running_loop()
    context = None
    if options.tls:
        context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        context.load_cert_chain(*options.tls)
        context.set_alpn_protocols([options.alpn])
    server = await loop.create_server(Connection, "127.0.0.1", 0, ssl=context)
    sys.stdout.write(f"{server.sockets[0].getsockname()[1]}\n")
    sys.stdout.flush()
    await server.serve_forever()


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--tls", nargs=2)
    parser.add_argument("--alpn", default="h2")
    parser.add_argument("--most", type=int, default=100, help="SETTINGS_MAX_CONCURRENT_STREAMS")
    parser.add_argument("--far-ms", type=float, default=0, help="milliseconds until it greets")
    parser.add_argument("--mute", action="store_true", help="accepts and says nothing")
    options = parser.parse_args()
    asyncio.run(main())
