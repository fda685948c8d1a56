"""A value fits its schema, or a sentence says what is wrong with it."""

from typing import Any

import pytest

from server.core.schema_flaws import flaw_of, unknown_keywords

ROOM = {
    "type": "object",
    "properties": {"name": {"type": "string", "maxLength": 3}, "seats": {"type": "integer"}},
    "required": ["name"],
    "additionalProperties": False,
}


@pytest.mark.parametrize(
    ("value", "schema"),
    [
        ("a", {"type": "string"}), (1, {"type": "integer"}), (1.0, {"type": "integer"}),
        (1, {"type": "number"}), (1.5, {"type": "number"}), (True, {"type": "boolean"}),
        (None, {"type": ["string", "null"]}),
        ([1], {"type": "array", "items": {"type": "integer"}}),
        ({"name": "red"}, ROOM), ({"any": 1}, {"type": "object"}), ("é" * 3, {"maxLength": 3}),
        (5, {"minLength": 9}), ("b", {"enum": ["a", "b"]}), (None, {}),
        ({"x": "y"}, {"additionalProperties": {"type": "string"}}),
    ],
)  # fmt: skip
def test_it_fits(value: Any, schema: dict[str, Any]) -> None:
    assert flaw_of(value, schema) is None


@pytest.mark.parametrize(
    ("value", "schema", "flaw"),
    [
        (1, {"type": "string"}, "has the wrong type"),
        (True, {"type": "integer"}, "has the wrong type"),
        (True, {"type": "number"}, "has the wrong type"),
        (1.5, {"type": "integer"}, "has the wrong type"),
        (0, {"type": "boolean"}, "has the wrong type"),
        ("abcd", {"maxLength": 3}, "is too long"), ("", {"minLength": 1}, "is too short"),
        ("ab", {"pattern": "^a$"}, "has the wrong form"), (0, {"minimum": 1}, "is too small"),
        (2, {"maximum": 1}, "is too large"), (1, {"exclusiveMinimum": 1}, "is too small"),
        (1, {"exclusiveMaximum": 1}, "is too large"), ([], {"minItems": 1}, "has too few items"),
        ([1, 2], {"maxItems": 1}, "has too many items"), ("c", {"enum": ["a"]}, "is none of"),
        ("c", {"const": "a"}, "has another value"),
        ([1, "a"], {"items": {"type": "integer"}}, "has an item that has the wrong type"),
        ({}, ROOM, "lacks `name`"), ({"name": "blue"}, ROOM, "has 'name', which is too long"),
        ({"name": "red", "x": 1}, ROOM, "has 'x', which is too much"),
        ({"x": 1}, {"additionalProperties": {"type": "string"}}, "has 'x', which has the wrong"),
    ],
)  # fmt: skip
def test_a_flaw_is_told(value: Any, schema: dict[str, Any], flaw: str) -> None:
    assert (flaw_of(value, schema) or "").startswith(flaw)


def test_a_keyword_that_nobody_checks_is_found_wherever_it_is() -> None:
    assert unknown_keywords(ROOM) == set()
    inner = {"properties": {"a": {"items": {"oneOf": []}}}, "additionalProperties": {"$ref": "x"}}
    assert unknown_keywords({**inner, "description": "A note."}) == {"oneOf", "$ref"}
