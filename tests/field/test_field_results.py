"""The page docs/field-results.md says what the tests of the field hold servers and proxies to."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from .proxies import PAGE as PROXIES
from .test_proxy_faults import FAULTS
from .test_servers import CLEAN, KNOWN, NATIVE
from .test_tuned_proxies import THROUGH

PAGE = (Path(__file__).resolve().parents[2] / "docs" / "field-results.md").read_text(encoding="utf-8")
ROWS = {
    "FastAPI's own event streams": ["fastapi on uvicorn, h11", "fastapi on hypercorn", "fastapi on granian", "fastapi on daphne"],
    "the same, failing right after": ["fastapi, failing right after an event"],
    "uvicorn with httptools": ["fastapi on uvicorn, httptools"],
    "Flask's": ["flask"],
    "Starlette as in tutorials": ["starlette as in tutorials"],
    "the same on daphne": ["starlette as in tutorials on daphne"],
    "Django on daphne": ["django on daphne"],
    "tornado, failing": ["tornado, failing"],
    "aiohttp-sse": ["aiohttp-sse"],
    "Express with": ["express, compressed"],
    "Hono's": ["hono"],
    "better-sse": ["better-sse on express"],
    "fastify-sse-v2": ["fastify-sse-v2, failing", "fastify-sse-v2"],
}  # fmt: skip
"""How a row of the table begins, and the cases that it tells of."""


def table(heading: str) -> list[list[str]]:
    """The cells of the first table under this heading, its head left out."""
    part = PAGE.partition(f"\n## {heading}\n")[2].partition("\n## ")[0]
    rows = [line.strip("|").split(" | ") for line in part.splitlines() if line.startswith("|")]
    return rows[2:]


def rules_in(text: str) -> set[str]:
    return set(re.findall(r"\b[A-Z]{3,4}-\d\d\b", text))


@pytest.mark.parametrize("start", list(ROWS))
def test_a_row_names_the_rules_that_its_servers_break(start: str) -> None:
    row = next(row for row in table("Not clean") if row[0].strip().startswith(start))
    held: set[str] = set().union(*(KNOWN[name].breaks for name in ROWS[start]))
    # what FastAPI breaks everywhere stands in its own row
    assert rules_in(row[1]) == (held - NATIVE if start == "uvicorn with httptools" else held)


def test_no_server_is_left_out() -> None:
    assert len(table("Not clean")) == len(ROWS)
    assert sorted(name for names in ROWS.values() for name in names) == sorted(KNOWN)
    assert all(not case.breaks for case in CLEAN.values())


def test_every_fault_of_a_proxy_that_is_mended_stands_in_the_table() -> None:
    told = {
        (word, rule) for row in table("Proxies") for word in re.findall(r"\w+", row[0]) for rule in rules_in(row[1])
    }
    assert {(fault.proxy, fault.rule) for fault in FAULTS.values()} <= told


def test_the_page_on_proxies_names_every_rule_that_looks_through_one() -> None:
    assert rules_in(PROXIES.read_text(encoding="utf-8")) >= THROUGH
