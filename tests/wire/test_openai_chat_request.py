"""wire/openai_chat_request.py: what of a request reaches the wire, and in which words."""

from __future__ import annotations

from typing import Any

import pytest

from polychat.errors import UnsupportedFeature
from polychat.types import (
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
from polychat.wire.openai_chat_request import Dialect, body

GIF = b"GIF89a\x01\0\x01\0\x80\0\0\xff\x80\0\0\0\xff!\xf9\x04\0\0\0\0\0,\0\0\0\0\x01\0\x01\0\0\x02\x02D\x01\0;"
WAV = b"RIFF\x24\0\0\0WAVEfmt "
PDF = b"%PDF-1.7\n%%EOF\n"
HELLO = Message(role="user", parts=(Text(text="Hello"),))


def sent(*messages: Message, dialect: Dialect | None = None, **fields: Any) -> dict[str, Any]:
    """The JSON of a request."""
    return body(Request(model="m", messages=messages or (HELLO,), **fields), dialect or Dialect())


def content(*parts: Part) -> Any:
    """What becomes of the parts of a message."""
    (message,) = sent(Message(role="user", parts=parts))["messages"]
    return message["content"]


def test_what_is_unset_is_left_to_the_service() -> None:
    """Nothing goes out that nobody asked for; usage of a stream is asked for."""
    assert sent() == {
        "model": "m", "messages": [{"role": "user", "content": "Hello"}], "stream": True,
        "stream_options": {"include_usage": True},
    }  # fmt: skip
    assert sent(stream=False) == {"model": "m", "messages": [{"role": "user", "content": "Hello"}], "stream": False}


def test_everything_that_is_set_goes_out_in_the_dialects_words() -> None:
    """Under the names that the service reads."""
    asked = sent(
        stream=False,
        tools=(Tool(name="f", description="d", parameters={"type": "object"}, strict=True), Tool(name="g")),
        tool_choice=NamedTool(name="f"), parallel_tool_calls=False, max_tokens=5, temperature=0.0, top_p=0.5,
        stop=("a", "b"), seed=7, reasoning_effort="low",
        response_format=ResponseFormat(type="json_schema", name="n", schema={"type": "object"}, strict=True),
        options={"top_k": 3, "extra_body": {"anything": [1]}},
    )  # fmt: skip
    assert {name: asked[name] for name in asked.keys() - {"model", "messages", "stream", "tools"}} == {
        "tool_choice": {"type": "function", "function": {"name": "f"}}, "parallel_tool_calls": False, "max_tokens": 5,
        "temperature": 0.0, "top_p": 0.5, "stop": ["a", "b"], "seed": 7, "reasoning_effort": "low", "top_k": 3,
        "anything": [1],
        "response_format": {
            "type": "json_schema", "json_schema": {"name": "n", "schema": {"type": "object"}, "strict": True}
        },
    }  # fmt: skip
    assert asked["tools"] == [
        {
            "type": "function",
            "function": {"name": "f", "description": "d", "parameters": {"type": "object"}, "strict": True},
        },
        {"type": "function", "function": {"name": "g", "parameters": {"type": "object", "properties": {}}}},
    ]  # fmt: skip


def test_a_service_may_say_it_otherwise() -> None:
    """Two words differ among services."""
    asked = sent(max_tokens=5, dialect=Dialect(max_tokens="max_completion_tokens", stream_usage=False))
    assert asked.keys() == {"model", "messages", "stream", "max_completion_tokens"}


@pytest.mark.parametrize(("kind", "expected"), [("text", {"type": "text"}), ("json_object", {"type": "json_object"})])
def test_a_format_without_a_schema(kind: Any, expected: Any) -> None:
    """Is its type alone."""
    assert sent(response_format=ResponseFormat(type=kind))["response_format"] == expected


def test_words_alone_are_a_string() -> None:
    """Also from several parts."""
    assert content(Text(text="a"), Text(text="b")) == "ab"


def test_attachments_are_parts() -> None:
    """Bytes as base64 with their real type, links as they are."""
    assert content(
        Text(text="see"), Image(data=GIF, detail="low"), Image(url="https://example.com/a"), Audio(data=WAV),
        File(data=PDF, name="a.pdf"), File(data=PDF),
    ) == [
        {"type": "text", "text": "see"},
        {"type": "image_url", "image_url": {"url": f"data:image/gif;base64,{_base64(GIF)}", "detail": "low"}},
        {"type": "image_url", "image_url": {"url": "https://example.com/a"}},
        {"type": "input_audio", "input_audio": {"data": _base64(WAV), "format": "wav"}},
        {"type": "file", "file": {"filename": "a.pdf", "file_data": f"data:application/pdf;base64,{_base64(PDF)}"}},
        {"type": "file", "file": {"filename": "file.pdf", "file_data": f"data:application/pdf;base64,{_base64(PDF)}"}},
    ]  # fmt: skip


@pytest.mark.parametrize("sound", [Audio(url="https://example.com/a.wav"), Audio(data=b"OggS\0\2")])
def test_sound_that_the_dialect_cannot_say_is_refused(sound: Audio) -> None:
    """Before anything is sent."""
    with pytest.raises(UnsupportedFeature, match="WAV or MP3"):
        content(sound)


def test_a_talk_with_tools_goes_back_as_it_was() -> None:
    """Calls with the answer, each result as a message; the reasoning has no place and stays here."""
    talk = sent(
        Message(role="system", parts=(Text(text="be brief"),), name="s"),
        Message(
            role="assistant", parts=(Thinking(text="hm"),), tool_calls=(ToolCall(id="c", name="f", arguments="{}"),)
        ),
        Message(role="tool", parts=(ToolResult(tool_call_id="c", content=(Text(text="42"),)),)),
    )["messages"]
    assert talk == [
        {"role": "system", "content": "be brief", "name": "s"},
        {
            "role": "assistant", "content": None,
            "tool_calls": [{"id": "c", "type": "function", "function": {"name": "f", "arguments": "{}"}}],
        },
        {"role": "tool", "tool_call_id": "c", "content": "42"},
    ]  # fmt: skip


def _base64(data: bytes) -> str:
    import base64

    return base64.b64encode(data).decode()
