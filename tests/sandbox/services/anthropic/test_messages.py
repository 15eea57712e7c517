"""A message as the official package sees it, and what the request may not hold."""

from __future__ import annotations

import asyncio
import json

import anthropic
import pytest
from pydantic import BaseModel

HELLO = [{"role": "user", "content": "Hello there"}]
CLOSED = {
    "type": "object", "properties": {"colour": {"enum": ["blue"]}, "count": {"type": "integer"}},
    "required": ["colour", "count"], "additionalProperties": False,
}  # fmt: skip
OLDER, NEWEST = "2023-06-01", "2026-10-21"


class Cat(BaseModel):
    """A shape for an answer."""

    name: str
    lives: int


def config(**changes):
    """A format for the answer."""
    return {"format": {"type": "json_schema", "schema": CLOSED | changes}}


def test_an_answer_has_text_usage_and_a_reason(chat):
    """The whole of a message."""
    told = chat()
    assert [(block.type, block.text) for block in told.content] == [("text", "You asked: “Hello there” (2 words).")]
    assert (told.model, told.role, told.type) == ("claude-haiku-4-5-20251001", "assistant", "message")
    assert (told.stop_reason, told.stop_sequence, told.stop_details) == ("end_turn", None, None)
    assert (told.usage.input_tokens, told.usage.output_tokens) == (2, 6)
    assert (told.usage.service_tier, told.usage.inference_geo) == ("standard", "global")
    assert told.id.startswith("msg_")


def test_the_package_asks_the_same_way_without_waiting(sandbox):
    """Its asynchronous client gets the same answers, whole and as a stream."""

    async def ask():
        base_url = f"{sandbox.url}/anthropic"
        asked = {"model": "claude-haiku-4-5", "max_tokens": 100, "messages": HELLO}
        async with anthropic.AsyncAnthropic(base_url=base_url, api_key="sandbox-alice", max_retries=0) as client:
            whole = await client.messages.create(**asked)
            async with client.messages.stream(**asked) as stream:
                return whole, await stream.get_final_message()

    whole, streamed = asyncio.run(ask())
    assert [it.content[0].text for it in (whole, streamed)] == ["You asked: “Hello there” (2 words)."] * 2


def test_every_setting_at_once_is_taken(chat):
    """Fields without effect are no mistake."""
    told = chat(
        model="claude-sonnet-4-6", metadata={"user_id": "u"}, service_tier="standard_only", inference_geo="us",
        stop_sequences=["x-y-z"], speed="standard", diagnostics={"previous_message_id": None},
        output_config={"effort": "low"}, thinking={"type": "disabled"}, system="Be kind",
        cache_control={"type": "ephemeral", "ttl": "1h"}, container=None,
    )  # fmt: skip
    assert (told.stop_reason, told.usage.inference_geo, told.diagnostics) == ("end_turn", "us", None)


@pytest.mark.parametrize(
    "system", ["Be very kind", [{"type": "text", "text": "Be very"}, {"type": "text", "text": "kind"}]]
)
def test_instructions_reach_the_model(chat, system):
    """As a text or in blocks."""
    told = chat(system=system)
    assert told.content[0].text.endswith("My instructions hold 3 words.")
    assert told.usage.input_tokens == 5


def test_the_limit_of_tokens_is_kept(chat):
    """With the reason `max_tokens`."""
    told = chat(max_tokens=3)
    assert (told.stop_reason, told.usage.output_tokens) == ("max_tokens", 3)
    assert told.content[0].text == "You asked: “Hello"


def test_without_tokens_nothing_is_said(chat):
    """The prompt is read all the same."""
    told = chat(max_tokens=0)
    assert (told.content, told.stop_reason, told.usage.output_tokens) == ([], "max_tokens", 0)
    assert told.usage.input_tokens == 2


@pytest.mark.parametrize(
    ("stop", "said", "reached"),
    [
        (["there"], "You asked: “Hello ", "there"),
        (["nothing", "there", "Hello"], "You asked: “", "Hello"),
        (["You"], "", "You"),
    ],
)
def test_a_stop_sequence_ends_the_answer_before_itself(chat, stop, said, reached):
    """And is told; the first one in the answer counts."""
    told = chat(stop_sequences=stop)
    assert "".join(block.text for block in told.content) == said
    assert (told.stop_reason, told.stop_sequence) == ("stop_sequence", reached)


