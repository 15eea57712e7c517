"""The messages of a talk: roles, order, calls and their results."""

from __future__ import annotations

import pytest

OPUS = {"model": "claude-opus-5-5"}
NEWEST = "2026-10-21"


def user(*content):
    """A message of the user."""
    return {"role": "user", "content": list(content)}


def said(*content):
    """A message of the assistant."""
    return {"role": "assistant", "content": list(content)}


def text(words="Hello", **more):
    """Words."""
    return {"type": "text", "text": words, **more}


def call(name="toolu_1", **more):
    """A call of a tool."""
    return {"type": "tool_use", "id": name, "name": "look", "input": {}, **more}


def result(name="toolu_1", **more):
    """What came of it."""
    return {"type": "tool_result", "tool_use_id": name, **more}


def search(name="srvtoolu_1"):
    """A search of the service."""
    return {"type": "server_tool_use", "id": name, "name": "web_search", "input": {"query": "x"}}


def found(name="srvtoolu_1"):
    """What it found: nothing."""
    return {"type": "web_search_tool_result", "tool_use_id": name, "content": []}


NOTE = {"role": "system", "content": "Be brief"}
CITED = {"type": "char_location", "cited_text": "x", "document_index": 0, "start_char_index": 0, "end_char_index": 1}


@pytest.mark.parametrize(
    "messages",
    [
        [user(text())],
        [user(text()), user(text())],
        [user(text()), said(text()), said(text()), user(text())],
        [user(text()), said(call()), user(result())],
        [user(text()), said(text(), call("a"), call("b")), user(result("b"), result("a"), text())],
        [user(text()), said(call("a")), said(call("b")), user(result("a")), user(result("b"), text())],
        [user(text()), said(call("a")), user(result("a")), said(call("b")), user(result("b"))],
        [user(text()), said(search(), found(), text()), user(text())],
        [user(text()), said(search()), said(found(), text()), user(text())],
        [user(text()), said(text(citations=[CITED])), user(text(citations=[]))],
    ],
)
def test_a_talk_in_order_is_taken(post, messages):
    """Roles may repeat; results come first and may be in any order."""
    assert post({"messages": messages}).status == 200


@pytest.mark.parametrize(
    ("messages", "place"),
    [
        ([{"role": "tool", "content": "x"}], "messages.0.role"),
        ([{"content": "x"}], "messages.0.role"),
        ([{"role": "user"}], "messages.0.content"),
        ([{"role": "user", "content": "x", "name": "x"}], "messages.0.name"),
        ([said(text()), user(text())], "messages.0.role"),
        ([{"role": "user", "content": ""}], "messages.0"),
        ([user()], "messages.0"),
        ([user(text()), said(), user(text())], "messages.1"),
        ([{"role": "user", "content": " \n"}], "messages.0.content"),
        ([user(text(), text("\t"))], "messages.0.content.1.text"),
        ([user(text(), "x")], "messages.0.content.1"),
        ([user({"type": "video"})], "messages.0.content.0.type"),
        ([user(text(citations=[{"type": "x"}]))], "messages.0.content.0.citations.0.type"),
        ([user(call())], "messages.0.content.0"),
        ([user(text()), said(result()), user(text())], "messages.1.content.0"),
        ([user({"type": "thinking", "thinking": "x", "signature": "x"})], "messages.0.content.0"),
        ([user(text()), said(call())], "messages.1"),
        ([user(text()), said(call()), user(text())], "messages.1"),
        ([user(text()), said(call("a"), call("b")), user(result("a"))], "messages.1"),
        ([user(text()), said(call()), user(text(), result())], "messages.2.content.1"),
        ([user(text()), said(call()), user(result(), result())], "messages.2.content.1.tool_use_id"),
        ([user(text()), said(call()), user(result("toolu_2"))], "messages.2.content.0.tool_use_id"),
        ([user(result())], "messages.0.content.0.tool_use_id"),
        (
            [user(text()), said(call()), user(result()), said(text()), user(result())],
            "messages.4.content.0.tool_use_id",
        ),
        ([user(text()), said(call(), call()), user(result())], "messages.1.content.1.id"),
        ([user(text()), said(call()), user(result()), said(call()), user(result())], "messages.3.content.0.id"),
        ([user(text()), said(call("a b")), user(result())], "messages.1.content.0.id"),
        ([user(text()), said(call(input="x")), user(result())], "messages.1.content.0.input"),
        ([user(text()), said({**call(), "name": ""}), user(result())], "messages.1.content.0.name"),
        ([user(text()), said(call()), user(result(content=[text(" ")]))], "messages.2.content.0.content.0.text"),
        ([user(text()), said(call()), user(result(content=[call()]))], "messages.2.content.0.content.0.type"),
        ([user(text()), said(search(), text()), user(text())], "messages.1"),
        ([user(text()), said(found(), text()), user(text())], "messages.1.content.0.tool_use_id"),
        ([user(text()), said(search(), found(), found()), user(text())], "messages.1.content.2.tool_use_id"),
        ([user(text()), said(search("toolu_1"), found("toolu_1")), user(text())], "messages.1.content.0.id"),
        ([user(text()), said(text("Well, "))], "messages.1.content.0"),
        ([user(text()), NOTE], "messages.1.role"),
    ],
)
def test_a_talk_out_of_order_is_refused(refused, messages, place):
    """400 with the place."""
    assert refused({"messages": messages}) == (400, place)


