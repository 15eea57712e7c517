"""A talk as Anthropic's Messages API reads it: system texts apart, then turns made of content blocks. Pure.

    {"system": [{"type": "text", "text": "Be brief."}],
     "messages": [{"role": "user", "content": [{"type": "text", "text": "Hello"}]}, ...]}

Turns alternate: what one role says in a row is one turn. The result of a tool is a block of the user's turn, and
results stand first in it, as the API wants them right behind their calls. System texts before the talk go to the top.
One inside the talk is a turn of its own, where the model has room for such: behind the user's turn that it stands in or
before, and with nothing but the assistant's behind it. Where there is no room it goes to the top too: none is lost.

Reasoning goes back with its signature, before all else of its turn; without one the service cannot know it for its own,
and it stays here. Names of speakers and the `detail` of pictures have no place in this dialect. Shapes as in the types
of Anthropic's own Python package 2.12, rules as in the API's pages on messages and on system messages; 2026-11.
"""

from __future__ import annotations

import base64
from collections.abc import Iterable, Iterator, Sequence
from typing import Any, NamedTuple

import msgspec

from polychat import media
from polychat.errors import BadOption, UnsupportedFeature
from polychat.types import Attachment, Audio, File, Image, Message, Part, Text, Thinking, ToolCall, ToolResult

_PICTURES = frozenset({"image/jpeg", "image/png", "image/gif", "image/webp"})
_PDF = "application/pdf"

Block = dict[str, Any]


class Talk(NamedTuple):
    """The two places of a talk."""

    system: list[Block]
    messages: list[dict[str, Any]]


class _Turn(NamedTuple):
    """A turn in the making."""

    role: str
    content: list[Block]


def talk(messages: Sequence[Message], *, system_turns: bool) -> Talk:
    """The whole talk; `system_turns` where the model takes system texts inside it.

    Raises: `UnsupportedFeature` for what the API has no block for, `BadOption` for arguments of a call that are no
    object and for a talk without turns; each names the message.
    """
    top: list[Block] = []
    turns: list[_Turn] = []
    held: list[Block] = []  # system texts that wait for the end of the user's turn
    for index, message in enumerate(messages):
        field = f"messages[{index}]"
        if message.role == "system":
            (held if turns and system_turns else top).extend(_words(message, field))
            continue
        role = "assistant" if message.role == "assistant" else "user"
        blocks = list(_blocks(message, field))
        if not blocks:
            continue
        if held and role == "assistant" and turns[-1].role == "user":
            turns.append(_Turn("system", held))
            held = []
        if not turns or turns[-1].role != role:
            turns.append(_Turn(role, []))
        turns[-1].content.extend(blocks)
    if held and turns[-1].role == "user":
        turns.append(_Turn("system", held))
        held = []
    if not turns:
        raise BadOption("messages hold nothing but system texts", field="messages", hint="add a message of the user")
    return Talk(top + held, [{"role": turn.role, "content": _ordered(turn.content)} for turn in turns])


def _ordered(blocks: list[Block]) -> list[Block]:
    return sorted(blocks, key=lambda block: block["type"] != "tool_result")


# ---------------------------------------------------------------- one message


def _words(message: Message, field: str) -> Iterator[Block]:
    for part in message.parts:
        if not isinstance(part, Text):
            raise _unsupported(f"{field}: system texts are words alone, without {_called(part)}")
        yield from _text(part)


def _blocks(message: Message, field: str) -> Iterator[Block]:
    """The blocks of a user's, a tool's or an assistant's message."""
    yield from _thoughts(message.parts)
    for part in message.parts:
        match part:
            case Text():
                yield from _text(part)
            case ToolResult():
                yield _result(part, field)
            case Thinking():
                pass
            case _ if message.role == "assistant":
                raise _unsupported(f"{field}: {_called(part)} cannot be part of an assistant's message")
            case _:
                yield _attached(part, field)
    for index, call in enumerate(message.tool_calls):
        yield _call(call, f"{field}.tool_calls[{index}]")


