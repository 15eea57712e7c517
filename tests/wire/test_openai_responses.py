"""wire/openai_responses.py: events and documents of the Responses API, cut anywhere."""

from __future__ import annotations

import base64
from itertools import count, pairwise
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from polychat.errors import (
    BadRequest,
    FormatChanged,
    PolychatError,
    QuotaSpent,
    RateLimited,
    Refused,
    Unavailable,
)
from polychat.fold import fold
from polychat.types import (
    Citation,
    Event,
    Finish,
    HostedTool,
    Image,
    Media,
    Reply,
    TextDelta,
    Thinking,
    ThinkingDelta,
    Thread,
    ThreadMoved,
    ToolCall,
    ToolCallDelta,
    Usage,
)
from polychat.wire.openai_responses import Decoder
from polychat.wire.openai_responses_items import opened, sealed

USAGE = {
    "input_tokens": 9, "input_tokens_details": {"cached_tokens": 4, "cache_write_tokens": 0}, "output_tokens": 7,
    "output_tokens_details": {"reasoning_tokens": 5}, "total_tokens": 16,
}  # fmt: skip
COUNTED = Usage(input_tokens=9, output_tokens=7, cached_input_tokens=4, reasoning_tokens=5)
STOP = Finish(reason="stop", raw="completed")
GIF = b"GIF89a\x01\0\x01\0\x80\0\0\xff\x80\0\0\0\xff!\xf9\x04\0\0\0\0\0,\0\0\0\0\x01\0\x01\0\0\x02\x02D\x01\0;"
GIF_B64 = base64.b64encode(GIF).decode()


# ---------------------------------------------------------------- what the service sends


def response(*output: Any, status: str = "completed", **fields: Any) -> dict[str, Any]:
    """An answer, with fields beside those that matter."""
    about = {"object": "response", "created_at": 1, "model": "gpt-5.5", "parallel_tool_calls": True, "tools": []}
    whole = {"id": "resp_1", "status": status, "tool_choice": "auto", "output": list(output), "error": None}
    return about | whole | {"incomplete_details": None, "usage": USAGE} | fields


def message(*parts: dict[str, Any], id: str = "msg_1") -> dict[str, Any]:  # noqa: A002 - the wire's word
    """A message item."""
    return {"type": "message", "id": id, "status": "completed", "role": "assistant", "content": list(parts)}


def text(words: str, *annotations: dict[str, Any]) -> dict[str, Any]:
    """A part with words."""
    return {"type": "output_text", "text": words, "annotations": list(annotations), "logprobs": []}


def link(start: int, end: int, url: str = "https://example.com/a") -> dict[str, Any]:
    """A source of a part."""
    return {"type": "url_citation", "url": url, "title": "A page", "start_index": start, "end_index": end}


def reasoning(*summary: str, **fields: Any) -> dict[str, Any]:
    """A reasoning item."""
    return {
        "type": "reasoning", "id": "rs_1", "summary": [{"type": "summary_text", "text": one} for one in summary]
    } | fields  # fmt: skip


def call(name: str, arguments: str, call_id: str = "call_1") -> dict[str, Any]:
    """A call of the caller's tool."""
    return {"type": "function_call", "id": f"fc_{call_id}", "call_id": call_id, "name": name, "arguments": arguments}


class Service:
    """The events of one answer, numbered as they go out."""

    def __init__(self) -> None:
        self._numbers = count()

    def sent(self, kind: str, **fields: Any) -> bytes:
        """One event of the stream."""
        body = {"type": kind, **fields, "sequence_number": next(self._numbers)}
        return b"event: " + kind.encode() + b"\ndata: " + msgspec.json.encode(body) + b"\n\n"

    def words(self, kind: str, *pieces: str, output: int = 0, **fields: Any) -> bytes:
        """Deltas."""
        where = {"item_id": "x_1", "output_index": output, **fields}
        return b"".join(self.sent(f"response.{kind}.delta", **where, delta=piece) for piece in pieces)

    def said(self, *pieces: str, output: int = 0, part: int = 0) -> bytes:
        """Words of a message."""
        return self.words("output_text", *pieces, output=output, content_index=part, logprobs=[])

    def added(self, item: dict[str, Any], output: int = 0) -> bytes:
        """An item begins."""
        return self.sent("response.output_item.added", output_index=output, item=item)

    def done(self, item: dict[str, Any], output: int = 0) -> bytes:
        """An item is whole."""
        return self.sent("response.output_item.done", output_index=output, item=item)

    def begun(self) -> bytes:
        """The first two events."""
        empty = response(status="in_progress", usage=None)
        return self.sent("response.created", response=empty) + self.sent("response.in_progress", response=empty)

    def ended(self, *output: Any, status: str = "completed", **fields: Any) -> bytes:
        """The last event."""
        return self.sent(f"response.{status}", response=response(*output, status=status, **fields))


