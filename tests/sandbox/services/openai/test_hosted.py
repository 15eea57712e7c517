"""Which of a response's tools are used: the service's own and functions, by choice and by limit."""

from __future__ import annotations

import pytest

PARAMETERS = {
    "type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"], "additionalProperties": False,
}  # fmt: skip
WEATHER = {"type": "function", "name": "get_weather", "parameters": PARAMETERS, "strict": True}
SEARCH, DRAW = {"type": "web_search"}, {"type": "image_generation"}
ALL = [WEATHER, DRAW, SEARCH]


@pytest.fixture
def used(client):
    """used(input, **fields): the types of the items of a response."""

    def used(asked, **fields):
        told = client.responses.create(**{"model": "gpt-4o", "input": asked, "tools": ALL} | fields)
        return [item.type.removesuffix("_call") for item in told.output]

    return used


@pytest.mark.parametrize(
    ("asked", "fields", "expected"),
    [
        ("Hello", {}, ["web_search", "message"]),
        ("Draw a fox", {}, ["image_generation", "web_search", "message"]),
        ("Withdraw money", {}, ["web_search", "message"]),
        ("How is the weather?", {}, ["web_search", "function"]),
        ("Draw a fox", {"max_tool_calls": 1}, ["image_generation", "message"]),
        ("Draw a fox", {"tool_choice": "none"}, ["message"]),
        ("Hello", {"tool_choice": "required"}, ["web_search", "message"]),
        ("Hello", {"tool_choice": "required", "tools": [DRAW]}, ["image_generation", "message"]),
        ("Hello", {"tool_choice": "required", "tools": [DRAW, WEATHER]}, ["function"]),
        ("The weather, please", {"tool_choice": {"type": "image_generation"}}, ["image_generation", "message"]),
        ("Draw the weather", {"tool_choice": {"type": "web_search"}}, ["web_search", "message"]),
        ("Draw a fox", {"tool_choice": {"type": "function", "name": "get_weather"}}, ["function"]),
        (
            "Draw a fox", {"tool_choice": {"type": "allowed_tools", "mode": "auto", "tools": [{"type": "web_search"}]}},
            ["web_search", "message"],
        ),
        (
            "Hello",
            {"tool_choice": {"type": "allowed_tools", "mode": "required", "tools": [{"type": "image_generation"}]}},
            ["image_generation", "message"],
        ),
    ],
)  # fmt: skip
def test_the_tools_that_are_wanted_are_used(used, asked, fields, expected):
    """The web for every question, a picture for a word that asks for one; unless the choice or the limit says else."""
    assert used(asked, **fields) == expected


def test_the_output_of_a_function_is_not_searched_for(client):
    """Only what a person asks is."""
    first = client.responses.create(model="gpt-4o", input="How is the weather?", tools=ALL)
    output = {"type": "function_call_output", "call_id": first.output[-1].call_id, "output": "Draw your own"}
    told = client.responses.create(model="gpt-4o", input=[output], tools=ALL, previous_response_id=first.id)
    assert [item.type for item in told.output] == ["message"]


@pytest.mark.parametrize(
    ("fields", "param", "code"),
    [
        ({"tools": [{"type": "telepathy"}]}, "tools[0].type", "invalid_value"),
        ({"tools": [{"type": 7}]}, "tools[0].type", "invalid_type"),
        ({"tools": [{"type": ["web_search"]}]}, "tools[0].type", "invalid_type"),
        ({"tools": [{"type": "code_interpreter"}]}, "tools[0].type", "unsupported_by_sandbox"),
        ({"tools": [SEARCH], "model": "gpt-3.5-turbo"}, "tools", None),
        ({"tools": [DRAW], "model": "gpt-3.5-turbo"}, "tools", None),
        ({"tools": [DRAW], "model": "o4-mini"}, "tools", None),
        ({"tools": [SEARCH], "tool_choice": {"type": "image_generation"}}, "tool_choice", None),
        ({"tools": [SEARCH], "tool_choice": {"type": "telepathy"}}, "tool_choice.type", "invalid_value"),
        ({"tools": [SEARCH], "tool_choice": {}}, "tool_choice.type", "missing_required_parameter"),
        ({"tools": [SEARCH], "tool_choice": {"type": "web_search", "x": 1}}, "tool_choice.x", "unknown_parameter"),
        ({"tools": [SEARCH], "tool_choice": 7}, "tool_choice", "invalid_type"),
        (
            {"tools": [SEARCH], "tool_choice": {"type": "allowed_tools", "mode": "auto", "tools": []}},
            "tool_choice.tools", "empty_array",
        ),
        ({"tools": [SEARCH], "max_tool_calls": 0}, "max_tool_calls", "integer_below_min_value"),
        ({"tools": [SEARCH], "text": {"format": {"type": "json_object"}}, "input": "json"}, "text.format", None),
        ({"tools": [SEARCH], "model": "gpt-5-mini", "reasoning": {"effort": "minimal"}}, "tools", None),
    ],
)  # fmt: skip
def test_tools_that_make_no_sense_are_refused(refused, fields, param, code):
    """400 with the field's place."""
    assert refused("/responses", {"model": "gpt-4o", "input": "Hello"} | fields) == (400, param, code)
