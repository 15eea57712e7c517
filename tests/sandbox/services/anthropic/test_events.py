"""A stream: its events as they are on the wire, and the message that the official package makes of them."""

from __future__ import annotations

import anthropic
import pytest

THINKING = {"model": "claude-sonnet-4-6", "thinking": {"type": "adaptive"}}
SEARCH = {"type": "web_search_20250305", "name": "web_search"}


@pytest.fixture
def streamed(client):
    """streamed(text, scenario, **fields): the package's final message of a stream, and the same asked for whole."""

    def streamed(text="Hello there", scenario="", **fields):
        asked = {"model": "claude-haiku-4-5", "max_tokens": 4000, "messages": [{"role": "user", "content": text}]}
        asked |= fields | {"extra_headers": {"x-sandbox-scenario": scenario}}
        with client.messages.stream(**asked) as stream:
            final = stream.get_final_message()
        return final, client.messages.create(**asked)

    return streamed


def plain(message):
    """A message without what is never the same twice."""
    found = message.to_dict(mode="json")
    for block in found["content"]:
        for name in ("id", "tool_use_id", "parsed_output"):
            block.pop(name, None)
    usage = {name: value for name, value in found["usage"].items() if value is not None}
    return found | {"id": None, "usage": usage}


def test_the_events_of_an_answer(post, events):
    """Begun, filled, ended; a ping after the first beginning."""
    told = events(post({"stream": True, "max_tokens": 3}).body)
    assert [event["type"] for event in told] == [
        "message_start", "content_block_start", "ping", "content_block_delta", "content_block_delta",
        "content_block_delta", "content_block_stop", "message_delta", "message_stop",
    ]  # fmt: skip
    message = told[0]["message"]
    assert (message["content"], message["stop_reason"], message["usage"]["output_tokens"]) == ([], None, 1)
    assert {"server_tool_use", "output_tokens_details"}.isdisjoint(message["usage"])
    assert told[1] == {"type": "content_block_start", "index": 0, "content_block": {"type": "text", "text": ""}}
    assert told[3]["delta"] == {"type": "text_delta", "text": "You"}
    assert told[-2]["delta"]["stop_reason"] == "max_tokens"
    assert (told[-2]["usage"]["input_tokens"], told[-2]["usage"]["output_tokens"]) == (2, 3)


def test_a_stream_is_an_event_stream(post):
    """By its type."""
    assert post({"stream": True}).headers["content-type"].startswith("text/event-stream")


def test_an_empty_answer_has_no_blocks(post, events):
    """And no ping."""
    told = events(post({"stream": True}, "refusal").body)
    assert [event["type"] for event in told] == ["message_start", "message_delta", "message_stop"]
    assert told[1]["delta"]["stop_details"]["type"] == "refusal"


@pytest.mark.parametrize(
    ("text", "scenario", "fields"),
    [
        ("Hello there", "", {}),
        ("Hello there", "", {"max_tokens": 2}),
        ("Hello there", "", {"stop_sequences": ["there"]}),
        ("Hello there", "refusal", {}),
        ("Hello there", "", THINKING),
        ("Hello there", "", THINKING | {"thinking": {"type": "adaptive", "display": "omitted"}}),
        ("Hello there", "redacted_thinking", THINKING),
        ("search", "", {"tools": [SEARCH]}),
        ("search", "search_error=unavailable", {"tools": [SEARCH]}),
    ],
)
def test_the_package_makes_the_same_message_of_a_stream(streamed, text, scenario, fields):
    """As of a whole answer."""
    final, whole = streamed(text, scenario, **fields)
    assert plain(final) == plain(whole)


def test_tools_are_called_in_a_stream(streamed, tool):
    """In fragments that make up their input."""
    final, whole = streamed("The weather and a hotel", "preface", tools=[tool("get_weather"), tool("find_hotel")])
    assert plain(final) == plain(whole)
    assert [block.type for block in final.content] == ["text", "tool_use", "tool_use"]


