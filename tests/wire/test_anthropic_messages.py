"""wire/anthropic_messages.py: the stream and the document of the Messages API, cut anywhere."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from polychat.errors import BadRequest, FormatChanged, Overloaded, PolychatError, RateLimited, Unavailable
from polychat.fold import Fold
from polychat.types import (
    Citation,
    Event,
    Finish,
    HostedTool,
    Reply,
    TextDelta,
    Thinking,
    ThinkingDelta,
    ToolCall,
    ToolCallDelta,
    Usage,
)
from polychat.wire.anthropic_messages import Decoder

STOP = Finish(reason="stop", raw="end_turn")
QUERY = '{"query":"cats"}'
CITED = {"type": "web_search_result_location", "url": "https://a.example", "title": "A", "cited_text": "purr"}
NO_PART = r"anthropic sent (an event|a block) that is no part of an answer \("
ELSEWHERE = {"type": "char_location", "cited_text": "hm", "document_index": 0, "document_title": None}


def framed(kind: str, **fields: Any) -> bytes:
    """An event of the stream, under its name."""
    return f"event: {kind}\n".encode() + b"data: " + msgspec.json.encode({"type": kind, **fields}) + b"\n\n"


def begun(**usage: Any) -> bytes:
    """The first event."""
    message = {"id": "msg_1", "type": "message", "role": "assistant", "content": [], "model": "m", "stop_reason": None}
    return framed("message_start", message=message | {"usage": {"input_tokens": 9, "output_tokens": 1, **usage}})


def block(index: int, content: dict[str, Any], *deltas: dict[str, Any]) -> bytes:
    """A block from its beginning to its end."""
    start = framed("content_block_start", index=index, content_block=content)
    grown = b"".join(framed("content_block_delta", index=index, delta=delta) for delta in deltas)
    return start + grown + framed("content_block_stop", index=index)


def words(index: int, *pieces: str, citations: tuple[dict[str, Any], ...] = ()) -> bytes:
    """A block of words."""
    cited = [{"type": "citations_delta", "citation": one} for one in citations]
    said = [{"type": "text_delta", "text": piece} for piece in pieces]
    return block(index, {"type": "text", "text": "", "citations": []}, *cited, *said)


def ended(reason: str | None = "end_turn", **usage: Any) -> bytes:
    """The last two events."""
    delta = {"stop_reason": reason, "stop_sequence": None}
    return framed("message_delta", delta=delta, usage={"output_tokens": 3, **usage}) + framed("message_stop")


def document(*content: dict[str, Any], reason: str = "end_turn", **usage: Any) -> bytes:
    """A whole answer."""
    whole = {"id": "msg_1", "type": "message", "role": "assistant", "model": "m", "content": content}
    counted = {"input_tokens": 9, "output_tokens": 3, **usage}
    return msgspec.json.encode(whole | {"stop_reason": reason, "stop_sequence": None, "usage": counted})


def decoded(*reads: bytes) -> list[Event]:
    """The events of an answer that came in these reads."""
    decoder = Decoder("anthropic")
    events = [event for read in reads for event in decoder.feed(read)]
    return events + decoder.close()


def reply(*reads: bytes) -> Reply:
    """The whole answer."""
    fold = Fold()
    fold.add(decoded(*reads))
    return fold.reply()


STREAM = (
    begun(cache_creation_input_tokens=4, cache_read_input_tokens=2)
    + framed("ping")
    + block(
        0,
        {"type": "thinking", "thinking": "", "signature": ""},
        {"type": "thinking_delta", "thinking": "Łódź?"},
        {"type": "signature_delta", "signature": "s1"},
    )
    + words(1, "Grüße, ", "мир 🐈")
    + block(
        2,
        {"type": "tool_use", "id": "t1", "name": "f", "input": {}},
        {"type": "input_json_delta", "partial_json": ""},
        {"type": "input_json_delta", "partial_json": '{"x":'},
        {"type": "input_json_delta", "partial_json": "1}"},
    )
    + ended("tool_use", output_tokens_details={"thinking_tokens": 2})
)
EXPECTED = [
    ThinkingDelta(text="Łódź?"),
    ThinkingDelta(signature="s1"),
    TextDelta(text="Grüße, "),
    TextDelta(text="мир 🐈"),
    ToolCallDelta(index=0, id="t1", name="f"),
    ToolCallDelta(index=0, arguments='{"x":'),
    ToolCallDelta(index=0, arguments="1}"),
    Usage(input_tokens=15, output_tokens=3, cached_input_tokens=2, reasoning_tokens=2),
    Finish(reason="tool_calls", raw="tool_use"),
]


# ---------------------------------------------------------------- cuts


@pytest.mark.parametrize("newline", [b"\n", b"\r\n", b"\r"], ids=["LF", "CRLF", "CR"])
def test_a_stream_may_be_cut_anywhere(newline: bytes) -> None:
    """Between characters, bytes and frames, at each place."""
    stream = STREAM.replace(b"\n", newline)
    for at in range(len(stream) + 1):
        assert decoded(stream[:at], stream[at:]) == EXPECTED


@given(st.lists(st.integers(0, len(STREAM)), max_size=8))
def test_a_stream_may_come_in_any_pieces(cuts: list[int]) -> None:
    """Also in empty ones."""
    places = sorted({0, *cuts, len(STREAM)})
    assert decoded(*(STREAM[a:b] for a, b in pairwise(places))) == EXPECTED


def test_a_stream_may_come_byte_by_byte() -> None:
    """One at a time."""
    assert decoded(*(STREAM[at : at + 1] for at in range(len(STREAM)))) == EXPECTED


def test_the_end_needs_no_last_newline() -> None:
    """A body that is over completes its last event."""
    assert decoded(STREAM[:-2]) == EXPECTED


def test_a_stream_that_is_cut_has_no_end() -> None:
    """So that nobody takes a part for the whole; what came is kept, and the output is no number yet."""
    decoder = Decoder("anthropic")
    assert decoder.feed(begun() + words(0, "hi")) + decoder.close() == [TextDelta(text="hi")]
    assert not decoder.finished
    assert decoder.salvage() == [Usage(input_tokens=9)]


def test_a_reason_alone_is_no_end() -> None:
    """Only the last event is; the count that came with the reason is kept."""
    decoder = Decoder("anthropic")
    cut = begun() + words(0, "hi") + ended()[: -len(framed("message_stop"))]
    assert decoder.feed(cut) + decoder.close() == [TextDelta(text="hi")]
    assert decoder.salvage() == [Usage(input_tokens=9, output_tokens=3)]


def test_nothing_is_told_after_the_end() -> None:
    """And nothing twice."""
    decoder = Decoder("anthropic")
    assert decoder.feed(begun() + words(0, "hi") + ended() + words(1, "more") + ended())[-1] == STOP
    assert decoder.finished
    assert decoder.close() + decoder.salvage() == []


def test_nothing_said_is_nothing_told() -> None:
    """A body without events, or of white space."""
    assert decoded() == []
    assert decoded(b" \n", b"\n") == []


# ---------------------------------------------------------------- words, sources, reasoning


def test_a_document_is_the_same_answer() -> None:
    """Where nobody reads along."""
    whole = document(
        {"type": "thinking", "thinking": "hm", "signature": "s1"},
        {"type": "redacted_thinking", "data": "xyz"},
        {"type": "text", "text": "hi", "citations": [CITED]},
        {"type": "tool_use", "id": "t1", "name": "f", "input": {"x": 1.0}},
        reason="tool_use",
    )
    assert decoded(b" \n" + whole[:50], whole[50:]) == [
        ThinkingDelta(text="hm", signature="s1"),
        ThinkingDelta(redacted="xyz"),
        TextDelta(text="hi"),
        Citation(url="https://a.example", title="A", snippet="purr", start=0, end=2),
        ToolCallDelta(index=0, id="t1", name="f"),
        ToolCallDelta(index=0, arguments='{"x":1.0}'),
        Usage(input_tokens=9, output_tokens=3),
        Finish(reason="tool_calls", raw="tool_use"),
    ]


def test_thinking_comes_in_blocks_that_close() -> None:
    """Each with its own signature, also one whose words are not shown; hidden ones stay as they came."""
    stream = (
        begun()
        + block(
            0,
            {"type": "thinking", "thinking": "", "signature": ""},
            {"type": "thinking_delta", "thinking": ""},
            {"type": "signature_delta", "signature": "s1"},
        )
        + block(1, {"type": "redacted_thinking", "data": "xyz"})
        + block(
            2,
            {"type": "thinking", "thinking": "", "signature": ""},
            {"type": "thinking_delta", "thinking": "so"},
            {"type": "thinking_delta", "thinking": " be it"},
            {"type": "signature_delta", "signature": "s2"},
        )
        + ended()
    )
    assert reply(stream).thoughts == (
        Thinking(signature="s1"), Thinking(redacted="xyz"), Thinking(text="so be it", signature="s2")
    )  # fmt: skip


def test_sources_are_of_all_the_words_of_their_block() -> None:
    """Wherever among them they were told; characters count from the beginning of the answer."""
    other = CITED | {"url": "https://b.example"}
    stream = begun() + words(0, "Cats: ") + words(1, "they ", "purr 🐈", citations=(CITED, other)) + words(2, ".")
    answer = reply(stream + ended())
    assert answer.citations == (
        Citation(url="https://a.example", title="A", snippet="purr", start=6, end=17),
        Citation(url="https://b.example", title="A", snippet="purr", start=6, end=17),
    )
    assert answer.text[6:17] == "they purr 🐈"


def test_a_passage_of_the_callers_own_is_no_source() -> None:
    """It has no URL."""
    assert reply(begun() + words(0, "hm", citations=(ELSEWHERE,)) + ended()).citations == ()


def test_a_source_without_words_is_a_source() -> None:
    """Also where its block was not seen to begin."""
    stray = framed("content_block_delta", index=0, delta={"type": "citations_delta", "citation": CITED})
    assert [(one.start, one.end) for one in reply(begun() + stray + ended()).citations] == [(0, 0)]


def test_a_source_is_kept_when_its_block_is_cut() -> None:
    """For the words that came."""
    decoder = Decoder("anthropic")
    decoder.feed(begun() + words(0, "purr", citations=(CITED,)).rpartition(b"event: content_block_stop")[0])
    assert decoder.salvage()[0] == Citation(url="https://a.example", title="A", snippet="purr", start=0, end=4)


# ---------------------------------------------------------------- tools


def test_parallel_calls_are_counted_by_themselves() -> None:
    """Whatever other blocks stand between them."""
    stream = (
        begun()
        + words(0, "well")
        + block(1, *called("a", "f"), {"type": "input_json_delta", "partial_json": '{"x": 1}'})
        + words(2, "and")
        + block(3, *called("b", "g"), {"type": "input_json_delta", "partial_json": '{"y": 2}'})
        + ended("tool_use")
    )
    assert reply(stream).tool_calls == (
        ToolCall(id="a", name="f", arguments='{"x": 1}'),
        ToolCall(id="b", name="g", arguments='{"y": 2}'),
    )
    assert [event.index for event in decoded(stream) if isinstance(event, ToolCallDelta)] == [0, 0, 1, 1]


def called(call: str, name: str, arguments: Any = None, *, kind: str = "tool_use") -> tuple[dict[str, Any]]:
    """The beginning of a call."""
    return ({"type": kind, "id": call, "name": name, "input": arguments or {}},)


def test_a_call_without_arguments_has_an_empty_object() -> None:
    """Also where they stand in the block at once."""
    empty = block(0, *called("a", "f"), {"type": "input_json_delta", "partial_json": ""})
    whole = block(1, *called("b", "g", {"x": [1]}))
    assert [call.arguments for call in reply(begun() + empty + whole + ended("tool_use")).tool_calls] == [
        "{}", '{"x":[1]}'
    ]  # fmt: skip


def test_a_search_is_told_when_it_begins_and_when_it_ends() -> None:
    """Under one id; the service's secrets about a page stay behind."""
    page = {"type": "web_search_result", "url": "https://a.example", "title": "A", "encrypted_content": "?"}
    stream = (
        begun()
        + block(0, *called("w", "web_search", kind="server_tool_use"), *pieces(QUERY[:5], QUERY[5:]))
        + block(1, {"type": "web_search_tool_result", "tool_use_id": "w", "content": [page | {"page_age": None}]})
        + words(2, "found")
        + ended()
    )
    begun_search = HostedTool(id="w", name="web_search", arguments=QUERY)
    events = decoded(stream)
    assert events[0] == begun_search
    assert events[1] == msgspec.structs.replace(begun_search, output='[{"url":"https://a.example","title":"A"}]')
    assert reply(stream).tool_calls == ()
    assert reply(stream).hosted_tools == (events[1],)


