"""The words of the event-order grammar as a syntax tree; `ssegauge.order` gives it its meaning."""

from __future__ import annotations

import re
from typing import Final, NamedTuple, NoReturn

ANY_TYPE: Final = ""  # no event type is empty, so the empty name is free to stand for any
MAX_DEPTH: Final = 100

_WORD = re.compile(r"[\w.:/-]+")
_COUNT = re.compile(r"\{\s*(\d{1,9})\s*(?:(,)\s*(\d{1,9})?\s*)?\}")
_QUOTED = re.compile(r'"((?:[^"\\\r\n]|\\[^\r\n])*)"')


class OrderError(ValueError):
    """Raised when an order cannot be read. `column` counts from 1; the message names it."""

    def __init__(self, column: int, reason: str) -> None:
        super().__init__(f"column {column}: {reason}")
        self.column = column
        self.reason = reason


class Word(NamedTuple):
    """One event type, or `ANY_TYPE`, and the column where it stands."""

    name: str
    column: int


class Sequence(NamedTuple):
    """One after the other."""

    items: tuple[Node, ...]


class Choice(NamedTuple):
    """One of them."""

    items: tuple[Node, ...]


class Repeat(NamedTuple):
    """At least `least` times and at most `most`, None being without bound."""

    item: Node
    least: int
    most: int | None


Node = Word | Sequence | Choice | Repeat


class Parser:
    """Text to syntax tree, by recursive descent."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.at = 0
        self.depth = 0

    def parse(self) -> Node:
        """The tree of the whole text. Raises OrderError."""
        node = self._choice()
        if self._peek():
            self._fail("an event type, |, a repetition or the end")
        return node

    def _choice(self) -> Node:
        items = [self._sequence()]
        while self._peek() == "|":
            self.at += 1
            items.append(self._sequence())
        return items[0] if len(items) == 1 else Choice(tuple(items))

    def _sequence(self) -> Node:
        items = [self._repeated()]
        while self._begins_item():
            items.append(self._repeated())
        return items[0] if len(items) == 1 else Sequence(tuple(items))

    def _begins_item(self) -> bool:
        found = self._peek()
        return found in ("(", '"') or _WORD.match(found) is not None

    def _repeated(self) -> Node:
        node = self._item()
        counts = self._maybe_counts()
        if counts is None:
            return node
        if self._peek() and self._peek() in "*+?{":
            raise OrderError(self.at + 1, "two repetitions in a row; put the repeated part into parentheses")
        return Repeat(node, *counts)

    def _maybe_counts(self) -> tuple[int, int | None] | None:
        found = self._peek()
        if found in ("*", "+", "?"):
            self.at += 1
            return {"*": (0, None), "+": (1, None), "?": (0, 1)}[found]
        if found != "{":
            return None
        counts = _COUNT.match(self.text, self.at)
        if counts is None:
            raise OrderError(self.at + 1, "expected a repetition: {m}, {m,} or {m,n}")
        least = int(counts[1])
        most = least if not counts[2] else int(counts[3]) if counts[3] else None
        if most is not None and (most < least or most == 0):
            raise OrderError(self.at + 1, f"{counts[0]} repeats nothing; expected {{m,n}} with 0 < n and m <= n")
        self.at = counts.end()
        return least, most

    def _item(self) -> Node:
        found = self._peek()
        if found == "(":
            return self._group()
        column = self.at + 1
        if found == '"':
            return Word(self._quoted(), column)
        word = _WORD.match(self.text, self.at)
        if word is None:
            self._fail("an event type or (")
        self.at = word.end()
        if word[0] == ".":
            return Word(ANY_TYPE, column)
        if word[0].startswith(".") or word[0].endswith("."):
            raise OrderError(
                column,
                f'"{word[0]}" begins or ends with a dot; for any one event write . with a space '
                f"around it, for a type of that name put it into double quotes",
            )
        return Word(word[0], column)

    def _group(self) -> Node:
        opened = self.at + 1
        self.at += 1
        self.depth += 1
        if self.depth > MAX_DEPTH:
            raise OrderError(opened, f"parentheses are nested more than {MAX_DEPTH} deep")
        node = self._choice()
        if self._peek() != ")":
            if not self._peek():
                raise OrderError(opened, "this ( is never closed; expected ) before the end")
            self._fail("an event type, |, a repetition or )")
        self.at += 1
        self.depth -= 1
        return node

    def _quoted(self) -> str:
        quoted = _QUOTED.match(self.text, self.at)
        if quoted is None:
            raise OrderError(self.at + 1, 'this " is never closed; expected " before the end of the line')
        name = re.sub(r"\\(.)", r"\1", quoted[1])
        if not name:
            raise OrderError(self.at + 1, 'an event type is never empty; without a name it is "message"')
        self.at = quoted.end()
        return name

    def _peek(self) -> str:
        while self.at < len(self.text) and self.text[self.at].isspace():
            self.at += 1
        return self.text[self.at : self.at + 1]

    def _fail(self, expected: str) -> NoReturn:
        found = self._peek()
        raise OrderError(self.at + 1, f"expected {expected}, found {f'{found!r}' if found else 'the end'}")
