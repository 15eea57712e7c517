"""The response classes: what they hold, what they show, and their way to JSON and back."""

from __future__ import annotations

import json

import pytest

from polychat.g4f.providers.response import (
    AuthResult,
    Conversation,
    FinishReason,
    ImageRequest,
    ImageResponse,
    JsonConversation,
    Picture,
    Reasoning,
    Sources,
    SynthesizeData,
    TitleGeneration,
    Usage,
)


def test_an_auth_result_has_every_attribute_and_keeps_what_was_given() -> None:
    """Known attributes are None unless given; what was given goes to JSON and back, unknown ones included."""
    auth = AuthResult(api_key="one", cookies={"a": "b"}, device="mine")
    assert (auth.api_key, auth.cookies, auth.proof_token, auth.expires) == ("one", {"a": "b"}, None, None)
    assert auth.get_dict() == {"api_key": "one", "cookies": {"a": "b"}, "device": "mine"}
    assert AuthResult(**json.loads(json.dumps(auth.get_dict()))) == auth
    assert AuthResult(api_key="two") != auth


def test_an_auth_result_shows_no_secret() -> None:
    """Printed, it names what it holds."""
    auth = AuthResult(api_key="canary", cookies={"a": "canary"}, proof_token="canary")
    assert (repr(auth), str(auth)) == ("AuthResult(api_key, cookies, proof_token)",) * 2


def test_a_finish_reason_has_both_names() -> None:
    """`.finish_reason` of the page and the original's `.reason`."""
    finish = FinishReason("stop")
    assert (finish.finish_reason, finish.reason, finish.get_dict()) == ("stop", "stop", {"reason": "stop"})


def test_a_conversation_is_json() -> None:
    """It survives JSON; its next parent is the last message unless told; what works on it stays out."""
    conversation = Conversation("C", "A", finish_reason="stop", thread={"id": "C"})
    vars(conversation)["_decoder"] = object()
    assert isinstance(conversation, JsonConversation)
    assert conversation.get_dict() == {
        "conversation_id": "C",
        "message_id": "A",
        "parent_message_id": "A",
        "finish_reason": "stop",
        "is_thinking": False,
        "thread": {"id": "C"},
    }
    again = Conversation(**json.loads(json.dumps(conversation.get_dict())))
    assert again.get_dict() == conversation.get_dict()
    assert repr(again).startswith("Conversation(conversation_id='C', message_id='A', ")


def test_sources_hold_each_page_once() -> None:
    """A page that is named again is not added; a bare URL will do."""
    sources = Sources([{"url": "https://a.example", "title": "A"}])
    sources.add_source({"url": "https://a.example"})
    sources.add_source("https://b.example")
    assert sources.list == [{"url": "https://a.example", "title": "A"}, {"url": "https://b.example"}]
    assert sources == Sources(sources.list)
    assert sources != Sources()


def test_pictures_have_addresses_and_bytes() -> None:
    """`urls` and `get_list()` are the same; printed, neither the signature nor the bytes are seen."""
    picture = Picture(url="https://a.example/x?sig=canary", data=b"canary")
    response = ImageResponse((picture,), "a cat")
    assert (response.urls, response.get_list(), response.alt) == ([picture.url], [picture.url], "a cat")
    assert "canary" not in repr(response)


@pytest.mark.parametrize("changing", [AuthResult(), Sources(), Conversation()])
def test_what_changes_has_no_hash(changing: object) -> None:
    """It cannot be a key."""
    with pytest.raises(TypeError):
        hash(changing)


def test_records_give_their_fields() -> None:
    """`get_dict` of what is made once."""
    given = [Reasoning("hm"), TitleGeneration("A talk"), Usage(1, 2, 3), SynthesizeData("OpenaiChat", {"voice": "x"})]
    assert [one.get_dict() for one in given] == [
        {"token": "hm", "is_thinking": True},
        {"title": "A talk"},
        {"prompt_tokens": 1, "completion_tokens": 2, "total_tokens": 3},
        {"provider": "OpenaiChat", "data": {"voice": "x"}},
    ]
    assert ImageRequest(file_id="f").get("file_id") == "f"
    assert ImageRequest(file_id="f").get("width") is None
