"""The words of a turn, for a ledger that keeps them: of what is attached the kind and the size, not the bytes."""

from __future__ import annotations

from typing import Any

import msgspec

from polychat.types import Attachment, Audio, File, Image, Message, Part, Reply, Request, Thinking, ToolResult


def content(request: Request, reply: Reply) -> str:
    """The turn as JSON: `{"messages": [message, ...], "reply": message}`, a message being a role, parts and calls."""
    words = {"messages": [_words(message) for message in request.messages], "reply": _words(reply.message())}
    return msgspec.json.encode(words).decode(errors="replace")


def _words(message: Message) -> dict[str, Any]:
    calls = [{"name": call.name, "arguments": call.arguments} for call in message.tool_calls]
    parts = [_part(part) for part in message.parts]
    return {"role": message.role, "parts": parts} | ({"tool_calls": calls} if calls else {})


def _part(part: Part) -> dict[str, Any]:
    match part:
        case Image() | Audio() | File():
            return _attachment(part)
        case ToolResult():
            return {"type": "tool_result", "id": part.tool_call_id, "content": [_part(one) for one in part.content]}
        case Thinking():
            return {"type": "thinking", "text": part.text}
    return {"type": "text", "text": part.text}


def _attachment(part: Attachment) -> dict[str, Any]:
    """A link without its query, which may open the file to whoever reads it here."""
    link = None if part.url is None or part.url.startswith("data:") else part.url.partition("?")[0]
    facts = {
        "media_type": part.media_type,
        "name": part.name,
        "size_bytes": None if part.data is None else len(part.data),
        "url": link,
    }
    return {"type": type(part).__name__.lower()} | {name: fact for name, fact in facts.items() if fact is not None}
