"""Safety: settings that are checked, prompts that are blocked, answers that break off."""

from __future__ import annotations

import pytest
from google.genai import types

DANGEROUS = "HARM_CATEGORY_DANGEROUS_CONTENT"


def test_settings_are_taken(generate):
    """Of each category once."""
    names = ("HARASSMENT", "HATE_SPEECH", "SEXUALLY_EXPLICIT", "DANGEROUS_CONTENT", "CIVIC_INTEGRITY")
    thresholds = ("BLOCK_NONE", "OFF", "BLOCK_ONLY_HIGH", "BLOCK_LOW_AND_ABOVE", "BLOCK_MEDIUM_AND_ABOVE")
    settings = [
        {"category": f"HARM_CATEGORY_{name}", "threshold": threshold}
        for name, threshold in zip(names, thresholds, strict=True)
    ]
    assert generate(safety_settings=settings).candidates[0].finish_reason is types.FinishReason.STOP


@pytest.mark.parametrize(
    ("settings", "field"),
    [
        ([{"category": "HARM_CATEGORY_UNSPECIFIED", "threshold": "OFF"}], "[0].category"),
        ([{"category": "HARM_CATEGORY_IMAGE_HATE", "threshold": "OFF"}], "[0].category"),
        ([{"threshold": "OFF"}], "[0].category"),
        ([{"category": DANGEROUS, "threshold": "OFF"}, {"category": DANGEROUS}], "[1].category"),
        ([{"category": DANGEROUS, "threshold": "SOMETIMES"}], "[0].threshold"),
        ([{"category": DANGEROUS, "method": "SEVERITY"}], "[0]"),
    ],
)
def test_settings_that_make_no_sense_are_refused(wrong, settings, field):
    """400 with the place."""
    assert wrong({"safetySettings": settings}) == [f"safety_settings{field}"]


def test_a_blocked_prompt_has_no_candidates(generate, stream):
    """But a reason, ratings, and what it cost."""
    told = generate(scenario="block=SAFETY")
    assert (told.candidates, told.text) == (None, None)
    assert told.prompt_feedback.block_reason is types.BlockedReason.SAFETY
    assert [rating.category.value for rating in told.prompt_feedback.safety_ratings if rating.blocked] == [DANGEROUS]
    assert (told.usage_metadata.prompt_token_count, told.usage_metadata.total_token_count) == (2, 2)
    (chunk,) = stream(scenario="block=PROHIBITED_CONTENT")
    assert chunk.prompt_feedback.block_reason is types.BlockedReason.PROHIBITED_CONTENT
    assert chunk.prompt_feedback.safety_ratings is None


def test_an_answer_can_break_off_for_safety(generate, stream):
    """After half of it, with ratings."""
    told = generate(scenario="stop=SAFETY")
    assert (told.text, told.candidates[0].finish_reason) == ("You asked: “Hello", types.FinishReason.SAFETY)
    assert [rating.category.value for rating in told.candidates[0].safety_ratings if rating.blocked] == [DANGEROUS]
    chunks = stream(scenario="stop=RECITATION")
    assert [chunk.text for chunk in chunks] == ["You", " asked:", " “Hello"]
    assert chunks[-1].candidates[0].finish_reason is types.FinishReason.RECITATION
    assert chunks[-1].candidates[0].safety_ratings is None


def test_a_call_can_be_malformed(stream, answered):
    """Nothing is said but that; the package does not know the sentence about it."""
    (chunk,) = stream(scenario="stop=MALFORMED_FUNCTION_CALL")
    (candidate,) = chunk.candidates
    assert (candidate.finish_reason, candidate.content.parts) == (types.FinishReason.MALFORMED_FUNCTION_CALL, None)
    assert "MALFORMED_FUNCTION_CALL" in answered(scenario="stop=MALFORMED_FUNCTION_CALL")["finishMessage"]
