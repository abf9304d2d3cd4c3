"""The application, put together."""

from __future__ import annotations

import random

from fastapi import FastAPI

from . import demo, mistakes, probe
from .cors import ExactOrigins
from .llm import chat, messages, responses
from .refusals import refuse
from .settings import Settings
from .streams import agents, basic, echo, feed, resumable, robust, tasks, waiting

ROUTERS = (
    basic.router,
    tasks.router,
    agents.router,
    robust.router,
    resumable.router,
    waiting.router,
    feed.router,
    echo.router,
    chat.router,
    responses.router,
    messages.router,
    mistakes.router,
    probe.router,
    demo.router,
)

DESCRIPTION = """
Every stream of the guide *Streaming with SSE*, and what a conformance suite needs beside them.

Every stream takes `pace` (a factor on its delays) and `fail_after` (fail after so many events), ends with
`complete` or with `error`, and answers 204 to a browser that comes back to it after `complete`. Swagger UI shows
a stream only when it has ended: look at it in [/demo](/demo) or with `curl -N`.

The streams of language models under `/v1` keep to the APIs that they simulate: `[DONE]` or an event of theirs at the
end, errors in their shape, JSON where `stream` is false. Their text is the same for the same conversation and seed.
"""


def create_app(settings: Settings | None = None) -> FastAPI:
    """The application with these settings; with those of the environment where none are given."""
    settings = Settings.from_environment() if settings is None else settings
    # No redirect from an address with a slash too many: EventSource and POST do not survive every one.
    app = FastAPI(title="SSE reference app", description=DESCRIPTION, version="1", redirect_slashes=False)
    app.state.settings = settings
    app.state.probe = probe.Probe()
    app.state.feed = feed.Feed()
    app.state.chance = random.Random(settings.seed)
    app.add_middleware(ExactOrigins, origins=settings.origins, closed=mistakes.WITHOUT_CORS)
    refuse(app)
    for router in ROUTERS:
        app.include_router(router)
    return app


app = create_app()
