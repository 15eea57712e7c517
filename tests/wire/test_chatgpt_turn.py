"""wire/chatgpt_turn.py: one turn of ChatGPT's web chat, from bytes to events."""

from __future__ import annotations

import json
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from polychat.errors import FormatChanged, Refused, Unavailable
from polychat.fold import fold
from polychat.types import (
    Citation,
    Event,
    HostedTool,
    QuotaSeen,
    Reply,
    Revised,
    TextDelta,
)
from polychat.wire.chatgpt_messages import Pointer
from polychat.wire.chatgpt_turn import Decoder

CAPTURES = sorted(Path(__file__, "../../captures/chatgpt").resolve().glob("*.sse"))
TEXT = "/message/content/parts/0"


def record(data: object, event: str | None = None) -> bytes:
    """One event-stream record."""
    text = data if isinstance(data, str) else json.dumps(data, ensure_ascii=False)
    return ((f"event: {event}\n" if event else "") + f"data: {text}\n\n").encode()


def delta(value: object, path: str | None = None, operation: str | None = None) -> bytes:
    """One delta record, with or without a pointer of its own."""
    given = {"p": path, "o": operation}
    return record({**{key: one for key, one in given.items() if one is not None}, "v": value}, "delta")


def message(id: str = "A", role: str = "assistant", text: Any = "", **rest: Any) -> dict[str, Any]:  # noqa: A002
    """A message as the service words it; `content=` replaces the usual text content."""
    content = {"content_type": "text", "parts": [text]}
    return {"id": id, "author": {"role": role}, "content": content, "recipient": "all", "status": "in_progress",
            "end_turn": None, "metadata": {}, **rest}  # fmt: skip


def root(*args: Any, **rest: Any) -> bytes:
    """A new root: a message begins."""
    return delta({"message": message(*args, **rest), "conversation_id": "C", "error": None}, "", "add")


def done(text: str = "", finish: str = "stop") -> bytes:
    """The patch that ends an answer, and the end of the stream."""
    return (
        delta(
            [
                {"p": TEXT, "o": "append", "v": text},
                {"p": "/message/status", "o": "replace", "v": "finished_successfully"},
                {"p": "/message/end_turn", "o": "replace", "v": True},
                {"p": "/message/metadata", "o": "append", "v": {"finish_details": {"type": finish}}},
            ],
            "",
            "patch",
        )
        + record({"type": "message_stream_complete", "conversation_id": "C"})
        + record("[DONE]")
    )


def decoded(*pieces: bytes) -> tuple[list[Event], Decoder]:
    """All events of a body that arrives in these pieces."""
    decoder = Decoder()
    return [event for piece in pieces for event in decoder.feed(piece)] + decoder.close() + decoder.salvage(), decoder


def reply(*pieces: bytes) -> Reply:
    """The answer."""
    return fold(decoded(*pieces)[0])


@pytest.mark.parametrize("path", CAPTURES, ids=lambda path: path.stem)
@pytest.mark.parametrize("size", [1, 7, 10**6])
def test_captures_decode_to_what_is_noted_beside_them(path: Path, size: int) -> None:
    """Both dialects, however they are cut."""
    body = path.read_bytes()
    events, decoder = decoded(*(body[i : i + size] for i in range(0, len(body), size)))
    got = fold(events)
    expected = json.loads(path.with_suffix(".json").read_text("utf-8"))
    assert {
        "text": got.text, "title": got.title, "finish": decoder.finish_type,
        "conversation_id": decoder.conversation_id, "answer_id": decoder.answer_id,
    } == {key: expected[key] for key in ("text", "title", "finish", "conversation_id", "answer_id")}  # fmt: skip
    assert (decoder.over, decoder.done) == (True, True)


def test_text_goes_out_as_it_comes() -> None:
    """Text in the root, bare text, and text of the closing patch are all the answer."""
    events, _ = decoded(root(text="He"), delta("l", TEXT, "append"), delta("lo"), done("!"))
    assert [event for event in events if isinstance(event, TextDelta)] == [
        TextDelta(text="He"), TextDelta(text="l"), TextDelta(text="lo"), TextDelta(text="!"),
    ]  # fmt: skip


def test_a_replaced_text_is_a_revision() -> None:
    """What contradicts the deltas is said once, whole."""
    events, _ = decoded(root(text="The sun"), delta("The moon", TEXT, "replace"), done("!"))
    assert events == [TextDelta(text="The sun"), Revised(text="The moon"), TextDelta(text="!")]


