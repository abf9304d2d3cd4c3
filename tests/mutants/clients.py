"""Mutants that only some clients misread."""

from __future__ import annotations

from .encoding import before, everywhere, rewriting
from .server import Clean

MUTANTS: dict[str, type[Clean]] = {
    "ghost-event-after-id": rewriting("CLT-01", before(4, b": still here\n\n")),
    "id-alone-in-the-middle": rewriting("CLT-02", before(1, b"id: 0\n\n")),
    "ends-in-cr-cr": rewriting("CLT-03", everywhere(b"\n", b"\r")),
}
