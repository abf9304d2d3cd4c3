"""Serves an ASGI app for real: uvicorn in a process of its own, on a free port of the loopback, stopped by its id.

The parent binds the port and hands the socket down, so that nobody can take it in between and a first connection
waits in the backlog until the app is up. The app is wrapped in `ssegauge.probe.StreamProbe`, which shows what still runs.
"""

from __future__ import annotations

import argparse
import contextlib
import os
import signal
import socket
import ssl
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.request
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

from ssegauge import locate
from ssegauge.errors import Inconclusive, UserError

if TYPE_CHECKING:
    from ssegauge.client.connection import Transport

START_TIMEOUT = 30.0
"""Seconds an app may take to import and start."""


class ServedApp:
    """An app under test. `url` is its address, `pid` its process id; `restart` keeps the address.

    `port` 0 is any that is free.
    Raises UserError where the app cannot be imported or started; the message carries its last words.
    """

    shows_probe = True  # at PROBE_PATH

    def __init__(self, app: str, *, root: Path | None = None, grace: float = 5.0, port: int = 0) -> None:
        found = locate.app(app)
        self.app = found.import_string
        self.root = root or Path.cwd()
        self._import_from = [path for path in (found.directory, self.root) if path is not None]
        self.grace = grace
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
        self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            self._socket.bind(("127.0.0.1", port))
        except OSError as error:
            self._socket.close()
            raise UserError(
                f"port {port} cannot be had for the app: {(error.strerror or str(error)).lower()}"
            ) from error
        self.port: int = self._socket.getsockname()[1]
        self.url = f"http://127.0.0.1:{self.port}"
        self._last_words: list[str] = []
        self.process = self._start()

    @property
    def pid(self) -> int:
        """The id of the process that serves the app."""
        return self.process.pid

    def _start(self) -> subprocess.Popen[str]:
        if self._socket.fileno() == -1:
            self._socket = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
            self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            self._socket.bind(("127.0.0.1", self.port))
        self._socket.listen(1024)
        descriptor = self._socket.fileno()
        path = os.pathsep.join(
            part for part in (*map(str, self._import_from), os.environ.get("PYTHONPATH", "")) if part
        )
        process = subprocess.Popen(
            [sys.executable, "-m", "ssegauge.serving", str(descriptor), self.app, "--grace", str(self.grace)],
            cwd=self.root,
            env={**os.environ, "PYTHONPATH": path},
            pass_fds=[descriptor],
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            text=True,
            errors="replace",
        )
        self._socket.close()
        threading.Thread(target=self._listen_to, args=(process,), daemon=True).start()
        self._wait_until_up(process)
        return process

    def _listen_to(self, process: subprocess.Popen[str]) -> None:
        assert process.stderr is not None  # noqa: S101 - it was opened as a pipe
        for line in process.stderr:
            self._last_words = [*self._last_words[-30:], line.rstrip()]

    def _wait_until_up(self, process: subprocess.Popen[str]) -> None:
        deadline = time.monotonic() + START_TIMEOUT
        while True:
            if process.poll() is not None:
                time.sleep(0.05)  # its last line may still be on its way
                words = next(
                    (word for word in reversed(self._last_words) if word.strip()), f"exit code {process.returncode}"
                )
                raise UserError(f"the app {self.app!r} could not be started: {words}")
            with contextlib.suppress(OSError), urllib.request.urlopen(f"{self.url}{PROBE_PATH}", timeout=1):  # noqa: S310
                return
            if time.monotonic() > deadline:
                process.kill()
                raise UserError(f"the app {self.app!r} did not answer within {START_TIMEOUT:g} s")
            time.sleep(0.02)

    def signal(self, number: signal.Signals = signal.SIGTERM) -> None:
        """Send the app's process a signal."""
        self.process.send_signal(number)

    def wait(self, within: float) -> float | None:
        """Seconds until the process was gone, or None where it still runs after `within`."""
        began = time.monotonic()
        try:
            self.process.wait(within)
        except subprocess.TimeoutExpired:
            return None
        return time.monotonic() - began

    def restart(self) -> None:
        """Bring the app back at the same address after it was stopped."""
        self.stop()
        self.process = self._start()

    def stop(self) -> None:
        """Stop the process: SIGTERM, and SIGKILL where that does not end it in time."""
        if self.process.poll() is None:
            self.process.terminate()
            if self.wait(self.grace + 2) is None:
                self.process.kill()
                self.process.wait()
        for pipe in (self.process.stdin, self.process.stderr):
            if pipe is not None:
                with contextlib.suppress(OSError):
                    pipe.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()


