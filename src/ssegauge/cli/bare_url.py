"""The options that make a request of a bare URL; a profile says the same things in its endpoints."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import click

_OPTIONS = (
    click.option("--method", help="Method of a bare URL."),
    click.option(
        "--header",
        "headers",
        multiple=True,
        metavar="NAME:VALUE",
        help="Header of a bare URL (repeatable); the value may be env:NAME.",
    ),
    click.option("--json", metavar="JSON", help="JSON body of a bare URL."),
    click.option("--data", metavar="TEXT", help="Body of a bare URL."),
    click.option("--preset", metavar="NAME", help="Contract of a well-known stream, openai-chat say."),
)
_NAMES = ("method", "headers", "json", "data", "preset")


def options(verb: Callable[..., Any]) -> Callable[..., Any]:
    """Give a verb these options, in the order in which `--help` shows them."""
    for option in reversed(_OPTIONS):
        verb = option(verb)
    return verb


def request_of(given: dict[str, Any]) -> dict[str, Any]:
    """What was given of them, as `ssegauge.profile.open_target` takes it."""
    return {name: given[name] for name in _NAMES}
