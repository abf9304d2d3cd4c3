"""What every test may ask for."""

from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent


@pytest.fixture(scope="session")
def root() -> Path:
    """The root of the checkout."""
    return ROOT


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """What is allowed to take long gets longer before it counts as hanging."""
    for item in items:
        if item.get_closest_marker("slow") or item.get_closest_marker("matrix") or item.get_closest_marker("bench"):
            item.add_marker(pytest.mark.timeout(600))
