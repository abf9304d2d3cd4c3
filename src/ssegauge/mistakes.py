"""What pydantic found wrong in a document, as one sentence about one key in the words of who wrote it."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable
from datetime import date, time
from typing import Any, get_args

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

Path = tuple[str | int, ...]

_EXPECTED = {
    "string_type": "text in quotes",
    "string_sub_type": "text in quotes",
    "bool_type": "true or false",
    "bool_parsing": "true or false",
    "int_type": "a whole number",
    "int_parsing": "a whole number",
    "int_from_float": "a whole number",
    "float_type": "a number",
    "float_parsing": "a number",
    "tuple_type": "a list",
    "list_type": "a list",
    "dict_type": "a table",
    "model_type": "a table",
    "model_attributes_type": "a table",
}
_UNKNOWN = {"extra_forbidden", "unexpected_keyword_argument"}


class Mistake(Exception):
    """Something is wrong at `path`. The message names `shown` as the key, where that is not the path itself."""

    def __init__(self, path: Path, text: str, shown: Path | None = None) -> None:
        super().__init__(text)
        self.path = path
        self.text = text
        self.shown = path if shown is None else shown

    def key(self, inside: int = 0) -> str:
        """The key as people write it: `request.headers.Accept`, `terminal[0]`."""
        words = ""
        for part in self.shown[inside:]:
            words += f"[{part}]" if isinstance(part, int) else f".{part}" if words else part
        return words

    def message(self, document: dict[str, Any]) -> str:
        """`endpoint "name": key: what is wrong`."""
        parts = []
        inside = 0
        if len(self.path) > 1 and self.path[0] == "endpoint" and isinstance(self.path[1], int):
            inside = 2
            parts.append(f"endpoint {_name(document, self.path[1])}")
        key = self.key(inside)
        return printable(": ".join([*parts, *([key] if key else []), self.text]))


def _name(document: dict[str, Any], index: int) -> str:
    try:
        name = document["endpoint"][index]["name"]
    except (LookupError, TypeError):
        name = None
    return f'"{name}"' if isinstance(name, str) else str(index + 1)


def first_mistake(error: ValidationError, document: Any, model: type[BaseModel]) -> Mistake:
    """The one mistake to tell. A misspelt key comes before the key that is missing because of it."""
    details = error.errors(include_url=False, include_context=True, include_input=True)
    details.sort(key=lambda detail: detail["type"] not in _UNKNOWN)
    return _mistake(details[0], document, model)


def _mistake(detail: ErrorDetails, document: Any, model: type[BaseModel]) -> Mistake:
    path = _written(detail["loc"], document)
    kind = detail["type"]
    if kind in _UNKNOWN or (detail["loc"] and detail["loc"][-1] == "[key]" and kind == "literal_error"):
        known = _known_keys(model, path[:-1]) or _choices(detail)
        return Mistake(path, f'unknown key "{path[-1]}"{similar(str(path[-1]), known)}', path[:-1])
    if kind == "missing":
        return Mistake(path[:-1], f'missing key "{path[-1]}"')
    if kind == "value_error":
        return Mistake(path, str(detail["ctx"]["error"]))
    if kind in _EXPECTED:
        return Mistake(path, f"expected {_EXPECTED[kind]}, found {_found(detail['input'])}")
    if kind == "literal_error":
        return Mistake(path, f"expected {detail['ctx']['expected']}")
    if kind == "too_short":
        return Mistake(path, "is empty")
    return Mistake(path, detail["msg"][:1].lower() + detail["msg"][1:])


def _written(loc: tuple[str | int, ...], document: Any) -> Path:
    """The part of pydantic's location that stands in the document; the rest are names of types."""
    path: list[str | int] = []
    for part in loc:
        if part == "[key]":
            break
        path.append(part)
        try:
            document = document[part]
        except (LookupError, TypeError):
            break
    return tuple(path)


def _known_keys(model: type[BaseModel], path: Path) -> list[str]:
    found: type[BaseModel] | None = model
    for part in path:
        if isinstance(part, int) or found is None:
            continue
        field = next((field for name, field in found.model_fields.items() if (field.alias or name) == part), None)
        found = None if field is None else _model_in(field.annotation)
    return [] if found is None else [field.alias or name for name, field in found.model_fields.items()]


def _model_in(annotation: Any) -> type[BaseModel] | None:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation
    return next((found for inner in get_args(annotation) if (found := _model_in(inner)) is not None), None)


def _choices(detail: ErrorDetails) -> list[str]:
    expected = str(detail.get("ctx", {}).get("expected", ""))
    return re.findall(r"'([^']*)'", expected)


def printable(text: str) -> str:
    """The text with every letter that cannot be printed as its escape, on one line."""
    return "".join(letter if letter.isprintable() else ascii(letter)[1:-1] for letter in text)


def similar(word: str, known: Iterable[str]) -> str:
    """` (did you mean "x"?)` where something known is spelt much like it, else nothing."""
    near = difflib.get_close_matches(word.lower(), list(known), n=1, cutoff=0.6)
    return f' (did you mean "{near[0]}"?)' if near else ""


def _found(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    kinds: tuple[tuple[type | tuple[type, ...], str], ...] = (
        (str, "text"),
        ((int, float), "a number"),
        (list, "a list"),
        (dict, "a table"),
        ((date, time), "a date or time"),
    )
    return next((word for kind, word in kinds if isinstance(value, kind)), "nothing")
