"""Tornado: write, flush, wait."""

import asyncio
import json
import sys

from tornado.iostream import StreamClosedError
from tornado.web import Application, RequestHandler


class Events(RequestHandler):
    def set_default_headers(self) -> None:
        self.set_header("Content-Type", "text/event-stream")
        self.set_header("Cache-Control", "no-store")
        self.set_header("X-Accel-Buffering", "no")

    def compute_etag(self) -> None:
        return None

    def head(self) -> None:
        self.finish()

    async def send(self, n: int, event: str = "tick") -> None:
        self.write(f"id: {n}\nevent: {event}\ndata: {json.dumps({'n': n})}\n\n")
        await self.flush()


class Stream(Events):
    async def get(self) -> None:
        known = self.request.headers.get("Last-Event-ID", "")
        if known == "6":
            self.clear()
            self.set_status(204)
            self.clear_header("Content-Type")
            return
        fail_after = int(self.get_query_argument("fail_after", "99"))
        for n in range(int(known) + 1 if known in {"1", "2", "3", "4", "5"} else 1, 6):
            if n > fail_after:
                raise RuntimeError("made to fail")
            await self.send(n)
            await asyncio.sleep(0.1)
        await self.send(6, "done")


class Endless(Events):
    async def get(self) -> None:
        n = 0
        try:
            while True:
                n += 1
                await self.send(n)
                await asyncio.sleep(0.05)
        except StreamClosedError:
            return


class Health(RequestHandler):
    def get(self) -> None:
        self.write("ok")


async def main() -> None:
    Application([("/stream", Stream), ("/endless", Endless), ("/health", Health)]).listen(
        int(sys.argv[1]), address="127.0.0.1"
    )
    await asyncio.Event().wait()


asyncio.run(main())
