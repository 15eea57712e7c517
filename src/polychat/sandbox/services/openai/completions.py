"""POST /chat/completions: the request, judged field by field, and the answer, whole or as a stream.

One choice is given. Of what the real service can do, the sandbox refuses by name: several choices, token probabilities,
spoken answers, custom tools, the old `functions`, predictions, moderation and web search. Fields about sampling,
storing and billing are checked and have no effect.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal

import msgspec
from msgspec import UNSET, UnsetType
from starlette.responses import Response

from polychat.sandbox.call import EventStream, json
from polychat.sandbox.services.openai import chunks, messages, refusals, tools
from polychat.sandbox.services.openai.bodies import Wire, read
from polychat.sandbox.services.openai.gate import model as find
from polychat.sandbox.services.openai.messages import AnyMessage
from polychat.sandbox.services.openai.models import Model
from polychat.sandbox.services.openai.refusals import Refusal
from polychat.sandbox.services.openai.state import ApiCall
from polychat.sandbox.services.openai.tools import Choice, Format, Tools
from polychat.sandbox.services.openai.turn import Told, Wish, tell

Effort = Literal["none", "minimal", "low", "medium", "high", "xhigh", "max"]
Penalty = Annotated[float, msgspec.Meta(ge=-2, le=2)]
Positive = Annotated[int, msgspec.Meta(ge=1)]
Metadata = Annotated[dict[str, str], msgspec.Meta(max_length=16)]
Cut = str | Annotated[tuple[str, ...], msgspec.Meta(max_length=4)]
_UNPLAYED = {
    "functions": "the old 'functions', only 'tools'",
    "function_call": "the old 'function_call', only 'tool_choice'",
    "audio": "spoken answers",
    "prediction": "predicted outputs",
    "moderation": "moderation of completions",
    "web_search_options": "web search",
    "logprobs": "token probabilities",
    "top_logprobs": "token probabilities",
}
_FIXED = {"temperature": 1, "top_p": 1, "presence_penalty": 0, "frequency_penalty": 0}  # in models that reason


class StreamOptions(Wire, frozen=True, kw_only=True):
    """How to stream."""

    include_usage: bool = False
    include_obfuscation: bool = True


class Asked(Wire, frozen=True, kw_only=True):
    """The body."""

    messages: Annotated[tuple[AnyMessage, ...], msgspec.Meta(min_length=1)]
    model: str
    stream: bool | None = None
    stream_options: StreamOptions | None = None
    max_tokens: Positive | None = None
    max_completion_tokens: Positive | None = None
    stop: Cut | None = None
    temperature: Annotated[float, msgspec.Meta(ge=0, le=2)] | None = None
    top_p: Annotated[float, msgspec.Meta(ge=0, le=1)] | None = None
    presence_penalty: Penalty | None = None
    frequency_penalty: Penalty | None = None
    seed: int | None = None
    n: Annotated[int, msgspec.Meta(ge=1, le=128)] | None = None
    tools: Tools = ()
    tool_choice: Choice | UnsetType = UNSET
    parallel_tool_calls: bool | UnsetType = UNSET
    response_format: Format | UnsetType = UNSET
    reasoning_effort: Effort | None = None
    verbosity: Literal["low", "medium", "high"] | None = None
    modalities: tuple[Literal["text", "audio"], ...] | None = None
    logit_bias: dict[str, Annotated[float, msgspec.Meta(ge=-100, le=100)]] | None = None
    metadata: Metadata | None = None
    store: bool | None = None
    user: str = ""
    safety_identifier: str | None = None
    service_tier: Literal["auto", "default", "flex", "scale", "priority", "fast"] | None = None
    prompt_cache_key: str | None = None
    prompt_cache_options: dict[str, Any] | None = None
    prompt_cache_retention: Literal["in_memory", "24h"] | None = None
    logprobs: bool | None = None
    top_logprobs: Annotated[int, msgspec.Meta(ge=0, le=20)] | None = None
    audio: dict[str, Any] | None = None
    functions: tuple[Any, ...] | None = None
    function_call: Any = None
    prediction: dict[str, Any] | None = None
    moderation: dict[str, Any] | None = None
    web_search_options: dict[str, Any] | None = None

    @property
    def options(self) -> StreamOptions:
        """How to stream."""
        return self.stream_options or StreamOptions()

    @property
    def limit(self) -> int | None:
        """How many tokens may be said."""
        return self.max_completion_tokens or self.max_tokens


async def complete(call: ApiCall) -> Response:
    """One turn."""
    asked = read(call, Asked)
    model = find(call, asked.model, "chat")
    _judge_unplayed(asked)
    _judge_limits(call, asked, model)
    _judge_reasoning(asked, model)
    told = tell(call, _wish(asked, model))
    head = {
        "id": f"chatcmpl-{call.world.ids.hex(29)}", "created": int(call.now), "model": model.id,
        "service_tier": "default", "system_fingerprint": "fp_sandbox",
    }  # fmt: skip
    if asked.stream:
        options = asked.options
        return EventStream(chunks.frames(call.knobs, head, told, options.include_usage, options.include_obfuscation))
    return json(_whole(call, head, told))


def _judge_unplayed(asked: Asked) -> None:
    for field, what in _UNPLAYED.items():
        if getattr(asked, field) not in (None, False):
            raise refusals.unplayed(field, what)
    if asked.n not in (None, 1):
        raise refusals.unplayed("n", "several choices, only n=1")
    if asked.modalities and "audio" in asked.modalities:
        raise refusals.unplayed("modalities", "spoken answers")


def _judge_limits(call: ApiCall, asked: Asked, model: Model) -> None:
    if asked.stream_options is not None and not asked.stream:
        raise Refusal("'stream_options' is only taken when 'stream' is true.", param="stream_options")
    if asked.max_tokens is not None:
        if asked.max_completion_tokens is not None:
            raise Refusal("'max_tokens' and 'max_completion_tokens' exclude each other.", param="max_tokens")
        if model.reasons or call.knobs.only_max_completion_tokens:
            raise refusals.unsupported("max_tokens", model.id, "Use 'max_completion_tokens' instead.")
    if asked.limit is not None and asked.limit > model.output_tokens:
        param = "max_tokens" if asked.max_tokens else "max_completion_tokens"
        message = f"the model '{model.id}' says at most {model.output_tokens} tokens, not {asked.limit}."
        raise refusals.invalid_value(param, message)


def _judge_reasoning(asked: Asked, model: Model) -> None:
    if not model.reasons:
        if asked.reasoning_effort is not None:
            raise refusals.unsupported("reasoning_effort", model.id)
        return
    if asked.reasoning_effort is not None and asked.reasoning_effort not in model.efforts:
        message = f"'{asked.reasoning_effort}' is none of {', '.join(model.efforts)}."
        raise refusals.unsupported_value("reasoning_effort", model.id, message)
    if asked.stop is not None:
        raise refusals.unsupported("stop", model.id)
    for field, value in _FIXED.items():
        if getattr(asked, field) not in (None, value):
            raise refusals.unsupported_value(field, model.id, f"only the default, {value}, is supported.")


def _wish(asked: Asked, model: Model) -> Wish:
    turns = messages.turns(asked.messages, model)
    if asked.parallel_tool_calls is not UNSET and not asked.tools:
        raise Refusal("'parallel_tool_calls' is only taken together with 'tools'.", param="parallel_tool_calls")
    return Wish(
        model=model, turns=turns, toolbox=tools.toolbox(asked.tools, asked.tool_choice, model),
        parallel=asked.parallel_tool_calls is not False,
        schema=tools.wanted_schema(asked.response_format, model, tools.words(turns)), max_tokens=asked.limit,
        stop=(asked.stop,) if isinstance(asked.stop, str) else asked.stop or (), effort=asked.reasoning_effort,
    )  # fmt: skip


def _whole(call: ApiCall, head: dict[str, Any], told: Told) -> dict[str, Any]:
    message: dict[str, Any] = {"role": "assistant", "content": told.text, "refusal": told.refusal, "annotations": []}
    if told.calls or told.refusal:
        message["content"] = None
    if told.calls:
        message["tool_calls"] = [chunks.spelled(called) for called in told.calls]
    if told.thinking and call.knobs.reasoning_field != "none":
        message[call.knobs.reasoning_field] = "".join(told.thinking)
    choice = {"index": 0, "message": message, "logprobs": None, "finish_reason": told.finish_reason}
    usage = {} if call.knobs.usage == "off" else {"usage": chunks.usage(told.usage)}
    return {**head, "object": "chat.completion", "choices": [choice], **usage}
