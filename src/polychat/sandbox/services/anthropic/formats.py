"""Which JSON schemas are taken: for the input of tools, for strict tools, and for answers.

A tool's input is an object. Strict tools and answers can only be held to what their grammar can say: every object
closes itself, and bounds of numbers, lengths of strings and longer lists are beyond it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from polychat.sandbox.services.anthropic import refusals
from polychat.sandbox.services.openai.strictness import malformed, problem

Schema = dict[str, Any]
_BEYOND = (
    "minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum", "multipleOf", "minLength", "maxLength", "maxItems",
    "uniqueItems", "contains", "minProperties", "maxProperties", "patternProperties", "propertyNames", "not", "if",
    "then", "else", "oneOf", "prefixItems", "dependentSchemas", "dependentRequired", "unevaluatedProperties",
)  # fmt: skip
_FORMATS = ("date-time", "time", "date", "duration", "email", "hostname", "uri", "ipv4", "ipv6", "uuid")


def tool_input(schema: Schema, place: str, *, strict: bool) -> None:
    """Judge the schema of a tool's input. Raises: Refusal."""
    if "type" not in schema:
        raise refusals.wrong(f"{place}.type", "Field required")
    if schema["type"] != "object":
        raise refusals.wrong(f"{place}.type", "must be 'object'")
    if mistake := problem(schema, strict=False):
        raise refusals.wrong(place, mistake)
    if strict:
        _judge_grammar(schema, place)


def answer(schema: Schema, place: str) -> None:
    """Judge the schema of an answer. Raises: Refusal."""
    if mistake := malformed(schema):
        raise refusals.wrong(place, mistake)
    _judge_grammar(schema, place)


def _judge_grammar(schema: Schema, place: str) -> None:
    if mistake := next(_beyond(schema, place), None):
        raise refusals.wrong(*mistake)
    if _recursive(schema, schema, ()):
        raise refusals.wrong(place, "a schema must not contain itself")


def _beyond(schema: Any, place: str) -> Iterator[tuple[str, str]]:
    """Every place where the schema says more than a grammar can, and what it says."""
    if not isinstance(schema, Mapping):
        return
    for word in _BEYOND:
        if word in schema:
            yield place, f"'{word}' is not supported"
    if schema.get("minItems", 0) not in (0, 1):
        yield place, "'minItems' must be 0 or 1"
    if "format" in schema and schema["format"] not in _FORMATS:
        yield place, f"the format '{schema['format']}' is not supported"
    if ("properties" in schema or schema.get("type") == "object") and schema.get("additionalProperties") is not False:
        yield place, "an object must have 'additionalProperties' false"
    for step, inner in _inner(schema):
        yield from _beyond(inner, f"{place}.{step}")


def _recursive(schema: Any, root: Schema, above: tuple[str, ...]) -> bool:
    """True when a definition refers to itself, directly or through others."""
    if not isinstance(schema, Mapping):
        return False
    reference = schema.get("$ref")
    if reference in above:
        return True
    if reference is not None and _recursive(_target(reference, root), root, (*above, reference)):
        return True
    return any(
        _recursive(inner, root, above) for step, inner in _inner(schema) if not step.startswith(("$defs", "def"))
    )


def _target(reference: str, root: Any) -> Any:
    for step in reference.removeprefix("#").strip("/").split("/"):
        root = root[step] if step else root
    return root


def _inner(schema: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    """The schemas inside, each with the way to it."""
    for word in ("properties", "$defs", "definitions"):
        for name, inner in schema.get(word, {}).items():
            yield f"{word}.{name}", inner
    if "items" in schema:
        yield "items", schema["items"]
    for word in ("anyOf", "allOf"):
        for index, inner in enumerate(schema.get(word, ())):
            yield f"{word}.{index}", inner
