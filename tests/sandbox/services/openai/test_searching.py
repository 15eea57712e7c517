"""The search of the web in a response, as the official package sees it and as a stream, judged plainly."""

from __future__ import annotations

import pytest

ASKED = {"model": "gpt-5.5", "input": "Łódź 🦊: what is new?", "tools": [{"type": "web_search"}]}
LINKS = [
    "([example.org](https://example.org/page?utm_source=openai))",
    "([example.net](https://example.net/page?utm_source=openai))",
]


def cited(part):
    """The words that a part's citations span."""
    return [part.text[one.start_index : one.end_index] for one in part.annotations]


def test_an_answer_tells_its_search_and_its_sources(client):
    """The call with its query, and the links of the text with their exact places, in characters."""
    told = client.responses.create(**ASKED)
    assert [item.type for item in told.output] == ["reasoning", "web_search_call", "message"]
    search, message = told.output[1:]
    assert search.id.startswith("ws_")
    assert (search.status, search.action.type, search.action.query) == ("completed", "search", ASKED["input"])
    assert search.action.queries == [ASKED["input"]]
    assert search.action.sources is None
    (part,) = message.content
    assert cited(part) == LINKS
    assert [(one.type, one.title, one.url) for one in part.annotations] == [
        ("url_citation", "On echoes", "https://example.org/page?utm_source=openai"),
        ("url_citation", "News of today", "https://example.net/page?utm_source=openai"),
    ]


def test_a_stream_tells_the_same_in_order(post, events):
    """The search step by step, then the text, each source right after its link."""
    told = events(post("/responses", ASKED | {"model": "gpt-4o", "stream": True}).body)
    assert [event["type"].removeprefix("response.") for event in told[2:9]] == [
        "output_item.added", "web_search_call.in_progress", "web_search_call.searching", "web_search_call.completed",
        "output_item.done", "output_item.added", "content_part.added",
    ]  # fmt: skip
    search, message = told[-1]["response"]["output"]
    assert told[2]["item"] == search | {"status": "in_progress", "action": {"type": "search"}}
    assert {(event["item_id"], event["output_index"]) for event in told[3:6]} == {(search["id"], 0)}
    assert told[6]["item"] == search
    assert told[8]["part"]["annotations"] == []
    said, notes = "", []
    for event in told[9:]:
        if event["type"] == "response.output_text.delta":
            said += event["delta"]
        elif event["type"] == "response.output_text.annotation.added":
            place = ("item_id", "output_index", "content_index", "annotation_index")
            assert [event[name] for name in place] == [message["id"], 1, 0, len(notes)]
            notes.append(event["annotation"])
            assert said[notes[-1]["start_index"] :].startswith(LINKS[len(notes) - 1])
    assert (notes, said) == (message["content"][0]["annotations"], message["content"][0]["text"])


def test_the_package_gathers_a_search(client):
    """Its accumulator ends with the sources in place."""
    with client.responses.stream(**ASKED) as stream:
        seen = [event.type for event in stream]
        told = stream.get_final_response()
    assert seen.count("response.output_text.annotation.added") == 2
    assert cited(told.output[-1].content[0]) == LINKS
    assert cited(client.responses.retrieve(told.id).output[-1].content[0]) == LINKS


def test_what_was_found_is_told_where_it_is_asked_for(client):
    """Every address, cited or not."""
    told = client.responses.create(**ASKED, include=["web_search_call.action.sources"])
    assert [source.url for source in told.output[1].action.sources] == [
        "https://example.org/page?utm_source=openai", "https://example.net/page?utm_source=openai",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("tool", "expected"),
    [
        ({"type": "web_search", "filters": {"allowed_domains": ["example.net"]}}, LINKS[1:]),
        ({"type": "web_search", "filters": {"allowed_domains": ["net"]}}, LINKS[1:]),
        ({"type": "web_search", "filters": {"allowed_domains": ["ample.net"]}}, []),
        ({"type": "web_search", "filters": {}}, LINKS),
        ({"type": "web_search_2025_08_26", "search_context_size": "low", "external_web_access": False}, LINKS),
        ({"type": "web_search_preview", "user_location": {"type": "approximate", "country": "PL"}}, LINKS),
    ],
)
def test_only_what_may_be_found_is_found(client, tool, expected):
    """Whatever the name of the tool."""
    told = client.responses.create(model="gpt-4o", input="Hello", tools=[tool])
    assert cited(told.output[-1].content[0]) == expected
    assert ("found nothing" in told.output_text) == (not expected)


@pytest.mark.parametrize("asked", ["Repeat this exactly:\n\nalpha", "word " * 40])
def test_what_is_not_said_is_not_cited(client, asked):
    """An answer without the links, or cut before them."""
    told = client.responses.create(model="gpt-4o", input=asked, tools=[{"type": "web_search"}], max_output_tokens=16)
    assert [item.type for item in told.output] == ["web_search_call", "message"]
    assert told.output[-1].content[0].annotations == []


@pytest.mark.parametrize(
    ("more", "param", "code"),
    [
        ({"search_context_size": "huge"}, "search_context_size", "invalid_value"),
        ({"filters": {"blocked": []}}, "filters.blocked", "unknown_parameter"),
        ({"filters": {"allowed_domains": ["a.b"] * 101}}, "filters.allowed_domains", "array_above_max_length"),
        ({"user_location": {"country": "Poland"}}, "user_location.country", "invalid_value"),
        ({"user_location": {"type": "exact"}}, "user_location.type", "invalid_value"),
        ({"type": "web_search_preview", "filters": {}}, "filters", "unknown_parameter"),
    ],
)
def test_a_search_that_makes_no_sense_is_refused(refused, more, param, code):
    """400 with the field's place in the tool."""
    body = {"model": "gpt-4o", "input": "Hello", "tools": [{"type": "web_search"} | more]}
    assert refused("/responses", body) == (400, f"tools[0].{param}", code)
