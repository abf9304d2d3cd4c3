"""`ssegauge rules`: the catalogue, or one rule."""

from __future__ import annotations

import json
import textwrap

import click

from ssegauge import suite
from ssegauge.errors import UserError
from ssegauge.rules import CATALOGUE, CATEGORIES, Rule

EXAMPLES = """\b
Examples:
  ssegauge rules
  ssegauge rules HDR-04
  ssegauge rules --category framing
"""


@click.command(epilog=EXAMPLES)
@click.argument("identifier", metavar="[ID]", required=False)
@click.option("--category", type=click.Choice(list(CATEGORIES)), help="Only rules of this topic.")
@click.option("--json", "as_json", is_flag=True, help="One JSON object for each rule.")
def command(identifier: str | None, category: str | None, *, as_json: bool) -> None:
    """List the rules, or show one: sentence, source, how it is judged, how to mend it."""
    if identifier is not None:
        law = CATALOGUE.get(identifier.upper())
        if law is None:
            raise UserError(f"no rule {identifier!r}; `ssegauge rules` lists them")
        click.echo(_json(law) if as_json else describe(law))
        return
    for law in CATALOGUE.values():
        if category in {None, law.category}:
            click.echo(_json(law) if as_json else _row(law))


def _row(law: Rule) -> str:
    runs = "" if law.id in suite.checks() else "  (does not run yet)"
    return f"{law.id:<8} {law.level:<12} {law.title}  [{', '.join(law.needs)}]{runs}"


def _json(law: Rule) -> str:
    return json.dumps(
        {
            **law.__dict__,
            "source": law.source.__dict__,
            "also": [source.__dict__ for source in law.also],
            "runs": law.id in suite.checks(),
        }
    )


def describe(law: Rule) -> str:
    """A rule in full, as people read it."""
    parts = [
        ("level", law.level),
        ("says", law.statement),
        ("source", f"{law.source} {law.source.url}".strip()),
        ("settles", law.source.detail),
        *(("also", f"{source} {source.url}".strip()) for source in law.also),
        ("needs", ", ".join(law.needs)),
        ("judged by", law.detection),
        ("note", law.note),
        ("mend", law.mend),
        *((name, line) for name, line in law.mends.items()),
        ("proven by", f"the server {law.mutant} in tests/mutants"),
        ("evidence", law.evidence + (", citation not yet confirmed" if law.check else "")),
    ]
    lines = [f"{law.id}  {law.title}"]
    for label, text in parts:
        if text:
            lines.append(
                textwrap.fill(
                    text,
                    88,
                    initial_indent=f"  {label:<10}",
                    subsequent_indent=" " * 12,
                    break_long_words=False,
                    break_on_hyphens=False,
                )
            )
    return "\n".join(lines)
