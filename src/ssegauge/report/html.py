"""HTML as a tree of elements. Text is escaped where the tree is written, once, and nothing in it can be markup.

What cannot be seen (controls, bidi marks, ANSI escapes) is written as an escape, so that what a server sent neither
turns a line around nor hides in it. Backslashes stay: names that were made visible before are not doubled.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from html import escape
from typing import Final, TypeAlias
from urllib.parse import urlsplit

from ssegauge.visible import visible

MOST: Final = 400
"""Characters of a name or a sentence that are shown; a megabyte-long one is cut and says so."""

_VOID: Final = frozenset({"br", "col", "link", "meta", "wbr"})

Leaf: TypeAlias = "Element | Verbatim | str"
Child: TypeAlias = "Leaf | int | Iterable[Child] | None"


@dataclass(frozen=True)
class Verbatim:
    """Text of ours that is written as it is: the content of a script or a style."""

    text: str


@dataclass(frozen=True)
class Element:
    """A tag with its attributes and children; `el` makes one."""

    tag: str
    attributes: tuple[tuple[str, str | None], ...]
    children: tuple[Leaf, ...]

    def __str__(self) -> str:
        return "".join(_written(self))


def el(tag: str, *children: Child, **attributes: str | int | bool | None) -> Element:
    """An element. `class_` and `aria_label` become class and aria-label; None and False leave an attribute out."""
    pairs = tuple(
        (name.rstrip("_").replace("_", "-"), None if value is True else str(value))
        for name, value in attributes.items()
        if value is not None and value is not False
    )
    return Element(tag, pairs, tuple(_flat(children)))


def cut(value: object, most: int = MOST) -> str:
    """A value of a results document as text of bounded length; nothing where there is none."""
    text = value if isinstance(value, str) else "" if value is None else str(value)
    return text if len(text) <= most else f"{text[:most]}… ({len(text):,} characters)"


def plain(text: str) -> str:
    """The text with everything invisible written as an escape."""
    if text.isprintable():
        return text
    # visible() doubles backslashes, which what was made visible before already has
    parts = text.split("\\")
    return "\\".join(visible(part, len(part)) for part in parts)


def link(address: str, *children: Child, **attributes: str) -> Child:
    """A link where the address is one of the web, else its children alone."""
    try:
        safe = urlsplit(address).scheme in {"http", "https"}
    except ValueError:
        safe = False
    if not safe or not address.isprintable():
        return children
    return el("a", *children, href=address, rel="noreferrer noopener", **attributes)


def _flat(child: Child) -> Iterator[Leaf]:
    if child is None:
        return
    if isinstance(child, Element | Verbatim | str):
        yield child
    elif isinstance(child, int):
        yield str(child)
    else:
        for one in child:
            yield from _flat(one)


def _written(element: Element) -> Iterator[str]:
    attributes = "".join(
        f" {name}" if value is None else f' {name}="{escape(plain(value))}"' for name, value in element.attributes
    )
    yield f"<{element.tag}{attributes}>"
    if element.tag in _VOID:
        return
    for child in element.children:
        if isinstance(child, Element):
            yield from _written(child)
        else:
            yield child.text if isinstance(child, Verbatim) else escape(plain(child), quote=False)
    yield f"</{element.tag}>"
