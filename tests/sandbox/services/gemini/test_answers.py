"""How an answer is written down: one part or many, and what was used so far."""

from __future__ import annotations

import pytest


@pytest.fixture
def body():
    """A plain request."""
    return {"contents": [{"parts": [{"text": "Hello there"}]}]}


@pytest.fixture
def whole(post, body):
    """whole(model, scenario, **fields): the body of an answer."""
    return lambda model, scenario="", **fields: post(f"{model}:generateContent", body | fields, scenario).json


@pytest.fixture
def chunks(post, body, events):
    """chunks(model, scenario, **fields): the bodies of a stream."""

    def chunks(model, scenario="", **fields):
        return events(post(f"{model}:streamGenerateContent?alt=sse", body | fields, scenario).body)

    return chunks


def test_a_whole_answer_in_full(whole):
    """Every field of it."""
    answer = whole("gemini-2.5-flash-lite")
    assert len(answer.pop("responseId")) == 22
    text = {"text": "You asked: “Hello there” (2 words)."}
    details = [{"modality": "TEXT", "tokenCount": 2}]
    assert answer == {
        "candidates": [{"content": {"parts": [text], "role": "model"}, "finishReason": "STOP", "index": 0}],
        "usageMetadata": {
            "promptTokenCount": 2, "candidatesTokenCount": 6, "totalTokenCount": 8, "promptTokensDetails": details,
            "serviceTier": "standard",
        },
        "modelVersion": "gemini-2.5-flash-lite",
    }  # fmt: skip


def test_a_stream_has_usage_in_every_piece_and_the_end_in_the_last(chunks):
    """What was said so far is counted."""
    pieces = chunks("gemini-2.5-flash")
    assert [piece["usageMetadata"].get("candidatesTokenCount") for piece in pieces] == [1, 2, 3, 4, 5, 6]
    assert {piece["usageMetadata"]["thoughtsTokenCount"] for piece in pieces} == {32}
    assert [piece["usageMetadata"]["totalTokenCount"] for piece in pieces] == [35, 36, 37, 38, 39, 40]
    assert [piece["candidates"][0].get("finishReason") for piece in pieces] == [*[None] * 5, "STOP"]


def test_a_signature_comes_last_and_on_nothing(chunks, whole):
    """In a whole answer it belongs to the text."""
    *_, last = chunks("gemini-3.8-flash")
    (part,) = last["candidates"][0]["content"]["parts"]
    assert (part["text"], last["candidates"][0]["finishReason"]) == ("", "STOP")
    assert last["usageMetadata"]["candidatesTokenCount"] == 6
    (told,) = whole("gemini-3.8-flash")["candidates"][0]["content"]["parts"]
    assert told["text"] == "You asked: “Hello there” (2 words)."
    assert part.keys() == told.keys() == {"text", "thoughtSignature"}


def test_after_a_signed_call_the_end_is_a_piece_of_its_own(chunks, whole):
    """On empty words, with what the call cost; a model that does not sign tells the end with the call."""
    declared = [{"functionDeclarations": [{"name": "hello"}]}]
    called, end = chunks("gemini-3.8-flash", tools=declared)
    assert called["candidates"][0]["content"]["parts"][0].keys() == {"functionCall", "thoughtSignature"}
    assert called["candidates"][0].get("finishReason") is None
    content = {"parts": [{"text": ""}], "role": "model"}
    assert end["candidates"] == [{"content": content, "index": 0, "finishReason": "STOP"}]
    assert end["usageMetadata"] == called["usageMetadata"]
    (only,) = chunks("gemini-2.5-flash-lite", tools=declared)
    assert only["candidates"][0]["finishReason"] == "STOP"
    (part,) = whole("gemini-3.8-flash", tools=declared)["candidates"][0]["content"]["parts"]
    assert part.keys() == {"functionCall", "thoughtSignature"}


