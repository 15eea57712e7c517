"""One turn as its scenes see it: what was asked, what will be answered, and the chain of messages it makes."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import msgspec

from polychat.sandbox import brain
from polychat.sandbox.services.chatgpt.bodies import Asked
from polychat.sandbox.services.chatgpt.bodies import Turn as Body
from polychat.sandbox.services.chatgpt.encodings import TEXT, Begin, Change, Step, Tell, say
from polychat.sandbox.services.chatgpt.knobs import Knobs
from polychat.sandbox.services.chatgpt.patches import Patch
from polychat.sandbox.services.chatgpt.state import State
from polychat.sandbox.services.chatgpt.tree import Conversation, Message

_STOP_TOKENS = {"stop": [200002], "max_tokens": None}


class Turn:
    """A turn. Every message it makes hangs from the one before; `tail` is the last."""

    def __init__(
        self, *, state: State, knobs: Knobs, owner: str, body: Body, conversation: Conversation, answer: brain.Answer,
        new: bool,
    ) -> None:  # fmt: skip
        self.state = state
        self.knobs = knobs
        self.owner = owner
        self.body = body
        self.conversation = conversation
        self.answer = answer
        self.new = new  # the conversation began with it
        self.tail = conversation.current
        self.echoed: list[Message] = []
        self.id = state.uuid()

    @property
    def newest_dialect(self) -> bool:
        """True unless the stream is that of spring 2025."""
        return self.knobs.dialect == "2026"

    @property
    def prompt(self) -> str:
        """The last words of the person."""
        parts = self.body.messages[-1].content.parts if self.body.messages else ()
        return " ".join(part for part in parts if isinstance(part, str))

    def begin(
        self, role: str, content: dict[str, Any], *, name: str | None = None, recipient: str = "all",
        channel: str | None = None, status: str = "finished_successfully", end_turn: bool | None = None,
        **metadata: Any,
    ) -> Begin:  # fmt: skip
        """The next message of the chain."""
        parent, self.tail = self.tail, self.state.uuid()
        about = {"message_type": self.body.action, "model_slug": self.body.model, "parent_id": parent, **metadata}
        if self.newest_dialect:
            about |= {"turn_exchange_id": self.id}
        message = {
            "id": self.tail, "author": {"role": role, "name": name, "metadata": {}},
            "create_time": self.state.world.clock.now(), "update_time": None, "content": content, "status": status,
            "end_turn": end_turn, "weight": 1.0, "metadata": about, "recipient": recipient,
            "channel": channel if self.newest_dialect else None,
        }  # fmt: skip
        return Begin(message, parent)

    def event(self, kind: str, /, **fields: Any) -> Tell:
        """A control event."""
        return Tell({"type": kind, **fields, "conversation_id": self.conversation.id})


def text(*parts: Any) -> dict[str, Any]:
    """The content of a text message."""
    return {"content_type": "text", "parts": list(parts)}


def asked_message(asked: Asked, parent: str, now: float) -> Message:
    """A message of the person as the service keeps it."""
    content = msgspec.to_builtins(asked.content)
    metadata = msgspec.to_builtins(asked.metadata) if asked.metadata else {}
    return {
        "id": asked.id, "author": {"role": asked.author.role, "name": asked.author.name, "metadata": {}},
        "create_time": asked.create_time or now, "update_time": None, "content": content,
        "status": "finished_successfully", "end_turn": None, "weight": 1.0,
        "metadata": {**metadata, "parent_id": parent}, "recipient": "all", "channel": None,
    }  # fmt: skip


def speech(turn: Turn, pieces: tuple[str, ...], finish: str = "stop") -> Iterator[Step]:
    """An answer in text, as the knob `text` has it: in the root, in deltas, in the closing patch."""
    placed = "stream" if turn.knobs.compat == "g4f" else turn.knobs.text
    head, middle, rest = _placed(pieces, placed)
    yield turn.begin("assistant", text(head), channel="final", status="in_progress")
    if turn.newest_dialect:
        yield turn.event("message_marker", message_id=turn.tail, marker="user_visible_token", event="first")
    for piece in middle:
        yield say(piece)
    yield closing(turn.knobs, finish, rest)


def closing(knobs: Knobs, finish: str, rest: str = "") -> Change:
    """The last patch of an answer, with the words that are left."""
    whole = finish not in ("max_tokens", "interrupted") or (finish == "max_tokens" and not knobs.partial)
    details = {"type": finish} | ({"stop_tokens": _STOP_TOKENS[finish]} if _STOP_TOKENS.get(finish) else {})
    said = (Patch(TEXT, "append", rest),) if rest else ()
    return Change(
        (
            *said,
            Patch("/message/status", "replace", "finished_successfully" if whole else "finished_partial_completion"),
            Patch("/message/end_turn", "replace", whole),
            Patch("/message/metadata", "append", {"is_complete": True, "finish_details": details}),
        )
    )


def finished(end_turn: bool = False, **metadata: Any) -> Change:
    """The last patch of a message in between."""
    return Change(
        (
            Patch("/message/status", "replace", "finished_successfully"),
            Patch("/message/end_turn", "replace", end_turn),
            Patch("/message/metadata", "append", {"is_complete": True, **metadata}),
        )
    )


def _placed(pieces: tuple[str, ...], placed: str) -> tuple[str, tuple[str, ...], str]:
    """Words of the root, of the deltas, of the closing patch."""
    if placed == "closing" or len(pieces) < 2:
        return "", (), "".join(pieces)
    if placed == "root":
        return pieces[0], pieces[1:-1], pieces[-1]
    return "", pieces[:-1], pieces[-1]