def test_reasoning_tools_and_echoes_are_not_the_answer() -> None:
    """System and user echoes are silent, thoughts are thinking, calls and outputs are the service's own tools."""
    body = (
        root("S", "system", "be kind", metadata={"is_visually_hidden_from_conversation": True})
        + root("U", "user", "hi")
        + root("T", content={"content_type": "thoughts", "thoughts": []})
        + delta([{"summary": "", "content": ""}], "/message/content/thoughts", "append")
        + delta("Adding", "/message/content/thoughts/0/summary", "append")
        + delta("2 and 2", "/message/content/thoughts/0/content", "append")
        + root("R", content={"content_type": "reasoning_recap", "content": "Thought for 3s"})
        + root("P", text="Let me compute. ", channel="commentary")
        + root("K", recipient="python", content={"content_type": "code", "language": "python", "text": "2+2"})
        + root("O", "tool", author={"role": "tool", "name": "python"},
               content={"content_type": "execution_output", "text": "4"})
        + root(channel="final")
        + done("It is 4.")
    )  # fmt: skip
    got = reply(body)
    assert got.text == "It is 4."
    assert got.thinking.split("\n") == ["Adding", "2 and 2", "Thought for 3s", "Let me compute. ", ""]
    assert got.hosted_tools == (HostedTool(id="K", name="python", arguments="2+2", output="4"),)


def test_reasoning_as_it_was_shown_in_spring_2025() -> None:
    """A tool message that began with initial_text is thinking, not a tool's output."""
    body = root("T", "tool", "Hm", metadata={"initial_text": "Reasoning"}) + delta("m", TEXT, "append")
    got = reply(body + root() + done("Yes."))
    assert (got.text, got.thinking, got.hosted_tools) == ("Yes.", "Hmm\n", ())


def test_a_bare_value_after_a_root_does_not_leak_into_it() -> None:
    """Per-message state: the sticky pointer of one message is not another's."""
    assert (
        reply(root("T", text="a", channel="analysis"), delta("b", TEXT, "append"), root(), delta("x"), done("c")).text
        == "c"
    )


MARKED = "Tea is old \ue200cite\ue202turn0search1\ue202turn0news0\ue201and\ue203 hot."
GROUPS = [{"type": "search_result_group", "domain": "t.example", "entries": [
    {"url": "https://t.example/a?utm_source=chatgpt.com", "title": "A", "snippet": "old",
     "ref_id": {"turn_index": 0, "ref_type": "search", "ref_index": 1}}]}]  # fmt: skip
NEWS = {"turn_index": 0, "ref_type": "news", "ref_index": 0}
REFERENCES = [{"matched_text": "x", "type": "grouped_webpages", "refs": [NEWS],
               "items": [{"url": "https://n.example", "title": "N"}]},
              {"type": "sources_footnote", "sources": [{"url": "https://f.example", "title": "F"}]}]  # fmt: skip


@given(st.lists(st.integers(0, len(MARKED)), max_size=5))
def test_citations_are_resolved_even_when_they_come_late_and_split(cuts: list[int]) -> None:
    """Markers leave the text wherever they are cut, and their sources are told at the end of the message."""
    edges = [0, *sorted(cuts), len(MARKED)]
    pieces = [delta(MARKED[a:b], TEXT, "append") for a, b in pairwise(edges)]
    late = delta(
        [
            {"p": "/message/metadata/search_result_groups", "o": "append", "v": GROUPS},
            {"p": "/message/metadata/content_references", "o": "append", "v": REFERENCES},
        ],
        "",
        "patch",
    )
    got = reply(root(), *pieces, late, done())
    assert got.text == "Tea is old and hot."
    assert got.citations == (
        Citation(url="https://t.example/a", title="A", snippet="old", start=11, end=11),
        Citation(url="https://n.example", title="N", start=11, end=11),
        Citation(url="https://f.example", title="F"),
    )


def picture(id: str = "P", status: str = "in_progress", **rest: Any) -> dict[str, Any]:  # noqa: A002
    """A tool's message with a picture."""
    part = {"content_type": "image_asset_pointer", "asset_pointer": "sediment://file_2", "width": 4, "height": 4}
    return message(id, "tool", status=status, content={"content_type": "multimodal_text", "parts": [part]}, **rest)


def test_only_a_tools_finished_picture_is_one() -> None:
    """Neither the person's own upload nor a preview."""
    own = {"content_type": "multimodal_text", "parts": [{"asset_pointer": "file-service://file-own"}, "hi"]}
    body = root("U", "user", content=own) + delta({"message": picture(), "conversation_id": "C"}, "", "add")
    body += delta("sediment://file_final", "/message/content/parts/0/asset_pointer", "replace")
    _, decoder = decoded(body)
    assert decoder.pictures == []
    _, decoder = decoded(body, delta("finished_successfully", "/message/status", "replace"))
    assert decoder.pictures == [Pointer(id="file_final", address="sediment://file_final")]