def test_a_stop_sequence_that_is_never_said_stops_nothing(chat):
    """Nor does one that comes after the last token."""
    for more in ({}, {"max_tokens": 3}):
        assert chat(stop_sequences=["words", "absent"] if more else ["absent"], **more).stop_sequence is None


def test_a_schema_is_obeyed(chat):
    """The text is JSON that holds to it."""
    told = chat(output_config=config())
    assert json.loads(told.content[0].text) == {"colour": "blue", "count": 1}


def test_the_package_parses_into_a_model(client):
    """Its own schema is accepted."""
    told = client.messages.parse(model="claude-haiku-4-5", max_tokens=99, messages=HELLO, output_format=Cat)
    assert told.parsed_output == Cat(name="Hello there", lives=1)


def test_the_package_parses_a_stream(client):
    """When the block ends."""
    asked = {"model": "claude-haiku-4-5", "max_tokens": 99, "messages": HELLO}
    with client.messages.stream(**asked, output_format=Cat) as stream:
        assert stream.get_final_message().parsed_output == Cat(name="Hello there", lives=1)


def test_a_script_speaks_for_the_model(chat, sandbox):
    """With its own reason; the words of other services are translated."""
    for word, reason in (("pause_turn", "pause_turn"), ("length", "max_tokens"), (None, "end_turn")):
        sandbox.script("anthropic", text="So be it", finish_reason=word)
        told = chat()
        assert (told.content[0].text, told.stop_reason) == ("So be it", reason)


def test_a_refusal_is_a_reason_with_details(chat):
    """And nothing is said."""
    told = chat(scenario="refusal")
    assert (told.content, told.stop_reason) == ([], "refusal")
    assert (told.stop_details.type, told.stop_details.category) == ("refusal", "general_harms")


def test_an_answer_goes_on_from_the_last_message(chat):
    """Where the model can."""
    told = chat([*HELLO, {"role": "assistant", "content": "You asked:"}])
    assert told.content[0].text == " “Hello there” (2 words)."


def test_a_last_message_may_be_empty(chat):
    """That of the assistant."""
    told = chat([*HELLO, {"role": "assistant", "content": ""}])
    assert told.content[0].text == "You asked: “Hello there” (2 words)."


def test_a_context_that_is_too_long_is_refused(chat):
    """400 with both numbers."""
    with pytest.raises(anthropic.BadRequestError) as caught:
        chat("one two three four", scenario="context_tokens=3")
    assert caught.value.api_message == "prompt is too long: 4 tokens > 3 maximum"


def test_a_context_that_runs_full_stops_the_answer(chat):
    """With a reason of its own, unless the limit is reached at once."""
    told = chat(scenario="context_tokens=5")
    assert (told.stop_reason, told.usage.output_tokens) == ("model_context_window_exceeded", 3)
    assert chat(scenario="context_tokens=5", max_tokens=3).stop_reason == "max_tokens"


def test_diagnostics_come_when_they_are_asked_for(post):
    """There is never anything to tell."""
    assert "diagnostics" not in post({}).json
    assert post({"diagnostics": {"previous_message_id": None}}).json["diagnostics"] is None


def test_a_newer_model_says_more(post, refused):
    """128,000 tokens at most."""
    assert post({"model": "claude-opus-5-5", "max_tokens": 128_000}).status == 200
    assert refused({"model": "claude-opus-5-5", "max_tokens": 128_001}) == (400, "max_tokens")


def test_tokens_are_counted_as_they_are_charged(client, chat, tool, picture, png):
    """Of tools, instructions and all that is said and shown."""
    prompt = {
        "system": "Be very kind", "tools": [tool("get_weather")],
        "messages": [{"role": "user", "content": [{"type": "text", "text": "Look"}, picture(png())]}],
    }  # fmt: skip
    counted = client.messages.count_tokens(model="claude-haiku-4-5", **prompt).input_tokens
    assert counted == chat(prompt.pop("messages"), **prompt).usage.input_tokens
    assert counted > 256 + 4


