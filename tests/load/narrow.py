"""A server that serves so many streams well and lets all others wait: `python narrow.py 12`. Prints its port."""

import asyncio
import sys

HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n\r\n"


async def main():
    room = asyncio.Semaphore(int(sys.argv[1]))

    async def serve(reader, writer):
        try:
            await reader.readuntil(b"\r\n\r\n")
            writer.write(HEAD)
            async with room:
                for _ in range(5):
                    writer.write(b"data: x\n\n")
                    await writer.drain()
                    await asyncio.sleep(0.1)
        except (ConnectionError, asyncio.IncompleteReadError):
            pass
        finally:
            writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    sys.stdout.write(f"{server.sockets[0].getsockname()[1]}\n")
    sys.stdout.flush()
    await server.serve_forever()


asyncio.run(main())
