"""Tokens that a service did not tell."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from polychat.engine.ledger import estimate
from polychat.types import (
    Image,
    Message,
    Reply,
    Request,
    Text,
    Thinking,
    Tool,
    ToolCall,
    ToolResult,
    Usage,
)

FRAME = 4  # tokens of a message's frame


def question(*parts: Text | Image | ToolResult, **facts: object) -> Request:
    """A request of one message."""
    return Request(model="m", messages=(Message(role="user", parts=parts),), **facts)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("text", "tokens"),
    [("", 0), ("a", 1), ("four", 1), ("fiver", 2), ("привет", 3), ("你好吗", 3), ("🙂", 1), ("a" * 400, 100)],
)
def test_a_token_is_four_bytes(text: str, tokens: int) -> None:
    """Four letters of Latin, two of Cyrillic, a little more than one of Chinese; rounded up."""
    assert estimate.tokens(text) == tokens


@given(st.text(alphabet=st.characters()))
def test_any_text_has_an_estimate(text: str) -> None:
    """Also one with halves of surrogate pairs; what is not empty has a token at least."""
    assert (estimate.tokens(text) > 0) == bool(text)


@given(st.text(), st.text())
def test_more_text_is_no_fewer_tokens(one: str, other: str) -> None:
    """Adding words never makes a question cheaper."""
    assert estimate.tokens(one + other) >= max(estimate.tokens(one), estimate.tokens(other))


def test_a_question_is_all_its_words() -> None:
    """Every message with its frame, what tools answered, and the calls and schemas of tools."""
    assert estimate.asked(question(Text(text="four"))) == FRAME + 1
    assert estimate.asked(question(ToolResult(tool_call_id="1", content=(Text(text="eight888"),)))) == FRAME + 2
    called = Message(role="assistant", tool_calls=(ToolCall(id="1", name="four", arguments="eight888"),))
    assert estimate.asked(Request(model="m", messages=(called,))) == FRAME + 3
    assert estimate.asked(question(tools=(Tool(name="look", parameters={"type": "object"}),))) > FRAME + 10


def test_pictures_are_not_counted() -> None:
    """Nobody can tell from outside what a picture costs."""
    assert estimate.asked(question(Image(url="https://example.org/a.png"))) == FRAME


def test_what_the_service_told_counts() -> None:
    """Numbers of the service are taken as they are, and are no estimate."""
    told = Usage(input_tokens=3, output_tokens=2, cached_input_tokens=1)
    assert estimate.usage(question(Text(text="Hello")), Reply(text="Hi", usage=told)) == told


def test_what_it_did_not_tell_is_estimated() -> None:
    """Of an answer without usage both numbers are, of one whose input is known the output is; the record says so."""
    reply = Reply(text="eight888", thoughts=(Thinking(text="four"),))
    assert estimate.usage(question(Text(text="four")), reply) == Usage(
        input_tokens=FRAME + 1, output_tokens=3, estimated=True
    )
    begun = Reply(text="eight888", usage=Usage(input_tokens=70, cached_input_tokens=9))
    assert estimate.usage(question(Text(text="four")), begun) == Usage(
        input_tokens=70, output_tokens=2, cached_input_tokens=9, estimated=True
    )
