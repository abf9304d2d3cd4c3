"""`ssegauge serve`: the reference app, on uvicorn."""

import os
import socket

import click

from ssegauge import locate
from ssegauge.errors import UserError

APP = "ssegauge.target_app.app:app"
PACE_VARIABLE = "SSEGAUGE_PACE"
LIBRARY_VARIABLE = "SSEGAUGE_LIBRARY"


@click.command(
    epilog="""\b
Examples:
  ssegauge serve
  ssegauge serve --port 0 --pace 0.1
  ssegauge serve --library fastapi
"""
)
@click.option("--host", default="127.0.0.1", show_default=True, help="Address to listen on.")
@click.option("--port", default=8000, show_default=True, type=click.IntRange(0, 65535), help="0 takes a free one.")
@click.option(
    "--pace", default=1.0, show_default=True, type=click.FloatRange(0, 10), help="Factor on every delay of the streams."
)
@click.option(
    "--library",
    type=click.Choice(["sse-starlette", "fastapi"]),
    default="sse-starlette",
    show_default=True,
    envvar=LIBRARY_VARIABLE,
    help="What sends the streams; fastapi: its own event streams.",
)
def command(host: str, port: int, pace: float, library: str) -> None:
    """Serve the reference app until Ctrl-C.

    Its streams keep the delays of the tutorial they come from; --pace 0.1 makes them ten times as fast.
    """
    import uvicorn

    class Server(uvicorn.Server):
        async def startup(self, sockets: list[socket.socket] | None = None) -> None:
            await super().startup(sockets)
            # not before: only now does it answer, and only now does Ctrl-C find its handler
            click.echo(f"serving on {_url(listener)} (Ctrl-C stops)", err=True)

    os.environ[PACE_VARIABLE] = str(pace)
    os.environ[LIBRARY_VARIABLE] = library
    application = locate.importable(locate.app(APP))
    with _listener(host, port) as listener:
        config = uvicorn.Config(
            application.import_string,
            http="h11",  # httptools answers an HTTP/1.0 request in chunks, which rule HTTP-12 finds
            timeout_graceful_shutdown=5,  # without it one open stream holds the process for ever
            log_level="warning",
        )
        Server(config).run(sockets=[listener])


def _listener(host: str, port: int) -> socket.socket:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listener = socket.socket(family, socket.SOCK_STREAM)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((host, port))
    except OSError as error:
        listener.close()
        raise UserError(f"{host}:{port}: cannot listen there ({error.strerror}); choose another --port") from error
    return listener


def _url(listener: socket.socket) -> str:
    host, port = listener.getsockname()[:2]
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"
