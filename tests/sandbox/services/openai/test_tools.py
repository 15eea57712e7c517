"""Tools: which are called, with what, and which requests are refused."""

from __future__ import annotations

import json

import pytest

HELLO = [{"role": "user", "content": "Hello there"}]
OPEN = {"type": "object", "properties": {"city": {"type": "string"}}}


def named(name):
    """A tool choice."""
    return {"type": "function", "function": {"name": name}}


@pytest.fixture
def called(chat, tool):
    """called(text, choice, **fields): the names of the functions that are called, of two that there are."""

    def called(text, choice="auto", **fields):
        tools = [tool("get_weather"), tool("find_hotel")]
        message = chat(text, tools=tools, tool_choice=choice, **fields).choices[0].message
        return [call.function.name for call in message.tool_calls or []]

    return called


@pytest.mark.parametrize(
    ("text", "choice", "expected"),
    [
        ("Hello", "auto", []),
        ("The weather?", "auto", ["get_weather"]),
        ("The weather and a hotel?", "auto", ["get_weather", "find_hotel"]),
        ("The weather?", "none", []),
        ("Hello", "required", ["get_weather"]),
        ("A hotel?", "required", ["find_hotel"]),
        ("The weather?", named("find_hotel"), ["find_hotel"]),
        (
            "The weather and a hotel?",
            {"type": "allowed_tools", "allowed_tools": {"mode": "auto", "tools": [named("find_hotel")]}},
            ["find_hotel"],
        ),
    ],
)
def test_the_choice_of_tools_is_obeyed(called, text, choice, expected):
    """None, some, or a certain one."""
    assert called(text, choice) == expected


def test_calls_can_be_kept_to_one(called):
    """With `parallel_tool_calls` false."""
    assert called("The weather and a hotel?", parallel_tool_calls=False) == ["get_weather"]


def test_a_call_obeys_its_schema(chat, tool):
    """Arguments are JSON, the content is null, and the finish reason says so."""
    told = chat("weather", tools=[tool("get_weather", strict=True)])
    (call,) = told.choices[0].message.tool_calls
    assert json.loads(call.function.arguments) == {"city": "weather"}
    assert (told.choices[0].message.content, told.choices[0].finish_reason) == (None, "tool_calls")
    assert told.usage.completion_tokens > 0


def test_a_function_may_have_no_parameters(chat):
    """Then its arguments are an empty object."""
    told = chat("weather", tools=[{"type": "function", "function": {"name": "get_weather"}}])
    assert told.choices[0].message.tool_calls[0].function.arguments == "{}"


def test_a_turn_of_parallel_calls_is_answered_as_a_whole(chat, tool):
    """Every call gets its tool message, and the talk goes on."""
    tools = [tool("get_weather"), tool("find_hotel")]
    asked = {"role": "user", "content": "The weather and a hotel"}
    message = chat([asked], tools=tools).choices[0].message
    results = [{"role": "tool", "tool_call_id": call.id, "content": "Fine"} for call in message.tool_calls]
    told = chat([asked, message, *results], tools=tools)
    assert told.choices[0].message.content.startswith("The tool answered: “Fine” (1 word).")


@pytest.mark.parametrize(
    ("fields", "param", "code"),
    [
        ({"tools": []}, "tools", "empty_array"),
        ({"tools": None}, "tools", "invalid_type"),
        ({"tool_choice": "auto"}, "tool_choice", None),
        ({"parallel_tool_calls": True}, "parallel_tool_calls", None),
        ({"tools": [named("a b")]}, "tools[0].function.name", "invalid_value"),
        ({"tools": [{"type": "function"}]}, "tools[0].function", "missing_required_parameter"),
        ({"tools": [{"type": "custom", "custom": {"name": "x"}}]}, "tools[0].type", "unsupported_by_sandbox"),
        ({"tools": [{"type": "retrieval"}]}, "tools[0].type", "invalid_value"),
        ({"tools": [named("f")], "tool_choice": "maybe"}, "tool_choice", "invalid_value"),
        ({"tools": [named("f")], "tool_choice": named("g")}, "tool_choice", "invalid_value"),
        (
            {"tools": [{"type": "function", "function": {"name": "f", "parameters": {"type": "array"}}}]},
            "tools[0].function.parameters", "invalid_function_parameters",
        ),
        (
            {"tools": [{"type": "function", "function": {"name": "f", "parameters": OPEN, "strict": True}}]},
            "tools[0].function.parameters", "invalid_function_parameters",
        ),
    ],
)  # fmt: skip
def test_tools_that_make_no_sense_are_refused(refused, fields, param, code):
    """400 with the place."""
    assert refused("/chat/completions", {"model": "gpt-4o", "messages": HELLO} | fields) == (400, param, code)
