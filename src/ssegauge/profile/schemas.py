"""JSON Schemas of event payloads: read from files next to the profile, never from the network."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from jsonschema.exceptions import SchemaError
from jsonschema.protocols import Validator
from jsonschema.validators import validator_for
from referencing import Registry, Resource
from referencing.exceptions import NoSuchResource, Unresolvable
from referencing.jsonschema import DRAFT202012

_FOLDER_KEY = "x-ssegauge-folder"  # where relative references of a schema that came from a file begin


class SchemaFault(ValueError):
    """Raised where a schema cannot be used; the message is one line and says why."""


def read(path: Path) -> dict[str, Any]:
    """The schema in this file. Raises SchemaFault."""
    try:
        schema = json.loads(path.read_text(encoding="utf-8-sig"))
    except OSError as error:
        raise SchemaFault(
            f'the schema file "{path}" cannot be read: {(error.strerror or str(error)).lower()}'
        ) from error
    except RecursionError as error:
        raise SchemaFault(f'the schema file "{path}" is nested too deeply') from error
    except ValueError as error:
        raise SchemaFault(f'the schema file "{path}" is not valid JSON: {error}') from error
    if not isinstance(schema, dict):
        raise SchemaFault(f'the schema file "{path}" holds no JSON Schema: it is not an object')
    schema = {**schema, _FOLDER_KEY: str(path.parent)}
    try:
        check(schema)
    except SchemaFault as error:
        raise SchemaFault(f'the schema file "{path}" {error}') from error
    return schema


def check(schema: dict[str, Any]) -> None:
    """Nothing, where the schema is one and its references lead somewhere. Raises SchemaFault."""
    kind = validator_for(schema, default=validator_for({"$schema": "https://json-schema.org/draft/2020-12/schema"}))
    try:
        kind.check_schema(schema)
    except SchemaError as error:
        where = "/".join(str(part) for part in error.absolute_path)
        raise SchemaFault(f"is no valid JSON Schema: at /{where}: {_one_line(error.message)}") from error
    if "$id" not in json.dumps(
        schema, default=str
    ):  # ids move the base of references; then they are resolved when they are met
        _check_references(schema)


def _check_references(schema: dict[str, Any]) -> None:
    resolver = _registry(schema).resolver()
    waiting: list[Any] = [schema]
    while waiting:
        found = waiting.pop()
        if isinstance(found, dict):
            reference = found.get("$ref")
            if isinstance(reference, str):
                _resolve(resolver, reference)
            waiting.extend(found.values())
        elif isinstance(found, list):
            waiting.extend(found)


def _resolve(resolver: Any, reference: str) -> None:
    try:
        resolver.lookup(reference)
    except (Unresolvable, ValueError) as error:
        raise SchemaFault(f'has a reference that leads nowhere: "{_one_line(reference)}"') from error


def validator(schema: dict[str, Any]) -> Validator:
    """A validator for the schema, draft 2020-12 where it names none; it fetches nothing from the network."""
    kind = validator_for(schema, default=validator_for({"$schema": "https://json-schema.org/draft/2020-12/schema"}))
    return kind(schema, registry=_registry(schema), format_checker=kind.FORMAT_CHECKER)


def _registry(schema: dict[str, Any]) -> Any:
    folder = schema.get(_FOLDER_KEY)

    def retrieve(uri: str) -> Resource[Any]:
        if folder is None or ":" in uri:
            raise NoSuchResource(uri)
        try:
            contents = json.loads((Path(folder) / uri).read_text(encoding="utf-8-sig"))
        except (OSError, ValueError) as error:
            raise NoSuchResource(uri) from error
        return Resource.from_contents(contents, default_specification=DRAFT202012)

    # mypy reads the attrs field `retrieve` as positional-only
    return Registry(retrieve=retrieve).with_resource("", DRAFT202012.create_resource(schema))  # type: ignore[call-arg]


def _one_line(text: str) -> str:
    return " ".join(text.split())[:300]
