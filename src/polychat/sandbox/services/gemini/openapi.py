"""Schemas as the service writes them: a part of OpenAPI 3.0, its types in capitals; and as JSON Schema.

Every schema says its type or its alternatives, an object its properties, a list its items. Words to choose from and
formats belong to certain types only. JSON Schema is taken beside it, in fields of its own.

Source: `types.Schema` of the `google-genai` package 3.4, the public page on structured output, November 2026.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Literal

import msgspec

from polychat.sandbox.services.gemini import refusals
from polychat.sandbox.services.gemini.proto import Wire
from polychat.sandbox.services.openai import strictness

JsonSchema = dict[str, Any]
_FORMATS: Mapping[str, tuple[str, ...]] = {
    "STRING": ("enum", "date-time", "date", "time"), "NUMBER": ("float", "double"), "INTEGER": ("int32", "int64"),
}  # fmt: skip
_SAME = (  # of JSON Schema too, under the same name
    "format", "title", "description", "default", "pattern", "minimum", "maximum", "required",
)  # fmt: skip
_CAMEL = {
    "min_items": "minItems", "max_items": "maxItems", "min_length": "minLength", "max_length": "maxLength",
    "min_properties": "minProperties", "max_properties": "maxProperties",
}  # fmt: skip


class Schema(Wire, frozen=True, kw_only=True):
    """A schema."""

    type: Literal["TYPE_UNSPECIFIED", "STRING", "NUMBER", "INTEGER", "BOOLEAN", "ARRAY", "OBJECT", "NULL"] = (
        "TYPE_UNSPECIFIED"
    )
    format: str | None = None
    title: str | None = None
    description: str | None = None
    nullable: bool = False
    enum: tuple[str, ...] = ()
    max_items: int | None = None
    min_items: int | None = None
    properties: dict[str, Schema] = msgspec.field(default_factory=dict)
    required: tuple[str, ...] = ()
    min_properties: int | None = None
    max_properties: int | None = None
    min_length: int | None = None
    max_length: int | None = None
    pattern: str | None = None
    example: Any = None
    any_of: tuple[Schema, ...] = ()
    property_ordering: tuple[str, ...] = ()
    default: Any = None
    items: Schema | None = None
    minimum: float | None = None
    maximum: float | None = None


def judged(schema: Schema, place: str) -> JsonSchema:
    """`schema` as JSON Schema. Raises: Refusal unless it makes sense."""
    if wrong := next(_problems(schema, place), None):
        raise refusals.bad(*wrong)
    return _translated(schema)


def judged_json(schema: Any, place: str, *, of_object: bool) -> JsonSchema:
    """A JSON Schema that makes sense. Raises: Refusal."""
    if not isinstance(schema, dict):
        raise refusals.bad(place, "expected a JSON Schema.")
    if of_object and schema.get("type", "object") != "object":
        raise refusals.bad(place, "the root must have the type 'object'.")
    of_any_type = {**schema, "type": "object", "allOf": [{"type": schema.get("type", "object")}]}
    if wrong := strictness.problem(of_any_type, strict=False):
        raise refusals.bad(place, f"{wrong}.")
    return schema


def _problems(schema: Schema, place: str) -> Iterator[tuple[str, str]]:
    if schema.type == "TYPE_UNSPECIFIED" and not schema.any_of:
        yield f"{place}.type", "it is required."
    if schema.type == "OBJECT" and not schema.properties:
        yield f"{place}.properties", "an object must have some."
    if schema.type == "ARRAY" and schema.items is None:
        yield f"{place}.items", "a list must say what it holds."
    if schema.enum and schema.type not in ("STRING", "INTEGER", "NUMBER"):
        yield f"{place}.enum", f"it is not for the type {schema.type}."
    if schema.format and schema.type in _FORMATS and schema.format not in _FORMATS[schema.type]:
        yield f"{place}.format", f"of the type {schema.type}, only {', '.join(_FORMATS[schema.type])} are supported."
    for field in ("required", "property_ordering"):
        for index, name in enumerate(getattr(schema, field)):
            if name not in schema.properties:
                yield f"{place}.{field}[{index}]", f"there is no property '{name}'."
    for step, inner in _inner(schema):
        yield from _problems(inner, f"{place}.{step}")


def _inner(schema: Schema) -> Iterator[tuple[str, Schema]]:
    yield from ((f"properties[{name}]", inner) for name, inner in schema.properties.items())
    yield from ((f"any_of[{index}]", inner) for index, inner in enumerate(schema.any_of))
    if schema.items is not None:
        yield "items", schema.items


def _translated(schema: Schema) -> JsonSchema:
    made: JsonSchema = {name: value for name in _SAME if (value := getattr(schema, name)) not in (None, ())}
    made |= {camel: value for name, camel in _CAMEL.items() if (value := getattr(schema, name)) is not None}
    if schema.type != "TYPE_UNSPECIFIED":
        kind = schema.type.lower()
        made["type"] = [kind, "null"] if schema.nullable else kind
    if schema.enum:
        made["enum"] = [int(word) if schema.type == "INTEGER" else word for word in schema.enum]
    if schema.properties:
        order = dict.fromkeys((*schema.property_ordering, *schema.properties))
        made["properties"] = {name: _translated(schema.properties[name]) for name in order}
    if schema.items is not None:
        made["items"] = _translated(schema.items)
    if schema.any_of:
        made["anyOf"] = [_translated(inner) for inner in schema.any_of]
    return made