def _thoughts(parts: Iterable[Part]) -> Iterator[Block]:
    for part in parts:
        if isinstance(part, Thinking):
            if part.redacted is not None:
                yield {"type": "redacted_thinking", "data": part.redacted}
            elif part.signature:
                yield {"type": "thinking", "thinking": part.text, "signature": part.signature}


def _text(part: Text) -> Iterator[Block]:
    """Empty words are refused by the API, and say nothing."""
    if part.text:
        yield {"type": "text", "text": part.text}


def _call(call: ToolCall, field: str) -> Block:
    arguments = _arguments(call, f"{field}.function.arguments")
    return {"type": "tool_use", "id": call.id, "name": call.name, "input": arguments}


def _arguments(call: ToolCall, field: str) -> dict[str, Any]:
    """The arguments as an object; some services write nothing where a call has none."""
    try:
        return msgspec.json.decode(call.arguments or "{}", type=dict[str, Any])
    except msgspec.DecodeError as error:
        hint = "write them as an object, {} where there are none; or leave out the call and its result"
        raise BadOption(f"{field} is no JSON object ({error})", field=field, hint=hint) from error


def _result(result: ToolResult, field: str) -> Block:
    content = [block for part in result.content for block in _of_result(part, field)]
    block: Block = {"type": "tool_result", "tool_use_id": result.tool_call_id}
    if content:
        block["content"] = content
    if result.is_error:
        block["is_error"] = True
    return block


def _of_result(part: Text | Attachment, field: str) -> Iterator[Block]:
    if isinstance(part, Text):
        yield from _text(part)
    else:
        yield _attached(part, field)


# ---------------------------------------------------------------- attachments


def _attached(part: Attachment, field: str) -> Block:
    if isinstance(part, Audio):
        raise _unsupported(f"{field}: sound cannot be sent here")
    if isinstance(part, Image) or (part.media_type or "").startswith("image/"):
        return _picture(part, field)
    return _document(part, field)


def _picture(part: Image | File, field: str) -> Block:
    if part.data is None:
        return {"type": "image", "source": {"type": "url", "url": part.url}}
    if part.media_type not in _PICTURES:
        raise _unsupported(f"{field}: a picture is JPEG, PNG, GIF or WebP here, not {part.media_type}")
    return {"type": "image", "source": _base64(part.data, part.media_type)}


def _document(part: File, field: str) -> Block:
    document: Block = {"type": "document", "source": _source(part, field)}
    if part.name:
        document["title"] = part.name
    return document


def _source(part: File, field: str) -> Block:
    """Bytes of a PDF or of a text; a link is one to a PDF, as the API fetches no other document."""
    if part.data is None and part.media_type in {None, _PDF}:
        return {"type": "url", "url": part.url}
    if part.data is not None and part.media_type == _PDF:
        return _base64(part.data, _PDF)
    if part.data is not None and part.media_type == media.TEXT:
        return {"type": "text", "media_type": media.TEXT, "data": _decoded(part.data, field)}
    what = "a file" if part.data is not None else "a link to a file"
    raise _unsupported(f"{field}: {what} of type {part.media_type} cannot be sent here, only a PDF or plain text")


def _decoded(data: bytes, field: str) -> str:
    try:
        return data.decode()
    except UnicodeDecodeError as error:
        raise _unsupported(f"{field}: a text file is UTF-8 here; this one is not ({error.reason})") from error


def _base64(data: bytes, media_type: str) -> Block:
    return {"type": "base64", "media_type": media_type, "data": base64.b64encode(data).decode()}


def _called(part: Part) -> str:
    return {Image: "a picture", Audio: "sound", File: "a file"}.get(type(part), f"a {type(part).__name__}")


def _unsupported(what: str) -> UnsupportedFeature:
    return UnsupportedFeature(what)
