"""The brain is deterministic and honest."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from polychat.sandbox.brain import Question, Tool, ToolCall, Turn, answer, pieces

WEATHER = Tool(
    name="get_weather",
    parameters={"type": "object", "properties": {"city": {"type": "string"}, "days": {"type": "integer"}}},
)


def user(text: str, *attachments: bytes) -> Turn:
    """A person's turn."""
    return Turn(role="user", text=text, attachments=attachments)


def test_it_repeats_the_question_and_counts_it():
    """Quoted, with its words."""
    assert answer(Question(turns=(user("What is up?"),))).text == "You asked: “What is up?” (3 words)."


def test_a_long_question_is_shortened_but_counted_whole():
    """The quote ends with an ellipsis."""
    text = answer(Question(turns=(user("word " * 1000),))).text
    assert text.endswith("word…” (1,000 words).")


def test_nothing_asked_is_said_so():
    """Also without any turn."""
    assert answer(Question(turns=(user(" "),))).text == answer(Question(turns=())).text == "You asked nothing."


def test_it_names_the_turns_it_was_given_with_their_roles():
    """So that a test sees whether history arrived, and as whose."""
    turns = (Turn(role="system", text="Be brief now"), user("Hi"), Turn(role="assistant", text="Oh."), user("And?"))
    assert answer(Question(turns=turns)).text == (
        "You asked: “And?” (1 word). My instructions hold 3 words. "
        "Before that I was given 2 turns: user “Hi”, assistant “Oh.”."
    )


def test_of_a_long_talk_it_names_the_last_turns():
    """And counts all."""
    talk = [user(str(number)) for number in range(21)]
    text = answer(Question(turns=tuple(talk))).text
    assert "I was given 20 turns: 12 more, user “12”, user “13”," in text


def test_it_describes_what_it_was_shown():
    """One attachment, several, and one of an earlier turn."""
    one = answer(Question(turns=(user("See?", b"%PDF-1"),))).text
    assert "I see a PDF document (6 bytes, sha256 " in one
    two = answer(Question(turns=(user("See?", b"%PDF-1", b"x"),))).text
    assert "I see 2 attachments. Number 1 is a PDF document (6 bytes" in two
    assert "Number 2 is a file of a type I do not know (1 byte," in two
    earlier = answer(Question(turns=(user("See?", b"%PDF-1"), Turn(role="assistant", text="Yes."), user("Well?")))).text
    assert "Earlier you showed a PDF document (6 bytes" in earlier


def test_it_says_that_it_searched():
    """Only when asked to."""
    assert "I searched the web" in answer(Question(turns=(user("News?"),), searched=True)).text
    assert "I searched the web" not in answer(Question(turns=(user("News?"),))).text


@given(st.text())
def test_pieces_join_to_the_text(text):
    """Nothing is lost or added by cutting."""
    assert "".join(pieces(text)) == text


def test_a_piece_is_a_word_with_the_space_before_it():
    """Long words come in parts."""
    assert pieces("So it  goes.\n") == ("So", " it", "  goes.", "\n")
    assert pieces("a" * 20) == ("a" * 16, "a" * 4)


def test_max_tokens_and_stop_end_the_answer():
    """With the reason."""
    turns = (user("What is up?"),)
    short = answer(Question(turns=turns, max_tokens=2))
    assert (short.text, short.finish_reason, short.output_tokens) == ("You asked:", "length", 2)
    stopped = answer(Question(turns=turns, stop=("zzz", "is up")))
    assert (stopped.text, stopped.finish_reason) == ("You asked: “What ", "stop")


@pytest.mark.parametrize("choice", ["auto", "required", "get_weather"])
def test_it_calls_the_tool_that_is_wanted(choice):
    """With arguments that obey the schema."""
    got = answer(Question(turns=(user("The weather in Oslo?"),), tools=(WEATHER,), tool_choice=choice))
    assert got.tool_calls == (ToolCall(name="get_weather", arguments={"city": "The weather in Oslo?", "days": 1}),)
    assert (got.text, got.finish_reason) == ("", "tool_calls")


def test_it_calls_no_tool_that_is_not_wanted():
    """Not with `none`, not for another subject, and not when the tool has just answered."""
    talk = (user("The weather?"), Turn(role="tool", text="Rain"))
    assert answer(Question(turns=talk[:1], tools=(WEATHER,), tool_choice="none")).tool_calls == ()
    assert answer(Question(turns=(user("Hi"),), tools=(WEATHER,))).tool_calls == ()
    got = answer(Question(turns=talk, tools=(WEATHER,), tool_choice="required"))
    assert got.text.startswith("The tool answered: “Rain” (1 word).")


def test_it_answers_in_json_when_given_a_schema():
    """And the JSON obeys it."""
    schema = {"type": "object", "properties": {"city": {"type": "string"}, "ok": {"type": "boolean"}}}
    got = answer(Question(turns=(user("Oslo"),), schema=schema))
    assert json.loads(got.text) == {"city": "Oslo", "ok": True}


def test_the_same_question_has_the_same_answer():
    """Pieces and counts included."""
    question = Question(turns=(user("Hi", b"x"),))
    assert answer(question) == answer(question)
    assert answer(question).input_tokens == 257


def test_a_dictation_is_repeated_and_nothing_else():
    """A text to be repeated exactly comes back as it is."""
    asked = Turn(role="user", text="Repeat this exactly, please:\n\nOne  two\nthree")
    assert answer(Question(turns=(asked,))).text == "One  two\nthree"
