"""Raycast AI's backend as the app of 2024-2025 talks to it: a list of models, and a chat that is always a stream.

    GET  /api/v1/ai/models              what the app may offer; {"models": [...], "default_models": {...}}
    POST /api/v1/ai/chat_completions    the turn; server-sent events, deltas, no [DONE] and no token counts

Source: the backend's protocol as read from public clients of 2023-2025; nothing was tried against the live service.
Where that leaves something open this file chooses: a body that breaks the rules is 400, a demand for the app's
signature is 403 and names the header, a model that is being given up or belongs to the dearer tier still answers, and
a tool call's last summary holds its arguments as text. Any signature at all satisfies the demand: how one is made is
not known here, and nothing of this project sends one. Attachments, translations and account pages are not emulated.

The knob `compat=g4f` is for clients of 2023: any author, any model of any provider, `text` in every event.
"""

from __future__ import annotations

import re
from collections.abc import AsyncIterator, Iterator
from typing import TYPE_CHECKING, Any, Literal

import msgspec
from starlette.responses import Response

from polychat.sandbox import brain
from polychat.sandbox.call import Call, EventStream, get, json, post
from polychat.sandbox.services import Service

if TYPE_CHECKING:
    from polychat.sandbox.world import World

_UUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.IGNORECASE)
_PLAIN = "markdown"  # the instruction of a talk that has none


