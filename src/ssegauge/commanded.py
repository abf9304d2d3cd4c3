"""Serves a target by its own command, as it is deployed: any server, in any language, with its own limits."""

from __future__ import annotations

import contextlib
import os
import shlex
import signal
import socket
import subprocess
import threading
import time
from pathlib import Path

from ssegauge.errors import UserError
from ssegauge.serving import START_TIMEOUT, ServedApp

PORT = "{port}"
"""Stands in the command for the port that the server has to listen on."""
STOP = 15.0
"""Seconds after SIGTERM in which the server may stop by itself at the end of a run."""


class ServedCommand(ServedApp):
    """A target that its own command starts. SIGTERM goes to the process that was started, as from systemd or Kubernetes.

    Raises UserError where it does not start.
    """

    shows_probe = False

    def __init__(self, command: str, *, root: Path | None = None, port: int = 0) -> None:
        try:
            self._words = shlex.split(command)
        except ValueError as error:
            raise UserError(f"--server: {command!r} cannot be read: {error}") from error
        if not any(PORT in word for word in self._words):
            raise UserError(f"--server: say where the server gets its port from: {command} --port {PORT}")
        self.app = command
        self.root = root or Path.cwd()
        self.grace = STOP
        self.port = port or _free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self._last_words = []
        self.process = self._start()

    def _start(self) -> subprocess.Popen[str]:
        words = [word.replace(PORT, str(self.port)) for word in self._words]
        try:
            process = subprocess.Popen(
                words, cwd=self.root, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE,
                text=True, errors="replace", start_new_session=True,
            )  # fmt: skip
        except OSError as error:
            raise UserError(
                f"--server: {words[0]} cannot be started: {(error.strerror or str(error)).lower()}"
            ) from error
        self._listener = threading.Thread(target=self._listen_to, args=(process,), daemon=True)
        self._listener.start()
        try:
            self._wait_until_up(process)
        except BaseException:  # Ctrl-C, too: nobody else knows of the process yet
            self._end(process)
            raise
        return process

    def _listen_to(self, process: subprocess.Popen[str]) -> None:
        super()._listen_to(process)
        assert process.stderr is not None  # noqa: S101 - it was opened as a pipe
        process.stderr.close()

    def _wait_until_up(self, process: subprocess.Popen[str]) -> None:
        deadline = time.monotonic() + START_TIMEOUT
        while True:
            if process.poll() is not None:
                self._end(process)
                words = next(
                    (word for word in reversed(self._last_words) if word.strip()), f"exit code {process.returncode}"
                )
                raise UserError(f"--server: {self.app}: it ended at once: {words}")
            with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", self.port), 1):
                return
            if time.monotonic() > deadline:
                raise UserError(f"--server: {self.app}: nothing listens on port {self.port} after {START_TIMEOUT:g} s")
            time.sleep(0.02)

    def signal(self, number: signal.Signals = signal.SIGTERM) -> None:
        """Send the started process a signal; SIGKILL goes to its workers as well."""
        if number == signal.SIGKILL:
            self._end(self.process)
        elif self.process.poll() is None:
            self.process.send_signal(number)

    def stop(self) -> None:
        """Stop the server: SIGTERM, and SIGKILL to whatever is left of it."""
        if self.process.poll() is None:
            self.process.terminate()
            self.wait(self.grace)
        self._end(self.process)

    def _end(self, process: subprocess.Popen[str]) -> None:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)  # a session of its own: nothing but what we started is in it
        process.wait()
        self._listener.join()  # nobody is left who could write


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port
