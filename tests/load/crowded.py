"""A server of endless streams that serves so many well: `python crowded.py 15 late`. Prints its port.

Whoever comes while these are served is `late` (has its first event after 600 ms), or gets none: `mute` has its head
at once, `deaf` not even that. `clings`: as late, and who has left keeps the seat for two seconds more. /status says how
many seats are taken.
"""

import asyncio
import sys

HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n\r\n"
SEATS, MANNER = int(sys.argv[1]), sys.argv[2]
EVERY = 0.05


async def main():
    present = 0

    async def serve(reader, writer):
        nonlocal present
        request = await reader.readuntil(b"\r\n\r\n")
        if request.startswith(b"GET /status"):
            body = b'{"active": %d}' % present
            writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%s" % (len(body), body))
            writer.close()
            return
        present += 1
        seated = present <= SEATS
        try:
            if not seated and MANNER == "deaf":
                await reader.read()
            writer.write(HEAD)
            if not seated:
                await (reader.read() if MANNER == "mute" else asyncio.sleep(0.6))
            while not reader.at_eof():
                writer.write(b"data: x\n\n")
                await writer.drain()
                await asyncio.sleep(EVERY)
        except ConnectionError:
            pass
        finally:
            writer.close()
            await asyncio.sleep(2 if MANNER == "clings" else 0)
            present -= 1

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    sys.stdout.write(f"{server.sockets[0].getsockname()[1]}\n")
    sys.stdout.flush()
    await server.serve_forever()


asyncio.run(main())
