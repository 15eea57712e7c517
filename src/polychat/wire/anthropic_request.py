"""A question as the body of Anthropic's Messages API. Pure.

Models of one API differ: in how they are told to think, whether they can be told not to, and in what else they take.
`Traits` says it as data. How hard to think is `output_config.effort` beside adaptive thinking, or, for older models, a
budget of tokens that leaves room for the answer. Reasoning that is asked for is also shown, as the service's summary.

The API wants to know the most tokens of an answer: what the model can, unless told. An answer that may take longer than
ten minutes has to be streamed, whether anybody reads along or not.

Shapes as in the types of Anthropic's own Python package 2.12. `temperature`, `top_p` and `top_k` are in the API's
version 2023-06-01 and no longer in 2026-10-21; 2026-11.
"""

from __future__ import annotations

from typing import Any, Literal

import msgspec

from polychat.errors import BadOption, UnsupportedFeature
from polychat.types import NamedTool, Request, ResponseFormat, Tool
from polychat.wire import anthropic_blocks

_UNSTREAMED_TOKENS = 21_333  # at 128,000 an hour, ten minutes
_LEAST_BUDGET = 1024  # tokens of thinking; fewer are refused
_BUDGETS = {"minimal": _LEAST_BUDGET, "low": 4096, "medium": 10_000, "high": 32_000}
_EFFORTS = {"minimal": "low", "low": "low", "medium": "medium", "high": "high"}
_WEB_SEARCH = {"type": "web_search_20250305", "name": "web_search"}  # the form that every model takes
_OWN = ("top_k", "metadata", "service_tier", "cache_control")  # options that are fields


class Traits(msgspec.Struct, frozen=True, kw_only=True):
    """What a model takes; unless told, as the newest ones."""

    max_output: int = 32_000  # tokens
    thinks: Literal["adaptive", "budget"] = "adaptive"
    effort: bool = True  # whether output_config.effort is there
    off: Literal["disabled", "between_tools"] | None = "disabled"  # how it is told not to think; None: it always does
    sampling: bool = True  # temperature, top_p, top_k
    forced_tools: bool = True  # tool_choice that insists
    system_turns: bool = True  # system texts inside the talk


def body(request: Request, traits: Traits | None = None) -> dict[str, Any]:
    """The JSON of the request.

    Raises: `UnsupportedFeature` for what the API or the model cannot be told, `BadOption` naming the field for a value
    out of its range.
    """
    traits = traits or Traits()
    _check(request, traits)
    talk = anthropic_blocks.talk(request.messages, system_turns=traits.system_turns)
    most = traits.max_output if request.max_tokens is None else request.max_tokens
    fields = {
        "model": request.model,
        "max_tokens": most,
        "system": talk.system or None,
        "messages": talk.messages,
        "stream": request.stream or most > _UNSTREAMED_TOKENS,
        "tools": _tools(request) or None,
        "tool_choice": _tool_choice(request, traits),
        "temperature": request.temperature,
        "top_p": request.top_p,
        "stop_sequences": list(request.stop) or None,
        "thinking": _thinking(request, traits, most),
        "output_config": _output_config(request, traits) or None,
    }
    own = {name: request.options.get(name) for name in _OWN}
    whole = fields | own | request.options.get("extra_body", {})
    return {name: value for name, value in whole.items() if value is not None}


def _check(request: Request, traits: Traits) -> None:
    """Sampling: there at all, in range, and not of a model that is told to think."""
    if request.temperature is not None and not 0 <= request.temperature <= 1:
        raise BadOption(f"temperature is {request.temperature:g}; here it goes from 0 to 1", field="temperature")
    top_k = request.options.get("top_k")
    if top_k is not None and not traits.sampling:
        raise UnsupportedFeature(f"{request.model} does not take top_k", hint="leave it out, or choose an older model")
    sampled = "top_k" if top_k is not None else "temperature" if request.temperature not in {None, 1} else None
    if sampled and _effort(request) is not None:
        hint = f"leave out {sampled} or reasoning_effort"
        raise BadOption(f"{sampled} cannot be set while the model thinks", field=sampled, hint=hint)


# ---------------------------------------------------------------- tools


def _tools(request: Request) -> list[dict[str, Any]]:
    return [_tool(tool) for tool in request.tools] + ([dict(_WEB_SEARCH)] if request.web_search else [])


def _tool(tool: Tool) -> dict[str, Any]:
    written = {
        "name": tool.name,
        "description": tool.description,
        "input_schema": {"type": "object"} | tool.parameters,
        "strict": tool.strict,
    }
    return {name: value for name, value in written.items() if value is not None}


def _tool_choice(request: Request, traits: Traits) -> dict[str, Any] | None:
    """How freely the model chooses, and whether it may make several calls at once."""
    choice = _choice(request)
    insists = choice is not None and choice["type"] in {"any", "tool"}
    if not request.tools and not request.web_search:
        if insists:
            raise BadOption("tool_choice insists on a tool, and there are no tools", field="tool_choice")
        return None
    if insists and not traits.forced_tools:
        raise UnsupportedFeature(
            f"{request.model} cannot be made to call a tool", hint='tool_choice is "auto" or "none"'
        )
    if request.parallel_tool_calls is False and request.tool_choice != "none":
        return (choice or {"type": "auto"}) | {"disable_parallel_tool_use": True}
    return choice


def _choice(request: Request) -> dict[str, Any] | None:
    match request.tool_choice:
        case NamedTool(name=name):
            return {"type": "tool", "name": name}
        case "required":
            return {"type": "any"}
        case None:
            return None
        case choice:
            return {"type": choice}


# ---------------------------------------------------------------- thinking and form


def _effort(request: Request) -> str | None:
    """How hard the model is to think; None where that is not said, or said to be not at all."""
    return None if request.reasoning_effort == "none" else request.reasoning_effort


def _thinking(request: Request, traits: Traits, most: int) -> dict[str, Any] | None:
    effort = _effort(request)
    if effort is not None:
        if traits.thinks == "adaptive":
            return {"type": "adaptive", "display": "summarized"}
        return {"type": "enabled", "budget_tokens": _budget(effort, most), "display": "summarized"}
    if request.reasoning_effort is None:
        return None
    if traits.off is None:
        hint = 'reasoning_effort="minimal" is the least'
        raise UnsupportedFeature(f"{request.model} always thinks; reasoning_effort cannot be none", hint=hint)
    return {"type": traits.off}


def _budget(effort: str, most: int) -> int:
    """Tokens to think with: what the effort is worth, but half of the answer's at most."""
    if most <= _LEAST_BUDGET:
        raise BadOption(
            f"max_tokens is {most}; a model that thinks needs more than {_LEAST_BUDGET}",
            field="max_tokens",
            hint="raise max_tokens, or leave out reasoning_effort",
        )
    return min(_BUDGETS[effort], max(_LEAST_BUDGET, most // 2))


def _output_config(request: Request, traits: Traits) -> dict[str, Any]:
    effort, wanted = _effort(request), request.response_format
    config: dict[str, Any] = {}
    if effort is not None and traits.effort:
        config["effort"] = _EFFORTS[effort]
    if wanted is not None and wanted.type != "text":
        config["format"] = _format(wanted)
    return config


def _format(wanted: ResponseFormat) -> dict[str, Any]:
    if wanted.type == "json_object":
        raise UnsupportedFeature(
            "JSON of any form cannot be asked for here (response_format json_object)",
            hint="give a schema: response_format of type json_schema",
        )
    if wanted.schema is None:
        raise BadOption("response_format holds no schema", field="response_format.json_schema.schema")
    return {"type": "json_schema", "schema": wanted.schema}
