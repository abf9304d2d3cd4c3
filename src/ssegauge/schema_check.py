"""Whether a document keeps a JSON Schema: yes or no, quickly. Of the keywords only those that our own schema uses.

jsonschema says what is wrong and where, at some milliseconds for each second of a load run. A run of hours would be
checked for minutes by every verb that reads it, so jsonschema is asked only where the answer here is no.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final

Test = Callable[[Any], bool]

_TYPES: Final[dict[str, Test]] = {
    "object": lambda value: isinstance(value, dict),
    "array": lambda value: isinstance(value, list),
    "string": lambda value: isinstance(value, str),
    "boolean": lambda value: isinstance(value, bool),
    "null": lambda value: value is None,
    "number": lambda value: isinstance(value, int | float) and not isinstance(value, bool),
    "integer": lambda value: (
        (isinstance(value, int) and not isinstance(value, bool)) or (isinstance(value, float) and value.is_integer())
    ),
}
_is_number: Final = _TYPES["number"]
_SILENT: Final = frozenset({"$schema", "$defs", "title", "description", "then", "additionalProperties"})
"""They say nothing by themselves: remarks, and what `if` and `properties` look at."""


def compiled(schema: Mapping[str, Any]) -> Test:
    """A test for documents of this schema. Raises ValueError for a keyword that it does not know."""
    return _Compiler(schema).test(schema)


class _Compiler:
    def __init__(self, root: Mapping[str, Any]) -> None:
        self._root = root
        self._definitions: dict[str, Test] = {}

    def test(self, schema: Mapping[str, Any]) -> Test:
        if "properties" not in schema and "additionalProperties" in schema:
            schema = {**schema, "properties": {}}
        tests = [self._keyword(name, value, schema) for name, value in schema.items() if name not in _SILENT]
        if len(tests) == 1:
            return tests[0]
        return lambda value: all(test(value) for test in tests)

    def _keyword(self, name: str, value: Any, schema: Mapping[str, Any]) -> Test:
        match name:
            case "type":
                kinds = [_TYPES[kind] for kind in ([value] if isinstance(value, str) else value)]
                return kinds[0] if len(kinds) == 1 else lambda found: any(kind(found) for kind in kinds)
            case "$ref":
                return self._referred(value)
            case "properties":
                return self._members(value, schema.get("additionalProperties", True))
            case "items":
                item = self.test(value)
                return lambda found: not isinstance(found, list) or all(map(item, found))
            case "required":
                return lambda found: not isinstance(found, dict) or all(key in found for key in value)
            case "allOf":
                every = [self.test(one) for one in value]
                return lambda found: all(test(found) for test in every)
            case "if":
                condition, then = self.test(value), self.test(schema.get("then", {}))
                return lambda found: not condition(found) or then(found)
            case _:
                return _scalar(name, value)

    def _referred(self, reference: str) -> Test:
        """Looked up when it is first asked, for definitions may refer to themselves."""
        name = reference.removeprefix("#/$defs/")
        definition = self._root["$defs"][name]

        def test(found: Any) -> bool:
            if name not in self._definitions:
                self._definitions[name] = self.test(definition)
            return self._definitions[name](found)

        return test

    def _members(self, properties: Mapping[str, Any], others: Any) -> Test:
        tests = {name: self.test(schema) for name, schema in properties.items()}
        rest: Test = (lambda _: bool(others)) if isinstance(others, bool) else self.test(others)
        return lambda found: (
            not isinstance(found, dict) or all(tests.get(key, rest)(inner) for key, inner in found.items())
        )


def _scalar(name: str, value: Any) -> Test:
    match name:
        case "minimum":
            return lambda found: not _is_number(found) or found >= value
        case "exclusiveMinimum":
            return lambda found: not _is_number(found) or found > value
        case "minLength":
            return lambda found: not isinstance(found, str) or len(found) >= value
        case "enum":
            return lambda found: any(type(found) is type(one) and found == one for one in value)
        case "const":
            return lambda found: type(found) is type(value) and found == value
        case _:
            raise ValueError(f"{name} is not among the keywords that can be compiled")
