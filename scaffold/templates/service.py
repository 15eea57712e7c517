"""Newservice, emulated: keys, and a chat that is always a stream.

    POST /v1/chat    {"model", "messages": [{"role", "text"}]}; the key as a bearer

    data: {"text": "..."}
    data: {"end": "stop", "tokens": {"asked": 3, "answered": 5}}

Source: invented. Write this file from the facts alone and never from the provider: the two judge one another. What the
real service would refuse is refused here.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import TYPE_CHECKING, Any, Literal

import msgspec
from starlette.responses import Response

from polychat.sandbox import brain
from polychat.sandbox.call import Call, EventStream, json, post
from polychat.sandbox.services import Service

if TYPE_CHECKING:
    from polychat.sandbox.world import World


class Knobs(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How it behaves. A habit that only some accounts see is a knob, and a test turns it."""

    counted: bool = True  # the last event tells the tokens


class State:
    """What the service remembers, made anew at every reset: here, which keys it no longer takes."""

    def __init__(self, world: World) -> None:
        self._world = world
        self.ended: set[str] = set()

    def owner(self, key: str | None) -> str | None:
        """Whose key it is. The sandbox's people have their own names for keys."""
        return None if key in self.ended else self._world.person(key)


NewServiceCall = Call[State, Knobs]


class Turn(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One entry of `messages`."""

    role: Literal["system", "user", "assistant"]
    text: str


class Asked(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The body of a question; what is not named here is refused."""

    model: Literal["newservice-1"]
    messages: tuple[Turn, ...]

    def __post_init__(self) -> None:
        if not self.messages:
            raise ValueError("messages is empty")


async def chat(call: NewServiceCall) -> Response:
    """One turn: judge who asks and what, and answer."""
    if call.recognise(call.state.owner(call.bearer)) is None:
        return json(error(401, "The key is missing or unknown."), 401)
    try:
        asked = msgspec.json.decode(call.body, type=Asked)
    except (msgspec.DecodeError, UnicodeDecodeError) as mistake:
        return json(error(400, str(mistake)), 400)
    turns = tuple(brain.Turn(role=turn.role, text=turn.text) for turn in asked.messages)
    return EventStream(_frames(call.knobs, call.answer(brain.Question(turns=turns))))


async def _frames(knobs: Knobs, answer: brain.Answer) -> AsyncIterator[bytes]:
    """Each event a write of its own, so that a fault can come between any two."""
    for piece in answer.pieces:
        yield _frame({"text": piece})
    counts = {"tokens": {"asked": answer.input_tokens, "answered": answer.output_tokens}} if knobs.counted else {}
    yield _frame({"end": answer.finish_reason, **counts})


def _frame(event: dict[str, Any]) -> bytes:
    return b"data: " + msgspec.json.encode(event) + b"\n\n"


def error(status: int, message: str) -> dict[str, Any]:
    """The body of an error."""
    return {"error": {"message": message}}


def _expire(state: State, key: str) -> None:
    state.ended.add(key)


routes = (post("/v1/chat", chat),)
service = Service(label="Newservice (api.new-service.example)", error=error, knobs=Knobs, expire=_expire)
