"""Which pages may read the streams: the origins of the settings, each by its exact name, with credentials."""

from __future__ import annotations

from collections.abc import Collection

from starlette.datastructures import Headers, MutableHeaders
from starlette.middleware.cors import CORSMiddleware
from starlette.responses import Response
from starlette.types import ASGIApp, Receive, Scope, Send

# What clients built on fetch ask for; EventSource itself sends no preflight.
REQUEST_HEADERS = ("Last-Event-ID", "Authorization", "Cache-Control", "Content-Type")


class ExactOrigins(CORSMiddleware):
    """CORS in which an origin that is not listed gets no field at all.

    Starlette's own sends `Access-Control-Allow-Credentials` to every origin once it is switched on.
    """

    def __init__(self, app: ASGIApp, origins: Collection[str], closed: Collection[str] = ()) -> None:
        super().__init__(app, allow_origins=origins, allow_methods=("GET", "POST"), allow_headers=REQUEST_HEADERS)
        self._closed = frozenset(closed)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answers, or passes the request on; paths in `closed` are left without CORS."""
        if scope["type"] == "http" and scope["path"] in self._closed:
            await self.app(scope, receive, send)
        else:
            await super().__call__(scope, receive, send)

    def preflight_response(self, request_headers: Headers) -> Response:
        """The answer to a preflight, with credentials allowed to listed origins."""
        response = super().preflight_response(request_headers)
        if self.is_allowed_origin(request_headers["origin"]):
            response.headers["Access-Control-Allow-Credentials"] = "true"
        return response

    @staticmethod
    def allow_explicit_origin(headers: MutableHeaders, origin: str) -> None:
        """Lets the page at `origin`, which is listed, read the response."""
        CORSMiddleware.allow_explicit_origin(headers, origin)
        headers["Access-Control-Allow-Credentials"] = "true"
