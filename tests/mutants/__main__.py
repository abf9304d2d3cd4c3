"""Serves one mutant in this process: `python -m tests.mutants MODULE:CLASS` prints its port and ends with its input."""

from __future__ import annotations

import asyncio
import importlib
import os
import sys
import threading

from .server import Clean


async def _serve(mutant: Clean) -> None:
    server = await asyncio.start_server(mutant.serve, "127.0.0.1", 0, limit=1 << 17, backlog=256)
    print(server.sockets[0].getsockname()[1], flush=True)  # noqa: T201 - the parent reads it
    await server.serve_forever()


def _end_with_parent() -> None:
    sys.stdin.buffer.read()
    os._exit(0)


if __name__ == "__main__":
    module, _, name = sys.argv[1].partition(":")
    threading.Thread(target=_end_with_parent, daemon=True).start()
    asyncio.run(_serve(getattr(importlib.import_module(module), name)()))
