"""The page on which streams can be watched in a browser."""

from __future__ import annotations

from importlib.resources import files

from fastapi import APIRouter
from fastapi.responses import HTMLResponse

router = APIRouter(tags=["demo"])

HEADERS = {
    "Cache-Control": "no-cache",
    # The page talks to this server only.
    "Content-Security-Policy": "default-src 'none'; connect-src 'self'; script-src 'unsafe-inline'; "
    "style-src 'unsafe-inline'; img-src data:; base-uri 'none'; form-action 'none'",
    "X-Content-Type-Options": "nosniff",
}


@router.get("/demo", response_class=HTMLResponse)
async def show_demo() -> HTMLResponse:
    """Starts and stops any stream, by EventSource or by fetch, and shows its events as they come."""
    page = files(__package__).joinpath("demo.html").read_text(encoding="utf-8")
    return HTMLResponse(page, headers=HEADERS)
