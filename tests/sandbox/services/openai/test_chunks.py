"""A completion as a stream: the form of every chunk, judged plainly, and what the official package makes of it."""

from __future__ import annotations

import json

import openai
import pytest

HELLO = {"model": "gpt-4o", "stream": True, "messages": [{"role": "user", "content": "Hello there"}]}


def test_a_stream_adds_up_to_the_answer(chat):
    """Role first, then the text, then the finish reason."""
    told = list(chat(stream=True))
    assert "".join(chunk.choices[0].delta.content or "" for chunk in told) == "You asked: “Hello there” (2 words)."
    assert told[0].choices[0].delta.role == "assistant"
    assert [chunk.choices[0].finish_reason for chunk in told] == [None] * (len(told) - 1) + ["stop"]
    assert len({chunk.id for chunk in told}) == 1


def test_a_stream_is_lines_of_data_with_an_end_mark(post, events):
    """Each chunk a frame; `[DONE]` last; nothing of usage unasked."""
    answer = post("/chat/completions", HELLO)
    assert answer.headers["content-type"] == "text/event-stream; charset=utf-8"
    *chunks, done = events(answer.body)
    assert done == "[DONE]"
    assert {chunk["object"] for chunk in chunks} == {"chat.completion.chunk"}
    assert all("usage" not in chunk for chunk in chunks)
    assert chunks[-1]["choices"] == [{"index": 0, "delta": {}, "logprobs": None, "finish_reason": "stop"}]
    assert answer.body.count(b"\n\n") == len(chunks) + 1


def test_usage_comes_after_the_finish_when_asked_for(post, events):
    """In a chunk without choices; the others say null."""
    *chunks, last, _done = events(post("/chat/completions", HELLO | {"stream_options": {"include_usage": True}}).body)
    assert last["choices"] == []
    assert (last["usage"]["prompt_tokens"], last["usage"]["completion_tokens"]) == (2, 6)
    assert {chunk["usage"] for chunk in chunks} == {None}


@pytest.mark.parametrize("asked", [True, False])
def test_usage_can_come_with_the_finish_or_never(post, events, asked):
    """As compatible services do, whatever was asked for."""
    body = HELLO | {"stream_options": {"include_usage": asked}}
    *chunks, last, _done = events(post("/chat/completions", body, "usage=with_finish").body)
    assert (last["choices"][0]["finish_reason"], last["usage"]["total_tokens"]) == ("stop", 8)
    assert all("usage" not in chunk for chunk in chunks)
    silent = events(post("/chat/completions", body, "usage=off").body)
    assert all("usage" not in chunk for chunk in silent[:-1])


def test_chunks_are_padded_unless_told_otherwise(post, events):
    """The obfuscation makes pieces of up to sixteen characters equally long."""
    chunks = events(post("/chat/completions", HELLO).body)[:-2]
    assert {len(chunk["choices"][0]["delta"]["content"]) + len(chunk["obfuscation"]) for chunk in chunks} == {16}
    plain = events(post("/chat/completions", HELLO | {"stream_options": {"include_obfuscation": False}}).body)
    assert all("obfuscation" not in chunk for chunk in plain)


def test_the_thinking_comes_before_the_answer_where_it_is_shown(post, events):
    """In the field that the knob names."""
    body = HELLO | {"model": "gpt-5.5", "reasoning_effort": "low"}
    chunks = events(post("/chat/completions", body, "reasoning_field=reasoning").body)[1:-2]
    fields = [next(iter(chunk["choices"][0]["delta"])) for chunk in chunks]
    assert fields == ["reasoning"] * 16 + ["content"] * 6


def test_a_refusal_is_streamed_in_its_own_field(chat):
    """And nothing in the content."""
    told = [chunk.choices[0].delta for chunk in chat(stream=True, scenario="refusal")]
    assert "".join(delta.refusal or "" for delta in told) == "I'm sorry, I can't help with that."
    assert "".join(delta.content or "" for delta in told) == ""


def test_parallel_calls_are_streamed_as_fragments(chat, tool):
    """Id and name once per index, then pieces of JSON."""
    tools = [tool("get_weather"), tool("find_hotel")]
    calls: dict[int, dict[str, str]] = {}
    last = None
    for chunk in chat("The weather and a hotel", tools=tools, stream=True):
        last = chunk.choices[0].finish_reason
        for part in chunk.choices[0].delta.tool_calls or []:
            if part.id:
                assert part.index not in calls
                calls[part.index] = {"name": part.function.name, "arguments": ""}
            calls[part.index]["arguments"] += part.function.arguments
    assert last == "tool_calls"
    assert [(call["name"], json.loads(call["arguments"])) for call in calls.values()] == [
        ("get_weather", {"city": "The weather and a hotel"}), ("find_hotel", {"city": "The weather and a hotel"}),
    ]  # fmt: skip


def test_the_arguments_come_in_several_pieces(post, events, tool):
    """A decoder that takes the first for the whole fails here."""
    body = HELLO | {"tools": [tool("get_weather")], "tool_choice": "required"}
    chunks = events(post("/chat/completions", body).body)[:-1]
    parts = [part for chunk in chunks for part in chunk["choices"][0]["delta"].get("tool_calls", [])]
    assert (parts[0]["type"], parts[0]["function"]) == ("function", {"name": "get_weather", "arguments": ""})
    assert [set(part) for part in parts[1:]] == [{"index", "function"}] * 4


def test_the_package_gathers_a_stream(client, tool):
    """Its own accumulator ends with the same call."""
    with client.chat.completions.stream(
        model="gpt-4o", messages=[{"role": "user", "content": "weather"}], tools=[tool("get_weather", strict=True)]
    ) as stream:
        told = stream.get_final_completion()
    assert told.choices[0].message.tool_calls[0].function.parsed_arguments == {"city": "weather"}


def test_an_error_inside_a_stream_is_raised(chat):
    """The key expires while the answer comes."""
    with pytest.raises(openai.APIError, match="expired") as caught:
        list(chat(stream=True, scenario="expired_mid_stream; after=2"))
    assert caught.value.code == "invalid_api_key"
    with pytest.raises(openai.AuthenticationError):
        chat()