def test_the_input_of_a_tool_comes_in_fragments(post, events, tool):
    """After an empty one; the block begins without it."""
    body = {"stream": True, "tools": [tool("get_weather")], "messages": [{"role": "user", "content": "weather"}]}
    told = events(post(body).body)
    assert told[1]["content_block"]["input"] == {}
    parts = [event["delta"]["partial_json"] for event in told if event["type"] == "content_block_delta"]
    assert (parts[0], "".join(parts)) == ("", '{"city":"weather"}')
    assert all(0 < len(part) <= 6 for part in parts[1:])


def test_a_thought_is_signed_at_its_end(post, events):
    """After its text, before the answer begins."""
    told = events(post(THINKING | {"stream": True}, "thinking_tokens=9").body)
    begun = {"type": "thinking", "thinking": "", "signature": ""}
    assert told[1]["content_block"] == begun
    kinds = [event["delta"]["type"] for event in told if event["type"] == "content_block_delta"]
    assert kinds[:4] == ["thinking_delta", "thinking_delta", "signature_delta", "text_delta"]


def test_a_thought_that_is_kept_back_is_only_signed(post, events):
    """No text comes, and that as a piece."""
    told = events(post({"model": "claude-opus-5-5", "stream": True}).body)
    thought, seal = (event["delta"] for event in told if event.get("index") == 0 and "delta" in event)
    assert (thought, seal["type"]) == ({"type": "thinking_delta", "thinking": ""}, "signature_delta")


def test_the_package_tells_pieces_as_they_come(client):
    """Text by text."""
    asked = {"model": "claude-haiku-4-5", "max_tokens": 99, "messages": [{"role": "user", "content": "Hi"}]}
    with client.messages.stream(**asked) as stream:
        assert list(stream.text_stream) == ["You", " asked:", " “Hi”", " (1", " word)."]


@pytest.mark.parametrize(
    ("kind", "raised"),
    [("overloaded_error", "overloaded_error"), ("rate_limit_error", "rate_limit_error"), ("api_error", "api_error")],
)
def test_an_error_in_the_middle_is_an_event(client, kind, raised):
    """The package raises it, of the kind that was told."""
    asked = {"model": "claude-haiku-4-5", "max_tokens": 99, "messages": [{"role": "user", "content": "Hi"}]}
    head = {"x-sandbox-scenario": f"error_after=4, error_kind={kind}"}
    heard = []
    with (
        client.messages.stream(**asked, extra_headers=head) as stream,
        pytest.raises(anthropic.APIStatusError) as caught,
    ):
        heard.extend(stream.text_stream)
    assert heard == ["You"]
    assert (caught.value.type, caught.value.status_code) == (raised, 200)


def test_an_error_may_come_first(post, events):
    """Before anything else."""
    (only,) = events(post({"stream": True}, "error_after=0").body)
    assert (only["type"], only["error"]["type"]) == ("error", "overloaded_error")


@pytest.mark.parametrize("fault", ["crlf", "cr", "no_space", "chunk_bytes=7", "split_character", "coalesce"])
def test_the_package_reads_every_form_of_the_stream(client, fault):
    """However lines end and bytes are cut."""
    asked = {"model": "claude-haiku-4-5", "max_tokens": 99, "messages": [{"role": "user", "content": "Grüße 日本"}]}
    with client.messages.stream(**asked, extra_headers={"x-sandbox-scenario": fault}) as stream:
        assert stream.get_final_text() == "You asked: “Grüße 日本” (2 words)."


def test_a_stream_that_breaks_raises(client):
    """The package does not take half for whole."""
    asked = {"model": "claude-haiku-4-5", "max_tokens": 99, "messages": [{"role": "user", "content": "Hi"}]}
    head = {"x-sandbox-scenario": "cut_frame; after=5"}
    with (
        client.messages.stream(**asked, extra_headers=head) as stream,
        pytest.raises(Exception, match=r"(?i)clos|incompl"),
    ):
        stream.get_final_message()
