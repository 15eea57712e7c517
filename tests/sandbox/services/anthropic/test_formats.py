"""Which JSON schemas can be held to."""

from __future__ import annotations

import pytest

from polychat.sandbox.services.anthropic import formats
from polychat.sandbox.services.anthropic.refusals import Refusal

TEXT = {"type": "string"}
ITSELF = {"$defs": {"it": {"type": "array", "items": {"$ref": "#/$defs/it"}}}}


def closed(**properties):
    """An object as it should be."""
    return {"type": "object", "properties": properties, "additionalProperties": False}


@pytest.mark.parametrize(
    "schema",
    [
        closed(),
        closed(a=TEXT, b={"type": "string", "format": "date"}),
        closed(a={"type": "array", "items": closed(), "minItems": 1}),
        closed(a={"anyOf": [TEXT, closed()]}, b={"allOf": [TEXT]}),
        closed(a={"$ref": "#/$defs/it"}, b={"$ref": "#/$defs/it"}) | {"$defs": {"it": closed(c=TEXT)}},
        {"type": "array", "items": TEXT, "minItems": 0},
        {"anyOf": [TEXT, {"type": "null"}]},
        {"enum": ["a"]},
        {"type": "string", "pattern": "^a$"},
    ],
)
def test_a_schema_that_a_grammar_can_say_is_taken(schema):
    """Of any type."""
    formats.answer(schema, "schema")


@pytest.mark.parametrize(
    ("schema", "words"),
    [
        ({"type": "object"}, "schema: an object must have 'additionalProperties' false"),
        ({"properties": {}}, "schema: an object must have"),
        (closed(a={"type": "object"}), "schema.properties.a: an object must have"),
        (closed(a={"type": "array", "items": {"type": "object"}}), "schema.properties.a.items: an object"),
        (closed(a={"anyOf": [TEXT, {"type": "object"}]}), "schema.properties.a.anyOf.1: an object"),
        (closed() | {"$defs": {"it": {"type": "object"}}}, "schema.$defs.it: an object"),
        (closed(a={"type": "integer", "minimum": 1}), "schema.properties.a: 'minimum' is not supported"),
        (closed(a=TEXT | {"maxLength": 1}), "schema.properties.a: 'maxLength' is not supported"),
        (closed(a=TEXT | {"format": "phone"}), "the format 'phone' is not supported"),
        (closed(a={"type": "array", "items": TEXT, "minItems": 2}), "'minItems' must be 0 or 1"),
        (closed(a={"oneOf": [TEXT]}), "'oneOf' is not supported"),
        (closed(a={"type": "text"}), "'text' is not a type"),
        ({"type": "text"}, "schema: in the root, 'text' is not a type"),
        ({"type": ["string", "text"]}, "schema: in the root, 'text' is not a type"),
        ({"type": 5}, "schema: in the root, 'type' is not of the right type"),
        (closed(a={"$ref": "#/$defs/it"}), "leads nowhere"),
        ({"$ref": "#/$defs/it"} | ITSELF, "a schema must not contain itself"),
        (closed(a={"$ref": "#"}), "a schema must not contain itself"),
    ],
)
def test_a_schema_beyond_a_grammar_is_refused_by_place(schema, words):
    """The first mistake is told."""
    with pytest.raises(Refusal) as caught:
        formats.answer(schema, "schema")
    assert words in str(caught.value)


@pytest.mark.parametrize(
    "word",
    [
        "minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum", "multipleOf", "minLength", "maxLength",
        "maxItems", "uniqueItems", "contains", "minProperties", "maxProperties", "patternProperties", "propertyNames",
        "not", "if", "then", "else", "oneOf", "prefixItems", "dependentSchemas", "dependentRequired",
        "unevaluatedProperties",
    ],
)  # fmt: skip
def test_a_word_beyond_a_grammar_is_refused_by_name(word):
    """Whatever it says."""
    value = [] if word in ("oneOf", "prefixItems") else 1
    with pytest.raises(Refusal, match=rf"^schema\.items: '{word}' is not supported$"):
        formats.answer({"type": "array", "items": {word: value}}, "schema")


@pytest.mark.parametrize(
    "form", ["date-time", "time", "date", "duration", "email", "hostname", "uri", "ipv4", "ipv6", "uuid"]
)
def test_the_forms_of_strings_are_known(form):
    """Ten of them."""
    formats.answer({"type": "string", "format": form}, "schema")


def test_a_tool_takes_an_object():
    """Any, unless it is strict."""
    loose = {"type": "object", "properties": {"a": {"type": "integer", "minimum": 1}}}
    formats.tool_input(loose, "schema", strict=False)
    formats.tool_input(ITSELF | {"type": "object"}, "schema", strict=False)
    with pytest.raises(Refusal, match="additionalProperties"):
        formats.tool_input(loose, "schema", strict=True)


@pytest.mark.parametrize("schema", [{}, {"type": "string"}, {"type": ["object"]}, {"type": "object", "required": 7}])
def test_a_tool_takes_nothing_else(schema):
    """Nor an object that is none."""
    with pytest.raises(Refusal, match=r"^schema"):
        formats.tool_input(schema, "schema", strict=False)
