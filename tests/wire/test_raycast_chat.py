"""wire/raycast_chat.py: Raycast's questions, and its answers in whatever pieces they arrive."""

from __future__ import annotations

import json
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from polychat.errors import (
    AuthExpired,
    BadRequest,
    ContextTooLong,
    FormatChanged,
    PolychatError,
    RateLimited,
    Unavailable,
    UnsupportedFeature,
)
from polychat.fold import fold
from polychat.types import (
    Event,
    Finish,
    Image,
    Message,
    NamedTool,
    Reply,
    Request,
    Text,
    TextDelta,
    Thinking,
    ThinkingDelta,
    Tool,
    ToolCall,
    ToolCallDelta,
    ToolResult,
)
from polychat.wire.raycast_chat import Decoder, question

CAPTURES = sorted(Path(__file__, "../../captures/raycast").resolve().glob("*.sse"))
USER = Message(role="user", parts=(Text(text="hi"),))
WEATHER = Tool(name="get_weather", description="The weather", parameters={"type": "object"})
CALLED = Message(role="assistant", tool_calls=(ToolCall(id="c", name="f", arguments="{}"),))
RESULT = Message(role="tool", parts=(ToolResult(tool_call_id="c", content=(Text(text="1"),)),))


def frame(**fields: Any) -> bytes:
    """One event as the protocol page shows it."""
    return b"data: " + json.dumps(fields, ensure_ascii=False, separators=(",", ":")).encode() + b"\n\n"


def decoded(*pieces: bytes) -> list[Event]:
    """All events of a body that arrives in these pieces."""
    decoder = Decoder()
    return [event for piece in pieces for event in decoder.feed(piece)] + decoder.close()


def asked(*messages: Message, **settings: Any) -> dict[str, Any]:
    """The body of a question."""
    return question(Request(model="openai-gpt-4", messages=messages or (USER,), **settings))


def system(text: str) -> Message:
    """Instructions."""
    return Message(role="system", parts=(Text(text=text),))


# ---------------------------------------------------------------- the question


def test_a_plain_question_says_what_the_app_says() -> None:
    """No setting goes out that nobody asked for; the instruction is the app's own word for none."""
    assert asked() == {
        "additional_system_instructions": "",
        "debug": False,
        "locale": "en-US",
        "messages": [{"author": "user", "content": {"text": "hi"}}],
        "source": "ai_chat",
        "system_instruction": "markdown",
    }


def test_authors_are_user_and_assistant_and_system_texts_go_beside() -> None:
    """The first system text is the instruction, all further ones are additional, wherever they stand."""
    answer = Message(role="assistant", parts=(Thinking(text="hm"), Text(text="hello")))
    body = asked(system("be brief"), USER, system("be kind"), answer, system("be true"), USER)
    assert body["system_instruction"] == "be brief"
    assert body["additional_system_instructions"] == "be kind\n\nbe true"
    assert [(turn["author"], turn["content"]) for turn in body["messages"]] == [
        ("user", {"text": "hi"}), ("assistant", {"text": "hello"}), ("user", {"text": "hi"}),
    ]  # fmt: skip


def test_temperature_and_tools_go_out_as_they_are() -> None:
    """A tool is a local one, and the choice is the model's."""
    body = asked(temperature=0.0, tools=(WEATHER, Tool(name="f")))
    assert body["temperature"] == 0.0
    assert body["tool_choice"] == "auto"
    assert body["tools"] == [
        {
            "type": "local_tool",
            "function": {"name": "get_weather", "description": "The weather", "parameters": {"type": "object"}},
        },
        {"type": "local_tool", "function": {"name": "f", "description": "", "parameters": {}}},
    ]


def test_no_choice_means_no_tools() -> None:
    """With tool_choice none the model is not told of any."""
    assert {"tools", "tool_choice"}.isdisjoint(asked(tools=(WEATHER,), tool_choice="none"))


@pytest.mark.parametrize(
    ("messages", "settings", "named"),
    [
        ((USER,), {"top_p": 0.5}, "top_p"),
        ((USER,), {"tools": (WEATHER,), "tool_choice": "required"}, "choice"),
        ((USER,), {"tools": (WEATHER,), "tool_choice": NamedTool(name="get_weather")}, "choice"),
        ((USER,), {"tools": (WEATHER,), "parallel_tool_calls": False}, "parallel_tool_calls"),
        ((USER,), {"tools": (Tool(name="f", strict=True),)}, "strict"),
        ((USER, CALLED), {}, "results"),
        ((USER, RESULT), {}, "results"),
        ((Message(role="user", parts=(Image(url="https://example.com/a.png"),)),), {}, "Image"),
        ((system("be brief"),), {}, "user's message"),
    ],
)
def test_what_the_service_is_not_known_to_take_is_refused(
    messages: tuple[Message, ...], settings: dict[str, Any], named: str
) -> None:
    """Nothing is dropped in silence, and nothing is guessed."""
    with pytest.raises(UnsupportedFeature, match=named) as caught:
        asked(*messages, **settings)
    assert caught.value.provider == "raycast"


