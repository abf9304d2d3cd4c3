"""Writes docs/kill-matrix.md: `python -m tests.mutants.page`. A test holds the page to what this module gives."""

from __future__ import annotations

from pathlib import Path

from ssegauge.rules import CATALOGUE, CATEGORIES, Rule

from .catalogue import MUTANTS, TOPICS

PAGE = Path(__file__).parent.parent.parent / "docs" / "kill-matrix.md"
HEAD = """\
# The kill matrix

Every rule is proven by a server that breaks it and, but for the companions named here, nothing else.
`tests/test_kill_matrix.py` serves each of them for real and judges it by every rule: the mutant trips its rule (sensitivity), and no other
beyond its companions (specificity). A server that breaks none, with the whole contract declared, trips nothing.
A companion is a rule that the mutant cannot help breaking too, because the same bytes break both.

This page is written by `python -m tests.mutants.page`; a test holds it to the suite.
"""


def page() -> str:
    """The page as it has to be."""
    parts = [HEAD]
    for category, meaning in CATEGORIES.items():
        rows = [_row(law) for law in CATALOGUE.values() if law.category == category]
        parts.append(
            f"## {category}\n\n{meaning}\n\n| rule | level | says | server | companions |\n| --- | --- | --- | --- | --- |\n"
            + "\n".join(rows)
            + "\n"
        )
    parts.append(f"All {len(CATALOGUE)} rules have their server.\n")
    return "\n".join(parts)


def _row(law: Rule) -> str:
    topic = next(topic.__name__.rpartition(".")[2] for topic in TOPICS if law.mutant in topic.MUTANTS)
    companions = ", ".join(sorted({*law.companions, *MUTANTS[law.mutant].companions})) or "none"
    return f"| {law.id} | {law.level} | {law.title} | `{law.mutant}` ({topic}) | {companions} |"


if __name__ == "__main__":
    PAGE.parent.mkdir(exist_ok=True)
    PAGE.write_text(page(), encoding="utf-8")
