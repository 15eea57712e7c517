"""Thinking: by level or budget, whichever the model knows; shown only when asked for."""

from __future__ import annotations

import pytest
from google.genai import types

PLACE = "generation_config.thinking_config"


@pytest.fixture
def thought(generate):
    """thought(model, **config): how many tokens a model thinks."""

    def thought(model, **config):
        more = {"thinking_config": config} if config else {}
        return generate(model=model, **more).usage_metadata.thoughts_token_count

    return thought


@pytest.mark.parametrize(
    ("model", "config", "tokens"),
    [
        ("gemini-2.5-flash", {}, 32),
        ("gemini-2.5-flash", {"thinking_budget": 0}, None),
        ("gemini-2.5-flash", {"thinking_budget": 1}, 1),
        ("gemini-2.5-flash", {"thinking_budget": 24_576}, 64),
        ("gemini-2.5-flash", {"thinking_budget": -1}, 32),
        ("gemini-2.5-pro", {}, 32),
        ("gemini-2.5-pro", {"thinking_budget": 128}, 64),
        ("gemini-2.5-pro", {"thinking_budget": 32_768}, 64),
        ("gemini-2.5-flash-lite", {}, None),
        ("gemini-2.5-flash-lite", {"thinking_budget": 512}, 64),
        ("gemini-2.5-flash-lite", {"thinking_budget": -1}, 32),
        ("gemini-3.8-flash", {}, 32),
        ("gemini-3.8-flash", {"thinking_level": "low"}, 16),
        ("gemini-3.8-flash", {"thinking_level": "HIGH"}, 64),
        ("gemini-3.8-flash", {"thinking_budget": 1}, 1),
        ("gemini-3.8-flash", {"thinking_budget": 32_768}, 64),
        ("gemini-3.1-pro-preview", {}, 64),
        ("gemini-3.1-pro-preview", {"thinking_level": "medium"}, 32),
        ("gemini-3-flash-preview", {"thinking_level": "minimal"}, 4),
        ("gemma-3-27b-it", {}, None),
    ],
)
def test_a_model_thinks_as_much_as_it_is_told(thought, model, config, tokens):
    """Or as it is used to."""
    assert thought(model, **config) == tokens


def test_thoughts_are_shown_on_demand(generate):
    """As parts of their own, which are no part of the text."""
    told = generate(thinking_config={"include_thoughts": True})
    thought, said = told.parts
    assert (thought.thought, said.thought) == (True, None)
    assert thought.text.startswith("**Considering the question**")
    assert told.text == said.text == "You asked: “Hello there” (2 words)."
    assert (told.usage_metadata.candidates_token_count, told.usage_metadata.thoughts_token_count) == (6, 32)


def test_thoughts_come_before_the_answer(stream):
    """In a few pieces."""
    parts = [part for chunk in stream(thinking_config={"include_thoughts": True}) for part in chunk.parts]
    assert [part.thought for part in parts] == [True] * 3 + [None] * 6


@pytest.mark.parametrize(
    ("model", "config", "field"),
    [
        ("gemini-2.5-flash", {"thinkingBudget": 24_577}, ".thinking_budget"),
        ("gemini-2.5-flash", {"thinkingBudget": -2}, ".thinking_budget"),
        ("gemini-2.5-pro", {"thinkingBudget": 0}, ".thinking_budget"),
        ("gemini-2.5-pro", {"thinkingBudget": 127}, ".thinking_budget"),
        ("gemini-2.5-pro", {"thinkingBudget": 32_769}, ".thinking_budget"),
        ("gemini-2.5-flash-lite", {"thinkingBudget": 511}, ".thinking_budget"),
        ("gemini-2.5-flash", {"thinkingLevel": "LOW"}, ".thinking_level"),
        ("gemini-3.8-flash", {"thinkingLevel": "MINIMAL"}, ".thinking_level"),
        ("gemini-3-pro-preview", {"thinkingLevel": "MEDIUM"}, ".thinking_level"),
        ("gemini-3.8-flash", {"thinkingLevel": "XHIGH"}, ".thinking_level"),
        ("gemini-3.8-flash", {"thinkingLevel": "deep"}, ".thinking_level"),
        ("gemini-3.8-flash", {"thinkingBudget": 0}, ".thinking_budget"),
        ("gemini-3.8-flash", {"thinkingBudget": 32_769}, ".thinking_budget"),
        ("gemini-3.8-flash", {"thinkingLevel": "LOW", "thinkingBudget": 100}, ""),
        ("gemini-2.5-flash", {"includeThoughts": True, "thinkingBudget": 0}, ".include_thoughts"),
        ("gemini-2.5-flash-lite", {"includeThoughts": True}, ".include_thoughts"),
        ("gemma-3-27b-it", {"includeThoughts": False}, ""),
        ("gemini-2.5-flash-image", {}, ""),
    ],
)
def test_what_a_model_does_not_know_is_refused(wrong, model, config, field):
    """400 with the place."""
    assert wrong({"generationConfig": {"thinkingConfig": config}}, model) == [f"{PLACE}{field}"]


def test_an_unspecified_level_is_none(thought):
    """As everywhere in such messages."""
    assert thought("gemini-2.5-flash", thinking_level=types.ThinkingLevel.THINKING_LEVEL_UNSPECIFIED) == 32