class ThreadedApp:
    """An app object served in a thread of this process, so that a test may reach into it. `url` is its address."""

    def __init__(self, app: Any) -> None:
        import uvicorn  # noqa: PLC0415 - an extra: only who serves an app needs it

        self._socket = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
        self._socket.bind(("127.0.0.1", 0))
        self._socket.listen(1024)
        self.url = f"http://127.0.0.1:{self._socket.getsockname()[1]}"
        config = uvicorn.Config(app, http="h11", log_level="error", timeout_graceful_shutdown=1, lifespan="auto")
        self._server = uvicorn.Server(config)
        self._thread = threading.Thread(target=self._server.run, kwargs={"sockets": [self._socket]}, daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        deadline = time.monotonic() + START_TIMEOUT
        while not self._server.started:
            if not self._thread.is_alive() or time.monotonic() > deadline:
                raise UserError("the app under test did not start; its log says why")
            time.sleep(0.01)
        return self

    def __exit__(self, *_: object) -> None:
        self._server.should_exit = True
        self._thread.join(START_TIMEOUT)
        self._socket.close()


PROBE_PATH = "/_ssegauge/probe"


def reach(url: str, transport: Transport | None = None, within: float = 5.0) -> None:
    """Raise Inconclusive with one clear line where nothing listens at `url`.

    So where `transport` is given and does not trust what listens there.
    """
    from ssegauge.client import connection  # noqa: PLC0415 - the served child needs none of it

    try:
        trusted = transport or connection.Transport(verify=False)
        connection.Connection(url, trusted, timeout=within).close()
    except ssl.SSLCertVerificationError as error:
        raise Inconclusive(
            f"{url}: its certificate is not trusted: {error.verify_message}. "
            "Name the authority (--ca FILE, or target.ca in a profile), or do without (--insecure, target.insecure)"
        ) from None
    except OSError as error:
        reason = error.strerror or str(error) or type(error).__name__
        raise Inconclusive(f"{url}: the target cannot be reached: {reason}. Is it running?") from None


def _stop_with_parent() -> None:
    """When the parent is gone its end of our standard input closes, and we go too."""
    sys.stdin.buffer.read()
    os.kill(os.getpid(), signal.SIGTERM)


def serve(descriptor: int, app: str, grace: float) -> None:
    """Run uvicorn on an inherited listening socket. `--http h11`: httptools answers HTTP/1.0 in chunks."""
    import uvicorn  # noqa: PLC0415 - needed in the child alone
    from uvicorn.importer import ImportFromStringError, import_from_string  # noqa: PLC0415

    from ssegauge.probe import StreamProbe  # noqa: PLC0415

    try:
        loaded = import_from_string(app)
    except ImportFromStringError as error:
        sys.exit(str(error))
    threading.Thread(target=_stop_with_parent, daemon=True).start()
    config = uvicorn.Config(
        StreamProbe(loaded, path=PROBE_PATH), http="h11", log_level="error", timeout_graceful_shutdown=int(grace), lifespan="auto",
    )  # fmt: skip
    uvicorn.Server(config).run(sockets=[socket.socket(fileno=descriptor)])


def main() -> None:
    """The child's command line: a descriptor and an import string."""
    parser = argparse.ArgumentParser()
    parser.add_argument("descriptor", type=int)
    parser.add_argument("app")
    parser.add_argument("--grace", type=float, default=5.0)
    options = parser.parse_args()
    serve(options.descriptor, options.app, options.grace)


if __name__ == "__main__":
    main()
