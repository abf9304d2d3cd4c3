"""The floor: a uvloop reader that only splits events. `bare_reader.py URL STREAMS PER_SECOND SECONDS`"""

import asyncio
import resource
import sys
from urllib.parse import urlsplit

import uvloop

EVENTS = 0


class Reader(asyncio.Protocol):
    def __init__(self, request):
        self.request = request
        self.rest = b""

    def connection_made(self, transport):
        transport.write(self.request)

    def data_received(self, data):
        global EVENTS  # noqa: PLW0603 - the floor has no objects
        *events, self.rest = (self.rest + data).split(b"\n\n")
        EVENTS += len(events)


async def main(url, streams, rate, seconds):
    loop = asyncio.get_running_loop()
    parts = urlsplit(url)
    request = f"GET {parts.path}?{parts.query} HTTP/1.1\r\nHost: {parts.netloc}\r\n\r\n".encode()
    for opened in range(streams):
        await loop.create_connection(lambda: Reader(request), parts.hostname, parts.port)
        if (opened + 1) % max(1, rate // 20) == 0:
            await asyncio.sleep(0.05)
    await asyncio.sleep(seconds)
    print(EVENTS)


if __name__ == "__main__":
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    uvloop.run(main(sys.argv[1], *map(int, sys.argv[2:5])))
