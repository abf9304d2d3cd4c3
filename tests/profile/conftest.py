"""The profile that the design shows, with every key, and a way to write others."""

import textwrap
from pathlib import Path

import pytest

from ssegauge.profile import load

DESIGN = Path(__file__).resolve().parent / "design.toml"


@pytest.fixture
def written(tmp_path):
    def write(text):
        file = tmp_path / "sse-target.toml"
        file.write_text(textwrap.dedent(text), encoding="utf-8")
        return file

    return write


@pytest.fixture
def design(written, tmp_path):
    (tmp_path / "schemas").mkdir()
    (tmp_path / "schemas" / "token.json").write_text('{"type": "object", "required": ["text"]}')
    return load(written(DESIGN.read_text(encoding="utf-8")))
