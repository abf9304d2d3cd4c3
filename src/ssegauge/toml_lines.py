"""On which line of a TOML text each key and item stands, which tomllib does not tell.

The text has been read by tomllib before, so it is valid, and the scan needs to know no more of TOML
than where keys, strings, lists and tables begin and end.
"""

from __future__ import annotations

import json
import re

Path = tuple[str | int, ...]

_BLANK = re.compile(r"(?:[ \t\r\n]|#[^\n]*)*")
_SPACE = re.compile(r"[ \t]*")
_BARE_KEY = re.compile(r"[A-Za-z0-9_-]+")
_BARE_VALUE = re.compile(r"[^,\]}#\r\n]+")
_STRING = re.compile(
    r'"""(?:[^\\]|\\.)*?"{3,5}'  # a closing delimiter may follow up to two more quotes
    r"|'''.*?'{3,5}"
    r'|"(?:[^"\\\n]|\\.)*"'
    r"|'[^'\n]*'",
    re.DOTALL,
)


def lines(text: str) -> dict[Path, int]:
    """The line, from 1, of every table, key and list item by its path; items count from 0."""
    scan = _Scan(text)
    scan.document()
    return scan.found


def nearest(found: dict[Path, int], path: Path) -> int:
    """The line of the path, or of the nearest thing around it that is there; at worst line 1."""
    for length in range(len(path), 0, -1):
        if path[:length] in found:
            return found[path[:length]]
    return 1


class _Scan:
    def __init__(self, text: str) -> None:
        self.text = text
        self.at = 0
        self.line = 1
        self.counted = 0
        self.found: dict[Path, int] = {}
        self.last_item: dict[Path, int] = {}

    def document(self) -> None:
        table: Path = ()
        while self.skip(_BLANK):
            if self.text.startswith("[", self.at):
                table = self.header()
            else:
                self.pair(table)

    def header(self) -> Path:
        is_item = self.text.startswith("[[", self.at)
        self.at += 2 if is_item else 1
        self.skip(_SPACE)
        keys = self.key()
        self.skip(_SPACE)
        self.at += 2 if is_item else 1
        path = self.record((), keys[:-1])
        path = self.record(path, keys[-1:], enter=not is_item)
        if is_item:
            self.last_item[path] = self.last_item.get(path, -1) + 1
            path = (*path, self.last_item[path])
            self.found[path] = self.line_here()
        return path

    def pair(self, table: Path) -> None:
        path = self.record(table, self.key())
        self.skip(_SPACE)
        self.at += 1  # the equals sign
        self.value(path)

    def record(self, path: Path, keys: list[str], *, enter: bool = True) -> Path:
        for key in keys:
            path = (*path, key)
            self.found.setdefault(path, self.line_here())
            if enter and path in self.last_item:  # a table of tables is continued in its newest item
                path = (*path, self.last_item[path])
        return path

    def key(self) -> list[str]:
        keys = [self.one_key()]
        while self.skip(_SPACE) and self.text[self.at] == ".":
            self.at += 1
            self.skip(_SPACE)
            keys.append(self.one_key())
        return keys

    def one_key(self) -> str:
        begin = self.at
        if self.text[begin] in "\"'":
            self.skip(_STRING)
            return _unquoted(self.text[begin : self.at])
        self.skip(_BARE_KEY)
        return self.text[begin : self.at]

    def value(self, path: Path) -> None:
        self.skip(_SPACE)
        match self.text[self.at]:
            case '"' | "'":
                self.skip(_STRING)
            case "[":
                self.items(path)
            case "{":
                self.members(path)
            case _:
                self.skip(_BARE_VALUE)

    def items(self, path: Path) -> None:
        self.at += 1
        index = 0
        while self.skip(_BLANK) and self.text[self.at] != "]":
            self.found[(*path, index)] = self.line_here()
            self.value((*path, index))
            index += 1
            self.comma()
        self.at += 1

    def members(self, path: Path) -> None:
        self.at += 1
        while self.skip(_BLANK) and self.text[self.at] != "}":
            self.pair(path)
            self.comma()
        self.at += 1

    def comma(self) -> None:
        self.skip(_BLANK)
        if self.text[self.at] == ",":
            self.at += 1

    def skip(self, pattern: re.Pattern[str]) -> bool:
        matched = pattern.match(self.text, self.at)
        if matched is not None:
            self.at = matched.end()
        return self.at < len(self.text)

    def line_here(self) -> int:
        self.line += self.text.count("\n", self.counted, self.at)
        self.counted = self.at
        return self.line


def _unquoted(key: str) -> str:
    if key.startswith("'"):
        return key[1:-1]
    escaped = re.sub(r"\\U([0-9A-Fa-f]{8})", lambda found: chr(int(found[1], 16)), key)
    try:
        return str(json.loads(escaped, strict=False))
    except ValueError:  # an escape that TOML has and JSON has not: \e, \xHH
        return key[1:-1]
