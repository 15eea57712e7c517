"""Responses, as the official package sees them: whole, continued, kept and forgotten."""

from __future__ import annotations

import json

import openai
import pytest

PARAMETERS = {
    "type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"], "additionalProperties": False,
}  # fmt: skip
WEATHER = {"type": "function", "name": "get_weather", "parameters": PARAMETERS, "strict": True}
HOTEL = WEATHER | {"name": "find_hotel"}
FORMAT = {"type": "json_schema", "name": "place", "schema": PARAMETERS, "strict": True}


@pytest.fixture
def respond(client):
    """respond(input, **fields): a response."""
    return lambda asked="Hello there", **fields: client.responses.create(**{"model": "gpt-4o", "input": asked} | fields)


def test_an_answer_has_text_status_and_usage(respond):
    """The whole of a response."""
    told = respond(instructions="Be brief", metadata={"a": "b"})
    assert told.output_text == "You asked: “Hello there” (2 words). My instructions hold 2 words."
    assert (told.status, told.model, told.instructions, told.metadata) == (
        "completed",
        "gpt-4o",
        "Be brief",
        {"a": "b"},
    )
    assert (told.usage.input_tokens, told.usage.output_tokens, told.usage.total_tokens) == (4, 11, 15)


def test_the_thinking_is_an_item_and_shown_when_asked_for(respond):
    """As a summary; its tokens count either way."""
    silent = respond(model="gpt-5.5", reasoning={"effort": "low"})
    shown = respond(model="gpt-5.5", reasoning={"effort": "low", "summary": "auto"})
    assert [item.type for item in shown.output] == ["reasoning", "message"]
    assert silent.output[0].summary == []
    assert shown.output[0].summary[0].text.startswith("The question is before me.")
    assert shown.usage.output_tokens_details.reasoning_tokens == 16


def test_a_turn_goes_on_from_the_one_before(respond):
    """What was said is remembered, instructions are not."""
    first = respond("One", instructions="Be brief")
    told = respond("Two", previous_response_id=first.id)
    assert told.output_text.startswith("You asked: “Two” (1 word). Before that I was given 2 turns: user “One”")
    assert told.previous_response_id == first.id


def test_calls_are_items_and_their_outputs_come_back(respond):
    """By id, in the next response."""
    first = respond("The weather and a hotel", tools=[WEATHER, HOTEL])
    assert [(item.type, item.name) for item in first.output] == [
        ("function_call", "get_weather"), ("function_call", "find_hotel"),
    ]  # fmt: skip
    assert json.loads(first.output[0].arguments) == {"city": "The weather and a hotel"}
    outputs = [{"type": "function_call_output", "call_id": item.call_id, "output": "Fine"} for item in first.output]
    told = respond(outputs, previous_response_id=first.id, tools=[WEATHER, HOTEL])
    assert told.output_text.startswith("The tool answered: “Fine” (1 word).")


def test_a_talk_can_be_kept_by_the_client(respond):
    """Output items are taken as input, as they came."""
    asked = [{"role": "user", "content": "weather"}]
    first = respond(
        asked, model="gpt-5.5", tools=[WEATHER], store=False, reasoning={"summary": "auto"},
        include=["reasoning.encrypted_content"],
    )  # fmt: skip
    call = first.output[-1]
    result = {"type": "function_call_output", "call_id": call.call_id, "output": "Sunny"}
    told = respond([*asked, *first.output, result], model="gpt-5.5", tools=[WEATHER], store=False)
    said = told.output[-1]
    again = respond([*asked, *first.output, result, said, {"role": "user", "content": "And?"}], store=False)
    assert told.output_text.startswith("The tool answered: “Sunny” (1 word).")
    assert "tool “Sunny”" in again.output_text


@pytest.mark.parametrize(
    ("choice", "expected"),
    [
        ("auto", []),
        ("required", ["get_weather"]),
        ({"type": "function", "name": "find_hotel"}, ["find_hotel"]),
        (
            {"type": "allowed_tools", "mode": "required", "tools": [{"type": "function", "name": "find_hotel"}]},
            ["find_hotel"],
        ),
    ],
)
def test_the_choice_of_tools_is_obeyed(respond, choice, expected):
    """None, some, or a certain one."""
    told = respond("Hello", tools=[WEATHER, HOTEL], tool_choice=choice)
    assert [item.name for item in told.output if item.type == "function_call"] == expected


