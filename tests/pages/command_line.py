"""docs/reference/command-line.md: the help of every verb."""

from __future__ import annotations

import click

from ssegauge.cli import VERBS, cli

HEAD = """\
# The command line

What each verb prints with `--help`. This page is written from it by `python -m tests.pages`; a test holds it to that.

## Exit codes

| code | | as in |
|---|---|---|
| 0 | held | every MUST that was judged held; the gates held; no stream failed |
| 1 | did not hold | a MUST is broken (with `--strict` a SHOULD); a gate failed; streams failed, or events were lost, doubled or reordered |
| 2 | the command was wrong | a misspelt option, a mistake in a profile or gates file, a file that is not there |
| 3 | inconclusive | nothing listens; the generator was too late for its own figures; too few values; a rule could not be judged |

3 is no weaker 0: it says that this run decides nothing. An error is one line on standard error. Standard output stays what was asked for: `ssegauge parse` prints nothing else there.

## Environment

| variable | |
|---|---|
| any that a profile or `--header` names as `env:NAME` | a secret that is to stand in no file |
| `LOCUST_…` | every argument of a load run: `LOCUST_SSE_RATE=50` is `--sse-rate 50` |
| `GITHUB_STEP_SUMMARY` | a file to which `gate` also appends its Markdown |
| `NO_COLOR` | no colour; there is none outside of a terminal anyway |

`check` and `load` do not obey the variables that turn a proxy on (`HTTP_PROXY` and the like): what stands between you and the target would be judged and measured with it. `parse` does.
"""


def page() -> str:
    parts = [HEAD]
    context = click.Context(cli, info_name="ssegauge", **cli.context_settings)
    for name in VERBS:
        command = cli.get_command(context, name)
        assert command is not None, name
        own = click.Context(command, info_name=name, parent=context, terminal_width=80)
        parts.append(f"## {name}\n\n```text\n{command.get_help(own).rstrip()}\n```\n")
    return "\n".join(parts)
