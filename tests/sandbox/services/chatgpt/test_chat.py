"""Where a turn hangs, and what becomes of one that is asked again, stopped, cut, resumed or handed off."""

from __future__ import annotations

import http.client
import json

import pytest

POINTER = {"content_type": "image_asset_pointer", "asset_pointer": "file-service://file-x", "width": 1, "height": 1}


def code(answer) -> tuple[int, str]:
    """Status and code of a refusal."""
    return answer.status, answer.json["detail"]["code"]


def test_a_conversation_goes_on_from_the_last_answer(web):
    """A chain in the tree; whoever goes on from another message is seen to do so."""
    first = web.turn("One", scenario="thinking, tool")
    second = web.go_on(first, "Two")
    tree = web.tree(second)
    assert tree["current_node"] == second.answer["id"]
    asked = tree["mapping"][second.answer["id"]]["parent"]
    assert tree["mapping"][asked]["parent"] == first.answer["id"]
    wrong = next(m["id"] for m in first.messages.values() if m["author"]["role"] == "assistant")
    third = web.go_on(first, "Three", parent_message_id=wrong)
    tree = web.tree(third)
    asked = tree["mapping"][third.answer["id"]]["parent"]
    assert tree["mapping"][asked]["parent"] == wrong != first.answer["id"]
    assert "You asked: “One”" not in third.text


def test_an_answer_can_be_asked_for_again(web):
    """`variant`: the same message of the person, and a sibling of the first answer."""
    body = web.body("Hello there")
    first = web.turn(**body)
    place = {"conversation_id": first.conversation_id, "parent_message_id": next(iter(first.messages))}
    again = web.turn(**body | place | {"action": "variant"})
    assert again.event("num_variants_in_stream")["num_variants_in_stream"] == 1
    assert again.answer["metadata"]["message_type"] == "variant"
    node = web.tree(first)["mapping"][body["messages"][0]["id"]]
    assert node["children"] == [first.answer["id"], again.answer["id"]]
    assert again.text == first.text


def test_a_foreign_or_unknown_place_is_not_found(web, bob):
    """404 with a code: the conversation, the message, the message to answer again."""
    told = web.turn("Mine")
    missing = "00000000-0000-4000-8000-000000000000"
    place = {"conversation_id": told.conversation_id, "parent_message_id": told.answer["id"]}
    assert code(bob.send(bob.body("Hi", **place))) == (404, "conversation_not_found")
    assert code(web.send(web.body("Hi", conversation_id=missing))) == (404, "conversation_not_found")
    assert code(web.send(web.body("Hi", **place | {"parent_message_id": missing}))) == (404, "message_not_found")
    assert code(web.send(web.body("Hi", **place, action="variant") | {"action": "variant"})) == (
        404,
        "message_not_found",
    )
    assert web.tree(told)["current_node"] == told.answer["id"]


def test_a_temporary_chat_leaves_nothing(web):
    """It is not listed, not read, not gone on with."""
    told = web.turn("Psst", history_and_training_disabled=True)
    assert web.ask("GET", "/conversations").json["items"] == []
    gone = (404, "history_disabled_conversation_not_found")
    assert code(web.ask("GET", f"/conversation/{told.conversation_id}")) == gone
    place = {"conversation_id": told.conversation_id, "parent_message_id": told.answer["id"]}
    assert code(web.send(web.body("Hi", **place))) == gone


def test_a_model_must_exist(web):
    """404 with a code."""
    assert code(web.send(web.body("Hi", model="gpt-99"))) == (404, "model_not_found")


def test_files_must_be_finished_uploads_of_the_account(web):
    """422 with the place of the pointer or attachment."""
    pointed = web.send(web.body(POINTER, "Look"))
    assert pointed.json["detail"][0]["loc"] == ["body", "messages", 0, "content", "parts", 0, "asset_pointer"]
    body = web.body("Look")
    body["messages"][0]["metadata"] = {"attachments": [{"id": "file-x", "name": "x"}]}
    attached = web.send(body)
    assert (pointed.status, attached.status) == (422, 422)
    assert attached.json["detail"][0]["loc"] == ["body", "messages", 0, "metadata", "attachments", 0, "id"]


def test_a_cut_stream_can_be_resumed(web, read):
    """With the token of the stream and the number of records seen, the rest comes, and the two parts are the whole."""
    reply = web.send(web.body("Hello there"), "drop; after=12")
    seen = read(reply.body)
    assert not seen.done
    token = seen.event("resume_conversation_token")["token"]
    asked = {"conversation_id": seen.conversation_id, "offset": len(seen.records)}
    rest = web.ask("POST", "/f/conversation/resume", asked, x_conduit_token=token)
    whole = read(reply.body + rest.body)
    assert whole.text == web.turn("Hello there").text
    assert whole.done
    assert code(web.ask("POST", "/f/conversation/resume", asked, x_conduit_token="made-up")) == (
        404,
        "stream_not_found",
    )