def test_a_schema_is_obeyed(respond):
    """And JSON mode gives an object."""
    assert json.loads(respond(text={"format": FORMAT}).output_text) == {"city": "Hello there"}
    assert json.loads(respond("In JSON", text={"format": {"type": "json_object"}}).output_text) == {"answer": "In JSON"}


def test_a_limit_leaves_the_response_incomplete(respond):
    """With the reason."""
    told = respond(" ".join(["word"] * 40), max_output_tokens=16)
    assert (told.status, told.incomplete_details.reason) == ("incomplete", "max_output_tokens")
    assert told.output[0].status == "incomplete"


def test_a_refusal_is_a_part_of_its_own(respond):
    """And no text."""
    told = respond(extra_headers={"x-sandbox-scenario": "refusal"})
    assert (told.output_text, told.output[0].content[0].type) == ("", "refusal")


def test_what_was_kept_is_read_and_forgotten(client, respond):
    """By its owner only; `store` false keeps nothing."""
    told = respond()
    assert client.responses.retrieve(told.id).output_text == told.output_text
    with pytest.raises(openai.NotFoundError):
        client.with_options(api_key="sandbox-bob").responses.retrieve(told.id)
    client.responses.delete(told.id)
    with pytest.raises(openai.NotFoundError):
        client.responses.retrieve(told.id)
    with pytest.raises(openai.BadRequestError) as caught:
        respond(previous_response_id=respond(store=False).id)
    assert (caught.value.code, caught.value.param) == ("previous_response_not_found", "previous_response_id")
    bob = client.with_options(api_key="sandbox-bob")
    with pytest.raises(openai.BadRequestError, match="to go on from"):
        bob.responses.create(model="gpt-4o", input="Hi", previous_response_id=respond().id)


@pytest.mark.parametrize(
    ("fields", "param", "code"),
    [
        ({"colour": "red"}, "colour", "unknown_parameter"),
        ({"input": None}, "input", "invalid_type"),
        ({"input": []}, "input", "empty_array"),
        ({"max_output_tokens": 5}, "max_output_tokens", "integer_below_min_value"),
        ({"temperature": 3}, "temperature", "decimal_above_max_value"),
        ({"model": "gpt-5.5", "temperature": 1}, "temperature", "unsupported_parameter"),
        ({"reasoning": {"effort": "low"}}, "reasoning.effort", "unsupported_parameter"),
        ({"model": "o4-mini", "reasoning": {"effort": "max"}}, "reasoning.effort", "unsupported_value"),
        ({"stream_options": {"include_obfuscation": False}}, "stream_options", None),
        ({"background": True}, "background", "unsupported_by_sandbox"),
        ({"include": ["everything"]}, "include[0]", "invalid_value"),
        ({"include": ["message.output_text.logprobs"]}, "include", "unsupported_by_sandbox"),
        ({"include": ["reasoning.encrypted_content"]}, "include", None),
        ({"tools": [WEATHER | {"name": "a b"}]}, "tools[0].name", "invalid_value"),
        (
            {"tools": [WEATHER | {"parameters": {"type": "object", "properties": {}}}]}, "tools[0].parameters",
            "invalid_function_parameters",
        ),
        ({"tool_choice": "required"}, "tool_choice", None),
        ({"tools": [WEATHER], "tool_choice": {"type": "function", "name": "x"}}, "tool_choice", "invalid_value"),
        ({"text": {"format": {"type": "json_object"}}}, "input", None),
        ({"text": {"format": FORMAT | {"schema": {"type": "array"}}}}, "text.format", None),
        ({"model": "gpt-3.5-turbo", "text": {"format": FORMAT}}, "text.format", "unsupported_parameter"),
    ],
)  # fmt: skip
def test_what_is_wrong_is_refused_by_field(refused, fields, param, code):
    """400 with the field's place and a code."""
    assert refused("/responses", {"model": "gpt-4o", "input": "Hello"} | fields) == (400, param, code)
