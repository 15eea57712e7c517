"""JSON Schema: whether a schema is one, and what is wrong with a value that has to obey it.

`jsonschema` does the work: the library that knows every draft, makes no code of a schema, and fetches nothing when it
is given a registry of its own. It takes 70 ms to import, so it is imported when a schema is first met.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from typing import TYPE_CHECKING, Any, NamedTuple

import msgspec

from polychat.errors import BadOption

if TYPE_CHECKING:
    from jsonschema.protocols import Validator

_REFERENCES = frozenset({"$ref", "$dynamicRef", "$recursiveRef"})
_LONGEST = 200  # characters of a complaint; it may quote a whole value


class _NoSchemaError(ValueError):
    """What keeps a JSON text from being a schema, in a few words."""


class Schema(NamedTuple):
    """A schema that was found to be one."""

    text: str  # as JSON
    validator: Validator

    def complaint(self, value: Any) -> str | None:
        """What is wrong with `value`, behind the path to the place: `.days[0]: 'x' is not of type 'integer'`."""
        from jsonschema.exceptions import best_match

        try:
            error = best_match(self.validator.iter_errors(value))
        except RecursionError:
            return ": it nests too deep"
        return None if error is None else f"{error.json_path[1:]}: {_short(error.message)}"


def checked(schema: Mapping[str, Any], field: str) -> Schema:
    """The schema, ready to judge values; `field` is what to call it. Nothing is fetched, whatever it refers to.

    Raises: `BadOption` for what is no JSON, no schema, or refers to a place outside of itself.
    """
    try:
        text = msgspec.json.encode(schema)
        return Schema(text.decode(), _validator(text))
    except (TypeError, UnicodeError, _NoSchemaError) as error:
        raise BadOption(f"{field} is not a JSON Schema: {error}", field=field) from error
    except RecursionError:
        what = "it nests or leads to itself without end"
        raise BadOption(f"{field} is not a JSON Schema: {what}", field=field) from None  # of a thousand frames


@lru_cache(maxsize=256)  # checking a schema takes 1.5 ms, and the same tools come with every question
def _validator(text: bytes) -> Validator:
    from jsonschema import Draft202012Validator
    from jsonschema.validators import validator_for
    from referencing.jsonschema import EMPTY_REGISTRY

    schema = msgspec.json.decode(text)
    if not isinstance(schema.get("$schema", ""), str):
        raise _NoSchemaError("$schema is not the name of a dialect")
    kind = validator_for(schema, default=Draft202012Validator)
    _check(kind, schema)
    _check_references(kind, schema)
    validator = kind(schema, registry=EMPTY_REGISTRY)
    validator.is_valid({})  # a loop of references shows itself
    return validator


def _check(kind: type[Validator], schema: Any) -> None:
    """Raise for what the dialect does not allow, patterns that are none included."""
    from jsonschema.exceptions import best_match

    judge = kind(kind.META_SCHEMA, format_checker=kind.FORMAT_CHECKER)
    if error := best_match(judge.iter_errors(schema)):
        raise _NoSchemaError(f"{error.json_path[1:].removeprefix('.') or 'it'}: {_short(error.message)}")


def _check_references(kind: type[Validator], schema: Any) -> None:
    """Raise unless every reference, and every one that is met by following it, leads to a schema in the document."""
    from referencing.exceptions import Unresolvable
    from referencing.jsonschema import EMPTY_REGISTRY, specification_with

    specification = specification_with(kind.META_SCHEMA["$schema"])
    root = specification.create_resource(schema)
    waiting = [(root, EMPTY_REGISTRY.resolver_with_root(root))]
    seen: set[int] = set()
    while waiting:
        resource, resolver = waiting.pop()
        if id(resource.contents) in seen or not isinstance(resource.contents, Mapping):
            continue
        seen.add(id(resource.contents))
        waiting += [(inner, resolver.in_subresource(inner)) for inner in resource.subresources()]
        for reference in (resource.contents[word] for word in _REFERENCES & resource.contents.keys()):
            try:
                found = resolver.lookup(reference)
            except Unresolvable as error:
                raise _NoSchemaError(f"{_short(reference)} is not a place in it") from error
            _check(kind, found.contents)
            waiting.append((specification.create_resource(found.contents), found.resolver))


def _short(sentence: str) -> str:
    return sentence if len(sentence) <= _LONGEST else f"{sentence[:_LONGEST]}…"
