"""The messages of a chat completion: their shapes, their order, and what the model is told of them.

The old role `function` is not taken: its place is `tool`.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Annotated, Any, Literal, TypeVar

import msgspec

from polychat.sandbox import brain
from polychat.sandbox.services.openai import attachments, refusals, sound
from polychat.sandbox.services.openai.bodies import Wire
from polychat.sandbox.services.openai.models import Model
from polychat.sandbox.services.openai.refusals import Refusal

T = TypeVar("T")
Some = Annotated[tuple[T, ...], msgspec.Meta(min_length=1)]


class Part(Wire, frozen=True, kw_only=True, tag_field="type"):
    """A part of a message."""

    prompt_cache_breakpoint: dict[str, Any] | None = None


class TextPart(Part, frozen=True, kw_only=True, tag="text"):
    """Text."""

    text: str


class RefusalPart(Part, frozen=True, kw_only=True, tag="refusal"):
    """What the model said when it declined."""

    refusal: str


class ImageUrl(Wire, frozen=True, kw_only=True):
    """A picture by address or data URI."""

    url: str
    detail: Literal["auto", "low", "high", "original"] = "auto"


class ImagePart(Part, frozen=True, kw_only=True, tag="image_url"):
    """A picture."""

    image_url: ImageUrl


class InputAudio(Wire, frozen=True, kw_only=True):
    """A sound in base64."""

    data: str
    format: Literal["wav", "mp3"]


class AudioPart(Part, frozen=True, kw_only=True, tag="input_audio"):
    """A sound."""

    input_audio: InputAudio


class InputFile(Wire, frozen=True, kw_only=True):
    """A document as a data URI, or one that was uploaded before."""

    file_data: str | None = None
    file_id: str | None = None
    filename: str | None = None


class FilePart(Part, frozen=True, kw_only=True, tag="file"):
    """A document."""

    file: InputFile


class CalledFunction(Wire, frozen=True, kw_only=True):
    """What was called, with what."""

    name: str
    arguments: str


class ToolCall(Wire, frozen=True, kw_only=True):
    """A call that the model made."""

    id: str
    function: CalledFunction
    type: Literal["function"]


class Message(Wire, frozen=True, kw_only=True, tag_field="role"):
    """A message."""

    name: str | None = None


class SystemMessage(Message, frozen=True, kw_only=True, tag="system"):
    """Instructions."""

    content: str | Some[TextPart]


class DeveloperMessage(Message, frozen=True, kw_only=True, tag="developer"):
    """Instructions, as newer models name them."""

    content: str | Some[TextPart]


class UserMessage(Message, frozen=True, kw_only=True, tag="user"):
    """What a person says and shows."""

    content: str | Some[TextPart | ImagePart | AudioPart | FilePart]


class AssistantMessage(Message, frozen=True, kw_only=True, tag="assistant"):
    """What the model said before."""

    content: str | Some[TextPart | RefusalPart] | None = None
    refusal: str | None = None
    tool_calls: Some[ToolCall] = ()
    annotations: tuple[Any, ...] | None = None
    audio: None = None
    function_call: None = None
    reasoning: str | None = None  # compatible services show the thinking, and some want it back
    reasoning_content: str | None = None


class ToolMessage(Message, frozen=True, kw_only=True, tag="tool"):
    """What a tool answered."""

    content: str | Some[TextPart]
    tool_call_id: str


AnyMessage = SystemMessage | DeveloperMessage | UserMessage | AssistantMessage | ToolMessage


def turns(messages: Sequence[AnyMessage], model: Model) -> tuple[brain.Turn, ...]:
    """The messages as the model takes them. Raises: Refusal."""
    _judge_order(messages)
    return tuple(_turn(message, f"messages[{index}]", model) for index, message in enumerate(messages))


def _judge_order(messages: Sequence[AnyMessage]) -> None:
    """Every call is answered by a tool message at once, and nothing else is."""
    waiting: set[str] = set()
    for index, message in enumerate(messages):
        if isinstance(message, ToolMessage):
            if message.tool_call_id not in waiting:
                text = "A message with the role 'tool' must answer one of the 'tool_calls' right before it."
                raise Refusal(text, param=f"messages[{index}].tool_call_id")
            waiting.remove(message.tool_call_id)
            continue
        _judge_answered(waiting)
        if isinstance(message, AssistantMessage):
            waiting = {call.id for call in message.tool_calls}
            _judge_said(message, f"messages[{index}].content")
    _judge_answered(waiting)


def _judge_answered(waiting: set[str]) -> None:
    if waiting:
        text = f"These 'tool_calls' have no answer with the role 'tool' right after them: {', '.join(sorted(waiting))}."
        raise Refusal(text, param="messages")


def _judge_said(message: AssistantMessage, param: str) -> None:
    if message.content is None and message.refusal is None and not message.tool_calls:
        raise refusals.invalid_value(param, "expected a text or parts; it may be null only beside 'tool_calls'.")


def _turn(message: AnyMessage, param: str, model: Model) -> brain.Turn:
    role: brain.Role = "user"
    if isinstance(message, SystemMessage | DeveloperMessage):
        role = "system"
    elif isinstance(message, AssistantMessage):
        role = "assistant"
    elif isinstance(message, ToolMessage):
        role = "tool"
    shown = tuple(_attachments(message, param, model)) if isinstance(message, UserMessage) else ()
    return brain.Turn(role=role, text="\n".join(_said(message)), attachments=shown)


def _said(message: AnyMessage) -> Iterator[str]:
    if isinstance(message.content, str):
        yield message.content
    elif message.content is not None:
        yield from (part.text for part in message.content if isinstance(part, TextPart))
        yield from (part.refusal for part in message.content if isinstance(part, RefusalPart))
    if isinstance(message, AssistantMessage):
        if message.refusal is not None:
            yield message.refusal
        yield from (f"{call.function.name}({call.function.arguments})" for call in message.tool_calls)


def _attachments(message: UserMessage, param: str, model: Model) -> Iterator[bytes]:
    if isinstance(message.content, str):
        return
    for index, part in enumerate(message.content):
        place = f"{param}.content[{index}]"
        if isinstance(part, ImagePart):
            _judge_sense("image_url", model.sees, place, model)
            yield attachments.picture(part.image_url.url, f"{place}.image_url.url")
        elif isinstance(part, AudioPart):
            _judge_sense("input_audio", model.hears, place, model)
            yield attachments.speech(part.input_audio.data, part.input_audio.format, f"{place}.input_audio")
        elif isinstance(part, FilePart):
            _judge_sense("file", model.reads, place, model)
            yield _document(part.file, f"{place}.file")


def _document(file: InputFile, param: str) -> bytes:
    if file.file_id is not None:
        raise refusals.invalid_value(f"{param}.file_id", f"there is no file '{file.file_id}'.")
    if file.file_data is None:
        raise refusals.missing(f"{param}.file_data")
    return attachments.document(file.file_data, f"{param}.file_data")


def _judge_sense(kind: str, able: bool, param: str, model: Model) -> None:
    if not able:
        message = f"The model '{model.id}' takes no parts of the type '{kind}'."
        raise Refusal(message, param=f"{param}.type", code="invalid_value")


def heard(turns: Sequence[brain.Turn]) -> Iterator[str]:
    """What the model says of each sound it was given."""
    for turn in turns:
        for data in turn.attachments:
            if sound.kind(data) in ("wav", "mp3"):
                yield f"I hear {sound.duration_s(data) or 0:.2f} seconds of sound."