def whole_stream() -> bytes:
    """An answer with reasoning and words, and everything around them that the service sends."""
    to = Service()
    thought, said = reasoning("Łódź?", encrypted_content="gAAA="), message(text("Grüße, мир"))
    where = {"item_id": "msg_1", "output_index": 1, "content_index": 0}
    return (
        to.begun()
        + to.added(reasoning(encrypted_content="gA"))
        + to.sent("response.reasoning_summary_part.added", item_id="rs_1", output_index=0, summary_index=0, part=S)
        + to.words("reasoning_summary_text", "Łó", "dź?", summary_index=0)
        + to.sent("response.reasoning_summary_text.done", item_id="r", output_index=0, summary_index=0, text="Łódź?")
        + to.done(thought)
        + to.added(message(), 1)
        + to.sent("response.content_part.added", **where, part=text(""))
        + to.said("Grüße, ", "мир", output=1)
        + to.sent("response.output_text.done", **where, text="Grüße, мир", logprobs=[])
        + to.sent("response.content_part.done", **where, part=text("Grüße, мир"))
        + to.done(said, 1)
        + to.ended(thought, said)
    )


S = {"type": "summary_text", "text": ""}
STREAM = whole_stream()
EXPECTED = [
    ThinkingDelta(text="Łó"), ThinkingDelta(text="dź?"), ThinkingDelta(signature=sealed("rs_1", "gAAA=")),
    TextDelta(text="Grüße, "), TextDelta(text="мир"), COUNTED, STOP,
]  # fmt: skip


# ---------------------------------------------------------------- reading it


def decoded(*reads: bytes, thread: Thread | None = None) -> list[Event]:
    """The events of an answer that came in these reads."""
    decoder = Decoder("openai", thread)
    events = [event for read in reads for event in decoder.feed(read)]
    return events + decoder.close()


def document(*output: Any, **fields: Any) -> list[Event]:
    """The events of a whole answer, less its usage."""
    return [event for event in decoded(msgspec.json.encode(response(*output, **fields))) if event != COUNTED]


def reply(*reads: bytes) -> Reply:
    """The whole answer."""
    return fold(decoded(*reads))


def test_these_are_the_events_that_the_official_package_knows() -> None:
    """The samples of this file are of the shapes in its types, so that they are judged by somebody else."""
    from openai.types.responses import ResponseStreamEvent
    from pydantic import TypeAdapter

    adapter: TypeAdapter[Any] = TypeAdapter(ResponseStreamEvent)
    to = Service()
    drawn = {"type": "image_generation_call", "id": "ig_1", "status": "completed", "result": GIF_B64}
    preview = {"item_id": "ig_1", "output_index": 0, "partial_image_b64": GIF_B64, "partial_image_index": 0}
    stream = (
        STREAM
        + to.words("refusal", "no", content_index=0)
        + to.words("reasoning_text", "hm", content_index=0)
        + to.words("function_call_arguments", "{}")
        + to.added(call("f", ""))
        + to.sent(ANNOTATED, item_id="m", output_index=0, content_index=0, annotation_index=0, annotation=link(0, 1))
        + to.sent("response.image_generation_call.partial_image", **preview)
        + to.done(drawn)
        + b"".join(to.done(hosted) for hosted, _ in HOSTED)
        + to.sent("error", code="server_error", message="it broke", param=None)
        + to.ended(status="incomplete", incomplete_details={"reason": "max_output_tokens"})
        + to.ended(status="failed", error={"code": "server_error", "message": "it broke"})
    )
    for frame in stream.strip().split(b"\n\n"):
        name, data = frame.split(b"\ndata: ")
        read = adapter.validate_python(msgspec.json.decode(data))
        assert f"event: {read.type}".encode() == name


