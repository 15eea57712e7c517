"""Which JSON schemas are taken.

All must be schemas: known types, keywords of the right shape, references that lead somewhere. With `strict` every
object closes itself (`additionalProperties: false`) and requires all of its properties, the root is an object, and
keywords that a constrained sampler cannot hold are refused. Without it, only the root must be an object.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

_TYPES = ("object", "array", "string", "number", "integer", "boolean", "null")
_SHAPES: Mapping[str, tuple[type, ...]] = {
    "type": (str, list), "enum": (list,), "$ref": (str,), "format": (str,), "pattern": (str,), "description": (str,),
    "properties": (dict,), "$defs": (dict,), "definitions": (dict,), "required": (list,), "items": (dict, bool),
    "anyOf": (list,), "oneOf": (list,), "allOf": (list,), "prefixItems": (list,), "additionalProperties": (dict, bool),
    "minItems": (int,), "maxItems": (int,), "minLength": (int,), "maxLength": (int,), "minimum": (int, float),
    "maximum": (int, float), "exclusiveMinimum": (int, float), "exclusiveMaximum": (int, float),
    "multipleOf": (int, float),
}  # fmt: skip
_REFUSED = (
    "allOf", "oneOf", "not", "if", "then", "else", "dependentRequired", "dependentSchemas", "patternProperties",
    "propertyNames", "unevaluatedProperties", "minProperties", "maxProperties", "contains", "uniqueItems",
)  # fmt: skip
_DEEPEST = 10  # levels of objects and lists
Place = tuple[str, ...]


def problem(schema: Mapping[str, Any], *, strict: bool) -> str | None:
    """What is wrong with `schema` first, as a sentence, or None."""
    if mistake := malformed(schema):
        return mistake
    if schema.get("type", None if strict else "object") != "object":
        return "the root must have the type 'object'"
    return next(_open_ends(schema, (), 0), None) if strict else None


def malformed(schema: Mapping[str, Any]) -> str | None:
    """Why `schema` is no schema at all, whatever its root, or None."""
    return next(_malformed(schema, schema, ()), None)


def _malformed(schema: Any, root: Mapping[str, Any], place: Place) -> Iterator[str]:
    if isinstance(schema, bool):
        return
    if not isinstance(schema, Mapping):
        yield f"in {_said(place)}, expected a schema"
        return
    for word, shapes in _SHAPES.items():
        if word in schema and not isinstance(schema[word], shapes):
            yield f"in {_said(place)}, '{word}' is not of the right type"
    if not all(isinstance(name, str) for name in schema.get("required", ())):
        yield f"in {_said(place)}, 'required' holds more than names"
    kinds = schema.get("type", [])
    for kind in [kinds] if isinstance(kinds, str) else kinds:
        if kind not in _TYPES:
            yield f"in {_said(place)}, '{kind}' is not a type"
    if not _leads(schema.get("$ref", "#"), root):
        yield f"in {_said(place)}, '{schema['$ref']}' leads nowhere"
    for step, inner in _inner(schema):
        yield from _malformed(inner, root, (*place, *step))


def _leads(reference: str, root: Any) -> bool:
    for step in reference.removeprefix("#").strip("/").split("/"):
        if step and not (isinstance(root, Mapping) and step in root):
            return False
        root = root[step] if step else root
    return reference.startswith("#")


def _open_ends(schema: Any, place: Place, depth: int) -> Iterator[str]:
    """Where a schema lets more in than a strict one may."""
    if isinstance(schema, bool):
        yield f"in {_said(place)}, expected a schema with a type"
        return
    if depth > _DEEPEST:
        yield f"in {_said(place)}, there are more than {_DEEPEST} levels"
        return
    yield from (f"in {_said(place)}, '{word}' is not permitted" for word in _REFUSED if word in schema)
    if "properties" in schema or schema.get("type") == "object":
        yield from _open_object(schema, place)
    for step, inner in _inner(schema):
        yield from _open_ends(inner, (*place, *step), depth + (step[0] in ("properties", "items")))


def _open_object(schema: Mapping[str, Any], place: Place) -> Iterator[str]:
    if schema.get("additionalProperties") is not False:
        yield f"in {_said(place)}, 'additionalProperties' is required to be supplied and to be false"
    left_out = [name for name in schema.get("properties", {}) if name not in schema.get("required", ())]
    if left_out:
        yield f"in {_said(place)}, 'required' must name every property; missing '{left_out[0]}'"


def _inner(schema: Mapping[str, Any]) -> Iterator[tuple[Place, Any]]:
    """The schemas inside, each with its place."""
    for word in ("properties", "$defs", "definitions"):
        for name, inner in schema.get(word, {}).items():
            yield (word, name), inner
    if "items" in schema:
        yield ("items",), schema["items"]
    for word in ("anyOf", "oneOf", "allOf", "prefixItems"):
        for index, inner in enumerate(schema.get(word, ())):
            yield (word, str(index)), inner


def _said(place: Place) -> str:
    return f"context ({', '.join(place)})" if place else "the root"
