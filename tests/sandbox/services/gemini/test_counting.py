"""How large a request would be."""

from __future__ import annotations

import pytest
from google.genai import types


def test_contents_are_counted_by_sort(client, post, png, blob):
    """As the prompt of an answer is."""
    picture = types.Part.from_bytes(data=png(), mime_type="image/png")
    assert client.models.count_tokens(model="gemini-2.5-flash", contents=["a b c", picture]).total_tokens == 259
    body = {"contents": [{"parts": [{"text": "a b c"}, blob(png())]}]}
    assert post("gemini-2.5-flash:countTokens", body).json == {
        "totalTokens": 259,
        "promptTokensDetails": [{"modality": "TEXT", "tokenCount": 3}, {"modality": "IMAGE", "tokenCount": 256}],
    }


def test_a_whole_request_is_counted(post):
    """With its instructions."""
    inner = {
        "model": "models/gemini-2.5-flash", "contents": {"parts": {"text": "a b"}},
        "systemInstruction": {"parts": {"text": "c d e"}},
    }  # fmt: skip
    assert post("gemini-2.5-flash:countTokens", {"generateContentRequest": inner}).json["totalTokens"] == 5


def test_a_talk_that_ends_with_the_model_is_counted(post):
    """Nobody has to answer it."""
    body = {"contents": [{"role": "user", "parts": {"text": "a"}}, {"role": "model", "parts": {"text": "b"}}]}
    assert post("gemini-3.8-flash:countTokens", body).json["totalTokens"] == 2


def test_an_embedder_counts_too(client):
    """Contents."""
    assert client.models.count_tokens(model="gemini-embedding-001", contents="a b").total_tokens == 2


INNER = {"model": "models/gemini-2.5-flash", "contents": [{"parts": [{"text": "x"}]}]}


@pytest.mark.parametrize(
    ("body", "fields"),
    [
        ({}, ["contents"]),
        ({"contents": INNER["contents"], "generateContentRequest": INNER}, ["contents"]),
        ({"generateContentRequest": INNER | {"model": "models/gemini-2.5-pro"}}, ["generate_content_request.model"]),
        ({"generateContentRequest": {"contents": INNER["contents"]}}, ["generate_content_request.model"]),
        ({"generateContentRequest": INNER | {"contents": []}}, ["contents"]),
        ({"tools": []}, [""]),
    ],
)
def test_what_cannot_be_counted_is_refused(wrong, body, fields):
    """400 with the place."""
    assert wrong(body, method="countTokens") == fields
