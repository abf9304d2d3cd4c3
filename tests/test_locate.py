"""Finding the leaves in a checkout; tests/test_packaging.py does the same in an install."""

from pathlib import Path

import pytest

from ssegauge import locate
from ssegauge.errors import UserError

ROOT = Path(__file__).resolve().parent.parent


def test_a_checkout_knows_its_root() -> None:
    assert locate.checkout() == ROOT


@pytest.mark.parametrize("leaf", [leaf for leaf in locate.LEAVES if (ROOT / leaf).is_dir()])
def test_a_leaf_stands_at_the_root_of_a_checkout(leaf: str) -> None:
    assert locate.path(leaf) == ROOT / leaf
    assert locate.module(leaf) == leaf


def test_a_name_that_is_no_leaf_is_our_own_mistake() -> None:
    with pytest.raises(ValueError, match="no leaf"):
        locate.path("tests")


def test_the_installed_name_of_the_app_holds_in_a_checkout_too() -> None:
    assert locate.app("ssegauge.target_app.app:app") == locate.App("target_app.app:app", ROOT)


def test_any_other_app_is_looked_for_from_the_working_directory(tmp_path: Path, monkeypatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert locate.app("mine.main:create.app") == locate.App("mine.main:create.app", tmp_path)


@pytest.mark.parametrize("spec", ["", "mine", "mine:", ":app", "mine.py:app()", "./mine.py", "mine..main:app"])
def test_a_spec_that_is_none_is_told_in_one_line(spec: str) -> None:
    with pytest.raises(UserError, match="give it as module:attribute"):
        locate.app(spec)
