"""Tokens of prompts: what is written to the cache, what is read from it, and which marks are refused."""

from __future__ import annotations

import pytest

MARK = {"type": "ephemeral"}
HOUR = {"type": "ephemeral", "ttl": "1h"}
LONG = "word " * 5000  # pieces, the last one a space


def text(words, **more):
    """A block of text."""
    return {"type": "text", "text": words, **more}


@pytest.fixture
def spent(chat):
    """spent(**fields): fresh, written and read tokens."""

    def spent(content="Hello there", scenario="", **fields):
        usage = chat(content, scenario, **fields).usage
        parts = usage.cache_creation
        assert usage.cache_creation_input_tokens == parts.ephemeral_5m_input_tokens + parts.ephemeral_1h_input_tokens
        return usage.input_tokens, usage.cache_creation_input_tokens, usage.cache_read_input_tokens

    return spent


def test_a_marked_beginning_is_written_and_then_read(spent, sandbox):
    """Until it is forgotten; what follows is always fresh."""
    system = [text(LONG, cache_control=MARK)]
    assert spent(system=system) == (2, 5001, 0)
    assert spent("Something else entirely", system=system) == (3, 0, 5001)
    sandbox.clock(advance_s=299)
    assert spent(system=system) == (2, 0, 5001)
    sandbox.clock(advance_s=301)
    assert spent(system=system) == (2, 5001, 0)


def test_nothing_is_cached_without_a_mark(spent):
    """However often it comes, and whatever is known."""
    assert spent(system=LONG) == (5003, 0, 0)
    assert spent(system=[text(LONG, cache_control=MARK)]) == (2, 5001, 0)
    assert spent(system=LONG) == (5003, 0, 0)


def test_a_short_beginning_is_not_cached(spent):
    """Each model has a least; the knob can say another."""
    system = [text("word " * 2000, cache_control=MARK)]
    assert [spent(system=system, model="claude-haiku-4-5") for _ in range(2)] == [(2003, 0, 0)] * 2
    assert spent(system=system, model="claude-sonnet-4-6") == (2, 2001, 0)
    knob = "cache_least_tokens=2001"
    assert [spent(system=system, scenario=knob) for _ in range(2)] == [(2, 2001, 0), (2, 0, 2001)]


def test_a_newer_model_caches_shorter_beginnings(spent):
    """From 512 tokens on."""
    for count, written in ((510, 0), (511, 512)):
        system = [text("word " * count, cache_control=MARK)]
        assert spent(system=system, model="claude-haiku-5-5")[1] == written


def test_the_cache_is_of_one_account_and_one_model(spent, client):
    """Others write their own."""
    system = [text(LONG, cache_control=MARK)]
    spent(system=system)
    assert spent(system=system, model="claude-sonnet-4-6") == (2, 5001, 0)
    asked = {"model": "claude-haiku-4-5", "max_tokens": 9, "messages": [{"role": "user", "content": "Hello there"}]}
    told = client.with_options(api_key="sandbox-bob").messages.create(**asked, system=system)
    assert told.usage.cache_creation_input_tokens == 5001


def test_tools_come_before_instructions_and_messages(spent, tool):
    """Whoever changes them changes the beginning of everything."""
    system = [text(LONG, cache_control=MARK)]
    tools = [tool("get_weather")]
    _fresh, written, _read = spent(system=system, tools=tools)
    assert spent(system=system, tools=tools) == (2, 0, written)
    assert spent(system=system, tools=[tool("find_hotel")])[2] == 0
    assert spent([{"role": "user", "content": "x"}], system=[text(LONG)], tools=tools)[2] == 0


def test_a_mark_does_not_change_what_it_marks(spent):
    """The same words without it are the same beginning."""
    first = [text(LONG, cache_control=MARK)]
    assert spent(system=first) == (2, 5001, 0)
    moved = [text(LONG), text("more", cache_control=MARK)]
    assert spent(system=moved) == (2, 1, 5001)


def test_a_talk_that_grows_is_read_up_to_its_last_mark(spent):
    """With a mark on its end each time, put there by itself."""
    talk = [{"role": "user", "content": LONG}]
    assert spent(talk, cache_control=MARK) == (0, 5001, 0)
    talk += [{"role": "assistant", "content": "Well"}, {"role": "user", "content": "And now?"}]
    assert spent(talk, cache_control=MARK) == (0, 3, 5001)
    assert spent(talk, cache_control=MARK) == (0, 0, 5004)


