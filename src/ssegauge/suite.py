"""Finds the checks of the conformance suite: one function for each rule, in the file of its topic."""

from __future__ import annotations

import importlib
import sys
from functools import cache
from types import ModuleType

from ssegauge import locate
from ssegauge.judging import Check


@cache
def checks() -> dict[str, Check]:
    """Every check by the id of its rule."""
    found: dict[str, Check] = {}
    for path in sorted(locate.path("conformance").glob("test_*.py")):
        for value in vars(_module(path.stem)).values():
            identifier = getattr(getattr(value, "rule", None), "id", None)
            if identifier is not None and callable(value):
                found[identifier] = value
    return found


def _module(stem: str) -> ModuleType:
    folder = str(locate.path("conformance").parent)
    name = locate.module("conformance")
    if locate.checkout() and folder not in sys.path:
        sys.path.append(folder)
    return importlib.import_module(f"{name}.{stem}")
