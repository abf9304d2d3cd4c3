"""Requests that are refused before a stream starts: 4xx, JSON, and nothing of the input in it."""

from __future__ import annotations

from fastapi import FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from starlette.routing import Match

METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS")

NEVER_STORED = {"Cache-Control": "no-store"}


def refuse(app: FastAPI) -> None:
    """Adds the answers to requests that cannot be served."""
    app.add_exception_handler(RequestValidationError, _invalid)  # type: ignore[arg-type]  # Starlette types it wider
    app.add_exception_handler(405, _wrong_method)


async def _invalid(_request: Request, error: RequestValidationError) -> Response:
    # FastAPI's own answer repeats the input, which may be long, hostile, or not encodable at all.
    problems = [
        {"where": ".".join(_shown(part) for part in problem["loc"]), "problem": problem["msg"], "type": problem["type"]}
        for problem in error.errors()
    ]
    first = problems[0] if problems else {"where": "request", "problem": "is not valid"}
    message = f"{first['where']}: {first['problem']}"
    body = {"error": message, "type": "RequestValidationError", "detail": problems}
    return JSONResponse(body, status_code=422, headers=NEVER_STORED)


def _shown(part: object) -> str:
    text = str(part)
    return text if text.isascii() and text.isprintable() and len(text) <= 64 else "?"


async def _wrong_method(request: Request, _error: Exception) -> Response:
    # The router names the methods of the first route of this path only (RFC 9110 15.5.6 wants them all).
    offered = [method for method in METHODS if _is_offered(request, method)]
    headers = {**NEVER_STORED, "Allow": ", ".join(offered)}
    return JSONResponse({"detail": "Method Not Allowed"}, status_code=405, headers=headers)


def _is_offered(request: Request, method: str) -> bool:
    scope = {**request.scope, "method": method}
    return any(route.matches(scope)[0] is Match.FULL for route in request.app.routes)