def test_a_stream_may_be_cut_anywhere() -> None:
    """Between characters, bytes and frames."""
    for at in range(len(STREAM) + 1):
        assert decoded(STREAM[:at], STREAM[at:]) == EXPECTED


@given(st.lists(st.integers(0, len(STREAM)), max_size=8))
def test_a_stream_may_come_in_any_pieces(cuts: list[int]) -> None:
    """Also in empty ones."""
    places = sorted({0, *cuts, len(STREAM)})
    assert decoded(*(STREAM[a:b] for a, b in pairwise(places))) == EXPECTED


@pytest.mark.parametrize("newline", [b"\r\n", b"\r"])
def test_a_stream_may_come_byte_by_byte_and_with_any_newline(newline: bytes) -> None:
    """As the event-stream format has it."""
    stream = STREAM.replace(b"\n", newline)
    assert decoded(*(stream[at : at + 1] for at in range(len(stream)))) == EXPECTED


def test_a_document_is_the_same_answer() -> None:
    """Where nobody reads along."""
    whole = response(reasoning("Łódź?", encrypted_content="gAAA="), message(text("Grüße, мир")))
    assert fold(decoded(b" \n" + msgspec.json.encode(whole))) == reply(STREAM)


def test_nothing_follows_the_end() -> None:
    """Whatever else comes."""
    decoder = Decoder("openai")
    assert decoder.feed(STREAM)[-1] == STOP
    assert decoder.finished
    assert decoder.feed(STREAM) + decoder.feed(b"data: [DONE]\n\n") + decoder.close() == []
    assert decoder.salvage() == []


def test_a_stream_that_is_cut_has_no_end() -> None:
    """So that nobody takes a part for the whole; what came is kept."""
    to, decoder = Service(), Decoder("openai")
    assert decoder.feed(to.begun() + to.said("hi") + to.done(message(text("hi")))) == [TextDelta(text="hi")]
    assert decoder.close() == []
    assert not decoder.finished


def test_only_an_answer_that_is_over_ends() -> None:
    """A document of one that is still made, or was given up, is no whole answer."""
    for status in ("queued", "in_progress", "cancelled"):
        assert document(message(text("h")), status=status) == [TextDelta(text="h")]
    assert document(message(text("hi")), status=None) == [TextDelta(text="hi"), STOP]


def test_an_end_alone_is_a_whole_answer() -> None:
    """From a service that sends its items with the last event only; otherwise they have been told."""
    assert decoded(Service().ended(message(text("hi")))) == [TextDelta(text="hi"), COUNTED, STOP]
    to = Service()
    begun = to.added(message(text("h"))) + to.added(reasoning("h", encrypted_content="g"), 1)
    assert decoded(begun + to.ended(message(text("hi")))) == [TextDelta(text="hi"), COUNTED, STOP]
    assert decoded(to.done(message(text("hi")), 3) + to.ended(message(text("hi")))) == [
        TextDelta(text="hi"), COUNTED, STOP
    ]  # fmt: skip


def test_an_answer_may_be_uncounted() -> None:
    """Usage is where the service has it."""
    assert decoded(Service().ended(message(text("hi")), usage=None)) == [TextDelta(text="hi"), STOP]
    bare = decoded(Service().ended(usage={"input_tokens": 1, "output_tokens": 2}))
    assert bare[0] == Usage(input_tokens=1, output_tokens=2)


# ---------------------------------------------------------------- words


def test_messages_are_apart_and_parts_of_one_are_not() -> None:
    """A reader sees one text; the same streamed, whole, and where only the done item has words."""
    items = [message(text("Let me "), text("look."), id="a"), message(text(""), id="b"), message(text("Here."), id="c")]
    to = Service()
    stream = (
        to.said("Let me ", "") + to.said("look.", part=1) + to.done(items[0]) + to.said("", output=1)
        + to.done(items[1], 1) + to.done(items[2], 2) + to.ended()
    )  # fmt: skip
    assert reply(stream).text == "Let me look.\n\nHere."
    assert fold(document(*items)).text == "Let me look.\n\nHere."


