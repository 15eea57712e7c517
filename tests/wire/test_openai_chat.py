"""wire/openai_chat.py: chunks and documents of the OpenAI dialect, cut anywhere."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from polychat.errors import FormatChanged, PolychatError, QuotaSpent, RateLimited, Unavailable
from polychat.fold import Fold
from polychat.types import (
    Citation,
    Event,
    Finish,
    Image,
    Media,
    Reply,
    TextDelta,
    ThinkingDelta,
    ToolCall,
    ToolCallDelta,
    Usage,
)
from polychat.wire.openai_chat import Decoder

DONE = b"data: [DONE]\n\n"
USAGE = {"prompt_tokens": 9, "completion_tokens": 3, "prompt_tokens_details": {"cached_tokens": 4}}
COUNTED = Usage(input_tokens=9, output_tokens=3, cached_input_tokens=4)
STOP = Finish(reason="stop", raw="stop")


def chunk(finish_reason: str | None = None, **delta: Any) -> bytes:
    """One chunk of a stream, with fields beside those that matter."""
    choice = {"index": 0, "delta": delta, "finish_reason": finish_reason, "logprobs": None}
    return framed({"id": "chatcmpl-1", "object": "chat.completion.chunk", "model": "m", "choices": [choice]})


def framed(body: Any) -> bytes:
    """An event of the stream."""
    return b"data: " + msgspec.json.encode(body) + b"\n\n"


def document(**message: Any) -> bytes:
    """A whole answer."""
    choice = {"index": 0, "message": {"role": "assistant", "content": None, **message}, "finish_reason": "stop"}
    return msgspec.json.encode({"id": "chatcmpl-1", "choices": [choice], "usage": USAGE})


def decoded(*reads: bytes) -> list[Event]:
    """The events of an answer that came in these reads."""
    return decoded_by("openai", *reads)


def decoded_by(provider: str, *reads: bytes) -> list[Event]:
    """The same of another service."""
    decoder = Decoder(provider)
    events = [event for read in reads for event in decoder.feed(read)]
    return events + decoder.close()


def reply(*reads: bytes) -> Reply:
    """The whole answer."""
    fold = Fold()
    fold.add(decoded(*reads))
    return fold.reply()


STREAM = (
    chunk(role="assistant", content="", refusal=None)
    + chunk(reasoning_content="Łódź?")
    + chunk(content="Grüße, ")
    + chunk(content="мир")
    + chunk("stop")
    + framed({"choices": [], "usage": USAGE})
    + DONE
)
EXPECTED = [ThinkingDelta(text="Łódź?"), TextDelta(text="Grüße, "), TextDelta(text="мир"), COUNTED, STOP]


@pytest.mark.parametrize("at", range(len(STREAM) + 1))
def test_a_stream_may_be_cut_anywhere(at: int) -> None:
    """Between characters, bytes and frames."""
    assert decoded(STREAM[:at], STREAM[at:]) == EXPECTED


@given(st.lists(st.integers(0, len(STREAM)), max_size=8))
def test_a_stream_may_come_in_any_pieces(cuts: list[int]) -> None:
    """Also in empty ones."""
    places = sorted({0, *cuts, len(STREAM)})
    assert decoded(*(STREAM[a:b] for a, b in pairwise(places))) == EXPECTED


@pytest.mark.parametrize(
    "stream",
    [
        chunk(content="hi") + chunk("stop") + framed({"choices": [], "usage": USAGE}) + DONE,
        chunk(content="hi") + framed({"choices": None, "usage": USAGE}) + chunk("stop"),
        chunk(content="hi") + chunk("stop") + framed({"choices": [], "usage": USAGE}),
        (chunk(content="hi") + chunk("stop") + framed({"choices": [], "usage": USAGE}) + DONE)[:-2],
    ],
    ids=["usage after the finish", "usage before it", "no DONE", "no last newline"],
)
def test_the_end_is_told_once_and_with_the_usage(stream: bytes) -> None:
    """Wherever the service puts it."""
    assert decoded(stream) == [TextDelta(text="hi"), COUNTED, STOP]


def test_a_stream_that_is_cut_has_no_end() -> None:
    """So that nobody takes a part for the whole; what came is kept, also what was counted."""
    decoder = Decoder("openai")
    cut = chunk(content="hi") + framed({"choices": [], "usage": USAGE})
    assert decoder.feed(cut) + decoder.close() == [TextDelta(text="hi")]
    assert decoder.salvage() == [COUNTED]


def test_done_ends_an_answer_without_a_reason() -> None:
    """Some services give none; but nothing said is no answer."""
    assert decoded(chunk(content="hi") + DONE) == [TextDelta(text="hi"), Finish(reason="stop")]
    assert decoded(DONE) == []


def test_a_document_is_the_same_answer() -> None:
    """Where nobody reads along."""
    assert decoded(b" \n" + document(content="hi", reasoning="hm")) == [
        ThinkingDelta(text="hm"), TextDelta(text="hi"), COUNTED, STOP
    ]  # fmt: skip


def test_parallel_calls_come_in_fragments() -> None:
    """Each by its index; a name that is repeated counts once."""
    stream = (
        chunk(tool_calls=[called(0, call="a", name="f", arguments="")])
        + chunk(tool_calls=[called(1, call="b", name="g", arguments='{"x":')])
        + chunk(tool_calls=[called(0, name="f", arguments="{}"), called(1, arguments="1}")])
        + chunk("tool_calls")
        + DONE
    )
    whole = reply(stream)
    assert whole.tool_calls == (
        ToolCall(id="a", name="f", arguments="{}"),
        ToolCall(id="b", name="g", arguments='{"x":1}'),
    )
    assert whole.finish == Finish(reason="tool_calls", raw="tool_calls")


def called(index: int, *, call: str | None = None, **function: str) -> dict[str, Any]:
    """A fragment of a call."""
    return {"index": index, "function": function} | ({"id": call, "type": "function"} if call else {})


def test_calls_without_an_index_are_told_by_their_place() -> None:
    """As a document has them."""
    calls = [{"id": name, "type": "function", "function": {"name": name, "arguments": "{}"}} for name in "ab"]
    assert decoded(document(tool_calls=calls))[:2] == [
        ToolCallDelta(index=0, id="a", name="a", arguments="{}"),
        ToolCallDelta(index=1, id="b", name="b", arguments="{}"),
    ]


def test_a_refusal_is_told_in_its_words() -> None:
    """And ends as filtered, whatever the reason says."""
    assert decoded(chunk(refusal="I cannot") + chunk("stop") + DONE) == [
        TextDelta(text="I cannot"), Finish(reason="content_filter", raw="refusal")
    ]  # fmt: skip


def test_annotations_are_the_sources_of_the_words_before_them() -> None:
    """With their place in the whole text, where it is told; a note about a file is none."""
    full = {"url": "https://example.com/a", "title": "A", "start_index": 0, "end_index": 5}
    bare = {"url": "https://example.com/b"}
    notes = [{"type": "url_citation", "url_citation": source} for source in (full, bare)]
    notes.insert(1, {"type": "file_citation", "file_citation": {"file_id": "file-1"}})
    told = [
        TextDelta(text="мир"),
        Citation(url="https://example.com/a", title="A", start=0, end=5),
        Citation(url="https://example.com/b"),
    ]
    assert decoded(document(content="мир", annotations=notes))[:-2] == told
    stream = chunk(content="Grüße, ") + chunk(content="мир", annotations=notes) + chunk("stop") + DONE
    assert decoded(stream)[1:-1] == told
    assert decoded(document(content="мир", annotations=None))[:-2] == told[:1]


def test_pictures_of_an_answer_are_media() -> None:
    """As bytes or as a link."""
    gif = "data:image/gif;base64,R0lGODlhAQABAAAAACwAAAAAAQABAAA="
    images = [{"type": "image_url", "image_url": {"url": url}} for url in (gif, "https://example.com/a.png")]
    first, second = decoded(document(images=images))[:2]
    assert isinstance(first, Media)
    assert first.part.media_type == "image/gif"
    assert second == Media(part=Image(url="https://example.com/a.png"))


@pytest.mark.parametrize(
    ("error", "kind"),
    [
        ({"message": "too fast", "type": "rate_limit_error", "code": None}, RateLimited),
        ({"message": "no money", "type": "x", "code": "insufficient_quota"}, QuotaSpent),
        ({"message": "busy", "code": 429}, RateLimited),
        ("it broke", Unavailable),
    ],
)
@pytest.mark.parametrize("form", [framed, msgspec.json.encode])
def test_an_error_inside_a_success_is_raised(error: Any, kind: type[PolychatError], form: Any) -> None:
    """With its own class and words; what came before it is kept."""
    before = chunk(content="hi") if form is framed else b""
    with pytest.raises(kind, match="inside a successful answer") as caught:
        decoded_by("groq", before + form({"error": error}))
    assert caught.value.provider == "groq"


@pytest.mark.parametrize(
    "event", [b"data: {\n\n", b"data: 5\n\n", b'data: {"object":"x"}\n\n', b'data: {"choices":[{"delta":7}]}\n\n']
)
def test_what_is_no_chunk_is_a_changed_format(event: bytes) -> None:
    """With the evidence for a report, and what came before it."""
    decoder = Decoder("openai")
    with pytest.raises(FormatChanged) as caught:
        decoder.feed(chunk(content="hi") + event)
    assert caught.value.evidence is not None
    assert decoder.salvage() == [TextDelta(text="hi")]
