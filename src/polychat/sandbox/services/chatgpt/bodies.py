"""The bodies of requests: what must be in them, and where they are wrong. Unknown fields are ignored, as there."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Annotated, Any, Literal, TypeVar

import msgspec

from polychat.sandbox.services.chatgpt.refusals import Problem, problem, unprocessable

T = TypeVar("T")
Uuid = Annotated[str, msgspec.Meta(pattern=r"^[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}$")]
Text = Annotated[str, msgspec.Meta(min_length=1)]


class Requirements(msgspec.Struct, frozen=True):
    """The gate."""

    p: str | None = None


class Finalize(msgspec.Struct, frozen=True):
    """The gate's second step."""

    prepare_token: str
    proofofwork: str | None = None
    turnstile: str | None = None


class Mode(msgspec.Struct, frozen=True):
    """`conversation_mode`."""

    kind: Literal["primary_assistant", "gizmo_interaction"] = "primary_assistant"
    gizmo_id: str | None = None


class Prepare(msgspec.Struct, frozen=True, kw_only=True):
    """What a turn and its preparation share."""

    action: Literal["next", "continue", "variant"]
    parent_message_id: Text
    model: Text
    conversation_id: str | None = None
    conversation_mode: Mode = Mode()
    system_hints: tuple[str, ...] | None = None
    supported_encodings: tuple[str, ...] = ()
    supports_buffering: bool = False
    timezone: str | None = None
    timezone_offset_min: float = 0
    history_and_training_disabled: bool = False


class Author(msgspec.Struct, frozen=True):
    """Who speaks."""

    role: Literal["system", "user", "assistant", "tool"]
    name: str | None = None


class Pointer(msgspec.Struct, frozen=True):
    """A picture in a message."""

    asset_pointer: Annotated[str, msgspec.Meta(pattern=r"^(file-service|sediment)://\S+$")]
    width: Annotated[int, msgspec.Meta(gt=0)]
    height: Annotated[int, msgspec.Meta(gt=0)]
    size_bytes: int | None = None
    content_type: Literal["image_asset_pointer"] = "image_asset_pointer"

    @property
    def file_id(self) -> str:
        """The upload it points at."""
        return self.asset_pointer.partition("://")[2]


class Content(msgspec.Struct, frozen=True):
    """What is said."""

    content_type: Literal["text", "multimodal_text"]
    parts: Annotated[tuple[str | Pointer, ...], msgspec.Meta(min_length=1)]


class Attachment(msgspec.Struct, frozen=True, rename="camel"):
    """A file that goes with a message."""

    id: str
    name: str
    size: int | None = None
    mime_type: str | None = None


class Metadata(msgspec.Struct, frozen=True):
    """What of a message's metadata the service acts upon."""

    attachments: tuple[Attachment, ...] = ()
    system_hints: tuple[str, ...] | None = None


class Asked(msgspec.Struct, frozen=True):
    """One message of a turn."""

    id: Uuid
    author: Author
    content: Content
    create_time: float | None = None
    metadata: Metadata | None = None


class Turn(Prepare, frozen=True, kw_only=True):
    """A turn."""

    messages: tuple[Asked, ...] = ()

    @property
    def hints(self) -> set[str]:
        """The tools that were asked for, for the turn or for a message."""
        asked = [*(self.system_hints or ())]
        for message in self.messages:
            asked += (message.metadata and message.metadata.system_hints) or ()
        return set(asked)

    @property
    def characters(self) -> int:
        """How much text the messages hold."""
        return sum(len(part) for message in self.messages for part in message.content.parts if isinstance(part, str))


class Stop(msgspec.Struct, frozen=True):
    """`stop_conversation`."""

    conversation_id: str
    exclude_async_types: tuple[str, ...] = ()


class Resume(msgspec.Struct, frozen=True):
    """`f/conversation/resume`."""

    conversation_id: str
    offset: Annotated[int, msgspec.Meta(ge=0)]


class Retouch(msgspec.Struct, frozen=True):
    """PATCH of a conversation."""

    title: str | None = None
    is_visible: bool | None = None


class NewFile(msgspec.Struct, frozen=True):
    """The announcement of an upload."""

    file_name: Text
    file_size: Annotated[int, msgspec.Meta(gt=0)]
    use_case: Literal["multimodal", "my_files", "profile_picture"]


def read(body: bytes, kind: type[T]) -> T:
    """`body` as `kind`. Raises: Refusal (422 with the place of the mistake)."""
    try:
        return msgspec.json.decode(body or b"{}", type=kind)
    except msgspec.ValidationError as mistake:
        raise unprocessable(_located(mistake)) from None
    except (msgspec.DecodeError, UnicodeDecodeError):
        raise unprocessable(problem([], "the body is not JSON", "json_invalid")) from None


def read_turn(body: bytes) -> Turn:
    """The body of a turn, if all of it makes sense. Raises: Refusal."""
    turn = read(body, Turn)
    if problems := list(_problems(turn)):
        raise unprocessable(*problems)
    return turn


def _problems(turn: Turn) -> Iterator[Problem]:
    if turn.action == "continue":
        if turn.messages:
            yield problem(["messages"], "to continue is to say nothing")
        if turn.conversation_id is None:
            yield problem(["conversation_id"], "Field required", "missing")
    elif not turn.messages:
        yield problem(["messages"], "Field required", "missing")
    elif turn.messages[-1].author.role != "user":
        yield problem(["messages", len(turn.messages) - 1, "author", "role"], "the last message must be the user's")
    if turn.action == "variant" and turn.conversation_id is None:
        yield problem(["conversation_id"], "Field required", "missing")
    if turn.conversation_mode.kind == "gizmo_interaction" and not turn.conversation_mode.gizmo_id:
        yield problem(["conversation_mode", "gizmo_id"], "Field required", "missing")


def _located(mistake: msgspec.ValidationError) -> Problem:
    """The mistake with its place as a list; a missing field is part of the place."""
    message, _at, place = str(mistake).partition(" - at ")
    steps: list[Any] = [name or int(index) for name, index in re.findall(r"\.(\w+)|\[(\d+)\]", place)]
    if missing := re.search(r"missing required field `(\w+)`", message):
        return problem([*steps, missing[1]], "Field required", "missing")
    return problem(steps, message)
