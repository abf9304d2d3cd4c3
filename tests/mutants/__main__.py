"""Serves one mutant in this process: `python -m tests.mutants MODULE:CLASS [PORT]` prints its port and ends with its input.

A mutant that has `leave` is told so by SIGTERM, and the process ends with it.
"""

from __future__ import annotations

import asyncio
import importlib
import os
import signal
import sys
import threading

from .server import Clean


async def _serve(mutant: Clean, port: int) -> None:
    server = await asyncio.start_server(mutant.serve, "127.0.0.1", port, limit=1 << 17, backlog=256)
    loop = asyncio.get_running_loop()
    if hasattr(mutant, "leave"):
        loop.add_signal_handler(signal.SIGTERM, lambda: _LEAVING.append(loop.create_task(_leave(mutant))))
    print(server.sockets[0].getsockname()[1], flush=True)  # noqa: T201 - the parent reads it
    await server.serve_forever()


async def _leave(mutant: Clean) -> None:
    await mutant.leave()  # type: ignore[attr-defined]
    os._exit(0)


_LEAVING: list[asyncio.Task[None]] = []  # asyncio keeps only weak references


def _end_with_parent() -> None:
    sys.stdin.buffer.read()
    os._exit(0)


if __name__ == "__main__":
    module, _, name = sys.argv[1].partition(":")
    threading.Thread(target=_end_with_parent, daemon=True).start()
    asyncio.run(_serve(getattr(importlib.import_module(module), name)(), int((*sys.argv, "0")[2])))
