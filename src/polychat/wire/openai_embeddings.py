"""Embeddings in the OpenAI dialect.

    {"data": [{"index": 0, "embedding": [0.1, -0.2]}], "usage": {"prompt_tokens": 5}}

A vector is a list of numbers, or base64 of little-endian 32-bit floats. The order is that of `index`.
"""

from __future__ import annotations

import base64
import binascii
import sys
from array import array
from collections.abc import Sequence
from typing import Any

import msgspec

from polychat.errors import FormatChanged
from polychat.types import Embedded


class _Vector(msgspec.Struct):
    index: int
    embedding: list[float] | str


class _Usage(msgspec.Struct):
    prompt_tokens: int | None = None


class Answer(msgspec.Struct):
    """The answer as it stands on the wire."""

    data: list[_Vector]
    usage: _Usage | None = None


def body(model: str, texts: Sequence[str], dimensions: int | None) -> dict[str, Any]:
    """The JSON of the request."""
    asked = {"model": model, "input": list(texts), "encoding_format": "float"}
    return asked if dimensions is None else asked | {"dimensions": dimensions}


def embedded(answer: Answer, count: int) -> Embedded:
    """The vectors of `count` texts. Raises: `FormatChanged` when it is not one for each."""
    found = {vector.index: _numbers(vector.embedding) for vector in answer.data}
    if sorted(found) != list(range(count)):
        raise FormatChanged(f"the service answered {count} texts with {len(found)} vectors")
    tokens = answer.usage.prompt_tokens if answer.usage else None
    return Embedded(vectors=tuple(found[index] for index in range(count)), input_tokens=tokens)


def _numbers(written: list[float] | str) -> tuple[float, ...]:
    if not isinstance(written, str):
        return tuple(written)
    numbers = array("f")
    try:
        numbers.frombytes(base64.b64decode(written, validate=True))
    except (binascii.Error, ValueError) as error:
        raise FormatChanged("a vector of the answer is damaged base64") from error
    if sys.byteorder == "big":
        numbers.byteswap()
    return tuple(numbers)
