"""POST models/M:generateContent and :streamGenerateContent: the request, judged field by field, and the answer.

A stream is server-sent events with `alt=sse`, and without it a list in JSON that comes piece by piece.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable
from typing import Literal

import msgspec
from starlette.responses import Response

from polychat.sandbox import brain
from polychat.sandbox.call import EventStream, json
from polychat.sandbox.services.gemini import answers, calls, contents, refusals, safety, settings, tools, transcript
from polychat.sandbox.services.gemini.bodies import read
from polychat.sandbox.services.gemini.contents import Content
from polychat.sandbox.services.gemini.gate import model as find
from polychat.sandbox.services.gemini.gate import wants_events
from polychat.sandbox.services.gemini.models import Model
from polychat.sandbox.services.gemini.proto import Wire
from polychat.sandbox.services.gemini.safety import SafetySetting
from polychat.sandbox.services.gemini.settings import GenerationConfig
from polychat.sandbox.services.gemini.state import ApiCall
from polychat.sandbox.services.gemini.tools import Tool, ToolConfig
from polychat.sandbox.services.gemini.turn import Wish, tell


class Asked(Wire, frozen=True, kw_only=True):
    """The body."""

    model: str = ""
    contents: tuple[Content, ...] = ()
    system_instruction: Content | None = None
    tools: tuple[Tool, ...] = ()
    tool_config: ToolConfig | None = None
    safety_settings: tuple[SafetySetting, ...] = ()
    generation_config: GenerationConfig | None = None
    cached_content: str = ""
    labels: dict[str, str] = msgspec.field(default_factory=dict)
    service_tier: Literal["unspecified", "flex", "standard", "priority"] | None = None
    store: bool | None = None
    continuation_token: bytes | None = None


class _JsonStream(EventStream):
    """A list in JSON, each piece a write of its own."""

    media_type = "application/json"


async def generate(call: ApiCall) -> Response:
    """One turn, whole."""
    wish = _wish(call)
    head = _head(call, wish)
    return json(_blocked(call, wish, head) or answers.whole(tell(call, wish), head))


async def stream(call: ApiCall) -> Response:
    """One turn in pieces."""
    wish = _wish(call)
    head = _head(call, wish)
    blocked = _blocked(call, wish, head)
    bodies = _interrupted(call, [blocked] if blocked else list(answers.pieces(tell(call, wish), head)))
    return EventStream(_events(bodies)) if wants_events(call) else _JsonStream(_list(bodies))


def _wish(call: ApiCall) -> Wish:
    model = find(call, "generateContent")
    return understood(call, read(call, Asked), model)


def understood(call: ApiCall, asked: Asked, model: Model) -> Wish:
    """What a request asks of the model. Raises: Refusal."""
    if asked.cached_content:
        raise refusals.not_permitted(f"The cached content '{asked.cached_content}'")
    if asked.continuation_token is not None:
        raise refusals.unplayed("continuation_token", "answers that are continued")
    runs = contents.runs(asked.contents, model)
    calls.judge(runs, model, call.state.signatures)
    safety.judge(asked.safety_settings)
    toolbox = tools.toolbox(asked.tools, asked.tool_config, model)
    form = settings.judged(asked.generation_config or GenerationConfig(), model)
    turns = (*_instructions(asked.system_instruction, model), *transcript.turns(runs))
    tier = "standard" if asked.service_tier in (None, "unspecified") else asked.service_tier
    wish = Wish(model=model, runs=runs, turns=turns, toolbox=toolbox, form=form, tier=tier)
    _judge_together(wish, asked)
    return wish


def _judge_together(wish: Wish, asked: Asked) -> None:
    """What is wrong with this model, or beside something else."""
    model = wish.model
    if model.strict and wish.runs[-1].role == "model":
        raise refusals.bad("contents", f"with models/{model.id} the last turn is the user's, not the model's.")
    shown = (place for run in wish.runs for part, place in run.parts if part.inline_data is not None)
    if model.speaks and (place := next(shown, None)):
        raise refusals.bad(f"{place}.inline_data", f"models/{model.id} takes nothing but text.")
    if wish.form.schema is not None and asked.tools and not model.mixes:
        message = f"with models/{model.id} tools and answers in JSON exclude each other."
        raise refusals.bad("generation_config.response_mime_type", message)


def _instructions(content: Content | None, model: Model) -> tuple[brain.Turn, ...]:
    if content is None:
        return ()
    if not model.instructed:
        raise refusals.bad("system_instruction", f"it is not enabled for models/{model.id}.")
    parts = contents.placed(content, "system_instruction", model, "user")
    for part, place in parts:
        if part.text is None:
            raise refusals.bad(place, "only text is taken here.")
    return transcript.instructions(parts)


def _head(call: ApiCall, wish: Wish) -> answers.Body:
    return {"modelVersion": wish.model.answers_as, "responseId": call.world.ids.hex(22)}


def _blocked(call: ApiCall, wish: Wish, head: answers.Body) -> answers.Body | None:
    if call.knobs.block is None:
        return None
    return answers.blocked(call.knobs.block, safety.ratings(), transcript.sizes(wish.turns, wish.runs), head)


def _interrupted(call: ApiCall, bodies: list[answers.Body]) -> list[answers.Body]:
    after = call.knobs.unavailable_after
    if after is None or after >= len(bodies):
        return bodies
    return [*bodies[:after], refusals.error(503, "The model is overloaded; please try again later.")]


async def _events(bodies: Iterable[answers.Body]) -> AsyncIterator[bytes]:
    for body in bodies:
        yield b"data: " + msgspec.json.encode(body) + b"\r\n\r\n"


async def _list(bodies: Iterable[answers.Body]) -> AsyncIterator[bytes]:
    for index, body in enumerate(bodies):
        yield (b",\r\n" if index else b"[") + msgspec.json.encode(body)
    yield b"\n]\n"
