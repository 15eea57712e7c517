"""wire/gemini_embeddings.py: vectors in order, one for each text."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from polychat.errors import FormatChanged
from polychat.types import Embedded
from polychat.wire.gemini_embeddings import Answer, body, embedded


def answer(*vectors: list[float], tokens: int | None = None) -> Answer:
    """An answer with these vectors."""
    usage: dict[str, Any] = {"usageMetadata": {"promptTokenCount": tokens}} if tokens is not None else {}
    whole = {"embeddings": [{"values": one, "statistics": {}} for one in vectors], **usage}
    return msgspec.json.decode(msgspec.json.encode(whole), type=Answer)


def test_each_text_is_a_request_of_the_batch() -> None:
    """Dimensions are named only when they are asked for."""
    asked = {"model": "models/m", "content": {"parts": [{"text": "a"}]}}
    assert body("models/m", ["a"], None) == {"requests": [asked]}
    assert body("models/m", ["a"], 3) == {"requests": [asked | {"outputDimensionality": 3}]}
    assert [one["content"]["parts"][0]["text"] for one in body("models/m", ["b", "a"], None)["requests"]] == ["b", "a"]


def test_vectors_come_in_the_order_of_their_texts() -> None:
    """Also over several answers, whose tokens are counted together."""
    assert embedded([answer([1.0, 2.0], [3.0], tokens=4), answer([5.0], tokens=1)], 3) == Embedded(
        vectors=((1.0, 2.0), (3.0,), (5.0,)), input_tokens=5
    )


def test_tokens_are_counted_where_all_are() -> None:
    """Half a count is none."""
    assert embedded([answer([1.0], tokens=4), answer([2.0])], 2).input_tokens is None
    assert embedded([answer([1.0])], 1).input_tokens is None
    assert embedded([answer([1.0], tokens=0)], 1).input_tokens == 0


@pytest.mark.parametrize("count", [0, 2])
def test_another_number_of_vectors_is_a_changed_format(count: int) -> None:
    """Too few or too many."""
    with pytest.raises(FormatChanged, match=f"answered {count} texts with 1 vectors"):
        embedded([answer([1.0])], count)
