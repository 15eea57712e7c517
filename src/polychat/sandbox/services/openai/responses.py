"""POST /responses: a turn as items, kept so that the next can go on from its id; GET and DELETE of what was kept.

Instructions are of one response only. What the sandbox refuses by name: background runs, conversations, stored prompts,
moderation, token probabilities, and every tool but functions, the search of the web and the drawing of pictures.

The package's text has it that reasoning comes sealed unasked. Here it must be asked for, as its `include` has it, so
that a client which forgets to ask is found out.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import Annotated, Any, Literal

import msgspec
from starlette.responses import Response

from polychat.sandbox import brain
from polychat.sandbox.call import EventStream, json
from polychat.sandbox.services.openai import events, hosted, items, refusals, returned, sealing, tools
from polychat.sandbox.services.openai.bodies import Wire, read
from polychat.sandbox.services.openai.completions import Effort, Metadata
from polychat.sandbox.services.openai.events import Spoken
from polychat.sandbox.services.openai.gate import model as find
from polychat.sandbox.services.openai.hosted import Choice
from polychat.sandbox.services.openai.models import Model
from polychat.sandbox.services.openai.painting import ImageTool
from polychat.sandbox.services.openai.refusals import Refusal
from polychat.sandbox.services.openai.state import ApiCall, Stored, account
from polychat.sandbox.services.openai.turn import Told, Wish, tell

_UNPLAYED = {
    "background": "background runs", "conversation": "conversations", "prompt": "stored prompts",
    "moderation": "moderation", "top_logprobs": "token probabilities", "context_management": "compaction",
}  # fmt: skip
Include = Literal[
    "file_search_call.results", "web_search_call.results", "web_search_call.action.sources",
    "message.input_image.image_url", "computer_call_output.output.image_url", "code_interpreter_call.outputs",
    "reasoning.encrypted_content", "message.output_text.logprobs",
]  # fmt: skip
_UNTOLD: Mapping[Include, str] = {
    "message.output_text.logprobs": "token probabilities", "web_search_call.results": "the results of searches",
}  # fmt: skip
_SEALED: Include = "reasoning.encrypted_content"
_INCOMPLETE = {"length": "max_output_tokens", "content_filter": "content_filter"}
_PADDING = {"obfuscation": "k3Zr8vQw1LxT"}


class TextFormat(Wire, frozen=True, kw_only=True, tag_field="type", tag="text"):
    """Plain text."""


class ObjectFormat(Wire, frozen=True, kw_only=True, tag_field="type", tag="json_object"):
    """Any JSON object."""


class SchemaFormat(tools.JsonSchema, frozen=True, kw_only=True, tag_field="type", tag="json_schema"):
    """JSON that obeys a schema."""


class Text(Wire, frozen=True, kw_only=True):
    """How the answer is written."""

    format: TextFormat | ObjectFormat | SchemaFormat = TextFormat()
    verbosity: Literal["low", "medium", "high"] | None = None


class Thinking(Wire, frozen=True, kw_only=True):
    """How hard to think, and what to show of it."""

    effort: Effort | None = None
    summary: Literal["auto", "concise", "detailed"] | None = None


class StreamOptions(Wire, frozen=True, kw_only=True):
    """How to stream."""

    include_obfuscation: bool = True


class Asked(Wire, frozen=True, kw_only=True):
    """The body."""

    input: str | Annotated[tuple[Any, ...], msgspec.Meta(min_length=1)]
    model: str
    instructions: str | None = None
    previous_response_id: str | None = None
    store: bool | None = None
    stream: bool | None = None
    stream_options: StreamOptions | None = None
    max_output_tokens: Annotated[int, msgspec.Meta(ge=16)] | None = None
    max_tool_calls: Annotated[int, msgspec.Meta(ge=1)] | None = None
    temperature: Annotated[float, msgspec.Meta(ge=0, le=2)] | None = None
    top_p: Annotated[float, msgspec.Meta(ge=0, le=1)] | None = None
    text: Text = Text()
    tools: Annotated[tuple[dict[str, Any], ...], msgspec.Meta(max_length=128)] = ()
    tool_choice: Choice = "auto"
    parallel_tool_calls: bool | None = None
    reasoning: Thinking | None = None
    truncation: Literal["auto", "disabled"] | None = None
    include: tuple[Include, ...] | None = None
    metadata: Metadata | None = None
    user: str | None = None
    safety_identifier: str | None = None
    service_tier: Literal["auto", "default", "flex", "scale", "priority", "fast"] | None = None
    prompt_cache_key: str | None = None
    prompt_cache_options: dict[str, Any] | None = None
    prompt_cache_retention: Literal["in_memory", "24h"] | None = None
    background: bool | None = None
    conversation: Any = None
    prompt: Any = None
    moderation: Any = None
    context_management: Any = None
    top_logprobs: Annotated[int, msgspec.Meta(ge=0, le=20)] | None = None

    @property
    def thinking(self) -> Thinking:
        """How hard to think."""
        return self.reasoning or Thinking()

    def includes(self, what: Include) -> bool:
        """True when the answer is to tell `what`."""
        return what in (self.include or ())


async def respond(call: ApiCall) -> Response:
    """One turn."""
    asked = read(call, Asked)
    model = find(call, asked.model, "chat")
    _judge(asked, model)
    before = _before(call, asked)
    given = returned.judged(call, items.read(asked.input))
    items.judge_calls(given, before.waiting if before else frozenset())
    turns = (*(before.turns if before else ()), *items.turns(given, model))
    given_tools = hosted.toolset(call, asked.tools, asked.tool_choice, model)
    _judge_together(asked, given_tools)
    made = hosted.run(call, given_tools, turns, asked.max_tool_calls, sources=asked.includes(hosted.SOURCES))
    spoken = Spoken(told=tell(call, _wish(asked, model, turns, given_tools, made)), made=made)
    seal = partial(sealing.seal, account(call)) if asked.includes(_SEALED) else None
    output = events.output(call.world.ids, spoken, summarised=asked.thinking.summary is not None, seal=seal)
    body = _body(call, asked, spoken.told, output)
    if asked.store is not False:
        _keep(call, body, turns, spoken)
    if asked.stream:
        padded = call.knobs.obfuscation and (asked.stream_options or StreamOptions()).include_obfuscation
        return EventStream(events.frames(body, spoken, _PADDING if padded else {}))
    return json(body)


async def retrieve(call: ApiCall) -> Response:
    """A response that was kept."""
    return json(_stored(call, call.path["id"]).body)


async def delete(call: ApiCall) -> Response:
    """Forget a response."""
    del call.state.responses[_stored(call, call.path["id"]).body["id"]]
    return json({"id": call.path["id"], "object": "response", "deleted": True})


def _keep(call: ApiCall, body: dict[str, Any], turns: tuple[brain.Turn, ...], spoken: Spoken) -> None:
    told, painted = spoken.told, spoken.made.painted
    said = brain.Turn(role="assistant", text=_remembered(told), attachments=(painted.data,) if painted else ())
    waiting = frozenset(called.id for called in told.calls)
    call.state.keep_response(Stored(owner=account(call), body=body, turns=(*turns, said), waiting=waiting))


def _judge(asked: Asked, model: Model) -> None:
    for field, what in _UNPLAYED.items():
        if getattr(asked, field):
            raise refusals.unplayed(field, what)
    if asked.stream_options is not None and not asked.stream:
        raise Refusal("'stream_options' is only taken when 'stream' is true.", param="stream_options")
    if asked.max_output_tokens is not None and asked.max_output_tokens > model.output_tokens:
        message = f"the model '{model.id}' says at most {model.output_tokens} tokens."
        raise refusals.invalid_value("max_output_tokens", message)
    effort = asked.thinking.effort
    if effort is not None and effort not in model.efforts:
        if not model.reasons:
            raise refusals.unsupported("reasoning.effort", model.id)
        message = f"'{effort}' is none of {', '.join(model.efforts)}."
        raise refusals.unsupported_value("reasoning.effort", model.id, message)
    _judge_included(asked, model)
    for field in ("temperature", "top_p"):
        if model.reasons and getattr(asked, field) is not None:
            raise refusals.unsupported(field, model.id)


def _judge_included(asked: Asked, model: Model) -> None:
    for field, what in _UNTOLD.items():
        if asked.includes(field):
            raise refusals.unplayed("include", what)
    if asked.includes(_SEALED) and not model.reasons:
        raise Refusal(f"Encrypted content is not supported with the model '{model.id}'.", param="include")


def _judge_together(asked: Asked, given: hosted.Toolset) -> None:
    """What does not go with a search of the web."""
    if all(isinstance(one.tool, ImageTool) for one in given.hosted):
        return
    if asked.thinking.effort == "minimal":
        raise Refusal("The web cannot be searched with the reasoning.effort 'minimal'.", param="tools")
    if isinstance(asked.text.format, ObjectFormat):
        raise Refusal("The web cannot be searched in JSON mode.", param="text.format")


def _before(call: ApiCall, asked: Asked) -> Stored | None:
    """The response this one goes on from."""
    name = asked.previous_response_id
    if name is None:
        return None
    found = call.state.responses.get(name)
    if found is None or found.owner != account(call):
        message = f"There is no response '{name}' to go on from."
        raise Refusal(message, param="previous_response_id", code="previous_response_not_found")
    return found


def _stored(call: ApiCall, name: str) -> Stored:
    found = call.state.responses.get(name)
    if found is None or found.owner != account(call):
        raise Refusal(f"There is no response '{name}'.", status=404)
    return found


def _wish(asked: Asked, model: Model, turns: tuple[brain.Turn, ...], given: hosted.Toolset, made: hosted.Made) -> Wish:
    told = (brain.Turn(role="system", text=asked.instructions),) if asked.instructions else ()
    return Wish(
        model=model, turns=(*told, *turns), toolbox=given.toolbox(made),
        parallel=asked.parallel_tool_calls is not False, schema=_schema(asked, model, (*told, *turns)),
        max_tokens=asked.max_output_tokens, effort=asked.thinking.effort, param="input",
        searched=made.searched and not made.pages, remarks=made.remarks,
    )  # fmt: skip


def _schema(asked: Asked, model: Model, turns: tuple[brain.Turn, ...]) -> tools.Schema | None:
    form = asked.text.format
    if isinstance(form, ObjectFormat):
        return tools.any_object(tools.words(turns), "input", "text.format")
    if not isinstance(form, SchemaFormat):
        return None
    if not model.schema:
        raise refusals.unsupported("text.format", model.id, "It has no structured outputs.")
    return tools.fixed(form.name, form.schema, form.strict, "text.format")


def _remembered(told: Told) -> str:
    calls = ", ".join(f"{called.name}({called.arguments})" for called in told.calls)
    return told.refusal or told.text or calls


def _body(call: ApiCall, asked: Asked, told: Told, output: list[dict[str, Any]]) -> dict[str, Any]:
    reason = _INCOMPLETE.get(told.finish_reason)
    thinking = {"effort": asked.thinking.effort, "summary": asked.thinking.summary}
    echoed = (
        "instructions", "model", "previous_response_id", "max_output_tokens", "max_tool_calls", "tools", "tool_choice",
        "user", "safety_identifier", "prompt_cache_key", "prompt_cache_retention", "text",
    )  # fmt: skip
    return {
        "id": f"resp_{call.world.ids.hex(48)}", "object": "response", "created_at": int(call.now),
        "completed_at": None if reason else int(call.now), "status": "incomplete" if reason else "completed",
        "error": None, "background": False, "incomplete_details": {"reason": reason} if reason else None,
        "output": output,
        **{field: msgspec.to_builtins(getattr(asked, field)) for field in echoed},
        "parallel_tool_calls": asked.parallel_tool_calls is not False, "reasoning": thinking,
        "temperature": 1.0 if asked.temperature is None else asked.temperature,
        "top_p": 1.0 if asked.top_p is None else asked.top_p, "top_logprobs": 0,
        "frequency_penalty": 0.0, "presence_penalty": 0.0, "truncation": asked.truncation or "disabled",
        "store": asked.store is not False, "service_tier": "default", "metadata": asked.metadata or {},
        "usage": None if call.knobs.usage == "off" else _usage(told),
    }  # fmt: skip


def _usage(told: Told) -> dict[str, Any]:
    spent = told.usage
    return {
        "input_tokens": spent.prompt,
        "input_tokens_details": {"cached_tokens": spent.cached, "cache_write_tokens": 0},
        "output_tokens": spent.completion,
        "output_tokens_details": {"reasoning_tokens": spent.reasoning},
        "total_tokens": spent.total,
    }
