"""A request as a curl command, to be pasted into a shell."""

from __future__ import annotations

import shlex

from ssegauge.exchange import Sent
from ssegauge.redaction import redact_headers, redact_url

LONGEST = 4_000
"""Characters of a body that are written out; a terminal takes no more in a line (4096, termios(3))."""


def command(sent: Sent) -> str:
    """The command that sends this request and shows the stream as it comes; secrets are masked."""
    words = ["curl", "-N"]
    if sent.method != ("GET" if sent.body is None else "POST"):
        words += ["-X", sent.method]
    for name, value in redact_headers(sent.headers):
        words += ["-H", f"{name}: {value}"]
    if sent.body is not None:
        words += ["--data-binary", _body(sent.body)]
    return shlex.join([*words, redact_url(sent.url)])


def _body(body: bytes) -> str:
    text = body.decode("utf-8", "backslashreplace")
    return text if len(text) <= LONGEST else f"{text[:LONGEST]}… ({len(text)} characters)"