def test_a_picture_that_is_made_elsewhere_is_awaited_and_then_seen() -> None:
    """The announcement is remembered until a message with the picture comes, by whatever way."""
    task = message("P", "tool", "Creating", metadata={"image_gen_task_id": "t1", "image_gen_async": True})
    decoder = Decoder()
    decoder.feed(delta({"message": task, "conversation_id": "C"}, "", "add"))
    decoder.feed(record({"type": "message_stream_complete"}))
    assert (decoder.awaited_task, decoder.over) == ("t1", True)
    decoder.see(picture(status="finished_successfully", metadata={"image_gen_task_id": "t1"}))
    assert (decoder.awaited_task, [one.id for one in decoder.pictures]) == (None, ["file_2"])


def test_quota_and_handoff_are_read_and_unknown_records_pass_by() -> None:
    """Control records have their places."""
    limits = [{"feature_name": "image_gen", "remaining": 3, "reset_after": "2026-11-21T00:00:00+00:00"}]
    events, decoder = decoded(
        record({"type": "conversation_detail_metadata", "limits_progress": limits}),
        record({"type": "resume_conversation_token", "token": "sandbox-r", "conversation_id": "C"}),
        record({"type": "stream_handoff", "options": [{"type": "subscribe_ws_topic", "topic_id": "t-1"}]}),
        record({"type": "server_ste_metadata", "metadata": {"model_slug": "gpt-5", "resolved_model_slug": "gpt-5-2"}}),
        record({"type": "something_new", "x": [1]}),
    )
    assert events == [QuotaSeen(feature="image_gen", remaining=3.0, resets_at=1795219200.0)]
    assert (decoder.handoff_topic, decoder.model, decoder.conversation_id) == ("t-1", "gpt-5-2", "C")
    assert decoder.resume_token is not None
    assert not decoder.over


@pytest.mark.parametrize("ending", [b"", record({"type": "message_stream_complete"}), record("[DONE]")])
def test_a_stream_that_ends_before_its_answer_is_not_over(ending: bytes) -> None:
    """An intermediate message that is finished is not the end of the turn."""
    call = root("K", recipient="web", text="search", status="finished_successfully", end_turn=False)
    assert not decoded(call, ending)[1].over
    assert not decoded(root(text="Hel"), ending)[1].over


@pytest.mark.parametrize(
    ("data", "error"),
    [
        (record({"type": "moderation", "moderation_response": {"blocked": True}, "is_completion": True}), Refused),
        (record({"message_id": "A", "moderation_response": {"flagged": True, "blocked": True}}), Refused),
        (record({"error": "Something broke"}), Unavailable),
        (record({"message": None, "error": {"message": "Something broke", "code": "x"}}), Unavailable),
        (delta({"message": None, "error": "Something broke", "conversation_id": "C"}, "", "add"), Unavailable),
        (record({"detail": "Something broke"}), Unavailable),
        (record("{broken"), FormatChanged),
        (record("{broken", "delta"), FormatChanged),
    ],
)
def test_what_breaks_a_turn_is_named(data: bytes, error: type[Exception]) -> None:
    """Moderation, an error record, a damaged one: each its own class, never an empty success."""
    with pytest.raises(error):
        decoded(data)


def test_flagged_is_not_blocked() -> None:
    """A flag is the service's business; only a block stops the answer."""
    flag = record({"type": "moderation", "moderation_response": {"flagged": True, "blocked": False}})
    assert reply(root(), flag, done("Hi")).text == "Hi"


def test_what_came_before_a_damaged_record_is_kept() -> None:
    """Also when both arrive in one read."""
    decoder = Decoder()
    with pytest.raises(FormatChanged):
        decoder.feed(root(text="Hel") + delta("lo", TEXT, "append") + record("{broken", "delta"))
    assert fold(decoder.salvage()).text == "Hello"


def test_a_continued_answer_is_one_text() -> None:
    """The part after max_tokens joins the part before, and revisions of it keep the first part."""
    decoder = Decoder()
    events = decoder.feed(root(text="One ") + done("two", "max_tokens"))
    assert (decoder.finish_type, decoder.over) == ("max_tokens", True)
    decoder.begin_part()
    assert not decoder.over
    events += decoder.feed(root("B", text=" thre") + delta(" three", TEXT, "replace") + done())
    assert fold(events).text == "One two three"
    events += decoder.feed(root("C", text="x") + delta("y", TEXT, "replace"))
    assert fold(events).text == "One two threey"


def test_places_of_citations_count_all_that_went_out() -> None:
    """Also what was held back to the end of an earlier part, because a marker never closed."""
    decoder = Decoder()
    events = decoder.feed(root(text="ab \ue200cd") + done("", "max_tokens"))
    decoder.begin_part()
    groups = delta(GROUPS, "/message/metadata/search_result_groups", "append")
    events += decoder.feed(root("B", text="ef\ue200cite\ue202turn0search1\ue201") + groups + done())
    reply = fold(events)
    assert (reply.text, [citation.start for citation in reply.citations]) == ("ab cdef", [7])
