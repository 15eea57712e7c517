"""How JSON is read into messages, as ProtoJSON is: lenient about spelling, strict about names and types.

A field may be named in camel case or as the message has it, with underscores. Null is the same as nothing. Numbers may
be texts, words of an enumeration may be in small letters, bytes are base64 of either alphabet with or without padding,
and one message may stand for a list of one. An unknown name is refused, and all of them are told at once. Maps, and
whatever is typed as any value, keep their names as they are.

Source: the ProtoJSON format (protobuf.dev) and what the service is known to take beyond it; November 2026.
"""

from __future__ import annotations

import binascii
import re
from base64 import b64decode
from collections.abc import Callable, Mapping
from functools import lru_cache
from typing import Any, TypeVar

import msgspec
from msgspec import inspect

from polychat.sandbox.services.gemini.refusals import Refusal, Violation, violated

T = TypeVar("T")
_URL_SAFE = str.maketrans("-_", "+/")
_NOTHING = object()


class Wire(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, rename="camel"):
    """A message that a client sends; what it does not name is refused. Its names are those with underscores."""


def read(value: Any, kind: type[T]) -> T:
    """Decoded JSON as `kind`. Raises: Refusal."""
    reader = _Reader()
    read = reader.value(value, _shape(kind), "")  # type: ignore[arg-type]  # every class is hashable
    if reader.wrong:
        raise violated(reader.wrong)
    try:
        return msgspec.convert(read, kind)
    except msgspec.ValidationError as mistake:
        raise _located(mistake) from None


@lru_cache(maxsize=64)
def _shape(kind: type[Any]) -> inspect.Type:
    return inspect.type_info(kind)


def _located(mistake: msgspec.ValidationError) -> Refusal:
    sentence, _at, place = str(mistake).partition(" - at ")
    field = re.sub(r"(?<=[a-z0-9])([A-Z])", r"_\1", place.strip("`").removeprefix("$").removeprefix(".")).lower()
    return violated([Violation(field, f"{field}: {sentence.replace('`', '')}.")])


class _Reader:
    """One pass over a value, which collects what is wrong."""

    def __init__(self) -> None:
        self.wrong: list[Violation] = []

    def value(self, value: Any, kind: inspect.Type, place: str) -> Any:
        if isinstance(kind, inspect.UnionType):
            kind = next(inner for inner in kind.types if not isinstance(inner, inspect.NoneType))
        if isinstance(kind, inspect.StructType):
            return self._message(value, kind, place)
        if isinstance(kind, inspect.VarTupleType):
            return self._list(value, kind.item_type, place)
        if isinstance(kind, inspect.DictType):
            return self._map(value, kind.value_type, place)
        if isinstance(kind, inspect.AnyType):
            return value
        return self._scalar(value, kind, place)

    def _message(self, value: Any, kind: inspect.StructType, place: str) -> Any:
        if not isinstance(value, dict):
            return self._mistaken(value, place, "a message")
        fields = {name: field for field in kind.fields for name in (field.name, field.encode_name)}
        read: dict[str, Any] = {}
        for name, inner in value.items():
            field = fields.get(name)
            if field is None:
                self._refuse(place, f"The JSON names “{name}”{_at(place)}, which is no field there.")
            elif field.encode_name in read:
                self._refuse(place, f"The JSON gives “{field.name}”{_at(place)} twice.")
            elif inner is not None:
                read[field.encode_name] = self.value(inner, field.type, f"{place}.{field.name}".removeprefix("."))
        return read

    def _list(self, value: Any, kind: inspect.Type, place: str) -> Any:
        if isinstance(value, dict) and isinstance(kind, inspect.StructType):
            value = [value]
        if not isinstance(value, list):
            return self._mistaken(value, place, "a list")
        return [self.value(item, kind, f"{place}[{index}]") for index, item in enumerate(value)]

    def _map(self, value: Any, kind: inspect.Type, place: str) -> Any:
        if not isinstance(value, dict):
            return self._mistaken(value, place, "a map")
        named = enumerate(value.items())
        return {name: self.value(inner, kind, f"{place}[{index}].value") for index, (name, inner) in named}

    def _scalar(self, value: Any, kind: inspect.Type, place: str) -> Any:
        read = _word(value, kind) if isinstance(kind, inspect.LiteralType) else _SCALARS[type(kind)](value)
        return self._mistaken(value, place, _NAMES[type(kind)]) if read is _NOTHING else read

    def _mistaken(self, value: Any, place: str, wanted: str) -> None:
        said = msgspec.json.encode(value).decode()
        said = said if len(said) <= 60 else f"{said[:60]}…"
        self._refuse(place, f"The JSON has no value of its type{_at(place)}: expected {wanted}, got {said}.")

    def _refuse(self, place: str, description: str) -> None:
        self.wrong.append(Violation(place, description))


def _at(place: str) -> str:
    return f" at '{place}'" if place else ""


def _word(value: Any, kind: inspect.LiteralType) -> Any:
    words = {str(word).lower(): word for word in kind.values}
    return words.get(value.lower(), _NOTHING) if isinstance(value, str) else _NOTHING


def _integer(value: Any) -> Any:
    if isinstance(value, str) and re.fullmatch(r"-?\d{1,20}", value):
        return int(value)
    if isinstance(value, float) and value.is_integer():
        return int(value)
    return value if isinstance(value, int) and not isinstance(value, bool) else _NOTHING


def _float(value: Any) -> Any:
    if isinstance(value, str) and re.fullmatch(r"-?\d{1,20}(\.\d{1,20})?([eE]-?\d{1,2})?", value):
        return float(value)
    return value if isinstance(value, int | float) and not isinstance(value, bool) else _NOTHING


def _bytes(value: Any) -> Any:
    if not isinstance(value, str):
        return _NOTHING
    try:
        text = value.translate(_URL_SAFE).rstrip("=")
        return b64decode(text + "=" * (-len(text) % 4), validate=True)
    except (binascii.Error, ValueError):
        return _NOTHING


_SCALARS: Mapping[type[inspect.Type], Callable[[Any], Any]] = {
    inspect.StrType: lambda value: value if isinstance(value, str) else _NOTHING,
    inspect.BoolType: lambda value: value if isinstance(value, bool) else _NOTHING,
    inspect.IntType: _integer,
    inspect.FloatType: _float,
    inspect.BytesType: _bytes,
}
_NAMES: Mapping[type[inspect.Type], str] = {
    inspect.StrType: "a text", inspect.BoolType: "true or false", inspect.IntType: "a whole number",
    inspect.FloatType: "a number", inspect.BytesType: "bytes in base64", inspect.LiteralType: "a word of its list",
}  # fmt: skip
