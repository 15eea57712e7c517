"""A chat completion, as the official package sees it, and what the request may not hold."""

from __future__ import annotations

import json

import openai
import pytest
from pydantic import BaseModel

HELLO = [{"role": "user", "content": "Hello there"}]
CLOSED = {
    "type": "object", "properties": {"colour": {"enum": ["blue"]}, "count": {"type": "integer", "minimum": 3}},
    "required": ["colour", "count"], "additionalProperties": False,
}  # fmt: skip


class Cat(BaseModel):
    """A shape for an answer."""

    name: str
    lives: int


def schema(strict=True, **changes):
    """A response format."""
    return {"type": "json_schema", "json_schema": {"name": "cat", "schema": CLOSED | changes, "strict": strict}}


def test_an_answer_has_text_usage_and_a_finish_reason(chat):
    """The whole of a completion."""
    told = chat(model="gpt-4o-mini")
    assert told.choices[0].message.content == "You asked: “Hello there” (2 words)."
    assert (told.choices[0].finish_reason, told.model, told.object) == ("stop", "gpt-4o-mini", "chat.completion")
    assert (told.usage.prompt_tokens, told.usage.completion_tokens, told.usage.total_tokens) == (2, 6, 8)


def test_every_setting_at_once_is_taken(chat):
    """Fields without effect are no mistake."""
    told = chat(
        temperature=2, top_p=0, presence_penalty=-2, frequency_penalty=2, seed=7, n=1, logit_bias={"50": -100},
        metadata={"a": "b"}, store=True, user="u", safety_identifier="s", service_tier="auto", logprobs=False,
        prompt_cache_key="k", modalities=["text"], verbosity="low", stop=["x", "y"], max_tokens=50,
    )  # fmt: skip
    assert told.choices[0].finish_reason == "stop"


@pytest.mark.parametrize("field", ["max_tokens", "max_completion_tokens"])
def test_the_limit_of_tokens_is_kept(chat, field):
    """With the finish reason `length`."""
    told = chat(**{field: 3})
    assert (told.choices[0].finish_reason, told.usage.completion_tokens) == ("length", 3)
    assert told.choices[0].message.content == "You asked: “Hello"


@pytest.mark.parametrize("stop", ["there", ["nothing", "there"]])
def test_a_stop_sequence_ends_the_answer_before_itself(chat, stop):
    """Alone or in a list."""
    assert chat(stop=stop).choices[0].message.content == "You asked: “Hello "


def test_a_schema_is_obeyed(chat):
    """Structured outputs hold to the schema."""
    told = chat(response_format=schema())
    assert json.loads(told.choices[0].message.content) == {"colour": "blue", "count": 3}


def test_the_package_parses_into_a_model(client):
    """Its own strict schema is accepted."""
    told = client.chat.completions.parse(model="gpt-4o", messages=HELLO, response_format=Cat)
    assert told.choices[0].message.parsed == Cat(name="Hello there", lives=1)


def test_json_mode_gives_an_object(chat):
    """Any object, when JSON was spoken of."""
    told = chat("Answer in JSON", response_format={"type": "json_object"})
    assert json.loads(told.choices[0].message.content) == {"answer": "Answer in JSON"}


def test_a_model_that_reasons_counts_its_thoughts(chat):
    """More effort, more tokens; none of them shown."""
    spent = {}
    for effort in ("none", "low", "high"):
        told = chat(model="gpt-6-astra", reasoning_effort=effort)
        spent[effort] = told.usage.completion_tokens_details.reasoning_tokens
        assert told.usage.completion_tokens == spent[effort] + 6
    assert spent == {"none": 0, "low": 16, "high": 64}


def test_thoughts_count_against_the_limit(chat):
    """A limit that the thinking uses up leaves an empty answer."""
    told = chat(model="gpt-5.5", reasoning_effort="high", max_completion_tokens=20)
    assert (told.choices[0].message.content, told.choices[0].finish_reason) == ("", "length")
    assert told.usage.completion_tokens_details.reasoning_tokens == 20


def test_the_thinking_can_be_shown(chat):
    """Compatible services have it in a field of their own."""
    told = chat(model="gpt-5.5", scenario="reasoning_field=reasoning_content", reasoning_effort="low")
    assert told.choices[0].message.reasoning_content.startswith("The question is before me.")


def test_a_refusal_has_its_own_field(chat):
    """And no content."""
    told = chat(scenario="refusal")
    assert (told.choices[0].message.content, told.choices[0].finish_reason) == (None, "stop")
    assert told.choices[0].message.refusal == "I'm sorry, I can't help with that."


def test_a_script_speaks_for_the_model(chat, sandbox):
    """With its own finish reason."""
    sandbox.script("openai", text="", finish_reason="content_filter")
    assert chat().choices[0].finish_reason == "content_filter"


def test_usage_can_be_left_out(chat):
    """As some compatible services do."""
    assert chat(scenario="usage=off").usage is None


