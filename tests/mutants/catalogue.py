"""All mutants by name, and a bench in front of one."""

from __future__ import annotations

import contextlib
import tempfile
from collections.abc import Iterator
from functools import cache
from pathlib import Path

from ssegauge import profile
from ssegauge.bench import Bench, Options

from . import cors, encoding, headers, http, reconnection, reflection, security
from .server import Clean, Host

TOPICS = (cors, encoding, headers, http, reconnection, reflection, security)
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
    with host.serving(server) as url:
        contract = _profile(server.profile).model_copy(update={"base_url": url, "source": url})
        name = endpoint or server.endpoint
        declared = next(known for known in contract.endpoint if known.name == name)
        yield Bench(contract, declared, options or server.options)