ANNOTATED = "response.output_text.annotation.added"


def test_a_source_is_told_once_and_with_its_place_in_the_whole_text() -> None:
    """By itself, with the item that is done, or both; annotations of other kinds are passed over."""
    paper = {"type": "file_citation", "file_id": "file_1", "filename": "a.pdf", "index": 1}
    first, second = message(text("ab")), message(text("cdef", link(0, 2), paper, link(2, 4, "https://example.com/b")))
    to = Service()
    where = {"item_id": "msg_1", "output_index": 1, "content_index": 0}
    stream = (
        to.said("ab") + to.done(first) + to.said("cd", "ef", output=1)
        + to.sent(ANNOTATED, **where, annotation_index=0, annotation=link(0, 2))
        + to.sent(ANNOTATED, **where, annotation_index=1, annotation=paper)
        + to.done(second, 1) + to.ended(first, second)
    )  # fmt: skip
    cited = (
        Citation(url="https://example.com/a", title="A page", start=4, end=6),
        Citation(url="https://example.com/b", title="A page", start=6, end=8),
    )
    for answer in (reply(stream), fold(document(first, second))):
        assert answer.citations == cited
        assert answer.text[4:6] == "cd"


def test_a_source_without_a_place_has_none() -> None:
    """And one of a part without words stands where the text is."""
    bare = {"type": "url_citation", "url": "https://example.com/a"}
    assert fold(document(message(text("ab", bare)))).citations == (Citation(url="https://example.com/a"),)
    to = Service()
    early = to.sent(ANNOTATED, item_id="m", output_index=0, content_index=1, annotation_index=0, annotation=link(0, 0))
    assert reply(to.said("ab") + early).citations[0].start == 2


def test_a_refusal_is_told_in_its_words() -> None:
    """And ends as filtered."""
    to = Service()
    declined = message({"type": "refusal", "refusal": "I cannot"})
    stream = to.words("refusal", "I ", "cannot", content_index=0) + to.done(declined) + to.ended(declined)
    ending = Finish(reason="content_filter", raw="refusal")
    assert decoded(stream) == [TextDelta(text="I "), TextDelta(text="cannot"), COUNTED, ending]
    assert document(declined) == [TextDelta(text="I cannot"), ending]


# ---------------------------------------------------------------- reasoning


def test_parts_of_the_reasoning_are_apart() -> None:
    """Those of one item, and items; streamed or whole."""
    items = [reasoning("One", "two"), reasoning("Three", content=[{"type": "reasoning_text", "text": "raw"}])]
    to = Service()
    stream = (
        to.words("reasoning_summary_text", "O", "ne", summary_index=0)
        + to.words("reasoning_summary_text", "two", "", summary_index=1)
        + to.done(items[0])
        + to.words("reasoning_summary_text", "Three", output=1, summary_index=0)
        + to.words("reasoning_text", "raw", output=1, content_index=0)
        + to.done(items[1], 1)
        + to.ended(*items)
    )
    assert reply(stream).thinking == "One\n\ntwo\n\nThree\n\nraw"
    assert ThinkingDelta() not in decoded(stream)
    assert fold(document(*items)).thinking == "One\n\ntwo\n\nThree\n\nraw"


def test_a_thought_can_be_handed_back() -> None:
    """Each item closes a block with its id and what it was sealed with; one that is not done tells neither."""
    to = Service()
    stream = (
        to.added(reasoning(encrypted_content="part"))
        + to.words("reasoning_summary_text", "One", summary_index=0)
        + to.done(reasoning("One", encrypted_content='g"A=', id="rs_1"))
        + to.done(reasoning(encrypted_content="gB=", id="rs_2"), 1)
        + to.done(reasoning("Three", id="rs_3"), 2)
    )
    blocks = reply(stream).thoughts
    assert [block.text for block in blocks] == ["One", "", "\n\nThree"]
    seals = [opened(block.signature) for block in blocks]
    assert [(seal.id, seal.encrypted_content) for seal in seals if seal] == [("rs_1", 'g"A='), ("rs_2", "gB=")]
    assert blocks[2] == Thinking(text="\n\nThree")


