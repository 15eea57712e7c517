"""Texts as vectors over the Gemini API: `models/MODEL:batchEmbedContents`.

    {"requests": [{"model": "models/M", "content": {"parts": [{"text": "..."}]}, "outputDimensionality": 768}]}
    {"embeddings": [{"values": [0.1, -0.2]}], "usageMetadata": {"promptTokenCount": 5}}

Vectors come in the order of the requests. Shapes as in the types of `google-genai` 3.4; 2026-11.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import msgspec

from polychat.errors import FormatChanged
from polychat.types import Embedded

MOST = 100  # texts of one request


class _Vector(msgspec.Struct):
    values: tuple[float, ...]


class _Usage(msgspec.Struct, rename="camel"):
    prompt_token_count: int | None = None


class Answer(msgspec.Struct, rename="camel"):
    """The answer as it stands on the wire."""

    embeddings: list[_Vector]
    usage_metadata: _Usage | None = None


def body(name: str, texts: Sequence[str], dimensions: int | None) -> dict[str, Any]:
    """The JSON of the request; `name` is the model's resource name, `models/...`, and at most `MOST` texts go along."""
    wanted = {} if dimensions is None else {"outputDimensionality": dimensions}
    return {"requests": [{"model": name, "content": {"parts": [{"text": text}]}} | wanted for text in texts]}


def embedded(answers: Sequence[Answer], count: int) -> Embedded:
    """The vectors of `count` texts, from the answers to all their requests.

    Tokens are counted where every answer counts them. Raises: `FormatChanged` when it is not one vector for each text.
    """
    vectors = tuple(vector.values for answer in answers for vector in answer.embeddings)
    if len(vectors) != count:
        raise FormatChanged(f"the service answered {count} texts with {len(vectors)} vectors")
    tokens = [answer.usage_metadata.prompt_token_count for answer in answers if answer.usage_metadata]
    counted = [tokens_of_one for tokens_of_one in tokens if tokens_of_one is not None]
    return Embedded(vectors=vectors, input_tokens=sum(counted) if counted and len(counted) == len(answers) else None)