def test_a_beginning_is_looked_for_twenty_pieces_back(spent):
    """And no further."""
    for count, read in ((19, 5001), (20, 0)):
        start = [text(LONG, cache_control=MARK), text(str(count))]
        spent(system=[start[0]], scenario="", model="claude-haiku-4-5")
        more = [{"role": "user", "content": [text("x") for _ in range(count - 1)] + [text("y", cache_control=MARK)]}]
        assert spent(more, system=[text(LONG)])[2] == read


def test_an_hour_is_longer(chat, sandbox):
    """What is written for it is told apart."""
    system = [text(LONG, cache_control=HOUR), text("more", cache_control=MARK)]
    usage = chat(system=system).usage
    told = usage.cache_creation
    assert (told.ephemeral_1h_input_tokens, told.ephemeral_5m_input_tokens) == (5001, 1)
    assert usage.cache_creation_input_tokens == 5002
    sandbox.clock(advance_s=3000)
    usage = chat(system=system).usage
    assert (usage.cache_read_input_tokens, usage.cache_creation.ephemeral_5m_input_tokens) == (5001, 1)


def test_a_prompt_can_be_cached_without_an_answer(spent):
    """With no tokens for one."""
    system = [text(LONG, cache_control=MARK)]
    assert spent(system=system, max_tokens=0) == (2, 5001, 0)
    assert spent(system=system) == (2, 0, 5001)


def test_what_is_read_does_not_count_against_the_limit(post):
    """Of input tokens."""
    body = {"system": [text(LONG, cache_control=HOUR), text("more", cache_control=MARK)]}
    left = [post(body, "input_token_limit=10000").headers["anthropic-ratelimit-input-tokens-remaining"] for _ in "ab"]
    assert left == ["4996", "4994"]


def test_every_sort_of_block_can_be_marked(post, tool, document, png, picture):
    """Calls and results too."""
    call = {"type": "tool_use", "id": "a", "name": "look", "input": {}, "cache_control": MARK}
    result = {"type": "tool_result", "tool_use_id": "a", "content": "x", "cache_control": MARK}
    found = {"type": "search_result", "source": "s", "title": "t", "content": [text("x")], "cache_control": MARK}
    for content in ([document("x", cache_control=MARK)], [picture(png()) | {"cache_control": MARK}], [found]):
        assert post({"messages": [{"role": "user", "content": content}]}).status == 200
    talk = [
        {"role": "user", "content": "x"}, {"role": "assistant", "content": [call]},
        {"role": "user", "content": [result]},
    ]  # fmt: skip
    assert post({"messages": talk, "tools": [tool("look", cache_control=MARK)]}).status == 200


@pytest.mark.parametrize(
    ("marks", "place"),
    [
        ([MARK] * 5, "cache_control"),
        ([MARK, HOUR], "system.1.cache_control.ttl"),
        ([{"ttl": "5m"}], "system.0.cache_control.type"),
    ],
)
def test_marks_that_make_no_sense_are_refused(refused, marks, place):
    """Too many, or the longer after the shorter."""
    assert refused({"system": [text("x", cache_control=mark) for mark in marks]}) == (400, place)


def test_four_marks_are_taken(post):
    """The one that comes by itself is one of them."""
    system = [text("x", cache_control=HOUR), *(text("x", cache_control=MARK) for _ in range(3))]
    assert post({"system": system}).status == 200
    assert post({"system": system, "cache_control": MARK}).status == 400


def test_calls_are_counted_by_name_and_input(client):
    """And results by their words."""
    call = {"type": "tool_use", "id": "a", "name": "look", "input": {"a": "one two"}}
    result = {"type": "tool_result", "tool_use_id": "a", "content": "one two three"}
    talk = [
        {"role": "user", "content": "x"}, {"role": "assistant", "content": [call]},
        {"role": "user", "content": [result]},
    ]  # fmt: skip
    counted = client.messages.count_tokens(model="claude-haiku-4-5", messages=talk)
    assert counted.input_tokens == 1 + (1 + 2) + 3


def test_documents_are_counted_by_their_words(client, document):
    """A PDF has a size of its own; title and context count."""

    def count(block):
        messages = [{"role": "user", "content": [block]}]
        return client.messages.count_tokens(model="claude-haiku-4-5", messages=messages).input_tokens

    source = {"type": "content", "content": [text("one two"), text("three")]}
    assert count(document("one two three", title="A title", context="x")) == 6
    assert count(document(b"%PDF-1")) == 256
    assert count({"type": "document", "source": source}) == 3
    assert count({"type": "document", "source": source | {"content": "one"}}) == 1
