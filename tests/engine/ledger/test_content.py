"""The words of a turn."""

from __future__ import annotations

import json
from typing import Any

from polychat.engine.ledger.content import content
from polychat.types import Image, Message, Part, Reply, Request, Text, Thinking, ToolCall, ToolResult

PNG = b"\x89PNG\r\n\x1a\n" + bytes(8)


def kept(*parts: Part, reply: Reply | None = None, calls: tuple[ToolCall, ...] = ()) -> Any:
    """What is kept of a question with these parts."""
    message = Message(role="user", parts=parts, tool_calls=calls)
    return json.loads(content(Request(model="m", messages=(message,)), reply or Reply()))


def test_the_words_are_kept() -> None:
    """Question and answer in order, with reasoning and the calls of tools."""
    reply = Reply(
        text="Hi",
        thoughts=(Thinking(text="hm", signature="s"),),
        tool_calls=(ToolCall(id="1", name="f", arguments="{}"),),
    )
    assert kept(Text(text="Hello"), reply=reply) == {
        "messages": [{"role": "user", "parts": [{"type": "text", "text": "Hello"}]}],
        "reply": {
            "role": "assistant",
            "parts": [{"type": "thinking", "text": "hm"}, {"type": "text", "text": "Hi"}],
            "tool_calls": [{"name": "f", "arguments": "{}"}],
        },
    }


def test_of_attachments_only_what_they_are_is_kept() -> None:
    """No bytes, no data link, and no query, which may open the file to others."""
    picture = Image(data=PNG, name="cat.png")
    links = Image(url="https://example.org/a.png?signature=canary"), Image(url="data:image/png;base64,canary")
    result = ToolResult(tool_call_id="1", content=(picture,))
    (message,) = kept(picture, *links, result)["messages"]
    shown = {"type": "image", "media_type": "image/png", "name": "cat.png", "size_bytes": len(PNG)}
    assert message["parts"] == [
        shown,
        {"type": "image", "url": "https://example.org/a.png"},
        {"type": "image"},
        {"type": "tool_result", "id": "1", "content": [shown]},
    ]