@given(st.text(), st.text())
def test_a_seal_opens_to_what_was_sealed(name: str, content: str) -> None:
    """Exactly."""
    seal = opened(sealed(name, content))
    assert seal is not None
    assert (seal.id, seal.encrypted_content) == (name, content)


@pytest.mark.parametrize("signature", [None, "", "EqQBCkYIAx", '{"id":"rs_1","encrypted_content":"g"}', "{}", "5"])
def test_the_signature_of_another_service_is_no_seal(signature: str | None) -> None:
    """Nor is none."""
    assert opened(signature) is None


# ---------------------------------------------------------------- calls


def test_parallel_calls_come_in_fragments() -> None:
    """Numbered among themselves, by the name they are answered to; what came in pieces is not said again."""
    to = Service()
    first, second = call("f", '{"x":1}', "call_a"), call("g", "{}", "call_b")
    stream = (
        to.done(reasoning())
        + to.added(call("f", "", "call_a"), 1)
        + to.words("function_call_arguments", "", '{"x"', ":1}", output=1)
        + to.sent("response.function_call_arguments.done", item_id="fc", output_index=1, arguments='{"x":1}', name="f")
        + to.done(first, 1)
        + to.added(call("g", "", "call_b"), 2)
        + to.done(second, 2)
        + to.ended(reasoning(), first, second)
    )
    assert decoded(stream)[:-2] == [
        ToolCallDelta(index=0, id="call_a", name="f"),
        ToolCallDelta(index=0, arguments='{"x"'),
        ToolCallDelta(index=0, arguments=":1}"),
        ToolCallDelta(index=1, id="call_b", name="g"),
        ToolCallDelta(index=1, arguments="{}"),
    ]
    calls = (ToolCall(id="call_a", name="f", arguments='{"x":1}'), ToolCall(id="call_b", name="g", arguments="{}"))
    ending = Finish(reason="tool_calls", raw="completed")
    for answer in (reply(stream), fold(document(reasoning(), first, second))):
        assert (answer.tool_calls, answer.finish) == (calls, ending)


def test_a_call_may_begin_with_its_arguments() -> None:
    """They count once."""
    to = Service()
    stream = to.added(call("f", "{}")) + to.done(call("f", "{}"))
    assert decoded(stream) == [ToolCallDelta(index=0, id="call_1", name="f", arguments="{}")]


# ---------------------------------------------------------------- pictures, and tools of the service


def test_a_picture_replaces_its_preview() -> None:
    """Under the name of its item, with what it was drawn from; one that is not drawn, or failed, is none."""
    to = Service()
    preview = {"item_id": "ig_1", "output_index": 0, "partial_image_b64": GIF_B64, "partial_image_index": 0}
    item = {"type": "image_generation_call", "id": "ig_1", "status": "completed", "result": GIF_B64}
    stream = (
        to.added(item | {"status": "in_progress", "result": None})
        + to.sent("response.image_generation_call.partial_image", **preview)
        + to.done(item | {"revised_prompt": "a red fox"})
        + to.done({"type": "image_generation_call", "id": "ig_2", "status": "failed", "result": None}, 1)
    )
    drawn = Image(data=GIF, prompt="a red fox")
    assert decoded(stream) == [Media(part=Image(data=GIF), id="ig_1"), Media(part=drawn, id="ig_1")]
    assert drawn.media_type == "image/gif"
    assert reply(stream).media == (drawn,)


