"""POST /embeddings: a direction for each text, the same for the same text, and closer the more words two share.

Every word, and the start of it, has a direction of its own; a text's is their sum, at length 1. Shortened ones are the
first numbers of the long one, at length 1 again.
"""

from __future__ import annotations

import array
import base64
import hashlib
import math
import re
import sys
from collections.abc import Sequence
from functools import lru_cache
from itertools import repeat
from typing import Annotated, Any, Literal

import msgspec
from starlette.responses import Response

from polychat.sandbox import brain
from polychat.sandbox.call import json
from polychat.sandbox.services.openai import refusals
from polychat.sandbox.services.openai.bodies import Wire, read
from polychat.sandbox.services.openai.gate import model as find
from polychat.sandbox.services.openai.gate import spend
from polychat.sandbox.services.openai.models import Model
from polychat.sandbox.services.openai.refusals import Refusal
from polychat.sandbox.services.openai.state import ApiCall

_LONGEST = 8192  # tokens of one text
_STEM = 4  # characters of a word that count for themselves
_MIDDLE = 127.5  # of a byte
Token = Annotated[int, msgspec.Meta(ge=0)]
Tokens = Annotated[tuple[Token, ...], msgspec.Meta(min_length=1, max_length=2048)]
Many = Annotated[tuple[str | Token | Tokens, ...], msgspec.Meta(min_length=1, max_length=2048)]


class Asked(Wire, frozen=True, kw_only=True):
    """The body."""

    input: str | Many
    model: str
    dimensions: Annotated[int, msgspec.Meta(ge=1)] = 0  # 0: not said
    encoding_format: Literal["float", "base64"] = "float"
    user: str = ""


async def embed(call: ApiCall) -> Response:
    """A vector for each text."""
    asked = read(call, Asked)
    model = find(call, asked.model, "embedding")
    dimensions = _dimensions(asked, model)
    texts = _texts(asked.input)
    sizes = [_size(text, index) for index, text in enumerate(texts)]
    spend(call, sum(sizes))
    data = [
        {"object": "embedding", "index": index, "embedding": _told(vector(text, model.dimensions, dimensions), asked)}
        for index, text in enumerate(texts)
    ]
    usage = {"prompt_tokens": sum(sizes), "total_tokens": sum(sizes)}
    return json({"object": "list", "data": data, "model": model.id, "usage": usage})


def vector(text: str, native: int, dimensions: int) -> list[float]:
    """The direction of `text` in a space of `native` dimensions, its first `dimensions` numbers at length 1."""
    words = re.findall(r"\w+", text.lower()) or [text]
    features = sorted({*words, *(word[:_STEM] for word in words)})
    sums = [
        sum(column) - _MIDDLE * len(features) for column in zip(*map(_direction, features, repeat(native)), strict=True)
    ]
    kept = sums[:dimensions]
    length = math.hypot(*kept)
    return [number / length for number in kept]


@lru_cache(maxsize=1024)
def _direction(feature: str, dimensions: int) -> bytes:
    return hashlib.shake_256(feature.encode()).digest(dimensions)


def _dimensions(asked: Asked, model: Model) -> int:
    if not asked.dimensions:
        return model.dimensions
    if not model.shortens:
        raise refusals.unsupported("dimensions", model.id)
    if asked.dimensions > model.dimensions:
        message = f"the model '{model.id}' has {model.dimensions}, not {asked.dimensions}."
        raise refusals.invalid_value("dimensions", message)
    return asked.dimensions


def _texts(asked: str | Sequence[str | int | tuple[int, ...]]) -> list[str]:
    """The texts of a request; tokens stand for words. Raises: Refusal."""
    if isinstance(asked, str):
        return [asked]
    kinds = {type(item) for item in asked}
    if len(kinds) > 1:
        raise refusals.invalid_value("input", "expected texts or tokens, not a mixture.")
    if kinds == {int}:
        return [_spelled(asked)]
    return [item if isinstance(item, str) else _spelled(item) for item in asked if not isinstance(item, int)]


def _spelled(tokens: Sequence[Any]) -> str:
    return " ".join(map(str, tokens))


def _size(text: str, index: int) -> int:
    """Tokens of a text that may be embedded. Raises: Refusal."""
    size = len(brain.pieces(text))
    if not text:
        raise refusals.invalid_value("input", f"text {index} is empty.")
    if size > _LONGEST:
        message = f"Text {index} of the input has {size} tokens; at most {_LONGEST} are taken."
        raise Refusal(message, param="input", code="context_length_exceeded")
    return size


def _told(numbers: list[float], asked: Asked) -> list[float] | str:
    """The numbers as they are, or little-endian 32-bit floats in base64."""
    if asked.encoding_format == "float":
        return numbers
    floats = array.array("f", numbers)
    if sys.byteorder == "big":
        floats.byteswap()
    return base64.b64encode(floats.tobytes()).decode()
