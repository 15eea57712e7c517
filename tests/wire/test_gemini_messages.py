"""wire/gemini_messages.py: the talk as the Gemini API takes it."""

from __future__ import annotations

from typing import Any

import pytest

from polychat.errors import BadOption, UnsupportedFeature
from polychat.types import (
    Audio,
    File,
    Image,
    Message,
    Part,
    Request,
    Role,
    Text,
    Thinking,
    ToolCall,
    ToolResult,
)
from polychat.wire import gemini_messages

GIF = b"GIF89a" + b"\0" * 8
PDF = b"%PDF-1.7"
WAV = b"RIFF\0\0\0\0WAVEfmt "
MP4 = b"\0\0\0\x18ftypmp42"
NEW, OLD = "gemini-3.8-flash", "gemini-2.5-flash"
CALL = ToolCall(id="c1", name="f", arguments='{"a": [1]}', signature="c2ln")
HI = Message(role="user", parts=(Text(text="hi"),))


def talk(*messages: Message, model: str = NEW) -> Any:
    """The contents."""
    return gemini_messages.contents(Request(model=model, messages=messages))


def parts(*given: Part, role: Role = "user", calls: tuple[ToolCall, ...] = (), model: str = NEW) -> Any:
    """The parts of a talk of one message."""
    (content,) = talk(Message(role=role, parts=given, tool_calls=calls), model=model)
    return content["parts"]


def result(*content: Text | Image | Audio | File, model: str = NEW, **rest: Any) -> Any:
    """The parts that answer `CALL`."""
    asked = Message(role="assistant", tool_calls=(CALL,))
    told = Message(role="tool", parts=(ToolResult(tool_call_id="c1", content=content, **rest),))
    return talk(asked, told, model=model)[1]["parts"]


# ---------------------------------------------------------------- the order


def test_a_talk_alternates() -> None:
    """Neighbours of one role are one content, and instructions stand beside it."""
    orders = Message(role="system", parts=(Text(text="be "), Text(text="brief")))
    answer = Message(role="assistant", parts=(Text(text="ho"),))
    more = Message(role="system", parts=(Text(text="and kind"),))
    silent = Message(role="assistant")
    given = (orders, HI, HI, answer, more, silent, answer, HI)
    assert talk(*given) == [
        {"role": "user", "parts": [{"text": "hi"}, {"text": "hi"}]},
        {"role": "model", "parts": [{"text": "ho"}, {"text": "ho"}]},
        {"role": "user", "parts": [{"text": "hi"}]},
    ]
    assert gemini_messages.system(Request(model=NEW, messages=given)) == {
        "parts": [{"text": "be brief"}, {"text": "and kind"}]
    }


def test_without_instructions_there_are_none() -> None:
    """Empty ones are none either."""
    for given in ((HI,), (Message(role="system", parts=(Text(text=""),)), HI)):
        assert gemini_messages.system(Request(model=NEW, messages=given)) is None


def test_instructions_are_words() -> None:
    """A picture there is refused by its place."""
    with pytest.raises(BadOption, match=r"messages\[1\] is a system message with a file") as caught:
        gemini_messages.system(
            Request(model=NEW, messages=(HI, Message(role="system", parts=(Text(text="see"), Image(data=GIF)))))
        )
    assert caught.value.field == "messages[1]"


@pytest.mark.parametrize(
    "message",
    [Message(role="system", parts=(Text(text="be brief"),)), Message(role="user", parts=(Text(text=""),))],
)
def test_a_talk_without_words_is_refused(message: Message) -> None:
    """Before anything is sent."""
    with pytest.raises(BadOption, match="no words and no file") as caught:
        talk(message)
    assert caught.value.field == "messages"


# ---------------------------------------------------------------- files


def test_bytes_go_with_their_real_type() -> None:
    """In the order they were given, between the words."""
    given = (
        Text(text="see"),
        Image(data=GIF),
        Audio(data=WAV),
        File(data=MP4),
        File(data=PDF, name="a"),
        Text(text="?"),
    )
    assert parts(*given) == [
        {"text": "see"},
        {"inlineData": {"mimeType": "image/gif", "data": GIF}},
        {"inlineData": {"mimeType": "audio/wav", "data": WAV}},
        {"inlineData": {"mimeType": "video/mp4", "data": MP4}},
        {"inlineData": {"mimeType": "application/pdf", "data": PDF}},
        {"text": "?"},
    ]