SEARCH = {"type": "search", "query": "news", "queries": ["news"]}
HOSTED: list[tuple[dict[str, Any], HostedTool]] = [
    (
        {"type": "web_search_call", "action": SEARCH},
        HostedTool(
            id="h_1", name="web_search", arguments=msgspec.json.encode(SEARCH).decode(), output="completed"
        ),
    ),
    (
        {"type": "file_search_call", "queries": ["a"], "results": None},
        HostedTool(id="h_1", name="file_search", arguments='["a"]', output="completed"),
    ),
    (
        {
            "type": "code_interpreter_call", "code": "print(1)", "container_id": "c",
            "outputs": [
                {"type": "logs", "logs": "1\n"}, {"type": "image", "url": "https://e.com"},
                {"type": "logs", "logs": "2\n"},
            ],
        },
        HostedTool(id="h_1", name="code_interpreter", arguments="print(1)", output="1\n2\n"),
    ),
    (
        {"type": "code_interpreter_call", "code": None, "container_id": "c", "outputs": None},
        HostedTool(id="h_1", name="code_interpreter", output="completed"),
    ),
    (
        {"type": "mcp_call", "name": "roll", "arguments": "{}", "server_label": "dice", "output": "4"},
        HostedTool(id="h_1", name="roll", arguments="{}", output="4"),
    ),
]  # fmt: skip
HOSTED = [({"id": "h_1", "status": "completed"} | item, told) for item, told in HOSTED]


@pytest.mark.parametrize(("item", "told"), HOSTED)
def test_a_tool_of_the_service_is_told_while_it_runs_and_when_it_has_run(
    item: dict[str, Any], told: HostedTool
) -> None:
    """With its output, or how it ended where it has none."""
    to = Service()
    running = msgspec.structs.replace(told, output=None)
    assert decoded(to.added(item | {"status": "in_progress"}) + to.done(item)) == [running, told]


def test_a_search_that_just_begins_may_tell_nothing_yet() -> None:
    """Neither what is searched for nor how it goes."""
    assert decoded(Service().added({"type": "web_search_call", "id": "ws_1"})) == [
        HostedTool(id="ws_1", name="web_search")
    ]  # fmt: skip


# ---------------------------------------------------------------- the end


@pytest.mark.parametrize(
    ("reason", "ending"),
    [
        ({"reason": "max_output_tokens"}, Finish(reason="length", raw="max_output_tokens")),
        ({"reason": "content_filter"}, Finish(reason="content_filter", raw="content_filter")),
        ({"reason": "steered"}, Finish(reason="length", raw="steered")),
        ({}, Finish(reason="length", raw="incomplete")),
        (None, Finish(reason="length", raw="incomplete")),
    ],
)
def test_an_answer_that_was_cut_short_says_why(reason: Any, ending: Finish) -> None:
    """Also when it had begun a call."""
    begun = call("f", '{"x"')
    stream = Service().ended(begun, status="incomplete", incomplete_details=reason)
    assert decoded(stream)[-1] == ending
    for status in ("incomplete", None) if reason is not None else ("incomplete",):
        assert document(begun, status=status, incomplete_details=reason)[-1] == ending


def test_a_conversation_that_is_kept_stands_at_its_last_answer() -> None:
    """Told just before the end, and only where the service keeps it."""
    thread = Thread(provider="openai", account="alice")
    moved = ThreadMoved(thread=Thread(provider="openai", account="alice", id="resp_1"))
    assert decoded(STREAM, thread=thread) == [*EXPECTED[:-1], moved, STOP]
    assert ThreadMoved not in {type(event) for event in decoded(STREAM)}


# ---------------------------------------------------------------- trouble


@pytest.mark.parametrize(
    ("error", "kind"),
    [
        ({"message": "too fast", "code": "rate_limit_exceeded"}, RateLimited),
        ({"message": "no money", "type": "insufficient_quota", "code": "credit_balance_exhausted"}, QuotaSpent),
        ({"message": "it broke", "code": "server_error"}, Unavailable),
        ({"message": "it broke", "code": None}, Unavailable),
        ({"message": "too small", "code": "image_too_small"}, BadRequest),
        ({"message": "no picture", "code": "invalid_base64_image"}, BadRequest),
        ({"message": "nothing there", "code": "failed_to_download_image"}, BadRequest),
        ({"message": "not that", "code": "image_content_policy_violation"}, Refused),
        ({"message": "not that", "code": "bio_policy"}, Refused),
        ({"message": "not that", "code": "misalignment_policy_violation"}, Refused),
        ({"message": "not that", "code": "invalid_prompt"}, Refused),
    ],
)
@pytest.mark.parametrize("form", ["event", "last event", "document"])
def test_an_error_inside_a_success_is_raised(error: dict[str, Any], kind: type[PolychatError], form: str) -> None:
    """With its own class and words, wherever it stands; what came before it is kept."""
    to = Service()
    data, kept = {
        "event": (to.said("hi") + to.sent("error", error=error), [TextDelta(text="hi")]),
        "last event": (to.said("hi") + to.ended(status="failed", error=error), [TextDelta(text="hi"), COUNTED]),
        "document": (msgspec.json.encode(response(status="failed", error=error)), [COUNTED]),
    }[form]
    decoder = Decoder("openai")
    with pytest.raises(kind, match=rf"openai says: {error['message']} \(inside a successful answer\)") as caught:
        decoder.feed(data) + decoder.close()
    assert caught.value.provider == "openai"
    assert decoder.salvage() == kept


