"""`ssegauge init`: looks at a stream and writes a profile for it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import click

from ssegauge import profile
from ssegauge.bench import Bench, Options
from ssegauge.client.connection import Transport
from ssegauge.errors import Inconclusive, UserError
from ssegauge.guess import Guess, guess
from ssegauge.profile.presets import PRESETS
from ssegauge.redaction import is_secret
from ssegauge.results import write_whole
from ssegauge.serving import reach
from ssegauge.visible import visible

EXAMPLES = """\b
Examples:
  ssegauge init http://127.0.0.1:8000/stream -o sse-target.toml
  ssegauge init http://127.0.0.1:8000/chat --method POST --json '{"q": "hi"}'
"""


@click.command(epilog=EXAMPLES)
@click.argument("url")
@click.option(
    "-o",
    "--output",
    type=click.Path(dir_okay=False, path_type=Path),
    help="The file to write; standard output otherwise.",
)
@click.option("--force", is_flag=True, help="Replace the file where it exists.")
@click.option("--method", help="Method of the request.")
@click.option("--header", "headers", multiple=True, metavar="NAME:VALUE", help="Header of the request (repeatable).")
@click.option("--json", "json_body", metavar="JSON", help="JSON body of the request.")
@click.option("--data", metavar="TEXT", help="Body of the request.")
@click.option(
    "--window",
    type=click.FloatRange(0.5, 600),
    default=10.0,
    show_default=True,
    help="Seconds that a stream is watched.",
)
@click.option("--insecure", is_flag=True, help="Accept any TLS certificate.")
@click.option("--ca", type=click.Path(exists=True, dir_okay=False), help="CA certificates to trust.")
@click.option("--cert", type=click.Path(exists=True, dir_okay=False), help="Client certificate and key (PEM).")
def command(url: str, output: Path | None, *, force: bool, json_body: str | None, window: float, **request: Any) -> int:
    """Look at the stream at URL twice and write a commented profile that it keeps."""
    if output is not None and output.exists() and not force:
        raise UserError(f"{output}: exists; pass --force to replace it")
    known = profile.from_url(
        url, method=request["method"], headers=tuple(request["headers"]), json=json_body, data=request["data"]
    )
    profile.expect_environment(known, known.endpoint)
    transport = Transport(verify=not request["insecure"], ca=request["ca"], cert=request["cert"])
    reach(known.base_url, transport)
    bench = Bench(known, known.endpoint[0], Options(window=window, transport=transport))
    runs = [bench.observation, bench.observe()]
    seen = runs[0].exchange
    if not runs[0].is_stream or seen.essence != "text/event-stream":
        status = seen.status or seen.detail or seen.end
        raise Inconclusive(
            f"{url}: no event stream: status {status}, Content-Type {seen.value('content-type') or 'missing'}"
            + (f": {visible(runs[0].body, 300)}" if runs[0].body else "")
        )
    text = as_profile(url, known, guess(runs)) + _trust(request)
    if output is None:
        click.echo(text, nl=False)
    else:
        write_whole(output, text)
        click.echo(f"{output}: written; look through it, then: ssegauge check {output}")
    return 0


def _trust(request: dict[str, Any]) -> str:
    """The table of the profile that says what to trust, where something was given."""
    lines = [f"{name:<8} = {_toml(str(Path(request[name]).absolute()))}" for name in ("ca", "cert") if request[name]]
    lines += ["insecure = true"] if request["insecure"] else []
    return "\n".join(["", "[target]", *lines, ""]) if lines else ""


def as_profile(url: str, known: profile.Profile, found: Guess) -> str:
    """The profile as commented TOML."""
    endpoint = known.endpoint[0]
    lines = [
        f"# Written by `ssegauge init` from two looks at {_comment(url)}. Read it, and make it say what you promise.",
        f"base_url = {_toml(known.base_url)}",
        "",
        "[[endpoint]]",
    ]
    lines += [f"name     = {_toml(_endpoint_name(endpoint.request.path))}", f"request  = {_request(endpoint.request)}"]
    lines += [f"# {note}" for note in found.notes]
    if found.preset:
        lines.append(
            f"preset   = {_toml(found.preset)}                # brings order, terminal and errors of this well-known shape"
        )
        if found.sentinel and found.sentinel not in PRESETS[found.preset].get("terminal_data", []):
            lines.append(f"terminal_data = [{_toml(found.sentinel)}]    # comes behind what ends streams of this shape")
    else:
        lines += _contract(found)
    lines += _suggestions(found)
    return "\n".join(lines) + "\n"


def _contract(found: Guess) -> list[str]:
    lines = [f"data     = {_toml('json' if found.json else 'text')}"]
    if found.order:
        lines.append(f"order    = {_toml(found.order)}    # a regular expression over event types")
    if found.terminal:
        lines.append(f"terminal = [{_toml(found.terminal)}]    # exactly one, and last")
    if found.sentinel:
        lines.append(f"terminal_data = [{_toml(found.sentinel)}]    # the payload that ends the stream")
    if found.ignore:
        lines.append(f"ignore   = [{', '.join(map(_toml, found.ignore))}]    # keepalives")
    if found.discriminator:
        lines.append(
            f"discriminator = {{ pointer = {_toml(found.discriminator)} }}    # the payload repeats the event type"
        )
    return lines


def _suggestions(found: Guess) -> list[str]:
    lines = [f'deadline = "{found.deadline_s}s"'] if found.deadline_s else []
    lines += ["", "# Seen, but only you know whether it is promised:"] if found.sequence or found.progress else [""]
    if found.sequence:
        lines.append(f"# sequence = {{ pointer = {_toml(found.sequence)} }}")
    if found.progress:
        lines.append(f"# progress = {{ pointer = {_toml(found.progress)}, range = [0, 100] }}")
    lines += [
        "# Declare more, and more is judged (see `ssegauge rules`):",
        '# errors   = ["error"]                       # the events that report a failure',
        "# fault    = { params = { fail_after = 3 } } # a request that fails after the stream has started",
        '# invalid  = { params = { query = "" } }      # a request that is refused before it starts',
        "",
        "# [probe]                                   # how the target shows what still runs",
        '# url = "/status"',
        '# active_streams = "/active_streams"',
    ]
    return lines


def _request(request: profile.Request) -> str:
    parts = [f"method = {_toml(request.method)}"] if request.method != "GET" else []
    parts.append(f"path = {_toml(request.path)}")
    if request.headers:
        pairs = ", ".join(f"{_toml(name)} = {_toml(_kept(name, value))}" for name, value in request.headers.items())
        parts.append(f"headers = {{ {pairs} }}")
    if request.json_body is not None:
        parts.append(f"json = {_toml(request.json_body)}")
    if request.data is not None:
        parts.append(f"data = {_toml(request.data)}")
    return f"{{ {', '.join(parts)} }}"


def _kept(name: str, value: str) -> str:
    """A credential does not go into a file: the profile names an environment variable instead."""
    if not is_secret(name) or value.startswith("env:") or " env:" in value:
        return value
    scheme, space, _ = value.partition(" ")
    variable = "env:" + "".join(letter if letter.isalnum() else "_" for letter in name.upper())
    return f"{scheme} {variable}" if space and scheme.isalpha() else variable


def _toml(value: Any) -> str:
    """A JSON value as an inline TOML value."""
    if isinstance(value, dict):
        return (
            "{ "
            + ", ".join(f"{_toml(str(key))} = {_toml(item)}" for key, item in value.items() if item is not None)
            + " }"
        )
    if isinstance(value, list):
        return "[" + ", ".join(map(_toml, value)) + "]"
    if isinstance(value, str):
        return json.dumps(value, ensure_ascii=True).replace("\x7f", "\\u007f")
    return json.dumps(value)


def _comment(text: str) -> str:
    parts = urlsplit(text)
    return f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}{parts.path}"


def _endpoint_name(path: str) -> str:
    return "-".join(part for part in urlsplit(path).path.split("/") if part) or "root"
