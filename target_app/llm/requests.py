"""What the three APIs have in common: inputs of the simulation, refusals in the API's own shape, one answer at once."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Coroutine
from typing import Annotated, Any

from fastapi import Depends, Query, Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from fastapi.routing import APIRoute
from pydantic import BaseModel, ConfigDict, Field

from ..refusals import NEVER_STORED
from ..stream import Opened, ServerLeaving, Stream
from .answers import FIRST_TOKEN_S, MOST_TOKENS, TOKEN_S, Answer

STATUSES = (400, 401, 403, 404, 413, 429, 500, 503, 529)


class Refused(Exception):
    """Raised where a request is answered with an error instead of a stream."""

    def __init__(self, status: int, message: str, param: str | None = None) -> None:
        super().__init__(message)
        self.status = status
        self.param = param


class Loose(BaseModel):
    """A body of which we look at what we know: clients send more every month."""

    model_config = ConfigDict(extra="ignore")


class Message(BaseModel):
    """A message of the conversation; what else it holds belongs to the conversation, too."""

    model_config = ConfigDict(extra="allow")

    role: Annotated[str, Field(min_length=1, max_length=40)]
    content: str | list[dict[str, Any]] | None = None


Limit = Annotated[int, Field(ge=1, le=1_000_000)] | None


class Simulation:
    """What a request asks of the simulation, beside what it asks of the model."""

    def __init__(
        self,
        stream: Opened,
        tokens: Annotated[int, Query(ge=1, le=MOST_TOKENS, description="Length of an answer that is text.")] = 24,
        refuse: Annotated[int | None, Query(description="Answer with this status instead.")] = None,
    ) -> None:
        self.stream: Stream = stream
        self.tokens = tokens
        if refuse is not None:
            known = refuse in STATUSES
            wanted = ", ".join(map(str, STATUSES))
            raise Refused(*((refuse, "Refused on request") if known else (400, f"expected one of {wanted}", "refuse")))


Simulated = Annotated[Simulation, Depends()]


class LlmRoute(APIRoute, ABC):
    """A route whose refusals have the shape of its API. A subclass says the shape."""

    @staticmethod
    @abstractmethod
    def shape(status: int, message: str, param: str | None) -> dict[str, Any]:
        """Status, message and the parameter that is wrong, as the JSON of an error."""

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        """The handler with refusals told in the API's shape."""
        handle = super().get_route_handler()

        async def handled(request: Request) -> Response:
            try:
                return await handle(request)
            except RequestValidationError as error:
                refusal = _invalid(error)
            except Refused as error:
                refusal = error
            body = self.shape(refusal.status, str(refusal), refusal.param)
            return JSONResponse(body, status_code=refusal.status, headers=NEVER_STORED)

        return handled


def _invalid(error: RequestValidationError) -> Refused:
    # Never the input itself, which may be long or hostile: where it is wrong, and how.
    problem = next(iter(error.errors()), {"loc": ("body",), "msg": "is not valid"})
    where = ".".join(str(part) for part in problem["loc"][1:] if str(part).isidentifier() or isinstance(part, int))
    return Refused(400, f"{where or 'request'}: {problem['msg']}", where or None)


async def at_once(said: Answer, stream: Stream, payload: dict[str, Any], events: int) -> Response:
    """The whole answer as JSON, after the time that its stream takes; a fault on request is an error of the server.

    `events`: how many events the stream would have, as `fail_after` counts them.
    """
    with stream.watch.work():
        try:
            await stream.pause(FIRST_TOKEN_S + TOKEN_S * (len(said.tokens) - 1))
        except ServerLeaving:
            raise Refused(503, "The server stops") from None
    if stream.fail_after is not None and stream.fail_after <= events:
        stream.probe.failed += 1
        raise Refused(500, "Injected fault")
    return JSONResponse(payload, headers=NEVER_STORED)