class Knobs(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How this Raycast behaves."""

    compat: Literal["none", "g4f"] = "none"
    signature: Literal["optional", "demanded"] = "optional"
    models: Literal["listed", "absent"] = "listed"  # absent: a backend from before there was a list
    reasoning: bool = False  # the model thinks aloud first
    notification: bool = False  # an event about something else lies in the stream
    summary_only: bool = False  # tool calls come whole at the end and in no fragments before
    done: bool = False  # the stream ends with [DONE] and without a finish_reason, as behind some relays


class State:
    """What Raycast remembers: which tokens it no longer takes."""

    def __init__(self, world: World) -> None:
        self._world = world
        self.ended: set[str] = set()

    def owner(self, bearer: str | None) -> str | None:
        """Whose app session it is. A person's own name is a token."""
        return None if bearer in self.ended else self._world.person(bearer)

    def call_id(self) -> str:
        """A name for a tool call."""
        return f"call_{self._world.ids.hex(24)}"


RaycastCall = Call[State, Knobs]

# ---------------------------------------------------------------- models


class Offer(msgspec.Struct, frozen=True):
    """A model and how the app may use it."""

    provider: str
    provider_name: str
    model: str
    name: str
    requires_better_ai: bool = False
    availability: Literal["public", "deprecated"] = "public"

    def listed(self) -> dict[str, Any]:
        """Its entry in the list."""
        rest = {"features": ["chat", "quick_ai", "commands", "api"], "abilities": {}, "context_window": 128}
        return {"id": f"{self.provider}-{self.model}", **msgspec.structs.asdict(self), **rest}


OFFERS = (
    Offer("openai", "OpenAI", "gpt-4o-mini", "GPT-4o mini"),
    Offer("openai", "OpenAI", "gpt-4", "GPT-4", requires_better_ai=True),
    Offer("openai", "OpenAI", "gpt-3.5-turbo", "GPT-3.5 Turbo"),
    Offer("anthropic", "Anthropic", "claude-haiku", "Claude Haiku"),
    Offer("mistral", "Mistral", "codestral-old", "Codestral", availability="deprecated"),
)


async def models(call: RaycastCall) -> Response:
    """What there is to choose from."""
    if refusal := _refusal(call):
        return refusal
    if call.knobs.models == "absent":
        return _wrong(404, "Not found.")
    first = OFFERS[0].listed()
    return json({
        "models": [offer.listed() for offer in OFFERS],
        "default_models": dict.fromkeys(first["features"], first["id"]),
    })  # fmt: skip


# ---------------------------------------------------------------- the body of a question


class Content(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What a turn says, and what the app notes beside it."""

    text: str
    system_instructions: str | None = None
    command_instructions: str | None = None
    temperature: float | None = None
    model: str | None = None


class Turn(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One entry of `messages`."""

    author: Literal["user", "assistant"]
    content: Content


class Function(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What the caller can run."""

    name: str
    description: str
    parameters: dict[str, Any]


class Tool(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The caller's own, with a function; or one of the service, with a name."""

    type: str
    function: Function | None = None
    name: str | None = None

    def __post_init__(self) -> None:
        if (self.type == "local_tool") != (self.function is not None) or (self.function is None) != bool(self.name):
            raise ValueError("a local_tool has a function and no name; any other tool a name and no function")


class Asked(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A body as the app sends it."""

    debug: bool
    locale: str
    messages: tuple[Turn, ...]
    model: str
    provider: str
    source: Literal["ai_chat"]
    system_instruction: str
    temperature: float | None = None
    additional_system_instructions: str = ""
    thread_id: str | None = None
    image_generation_tool: bool = False
    web_search_tool: bool = False
    tools: tuple[Tool, ...] = ()
    tool_choice: Literal["auto"] | None = None

    def __post_init__(self) -> None:
        if not self.messages:
            raise ValueError("messages is empty")
        if self.thread_id is not None and not _UUID.fullmatch(self.thread_id):
            raise ValueError("thread_id is no UUID")
        if self.tool_choice is not None and not self.tools:
            raise ValueError("tool_choice comes with tools only")
        if (self.provider, self.model) not in {(offer.provider, offer.model) for offer in OFFERS}:
            raise ValueError(f"{self.provider} has no model {self.model}")

    def question(self) -> brain.Question:
        """What is passed on to the model."""
        said = (self.system_instruction, self.additional_system_instructions)
        instructions = [brain.Turn(role="system", text=text) for text in said if text not in {"", _PLAIN}]
        talk = [brain.Turn(role=turn.author, text=turn.content.text) for turn in self.messages]
        local = [tool.function for tool in self.tools if tool.function is not None]
        return brain.Question(
            turns=(*instructions, *talk),
            searched=self.web_search_tool,
            tools=tuple(brain.Tool(name=function.name, parameters=function.parameters) for function in local),
        )


class OldContent(msgspec.Struct, frozen=True):
    """Text, or whatever the client of 2023 was given."""

    text: Any


class OldTurn(msgspec.Struct, frozen=True):
    """A turn whose author is any role."""

    author: brain.Role
    content: OldContent


class OldAsked(msgspec.Struct, frozen=True):
    """A body of 2023."""

    messages: tuple[OldTurn, ...]
    model: str
    provider: Literal["openai"]

    def question(self) -> brain.Question:
        """What is passed on to the model."""
        return brain.Question(
            turns=tuple(brain.Turn(role=turn.author, text=_written(turn.content.text)) for turn in self.messages)
        )


def _written(text: Any) -> str:
    return text if isinstance(text, str) else msgspec.json.encode(text).decode()


# ---------------------------------------------------------------- chat


async def chat(call: RaycastCall) -> Response:
    """One turn: judge the body, answer in deltas."""
    if refusal := _refusal(call):
        return refusal
    kind: type[Asked | OldAsked] = OldAsked if call.knobs.compat == "g4f" else Asked
    try:
        asked = msgspec.json.decode(call.body, type=kind)
    except (msgspec.DecodeError, UnicodeDecodeError) as mistake:
        return _wrong(400, str(mistake))
    return EventStream(_frames(call, call.answer(asked.question())))


async def _frames(call: RaycastCall, answer: brain.Answer) -> AsyncIterator[bytes]:
    every = {"text": None} if call.knobs.compat == "g4f" else {}
    for event in _events(call, answer):
        yield b"data: " + msgspec.json.encode({**every, **event}) + b"\n\n"
    if call.knobs.done:
        yield b"data: [DONE]\n\n"


def _events(call: RaycastCall, answer: brain.Answer) -> Iterator[dict[str, Any]]:
    if call.knobs.reasoning:
        yield from ({"reasoning": piece} for piece in ("Let me ", "think."))
    if call.knobs.notification:
        yield {"notification_type": "info", "notification": "Something else happened."}
    yield from ({"text": piece} for piece in answer.pieces)
    calls = [(call.state.call_id(), one.name, _written(one.arguments)) for one in answer.tool_calls]
    if not call.knobs.summary_only:
        yield from _fragments(calls)
    if call.knobs.done:
        return
    last: dict[str, Any] = {"text": "", "finish_reason": answer.finish_reason}
    if calls:
        last |= {"tool_calls": [{"id": name, "name": tool, "arguments": text} for name, tool, text in calls]}
    yield last


def _fragments(calls: list[tuple[str, str, str]]) -> Iterator[dict[str, Any]]:
    """Each call as it is written: first its name, then its arguments in two pieces."""
    for index, (name, tool, text) in enumerate(calls):
        middle = len(text) // 2
        yield {"tool_calls": [{"index": index, "id": name, "function": {"name": tool}}]}
        for piece in (text[:middle], text[middle:]):
            yield {"tool_calls": [{"index": index, "function": {"arguments": piece}}]}


# ---------------------------------------------------------------- who is there, and what went wrong


def _refusal(call: RaycastCall) -> Response | None:
    """Why this request is not answered, if so."""
    if call.recognise(call.state.owner(call.bearer)) is None:
        return _wrong(401, "The session is missing, unknown or over.")
    if call.knobs.signature == "demanded" and not call.headers.get("x-raycast-signature"):
        return _wrong(403, "A signature is required (X-Raycast-Signature).")
    return None


def _wrong(status: int, message: str) -> Response:
    return json(error(status, message), status)


def error(status: int, message: str) -> dict[str, Any]:
    """The body of an error."""
    return {"error": {"message": message}}


def _expire(state: State, bearer: str) -> None:
    state.ended.add(bearer)


routes = (
    get("/api/v1/ai/models", models),
    post("/api/v1/ai/chat_completions", chat),
)
service = Service(label="Raycast AI (backend.raycast.com)", error=error, knobs=Knobs, expire=_expire)
