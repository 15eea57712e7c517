"""Thinking: how it is asked for, what is thought, and the seals that thoughts are handed back with."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import cycle, islice
from typing import Annotated, Literal

import msgspec

from polychat.sandbox import brain
from polychat.sandbox.services.anthropic import refusals, state
from polychat.sandbox.services.anthropic.blocks import Redacted, Thought, ToolUse
from polychat.sandbox.services.anthropic.bodies import Wire
from polychat.sandbox.services.anthropic.history import Turn
from polychat.sandbox.services.anthropic.models import Model
from polychat.sandbox.services.anthropic.state import ApiCall, account

Display = Literal["summarized", "omitted"]
_THOUGHT = "The question is before me. I read it once more, repeat it, count its words, and say so. "
_EFFORT_TOKENS = {"low": 8, "medium": 16, "high": 32, "xhigh": 64, "max": 128}
_PHRASE = 8  # tokens
_DEEPEST = ("xhigh", "max")  # efforts that cannot do without thinking


class Enabled(Wire, frozen=True, kw_only=True, tag_field="type", tag="enabled"):
    """Think, within a budget."""

    budget_tokens: Annotated[int, msgspec.Meta(ge=1024)]
    display: Display | None = None


class Adaptive(Wire, frozen=True, kw_only=True, tag_field="type", tag="adaptive"):
    """Think as much as it takes."""

    display: Display | None = None


class Disabled(Wire, frozen=True, kw_only=True, tag_field="type", tag="disabled"):
    """Do not think."""


class BetweenTools(Wire, frozen=True, kw_only=True, tag_field="type", tag="between_tools"):
    """Do not think before the answer."""


Thinking = Enabled | Adaptive | Disabled | BetweenTools


class Plan(msgspec.Struct, frozen=True, kw_only=True):
    """How a turn is thought through."""

    tokens: int = 0  # none: no thinking
    shown: bool = False


def plan(asked: Thinking | None, effort: str | None, model: Model, *, forced: bool, tokens: int | None) -> Plan:
    """How this request is thought through; `forced`: a tool must be called; `tokens`: the knob. Raises: Refusal."""
    _judge_effort(effort, model)
    if asked is not None:
        _judge(asked, effort, model, forced=forced)
    thinks = model.thinks and not forced if asked is None else isinstance(asked, Enabled | Adaptive)
    if not thinks:
        return Plan()
    display = asked.display if isinstance(asked, Enabled | Adaptive) else None
    count = _EFFORT_TOKENS[effort or model.effort] if tokens is None else tokens
    return Plan(tokens=count, shown=model.shows if display is None else display == "summarized")


def _judge(asked: Thinking, effort: str | None, model: Model, *, forced: bool) -> None:
    kind = str(asked.__struct_config__.tag)
    if kind not in model.thinking:
        taken = ", ".join(f"'{name}'" for name in model.thinking)
        raise refusals.wrong("thinking.type", f"'{kind}' is not supported by {model.id}, only {taken}")
    if isinstance(asked, Enabled | Adaptive) and forced:
        raise refusals.wrong("thinking", "is not taken together with a 'tool_choice' that forces a call")
    if isinstance(asked, Disabled) and model.thinks and effort in _DEEPEST:
        raise refusals.wrong("thinking.type", f"'disabled' is not taken together with the effort '{effort}'")


def _judge_effort(effort: str | None, model: Model) -> None:
    if effort is not None and effort not in model.efforts:
        taken = f", only {', '.join(model.efforts)}" if model.efforts else ", nor is any other"
        raise refusals.wrong("output_config.effort", f"'{effort}' is not supported by {model.id}{taken}")


def thought(count: int) -> tuple[str, ...]:
    """So many tokens of thought, in the phrases in which it is streamed."""
    tokens = tuple(islice(cycle(brain.pieces(_THOUGHT)), count))
    return tuple("".join(tokens[start : start + _PHRASE]) for start in range(0, count, _PHRASE))


def seal(call: ApiCall, shown: str) -> str:
    """The signature of a thought that is shown with this text."""
    return state.seal(account(call), f"thinking\0{shown}")


def redact(call: ApiCall, count: int) -> str:
    """The data of a thought of so many tokens that is not shown at all."""
    mark = state.seal(account(call), f"redacted\0{count}")
    return f"{mark}.{count}"


def judge_returned(call: ApiCall, turns: Sequence[Turn], asked: Thinking | None) -> None:
    """Thoughts come back as they were; with a budget, the assistant's last turn begins with one. Raises: Refusal."""
    for turn in turns:
        for place, block in turn.blocks:
            if isinstance(block, Thought) and not _genuine(call, block):
                raise refusals.wrong(f"{place}.signature", "invalid signature: the thought is not as it was given")
            if isinstance(block, Redacted) and not _genuine_redacted(call, block):
                raise refusals.wrong(f"{place}.data", "the data is not as it was given")
    said = [turn for turn in turns if turn.role == "assistant"]
    if isinstance(asked, Enabled) and said:
        _judge_beginning(said[-1])


def _genuine(call: ApiCall, block: Thought) -> bool:
    return block.signature == seal(call, block.thinking)


def _genuine_redacted(call: ApiCall, block: Redacted) -> bool:
    count = block.data.rpartition(".")[2]
    return count.isdecimal() and block.data == redact(call, int(count))


def _judge_beginning(turn: Turn) -> None:
    """Only a turn that called tools has to begin with a thought."""
    if not any(isinstance(block, ToolUse) for _place, block in turn.blocks):
        return
    place, first = turn.blocks[0]
    if not isinstance(first, Thought | Redacted):
        message = "expected 'thinking' or 'redacted_thinking' first in the assistant's last turn while it thinks"
        raise refusals.wrong(f"{place}.type", message)
