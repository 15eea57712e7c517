"""POST /messages and /messages/count_tokens: the request, judged field by field, and the answer, whole or as a stream.

What the sandbox refuses by name: containers, files that were uploaded, fast mode, and every tool of the service but the
search of the web. Fields about sampling and billing are checked and have no effect.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal

import msgspec
from starlette.responses import Response

from polychat.sandbox.call import EventStream, json
from polychat.sandbox.services.anthropic import (
    caching,
    citing,
    events,
    formats,
    history,
    refusals,
    searching,
    telling,
    thinking,
    tools,
)
from polychat.sandbox.services.anthropic.blocks import CacheControl, Text
from polychat.sandbox.services.anthropic.bodies import Wire, read
from polychat.sandbox.services.anthropic.caching import Piece
from polychat.sandbox.services.anthropic.gate import model as find
from polychat.sandbox.services.anthropic.gate import newest
from polychat.sandbox.services.anthropic.history import AnyMessage, Turn
from polychat.sandbox.services.anthropic.models import Model
from polychat.sandbox.services.anthropic.state import ApiCall
from polychat.sandbox.services.anthropic.thinking import Enabled, Plan, Thinking
from polychat.sandbox.services.anthropic.tools import Choice, Toolbox
from polychat.sandbox.services.anthropic.turn import Told, Wish, tell

Fraction = Annotated[float, msgspec.Meta(ge=0, le=1)]
Effort = Literal["low", "medium", "high", "xhigh", "max"]


class Format(Wire, frozen=True, kw_only=True, tag_field="type", tag="json_schema"):
    """JSON that obeys a schema."""

    schema: dict[str, Any]


class OutputConfig(Wire, frozen=True, kw_only=True):
    """How the answer is to be."""

    effort: Effort | None = None
    format: Format | None = None


class Metadata(Wire, frozen=True, kw_only=True):
    """Whose request it is."""

    user_id: Annotated[str, msgspec.Meta(max_length=256)] | None = None


class Diagnostics(Wire, frozen=True, kw_only=True):
    """What is to be told about the cache."""

    previous_message_id: str | None = None


class Prompt(Wire, frozen=True, kw_only=True):
    """What counting and asking have in common."""

    messages: tuple[AnyMessage, ...]
    model: str
    cache_control: CacheControl | None = None
    output_config: OutputConfig = OutputConfig()
    speed: Literal["standard", "fast"] | None = None
    system: str | tuple[Text, ...] = ()
    thinking: Thinking | None = None
    tool_choice: Choice | None = None
    tools: tuple[dict[str, Any], ...] = ()


class Asked(Prompt, frozen=True, kw_only=True):
    """The body of a request for an answer."""

    max_tokens: Annotated[int, msgspec.Meta(ge=0)]  # 0: only fill the cache
    stream: bool = False
    stop_sequences: tuple[str, ...] = ()
    temperature: Fraction | None = None
    top_p: Fraction | None = None
    top_k: Annotated[int, msgspec.Meta(ge=0)] | None = None
    metadata: Metadata = Metadata()
    service_tier: Literal["auto", "standard_only"] = "auto"
    inference_geo: Literal["global", "us"] | None = None
    diagnostics: Diagnostics | None = None
    container: None = None


class Judged(msgspec.Struct, frozen=True, kw_only=True):
    """A prompt that makes sense."""

    model: Model
    system: tuple[Text, ...]
    turns: tuple[Turn, ...]
    toolbox: Toolbox
    plan: Plan
    pieces: tuple[Piece, ...]
    cited: tuple[citing.Cited, ...]
    schema: dict[str, Any] | None


async def create(call: ApiCall) -> Response:
    """One turn."""
    asked = read(call, Asked)
    model = find(call, asked.model)
    _judge_limits(asked, model)
    judged = _judged(call, asked, model)
    _judge_sampling(call, asked, judged)
    told = tell(call, _wish(call, asked, judged))
    message = _message(call, asked, model, told)
    if asked.stream:
        return EventStream(events.frames(call.knobs, message, told.blocks))
    return json(message)


async def count(call: ApiCall) -> Response:
    """How many tokens a prompt has."""
    asked = read(call, Prompt)
    judged = _judged(call, asked, find(call, asked.model))
    return json({"input_tokens": caching.size(judged.pieces)})


def _judged(call: ApiCall, asked: Prompt, model: Model) -> Judged:
    if asked.speed == "fast":
        raise refusals.unplayed("speed", "the fast mode")
    toolbox = tools.toolbox(asked.tools, asked.tool_choice, model)
    turns = history.turns(asked.messages, model, newest=newest(call))
    effort = asked.output_config.effort
    plan = thinking.plan(asked.thinking, effort, model, forced=toolbox.forced, tokens=call.knobs.thinking_tokens)
    _judge_prefill(asked, plan, turns)
    thinking.judge_returned(call, turns, asked.thinking)
    searching.judge_returned(call, turns)
    system = _system(asked.system)
    cited = citing.citations(turns)
    return Judged(
        model=model, system=system, turns=turns, toolbox=toolbox, plan=plan, cited=cited, schema=_schema(asked, cited),
        pieces=caching.pieces(toolbox.known, system, turns, asked.cache_control),
    )  # fmt: skip


def _system(asked: str | tuple[Text, ...]) -> tuple[Text, ...]:
    if isinstance(asked, str):
        return (Text(text=asked),) if asked else ()
    for index, block in enumerate(asked):
        if not block.text.strip():
            raise refusals.wrong(f"system.{index}.text", "a text must not be empty or blank")
    return asked


def _schema(asked: Prompt, cited: tuple[citing.Cited, ...]) -> dict[str, Any] | None:
    form = asked.output_config.format
    if form is None:
        return None
    if cited:
        raise refusals.wrong("output_config.format", "is not taken together with citations")
    formats.answer(form.schema, "output_config.format.schema")
    return form.schema


def _judge_prefill(asked: Prompt, plan: Plan, turns: tuple[Turn, ...]) -> None:
    """A last message of the assistant goes on with words: not with thoughts, and not with JSON by a schema."""
    if turns[-1].role == "assistant":
        if plan.tokens:
            raise refusals.wrong(turns[-1].place, "the last message must be the user's when the model is to think")
        if asked.output_config.format is not None:
            raise refusals.wrong(turns[-1].place, "the last message must be the user's with 'output_config.format'")


def _judge_limits(asked: Asked, model: Model) -> None:
    if asked.max_tokens > model.output_tokens:
        message = f"{asked.max_tokens} > {model.output_tokens}, the most that {model.id} says"
        raise refusals.wrong("max_tokens", message)
    if isinstance(asked.thinking, Enabled) and asked.thinking.budget_tokens >= asked.max_tokens:
        raise refusals.wrong("thinking.budget_tokens", "must be less than 'max_tokens'")
    if not asked.max_tokens and asked.stream:
        raise refusals.wrong("max_tokens", "0 is not taken together with 'stream'")
    for index, text in enumerate(asked.stop_sequences):
        if not text.strip():
            raise refusals.wrong(f"stop_sequences.{index}", "must hold more than whitespace")


def _judge_sampling(call: ApiCall, asked: Asked, judged: Judged) -> None:
    """How a model is sampled is its own affair: always in the newest version, and for newer models and thought."""
    given = [name for name in ("temperature", "top_p", "top_k") if getattr(asked, name) is not None]
    if given and newest(call):
        raise refusals.wrong(given[0], "Extra inputs are not permitted")
    model = judged.model
    if "temperature" in given and "top_p" in given and model.samples:
        raise refusals.wrong("temperature", f"is not taken together with 'top_p' by {model.id}")
    if model.samples and not judged.plan.tokens:
        return
    who = "a model that is to think" if model.samples else model.id
    if asked.temperature not in (None, 1):
        raise refusals.wrong("temperature", f"only the default, 1, is taken by {who}")
    if asked.top_p is not None and asked.top_p < 0.95:
        raise refusals.wrong("top_p", f"only values from 0.95 to 1 are taken by {who}")
    if asked.top_k is not None:
        raise refusals.wrong("top_k", f"is not taken by {who}")


def _wish(call: ApiCall, asked: Asked, judged: Judged) -> Wish:
    talk, prefill = judged.turns, ""
    if talk[-1].role == "assistant":
        *earlier, last = talk
        talk = tuple(earlier)
        prefill = "".join(block.text for _place, block in last.blocks if isinstance(block, Text))
    system = "\n".join(block.text for block in judged.system)
    return Wish(
        model=judged.model, turns=telling.turns(system, talk, call.knobs), prompt=judged.pieces,
        max_tokens=asked.max_tokens, toolbox=judged.toolbox, plan=judged.plan, schema=judged.schema,
        stop=asked.stop_sequences, remarks=telling.titles(talk), cited=judged.cited, prefill=prefill,
    )  # fmt: skip


def _message(call: ApiCall, asked: Asked, model: Model, told: Told) -> dict[str, Any]:
    return {
        "id": f"msg_{call.world.ids.hex(24)}", "type": "message", "role": "assistant", "model": model.id,
        "content": [block.whole for block in told.blocks], "stop_reason": told.stop_reason,
        "stop_sequence": told.stop_sequence, "stop_details": told.stop_details, "container": None,
        "usage": _usage(asked, told), **({} if asked.diagnostics is None else {"diagnostics": None}),
    }  # fmt: skip


def _usage(asked: Asked, told: Told) -> dict[str, Any]:
    cached = told.cached
    return {
        "input_tokens": cached.fresh, "cache_creation_input_tokens": cached.written_5m + cached.written_1h,
        "cache_read_input_tokens": cached.read,
        "cache_creation": {
            "ephemeral_5m_input_tokens": cached.written_5m, "ephemeral_1h_input_tokens": cached.written_1h,
        },
        "output_tokens": told.output_tokens, "output_tokens_details": {"thinking_tokens": told.thinking_tokens},
        "server_tool_use": {"web_search_requests": told.searches, "web_fetch_requests": 0} if told.searches else None,
        "service_tier": "standard", "inference_geo": asked.inference_geo or "global", "speed": "standard",
    }  # fmt: skip
