"""The command line: one module per verb, imported when its verb is typed and not before."""

import difflib
import importlib
import importlib.util
import os
import signal
import sys
import threading
import traceback
from collections.abc import Sequence
from typing import Final

import click

from ssegauge import __version__
from ssegauge.errors import DID_NOT_HOLD, HELD, INCONCLUSIVE, USAGE, UserError

VERBS: Final = {
    "check": "Judge an endpoint, or a profile of endpoints, by the rules.",
    "load": "Open many streams at once and measure each of them.",
    "gate": "Hold results to thresholds and to a baseline.",
    "report": "Write one HTML page from results; it opens offline.",
    "compare": "Lay two results, or two targets, side by side.",
    "parse": "Show what a conforming client would see in a stream.",
    "rules": "Show the catalogue of rules, or one rule.",
    "init": "Look at a stream and write a profile for it.",
    "serve": "Serve the reference app.",
    "demo": "Serve, check, load, gate and report, in about a minute.",
}
"""Verb to summary. The module of a verb is `ssegauge.cli.VERB`, its click command is called `command`."""

EXTRAS: Final = {
    "fastapi": "target",
    "gevent": "load",
    "httptools": "load",
    "locust": "load",
    "plotly": "report",
    "sse_starlette": "target",
    "starlette": "target",
    "uvicorn": "target",
}
"""Top-level module to the extra that installs it."""

INTERRUPTED: Final = 130  # 128 + SIGINT, as shells count
PIPE_CLOSED: Final = 141  # 128 + SIGPIPE: `ssegauge parse URL | head` ends like any other filter

_EXAMPLES: Final = """\b
Examples:
  ssegauge check http://localhost:8000/stream
  curl -sN http://localhost:8000/stream | ssegauge parse --lint
  ssegauge rules FRM-01
"""


class Verbs(click.Group):
    """A group that knows its verbs by name and imports one only to run it."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002 - click's signature
        """The verbs that this installation has, in the order of VERBS."""
        return [verb for verb in VERBS if importlib.util.find_spec(f"{__name__}.{verb}")]

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """The command of a verb; this is where its module is imported."""
        if cmd_name not in self.list_commands(ctx):
            return None
        command: click.Command = importlib.import_module(f"{__name__}.{cmd_name}").command
        return command

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """The verb that the first word names. Raises UsageError, which names the verb that is spelt much like it."""
        if args and self.get_command(ctx, args[0]) is None:
            near = difflib.get_close_matches(args[0], VERBS, n=1)
            ctx.fail(f"there is no verb '{args[0]}'" + (f"; did you mean '{near[0]}'?" if near else ""))
        return super().resolve_command(ctx, args)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the verbs with their summaries, and import none of them."""
        rows = [(verb, VERBS[verb]) for verb in self.list_commands(ctx)]
        if rows:
            with formatter.section("Verbs"):
                formatter.write_dl(rows)

    def invoke(self, ctx: click.Context) -> object:
        """Run the verb; Ctrl-C, SIGTERM and a reader that has gone away end it quietly."""
        _end_as_by_ctrl_c()
        try:
            result = super().invoke(ctx)
            sys.stdout.flush()
        except BrokenPipeError:
            # the interpreter flushes once more on its way out and must find somebody listening
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
            ctx.exit(PIPE_CLOSED)
        except KeyboardInterrupt:  # before click, which would write an empty line
            ctx.exit(INTERRUPTED)
        return result


@click.group(
    cls=Verbs,
    subcommand_metavar="VERB [ARGS]...",
    epilog=_EXAMPLES,
    context_settings={"help_option_names": ["-h", "--help"]},
)
@click.version_option(__version__, message="ssegauge %(version)s")
def cli() -> None:
    """Say whether a Server-Sent Events endpoint is right, fast, and still so after your change.

    Exit codes: 0 held, 1 did not hold, 2 the command was wrong, 3 inconclusive.
    """


def main(args: Sequence[str] | None = None) -> int:
    """Run one verb and return its exit code. What was to be expected ends in one line on standard error."""
    try:
        result = cli.main(args=list(args) if args is not None else None, prog_name="ssegauge", standalone_mode=False)
    except click.exceptions.NoArgsIsHelpError as error:
        error.show()
        return USAGE
    except click.ClickException as error:
        return _complain(_usage(error), error.exit_code)
    except (click.Abort, KeyboardInterrupt):
        return INTERRUPTED
    except UserError as error:
        return _complain(str(error), error.exit_code)
    except ImportError as error:
        return _without_extra(error)
    except OSError as error:
        if error.filename is None:
            return _bug(error)
        return _complain(f"{error.filename}: {error.strerror}", USAGE)
    except Exception as error:  # noqa: BLE001 - the last resort: no traceback reaches a user
        return _bug(error)
    if isinstance(result, bool):
        return HELD if result else DID_NOT_HOLD
    return result if isinstance(result, int) else HELD


def _end_as_by_ctrl_c() -> None:
    # a process that simply dies leaves behind what it has started: the target of --server or --app
    if threading.current_thread() is threading.main_thread():
        signal.signal(signal.SIGTERM, signal.default_int_handler)


def _complain(message: str, code: int) -> int:
    # what came from a server or a file may hold escape sequences; and one mistake is one line
    line = " ".join(message.split("\n"))
    shown = "".join(char if char.isprintable() else char.encode("unicode_escape").decode() for char in line)
    click.echo(f"ssegauge: {shown}", err=True)
    return code


def _usage(error: click.ClickException) -> str:
    message = error.format_message()
    if isinstance(error, click.UsageError) and error.ctx is not None:
        return f"{message} (see: {error.ctx.command_path} --help)"
    return message


def _without_extra(error: ImportError) -> int:
    missing = (error.name or "").partition(".")[0]
    if isinstance(error, ModuleNotFoundError) and missing in EXTRAS:
        extra = EXTRAS[missing]
        return _complain(
            f"this needs the extra {extra!r}: pip install 'ssegauge[{extra}]' ({missing} is missing)", USAGE
        )
    return _bug(error)


def _bug(error: Exception) -> int:
    if os.environ.get("SSEGAUGE_TRACEBACK"):
        traceback.print_exception(error)
    told = f"{type(error).__name__}: {error}" if str(error) else type(error).__name__
    return _complain(
        f"internal error, nothing was judged: {told} (SSEGAUGE_TRACEBACK=1 shows where; please report it)", INCONCLUSIVE
    )