def test_a_long_beginning_is_cached(chat, sandbox):
    """From 1024 tokens on, in steps of 128, until it is forgotten."""
    system = {"role": "system", "content": "word " * 1200}
    cached = [chat([system, *HELLO]).usage.prompt_tokens_details.cached_tokens for _ in range(2)]
    other = chat([system, {"role": "user", "content": "Else"}]).usage.prompt_tokens_details.cached_tokens
    sandbox.clock(advance_s=301)
    forgotten = chat([system, *HELLO]).usage.prompt_tokens_details.cached_tokens
    assert (cached, other, forgotten) == ([0, 1152], 1152, 0)
    short = [{"role": "user", "content": "word " * 1000}]
    assert [chat(short).usage.prompt_tokens_details.cached_tokens for _ in range(2)] == [0, 0]


@pytest.mark.parametrize(
    ("fields", "param", "code"),
    [
        ({"colour": "red"}, "colour", "unknown_parameter"),
        ({"temperature": 2.1}, "temperature", "decimal_above_max_value"),
        ({"temperature": "warm"}, "temperature", "invalid_type"),
        ({"top_p": -1}, "top_p", "decimal_below_min_value"),
        ({"presence_penalty": 3}, "presence_penalty", "decimal_above_max_value"),
        ({"max_tokens": 0}, "max_tokens", "integer_below_min_value"),
        ({"max_tokens": 16_385}, "max_tokens", "invalid_value"),
        ({"max_tokens": 5, "max_completion_tokens": 5}, "max_tokens", None),
        ({"stop": ["a", "b", "c", "d", "e"]}, "stop", "array_above_max_length"),
        ({"stream_options": {"include_usage": True}}, "stream_options", None),
        ({"stream": True, "stream_options": {"usage": 1}}, "stream_options.usage", "unknown_parameter"),
        ({"n": 0}, "n", "integer_below_min_value"),
        ({"n": 2}, "n", "unsupported_by_sandbox"),
        ({"logprobs": True}, "logprobs", "unsupported_by_sandbox"),
        ({"modalities": ["text", "audio"]}, "modalities", "unsupported_by_sandbox"),
        ({"functions": [{"name": "f"}]}, "functions", "unsupported_by_sandbox"),
        ({"web_search_options": {}}, "web_search_options", "unsupported_by_sandbox"),
        ({"reasoning_effort": "low"}, "reasoning_effort", "unsupported_parameter"),
        ({"reasoning_effort": "huge"}, "reasoning_effort", "invalid_value"),
        ({"model": "gpt-5.5", "max_tokens": 5}, "max_tokens", "unsupported_parameter"),
        ({"model": "gpt-5.5", "stop": "x"}, "stop", "unsupported_parameter"),
        ({"model": "gpt-5.5", "temperature": 0.5}, "temperature", "unsupported_value"),
        ({"model": "o4-mini", "reasoning_effort": "none"}, "reasoning_effort", "unsupported_value"),
        ({"response_format": None}, "response_format", "invalid_type"),
        ({"response_format": {"type": "json_object"}}, "messages", None),
        ({"response_format": schema(required=["colour"])}, "response_format", None),
        ({"response_format": schema(additionalProperties=True)}, "response_format", None),
        ({"response_format": schema(strict=False, type="array")}, "response_format", None),
        ({"model": "gpt-3.5-turbo", "response_format": schema()}, "response_format", "unsupported_parameter"),
        ({"messages": []}, "messages", "empty_array"),
        ({"messages": None}, "messages", "invalid_type"),
        ({"model": None}, "model", "invalid_type"),
    ],
)
def test_what_is_wrong_is_refused_by_field(refused, fields, param, code):
    """400 with the field's place and a code."""
    assert refused("/chat/completions", {"model": "gpt-4o", "messages": HELLO} | fields) == (400, param, code)


def test_settings_at_their_default_are_no_mistake(chat):
    """A model that reasons takes the default temperature."""
    assert chat(model="gpt-5.5", temperature=1, top_p=1).choices[0].finish_reason == "stop"


def test_a_schema_that_is_not_strict_may_be_loose(chat):
    """Only strict schemas must close their objects."""
    told = chat(response_format=schema(strict=False, additionalProperties=True))
    assert json.loads(told.choices[0].message.content) == {"colour": "blue", "count": 3}


def test_every_model_can_be_told_to_take_the_newer_limit_only(chat, refused, sandbox):
    """The knob makes `max_tokens` a mistake."""
    sandbox.knobs("openai", only_max_completion_tokens=True)
    body = {"model": "gpt-4o", "messages": HELLO, "max_tokens": 5}
    assert refused("/chat/completions", body) == (400, "max_tokens", "unsupported_parameter")
    assert chat(max_completion_tokens=5).choices[0].finish_reason == "length"


def test_a_context_that_is_too_long_is_refused(chat):
    """400 with the code that clients look for."""
    with pytest.raises(openai.BadRequestError) as caught:
        chat("one two three four", scenario="context_tokens=3")
    assert (caught.value.code, caught.value.param) == ("context_length_exceeded", "messages")
