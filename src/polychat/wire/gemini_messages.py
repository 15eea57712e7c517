"""A talk as the Gemini API takes it: `systemInstruction` and `contents`. Pure.

    system       the words of all system messages, wherever they stand, are the one instruction
    contents     user and model in turn; neighbours of one role are one content, and a tool's result is the user's
    call         `functionCall` with its arguments as an object, under the id it came with
    result       `functionResponse` under the name of the function: that of the result, or of the call of its id
    bytes        `inlineData`
    link         `fileData`, where only the service can read it: its own files, Google's storage, YouTube

Signatures go back on the part they came with: a call carries its own. Those of other parts were told as reasoning, and
the talk keeps them in order: every picture has one, and so may what comes first. Summaries of thoughts stay here, for
the signature holds what they came from. A part that the service wants back whole travels as `Thinking.redacted`, as the
JSON it is. Gemini 3 and later refuse a call without a signature: one of a talk that another model or face led gets the
word that the documentation gives for it. Names of participants have no place.

Other links are nothing to send: the service reads public ones of some types, which have to be named, and a bare link
tells none. Bytes stay bytes here; msgspec writes them as base64. Shapes as in the types of `google-genai` 3.4, limits
and signatures as the API's documentation has them; 2026-11.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import msgspec

from polychat.errors import BadOption, UnsupportedFeature
from polychat.types import (
    Attachment,
    Audio,
    File,
    Image,
    Message,
    Part,
    Request,
    Text,
    Thinking,
    ToolCall,
    ToolResult,
)
from polychat.wire import gemini_thinking

INLINE_LIMIT_BYTES = 100 * 2**20  # of all attached bytes of one request, as base64
_STRICT = 3  # the generation that wants signatures, and takes pictures inside results
_ITS_OWN = (
    "https://generativelanguage.googleapis.com/",
    "gs://",
    "https://www.youtube.com/",
    "https://youtube.com/",
    "https://youtu.be/",
)
_NO_SIGNATURE = "skip_thought_signature_validator"

Json = dict[str, Any]


def system(request: Request) -> Json | None:
    """The instruction, or None. Raises: `BadOption` for anything but words in it."""
    words = [
        {"text": text}
        for index, message in enumerate(request.messages)
        if message.role == "system" and (text := _instruction(message, f"messages[{index}]"))
    ]
    return {"parts": words} if words else None


def contents(request: Request) -> list[Json]:
    """The talk. Raises: `BadOption` naming the message that cannot be said."""
    talk: list[Json] = []
    for role, parts in _Writer(request).messages():
        if talk and talk[-1]["role"] == role:
            talk[-1]["parts"] += parts
        elif parts:
            talk.append({"role": role, "parts": parts})
    if not talk:
        raise BadOption("messages holds no words and no file to answer", field="messages")
    return talk


def _instruction(message: Message, field: str) -> str:
    if message.attachments:
        raise BadOption(f"{field} is a system message with a file; gemini takes words alone there", field=field)
    return message.text


class _Writer:
    """One request in the making: the names of its calls, and how much is attached."""

    def __init__(self, request: Request) -> None:
        self._request = request
        self._strict = gemini_thinking.generation(request.model) >= _STRICT
        self._called: dict[str, str] = {}  # id of a call so far -> name
        self._attached_bytes = 0

    def messages(self) -> Iterator[tuple[str, list[Json]]]:
        """Role and parts of each message that says something."""
        for index, message in enumerate(self._request.messages):
            field = f"messages[{index}]"
            if message.role == "assistant":
                yield "model", [*self._said(message, field), *self._calls(message, field)]
            elif message.role != "system":
                yield "user", [written for part in message.parts for written in self._part(part, field)]

    # ------------------------------------------------------------ the person, and his tools

    def _part(self, part: Part, field: str) -> Iterator[Json]:
        match part:
            case Text():
                if part.text:
                    yield {"text": part.text}
            case ToolResult():
                yield from self._result(part, field)
            case Image() | Audio() | File():
                yield self._file(part, field)
            case Thinking():
                raise BadOption(f"{field} is reasoning in the name of the user", field=field)

    def _result(self, result: ToolResult, field: str) -> Iterator[Json]:
        """A result; what is no text goes inside it where the model takes that, and after it otherwise."""
        text = "".join(part.text for part in result.content if isinstance(part, Text))
        files = [self._file(part, field) for part in result.content if not isinstance(part, Text)]
        told = None if result.is_error else _object(text)
        response: Json = {
            "id": result.tool_call_id,
            "name": self._name(result, field),
            "response": {"error" if result.is_error else "output": text} if told is None else told,
        }
        if self._strict and files:
            response["parts"], files = files, []
        yield {"functionResponse": response}
        yield from files

    def _name(self, result: ToolResult, field: str) -> str:
        name = result.name or self._called.get(result.tool_call_id)
        if name is None:
            raise BadOption(
                f"{field}.tool_call_id is {result.tool_call_id!r}, which no call before it has",
                field=f"{field}.tool_call_id",
                hint="leave the message with the tool_calls in the talk, or give the result the name of its function",
            )
        return name

    def _file(self, part: Attachment, field: str) -> Json:
        if part.data is None:
            return {"fileData": _link(part, field)}
        self._attached_bytes += (len(part.data) + 2) // 3 * 4
        if self._attached_bytes > INLINE_LIMIT_BYTES:
            raise BadOption(
                f"{part.name or field} makes the attached files more than the {INLINE_LIMIT_BYTES // 2**20} MB "
                "that gemini takes with one question",
                field=field,
                hint="make them smaller, or ask about fewer at a time",
            )
        return {"inlineData": {"mimeType": part.media_type, "data": part.data}}

    # ------------------------------------------------------------ the model

    def _said(self, message: Message, field: str) -> list[Json]:
        """What it said before any call, each part with the signature it came with."""
        thoughts = [part for part in message.parts if isinstance(part, Thinking)]
        signatures = [thought.signature for thought in thoughts if thought.signature]
        words = [{"text": part.text} for part in message.parts if isinstance(part, Text) and part.text]
        files = [self._file(part, field) for part in message.attachments]
        kept = [_kept(thought.redacted, field) for thought in thoughts if thought.redacted is not None]
        pictures_first = len(signatures) == len(files)
        said = [*files, *words] if pictures_first else [*words, *files]
        return [*kept, *_signed(said, signatures)]

    def _calls(self, message: Message, field: str) -> Iterator[Json]:
        signed = any(call.signature for call in message.tool_calls)
        for index, call in enumerate(message.tool_calls):
            self._called[call.id] = call.name
            args = _arguments(call, f"{field}.tool_calls[{index}].function.arguments")
            called = {"id": call.id, "name": call.name, "args": args}
            unsigned = _NO_SIGNATURE if self._strict and not signed and index == 0 else None
            signature = call.signature or unsigned
            yield {"functionCall": called} | ({"thoughtSignature": signature} if signature else {})


def _signed(said: list[Json], signatures: list[str]) -> list[Json]:
    """The parts with their signatures, in order; one that finds no part left stands on empty words."""
    while len(said) < len(signatures):
        said.append({"text": ""})
    signed = [part | {"thoughtSignature": signature} for part, signature in zip(said, signatures, strict=False)]
    return [*signed, *said[len(signatures) :]]


def _kept(part: str, field: str) -> Json:
    found = _object(part)
    if found is None:
        raise BadOption(f"{field} holds hidden reasoning that is not gemini's", field=field)
    return found


def _arguments(call: ToolCall, field: str) -> Json:
    arguments = _object(call.arguments or "{}")
    if arguments is None:
        hint = "write them as an object, {} where there are none; or leave out the call and its result"
        raise BadOption(f"{field} is no JSON object", field=field, hint=hint)
    return arguments


def _object(text: str) -> Json | None:
    """The JSON object that `text` is, or None."""
    try:
        return msgspec.json.decode(text, type=Json)
    except (msgspec.DecodeError, UnicodeError):
        return None


def _link(part: Attachment, field: str) -> Json:
    """A link with its type, where that is known; the service knows it of its own files."""
    url = part.url or ""
    if not url.startswith(_ITS_OWN):
        raise UnsupportedFeature(
            f"{field} names a file by a link; gemini takes bytes, and links of Google's own",
            hint="give the file itself",
        )
    return {"fileUri": url} | ({"mimeType": part.media_type} if part.media_type else {})
