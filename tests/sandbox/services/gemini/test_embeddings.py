"""Embeddings: unit vectors, the same for the same words."""

from __future__ import annotations

import math

import pytest
from google.genai import errors, types

MODEL = "gemini-embedding-001"
CONTENT = {"parts": [{"text": "x"}]}


@pytest.fixture
def embed(client):
    """embed(*texts, model=, **config): their vectors."""

    def embed(*texts, model=MODEL, **config):
        return [
            it.values for it in client.models.embed_content(model=model, contents=list(texts), config=config).embeddings
        ]

    return embed


def near(one, other):
    """The cosine of the angle between two."""
    return sum(a * b for a, b in zip(one, other, strict=True))


def test_every_text_has_a_direction(embed):
    """Of length 1, the same every time, nearer to what shares words."""
    cats, more_cats, taxes = embed("cats and dogs", "dogs and cats", "income tax")
    assert len(cats) == 3072
    assert math.isclose(math.hypot(*cats), 1)
    assert embed("cats and dogs") == [cats]
    assert near(cats, more_cats) > 0.9 > near(cats, taxes)


def test_a_direction_can_be_shortened(embed):
    """To its first numbers, at length 1 again."""
    (long,), (short,) = embed("cats"), embed("cats", output_dimensionality=8)
    assert len(short) == 8
    assert math.isclose(math.hypot(*short), 1)
    assert math.isclose(near(short, long[:8]), math.hypot(*long[:8]))


def test_tokens_are_told(client):
    """Of all texts together."""
    told = client.models.embed_content(model=MODEL, contents=["a b", "c"])
    assert told.usage_metadata.prompt_token_count == 3


def test_one_content_is_embedded_alone(post, embed):
    """The same as in a batch."""
    body = {"content": {"parts": [{"text": "cats"}]}, "taskType": "RETRIEVAL_DOCUMENT", "title": "T"}
    assert post(f"{MODEL}:embedContent", body).json["embedding"]["values"] == embed("cats")[0]


def test_a_picture_has_a_direction_where_models_see(embed, png):
    """Of its bytes; several parts are one content."""
    red, blue = (types.Part.from_bytes(data=png(colour=colour), mime_type="image/png") for colour in ("red", "blue"))
    assert embed(red, model="gemini-embedding-2") != embed(blue, model="gemini-embedding-2")
    assert len(embed("a", red, model="gemini-embedding-2")) == 1
    with pytest.raises(errors.ClientError):
        embed(red)


def test_tokens_count_against_the_limit(embed, sandbox):
    """Those of texts."""
    sandbox.knobs("gemini", token_limit=3)
    embed("one two three")
    with pytest.raises(errors.ClientError) as caught:
        embed("four")
    assert caught.value.code == 429


def test_a_text_may_be_so_long(post):
    """As many tokens as the model takes."""
    body = {"content": {"parts": [{"text": ("word " * 2048).strip()}]}}
    assert post(f"{MODEL}:embedContent", body).json["usageMetadata"]["promptTokenCount"] == 2048


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({}, "content"),
        ({"content": {"parts": []}}, "content.parts"),
        ({"content": {"parts": [{"text": ""}]}}, "content.parts[0].text"),
        ({"content": {"parts": [{}]}}, "content.parts[0].data"),
        ({"content": CONTENT, "outputDimensionality": 0}, "output_dimensionality"),
        ({"content": CONTENT, "outputDimensionality": 3073}, "output_dimensionality"),
        ({"content": CONTENT, "taskType": "POETRY"}, "task_type"),
        ({"content": CONTENT, "title": "T"}, "title"),
        ({"content": {"parts": [{"text": ("word " * 2049).strip()}]}}, "content"),
        ({"content": CONTENT, "autoTruncate": True}, ""),
    ],
)
def test_what_cannot_be_embedded_is_refused(wrong, body, field):
    """Alone, and in a batch by its place there."""
    assert wrong(body, MODEL, "embedContent") == [field]
    if field == "content.parts[0].text":
        batch = {"requests": [{"model": f"models/{MODEL}"} | it for it in ({"content": CONTENT}, body)]}
        assert wrong(batch, MODEL, "batchEmbedContents") == [f"requests[1].{field}"]


@pytest.mark.parametrize(
    ("requests", "field"),
    [
        ([], "requests"),
        ([{"model": f"models/{MODEL}", "content": CONTENT}] * 101, "requests"),
        ([{"content": CONTENT}], "requests[0].model"),
        ([{"model": "models/gemini-embedding-2", "content": CONTENT}], "requests[0].model"),
    ],
)
def test_a_batch_that_makes_no_sense_is_refused(wrong, requests, field):
    """Each request names the model of the path; at most a hundred."""
    assert wrong({"requests": requests}, MODEL, "batchEmbedContents") == [field]