@pytest.mark.parametrize("field", ["max_tokens", "stream", "metadata"])
def test_counting_takes_only_the_prompt(refused, field):
    """Fields about the answer are none of its own."""
    assert refused({field: 1}, path="/messages/count_tokens") == (400, field)


@pytest.mark.parametrize(
    ("fields", "place"),
    [
        ({"xyz": 1}, "xyz"),
        ({"max_tokens": None}, "max_tokens"),
        ({"max_tokens": -1}, "max_tokens"),
        ({"max_tokens": 64_001}, "max_tokens"),
        ({"max_tokens": 0, "stream": True}, "max_tokens"),
        ({"model": None}, "model"),
        ({"messages": []}, "messages"),
        ({"messages": None}, "messages"),
        ({"stream": "yes"}, "stream"),
        ({"temperature": 1.1}, "temperature"),
        ({"temperature": 0.5, "top_p": 0.5}, "temperature"),
        ({"top_p": -0.1}, "top_p"),
        ({"top_k": -1}, "top_k"),
        ({"stop_sequences": ["a", " \n"]}, "stop_sequences.1"),
        ({"stop_sequences": "a"}, "stop_sequences"),
        ({"system": [{"type": "text", "text": " "}]}, "system.0.text"),
        ({"system": [{"type": "image"}]}, "system.0.type"),
        ({"metadata": {"user": "u"}}, "metadata.user"),
        ({"metadata": {"user_id": "u" * 257}}, "metadata.user_id"),
        ({"service_tier": "priority"}, "service_tier"),
        ({"inference_geo": "moon"}, "inference_geo"),
        ({"speed": "fast"}, "speed"),
        ({"container": "c"}, "container"),
        ({"thinking": {"type": "enabled"}}, "thinking.budget_tokens"),
        ({"thinking": {"type": "enabled", "budget_tokens": 1023}}, "thinking.budget_tokens"),
        ({"thinking": {"type": "enabled", "budget_tokens": 4000}}, "thinking.budget_tokens"),
        ({"output_config": {"effort": "huge"}}, "output_config.effort"),
        ({"output_config": {"format": {"type": "json_object"}}}, "output_config.format.type"),
        ({"output_config": config(additionalProperties=True)}, "output_config.format.schema"),
        ({"output_config": config(), "messages": [*HELLO, {"role": "assistant", "content": "{"}]}, "messages.1"),
        ({"cache_control": {"type": "forever"}}, "cache_control.type"),
    ],
)
def test_what_is_wrong_is_refused_by_place(refused, fields, place):
    """400 with the field's name."""
    assert refused(fields) == (400, place)


def test_a_field_that_is_unknown_or_missing_is_told_so(post):
    """In the words the service has for it."""
    assert post({"xyz": 1}).json["error"]["message"] == "xyz: Extra inputs are not permitted"
    body = {"model": "claude-haiku-4-5", "messages": HELLO}
    assert post(json.dumps(body).encode(), content_type="application/json").json["error"]["message"] == (
        "max_tokens: Field required"
    )


@pytest.mark.parametrize(
    ("fields", "place"),
    [
        ({"temperature": 0.5}, "temperature"),
        ({"top_p": 0.5}, "top_p"),
        ({"top_k": 5}, "top_k"),
    ],
)
@pytest.mark.parametrize(
    "who",
    [
        {"model": "claude-opus-4-7"},
        {"thinking": {"type": "enabled", "budget_tokens": 1024}},
        {"model": "claude-sonnet-4-6", "thinking": {"type": "adaptive"}},
    ],
)
def test_who_thinks_or_is_new_is_not_sampled_otherwise(post, refused, fields, place, who):
    """The defaults are no mistake."""
    assert refused(who | fields) == (400, place)
    assert post(who | {"temperature": 1}).status == 200
    assert post(who | {"top_p": 0.95}).status == 200


def test_an_older_model_can_be_sampled(post):
    """In the older version of the API."""
    assert post({"temperature": 0, "top_k": 5}).status == 200
    assert post({"top_p": 0.1}).status == 200


@pytest.mark.parametrize("field", ["temperature", "top_p", "top_k"])
def test_the_newest_version_knows_no_sampling(refused, field):
    """Not even the defaults."""
    assert refused({field: 1}, version=NEWEST) == (400, field)
