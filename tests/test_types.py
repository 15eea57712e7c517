"""types.py: what the records promise to every room above them."""

from __future__ import annotations

import msgspec
import pytest

from polychat.types import Audio, File, Image, Message, Reply, Request, Text, Thinking, Thread, ToolCall, ToolResult

PNG = b"\x89PNG\r\n\x1a\n" + b"\0" * 20


def test_the_media_type_comes_from_the_bytes_and_not_from_what_is_declared() -> None:
    """A PNG that is declared a JPEG is a PNG."""
    assert Image(data=PNG, name="cat.jpeg", media_type="image/jpeg").media_type == "image/png"


def test_a_bare_url_keeps_what_is_declared() -> None:
    """Without bytes there is nothing better than the declaration."""
    assert File(url="https://x.example/a.pdf", media_type="application/pdf").media_type == "application/pdf"


@pytest.mark.parametrize("kind", [Image, Audio, File])
def test_an_attachment_needs_bytes_or_a_url(kind: type) -> None:
    """An attachment of nothing cannot be made."""
    with pytest.raises(ValueError, match="needs data or url"):
        kind()


def test_an_attachment_shows_its_size_and_never_its_bytes() -> None:
    """A repr in a log stays short."""
    assert repr(Image(data=PNG)) == "Image(image/png, 28 bytes)"


def test_a_request_without_messages_cannot_be_made() -> None:
    """`messages` is never empty below the faces."""
    with pytest.raises(ValueError, match="messages is empty"):
        Request(model="m", messages=())


def test_a_message_tells_words_and_attachments_apart() -> None:
    """Both keep their order."""
    picture, sheet = Image(data=PNG), File(data=b"%PDF-1.7")
    message = Message(role="user", parts=(picture, Text(text="what "), sheet, Text(text="is it?")))
    assert (message.text, message.attachments) == ("what is it?", (picture, sheet))


def test_a_thread_survives_json() -> None:
    """A conversation can be kept in a file and handed back, pictures and tools included."""
    thread = Thread(
        provider="reka",
        account="me",
        state={"device": "d1"},
        history=(
            Message(role="user", parts=(Image(data=PNG), Text(text="?"))),
            Message(role="assistant", tool_calls=(ToolCall(id="1", name="look", arguments="{}"),)),
            Message(role="tool", parts=(ToolResult(tool_call_id="1", content=(Text(text="a cat"),)),)),
        ),
    )
    assert msgspec.json.decode(msgspec.json.encode(thread), type=Thread) == thread


def test_a_reply_becomes_the_assistants_turn() -> None:
    """What a service answered can be sent back as history."""
    call = ToolCall(id="1", name="look", arguments="{}")
    message = Reply(text="a cat", thoughts=(Thinking(text="hm"),), tool_calls=(call,)).message()
    assert (message.role, message.text, message.tool_calls) == ("assistant", "a cat", (call,))
