"""wire/openai_embeddings.py: vectors in both forms, in order, one for each text."""

from __future__ import annotations

import base64
import struct
from typing import Any

import msgspec
import pytest

from polychat.errors import FormatChanged
from polychat.types import Embedded
from polychat.wire.openai_embeddings import Answer, body, embedded


def answer(*vectors: Any, **rest: Any) -> Answer:
    """An answer with these vectors, the last first."""
    data = [{"object": "embedding", "index": index, "embedding": one} for index, one in enumerate(vectors)]
    return msgspec.convert({"data": data[::-1], **rest}, Answer)


def test_vectors_come_in_the_order_of_their_texts() -> None:
    """Whatever their order on the wire."""
    assert embedded(answer([1.0, 2.0], [3.0], usage={"prompt_tokens": 4}), 2) == Embedded(
        vectors=((1.0, 2.0), (3.0,)), input_tokens=4
    )


def test_a_vector_may_be_base64() -> None:
    """Of little-endian floats."""
    packed = base64.b64encode(struct.pack("<2f", 0.5, -2.0)).decode()
    assert embedded(answer(packed), 1).vectors == ((0.5, -2.0),)


@pytest.mark.parametrize("vectors", [[], [[1.0]], ["no base64!", [1.0]], [base64.b64encode(b"abc").decode(), [1.0]]])
def test_anything_else_is_a_changed_format(vectors: list[Any]) -> None:
    """Too few, or damaged."""
    with pytest.raises(FormatChanged):
        embedded(answer(*vectors), 2)


def test_dimensions_are_named_only_when_asked_for() -> None:
    """The rest is left to the model."""
    plain = {"model": "m", "input": ["a"], "encoding_format": "float"}
    assert (body("m", ["a"], None), body("m", ["a"], 3)) == (plain, plain | {"dimensions": 3})
