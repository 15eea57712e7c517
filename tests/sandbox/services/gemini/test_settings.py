"""The settings of a request: limits that are kept, ranges that are judged, and the form of the answer."""

from __future__ import annotations

import json

import pytest
from google.genai import types

from polychat.sandbox.services.gemini.settings import RATIOS, ImageConfig


@pytest.fixture
def said(answered):
    """said(config, model=): text and finish reason of an answer."""

    def said(config, model="gemini-2.5-flash-lite"):
        candidate = answered({"generationConfig": config}, model)
        return candidate["content"]["parts"][0]["text"], candidate["finishReason"]

    return said


def test_the_limit_of_tokens_is_kept(generate):
    """With the reason."""
    told = generate(model="gemini-2.5-flash-lite", max_output_tokens=3)
    assert (told.text, told.candidates[0].finish_reason) == ("You asked: “Hello", types.FinishReason.MAX_TOKENS)


def test_thinking_counts_against_the_limit(said):
    """Of 35 tokens, 32 are thought."""
    assert said({"maxOutputTokens": 35}, "gemini-2.5-flash") == ("You asked: “Hello", "MAX_TOKENS")


def test_a_stop_sequence_ends_the_answer_before_itself(generate):
    """The first that comes."""
    told = generate(stop_sequences=["nothing", "there"])
    assert (told.text, told.candidates[0].finish_reason) == ("You asked: “Hello ", types.FinishReason.STOP)


def test_json_without_a_schema_is_an_object(said):
    """Any."""
    text, reason = said({"responseMimeType": "application/json"})
    assert (json.loads(text), reason) == ({"answer": "Hello there"}, "STOP")


def test_a_word_that_is_cut_short_is_left_as_it_is(said):
    """The limit is kept there, too."""
    config = {"responseMimeType": "text/x.enum", "responseSchema": {"type": "STRING", "enum": ["one two"]}}
    assert said(config) == ("one two", "STOP")
    assert said(config | {"maxOutputTokens": 1}) == ('"one', "MAX_TOKENS")


@pytest.mark.parametrize(
    "config",
    [
        {"temperature": 0}, {"temperature": 2}, {"temperature": "0.5"}, {"topP": 0}, {"top_p": 1}, {"topK": 1},
        {"topK": 64.0}, {"seed": 2**31 - 1}, {"seed": str(-(2**31))}, {"presencePenalty": -2}, {"frequencyPenalty": 2},
        {"maxOutputTokens": 65_536}, {"stopSequences": list("12345")}, {"candidateCount": 1},
        {"responseLogprobs": False}, {"responseModalities": ["TEXT"]},
        {"responseMimeType": "text/plain"}, {"enableEnhancedCivicAnswers": True},
    ],
    ids=str,
)  # fmt: skip
def test_a_setting_at_its_bounds_is_taken(said, config):
    """Numbers may be texts, as in every such message."""
    assert said(config)[1] == "STOP"


JSON = {"responseMimeType": "application/json"}
STRING = {"type": "STRING"}


@pytest.mark.parametrize(
    ("config", "field"),
    [
        ({"temperature": 2.1}, "temperature"),
        ({"temperature": "warm"}, "temperature"),
        ({"temperature": True}, "temperature"),
        ({"topP": -0.1}, "top_p"),
        ({"topP": 1.1}, "top_p"),
        ({"topK": 0}, "top_k"),
        ({"topK": 1.5}, "top_k"),
        ({"seed": 2**31}, "seed"),
        ({"seed": -(2**31) - 1}, "seed"),
        ({"presencePenalty": 2.5}, "presence_penalty"),
        ({"frequencyPenalty": -2.5}, "frequency_penalty"),
        ({"maxOutputTokens": 0}, "max_output_tokens"),
        ({"maxOutputTokens": 65_537}, "max_output_tokens"),
        ({"stopSequences": list("123456")}, "stop_sequences"),
        ({"stopSequences": [""]}, "stop_sequences[0]"),
        ({"candidateCount": 2}, "candidate_count"),
        ({"candidateCount": 0}, "candidate_count"),
        ({"responseLogprobs": True}, "response_logprobs"),
        ({"logprobs": 2}, "logprobs"),
        ({"speechConfig": {}}, "speech_config"),
        ({"speechConfig": {"voice": "Kore"}}, "speech_config"),
        ({"audioTranscriptionConfig": {}}, "audio_transcription_config"),
        ({"responseModalities": ["IMAGE"]}, "response_modalities"),
        ({"responseModalities": ["TEXT", "AUDIO"]}, "response_modalities"),
        ({"responseModalities": ["SMELL"]}, "response_modalities[0]"),
        ({"imageConfig": {}}, "image_config"),
        ({"responseMimeType": "application/xml"}, "response_mime_type"),
        ({"responseSchema": STRING}, "response_schema"),
        ({"responseJsonSchema": {}}, "response_json_schema"),
        ({"responseMimeType": "text/plain", "responseSchema": STRING}, "response_schema"),
        (JSON | {"responseSchema": STRING, "responseJsonSchema": {}}, "response_schema"),
        ({"responseMimeType": "text/x.enum"}, "response_schema"),
        ({"responseMimeType": "text/x.enum", "responseSchema": STRING}, "response_schema"),
        ({"responseMimeType": "text/x.enum", "responseJsonSchema": {"type": "string"}}, "response_json_schema"),
    ],
)
def test_what_is_out_of_range_is_refused(wrong, config, field):
    """400 with the place."""
    assert wrong({"generationConfig": config}) == [f"generation_config.{field}"]


@pytest.mark.parametrize("ratio", RATIOS)
def test_a_picture_has_about_as_many_pixels_in_every_ratio(ratio):
    """A million, and in that ratio."""
    width, height = ImageConfig(aspect_ratio=ratio).pixels
    wide, high = map(int, ratio.split(":"))
    assert width / height == pytest.approx(wide / high, rel=0.03)
    assert width * height == pytest.approx(1024**2, rel=0.05)


def test_the_limit_is_the_models_own(wrong):
    """8192 for a small one."""
    config = {"generationConfig": {"maxOutputTokens": 8193}}
    assert wrong(config, "gemma-3-27b-it") == ["generation_config.max_output_tokens"]


@pytest.mark.parametrize("field", ["presence_penalty", "frequency_penalty"])
def test_the_newest_models_know_no_penalties(wrong, field):
    """Not even of nothing."""
    assert wrong({"generationConfig": {field: 0}}, "gemini-3.8-flash") == [f"generation_config.{field}"]


@pytest.mark.parametrize("config", [JSON, JSON | {"responseSchema": STRING}, JSON | {"responseJsonSchema": {}}])
@pytest.mark.parametrize("model", ["gemma-3-27b-it", "gemini-2.5-flash-image"])
def test_not_every_model_answers_in_json(wrong, config, model):
    """Refused by the mime type."""
    assert wrong({"generationConfig": config}, model) == ["generation_config.response_mime_type"]
