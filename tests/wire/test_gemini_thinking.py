"""wire/gemini_thinking.py: how hard a model is to think, in its own words."""

from __future__ import annotations

from typing import Any, get_args

import pytest

from polychat.errors import UnsupportedFeature
from polychat.types import ReasoningEffort
from polychat.wire.gemini_thinking import config, generation

LOUD: tuple[ReasoningEffort, ...] = tuple(effort for effort in get_args(ReasoningEffort) if effort != "none")


@pytest.mark.parametrize(
    ("model", "number"),
    [
        ("gemini-2.5-flash", 2),
        ("models/gemini-3.8-flash", 3),
        ("gemini-4-argon", 4),
        ("gemini-flash-latest", 3),
        ("gemini-embedding-001", 3),
        ("gemini-12-x", 12),
    ],
)
def test_the_generation_is_in_the_name(model: str, number: int) -> None:
    """An id without a number is of the latest."""
    assert generation(model) == number


@pytest.mark.parametrize("model", ["gemini-2.5-flash", "gemini-2.5-pro", "gemini-2.5-flash-lite"])
def test_the_second_generation_has_budgets(model: str) -> None:
    """Those that Google's own OpenAI endpoint gives."""
    budgets = [config(model, effort) for effort in LOUD]
    assert budgets == [{"thinkingBudget": n, "includeThoughts": True} for n in (1024, 1024, 8192, 24576)]


@pytest.mark.parametrize(
    ("model", "levels"),
    [
        ("gemini-3-flash-preview", "MINIMAL LOW MEDIUM HIGH"),
        ("gemini-3.6-flash", "MINIMAL LOW MEDIUM HIGH"),
        ("gemini-3.5-flash-lite", "MINIMAL LOW MEDIUM HIGH"),
        ("gemini-3.8-flash", "LOW LOW MEDIUM HIGH"),
        ("models/gemini-3.7-flash", "LOW LOW MEDIUM HIGH"),
        ("gemini-4-argon", "LOW LOW MEDIUM HIGH"),
        ("gemini-3.1-pro-preview", "LOW LOW MEDIUM HIGH"),
        ("gemini-3-pro-preview", "LOW LOW HIGH HIGH"),
        ("gemini-3-pro-image", "HIGH HIGH HIGH HIGH"),
        ("gemini-3.1-flash-image", "MINIMAL HIGH HIGH HIGH"),
        ("gemini-3.1-flash-lite-image", "MINIMAL HIGH HIGH HIGH"),
        ("gemini-pro-latest", "LOW LOW MEDIUM HIGH"),
        ("gemini-flash-latest", "LOW LOW MEDIUM HIGH"),
        ("some-model", "MINIMAL LOW MEDIUM HIGH"),
    ],
)
def test_later_ones_have_levels(model: str, levels: str) -> None:
    """The nearest that the model knows, and never less than was asked for."""
    expected: list[Any] = [{"thinkingLevel": level, "includeThoughts": True} for level in levels.split()]
    assert [config(model, effort) for effort in LOUD] == expected


def test_thinking_can_be_off_in_two_models() -> None:
    """And then there are no thoughts to be told."""
    assert config("gemini-2.5-flash", "none") == config("gemini-2.5-flash-lite", "none") == {"thinkingBudget": 0}


@pytest.mark.parametrize("model", ["gemini-2.5-pro", "gemini-3.8-flash", "gemini-4-argon", "gemini-pro-latest"])
def test_it_cannot_in_others(model: str) -> None:
    """Which is said, not passed over."""
    with pytest.raises(UnsupportedFeature, match="thinks always"):
        config(model, "none")
