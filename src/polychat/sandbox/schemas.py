"""A JSON value that satisfies a JSON Schema: the smallest honest one, its strings filled with given words.

Understands what tools and structured outputs use: `$ref` into `$defs`, `const`, `enum`, `anyOf`, `oneOf`, `allOf`,
types and their bounds. `pattern` and `not` are beyond it. Every property is filled in, so that optional ones are seen
too; recursion ends with the required ones.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

_DEEP = 4  # levels of nesting after which only required properties are filled in
_FORMATS = {
    "date": "2025-01-31", "date-time": "2025-01-31T12:00:00Z", "time": "12:00:00Z", "duration": "PT1H",
    "email": "alice@example.com", "uri": "https://example.com/", "hostname": "example.com", "ipv4": "192.0.2.1",
    "ipv6": "2001:db8::1", "uuid": "00000000-0000-4000-8000-000000000000",
}  # fmt: skip


def example(schema: Mapping[str, Any] | bool, words: str = "") -> Any:
    """A value that `schema` accepts; free strings say `words`."""
    if isinstance(schema, bool):
        return words
    return _value(schema, schema, words or "sandbox", 0)


def _value(schema: Any, root: Mapping[str, Any], words: str, depth: int) -> Any:
    if not isinstance(schema, Mapping):
        return words
    schema = _resolved(schema, root)
    if "const" in schema:
        return schema["const"]
    if schema.get("enum"):
        return schema["enum"][0]
    if "default" in schema:
        return schema["default"]
    kind = _kind(schema)
    if kind == "object":
        return _object(schema, root, words, depth)
    if kind == "array":
        return _array(schema, root, words, depth)
    if kind in ("integer", "number"):
        return _number(schema, whole=kind == "integer")
    return {"boolean": True, "null": None}.get(kind, _string(schema, words))


def _resolved(schema: Mapping[str, Any], root: Mapping[str, Any]) -> Mapping[str, Any]:
    """Follow `$ref`, take the first alternative, merge `allOf`."""
    for _ in range(32):
        if "$ref" in schema:
            target: Any = root
            for step in str(schema["$ref"]).removeprefix("#").strip("/").split("/"):
                target = target[step] if step else target
            schema = target
        elif alternatives := schema.get("anyOf") or schema.get("oneOf"):
            rest = {key: value for key, value in schema.items() if key not in ("anyOf", "oneOf")}
            schema = {**rest, **alternatives[0]}
        elif "allOf" in schema:
            schema = _merged(schema, root)
        else:
            break
    return schema


def _merged(schema: Mapping[str, Any], root: Mapping[str, Any]) -> Mapping[str, Any]:
    merged = {key: value for key, value in schema.items() if key != "allOf"}
    for branch in schema["allOf"]:
        resolved = _resolved(branch, root)
        merged = {
            **merged, **resolved,
            "properties": {**merged.get("properties", {}), **resolved.get("properties", {})},
            "required": [*merged.get("required", []), *resolved.get("required", [])],
        }  # fmt: skip
    return merged


def _kind(schema: Mapping[str, Any]) -> str:
    kind = schema.get("type")
    if isinstance(kind, list):
        kind = kind[0]
    if isinstance(kind, str):
        return kind
    if "properties" in schema:
        return "object"
    return "array" if "items" in schema or "prefixItems" in schema else "string"


def _object(schema: Mapping[str, Any], root: Mapping[str, Any], words: str, depth: int) -> dict[str, Any]:
    properties = schema.get("properties", {})
    required = schema.get("required", [])
    names = [*properties, *(name for name in required if name not in properties)]
    wanted = names if depth < _DEEP else required
    return {name: _value(properties.get(name, {}), root, words, depth + 1) for name in names if name in wanted}


def _array(schema: Mapping[str, Any], root: Mapping[str, Any], words: str, depth: int) -> list[Any]:
    if "prefixItems" in schema:
        return [_value(item, root, words, depth + 1) for item in schema["prefixItems"]]
    count = max(schema.get("minItems", 0), 1 if depth < _DEEP else 0)
    count = min(count, schema.get("maxItems", count))
    return [_value(schema.get("items", {}), root, words, depth + 1) for _ in range(count)]


def _number(schema: Mapping[str, Any], *, whole: bool) -> int | float:
    low = schema.get("minimum", -math.inf)
    high = schema.get("maximum", math.inf)
    above, below = schema.get("exclusiveMinimum", -math.inf), schema.get("exclusiveMaximum", math.inf)
    step = schema.get("multipleOf") or (1 if whole else None)
    if step is None:
        if max(low, above) < 1 < min(high, below):
            return 1
        return _between(low, high, above, below)
    value = step if max(low, above) < step < min(high, below) else _on_grid(low, high, above, below, step)
    return int(value) if whole else value


def _between(low: float, high: float, above: float, below: float) -> float:
    if low > above and low < below and low <= high:
        return low
    if high < below and high > above:
        return high
    return (above + below) / 2


def _on_grid(low: float, high: float, above: float, below: float, step: float) -> float:
    if max(low, above) == -math.inf:
        value = math.floor(min(high, below) / step) * step
        return value - step if value >= below else value
    value = math.ceil(max(low, above) / step) * step
    return value + step if value <= above else value


def _string(schema: Mapping[str, Any], words: str) -> str:
    text = _FORMATS.get(schema.get("format", ""), words)
    text = text.ljust(schema.get("minLength", 0), ".")
    return text[: schema.get("maxLength", len(text))]
