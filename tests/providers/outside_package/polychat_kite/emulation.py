"""Kite, emulated: session, token, uploads and a chat.

    GET  /session/token    the cookie `kite_session` -> {"token", "expires_in"}
    POST /files            multipart, one part `file` -> {"id"}
    POST /chat             {"model", "turns": [{"role", "text", "files": [id]}]} -> an event stream

There is no such service. Errors are {"kind": "problem", "code", "message"}.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import TYPE_CHECKING, Any, Literal

import msgspec
from starlette.responses import Response

from polychat.sandbox import brain
from polychat.sandbox.call import Call, EventStream, get, json, post
from polychat.sandbox.services import NoKnobs, Service

if TYPE_CHECKING:
    from polychat.sandbox.world import World

_TOKEN_LIFE_S = 3600.0
_PICTURES = (b"\x89PNG", b"\xff\xd8\xff", b"GIF8")


class State:
    """Tokens and files, and whose they are."""

    def __init__(self, world: World) -> None:
        self._world = world
        self.tokens: dict[str, tuple[str, float]] = {}  # token -> owner, end
        self.files: dict[str, tuple[str, bytes]] = {}  # id -> owner, bytes

    def grant(self, owner: str) -> str:
        """A new token."""
        token = self._world.ids.hex(32)
        self.tokens[token] = (owner, self._world.clock.now() + _TOKEN_LIFE_S)
        return token

    def owner(self, token: str | None) -> str | None:
        """Whose token it is. A person's own name is one without end."""
        owner, ends_at = self.tokens.get(token or "", (token, float("inf")))
        return self._world.person(owner) if ends_at > self._world.clock.now() else None

    def keep(self, owner: str, data: bytes) -> str:
        """A file's id."""
        name = f"file-{self._world.ids.hex()}"
        self.files[name] = (owner, data)
        return name


KiteCall = Call[State, NoKnobs]


class Turn(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One entry of `turns`."""

    role: Literal["system", "user", "assistant"]
    text: str
    files: tuple[str, ...]


class Asked(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The body of a question."""

    model: Literal["kite-large", "kite-small"]
    turns: tuple[Turn, ...]

    def __post_init__(self) -> None:
        if self.model == "kite-small" and any(turn.files for turn in self.turns):
            raise ValueError("kite-small sees no pictures")


async def token(call: KiteCall) -> Response:
    """A token for the session."""
    person = call.recognise(call.world.person(call.cookies.get("kite_session")))
    if person is None:
        return _refused(401, "The session is over.")
    return json({"token": call.state.grant(person), "expires_in": _TOKEN_LIFE_S})


async def upload(call: KiteCall) -> Response:
    """Keep a file."""
    owner = call.recognise(call.state.owner(call.bearer))
    if owner is None:
        return _refused(401, "The token is missing or has expired.")
    parts = {part.name: part.data for part in call.parts()}
    if parts.keys() != {"file"}:
        return _refused(400, "Send one part, named file.")
    if not parts["file"].startswith(_PICTURES):
        return _refused(415, "That is no picture.")
    return json({"id": call.state.keep(owner, parts["file"])})


async def chat(call: KiteCall) -> Response:
    """One turn."""
    owner = call.recognise(call.state.owner(call.bearer))
    if owner is None:
        return _refused(401, "The token is missing or has expired.")
    try:
        asked = msgspec.json.decode(call.body, type=Asked)
    except (msgspec.DecodeError, UnicodeDecodeError) as mistake:
        return _refused(400, str(mistake))
    if any(call.state.files.get(name, ("", b""))[0] != owner for turn in asked.turns for name in turn.files):
        return _refused(400, "A file is not of this account.")
    return EventStream(_frames(call.answer(_question(call, asked))))


def _question(call: KiteCall, asked: Asked) -> brain.Question:
    return brain.Question(
        turns=tuple(
            brain.Turn(
                role=turn.role, text=turn.text, attachments=tuple(call.state.files[name][1] for name in turn.files)
            )
            for turn in asked.turns
        )
    )


async def _frames(answer: brain.Answer) -> AsyncIterator[bytes]:
    for piece in answer.pieces:
        yield _frame({"kind": "piece", "text": piece})
    yield _frame({"kind": "end", "tokens": {"asked": answer.input_tokens, "answered": answer.output_tokens}})


def _frame(event: dict[str, Any]) -> bytes:
    return b"data: " + msgspec.json.encode(event) + b"\n\n"


def _refused(status: int, message: str) -> Response:
    return json(error(status, message), status)


def error(status: int, message: str) -> dict[str, Any]:
    """The body of an error."""
    return {"kind": "problem", "code": f"e{status}", "message": message}


routes = (get("/session/token", token), post("/files", upload), post("/chat", chat))
service = Service(label="Kite (kite.example)", error=error, expire=lambda state, token: state.tokens.pop(token, None))
