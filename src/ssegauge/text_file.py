"""Files that a user names: their text and their TOML, or one line that says what is wrong with them."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path
from typing import Any

from ssegauge.errors import UserError


def read(path: str | Path, kind: type[UserError] = UserError, *, missing: str = "") -> str:
    """The text of this file, without a byte order mark. Raises `kind`; `missing` is said where there is no such file."""
    try:
        return Path(path).read_bytes().decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise kind(f"{path}: not a text file in UTF-8 (byte {error.start})") from error
    except OSError as error:
        reason = f"cannot be read: {(error.strerror or str(error)).lower()}"
        raise kind(f"{path}: {missing if missing and isinstance(error, FileNotFoundError) else reason}") from error


def parse_toml(text: str, source: str, kind: type[UserError] = UserError) -> dict[str, Any]:
    """The document that this TOML is. Raises `kind`, with `source` and the line."""
    try:
        return tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise kind(f"{source}:{_fault(text, str(error))}") from error
    except RecursionError as error:
        raise kind(f"{source}:1: nested too deeply") from error


def _fault(text: str, said: str) -> str:
    found = re.fullmatch(r"(.*) \(at line (\d+), column (\d+)\)", said, re.DOTALL)
    if found is not None:
        return f"{found[2]}: not valid TOML: {found[1]} (column {found[3]})"
    return f"{text.count(chr(10)) + 1}: not valid TOML: {said.replace(' (at end of document)', '')}, at the end of the file"
