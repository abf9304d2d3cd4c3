from collections.abc import Iterator

import pytest

from tests.mutants.host import Host


@pytest.fixture(scope="module")
def host() -> Iterator[Host]:
    started = Host()
    yield started
    started.stop()
