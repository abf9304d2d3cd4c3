"""JSON Pointer (RFC 6901) into decoded payloads, where a payload may be anything at all."""

from __future__ import annotations

import json
import re
from functools import lru_cache
from typing import Any, Final

from jsonpointer import JsonPointer, JsonPointerException
from pydantic_core import from_json

_INDEX = re.compile(r"0|[1-9][0-9]*")  # RFC 6901, section 4: no leading zeros


class Missing:
    """The type of `MISSING`: nothing is there, which is another thing than null."""

    def __repr__(self) -> str:
        return "MISSING"

    def __bool__(self) -> bool:
        return False


MISSING: Final = Missing()


def check(pointer: str) -> str:
    """The pointer itself. Raises ValueError where it is none."""
    parts(pointer)
    return pointer


def parts(pointer: str) -> list[str]:
    """The reference tokens, unescaped. Raises ValueError where the pointer is none."""
    try:
        return list(JsonPointer(pointer).parts)
    except JsonPointerException as error:
        hint = f'; write "/{pointer}"' if not pointer.startswith("/") else "; ~ is written ~0 and / inside a name ~1"
        raise ValueError(f'"{pointer}" is no JSON pointer{hint}') from error


def find(document: Any, tokens: list[str]) -> Any:
    """What stands there, or MISSING. Only objects and lists have members: not the letters of a string."""
    for token in tokens:
        if isinstance(document, dict):
            if token not in document:
                return MISSING
            document = document[token]
        elif isinstance(document, list):
            if not _INDEX.fullmatch(token) or len(token) > 9 or int(token) >= len(document):
                return MISSING
            document = document[int(token)]
        else:
            return MISSING
    return document


def whole_number(value: Any) -> int | None:
    """The number of 7, 7.0 or "7": of JSON, one that is whole, or written as a text where it is large."""
    if isinstance(value, bool):
        return None
    if isinstance(value, float) and value.is_integer():
        return int(value)
    if isinstance(value, str) and value.isascii() and value.isdigit() and len(value) < 40:
        return int(value)
    return value if isinstance(value, int) else None


def put(document: Any, tokens: list[str], value: Any) -> Any:
    """A copy of the document with the value in that place; objects that lie on the way are made."""
    if not tokens:
        return value
    token, rest = tokens[0], tokens[1:]
    if isinstance(document, list) and _INDEX.fullmatch(token) and int(token) < len(document):
        copy = list(document)
        copy[int(token)] = put(copy[int(token)], rest, value)
        return copy
    members = document if isinstance(document, dict) else {}
    return {**members, token: put(members.get(token), rest, value)}


@lru_cache(maxsize=1)  # of one event several things are asked in a row
def payload(data: str) -> Any:
    """The decoded JSON of an event's data, or MISSING where it is no JSON. Not to be changed by who asked for it."""
    try:
        return from_json(data)  # at a quarter of the cost, which under load is most of an event's
    except ValueError:
        pass  # half of a surrogate pair, say, or lists in 200 lists: Python's own takes more
    try:
        return json.loads(data)
    except (ValueError, RecursionError):
        return MISSING
