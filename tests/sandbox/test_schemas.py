"""Example values obey the schema they were made from."""

from __future__ import annotations

import pytest

from polychat.sandbox import schemas

CASES = [
    ({"type": "string"}, "hi"),
    ({"type": "string", "maxLength": 1}, "h"),
    ({"type": "string", "minLength": 4}, "hi.."),
    ({"type": "string", "format": "date"}, "2025-01-31"),
    ({"type": ["string", "null"]}, "hi"),
    ({"enum": ["c", "f"]}, "c"),
    ({"const": 3}, 3),
    ({"type": "integer"}, 1),
    ({"type": "integer", "minimum": 10}, 10),
    ({"type": "integer", "exclusiveMinimum": 10}, 11),
    ({"type": "integer", "maximum": -5}, -5),
    ({"type": "integer", "exclusiveMaximum": -5}, -6),
    ({"type": "integer", "multipleOf": 5, "minimum": 7}, 10),
    ({"type": "number", "minimum": 0.2, "maximum": 0.4}, 0.2),
    ({"type": "number", "exclusiveMinimum": 0, "exclusiveMaximum": 1}, 0.5),
    ({"type": "integer", "minimum": 1}, 1),
    ({"type": "boolean"}, True),
    ({"type": "null"}, None),
    ({"type": "array", "items": {"type": "integer"}, "minItems": 3}, [1, 1, 1]),
    ({"type": "array", "items": {"type": "integer"}, "maxItems": 0}, []),
    ({"prefixItems": [{"type": "string"}, {"type": "boolean"}]}, ["hi", True]),
    ({"properties": {"a": {"type": "integer"}, "b": {}}, "required": ["a", "c"]}, {"a": 1, "b": "hi", "c": "hi"}),
    ({"anyOf": [{"type": "integer"}, {"type": "null"}]}, 1),
    ({"allOf": [{"properties": {"a": {"const": 1}}}, {"properties": {"b": {"const": 2}}}]}, {"a": 1, "b": 2}),
    ({"$ref": "#/$defs/unit", "$defs": {"unit": {"enum": ["k"]}}}, "k"),
    (True, "hi"),
]


@pytest.mark.parametrize(("schema", "expected"), CASES)
def test_the_value_obeys_the_schema(schema, expected):
    """Bounds, alternatives and references included."""
    assert expected == schemas.example(schema, "hi")


def test_a_schema_that_refers_to_itself_ends():
    """Recursion goes a few levels down and stops at what is required."""
    node = {"type": "object", "properties": {"name": {"type": "string"}, "next": {"$ref": "#"}}, "required": ["name"]}
    value, depth = schemas.example(node, "x"), 0
    while "next" in value:
        value, depth = value["next"], depth + 1
    assert (value, depth) == ({"name": "x"}, 4)
