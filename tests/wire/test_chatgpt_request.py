"""wire/chatgpt_request.py: questions as ChatGPT's web app words them."""

from __future__ import annotations

from typing import Any

import pytest

from polychat.errors import BadOption, UnsupportedFeature
from polychat.types import Image, Message, Request, Role, Text, Thread
from polychat.wire import chatgpt_request
from polychat.wire.chatgpt_request import Place, Uploaded

NEW = Place(action="next", conversation_id=None, parent_id="root", question_id="Q")
GOING_ON = Place(action="next", conversation_id="C", parent_id="A", question_id="Q")
THREAD = Thread(provider="chatgpt", id="C", parent_id="A2", state={"question_id": "U1", "question_parent_id": "A1"})
PICTURE = Uploaded(id="file-1", name="x.png", size_bytes=69, media_type="image/png", width=4, height=3)
SHEET = Uploaded(id="file-2", name="x.pdf", size_bytes=7, media_type="application/pdf")


def said(role: Role, text: str) -> Message:
    """A message of words."""
    return Message(role=role, parts=(Text(text=text),))


def request(*messages: Message, **rest: Any) -> Request:
    """A question."""
    return Request(**{"model": "gpt-4o", "messages": messages or (said("user", "hi"),), **rest})


def body(asked: Request, where: Place = NEW, *uploads: Uploaded) -> dict[str, Any]:
    """The turn's body."""
    return chatgpt_request.turn(asked, where, uploads, 1735000000.5)


def test_a_new_chat_is_sent_whole_with_its_roles() -> None:
    """System and earlier answers included; the last message has the id we know it by."""
    sent = body(request(said("system", "be kind"), said("user", "a"), said("assistant", "b"), said("user", "c")))
    assert [(one["author"]["role"], one["content"]["parts"]) for one in sent["messages"]] == [
        ("system", ["be kind"]), ("user", ["a"]), ("assistant", ["b"]), ("user", ["c"]),
    ]  # fmt: skip
    assert sent["messages"][-1]["id"] == "Q"
    assert (sent["action"], sent["parent_message_id"], sent["model"]) == ("next", "root", "gpt-4o")
    assert sent["supported_encodings"] == ["v1"]
    assert "conversation_id" not in sent
    assert "history_and_training_disabled" not in sent


def test_a_continued_chat_sends_what_came_after_the_last_answer() -> None:
    """The service has the rest."""
    sent = body(request(said("user", "a"), said("assistant", "b"), said("user", "c")), GOING_ON)
    assert [one["content"]["parts"] for one in sent["messages"]] == [["c"]]
    assert (sent["conversation_id"], sent["parent_message_id"]) == ("C", "A")


def test_the_rest_of_a_cut_answer_is_asked_for_without_messages() -> None:
    """`continue` says nothing of its own."""
    sent = body(request(), Place(action="continue", conversation_id="C", parent_id="A", question_id="A"))
    assert (sent["action"], "messages" in sent) == ("continue", False)


@pytest.mark.parametrize(
    ("asked", "expected"),
    [
        ({}, []),
        ({"web_search": True}, ["search"]),
        ({"modalities": ("text", "image")}, ["picture_v2"]),
        ({"model": "gpt-image"}, ["picture_v2"]),
        ({"reasoning_effort": "high", "web_search": True}, ["search", "reason"]),
        ({"reasoning_effort": "none"}, []),
    ],
)
def test_hints_stand_in_the_turn_and_in_its_message(asked: dict[str, Any], expected: list[str]) -> None:
    """A search, a picture, reasoning."""
    sent = body(request(**asked))
    assert sent["system_hints"] == expected
    assert sent["messages"][-1]["metadata"].get("system_hints", []) == expected


def test_temporary_chats_and_custom_gpts_are_asked_for() -> None:
    """By the fields of the web app; a picture model is the service's choice with a hint."""
    sent = body(request(options={"temporary": True, "gpt": "g-1"}, model="gpt-image"))
    assert sent["history_and_training_disabled"] is True
    assert sent["conversation_mode"] == {"kind": "gizmo_interaction", "gizmo_id": "g-1"}
    assert sent["model"] == "auto"


def test_a_temporary_chat_that_goes_on_stays_temporary() -> None:
    """The thread remembers what the first question asked for."""
    sent = body(request(said("user", "a"), said("assistant", "b"), said("user", "c"),
                        thread=Thread(provider="chatgpt", temporary=True)))  # fmt: skip
    assert (sent["history_and_training_disabled"], "conversation_id" in sent) == (True, False)


def test_files_belong_to_the_last_message_beside_its_hints() -> None:
    """Pictures stand in the content, every file in the metadata, and nothing else is lost by it."""
    sent = body(request(web_search=True), NEW, PICTURE, SHEET)["messages"][-1]
    assert sent["content"] == {
        "content_type": "multimodal_text",
        "parts": [
            {"content_type": "image_asset_pointer", "asset_pointer": "file-service://file-1", "size_bytes": 69,
             "width": 4, "height": 3},
            "hi",
        ],
    }  # fmt: skip
    assert sent["metadata"] == {
        "system_hints": ["search"],
        "attachments": [
            {"id": "file-1", "name": "x.png", "size": 69, "mimeType": "image/png", "width": 4, "height": 3},
            {"id": "file-2", "name": "x.pdf", "size": 7, "mimeType": "application/pdf"},
        ],
    }


def test_a_conversation_goes_on_from_its_last_answer() -> None:
    """Not from the first message of the turn."""
    where = chatgpt_request.place(request(thread=THREAD))
    assert (where.action, where.conversation_id, where.parent_id) == ("next", "C", "A2")


def test_regenerate_asks_the_same_message_again_and_edit_another_in_its_stead() -> None:
    """Both hang where the last question hung; only regenerate keeps its id."""
    again = chatgpt_request.place(request(thread=THREAD, options={"regenerate": True}))
    assert again == Place(action="variant", conversation_id="C", parent_id="A1", question_id="U1")
    edited = chatgpt_request.place(request(thread=THREAD, options={"edit": True}))
    assert (edited.action, edited.parent_id) == ("next", "A1")
    assert edited.question_id != "U1"


@pytest.mark.parametrize("option", ["regenerate", "edit"])
def test_without_a_conversation_there_is_nothing_to_ask_again(option: str) -> None:
    """The error names the argument that is missing."""
    with pytest.raises(BadOption) as caught:
        chatgpt_request.place(request(options={option: True}))
    assert caught.value.field == "conversation"


@pytest.mark.parametrize(
    "messages",
    [
        (said("user", "go on"), said("assistant", "Once upon")),
        (Message(role="user", parts=(Image(data=b"GIF89a"),)), said("assistant", "a cat"), said("user", "sure?")),
    ],
    ids=["ends with an answer", "picture in an earlier turn"],
)
def test_what_the_chat_cannot_be_sent_is_refused(messages: tuple[Message, ...]) -> None:
    """Nothing is left out in silence."""
    with pytest.raises(UnsupportedFeature):
        chatgpt_request.check(messages)
