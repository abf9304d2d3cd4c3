"""The pages of docs/ that are written from the code: `python -m tests.pages`. Tests hold the pages to what this gives."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from . import command_line, profile, rules

DOCS = Path(__file__).parent.parent.parent / "docs"
PAGES: dict[Path, Callable[[], str]] = {
    DOCS / "rules.md": rules.page,
    DOCS / "reference" / "profile.md": profile.page,
    DOCS / "reference" / "command-line.md": command_line.page,
}
