"""Embeddings: the same for the same text, closer for similar ones, and in both encodings."""

from __future__ import annotations

import base64
import math
import struct

import pytest

CATS, MORE_CATS, TRAINS = "a cat sleeps on the warm mat", "two cats sleep on a mat", "trains leave at noon from Berlin"
ADA = "text-embedding-ada-002"


@pytest.fixture
def embed(client):
    """embed(*texts, **fields): the vectors."""

    def embed(*texts, model="text-embedding-3-small", **fields):
        return [item.embedding for item in client.embeddings.create(model=model, input=list(texts), **fields).data]

    return embed


def closeness(one, other):
    """The cosine of two vectors of length 1."""
    return sum(a * b for a, b in zip(one, other, strict=True))


def test_similar_texts_are_closer(embed):
    """Words in common bring texts together."""
    cats, more_cats, trains = embed(CATS, MORE_CATS, TRAINS)
    assert closeness(cats, more_cats) > 0.3
    assert abs(closeness(cats, trains)) < 0.15
    assert closeness(*embed("sleeping", "sleeps")) > 0.3


def test_the_same_text_has_the_same_vector_of_length_one(embed):
    """In every model, in its own dimensions."""
    for model, dimensions in (("text-embedding-3-small", 1536), ("text-embedding-3-large", 3072), (ADA, 1536)):
        one, other = embed(CATS, CATS, model=model)
        assert one == other
        assert len(one) == dimensions
        assert math.hypot(*one) == pytest.approx(1)


def test_a_shorter_vector_is_the_beginning_of_the_long_one(embed):
    """At length 1 again."""
    (long,), (short,) = embed(CATS), embed(CATS, dimensions=8)
    length = math.hypot(*long[:8])
    assert short == pytest.approx([number / length for number in long[:8]], abs=1e-6)


def test_base64_holds_the_same_numbers(post):
    """Little-endian floats of 32 bits."""
    body = {"model": "text-embedding-3-small", "input": CATS}
    plain = post("/embeddings", body).json["data"][0]["embedding"]
    packed = post("/embeddings", body | {"encoding_format": "base64"}).json["data"][0]["embedding"]
    assert struct.unpack("<1536f", base64.b64decode(packed)) == pytest.approx(plain, abs=1e-6)


def test_tokens_are_taken_as_texts(client):
    """One list of numbers, or several; usage counts them."""
    one = client.embeddings.create(model=ADA, input=[1, 2, 3])
    two = client.embeddings.create(model=ADA, input=[[1, 2, 3], [4]])
    assert (len(one.data), len(two.data)) == (1, 2)
    assert one.data[0].embedding == two.data[0].embedding
    assert (one.usage.prompt_tokens, two.usage.total_tokens) == (3, 4)


@pytest.mark.parametrize(
    ("fields", "param", "code"),
    [
        ({"input": ""}, "input", "invalid_value"),
        ({"input": ["a", ""]}, "input", "invalid_value"),
        ({"input": []}, "input", "empty_array"),
        ({"input": ["a"] * 2049}, "input", "array_above_max_length"),
        ({"input": ["a", 1]}, "input", "invalid_value"),
        ({"input": "a " * 8193}, "input", "context_length_exceeded"),
        ({"input": None}, "input", "invalid_type"),
        ({"dimensions": 0}, "dimensions", "integer_below_min_value"),
        ({"dimensions": 1537}, "dimensions", "invalid_value"),
        ({"model": ADA, "dimensions": 8}, "dimensions", "unsupported_parameter"),
        ({"encoding_format": "hex"}, "encoding_format", "invalid_value"),
        ({"inputs": "a"}, "inputs", "unknown_parameter"),
    ],
)
def test_what_is_wrong_is_refused_by_field(refused, fields, param, code):
    """400 with the field's place and a code."""
    body = {"model": "text-embedding-3-small", "input": "a"} | fields
    assert refused("/embeddings", body) == (400, param, code)
