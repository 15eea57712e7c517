"""How hard the model thinks: by a level or by a budget of tokens, whichever it knows; and the summary it may show.

Source: the public page on thinking, November 2026. How many tokens a level is worth is the sandbox's own.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

import msgspec

from polychat.sandbox.services.gemini import refusals
from polychat.sandbox.services.gemini.models import Model
from polychat.sandbox.services.gemini.proto import Wire

SUMMARY = (
    "**Considering the question**\n\nThe question is before me. ",
    "I read it once more, ",
    "and shall repeat it, count its words, and say so.\n",
)
_LEVEL_TOKENS: Mapping[str, int] = {"minimal": 4, "low": 16, "medium": 32, "high": 64, "xhigh": 128}
_DYNAMIC = -1
_DYNAMIC_TOKENS = 32
_MOST_TOKENS = 64  # of a budget are used
_PLACE = "generation_config.thinking_config"


class ThinkingConfig(Wire, frozen=True, kw_only=True):
    """How to think."""

    include_thoughts: bool = False
    thinking_budget: int | None = None
    thinking_level: Literal["THINKING_LEVEL_UNSPECIFIED", "MINIMAL", "LOW", "MEDIUM", "HIGH", "XHIGH"] = (
        "THINKING_LEVEL_UNSPECIFIED"
    )

    @property
    def level(self) -> str:
        """The level as models name theirs; empty when none is asked for."""
        return "" if self.thinking_level == "THINKING_LEVEL_UNSPECIFIED" else self.thinking_level.lower()


class Thinking(msgspec.Struct, frozen=True, kw_only=True):
    """How much is thought, and whether it is shown."""

    tokens: int
    shown: bool


def judged(config: ThinkingConfig | None, model: Model) -> Thinking:
    """How a model thinks with this. Raises: Refusal."""
    if config is None:
        return Thinking(tokens=_unasked(model), shown=False)
    if not model.thinks:
        raise refusals.bad(_PLACE, f"thinking is not enabled for models/{model.id}.")
    if config.level and config.thinking_budget is not None:
        raise refusals.bad(_PLACE, "thinking_budget and thinking_level exclude each other.")
    _judge_level(config, model)
    _judge_budget(config, model)
    tokens = _tokens(config, model)
    if config.include_thoughts and not tokens:
        raise refusals.bad(f"{_PLACE}.include_thoughts", "it is only taken where the model thinks.")
    return Thinking(tokens=tokens, shown=config.include_thoughts)


def _judge_level(config: ThinkingConfig, model: Model) -> None:
    if config.level and config.level not in model.levels:
        known = ", ".join(model.levels) or "none; it has a thinking_budget"
        message = f"models/{model.id} does not know the level {config.thinking_level}. Its levels: {known}."
        raise refusals.bad(f"{_PLACE}.thinking_level", message)


def _judge_budget(config: ThinkingConfig, model: Model) -> None:
    budget = config.thinking_budget
    least, most = model.budget or (1, 32_768)
    if budget is None or budget == _DYNAMIC or (budget == 0 and model.rests):
        return
    if not least <= budget <= most:
        also = ", 0" if model.rests else ""
        message = f"{budget} is out of range: {least} to {most}{also}, or -1 for what the model thinks fit."
        raise refusals.bad(f"{_PLACE}.thinking_budget", message)


def _tokens(config: ThinkingConfig, model: Model) -> int:
    if config.level:
        return _LEVEL_TOKENS[config.level]
    if config.thinking_budget is None:
        return _unasked(model)
    return _DYNAMIC_TOKENS if config.thinking_budget == _DYNAMIC else min(config.thinking_budget, _MOST_TOKENS)


def _unasked(model: Model) -> int:
    if model.levels:
        return _LEVEL_TOKENS[model.level]
    return _DYNAMIC_TOKENS if model.budget and model.thinks_unasked else 0