def test_only_its_account_resumes_a_stream(web, bob):
    """404 for anybody else."""
    told = web.turn("Mine")
    asked = {"conversation_id": told.conversation_id, "offset": 0}
    token = told.event("resume_conversation_token")["token"]
    answer = bob.ask("POST", "/f/conversation/resume", asked, x_conduit_token=token)
    assert code(answer) == (404, "conversation_not_found")


def test_a_turn_that_nobody_listens_to_comes_to_its_end(web, read):
    """The tree has the whole answer, and the conversation goes on."""
    with pytest.raises(http.client.IncompleteRead) as cut:
        web.send(web.body("Hello there"), "cut_frame; after=12")
    whole_records = cut.value.partial.rpartition(b"\n\n")[0] + b"\n\n"
    seen = read(whole_records)
    assert seen.text == "You asked: “Hello"
    kept = web.tree(seen)["mapping"][seen.answer["id"]]["message"]
    assert kept["content"]["parts"] == [web.turn("Hello there").text]
    assert web.go_on(seen, "More").text


def test_a_stream_can_be_handed_off(web, read):
    """After some records an event names a topic, and the connection ends; the rest can be resumed."""
    body = web.send(web.body("Hello there"), "handoff=10").body
    seen = read(body)
    assert (len(seen.records), seen.records[-1][0], seen.done) == (11, None, False)
    event = seen.event("stream_handoff")
    assert event["options"] == [
        {"type": "subscribe_ws_topic", "topic_id": f"conversation-turn-{event['turn_exchange_id']}"}
    ]
    assert seen.answer["metadata"]["turn_exchange_id"] == event["turn_exchange_id"]
    token = seen.event("resume_conversation_token")["token"]
    asked = {"conversation_id": seen.conversation_id, "offset": 11}
    rest = web.ask("POST", "/f/conversation/resume", asked, x_conduit_token=token)
    assert read(body + rest.body).text == "You asked: “Hello there” (2 words)."


def test_a_turn_can_be_stopped(web, sandbox, read):
    """The stream ends in good order with what was said; the tree keeps that."""
    connection = http.client.HTTPConnection(sandbox.url.removeprefix("http://"), timeout=10)
    headers = {
        "authorization": "Bearer sandbox-alice", "content-type": "application/json",
        "openai-sentinel-chat-requirements-token": web.pass_gate(), "x-sandbox-scenario": "pace; tokens_per_s=100",
    }  # fmt: skip
    body = web.body("word " * 200, parent_message_id="client-created-root")
    connection.request("POST", "/chatgpt/backend-api/f/conversation", json.dumps(body), headers)
    answer = connection.getresponse()
    begun = answer.read(4000)
    conversation_id = begun.split(b'"conversation_id":"')[1].split(b'"')[0].decode()
    assert web.ask("POST", "/stop_conversation", {"conversation_id": conversation_id}).json == {"status": "success"}
    told = read(begun + answer.read())
    connection.close()
    assert told.done
    assert told.answer["metadata"]["finish_details"] == {"type": "interrupted"}
    assert len(told.text.split()) < 100
    assert web.tree(told)["mapping"][told.answer["id"]]["message"]["content"]["parts"] == [told.text]


def test_only_its_account_stops_a_turn(web, bob):
    """404 for anybody else; stopping what is over changes nothing."""
    told = web.turn("Mine")
    asked = {"conversation_id": told.conversation_id}
    assert code(bob.ask("POST", "/stop_conversation", asked)) == (404, "conversation_not_found")
    assert web.ask("POST", "/stop_conversation", asked).status == 200
    assert web.tree(told)["mapping"][told.answer["id"]]["message"]["status"] == "finished_successfully"


@pytest.mark.parametrize("route", ["/conversation", "/f/conversation"])
def test_both_routes_take_a_turn(web, route):
    """The older one and the newer."""
    headers = {"openai_sentinel_chat_requirements_token": web.pass_gate()}
    assert web.ask("POST", route, web.body("Hi"), **headers).status == 200


def test_two_accounts_do_not_mix(web, bob):
    """Each sees its own turns alone."""
    one, other = web.turn("Alice's"), bob.turn("Bob's")
    assert "user “Alice's”" in web.go_on(one, "More").text
    assert "user “Bob's”" in bob.go_on(other, "More").text
    listed = [[item["id"] for item in who.ask("GET", "/conversations").json["items"]] for who in (web, bob)]
    assert listed == [[one.conversation_id], [other.conversation_id]]
