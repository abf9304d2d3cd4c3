"""Django's StreamingHttpResponse with an asynchronous iterator, in one file."""

import asyncio
import json
from collections.abc import AsyncIterator

from django.conf import settings
from django.core.asgi import get_asgi_application
from django.http import HttpRequest, HttpResponse, StreamingHttpResponse
from django.urls import path

settings.configure(ALLOWED_HOSTS=["*"], ROOT_URLCONF=__name__, SECRET_KEY="not one", DEBUG=False, MIDDLEWARE=[])
HEADERS = {"Cache-Control": "no-store", "X-Accel-Buffering": "no"}


def block(n: int, event: str = "tick") -> str:
    return f"id: {n}\nevent: {event}\ndata: {json.dumps({'n': n})}\n\n"


def streaming(events: AsyncIterator[str]) -> StreamingHttpResponse:
    return StreamingHttpResponse(events, content_type="text/event-stream", headers=HEADERS)


async def stream(request: HttpRequest) -> HttpResponse | StreamingHttpResponse:
    known = request.headers.get("Last-Event-ID", "")
    if known == "6":
        return HttpResponse(status=204)
    if request.method == "HEAD":
        return HttpResponse(content_type="text/event-stream", headers=HEADERS)
    seen = int(known) if known in {"1", "2", "3", "4", "5"} else 0
    fail_after = int(request.GET.get("fail_after", "99"))

    async def events() -> AsyncIterator[str]:
        for n in range(seen + 1, 6):
            if n > fail_after:
                raise RuntimeError("made to fail")
            yield block(n)
            await asyncio.sleep(0.1)
        yield block(6, "done")

    return streaming(events())


async def endless(request: HttpRequest) -> HttpResponse | StreamingHttpResponse:
    if request.method == "HEAD":
        return HttpResponse(content_type="text/event-stream", headers=HEADERS)

    async def events() -> AsyncIterator[str]:
        n = 0
        while True:
            n += 1
            yield block(n)
            await asyncio.sleep(0.05)

    return streaming(events())


async def health(request: HttpRequest) -> HttpResponse:
    return HttpResponse("ok")


urlpatterns = [path("stream", stream), path("endless", endless), path("health", health)]
app = get_asgi_application()
