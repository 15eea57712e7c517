"""Which JSON schemas are taken when `strict` is asked for.

Every object closes itself (`additionalProperties: false`) and requires all of its properties; the root is an object;
keywords that a constrained sampler cannot hold are refused. Without `strict` only the root of a function's parameters
is looked at.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

_REFUSED = (
    "allOf", "oneOf", "not", "if", "then", "else", "dependentRequired", "dependentSchemas", "patternProperties",
    "propertyNames", "unevaluatedProperties", "minProperties", "maxProperties", "contains", "uniqueItems",
)  # fmt: skip
_DEEPEST = 10  # levels of objects and lists


def problem(schema: Mapping[str, Any], *, strict: bool) -> str | None:
    """What is wrong with `schema` first, as a sentence, or None."""
    if schema.get("type", "object" if not strict else None) != "object":
        return "the root must have the type 'object'"
    return next(_problems(schema, (), 0), None) if strict else None


def _problems(schema: Any, place: tuple[str, ...], depth: int) -> Iterator[str]:
    if not isinstance(schema, Mapping):
        yield f"in {_said(place)}, expected a schema"
        return
    if depth > _DEEPEST:
        yield f"in {_said(place)}, there are more than {_DEEPEST} levels"
        return
    yield from (f"in {_said(place)}, '{word}' is not permitted" for word in _REFUSED if word in schema)
    if "properties" in schema or schema.get("type") == "object":
        yield from _open_ends(schema, place)
    for step, inner in _inner(schema):
        yield from _problems(inner, (*place, *step), depth + (step[0] in ("properties", "items")))


def _open_ends(schema: Mapping[str, Any], place: tuple[str, ...]) -> Iterator[str]:
    if schema.get("additionalProperties") is not False:
        yield f"in {_said(place)}, 'additionalProperties' is required to be supplied and to be false"
    left_out = [name for name in schema.get("properties", {}) if name not in schema.get("required", ())]
    if left_out:
        yield f"in {_said(place)}, 'required' must name every property; missing '{left_out[0]}'"


def _inner(schema: Mapping[str, Any]) -> Iterator[tuple[tuple[str, ...], Any]]:
    """The schemas inside, each with its place."""
    for word in ("properties", "$defs", "definitions"):
        for name, inner in schema.get(word, {}).items():
            yield (word, name), inner
    if "items" in schema:
        yield ("items",), schema["items"]
    for word in ("anyOf", "prefixItems"):
        for index, inner in enumerate(schema.get(word, ())):
            yield (word, str(index)), inner


def _said(place: tuple[str, ...]) -> str:
    return f"context ({', '.join(place)})" if place else "the root"
