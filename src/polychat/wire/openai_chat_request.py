"""A chat completion's request in the OpenAI dialect. Pure.

Services differ in two words (`Dialect`): how the most tokens of an answer are called, and whether usage has to be asked
for in a stream. Unset fields are left out. Reasoning of earlier answers is not sent back: the dialect has no place for
it.
"""

from __future__ import annotations

import base64
from collections.abc import Iterator
from typing import Any

import msgspec

from polychat import media
from polychat.errors import UnsupportedFeature
from polychat.types import (
    Attachment,
    Audio,
    File,
    Image,
    Message,
    NamedTool,
    Part,
    Request,
    ResponseFormat,
    Text,
    Thinking,
    Tool,
    ToolCall,
    ToolResult,
)

_SOUNDS = {"audio/wav": "wav", "audio/x-wav": "wav", "audio/mpeg": "mp3"}


class Dialect(msgspec.Struct, frozen=True, kw_only=True):
    """How a service says it."""

    max_tokens: str = "max_tokens"
    stream_usage: bool = True  # asked for by stream_options


def body(request: Request, dialect: Dialect) -> dict[str, Any]:
    """The JSON of the request. Raises: `UnsupportedFeature` for what the dialect cannot say."""
    sampling = {"temperature": request.temperature, "top_p": request.top_p, "seed": request.seed}
    fields = {
        "model": request.model,
        "messages": [written for message in request.messages for written in _messages(message)],
        "stream": request.stream,
        "stream_options": {"include_usage": True} if request.stream and dialect.stream_usage else None,
        "tools": [_tool(tool) for tool in request.tools] or None,
        "tool_choice": _tool_choice(request),
        "parallel_tool_calls": request.parallel_tool_calls,
        "response_format": _format(request.response_format) if request.response_format else None,
        dialect.max_tokens: request.max_tokens,
        "stop": list(request.stop) or None,
        "reasoning_effort": request.reasoning_effort,
    }
    own = {name: value for name, value in request.options.items() if name != "extra_body"}
    whole = fields | sampling | own | request.options.get("extra_body", {})
    return {name: value for name, value in whole.items() if value is not None}


def _messages(message: Message) -> Iterator[dict[str, Any]]:
    """A message of ours as the dialect's: each result of a tool is a message of its own."""
    results = [part for part in message.parts if isinstance(part, ToolResult)]
    for result in results:
        yield {"role": "tool", "tool_call_id": result.tool_call_id, "content": _content(result.content)}
    parts = tuple(part for part in message.parts if not isinstance(part, ToolResult | Thinking))
    if not parts and not message.tool_calls and results:
        return
    written: dict[str, Any] = {"role": message.role, "content": _content(parts) if parts else None}
    if message.name is not None:
        written["name"] = message.name
    if message.tool_calls:
        written["tool_calls"] = [_call(call) for call in message.tool_calls]
    yield written


def _content(parts: tuple[Part, ...]) -> str | list[dict[str, Any]]:
    """Words alone are a string; with anything else, a list of parts."""
    if all(isinstance(part, Text) for part in parts):
        return "".join(part.text for part in parts if isinstance(part, Text))
    return [_part(part) for part in parts]


def _part(part: Part) -> dict[str, Any]:
    match part:
        case Text():
            return {"type": "text", "text": part.text}
        case Image():
            shown = {"url": link(part)} | ({"detail": part.detail} if part.detail else {})
            return {"type": "image_url", "image_url": shown}
        case Audio():
            return {"type": "input_audio", "input_audio": _sound(part)}
        case File():
            name = part.name or f"file.{media.extension(part.media_type or '')}"
            return {"type": "file", "file": {"filename": name, "file_data": link(part)}}
    raise UnsupportedFeature(f"a {type(part).__name__} cannot be sent here")


def link(part: Attachment) -> str:
    """Where the bytes are: their URL, or the bytes themselves as a data URI."""
    if part.data is None:
        return part.url or ""
    return f"data:{part.media_type};base64,{base64.b64encode(part.data).decode()}"


def _sound(part: Audio) -> dict[str, str]:
    form = _SOUNDS.get(part.media_type or "")
    if part.data is None or form is None:
        raise UnsupportedFeature(f"sound is sent as WAV or MP3 bytes, not as {part.media_type or 'a link'}")
    return {"data": base64.b64encode(part.data).decode(), "format": form}


def _call(call: ToolCall) -> dict[str, Any]:
    return {"id": call.id, "type": "function", "function": {"name": call.name, "arguments": call.arguments}}


def _tool(tool: Tool) -> dict[str, Any]:
    function = {
        "name": tool.name,
        "description": tool.description,
        "parameters": tool.parameters or {"type": "object", "properties": {}},
        "strict": tool.strict,
    }
    return {"type": "function", "function": {name: value for name, value in function.items() if value is not None}}


def _tool_choice(request: Request) -> Any:
    if isinstance(request.tool_choice, NamedTool):
        return {"type": "function", "function": {"name": request.tool_choice.name}}
    return request.tool_choice


def _format(wanted: ResponseFormat) -> dict[str, Any]:
    if wanted.type != "json_schema":
        return {"type": wanted.type}
    schema = {"name": wanted.name or "answer", "schema": wanted.schema, "strict": wanted.strict}
    return {
        "type": "json_schema",
        "json_schema": {name: value for name, value in schema.items() if value is not None},
    }