@pytest.mark.parametrize(
    "link",
    [
        "https://generativelanguage.googleapis.com/v1beta/files/abc",
        "gs://bucket/film.mp4",
        "https://www.youtube.com/watch?v=x",
        "https://youtube.com/watch?v=x",
        "https://youtu.be/x",
    ],
)
def test_links_of_the_services_own_go_as_they_are(link: str) -> None:
    """With their type, where it is known."""
    assert parts(File(url=link), File(url=link, media_type="video/mp4")) == [
        {"fileData": {"fileUri": link}},
        {"fileData": {"fileUri": link, "mimeType": "video/mp4"}},
    ]


def test_any_other_link_is_refused() -> None:
    """It is fetched before it comes here."""
    with pytest.raises(UnsupportedFeature, match=r"messages\[0\] names a file by a link"):
        parts(Image(url="https://example.com/cat.png"))


def test_more_bytes_than_a_request_takes_are_refused() -> None:
    """By the place and the name of the file; counted as base64, over the whole talk."""
    half = PDF + b"\0" * (gemini_messages.INLINE_LIMIT_BYTES * 3 // 8 - len(PDF))
    first = Message(role="user", parts=(File(data=half),))
    whole = talk(first, Message(role="user", parts=(File(data=half),)))
    assert len(whole[0]["parts"]) == 2
    late = Message(role="user", parts=(File(data=half), Image(data=GIF, name="a.gif")))
    with pytest.raises(BadOption, match=r"a\.gif makes the attached files more than the 100 MB") as caught:
        talk(first, late)
    assert caught.value.field == "messages[1]"


# ---------------------------------------------------------------- calls and results


def test_a_call_goes_back_as_it_came() -> None:
    """With its id and its signature; only the first of several has one."""
    other = ToolCall(id="c2", name="g", arguments="")
    assert parts(Text(text="wait"), role="assistant", calls=(CALL, other)) == [
        {"text": "wait"},
        {"functionCall": {"id": "c1", "name": "f", "args": {"a": [1]}}, "thoughtSignature": "c2ln"},
        {"functionCall": {"id": "c2", "name": "g", "args": {}}},
    ]


def test_a_call_of_another_face_gets_the_documented_word() -> None:
    """The first of each message, with models that insist on a signature."""
    calls = tuple(ToolCall(id=name, name=name, arguments="{}") for name in ("a", "b"))
    signatures = {
        model: [part.get("thoughtSignature") for part in parts(role="assistant", calls=calls, model=model)]
        for model in (NEW, "models/gemini-3-pro-preview", "gemini-flash-latest", OLD)
    }
    word = "skip_thought_signature_validator"
    assert signatures == {
        NEW: [word, None],
        "models/gemini-3-pro-preview": [word, None],
        "gemini-flash-latest": [word, None],
        OLD: [None, None],
    }


@pytest.mark.parametrize("arguments", ["[1]", '"a"', "{", "null", "1"])
def test_arguments_that_are_no_object_are_refused(arguments: str) -> None:
    """By their place."""
    calls = (CALL, ToolCall(id="c2", name="g", arguments=arguments))
    with pytest.raises(BadOption, match="is no JSON object") as caught:
        talk(HI, Message(role="assistant", tool_calls=calls))
    assert caught.value.field == "messages[1].tool_calls[1].function.arguments"


@pytest.mark.parametrize(
    ("text", "rest", "expected"),
    [
        ("42", {}, {"output": "42"}),
        ("", {}, {"output": ""}),
        ("[1]", {}, {"output": "[1]"}),
        ('{"t": 21.5}', {}, {"t": 21.5}),
        ("{}", {}, {}),
        ("no such city", {"is_error": True}, {"error": "no such city"}),
        ('{"t": 1}', {"is_error": True}, {"error": '{"t": 1}'}),
    ],
)
def test_a_result_is_an_object(text: str, rest: dict[str, Any], expected: dict[str, Any]) -> None:
    """That is what it says, or holds it under the name that the service knows."""
    assert result(Text(text=text), **rest) == [
        {"functionResponse": {"id": "c1", "name": "f", "response": expected}},
    ]


def test_words_of_a_result_are_joined() -> None:
    """They are one answer."""
    assert result(Text(text="4"), Text(text="2"))[0]["functionResponse"]["response"] == {"output": "42"}


def test_a_picture_of_a_result_goes_where_the_model_takes_it() -> None:
    """Inside the response since Gemini 3, after it before."""
    picture = {"inlineData": {"mimeType": "image/gif", "data": GIF}}
    told = {"id": "c1", "name": "f", "response": {"output": "see"}}
    assert result(Text(text="see"), Image(data=GIF)) == [{"functionResponse": told | {"parts": [picture]}}]
    assert result(Text(text="see"), Image(data=GIF), model=OLD) == [{"functionResponse": told}, picture]


def test_results_of_parallel_calls_stand_together() -> None:
    """In one content, each under the name of its call; what the person says next follows."""
    calls = (CALL, ToolCall(id="c2", name="g", arguments="{}"))
    told = [
        Message(role="tool", parts=(ToolResult(tool_call_id=call.id, content=(Text(text=call.id),)),)) for call in calls
    ]
    contents = talk(HI, Message(role="assistant", tool_calls=calls), *reversed(told), HI)
    assert [content["role"] for content in contents] == ["user", "model", "user"]
    assert contents[2]["parts"] == [
        {"functionResponse": {"id": "c2", "name": "g", "response": {"output": "c2"}}},
        {"functionResponse": {"id": "c1", "name": "f", "response": {"output": "c1"}}},
        {"text": "hi"},
    ]


def test_a_result_may_bring_its_name() -> None:
    """Its own counts; an id that came twice means the later call."""
    assert result(Text(text="x"), name="other")[0]["functionResponse"]["name"] == "other"
    again = Message(role="assistant", tool_calls=(ToolCall(id="c1", name="later", arguments="{}"),))
    told = Message(role="tool", parts=(ToolResult(tool_call_id="c1", content=()),))
    contents = talk(Message(role="assistant", tool_calls=(CALL,)), told, again, told)
    assert [content["parts"][0]["functionResponse"]["name"] for content in contents[1::2]] == ["f", "later"]


def test_a_result_of_no_call_is_refused() -> None:
    """The service wants the name of the function."""
    with pytest.raises(BadOption, match=r"messages\[1\]\.tool_call_id is 'c9', which no call before it has") as caught:
        talk(HI, Message(role="tool", parts=(ToolResult(tool_call_id="c9", content=()),)))
    assert caught.value.field == "messages[1].tool_call_id"


# ---------------------------------------------------------------- what was thought


def test_a_signature_goes_back_on_the_words() -> None:
    """The summary stays here."""
    thought = Thinking(text="I reckon", signature="YQ==")
    assert parts(thought, Text(text="42"), role="assistant") == [{"text": "42", "thoughtSignature": "YQ=="}]
    assert parts(Thinking(text="only"), Text(text="42"), role="assistant") == [{"text": "42"}]


def test_a_signature_without_words_stands_alone() -> None:
    """As it came."""
    assert parts(Thinking(signature="YQ=="), role="assistant", calls=(CALL,)) == [
        {"text": "", "thoughtSignature": "YQ=="},
        {"functionCall": {"id": "c1", "name": "f", "args": {"a": [1]}}, "thoughtSignature": "c2ln"},
    ]


@pytest.mark.parametrize(
    ("signatures", "expected"),
    [
        ("", [("text", None), ("inlineData", None), ("inlineData", None)]),
        ("a", [("text", "a"), ("inlineData", None), ("inlineData", None)]),
        ("ab", [("inlineData", "a"), ("inlineData", "b"), ("text", None)]),
        ("abc", [("text", "a"), ("inlineData", "b"), ("inlineData", "c")]),
        ("abcd", [("text", "a"), ("inlineData", "b"), ("inlineData", "c"), ("text", "d")]),
    ],
)
def test_every_picture_has_its_signature_back(signatures: str, expected: list[tuple[str, str | None]]) -> None:
    """And so has what came first."""
    given: list[Part] = [Thinking(signature=one) for one in signatures]
    given += [Text(text="x"), Image(data=GIF), Image(data=GIF)]
    assert [(next(iter(part)), part.get("thoughtSignature")) for part in parts(*given, role="assistant")] == expected


def test_what_the_service_wants_back_whole_comes_first() -> None:
    """As it was; anything else is not of this service."""
    kept = Thinking(redacted='{"executableCode": {"code": "1"}, "thoughtSignature": "YQ=="}')
    assert parts(kept, Text(text="1"), role="assistant") == [
        {"executableCode": {"code": "1"}, "thoughtSignature": "YQ=="},
        {"text": "1"},
    ]
    with pytest.raises(BadOption, match=r"messages\[0\] holds hidden reasoning that is not gemini's"):
        parts(Thinking(redacted="EuYBCkQ"), role="assistant")


def test_a_person_has_no_reasoning() -> None:
    """It is the model's."""
    with pytest.raises(BadOption, match=r"messages\[0\] is reasoning in the name of the user"):
        parts(Thinking(text="hm"))