def pieces(*texts: str) -> list[dict[str, Any]]:
    """Arguments in pieces."""
    return [{"type": "input_json_delta", "partial_json": text} for text in texts]


def test_a_search_that_failed_says_why() -> None:
    """Also where its beginning was not seen."""
    failed = {"type": "web_search_tool_result_error", "error_code": "max_uses_exceeded"}
    whole = document({"type": "web_search_tool_result", "tool_use_id": "w", "content": failed})
    assert reply(whole).hosted_tools == (
        HostedTool(id="w", name="web_search", output='{"error_code":"max_uses_exceeded"}'),
    )


def test_a_search_in_a_document() -> None:
    """Has its arguments at once."""
    answer = reply(document(*called("w", "web_search", {"query": "cats"}, kind="server_tool_use")))
    assert answer.hosted_tools == (HostedTool(id="w", name="web_search", arguments=QUERY),)


# ---------------------------------------------------------------- the end


@pytest.mark.parametrize(
    ("raw", "reason"),
    [
        ("end_turn", "stop"),
        ("stop_sequence", "stop"),
        ("max_tokens", "length"),
        ("model_context_window_exceeded", "length"),
        ("pause_turn", "length"),
        ("tool_use", "tool_calls"),
        ("refusal", "content_filter"),
        ("a_new_one", "stop"),
        (None, "stop"),
    ],
)
def test_each_end_has_a_reason(raw: str | None, reason: Any) -> None:
    """And the service's own word; a new word is an end like any other."""
    assert decoded(begun() + words(0, "hi") + ended(raw))[-1] == Finish(reason=reason, raw=raw)