def test_words_are_signed_where_functions_are_declared(chunks, whole):
    """The first of them, by a model that thinks and has no signature at the end."""
    declared = [{"functionDeclarations": [{"name": "other"}]}]
    pieces = [piece["candidates"][0]["content"]["parts"][0] for piece in chunks("gemini-2.5-flash", tools=declared)]
    assert ["thoughtSignature" in part for part in pieces] == [True, *[False] * 5]
    (part,) = whole("gemini-2.5-flash", tools=declared)["candidates"][0]["content"]["parts"]
    assert (part["text"], "thoughtSignature" in part) == ("You asked: “Hello there” (2 words).", True)
    pieces = [piece["candidates"][0]["content"]["parts"][0] for piece in chunks("gemini-3.8-flash", tools=declared)]
    assert ["thoughtSignature" in part for part in pieces] == [*[False] * 6, True]
    for model, fields in (("gemini-2.5-flash", {}), ("gemini-2.5-flash-lite", {"tools": declared})):
        (part,) = whole(model, **fields)["candidates"][0]["content"]["parts"]
        assert "thoughtSignature" not in part


def test_the_tier_is_told(whole):
    """As it was asked for."""
    told = [
        whole("gemini-2.5-flash", serviceTier=tier)["usageMetadata"]["serviceTier"] for tier in ("flex", "unspecified")
    ]
    assert told == ["flex", "standard"]


def test_what_a_search_brought_is_counted(whole):
    """Apart from the prompt, and in the total; without a search there is no such count."""
    usage = whole("gemini-2.5-flash", tools=[{"googleSearch": {}}])["usageMetadata"]
    found = usage["toolUsePromptTokenCount"]
    assert (found > 0, usage["toolUsePromptTokensDetails"]) == (True, [{"modality": "TEXT", "tokenCount": found}])
    counted = sum(usage[name] for name in ("promptTokenCount", "candidatesTokenCount", "thoughtsTokenCount"))
    assert usage["totalTokenCount"] == counted + found
    assert "toolUsePromptTokenCount" not in whole("gemini-2.5-flash")["usageMetadata"]


def test_thoughts_and_answer_stay_apart(whole):
    """Two parts of one candidate."""
    config = {"thinkingConfig": {"includeThoughts": True}}
    thought, said = whole("gemini-2.5-flash", generationConfig=config)["candidates"][0]["content"]["parts"]
    assert (thought["thought"], said.get("thought")) == (True, None)


def test_an_answer_of_nothing_has_a_role_and_a_reason(whole, chunks):
    """When thinking uses up the limit."""
    config = {"generationConfig": {"maxOutputTokens": 10}}
    candidate = {"content": {"role": "model"}, "finishReason": "MAX_TOKENS", "index": 0}
    answer = whole("gemini-2.5-pro", **config)
    assert answer["candidates"] == [candidate]
    assert (answer["usageMetadata"]["thoughtsTokenCount"], answer["usageMetadata"]["totalTokenCount"]) == (10, 12)
    assert "candidatesTokenCount" not in answer["usageMetadata"]
    (piece,) = chunks("gemini-2.5-pro", **config)
    assert (piece["candidates"], piece["usageMetadata"]) == ([candidate], answer["usageMetadata"])


def test_pictures_are_counted_by_sort(whole):
    """In what is said."""
    usage = whole("gemini-2.5-flash-image")["usageMetadata"]
    assert usage["candidatesTokensDetails"] == [{"modality": "IMAGE", "tokenCount": 1290}]
    assert usage["candidatesTokenCount"] == 1296


def test_the_sorts_of_what_was_cached_are_told_only_where_they_are_known(whole, blob, png):
    """Text alone."""
    long = {"text": "word " * 1200}
    for parts, known in (([long], True), ([long, blob(png())], False)):
        contents = [{"role": "user", "parts": parts}]
        usage = [whole("gemini-2.5-flash", contents=contents)["usageMetadata"] for _ in range(2)][-1]
        assert usage["cachedContentTokenCount"] >= 1200
        assert ("cacheTokensDetails" in usage) is known
