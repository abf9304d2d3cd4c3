"""All mutants by name, and a bench in front of one."""

from __future__ import annotations

import contextlib
import tempfile
from collections.abc import Iterator
from dataclasses import replace
from functools import cache
from pathlib import Path

from ssegauge import profile
from ssegauge.bench import Bench, Options

from . import (
    buffering,
    clients,
    cors,
    disconnect,
    echo,
    encoding,
    errors,
    headers,
    http,
    http2,
    intermediaries,
    isolation,
    lifecycle,
    order,
    planned_close,
    process,
    reconnection,
    reflection,
    security,
)
from .host import Host
from .server import Clean

TOPICS = (
    buffering,
    clients,
    cors,
    disconnect,
    echo,
    encoding,
    errors,
    headers,
    http,
    http2,
    planned_close,
    intermediaries,
    isolation,
    lifecycle,
    order,
    reconnection,
    reflection,
    security,
)
MUTANTS: dict[str, type[Clean]] = {name: kind for topic in TOPICS for name, kind in topic.MUTANTS.items()}


@cache
def _profile(text: str) -> profile.Profile:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "sse-target.toml")
        path.write_text(text, encoding="utf-8")
        return profile.load(path)


@contextlib.contextmanager
def bench_for(
    host: Host, server: Clean, *, endpoint: str | None = None, options: Options | None = None
) -> Iterator[Bench]:
    """A bench in front of the server while it is served."""
    with contextlib.ExitStack() as stack:
        chosen = options or server.options
        app = None
        if server.control:
            app = stack.enter_context(process.Controlled(server))
            url = app.url
        elif server.process:
            url, pid = stack.enter_context(process.served(server))
            chosen = replace(chosen, pid=pid)
        else:
            url = stack.enter_context(host.serving(server))
        contract = _profile(server.profile).model_copy(update={"base_url": url, "source": url})
        if server.relay is not None:
            proxied = stack.enter_context(host.serving(server.relay(int(url.rpartition(":")[2]))))
            contract = contract.model_copy(update={"target": contract.target.model_copy(update={"proxied": proxied})})
        name = endpoint or server.endpoint
        declared = next(known for known in contract.endpoint if known.name == name)
        yield Bench(contract, declared, chosen, app)  # type: ignore[arg-type]
