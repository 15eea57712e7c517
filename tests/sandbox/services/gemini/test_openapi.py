"""Schemas of both kinds: obeyed, or refused by place."""

from __future__ import annotations

import enum
import json

import pytest
from pydantic import BaseModel

PLACE = "generation_config.response_schema"


class Colour(enum.Enum):
    """Words to choose from."""

    RED = "red"
    BLUE = "blue"


class Cat(BaseModel):
    """A shape for an answer."""

    name: str
    lives: int
    colour: Colour
    friends: list[str]
    home: str | None


@pytest.fixture
def filled(answered):
    """filled(schema, field=): what the model says when it has to obey a schema."""

    def filled(schema, field="responseSchema"):
        config = {"responseMimeType": "application/json", field: schema}
        return json.loads(answered({"generationConfig": config})["content"]["parts"][0]["text"])

    return filled


def test_the_package_parses_into_a_model(generate):
    """From its class, which is sent as the service writes schemas."""
    told = generate("Felix", response_mime_type="application/json", response_schema=Cat)
    assert told.parsed == Cat(name="Felix", lives=1, colour=Colour.RED, friends=["Felix"], home="Felix")


def test_the_package_sends_a_json_schema_as_it_is(generate):
    """With definitions and references."""
    schema = Cat.model_json_schema()
    told = generate("Felix", response_mime_type="application/json", response_json_schema=schema)
    assert Cat.model_validate(told.parsed).colour is Colour.RED


def test_the_package_chooses_a_word(generate):
    """Which is said bare, not in JSON."""
    told = generate(response_mime_type="text/x.enum", response_schema=Colour)
    assert (told.text, told.parsed) == ("red", Colour.RED)


@pytest.mark.parametrize(
    ("schema", "expected"),
    [
        ({"type": "STRING"}, "Hello there"),
        ({"type": "string", "format": "date-time"}, "2025-01-31T12:00:00Z"),
        ({"type": "STRING", "enum": ["b", "a"]}, "b"),
        ({"type": "STRING", "max_length": 5}, "Hello"),
        ({"type": "STRING", "minLength": "12"}, "Hello there."),
        ({"type": "INTEGER", "minimum": 3, "format": "int32"}, 3),
        ({"type": "INTEGER", "enum": ["7"]}, 7),
        ({"type": "NUMBER", "maximum": 0.5, "minimum": 0.25}, 0.25),
        ({"type": "BOOLEAN", "nullable": True}, True),
        ({"type": "NULL"}, None),
        ({"type": "ARRAY", "items": {"type": "INTEGER"}, "minItems": 2, "maxItems": 3}, [1, 1]),
        ({"anyOf": [{"type": "INTEGER"}, {"type": "STRING"}]}, 1),
        ({"type": "STRING", "default": "usual", "title": "T", "example": 1, "description": "d"}, "usual"),
    ],
)
def test_a_schema_is_obeyed(filled, schema, expected):
    """Its types, bounds and choices."""
    assert filled(schema) == expected


def test_properties_come_in_the_order_that_is_asked_for(filled):
    """Those without a place in it come last."""
    properties = {name: {"type": "INTEGER"} for name in "abc"}
    schema = {"type": "OBJECT", "properties": properties, "propertyOrdering": ["c", "a"], "required": ["b"]}
    assert list(filled(schema)) == ["c", "a", "b"]


def test_a_json_schema_may_be_of_any_type(filled):
    """Also of a list."""
    assert filled({"type": "array", "items": {"type": ["integer", "null"]}}, "responseJsonSchema") == [1]


@pytest.mark.parametrize(
    ("schema", "field"),
    [
        ({}, ".type"),
        ({"type": "TEXT"}, ".type"),
        ({"type": "OBJECT"}, ".properties"),
        ({"type": "ARRAY"}, ".items"),
        ({"type": "ARRAY", "items": {}}, ".items.type"),
        ({"type": "BOOLEAN", "enum": ["true"]}, ".enum"),
        ({"type": "STRING", "format": "email"}, ".format"),
        ({"type": "INTEGER", "format": "double"}, ".format"),
        ({"type": "OBJECT", "properties": {"a": {}}}, ".properties[a].type"),
        ({"type": "OBJECT", "properties": {"a": {"type": "STRING"}}, "required": ["a", "b"]}, ".required[1]"),
        (
            {"type": "OBJECT", "properties": {"a": {"type": "STRING"}}, "propertyOrdering": ["b"]},
            ".property_ordering[0]",
        ),
        ({"anyOf": [{"type": "STRING"}, {}]}, ".any_of[1].type"),
        ({"type": "OBJECT", "properties": {"a": {"type": "STRING"}}, "additionalProperties": False}, ""),
        ({"type": "OBJECT", "properties": {"a": {"type": "STRING", "const": "x"}}}, ".properties[0].value"),
        ({"type": "STRING", "enum": [1]}, ".enum[0]"),
    ],
)
def test_a_schema_that_makes_no_sense_is_refused(wrong, schema, field):
    """400 with the place."""
    config = {"responseMimeType": "application/json", "responseSchema": schema}
    assert wrong({"generationConfig": config}) == [f"{PLACE}{field}"]


@pytest.mark.parametrize("schema", [True, [], "x", {"type": "text"}, {"$ref": "#/$defs/none"}, {"items": {"type": 5}}])
def test_a_json_schema_that_makes_no_sense_is_refused(wrong, schema):
    """400 with the field."""
    config = {"responseMimeType": "application/json", "responseJsonSchema": schema}
    assert wrong({"generationConfig": config}) == ["generation_config.response_json_schema"]
