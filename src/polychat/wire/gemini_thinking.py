"""How hard a Gemini model thinks: `generationConfig.thinkingConfig`, by the model's generation.

Gemini 2.5 is given a budget of tokens, later ones a level, and never both. Which levels a model knows is data here; the
nearest one that is not less than what was asked for is taken, as Google's own OpenAI endpoint does, whose budgets these
are. Only 2.5 Flash and Flash-Lite can be told not to think. Source: the Gemini API's documentation on thinking and
OpenAI compatibility, and `ThinkingConfig` of `google-genai` 3.4; 2026-11.
"""

from __future__ import annotations

import re
from typing import Any

from polychat.errors import UnsupportedFeature
from polychat.types import ReasoningEffort

_GENERATION = re.compile(r"gemini-(\d+)")
_LATEST = 3  # the least generation that an id without a number means
_BUDGETS: dict[ReasoningEffort, int] = {"none": 0, "minimal": 1024, "low": 1024, "medium": 8192, "high": 24576}
_ALL = ("minimal", "low", "medium", "high")
_FEWER: dict[str, tuple[str, ...]] = {  # the first beginning of an id that fits counts
    "gemini-3-pro-image": ("high",),
    "gemini-3.1-flash-image": ("minimal", "high"),
    "gemini-3.1-flash-lite-image": ("minimal", "high"),
    "gemini-3-pro": ("low", "high"),
    "gemini-3.1-pro": ("low", "medium", "high"),
    "gemini-3.7-flash": ("low", "medium", "high"),
    "gemini-3.8-flash": ("low", "medium", "high"),
    "gemini-4": ("low", "medium", "high"),
    "gemini-flash-latest": ("low", "medium", "high"),
    "gemini-pro-latest": ("low", "medium", "high"),
}


def generation(model: str) -> int:
    """The first number of the model's name: 2 for gemini-2.5-flash."""
    found = _GENERATION.search(model)
    return int(found.group(1)) if found else _LATEST


def config(model: str, effort: ReasoningEffort) -> dict[str, Any]:
    """What `effort` is in the words of `model`; thoughts are told unless there are to be none.

    Raises: `UnsupportedFeature` for "none" where a model always thinks.
    """
    if effort == "none":
        return _silent(model)
    if generation(model) < _LATEST:
        return {"thinkingBudget": _BUDGETS[effort], "includeThoughts": True}
    return {"thinkingLevel": _level(model, effort).upper(), "includeThoughts": True}


def _silent(model: str) -> dict[str, Any]:
    if generation(model) < _LATEST and "-pro" not in model:
        return {"thinkingBudget": _BUDGETS["none"]}
    raise UnsupportedFeature(
        f"{model} thinks always, and reasoning_effort is none", hint='leave reasoning_effort out, or say "minimal"'
    )


def _level(model: str, effort: ReasoningEffort) -> str:
    name = model.removeprefix("models/")
    known = next((levels for beginning, levels in _FEWER.items() if name.startswith(beginning)), _ALL)
    return next(level for level in _ALL[_ALL.index(effort) :] if level in known)
