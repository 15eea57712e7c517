"""Events become what the pages yield, in their order."""

from __future__ import annotations

import json
from typing import Any

from polychat.g4f import turns
from polychat.g4f.providers.response import (
    Conversation,
    FinishReason,
    ImagePreview,
    ImageResponse,
    Picture,
    Reasoning,
    Response,
    Sources,
    SynthesizeData,
    TitleGeneration,
    Usage,
)
from polychat.types import (
    Citation,
    Event,
    Finish,
    Image,
    Media,
    Message,
    Revised,
    Text,
    TextDelta,
    ThinkingDelta,
    Thread,
    ThreadMoved,
    Title,
)
from polychat.types import Usage as Tokens
from polychat.wire.chatgpt_request import Uploaded

GIF = b"GIF89a"


def told(*events: Event) -> list[Response]:
    """All responses, the events coming in two batches."""
    telling = turns.Telling("OpenaiChat")
    return [*telling.responses(events[:1]), *telling.responses(events[1:])]


def drawn(name: str, url: str) -> Media:
    """A picture of the service's."""
    return Media(id=name, part=Image(data=GIF, url=url, prompt="a cat"))


def test_the_order_of_a_turn() -> None:
    """Text, reasoning, pictures and title as they come; then what belongs to the whole answer; the reason last."""
    thread = Thread(provider="chatgpt", account="me", id="C", parent_id="A")
    assert told(
        ThinkingDelta(text="Hm."),
        Citation(url="https://a.example", title="A", start=1, end=1),
        TextDelta(text="Hi"),
        TextDelta(text=""),
        drawn("f1", "https://x.example/1"),
        Title(title="A talk"),
        Citation(url="https://a.example"),
        Tokens(input_tokens=2, output_tokens=3),
        Revised(text="Hi!"),
        ThreadMoved(thread=thread),
        Finish(reason="length", raw="max_tokens"),
    ) == [
        Reasoning("Hm."),
        "Hi",
        ImagePreview(Picture("https://x.example/1", GIF), "a cat"),
        TitleGeneration("A talk"),
        Usage(2, 3, 5),
        Sources([{"url": "https://a.example", "title": "A"}]),
        ImageResponse((Picture("https://x.example/1", GIF),), "a cat"),
        turns.conversation(thread, "max_tokens"),
        SynthesizeData("OpenaiChat", {"conversation_id": "C", "message_id": "A", "voice": "maple"}),
        FinishReason("max_tokens"),
    ]


def test_what_there_is_not_is_not_told() -> None:
    """A plain answer has no sources and no pictures; one that nobody keeps is not read aloud."""
    kept_here = Thread(provider="chatgpt", temporary=True)
    assert told(TextDelta(text="Hi"), Finish(reason="stop")) == ["Hi", FinishReason("stop")]
    (found, end) = told(ThreadMoved(thread=kept_here), Finish(reason="stop"))
    assert (type(found), end) == (Conversation, FinishReason("stop"))


def test_a_preview_is_replaced() -> None:
    """Of a picture that comes twice, only the last is part of the answer; pictures without an id are all kept."""
    *_, response, _ = told(
        drawn("f1", "https://x.example/draft"),
        drawn("f1", "https://x.example/1"),
        Media(part=Image(data=GIF)),
        Media(part=Image(data=GIF)),
        Finish(reason="stop"),
    )
    assert isinstance(response, ImageResponse)
    assert response.urls == ["https://x.example/1", "", ""]


def test_a_conversation_is_a_thread() -> None:
    """Through JSON and back nothing is lost, the talk of a temporary chat and its pictures included."""
    history = (Message(role="user", parts=(Image(data=GIF), Text(text="What is it?"))),)
    thread = Thread(provider="chatgpt", account="me", temporary=True, state={"question_id": "U"}, history=history)
    plain = json.loads(json.dumps(turns.conversation(thread, "stop").get_dict()))
    assert turns.thread(Conversation(**plain), provider="chatgpt") == thread


def test_a_conversation_by_hand() -> None:
    """Ids are enough to go on."""
    assert turns.thread(Conversation("C", "A"), provider="chatgpt") == Thread(provider="chatgpt", id="C", parent_id="A")
    later = Conversation("C", "A", parent_message_id="B")
    assert turns.thread(later, provider="chatgpt").parent_id == "B"


def test_what_is_fresh() -> None:
    """All of a new talk; of one in progress what came after the last answer."""
    talk: list[dict[str, Any]] = [
        {"role": role, "content": role} for role in ("system", "user", "assistant", "user", "user")
    ]
    assert turns.fresh(talk[:2]) == talk[:2]
    assert turns.fresh(talk) == talk[3:]
    assert turns.fresh(talk[:3]) == []


def test_lines_become_records() -> None:
    """A data line is a whole record, whatever ends it; other lines are themselves."""
    assert [turns.record(line) for line in (b"data: 1", b"data: 1\r\n", b"event: delta\n", b"")] == [
        b"data: 1\n\n",
        b"data: 1\n\n",
        b"event: delta\n",
        b"\n",
    ]


def test_an_upload_is_an_image_request() -> None:
    """One into the other and back, under the names of the original."""
    upload = Uploaded(id="f", name="cat.gif", size_bytes=6, media_type="image/gif", width=1, height=2)
    request = turns.image_request(upload)
    assert request.get_dict() == {
        "file_id": "f",
        "file_name": "cat.gif",
        "file_size": 6,
        "mime_type": "image/gif",
        "width": 1,
        "height": 2,
    }
    assert turns.uploaded(request) == upload
