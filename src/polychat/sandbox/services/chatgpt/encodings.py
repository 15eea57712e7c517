"""How the steps of a turn become frames: the delta encoding v1, and the classic stream of whole messages.

Steps make a turn: a message begins, it changes, an event is told, all fails. Every frame is one record.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Protocol

import msgspec

from polychat.sandbox.services.chatgpt.patches import Patch
from polychat.sandbox.services.chatgpt.tree import Message

TEXT = "/message/content/parts/0"


class Begin(msgspec.Struct, frozen=True):
    """A new message."""

    message: Message
    parent: str


class Change(msgspec.Struct, frozen=True):
    """Something about the message that began last."""

    patches: tuple[Patch, ...]


class Tell(msgspec.Struct, frozen=True):
    """An event beside the messages."""

    event: dict[str, Any]


class Fail(msgspec.Struct, frozen=True):
    """The turn ends here, badly: told by a root without a message, or by a record of its own."""

    message: str
    in_root: bool


Step = Begin | Change | Tell | Fail


def say(text: str, path: str = TEXT) -> Change:
    """More text."""
    return Change((Patch(path, "append", text),))


class Encoding(Protocol):
    """One way to write a turn down."""

    def opening(self) -> Iterator[bytes]:
        """What comes before the first step."""
        ...

    def step(self, step: Step, message: Message | None) -> Iterator[bytes]:
        """A step that was just taken; `message` is the current one after it."""
        ...


class Delta:
    """v1: roots and patches. `p` and `o` are left out where the last ones hold on, as far as `addressing` allows.

    With `listed`, a value that is a list comes only inside a list of patches, for clients that take every list for one.
    """

    def __init__(self, conversation_id: str, addressing: str, *, listed: bool = False) -> None:
        self._conversation_id = conversation_id
        self._addressing = addressing
        self._listed = listed
        self._last: tuple[str, str] | None = None
        self._roots = 0

    def opening(self) -> Iterator[bytes]:
        yield b'event: delta_encoding\ndata: "v1"\n\n'

    def step(self, step: Step, message: Message | None) -> Iterator[bytes]:
        if isinstance(step, Begin):
            yield self._root(step.message)
        elif isinstance(step, Change):
            yield self._change(step.patches)
        elif isinstance(step, Tell):
            yield _data(step.event)
        elif step.in_root:
            root = {"message": None, "conversation_id": self._conversation_id, "error": step.message}
            yield _delta({"p": "", "o": "add", "v": root, "c": self._roots})
        else:
            yield _data({"error": {"message": step.message, "code": "sandbox_error"}, "message": None})

    def _root(self, message: Message) -> bytes:
        record: dict[str, Any] = {} if self._addressing == "sticky" else {"p": "", "o": "add"}
        record["v"] = {"message": message, "conversation_id": self._conversation_id, "error": None}
        record["c"] = self._roots
        self._roots += 1
        self._last = None
        return _delta(record)

    def _change(self, patches: tuple[Patch, ...]) -> bytes:
        if len(patches) == 1 and not (self._listed and isinstance(patches[0].value, list)):
            return self._addressed(patches[0])
        return self._addressed(Patch("", "patch", [patch.told() for patch in patches]))

    def _addressed(self, patch: Patch) -> bytes:
        record = patch.told()
        last, self._last = self._last, (patch.path, patch.op)
        if last is not None and self._may_omit(patch):
            if last[0] == patch.path:
                del record["p"]
            if last[1] == patch.op and (last[0] == patch.path or self._addressing == "sticky"):
                del record["o"]
        return _delta(record)

    def _may_omit(self, patch: Patch) -> bool:
        return self._addressing == "sticky" or (self._addressing == "text" and patch.path == TEXT)


class Classic:
    """Before v1: after every step the whole message so far."""

    def __init__(self, conversation_id: str) -> None:
        self._conversation_id = conversation_id

    def opening(self) -> Iterator[bytes]:
        return iter(())

    def step(self, step: Step, message: Message | None) -> Iterator[bytes]:
        if isinstance(step, Fail):
            yield self._whole(None, step.message)
        elif not isinstance(step, Tell):
            yield self._whole(message, None)
        elif step.event["type"] == "moderation":
            yield _data({name: value for name, value in step.event.items() if name != "type"})
        elif step.event["type"] == "title_generation":
            yield _data(step.event)

    def _whole(self, message: Message | None, error: str | None) -> bytes:
        return _data({"message": message, "conversation_id": self._conversation_id, "error": error})


def _delta(record: dict[str, Any]) -> bytes:
    return b"event: delta\n" + _data(record)


def _data(value: Any) -> bytes:
    return b"data: " + msgspec.json.encode(value) + b"\n\n"
