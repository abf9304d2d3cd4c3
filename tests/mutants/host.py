"""Serves mutants: one event loop in a thread, a port for each."""

from __future__ import annotations

import asyncio
import contextlib
import threading
from collections.abc import Iterator
from typing import Any, Protocol


class Servant(Protocol):
    """What a host serves: connections."""

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Serve one connection to its end."""


class Host:
    """One event loop in a thread that serves many mutants, each on a port of its own."""

    def __init__(self) -> None:
        self.loop = asyncio.new_event_loop()
        self._at_work: set[asyncio.Task[Any] | None] = set()
        self.thread = threading.Thread(target=self.loop.run_forever, name="mutants", daemon=True)
        self.thread.start()

    @contextlib.contextmanager
    def serving(self, mutant: Servant) -> Iterator[str]:
        """The address of the mutant while it is served."""
        server = asyncio.run_coroutine_threadsafe(self._start(mutant), self.loop).result(10)
        try:
            scheme = "http" if getattr(mutant, "tls", None) is None else "https"
            yield f"{scheme}://127.0.0.1:{server.sockets[0].getsockname()[1]}"
        finally:
            asyncio.run_coroutine_threadsafe(self._stop(server), self.loop).result(10)

    async def _start(self, mutant: Servant) -> asyncio.Server:
        async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            # the loop keeps weak references alone: work that outlives its connection would be collected in the middle
            task = asyncio.current_task()
            self._at_work.add(task)
            try:
                await mutant.serve(reader, writer)
            finally:
                self._at_work.discard(task)
                writer.close()

        tls = getattr(mutant, "tls", None)
        return await asyncio.start_server(serve, "127.0.0.1", 0, limit=1 << 17, backlog=256, ssl=tls)

    async def _stop(self, server: asyncio.Server) -> None:
        await (
            self._turns()
        )  # a server that is closed between accept and transport leaves the connection to the collector
        server.close()

    def stop(self) -> None:
        """End the loop and everything that still runs in it."""
        asyncio.run_coroutine_threadsafe(self._drain(), self.loop).result(10)
        self.loop.call_soon_threadsafe(self.loop.stop)
        self.thread.join(10)
        self.loop.close()

    async def _drain(self) -> None:
        await self._turns()  # a task that is cancelled before its first step never closes its connection
        tasks = [task for task in asyncio.all_tasks() if task is not asyncio.current_task()]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await self._turns()  # a transport closes its socket a turn after it was told to

    async def _turns(self) -> None:
        for _ in range(5):
            await asyncio.sleep(0)