# ---------------------------------------------------------------- the answer

STREAM = (
    frame(reasoning="denk’ ", text=None)
    + frame(text="Hel")
    + frame(notification_type="info", notification={"text": "no answer"})
    + frame(text="lo, мир 🌍")
    + frame(tool_calls=[{"index": 0, "id": "c0", "function": {"name": "f"}}])
    + frame(tool_calls=[{"index": 1, "id": "c1", "function": {"name": "g", "arguments": '{"a'}}])
    + frame(tool_calls=[{"index": 0, "function": {"arguments": "{}"}}, {"index": 1, "function": {"arguments": '":1}'}}])
    + frame(
        text="",
        finish_reason="tool_calls",
        tool_calls=[{"id": "c0", "name": "f", "arguments": "{}"}, {"id": "c1", "name": "g", "arguments": '{"a":1}'}],
    )
)
REPLY = Reply(
    text="Hello, мир 🌍",
    thoughts=(Thinking(text="denk’ "),),
    tool_calls=(ToolCall(id="c0", name="f", arguments="{}"), ToolCall(id="c1", name="g", arguments='{"a":1}')),
    finish=Finish(reason="tool_calls", raw="tool_calls"),
)


def test_deltas_and_finish_come_in_order() -> None:
    """Each event gives what is in it; null, empty and absent texts give nothing."""
    body = frame(text="Hel") + frame(text=None) + frame(reasoning="hm") + frame(text="lo", finish_reason=None)
    assert decoded(body + frame(text="", finish_reason="stop")) == [
        TextDelta(text="Hel"),
        ThinkingDelta(text="hm"),
        TextDelta(text="lo"),
        Finish(reason="stop", raw="stop"),
    ]


@given(st.lists(st.integers(0, len(STREAM)), max_size=12), st.sampled_from([b"\n", b"\r\n", b"\r"]))
def test_split_points_and_newline_forms_do_not_matter(cuts: list[int], newline: bytes) -> None:
    """The reply is the same wherever the network cuts, also inside a character."""
    body = STREAM.replace(b"\n", newline)
    edges = [0, *sorted(cuts), len(body)]
    assert fold(decoded(*(body[a:b] for a, b in pairwise(edges)))) == REPLY


def test_one_byte_at_a_time() -> None:
    """The smallest pieces give the same reply."""
    assert fold(decoded(*(STREAM[i : i + 1] for i in range(len(STREAM))))) == REPLY


def test_data_without_a_space_says_the_same() -> None:
    """Both forms of `data:` are read."""
    assert fold(decoded(STREAM.replace(b"data: ", b"data:"))) == REPLY


def test_text_is_never_taken_for_the_format() -> None:
    """An answer that speaks of `data: ` keeps these characters, and one about [DONE] goes on."""
    body = frame(text="data: x ") + frame(text="[DONE]") + frame(text="!", finish_reason="stop")
    assert fold(decoded(body)).text == "data: x [DONE]!"


def test_tool_calls_are_told_once() -> None:
    """The whole calls at the end repeat the fragments and add nothing."""
    deltas = [event for event in decoded(STREAM) if isinstance(event, ToolCallDelta)]
    assert [(delta.index, delta.id, delta.name, delta.arguments) for delta in deltas] == [
        (0, "c0", "f", ""), (1, "c1", "g", '{"a'), (0, None, None, "{}"), (1, None, None, '":1}'),
    ]  # fmt: skip


@pytest.mark.parametrize("arguments", ['{"a":1}', {"a": 1}])
def test_calls_that_came_in_no_fragments_are_not_lost(arguments: Any) -> None:
    """Where nothing came before it, the summary is all there is."""
    calls = [{"id": "c0", "name": "f", "arguments": arguments}, {"id": "c1", "name": "g"}]
    assert fold(decoded(frame(finish_reason="tool_calls", tool_calls=calls))).tool_calls == (
        ToolCall(id="c0", name="f", arguments='{"a":1}'),
        ToolCall(id="c1", name="g", arguments=""),
    )


@pytest.mark.parametrize(
    ("raw", "reason"),
    [("stop", "stop"), ("length", "length"), ("content_filter", "content_filter"), ("new_word", "stop")],
)
def test_reasons_are_mapped_and_kept(raw: str, reason: str) -> None:
    """The service's own word goes along; one we do not know is a plain end."""
    assert fold(decoded(frame(text="x", finish_reason=raw))).finish == Finish(reason=reason, raw=raw)  # type: ignore[arg-type]