def test_a_failure_is_told_in_words(refused, post, picture, png):
    """The result of a call that failed holds no picture."""
    talk = [user(text()), said(call())]
    assert post({"messages": [*talk, user(result(is_error=True, content=[text()]))]}).status == 200
    shown = user(result(is_error=True, content=[text(), picture(png())]))
    assert refused({"messages": [*talk, shown]}) == (400, "messages.2.content.0.content.1")


@pytest.mark.parametrize(
    ("messages", "place"),
    [
        ([NOTE, user(text())], "messages.0.role"),
        ([user(text()), said(call()), NOTE, user(result())], "messages.1"),
        ([user(text()), {"role": "system", "content": [text(" ")]}], "messages.1.content.0.text"),
        ([user(text()), {"role": "system", "content": [call()]}], "messages.1.content.0.type"),
        ([user(text()), said(text())], "messages.1"),
    ],
)
def test_a_newer_model_is_strict_too(refused, messages, place):
    """About instructions among the messages, and about going on."""
    assert refused(OPUS | {"messages": messages}) == (400, place)


@pytest.mark.parametrize("place", [1, 2, 3])
def test_instructions_may_come_later(post, place):
    """For a newer model, between messages and after them."""
    talk = [user(text()), said(text("Well")), user(text("Go on"))]
    answer = post(OPUS | {"messages": [*talk[:place], NOTE, *talk[place:]]})
    assert (answer.status, answer.json["content"][-1]["text"]) == (
        200,
        (
            "You asked: “Go on” (2 words). My instructions hold 2 words. "
            "Before that I was given 2 turns: user “Hello”, assistant “Well”."
        ),
    )


def test_the_newest_version_is_stricter(post, refused, document):
    """Documents are the user's, citations the assistant's; an older version takes either."""
    shown = [user(text()), said(document("x"), text()), user(text())]
    cited = [user(text(citations=[CITED]))]
    for messages, place in ((shown, "messages.1.content.0"), (cited, "messages.0.content.0.citations")):
        assert post({"messages": messages}).status == 200
        assert refused({"messages": messages}, version=NEWEST) == (400, place)


def test_what_was_said_is_remembered(chat):
    """In order and role."""
    told = chat([user(text("one")), said(text("two")), user(text("three"))])
    assert told.content[0].text == (
        "You asked: “three” (1 word). Before that I was given 2 turns: user “one”, assistant “two”."
    )
