"""docs/servers.md is true: its rows are measured again. Where they are not, `python -m tests.field.deployed_page` writes it anew."""

from __future__ import annotations

import pytest

from .deployed import SERVED_BY
from .deployed_page import PAGE, bytes_rows, deploy_rows

pytestmark = [pytest.mark.field, pytest.mark.slow]


@pytest.fixture(scope="module")
def page() -> list[str]:
    return PAGE.read_text(encoding="utf-8").splitlines()


def test_the_bytes_are_those_of_the_page(page: list[str]) -> None:
    assert [row for row in bytes_rows() if row not in page] == []


@pytest.mark.parametrize(
    "server", [server for server in SERVED_BY if "httptools" not in server.name], ids=lambda s: s.name
)
def test_a_deploy_does_what_the_page_says(page: list[str], server) -> None:
    rows = deploy_rows([server], limits=[False])
    assert len(rows) == 3
    assert [row for row in rows if row not in page] == []
