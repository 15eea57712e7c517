"""Which schemas a strict request may hold."""

from __future__ import annotations

import pytest

from polychat.sandbox.services.openai.strictness import problem

TEXT = {"type": "string"}


def closed(**properties):
    """An object as it should be."""
    return {"type": "object", "properties": properties, "required": [*properties], "additionalProperties": False}


def nested(levels):
    """Objects in objects."""
    schema = closed(end=TEXT)
    for _ in range(levels):
        schema = closed(inner=schema)
    return schema


@pytest.mark.parametrize(
    "schema",
    [
        closed(),
        closed(a=TEXT, b={"type": ["string", "null"]}),
        closed(a={"anyOf": [TEXT, closed(b=TEXT)]}),
        closed(a={"type": "array", "items": closed(b=TEXT)}),
        closed(a={"$ref": "#/$defs/it"}) | {"$defs": {"it": closed(b=TEXT)}},
        nested(9),
    ],
)
def test_a_closed_schema_is_taken(schema):
    """Everything required, nothing else allowed."""
    assert problem(schema, strict=True) is None


@pytest.mark.parametrize(
    ("schema", "words"),
    [
        ({}, "the root must have the type 'object'"),
        ({"type": "array", "items": TEXT}, "the root must have the type 'object'"),
        ({"anyOf": [closed()]}, "the root must have the type 'object'"),
        (closed() | {"additionalProperties": True}, "'additionalProperties' is required"),
        ({"type": "object", "properties": {}}, "'additionalProperties' is required"),
        (closed(a=TEXT, b=TEXT) | {"required": ["a"]}, "missing 'b'"),
        (closed(a=closed(b=TEXT) | {"required": []}), "context (properties, a), 'required'"),
        (closed(a={"type": "array", "items": {"type": "object"}}), "context (properties, a, items)"),
        (closed(a={"anyOf": [TEXT, {"type": "object"}]}), "context (properties, a, anyOf, 1)"),
        (closed() | {"$defs": {"it": {"type": "object"}}}, "context ($defs, it)"),
        (closed(a={"oneOf": [TEXT]}), "'oneOf' is not permitted"),
        (closed(a={"allOf": [TEXT]}), "'allOf' is not permitted"),
        (closed(a=True), "expected a schema with a type"),
        (nested(11), "more than 10 levels"),
    ],
)
def test_an_open_schema_is_refused_by_place(schema, words):
    """The first mistake is told."""
    assert words in (problem(schema, strict=True) or "")


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"properties": 7}, "'properties' is not of the right type"),
        ({"required": 7}, "'required' is not of the right type"),
        ({"required": [{}]}, "'required' holds more than names"),
        ({"type": [{}]}, "'{}' is not a type"),
        ({"properties": {"a": 7}}, "in context (properties, a), expected a schema"),
        ({"properties": {"a": {"type": "text"}}}, "'text' is not a type"),
        ({"properties": {"a": {"type": ["string", "text"]}}}, "'text' is not a type"),
        ({"properties": {"a": {"minLength": "7"}}}, "'minLength' is not of the right type"),
        ({"properties": {"a": {"$ref": "#/$defs/a"}}}, "'#/$defs/a' leads nowhere"),
        ({"properties": {"a": {"$ref": "https://example.com/a"}}}, "'https://example.com/a' leads nowhere"),
        ({"properties": {"a": {"oneOf": [7]}}}, "in context (properties, a, oneOf, 0), expected a schema"),
    ],
)
@pytest.mark.parametrize("strict", [True, False])
def test_what_is_no_schema_is_refused_either_way(changes, words, strict):
    """By its place."""
    assert words in (problem(closed() | changes, strict=strict) or "")


def test_without_strictness_only_the_root_counts():
    """As it always was for functions."""
    assert problem({"type": "object", "properties": {"a": {"oneOf": [TEXT]}}}, strict=False) is None
    assert problem({"properties": {}}, strict=False) is None
    assert problem({"type": "string"}, strict=False) == "the root must have the type 'object'"