def test_what_is_counted_later_replaces_what_was_counted() -> None:
    """Each number by itself; the input is all of it, whether it was kept or not."""
    stream = begun(cache_read_input_tokens=5) + words(0, "hi")
    last = ended(input_tokens=20, cache_creation_input_tokens=None, output_tokens=7)
    assert reply(stream + last).usage == Usage(input_tokens=25, output_tokens=7, cached_input_tokens=5)


def test_a_count_that_is_not_told_is_none() -> None:
    """Instead of a nought that nobody counted."""
    quiet = framed("message_start", message={"usage": {}}) + words(0, "hi")
    quiet += framed("message_delta", delta={"stop_reason": "end_turn"}) + framed("message_stop")
    assert reply(quiet).usage == Usage()


# ---------------------------------------------------------------- what is new, wrong or an error


@pytest.mark.parametrize(
    "news",
    [
        framed("ping"),
        framed("weather_report", delta="rain"),
        framed("content_block_delta", index=0, delta={"type": "smell_delta", "smell": "?"}),
        block(0, {"type": "container_upload", "file_id": "f"}),
        block(0, {"type": "weather", "input": 1}, {"type": "input_json_delta", "partial_json": "{}"}),
        block(0, {"type": "weather", "text": ""}, {"type": "text_delta", "text": "rain"}),
    ],
    ids=["ping", "an event", "a delta", "a block", "a block that grows", "a block that speaks"],
)
def test_what_nobody_knows_is_passed_over(news: bytes) -> None:
    """The API may say new things at any time."""
    assert decoded(begun() + news + words(1, "hi") + ended())[0] == TextDelta(text="hi")


