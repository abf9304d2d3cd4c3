"""Text of others in Markdown: shown as it is, on one line, and neither a link nor markup."""

from __future__ import annotations

import html
import re
from typing import Final

from ssegauge.report.html import plain

_SPECIAL: Final = re.compile(r"([\\`*_{}\[\]<>#|~&@]|:(?=//)|(?<=www)\.|^[-+=])", re.IGNORECASE)
"""What is markup anywhere, what makes an address a link by itself, and what begins a list or a heading."""


def escape(text: str) -> str:
    """Text that Markdown and HTML show as it is, on one line."""
    return _SPECIAL.sub(r"\\\1", plain(" ".join(text.split())))


def code(text: str) -> str:
    """A line of an indented block of code, in which nothing is markup."""
    # an HTML block holds also where a renderer, or a list around it, knows no indented code
    return f"<pre>{html.escape(plain(' '.join(text.split())))}</pre>"