def test_an_error_event_may_have_its_fields_by_themselves() -> None:
    """As the official package has them."""
    with pytest.raises(RateLimited, match=r"openai says \(input\): too fast"):
        decoded(Service().sent("error", code="rate_limit_exceeded", message="too fast", param="input"))


def test_a_failure_may_have_no_words() -> None:
    """It is one all the same."""
    with pytest.raises(Unavailable, match="openai says: nothing more"):
        decoded(Service().ended(status="failed", error=None))
    with pytest.raises(Unavailable, match="openai says: it broke"):
        document(status=None, error={"message": "it broke", "code": "server_error"})


@pytest.mark.parametrize("error", [{"message": "it broke", "type": "server_error"}, "it broke"])
def test_an_error_without_a_type_is_raised(error: Any) -> None:
    """As other services of the dialect send it, in a stream and alone."""
    body = msgspec.json.encode({"error": error})
    for data in (b"data: " + body + b"\n\n", body):
        with pytest.raises(Unavailable, match="openai says: it broke"):
            decoded(data)


def test_what_is_not_known_yet_is_passed_over() -> None:
    """Events, items, parts and annotations; also such that use our names for something else."""
    to = Service()
    odd = message({"type": "hologram", "text": 5}, text("hi", {"type": "footnote", "url": 7}))
    stream = (
        to.sent("response.hologram.delta", output_index="a", delta={"x": 1}, object="response", error=[1])
        + to.added({"type": "hologram", "id": 5})
        + to.done({"type": "hologram", "id": 5, "content": 3})
        + to.done(odd, 1)
        + to.ended({"type": "hologram"}, odd)
    )
    assert decoded(stream) == [TextDelta(text="hi"), COUNTED, STOP]


@pytest.mark.parametrize(
    "event",
    [
        b"data: {\n\n",
        b"data: 5\n\n",
        b'data: {"object":"thing"}\n\n',
        b'data: {"type":5}\n\n',
        b'data: {"type":"response.output_text.delta","output_index":0,"content_index":0}\n\n',
        b'data: {"type":"response.output_text.delta","output_index":0,"content_index":0,"delta":5}\n\n',
        b'data: {"type":"response.output_text.delta","output_index":0,"content_index":0,"delta":"\xff"}\n\n',
        b'data: {"type":"response.output_item.done","output_index":0,"item":{"type":"message"}}\n\n',
        b'data: {"type":"response.output_item.done","output_index":0,"item":{"id":"x"}}\n\n',
        b'data: {"type":"response.output_item.done","output_index":0,"item":{"type":"message","content":[{}]}}\n\n',
        b'data: {"type":"response.completed","response":{"id":"resp_1"}}\n\n',
        b'data: {"object":"response","id":"resp_1"}\n\n',
        b'data: {"type":"response.function_call_arguments.delta","output_index":0,"delta":"{}"}\n\n',
        b'data: {"type":"response.image_generation_call.partial_image","item_id":"i","partial_image_b64":"!"}\n\n',
        b"data: [DONE]\n\n",
    ],
)  # fmt: skip
def test_what_is_no_part_of_an_answer_is_a_changed_format(event: bytes) -> None:
    """With the evidence for a report, and what came before it."""
    decoder = Decoder("openai")
    sentence = r"^openai sent an event that is no part of an answer \(\d+ bytes: .+\)"
    with pytest.raises(FormatChanged, match=sentence) as caught:
        decoder.feed(Service().said("hi", output=9) + event)
    assert caught.value.evidence is not None
    assert decoder.salvage() == [TextDelta(text="hi")]
