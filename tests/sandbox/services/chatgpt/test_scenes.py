"""What happens in a turn: echoes, titles, thoughts, tools, limits, stops."""

from __future__ import annotations

import pytest


def kinds(told) -> list[tuple]:
    """Role, form and addressee of every message."""
    return [(m["author"]["role"], m["content"]["content_type"], m["recipient"]) for m in told.messages.values()]


def test_the_messages_sent_come_back_first(web):
    """A hidden one of the system and the person's own, finished; the newest dialect tells of the input as well."""
    told = web.turn()
    assert kinds(told) == [("system", "text", "all"), ("user", "text", "all"), ("assistant", "text", "all")]
    hidden, own, _answer = told.messages.values()
    assert hidden["metadata"]["is_visually_hidden_from_conversation"] is True
    assert own["status"] == "finished_successfully"
    body = web.body("Hi")
    body["messages"][0]["create_time"] = 1_735_000_000.5
    assert web.turn(**body).messages[body["messages"][0]["id"]]["create_time"] == 1_735_000_000.5
    assert told.event("input_message")["input_message"]["id"] == own["id"]
    assert kinds(web.turn(scenario="echo=false")) == [("assistant", "text", "all")]


def test_the_dialects_differ_in_events_and_channels(web):
    """What an old client does not know, the old dialect does not say."""
    new, old = web.turn(), web.turn(scenario="dialect=2025-03")
    assert {"resume_conversation_token", "server_ste_metadata", "message_marker", "perf_stats"} <= set(new.types())
    assert set(old.types()) == {
        "title_generation", "conversation_detail_metadata", "moderation", "message_stream_complete",
    }  # fmt: skip
    assert (new.answer["channel"], old.answer["channel"]) == ("final", None)
    assert new.types()[-1] == old.types()[-1] == "message_stream_complete"


def test_a_title_comes_before_or_after_the_answer(web):
    """Once in a conversation, and not at all if so wished."""
    before, after = web.turn(scenario="title=before"), web.turn()
    markers = [event for event in before.types() if event in ("title_generation", "message_marker")]
    assert markers == ["title_generation", "message_marker"]
    assert after.types()[-2:] == ["title_generation", "message_stream_complete"]
    assert after.event("title_generation")["title"] == web.tree(after)["title"] == "Hello there"
    assert "title_generation" not in web.go_on(after, "More").types()
    assert "title_generation" not in web.turn(scenario="title=none").types()


@pytest.mark.parametrize("asked", [{"scenario": "thinking"}, {"system_hints": ["reason"]}])
def test_thoughts_come_before_the_answer(web, asked):
    """A message of thoughts that grow, a recap, the answer."""
    told = web.turn(**asked)
    _system, _user, thinking, recap, answer = told.messages.values()
    assert thinking["content"]["thoughts"] == [
        {"summary": "Reading the question", "content": "I read the question twice."},
        {"summary": "Choosing words", "content": "An echo is “enough”."},
    ]
    assert (thinking["end_turn"], thinking["channel"]) == (False, "analysis")
    assert (recap["content"], recap["end_turn"]) == (
        {"content_type": "reasoning_recap", "content": "Thought for 3 seconds"}, False,
    )  # fmt: skip
    assert answer["metadata"]["parent_id"] == recap["id"]


def test_thoughts_of_spring_2025_are_a_tool_message(web):
    """`initial_text` begins them, `finished_text` ends them, text lies between."""
    told = web.turn(scenario="thinking, dialect=2025-03")
    _system, _user, thinking, _answer = told.messages.values()
    assert thinking["author"]["role"] == "tool"
    assert thinking["metadata"]["initial_text"] == "Reasoning"
    assert thinking["metadata"]["finished_text"] == "Thought for 3 seconds"
    assert "I read the question twice." in thinking["content"]["parts"][0]
    assert told.text.startswith("You asked")


