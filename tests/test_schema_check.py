"""The quick answer is jsonschema's answer, only sooner."""

import copy
import json
from importlib import resources

import pytest
from jsonschema import Draft202012Validator

from ssegauge.schema_check import compiled
from tests.report.test_odd_documents import CONFORMANCE, LOAD, changed, paths

SCHEMA = json.loads(resources.files("ssegauge").joinpath("results.schema.json").read_text(encoding="utf-8"))
ODD = [None, True, -1, 1.0, "", [1, "a"], {"count": -1}]


@pytest.mark.parametrize("document", [LOAD, CONFORMANCE], ids=["load", "conformance"])
def test_whatever_stands_anywhere_in_a_document_both_say_the_same(document) -> None:
    quick, slow, answers = compiled(SCHEMA), Draft202012Validator(SCHEMA), set()
    for path in paths(document):
        for value in ODD if path else []:
            odd = changed(document, path, value)
            assert quick(odd) == slow.is_valid(odd), f"{'.'.join(map(str, path))} = {value!r}"
            answers.add(quick(odd))
    assert answers == {True, False}


@pytest.mark.parametrize("document", [LOAD, CONFORMANCE], ids=["load", "conformance"])
def test_whatever_is_missing_both_say_the_same(document) -> None:
    quick, slow = compiled(SCHEMA), Draft202012Validator(SCHEMA)
    for path in paths(document):
        if path and isinstance(path[-1], str):
            lacking = copy.deepcopy(document)
            at = lacking
            for part in path[:-1]:
                at = at[part]
            del at[path[-1]]
            assert quick(lacking) == slow.is_valid(lacking), ".".join(map(str, path))


@pytest.mark.parametrize("document", [*ODD, {"schema": 1}, {"kind": "load"}, {"kind": "conformance"}], ids=repr)
def test_what_is_no_such_document_is_none_for_both(document) -> None:
    assert compiled(SCHEMA)(document) == Draft202012Validator(SCHEMA).is_valid(document)


def test_a_definition_may_hold_itself() -> None:
    tree = {
        "$ref": "#/$defs/tree",
        "$defs": {"tree": {"additionalProperties": {"$ref": "#/$defs/tree"}, "type": "object"}},
    }
    assert compiled(tree)({"a": {"b": {}}})
    assert not compiled(tree)({"a": {"b": 1}})


def test_a_keyword_that_is_not_known_is_not_passed_over() -> None:
    with pytest.raises(ValueError, match="pattern"):
        compiled({"properties": {"a": {"pattern": "x"}}})