def test_a_new_block_of_a_document_is_passed_over_too() -> None:
    """And the others are told."""
    assert reply(document({"type": "weather"}, {"type": "text", "text": "hi"})).text == "hi"


@pytest.mark.parametrize(
    "event",
    [
        b"data: {\n\n",
        b"data: 5\n\n",
        b"data: \xff\n\n",
        b"data: {}\n\n",
        b'data: {"type":5}\n\n',
        framed("content_block_start", index=0),
        framed("content_block_start", index=0, content_block={"type": "text"}),
        framed("content_block_start", index=0, content_block={"type": "tool_use", "id": "a", "input": {}}),
        framed("content_block_start", index=0, content_block={}),
        framed("content_block_start", index=0, content_block=[]),
        framed("content_block_delta", index=0, delta={"type": "text_delta"}),
        framed("content_block_delta", index=0, delta={"text": "hi"}),
        framed("content_block_delta", index=0, delta="hi"),
        framed("content_block_delta", delta={"type": "text_delta", "text": "hi"}),
        framed("message_start", message={}),
        framed("message_delta"),
    ],
)
def test_what_lacks_something_is_a_changed_format(event: bytes) -> None:
    """With the evidence for a report, and what came before it."""
    decoder = Decoder("anthropic")
    with pytest.raises(FormatChanged, match=NO_PART) as caught:
        decoder.feed(begun() + words(0, "hi") + event)
    assert caught.value.evidence is not None
    assert decoder.salvage() == [TextDelta(text="hi"), Usage(input_tokens=9)]