def test_a_tool_is_called_and_answers(web):
    """A word of progress, code to `python`, its output, the answer; each hangs from the one before."""
    told = web.turn(scenario="tool")
    assert kinds(told)[2:] == [
        ("assistant", "text", "all"), ("assistant", "code", "python"), ("tool", "execution_output", "all"),
        ("assistant", "text", "all"),
    ]  # fmt: skip
    progress, call, output, answer = list(told.messages.values())[2:]
    assert (progress["channel"], progress["end_turn"]) == ("commentary", False)
    assert call["content"]["text"] == "print(len(question.split()))"
    assert output["content"]["text"] == "2"
    assert output["metadata"]["aggregate_result"]["status"] == "success"
    chain = [progress, call, output, answer]
    assert [m["metadata"]["parent_id"] for m in chain[1:]] == [m["id"] for m in chain[:-1]]


def test_an_answer_that_stops_in_the_middle_can_be_continued(web):
    """`max_tokens`: the finish says so, `continue` goes on from there until all is said."""
    whole = web.turn().text
    first = web.turn(scenario="max_tokens=3")
    assert first.answer["metadata"]["finish_details"] == {"type": "max_tokens"}
    second = web.go_on(first, action="continue", messages=[], scenario="max_tokens=2")
    third = web.go_on(second, action="continue", messages=[])
    assert first.text + second.text + third.text == whole
    assert third.answer["metadata"]["finish_details"]["type"] == "stop"
    assert third.answer["metadata"]["message_type"] == "continue"
    body = web.body(action="continue", messages=[], conversation_id=third.conversation_id)
    for over in (first, third):
        assert web.send(body | {"parent_message_id": over.answer["id"]}).status == 400


def test_a_partial_answer_may_say_so_in_its_status(web):
    """`partial`: not successful, and the turn is not over."""
    answer = web.turn(scenario="max_tokens=3, partial").answer
    assert (answer["status"], answer["end_turn"]) == ("finished_partial_completion", False)


def test_moderation_takes_an_answer_back(web):
    """An event names the message and says blocked; in the old dialect it comes always, and says not."""
    told = web.turn(scenario="blocked")
    verdict = told.event("moderation")
    assert (verdict["message_id"], verdict["moderation_response"]["blocked"]) == (told.answer["id"], True)
    assert "moderation" not in web.turn().types()
    harmless = web.turn(scenario="dialect=2025-03").event("moderation")
    assert harmless["moderation_response"]["blocked"] is False


def test_the_answer_tells_what_arrived(web):
    """The GPT, a temporary chat, hints of the turn and of its message, earlier turns, instructions."""
    told = web.turn(
        conversation_mode={"kind": "gizmo_interaction", "gizmo_id": "g-abc"}, history_and_training_disabled=True,
        system_hints=["canvas"],
    )  # fmt: skip
    assert told.text.endswith("I am the GPT g-abc. This is a temporary chat. Hints: canvas.")
    body = web.body("Hi")
    body["messages"][0]["metadata"] = {"system_hints": ["canvas"]}
    assert web.turn(**body).text.endswith("Hints: canvas.")
    first = web.turn("One")
    assert "Before that I was given 2 turns: user “One”, assistant “You asked" in web.go_on(first, "Two").text
    first = web.turn("One", scenario="tool")
    assert "Before that I was given 2 turns: user" in web.go_on(first, "Two").text
    system = {"author": {"role": "system"}, "content": {"content_type": "text", "parts": ["Be kind."]}}
    body = web.body("Hi")
    body["messages"].insert(0, {"id": "00000000-0000-4000-8000-00000000ffff", **system})
    assert "My instructions hold 2 words." in web.turn("Hi", messages=body["messages"]).text


def test_a_script_is_recited(web, sandbox):
    """Piece by piece, with the service's own finish."""
    sandbox.script("chatgpt", chunks=["A", "b", "c"], finish_reason="interrupted")
    told = web.turn()
    assert told.text == "Abc"
    assert told.answer["metadata"]["finish_details"] == {"type": "interrupted"}
