"""Writes docs/servers.md: `python -m tests.field.deployed_page`. A test measures its rows again."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from importlib.metadata import version

from ssegauge.client import Stream

from . import deployed
from .deployed import LIBRARIES, ROOT, SERVED_BY, Server, Stop

PAGE = ROOT / "docs" / "servers.md"
AT_ONCE = 6
"""Servers that are told to stop side by side: each mostly waits."""
PACKAGES = ("fastapi", "sse-starlette", "starlette", "uvicorn", "httptools", "hypercorn", "granian")
REFERENCE = "the reference app"
HEAD = """\
# What the library and the server do to a stream

The same streams by FastAPI's own event streams (`fastapi.sse`) and by sse-starlette, each with its defaults, on uvicorn, hypercorn and granian (one worker).
Every cell is measured: bytes of a response, or a rule's verdict. The streams are `tests/field/servers/side_by_side.py`.
This page is written by `python -m tests.field.deployed_page`; a test measures its rows again.

Versions: {versions}.

## Bytes

| | server | fastapi.sse | sse-starlette |
| --- | --- | --- | --- |
"""
DEPLOYS = """
## SIGTERM, deploys

A stream that has always more to send is open when the process is told to stop, and is watched for ten seconds; a newcomer asks for another address 0.2 s after the signal.
*Limit*: the server's own limit on a graceful stop, its default or two seconds ({limits}).
*Rules*: what `ssegauge check --long --server COMMAND` says of the same, where not all of {rules} hold.
The reference app is sse-starlette with a `shutdown_event` on which its generators end, and a `shutdown_grace_period`.

| server | limit | streams by | process | open stream | newcomer | generator cleaned up | rules |
| --- | --- | --- | --- | --- | --- | --- | --- |
"""
READING = """
## What follows

- Nobody tells FastAPI's own streams that the server stops, and no library but sse-starlette looks; it looks at uvicorn only. Everywhere else the server's limit is what ends a stream, and it cuts it inside the message.
- hypercorn's master goes on listening while its worker no longer takes anybody: who comes in those seconds is reset. Take the server out of the balancer before you signal it.
- uvicorn has no such limit, and granian's is off: one open stream holds the process until the orchestrator kills it. Set it: `uvicorn --timeout-graceful-shutdown 5`, `granian --workers-kill-timeout 5`; hypercorn's default is 3 s (`--graceful-timeout`). Keep it under the orchestrator's own (30 s in Kubernetes).
- A client is only told where the generator itself ends its stream: with sse-starlette on uvicorn pass `shutdown_event` and `shutdown_grace_period`, wait for the event where the generator waits, and return. On the other servers end a stream yourself before the deploy does, after some minutes, with `retry:` sent and ids that can be resumed from.
- A stream that FastAPI's own code ended after an exception looks finished: declare a terminal event, and catch what a generator may raise.
- Behind a proxy that speaks HTTP/1.0 to its upstream run uvicorn with `--http h11`.
"""


def close(stream: Stream) -> None:
    """Leave by FIN."""
    stream.close()


def reset(stream: Stream) -> None:
    """Leave by RST."""
    stream.reset()


FACTS: dict[str, Callable[[str, str], str]] = {
    "fields of the head": deployed.head,
    "an event": deployed.event,
    "keepalive": deployed.keepalive,
    "exception 0.05 s after the second event": lambda url, library: deployed.failing(url, library, 0.05),
    "exception right after the second event": lambda url, library: deployed.failing(url, library, 0),
    "its client leaves a busy stream: does the generator end?": lambda url, library: deployed.leaving(
        url, library, "endless", close
    ),
    "the same, a silent stream": lambda url, library: deployed.leaving(url, library, "idle", close),
    "the same, by a reset": lambda url, library: deployed.leaving(url, library, "idle", reset),
    "what ends the content in answer to HTTP/1.0": deployed.http10,
    "status of HEAD on a route for GET": deployed.head_request,
}


def bytes_rows() -> list[str]:
    """The rows of the first table; servers with the same cells share one."""
    with ThreadPoolExecutor(len(SERVED_BY)) as pool:
        measured = dict(zip(SERVED_BY, pool.map(_facts, SERVED_BY), strict=True))
    rows = []
    for fact in FACTS:
        alike: dict[tuple[str, ...], list[str]] = {}
        for server in SERVED_BY:
            alike.setdefault(measured[server][fact], []).append(server.name)
        for index, (cells, names) in enumerate(alike.items()):
            who = "all" if len(names) == len(SERVED_BY) else "; ".join(names)
            rows.append(_row(fact if not index else "", who, *cells))
    return rows


def _facts(server: Server) -> dict[str, tuple[str, ...]]:
    with deployed.served(server) as target:
        return {
            fact: tuple(measure(target.url, prefix) for prefix in LIBRARIES.values()) for fact, measure in FACTS.items()
        }


def deploy_rows(servers: Iterable[Server] = SERVED_BY, *, limits: Iterable[bool] = (False, True)) -> list[str]:
    """The rows of the second table."""
    cases = [
        (server, limited, by) for server in servers for limited in limits for by in (*LIBRARIES, REFERENCE)
    ]  # fmt: skip
    with ThreadPoolExecutor(AT_ONCE) as pool:
        return list(pool.map(lambda case: _deploy_row(*case), cases))


def _deploy_row(server: Server, limited: bool, by: str) -> str:
    seen: Stop = deployed.stopping(server, LIBRARIES.get(by, ""), limited=limited, reference=by == REFERENCE)
    limit = "2 s" if limited else "default"
    return _row(server.name, limit, by, seen.process, seen.stream, seen.newcomers, seen.generator, seen.rules)


def _row(*cells: str) -> str:
    return "| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |"


def page() -> str:
    """The page, measured."""
    versions = ", ".join(f"{package} {version(package)}" for package in PACKAGES)
    limits = ", ".join(f"`{server.limited}`" for server in SERVED_BY[1:])
    deploys = DEPLOYS.format(limits=limits, rules=", ".join(deployed.RESTARTS))
    return "".join((HEAD.format(versions=versions), _lines(bytes_rows()), deploys, _lines(deploy_rows()), READING))


def _lines(rows: list[str]) -> str:
    return "".join(f"{row}\n" for row in rows)


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
