"""What the generator holds, as it sees itself."""

import os
from pathlib import Path

from ssegauge.load import selfwatch


def descriptors():
    """The names of those that are open; the folder that is read is one of them."""
    return sum(1 for _ in Path("/proc/self/fd").iterdir()) - 1


def test_open_files_are_counted(tmp_path):
    before = selfwatch.open_files()
    files = [(tmp_path / str(number)).open("w") for number in range(3)]
    try:
        assert selfwatch.open_files() == before + 3 == descriptors()
    finally:
        for file in files:
            file.close()


def test_a_system_that_does_not_say_has_none(tmp_path, monkeypatch):
    monkeypatch.setattr(selfwatch, "_FD_DIR", tmp_path / "nothing")
    assert selfwatch.open_files() == 0


def test_a_kernel_that_gives_no_number_is_counted_by_hand(monkeypatch):
    monkeypatch.setattr(selfwatch, "_FD_DIR", Sizeless("/proc/self/fd"))
    assert selfwatch.open_files() == descriptors()


class Sizeless:
    """The folder as kernels before 6.2 show it."""

    def __init__(self, path):
        self.path = path

    def __fspath__(self):
        return self.path

    def stat(self):
        return os.stat_result((0,) * 10)
