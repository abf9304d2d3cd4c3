"""Arguments that every scenario understands: on the command line, in the environment, a config file, and the web form."""

from __future__ import annotations

import math
from argparse import Action, ArgumentTypeError
from collections.abc import Callable
from typing import Any

from ssegauge.errors import UserError
from ssegauge.load.deadlines import Timeouts

MEASURES = ("ttfb", "first_body_byte", "first_event", "first_match", "duration")
"""What Locust's own table can show as response time."""

HTTP2_STREAMS = 100
"""What RFC 9113, section 6.5.2, recommends that servers allow at least."""

_DEFAULTS = Timeouts()
_KINDS = {"int": "a whole number", "float": "a number"}

_RANGES: dict[str, tuple[float, float]] = {
    **dict.fromkeys(("SECONDS", "MS", "PER_SECOND", "PID"), (0, math.inf)),
    **dict.fromkeys(("NUMBER", "USERS"), (1, math.inf)),
    "SHARE": (0, 1),
}


declared: dict[str, Action] = {}
"""Our arguments by the name that Locust's web form gives them, as they were declared last."""


def parsed(name: str, text: str) -> Any:
    """The value of the argument `name`, as the command line would take it. Raises UserError."""
    action = declared[name]
    option = action.option_strings[0]
    try:
        value = action.type(text) if callable(action.type) else text
    except ArgumentTypeError as error:
        raise UserError(f"{option}: {error}") from None
    except ValueError:
        raise UserError(f"{option}: expected {_KINDS[getattr(action.type, '__name__', '')]}, not {text!r}") from None
    if action.choices is not None and value not in action.choices:
        raise UserError(f"{option}: one of {', '.join(action.choices)}, not {text!r}")
    return value


def add_arguments(parser: Any) -> None:
    """Declare them, in a group of Locust's parser."""
    group = parser.add_argument_group("ssegauge", "Event streams: what is opened, what is measured, where results go.")
    add = Adder(group)
    add("target", "", "PROFILE", "profile (TOML) of the target, or the address of a stream; default: what --host says")
    add("request", "", "JSON", "of a bare address: method, headers, json or data, preset", in_form=False)
    add("endpoint", "", "NAMES", "endpoints of the profile to use, separated by commas; default: all")
    add(
        "measure",
        "first_event",
        None,
        "the time that Locust's own table shows; all others are in our figures",
        MEASURES,
    )
    add("results", "", "FILE", "write the results file here when the run ends", in_form=False)
    add("prometheus", "", "PORT", "serve the live figures to Prometheus at PORT, or ADDRESS:PORT", in_form=False)
    add("connect_timeout", _DEFAULTS.connect, "SECONDS", "until connected, TLS included; 0: no limit")
    add("first_byte_timeout", _DEFAULTS.first_byte, "SECONDS", "until the response begins; 0: no limit")
    add("idle_timeout", _DEFAULTS.idle, "SECONDS", "silence, comments included, that ends a stream; 0: no limit")
    add("total_timeout", 0.0, "SECONDS", "life of a stream; 0: no limit")
    add("json_share", 1.0, "SHARE", "share of payloads parsed to see whether they are JSON")
    add("goodput", "", "LIMITS", "a stream is good within these: first_match=500ms,time_per_token=50ms")
    add("schema_share", 0.1, "SHARE", "share of payloads held against their type's JSON Schema, at some 45 us each")
    add("http2_streams", HTTP2_STREAMS, "NUMBER", "streams on one HTTP/2 connection, where the server allows so many")
    add("proxy", "", "URL", "HTTP proxy")
    add("source_addresses", "", "ADDRESSES", "own addresses to connect from, separated by commas", in_form=False)
    add("seed", 1, "SEED", "for everything that is drawn")
    add("max_read_lag", 50.0, "MS", "p99 of the generator's own lag past which the run is invalid")


def arguments(parser: Any, scenario: str) -> Adder:
    """Declares what is special to a scenario: call the result once for each argument."""
    return Adder(parser.add_argument_group(scenario))


class Adder:
    """Declares one argument a call, `--sse-NAME` and LOCUST_SSE_NAME; its type is that of its default."""

    def __init__(self, group: Any) -> None:
        self._group = group

    def __call__(
        self,
        name: str,
        default: Any,
        metavar: str | None,
        help_: str,
        choices: tuple[str, ...] | None = None,
        *,
        in_form: bool = True,
        least: float | None = None,
    ) -> None:
        """One argument; `in_form`: the web page asks for it, too. `least`: where it is not what `metavar` allows."""
        kind = type(default)
        lowest, highest = _RANGES.get(metavar or "", (-math.inf, math.inf))
        shown = f" (default: {default:g})" if kind in (int, float) else f" (default: {default})" if default else ""
        action = self._group.add_argument(
            f"--sse-{name.replace('_', '-')}",
            type=kind if kind is str else _within(kind, lowest if least is None else least, highest),
            default=default,
            metavar=metavar,
            choices=choices,
            env_var=f"LOCUST_SSE_{name.upper()}",
            help=help_ + shown,
        )
        declared[action.dest] = action
        # Locust's parser sets these on its own arguments, not on those of a group.
        action.include_in_web_ui = in_form
        action.is_secret = action.is_required = action.is_multiple = False


def _within(kind: Callable[[str], float], lowest: float, highest: float) -> Callable[[str], float]:
    def parse(text: str) -> float:
        value = kind(text)
        if not math.isfinite(value):
            raise ArgumentTypeError(f"a finite number, not {text}")
        if not lowest <= value <= highest:
            most = "" if highest == math.inf else f" and at most {highest:g}"
            raise ArgumentTypeError(f"at least {lowest:g}{most}, not {text}")
        return value

    parse.__name__ = kind.__name__  # argparse says "invalid float value"
    return parse