def test_a_document_that_lacks_something_is_a_changed_format() -> None:
    """As one in pieces is."""
    with pytest.raises(FormatChanged):
        decoded(document({"type": "text"}))
    with pytest.raises(FormatChanged):
        decoded(b'{"type":"message","content":[]}')


@pytest.mark.parametrize(
    ("error", "kind"),
    [
        ({"type": "overloaded_error", "message": "Overloaded", "details": None}, Overloaded),
        ({"type": "rate_limit_error", "message": "too fast"}, RateLimited),
        ({"type": "invalid_request_error", "message": "no"}, BadRequest),
        ({"type": "api_error", "message": "it broke"}, Unavailable),
        ({"message": "it broke"}, Unavailable),
    ],
)
def test_an_error_inside_a_stream_is_raised(error: dict[str, Any], kind: type[PolychatError]) -> None:
    """With its own class, words and number; what came before it is kept."""
    decoder = Decoder("claude")
    with pytest.raises(kind, match="inside a successful answer") as caught:
        decoder.feed(begun() + words(0, "hi") + framed("error", error=error, request_id="req_1"))
    assert (caught.value.provider, caught.value.request_id) == ("claude", "req_1")
    assert decoder.salvage()[0] == TextDelta(text="hi")


@pytest.mark.parametrize("kind", [{"type": "error"}, {}], ids=["typed", "bare"])
def test_an_error_instead_of_an_answer_is_raised(kind: dict[str, Any]) -> None:
    """Also one that does not say that it is one."""
    with pytest.raises(Overloaded, match="says: busy"):
        decoded(msgspec.json.encode(kind | {"error": {"type": "overloaded_error", "message": "busy"}}))
