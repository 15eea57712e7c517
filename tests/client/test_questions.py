"""client/questions.py: what a caller writes, as a request, or the field that is wrong."""

from __future__ import annotations

from typing import Any

import pytest

from polychat.client.questions import request, thread
from polychat.errors import BadOption
from polychat.types import Image, NamedTool, Request, ResponseFormat, Thread, Tool

GIF = b"GIF89a"
ASK = [{"role": "user", "content": "?"}]


def made(messages: Any = "?", **given: Any) -> Request:
    """The request of these arguments."""
    return request("m", messages, False, given)


def test_every_argument_of_the_dialect_has_its_field() -> None:
    """OpenAI's names arrive in the core."""
    function = {"name": "f", "parameters": {"type": "object"}}
    schema = {"type": "json_schema", "json_schema": {"name": "s", "schema": {"type": "object"}, "strict": True}}
    asked = made(
        tools=[{"type": "function", "function": function}], tool_choice={"type": "function", "function": {"name": "f"}},
        response_format=schema, max_completion_tokens=5, temperature=1, top_p=0.5, stop="x", seed=3,
        reasoning_effort="low", parallel_tool_calls=False, web_search=True, n=1, user="me", stream_options={}, own=7,
    )  # fmt: skip
    assert asked.tools == (Tool(name="f", parameters={"type": "object"}),)
    assert asked.tool_choice == NamedTool(name="f")
    assert asked.response_format == ResponseFormat(type="json_schema", name="s", schema={"type": "object"}, strict=True)
    assert (asked.max_tokens, asked.temperature, asked.top_p, asked.stop, asked.seed) == (5, 1.0, 0.5, ("x",), 3)
    assert (asked.reasoning_effort, asked.parallel_tool_calls, asked.web_search) == ("low", False, True)
    assert asked.options == {"own": 7}


def test_tools_are_the_services_unless_it_is_said() -> None:
    """The mode is a field, and no option of the service."""
    assert made().tool_mode == "service"
    assert (made(tool_mode="emulate").tool_mode, made(tool_mode="emulate").options) == ("emulate", {})


def test_none_means_not_given() -> None:
    """Wrappers pass None along."""
    assert made(temperature=None, tools=None, image=None, conversation=None) == made()


def test_a_picture_goes_with_the_last_user_message() -> None:
    """Before its words, and not to an earlier turn."""
    talk = [*ASK, {"role": "assistant", "content": "!"}, {"role": "user", "content": "and?"}]
    asked = made(talk, image=GIF, images=[GIF], files=[b"%PDF-1"])
    assert [len(message.attachments) for message in asked.messages] == [0, 0, 3]
    assert isinstance(asked.messages[2].parts[0], Image)


@pytest.mark.parametrize(
    ("given", "field"),
    [
        ({"temperature": "hot"}, "temperature"),
        ({"max_tokens": 1.5}, "max_tokens"),
        ({"n": 2}, "n"),
        ({"seed": "x"}, "seed"),
        ({"reasoning_effort": "very"}, "reasoning_effort"),
        ({"modalities": ["smell"]}, "modalities[0]"),
        ({"tool_mode": "both"}, "tool_mode"),
        ({"tools": [{"type": "function"}]}, "tools[0]"),
        ({"tools": [{"function": {"name": 1}}]}, "tools[0].function.name"),
        ({"tool_choice": "maybe"}, "tool_choice"),
        ({"response_format": {"type": "xml"}}, "response_format.type"),
        ({"stop": [1]}, "stop[0]"),
        ({"image": 7}, "image"),
        ({"images": "cat.png"}, "images"),
        ({"images": [b""]}, "images[0]"),
        ({"files": [b""]}, "files[0]"),
        ({"conversation": "{}"}, "conversation"),
        ({"conversation": 7}, "conversation"),
    ],
    ids=lambda value: str(value)[:40],
)
def test_a_wrong_argument_is_named(given: dict[str, Any], field: str) -> None:
    """One sentence that begins with the field."""
    with pytest.raises(BadOption) as caught:
        made(**given)
    assert caught.value.field == field


@pytest.mark.parametrize(
    ("messages", "field"),
    [
        ([], "messages"),
        (None, "messages"),
        (7, "messages"),
        (["hi"], "messages[0]"),
        ([{"content": "x"}], "messages[0].role"),
        ([{"role": "robot", "content": "x"}], "messages[0].role"),
        ([{"role": "user"}], "messages[0].content"),
        ([*ASK, {"role": "user", "content": 5}], "messages[1].content"),
        ([{"role": "user", "content": [{"type": "smell"}]}], "messages[0].content[0].type"),
        ([{"role": "user", "content": [{"type": "text"}]}], "messages[0].content[0].text"),
        ([{"role": "user", "content": [{"type": "image_url"}]}], "messages[0].content[0].image_url"),
        (
            [{"role": "user", "content": [{"type": "image_url", "image_url": {"url": "cat.png"}}]}],
            "messages[0].content[0].image_url.url",
        ),
        (
            [{"role": "user", "content": [{"type": "image_url", "image_url": {"url": "data:,words"}}]}],
            "messages[0].content[0].image_url.url",
        ),
        ([{"role": "assistant", "tool_calls": [{"id": "1"}]}], "messages[0].tool_calls[0].function"),
        ([{"role": "tool", "content": "x"}], "messages[0].tool_call_id"),
    ],
    ids=lambda value: str(value)[:40],
)
def test_a_wrong_message_is_named_by_its_place(messages: Any, field: str) -> None:
    """The path leads to the very value."""
    with pytest.raises(BadOption) as caught:
        made(messages)
    assert caught.value.field == field
    assert caught.value.message.startswith(field)


def test_a_model_is_needed() -> None:
    """An empty name is no name."""
    with pytest.raises(BadOption, match="model is empty"):
        request("", "?", False, {})


def test_a_conversation_is_read_from_each_of_its_forms() -> None:
    """Itself, its data, its JSON."""
    here = Thread(provider="reka", id="c1")
    assert [thread(here), thread({"provider": "reka", "id": "c1"}), thread('{"provider":"reka","id":"c1"}')] == [
        here
    ] * 3
