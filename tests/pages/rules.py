"""docs/rules.md: the catalogue as a page."""

from __future__ import annotations

from ssegauge.rules import CATALOGUE, CATEGORIES, LEVEL_MEANINGS, NEEDS, Rule, Source

HEAD = """\
# The rules

{count} rules. `ssegauge rules ID` shows one of them in the terminal, `ssegauge check TARGET --rule ID` judges it alone, and the [kill matrix](kill-matrix.md) names the server that proves it.

This page is written from `src/ssegauge/rules.json` by `python -m tests.pages`; a test holds it to that.

An id is never reused, and its meaning does not change: results, gates and lists of accepted deviations may keep it.
"""
OUTCOMES = """\
| outcome | |
|---|---|
| `pass` | held |
| `fail` | broken: a MUST fails the run, a SHOULD does with `--strict` |
| `not_declared` | the profile does not declare what the rule judges |
| `untestable` | needs something that this run does not have; it says what. Fails the run with `--require` |
| `error` | the harness could not judge; it says why. Of a MUST: exit code 3 |
"""


def page() -> str:
    parts = [HEAD.format(count=len(CATALOGUE)), "## Levels and outcomes\n", _table("level", LEVEL_MEANINGS), OUTCOMES]
    parts += ["## What judging needs\n", "Each entry of *needs* must be there; `a|b` means either.\n"]
    rows = [f"| `{_cell(name)}` | {_cell(need['means'])} | `{need['absent']}` |" for name, need in NEEDS.items()]
    parts.append("\n".join(["| need | means | without it |", "|---|---|---|", *rows]) + "\n")
    for category, meaning in CATEGORIES.items():
        parts.append(f"## {category}\n\n{meaning[:1].upper()}{meaning[1:]}.\n")
        parts += [_rule(rule) for rule in CATALOGUE.values() if rule.category == category]
    return "\n".join(parts)


def _table(head: str, rows: dict[str, str]) -> str:
    lines = [f"| `{name}` | {_cell(text)} |" for name, text in rows.items()]
    return "\n".join([f"| {head} | |", "|---|---|", *lines]) + "\n"


def _cell(text: str) -> str:
    return text.replace("|", "\\|")


def _rule(rule: Rule) -> str:
    sources = "; ".join(_source(source) for source in (rule.source, *rule.also))
    needs = ", ".join(f"`{need}`" for need in rule.needs)
    recording = "; a recording is enough" if rule.recording else ""
    lines = [
        f"### {rule.id}: {rule.title}\n",
        f"**{rule.level}.** {rule.statement}\n",
        f"- judged by: {rule.detection}",
        f"- needs: {needs}{recording}",
        f"- mend: {rule.mend}",
        f"- source: {sources} ({rule.evidence}{'; the citation is to be verified' if rule.check else ''})",
    ]
    lines += [f"- note: {rule.note}"] if rule.note else []
    return "\n".join(lines) + "\n"


def _source(source: Source) -> str:
    name = f"[{source}]({source.url})" if source.url else str(source)
    return f"{name}: {source.detail}" if source.detail else name