def test_done_ends_an_answer_too() -> None:
    """Behind a relay that gives no reason, the end is plain; after calls it is theirs."""
    assert fold(decoded(frame(text="x") + b"data: [DONE]\n\n")).finish == Finish(reason="stop")
    called = frame(tool_calls=[{"index": 0, "id": "c", "function": {"name": "f"}}])
    assert fold(decoded(called + b"data: [DONE]\n\n")).finish == Finish(reason="tool_calls")


def test_a_body_that_just_ends_has_no_finish() -> None:
    """It was cut; the engine says so."""
    assert decoded(frame(text="x")) == [TextDelta(text="x")]
    assert decoded() == []
    assert decoded(b"\n \n") == []


def test_a_last_event_without_its_blank_line_counts() -> None:
    """The end of the body ends the event."""
    assert fold(decoded(frame(text="Hi", finish_reason="stop")[:-2])).finish == Finish(reason="stop", raw="stop")


def test_nothing_is_read_after_the_end() -> None:
    """Neither a [DONE] nor an event after the reason is the answer's."""
    body = frame(text="Hi", finish_reason="stop") + frame(text="!") + b"data: [DONE]\n\n"
    assert decoded(body) == [TextDelta(text="Hi"), Finish(reason="stop", raw="stop")]


@pytest.mark.parametrize("data", [b"data: {broken\n\n", b"data: 1\n\n", b'data: {"text":1}\n\n', b"data: \xff\n\n"])
def test_what_is_not_an_answer_is_said_so(data: bytes) -> None:
    """A damaged or changed event is `FormatChanged`."""
    with pytest.raises(FormatChanged):
        decoded(data)


@pytest.mark.parametrize(
    ("error", "kind"),
    [
        ({"message": "Too busy"}, Unavailable),
        ("Too busy", Unavailable),
        ({"message": "Too busy", "status": 429}, RateLimited),
        ({"message": "Too busy", "code": 401}, AuthExpired),
        ({"message": "Too busy", "code": "413"}, ContextTooLong),
        ({"message": "Too busy", "code": 422}, BadRequest),
        ({"message": "Too busy", "code": "overload"}, Unavailable),
    ],
)
@pytest.mark.parametrize("bare", [False, True])
def test_an_error_inside_is_the_error_it_means(error: Any, kind: type[PolychatError], bare: bool) -> None:
    """By status or number where there is one, in the stream or instead of it; with the service's words."""
    body = json.dumps({"error": error}).encode() if bare else frame(error=error)
    with pytest.raises(PolychatError, match="Too busy") as caught:
        decoded(*(body[i : i + 3] for i in range(0, len(body), 3)))
    assert type(caught.value) is kind


@pytest.mark.parametrize("error", [{}, ""])
def test_an_error_without_words_is_one_too(error: Any) -> None:
    """An empty error is no answer."""
    with pytest.raises(Unavailable):
        decoded(frame(error=error))


def test_a_bare_document_may_be_an_answer() -> None:
    """One event without a stream around it."""
    assert fold(decoded(b'\n{"text":"Hi",', b'"finish_reason":"stop"}')).text == "Hi"


@pytest.mark.parametrize("bad", [b"data: {broken\n\n", frame(error={"message": "no"})])
def test_what_breaks_does_not_take_along_what_came_before(bad: bytes) -> None:
    """What was whole in the same network read is still given."""
    decoder = Decoder()
    with pytest.raises(PolychatError):
        decoder.feed(frame(text="Hel") + frame(text="lo") + bad)
    assert fold(decoder.salvage()).text == "Hello"


@pytest.mark.parametrize("path", CAPTURES, ids=lambda path: path.stem)
def test_captures_decode_to_what_is_noted_beside_them(path: Path) -> None:
    """Each wire sample has its expected reply in a .json of the same name."""
    expected = json.loads(path.with_suffix(".json").read_text("utf-8"))
    decoder, error, events = Decoder(), None, []
    try:
        events = decoder.feed(path.read_bytes()) + decoder.close()
    except PolychatError as raised:
        error, events = raised.code, decoder.salvage()
    reply = fold(events)
    assert (error is None) == (reply.finish is not None)
    actual = {
        "text": reply.text,
        "thinking": reply.thinking,
        "tool_calls": [{"id": call.id, "name": call.name, "arguments": call.arguments} for call in reply.tool_calls],
        "finish": reply.finish and reply.finish.raw,
        "error": error,
    }
    assert actual == {key: expected[key] for key in actual}
