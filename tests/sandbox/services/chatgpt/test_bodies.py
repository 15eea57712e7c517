"""What is wrong with a body is said with its place."""

from __future__ import annotations

import pytest

POINTER = {"content_type": "image_asset_pointer", "asset_pointer": "file-service://file-x", "width": 1, "height": 1}


def message(**changes) -> dict:
    """One message, with something changed."""
    usual = {
        "id": "00000000-0000-4000-8000-000000000001", "author": {"role": "user"},
        "content": {"content_type": "text", "parts": ["Hi"]},
    }  # fmt: skip
    return usual | changes


@pytest.mark.parametrize(
    ("fields", "loc"),
    [
        ({"messages": []}, ["messages"]),
        ({"messages": [message(id="1")]}, ["messages", 0, "id"]),
        ({"messages": [message(author={"role": "model"})]}, ["messages", 0, "author", "role"]),
        ({"messages": [message(author={"role": "assistant"})]}, ["messages", 0, "author", "role"]),
        ({"messages": [message(author={})]}, ["messages", 0, "author", "role"]),
        ({"messages": [message(content={"content_type": "text", "parts": []})]}, ["messages", 0, "content", "parts"]),
        ({"messages": [message(content={"content_type": "song", "parts": ["x"]})]},
         ["messages", 0, "content", "content_type"]),
        ({"messages": [message(content={"content_type": "multimodal_text", "parts": [POINTER | {"width": 0}]})]},
         ["messages", 0, "content", "parts", "...", "width"]),
        ({"action": "again"}, ["action"]),
        ({"action": "continue"}, ["messages"]),
        ({"action": "continue", "messages": []}, ["conversation_id"]),
        ({"action": "variant"}, ["conversation_id"]),
        ({"model": 1}, ["model"]),
        ({"model": ""}, ["model"]),
        ({"parent_message_id": None}, ["parent_message_id"]),
        ({"system_hints": "search"}, ["system_hints"]),
        ({"supported_encodings": "v1"}, ["supported_encodings"]),
        ({"history_and_training_disabled": "yes"}, ["history_and_training_disabled"]),
        ({"conversation_mode": {"kind": "gizmo_interaction"}}, ["conversation_mode", "gizmo_id"]),
    ],
)  # fmt: skip
def test_a_turn_is_refused_with_the_place_of_the_mistake(web, fields, loc):
    """422, FastAPI's form, and nothing is begun."""
    answer = web.send(web.body("Hi", **fields))
    assert answer.status == 422
    problem = answer.json["detail"][0]
    assert [step for step in problem["loc"] if step != 0] == ["body", *(s for s in loc if s not in (0, "..."))]
    assert problem.keys() == {"loc", "msg", "type"}
    assert web.ask("GET", "/conversations").json["total"] == 0


def test_what_is_missing_is_named(web):
    """Field by field."""
    for field in ("action", "parent_message_id", "model"):
        body = web.body("Hi")
        del body[field]
        assert web.send(body).json["detail"] == [{"loc": ["body", field], "msg": "Field required", "type": "missing"}]


def test_a_body_that_is_no_json_is_refused(web):
    """422 as well."""
    answer = web.ask("POST", "/f/conversation", b"{", openai_sentinel_chat_requirements_token=web.pass_gate())
    assert (answer.status, answer.json["detail"][0]["type"]) == (422, "json_invalid")


def test_fields_that_nobody_knows_are_ignored(web):
    """As there."""
    assert web.turn(force_paragen=False, thinking_effort="extended", client_contextual_info={"page_height": 578}).text


def test_a_turn_may_be_too_long(web, sandbox):
    """413 by the knob, in characters of all messages."""
    sandbox.knobs("chatgpt", message_limit=10)
    assert web.turn("x" * 10).text
    refused = web.send(web.body("x" * 11))
    assert (refused.status, refused.json["detail"]["code"]) == (413, "message_length_exceeds_limit")
