"""A response as a stream: the events in order, judged plainly, and what the official package makes of them."""

from __future__ import annotations

import json
from itertools import groupby

WEATHER = {
    "type": "function", "name": "get_weather", "strict": True, "parameters": {
        "type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"],
        "additionalProperties": False,
    },
}  # fmt: skip
HELLO = {"model": "gpt-4o", "input": "Hello there", "stream": True}


def names(told):
    """The types of events, repetitions once."""
    return [name.removeprefix("response.") for name, _ in groupby(event["type"] for event in told)]


def test_the_events_of_a_text_come_in_order(post, events):
    """Created, filled, done; numbered; each under its own name; no end mark."""
    answer = post("/responses", HELLO)
    told = events(answer.body)
    assert names(told) == [
        "created", "in_progress", "output_item.added", "content_part.added", "output_text.delta", "output_text.done",
        "content_part.done", "output_item.done", "completed",
    ]  # fmt: skip
    assert [event["sequence_number"] for event in told] == list(range(len(told)))
    lines = [line for line in answer.body.decode().split("\n") if line.startswith("event: ")]
    assert lines == [f"event: {event['type']}" for event in told]


def test_the_pieces_add_up_to_the_whole(post, events):
    """Deltas, the done event, the item and the response say the same; what has only begun is empty."""
    told = events(post("/responses", HELLO).body)
    text = "".join(event["delta"] for event in told if event["type"] == "response.output_text.delta")
    assert text == "You asked: “Hello there” (2 words)."
    by_type = {event["type"].removeprefix("response."): event for event in told}
    assert by_type["output_text.done"]["text"] == text
    assert by_type["output_item.done"]["item"]["content"][0]["text"] == text
    assert by_type["completed"]["response"]["output"] == [by_type["output_item.done"]["item"]]
    assert (by_type["output_item.added"]["item"]["content"], by_type["created"]["response"]["output"]) == ([], [])
    assert (by_type["created"]["response"]["status"], by_type["completed"]["response"]["status"]) == (
        "in_progress", "completed",
    )  # fmt: skip


def test_the_thinking_is_streamed_as_a_summary(post, events):
    """Before the answer, as an item of its own."""
    reasoning = {"effort": "low", "summary": "auto"}
    told = events(post("/responses", HELLO | {"model": "gpt-5.5", "reasoning": reasoning}).body)
    assert names(told)[2:8] == [
        "output_item.added", "reasoning_summary_part.added", "reasoning_summary_text.delta",
        "reasoning_summary_text.done", "reasoning_summary_part.done", "output_item.done",
    ]  # fmt: skip
    pieces = [event["delta"] for event in told if event["type"] == "response.reasoning_summary_text.delta"]
    assert "".join(pieces) == told[-1]["response"]["output"][0]["summary"][0]["text"]


def test_a_call_is_streamed_as_fragments(post, events):
    """Pieces of JSON that add up."""
    told = events(post("/responses", HELLO | {"tools": [WEATHER], "tool_choice": "required"}).body)
    assert names(told)[2:6] == [
        "output_item.added", "function_call_arguments.delta", "function_call_arguments.done", "output_item.done",
    ]  # fmt: skip
    pieces = [event["delta"] for event in told if event["type"] == "response.function_call_arguments.delta"]
    assert len(pieces) > 1
    assert json.loads("".join(pieces)) == {"city": "Hello there"}


def test_what_is_done_says_nothing_of_the_function(post, events):
    """The item has its name; the event has the arguments alone."""
    told = events(post("/responses", HELLO | {"input": "get_weather in Oslo", "tools": [WEATHER]}).body)
    (done,) = (event for event in told if event["type"] == "response.function_call_arguments.done")
    assert done.keys() == {"type", "item_id", "output_index", "arguments", "sequence_number"}


def test_when_it_was_completed_is_known_at_the_end(post, events):
    """And only where it was."""
    for more, status, completed in (({}, "completed", True), ({"max_output_tokens": 16}, "incomplete", False)):
        told = events(post("/responses", HELLO | {"input": "word " * 40} | more).body)
        first, last = told[0]["response"], told[-1]["response"]
        assert (first["completed_at"], last["status"]) == (None, status)
        assert last["completed_at"] == (last["created_at"] if completed else None)


def test_a_response_has_the_fields_of_its_time(post, events):
    """Those that are always the same too; reasoning that is not shown has no content."""
    asked = HELLO | {"model": "gpt-5.5", "prompt_cache_retention": "24h", "reasoning": {"effort": "low"}}
    body = events(post("/responses", asked).body)[-1]["response"]
    named = ("top_logprobs", "frequency_penalty", "presence_penalty", "prompt_cache_retention")
    assert [body[name] for name in named] == [0, 0.0, 0.0, "24h"]
    assert (body["output"][0]["type"], body["output"][0]["content"]) == ("reasoning", [])


def test_a_refusal_is_streamed_under_its_own_name(post, events):
    """Not as text."""
    told = events(post("/responses", HELLO, "refusal").body)
    assert names(told)[4:6] == ["refusal.delta", "refusal.done"]


def test_what_is_cut_short_ends_as_incomplete(post, events):
    """The last event says so."""
    told = events(post("/responses", HELLO | {"input": "word " * 40, "max_output_tokens": 16}).body)
    assert told[-1]["type"] == "response.incomplete"
    assert told[-1]["response"]["incomplete_details"] == {"reason": "max_output_tokens"}


def test_pieces_are_padded_unless_told_otherwise(post, events):
    """As the real service pads them."""
    for options, padded in ({}, True), ({"stream_options": {"include_obfuscation": False}}, False):
        told = events(post("/responses", HELLO | options).body)
        assert {"obfuscation" in event for event in told if event["type"].endswith(".delta")} == {padded}


def test_the_package_gathers_a_stream(client):
    """Its own accumulator ends with the same response."""
    with client.responses.stream(model="gpt-5.5", input="weather", tools=[WEATHER]) as stream:
        told = stream.get_final_response()
    assert [item.type for item in told.output] == ["reasoning", "function_call"]
    assert told.output[1].parsed_arguments == {"city": "weather"}
    assert client.responses.retrieve(told.id).status == "completed"
