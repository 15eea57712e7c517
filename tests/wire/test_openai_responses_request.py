"""wire/openai_responses_request.py: what of a request reaches the wire, and in which words."""

from __future__ import annotations

import base64
from collections.abc import Callable, Iterable
from typing import Any

import pytest

from polychat.errors import BadOption, PolychatError, UnsupportedFeature
from polychat.types import (
    Audio,
    File,
    Image,
    Message,
    NamedTool,
    Part,
    Request,
    ResponseFormat,
    Text,
    Thinking,
    Thread,
    Tool,
    ToolCall,
    ToolResult,
)
from polychat.wire.openai_responses_items import sealed
from polychat.wire.openai_responses_request import body

GIF = b"GIF89a\x01\0\x01\0\x80\0\0\xff\x80\0\0\0\xff!\xf9\x04\0\0\0\0\0,\0\0\0\0\x01\0\x01\0\0\x02\x02D\x01\0;"
PDF = b"%PDF-1.7\n%%EOF\n"
GIF_URI = f"data:image/gif;base64,{base64.b64encode(GIF).decode()}"
PDF_URI = f"data:application/pdf;base64,{base64.b64encode(PDF).decode()}"
HELLO = Message(role="user", parts=(Text(text="Hello"),))
THOUGHT = Thinking(text="One", signature=sealed("rs_1", "gA="))
KEPT = Thread(provider="openai", id="resp_1")
Judge = Callable[[dict[str, Any]], None]


@pytest.fixture(scope="module")
def judge() -> Judge:
    """Whether the official package's types allow a body; raises what is wrong with it."""
    from openai.types.responses.response_create_params import ResponseCreateParamsStreaming
    from pydantic import TypeAdapter

    adapter: TypeAdapter[Any] = TypeAdapter(ResponseCreateParamsStreaming)
    return lambda asked: read_through(adapter.validate_python(asked))


def read_through(value: Any) -> None:
    """Read to the end what is judged only as it is read."""
    if isinstance(value, str | bytes) or not isinstance(value, Iterable):
        return
    for one in value.values() if isinstance(value, dict) else value:
        read_through(one)


def test_the_judge_is_strict(judge: Judge) -> None:
    """It finds what is wrong, also inside lists."""
    from pydantic import ValidationError

    for wrong in (
        {"tools": [{"type": "function"}]},
        {"input": [{"role": "tool"}]},
        {"text": {"format": {"type": "x"}}},
    ):
        with pytest.raises(ValidationError):
            judge(sent() | wrong)


def sent(*messages: Message, **fields: Any) -> dict[str, Any]:
    """The JSON of a request."""
    return body(Request(model="m", messages=messages or (HELLO,), **fields))


def items(*messages: Message, **fields: Any) -> Any:
    """The talk of a request."""
    return sent(*messages, **fields)["input"]


def content(*parts: Part) -> Any:
    """What becomes of the parts of a message."""
    (item,) = items(Message(role="user", parts=parts))
    return item["content"]


def test_what_is_unset_is_left_to_the_service() -> None:
    """Nothing goes out that nobody asked for, but that nothing is to be kept."""
    bare = {"model": "m", "input": [{"role": "user", "content": "Hello"}], "store": False}
    assert sent() == bare | {"stream": True}
    assert sent(stream=False) == bare | {"stream": False}


def test_everything_that_is_set_goes_out_in_the_words_of_this_api(judge: Judge) -> None:
    """Under the names that the service reads; a tool is only strict when that is said."""
    asked = sent(
        tools=(
            Tool(name="f", description="d", parameters={"type": "object"}, strict=True), Tool(name="g"),
            Tool(name="h", strict=False),
        ),
        tool_choice=NamedTool(name="f"), parallel_tool_calls=False, max_tokens=16, temperature=0.0, top_p=0.5,
        reasoning_effort="low", web_search=True,
        response_format=ResponseFormat(type="json_schema", name="n", schema={"type": "object"}, strict=True),
        options={
            "verbosity": "low", "truncation": "auto", "max_tool_calls": 3, "user": "u", "metadata": {"a": "b"},
            "service_tier": "flex", "prompt_cache_key": "k", "safety_identifier": "s", "api": "responses",
            "extra_body": {"anything": [1]},
        },
    )  # fmt: skip
    judge(asked)
    assert {name: asked[name] for name in asked.keys() - {"model", "input", "stream", "tools"}} == {
        "store": False, "tool_choice": {"type": "function", "name": "f"}, "parallel_tool_calls": False,
        "max_output_tokens": 16, "temperature": 0.0, "top_p": 0.5, "reasoning": {"effort": "low", "summary": "auto"},
        "include": ["reasoning.encrypted_content"], "truncation": "auto", "max_tool_calls": 3, "user": "u",
        "metadata": {"a": "b"}, "service_tier": "flex", "prompt_cache_key": "k", "safety_identifier": "s",
        "anything": [1],
        "text": {
            "format": {"type": "json_schema", "name": "n", "schema": {"type": "object"}, "strict": True},
            "verbosity": "low",
        },
    }  # fmt: skip
    nothing = {"type": "object", "properties": {}}
    assert asked["tools"] == [
        {"type": "function", "name": "f", "description": "d", "parameters": {"type": "object"}, "strict": True},
        {"type": "function", "name": "g", "parameters": nothing, "strict": False},
        {"type": "function", "name": "h", "parameters": nothing, "strict": False},
        {"type": "web_search"},
    ]


@pytest.mark.parametrize(
    ("form", "expected"),
    [
        (ResponseFormat(type="text"), {"type": "text"}),
        (ResponseFormat(type="json_object"), {"type": "json_object"}),
        (ResponseFormat(type="json_schema", schema={}), {"type": "json_schema", "name": "answer", "schema": {}}),
    ],
)
def test_a_format_is_its_type_and_what_is_known_of_it(form: ResponseFormat, expected: Any, judge: Judge) -> None:
    """A schema needs a name, so it has one."""
    asked = sent(response_format=form)
    judge(asked)
    assert asked["text"] == {"format": expected}


# ---------------------------------------------------------------- the talk


def test_words_alone_are_a_string() -> None:
    """Also from several parts."""
    assert content(Text(text="a"), Text(text="b")) == "ab"


def test_attachments_are_parts(judge: Judge) -> None:
    """Bytes as base64 with their real type, links as they are."""
    parts = (
        Text(text="see"), Image(data=GIF, detail="low"), Image(url="https://example.com/a"),
        File(data=PDF, name="a.pdf"), File(data=PDF), File(url="https://example.com/b.pdf"),
    )  # fmt: skip
    judge(sent(Message(role="user", parts=parts)))
    assert content(*parts) == [
        {"type": "input_text", "text": "see"},
        {"type": "input_image", "image_url": GIF_URI, "detail": "low"},
        {"type": "input_image", "image_url": "https://example.com/a", "detail": "auto"},
        {"type": "input_file", "filename": "a.pdf", "file_data": PDF_URI},
        {"type": "input_file", "filename": "file.pdf", "file_data": PDF_URI},
        {"type": "input_file", "file_url": "https://example.com/b.pdf"},
    ]


def test_a_talk_with_tools_goes_back_as_it_was(judge: Judge) -> None:
    """Orders, calls and results are items; a result may show something."""
    talk = (
        Message(role="system", parts=(Text(text="be brief"),)),
        HELLO,
        Message(role="assistant", parts=(Text(text="So:"),), tool_calls=(ToolCall(id="c", name="f", arguments="{}"),)),
        Message(role="tool", parts=(ToolResult(tool_call_id="c", content=(Text(text="42"),)),)),
        Message(role="tool", parts=(ToolResult(tool_call_id="d", content=(Text(text="see"), Image(data=GIF))),)),
        Message(role="tool", parts=(ToolResult(tool_call_id="e", content=()),)),
    )
    judge(sent(*talk))
    assert items(*talk) == [
        {"role": "system", "content": "be brief"},
        {"role": "user", "content": "Hello"},
        {"role": "assistant", "content": "So:"},
        {"type": "function_call", "call_id": "c", "name": "f", "arguments": "{}"},
        {"type": "function_call_output", "call_id": "c", "output": "42"},
        {
            "type": "function_call_output", "call_id": "d",
            "output": [
                {"type": "input_text", "text": "see"},
                {"type": "input_image", "image_url": GIF_URI, "detail": "auto"},
            ],
        },
        {"type": "function_call_output", "call_id": "e", "output": ""},
    ]  # fmt: skip


def test_reasoning_goes_back_as_it_was_sealed(judge: Judge) -> None:
    """Before what it led to, each block as an item; what this service did not seal stays here."""
    said = Message(
        role="assistant",
        parts=(
            Thinking(text="One", signature=sealed("rs_1", 'g"A=')), Thinking(signature=sealed("rs_2", "gB=")),
            Thinking(text="\n\nThree", signature=sealed("rs_3", "gC=")), Thinking(text="unsigned"),
            Thinking(text="of another", signature="EqQBCkYIAx"), Thinking(redacted="EqQB"), Text(text="Hi"),
        ),
        tool_calls=(ToolCall(id="c", name="f", arguments="{}"),),
    )  # fmt: skip
    judge(sent(said))
    assert items(said) == [
        {
            "type": "reasoning", "id": "rs_1", "summary": [{"type": "summary_text", "text": "One"}],
            "encrypted_content": 'g"A=',
        },
        {"type": "reasoning", "id": "rs_2", "summary": [], "encrypted_content": "gB="},
        {
            "type": "reasoning", "id": "rs_3", "summary": [{"type": "summary_text", "text": "Three"}],
            "encrypted_content": "gC=",
        },
        {"role": "assistant", "content": "Hi"},
        {"type": "function_call", "call_id": "c", "name": "f", "arguments": "{}"},
    ]  # fmt: skip


def test_a_picture_that_was_drawn_goes_back_as_the_users() -> None:
    """An assistant's message holds words alone; one without any is no item."""
    picture = {"type": "input_image", "image_url": GIF_URI, "detail": "auto"}
    drawn = Message(role="assistant", parts=(Text(text="Here"), Image(data=GIF)))
    assert items(drawn) == [{"role": "assistant", "content": "Here"}, {"role": "user", "content": [picture]}]
    assert items(Message(role="assistant", parts=(Image(data=GIF),))) == [{"role": "user", "content": [picture]}]


# ---------------------------------------------------------------- a conversation the service keeps


def test_a_conversation_that_is_kept_is_sent_what_is_new(judge: Judge) -> None:
    """What came after its last answer, with the name of that."""
    answer = Message(role="assistant", parts=(Text(text="Hi"),))
    more = (Message(role="user", parts=(Text(text="And?"),)), Message(role="system", parts=(Text(text="be brief"),)))
    asked = sent(HELLO, answer, *more, thread=KEPT)
    judge(asked)
    assert (asked["previous_response_id"], asked["store"]) == ("resp_1", True)
    assert asked["input"] == [{"role": "user", "content": "And?"}, {"role": "system", "content": "be brief"}]
    assert items(*more, thread=KEPT) == asked["input"]
    assert items(HELLO, answer, thread=KEPT) == [{"role": "assistant", "content": "Hi"}]


def test_one_that_is_not_kept_is_sent_whole() -> None:
    """Also when it is to be kept from now on."""
    talk = (HELLO, Message(role="assistant", parts=(Text(text="Hi"),)), HELLO)
    for thread in (None, Thread(provider="openai", history=talk)):
        asked = sent(*talk, thread=thread, options={"store": True})
        assert (len(asked["input"]), asked["store"], "previous_response_id" in asked) == (3, True, False)


def test_a_conversation_that_is_kept_stays_so() -> None:
    """Its next answer would be lost otherwise."""
    assert sent(thread=KEPT, options={"store": True})["store"] is True
    with pytest.raises(BadOption, match="store is false, and the service keeps this conversation") as caught:
        sent(thread=KEPT, options={"store": False})
    assert caught.value.field == "store"


# ---------------------------------------------------------------- reasoning, and tools of the service


@pytest.mark.parametrize(
    ("message", "expected"),
    [
        (Message(role="assistant", parts=(THOUGHT,)), []),
        (Message(role="assistant", parts=(THOUGHT, Image(data=GIF))), ["user"]),
        (Message(role="assistant", parts=(THOUGHT, Text(text="Hi"))), ["reasoning", "assistant"]),
        (
            Message(role="assistant", parts=(THOUGHT,), tool_calls=(ToolCall(id="c", name="f", arguments="{}"),)),
            ["reasoning", "function_call"],
        ),
    ],
)
def test_a_thought_goes_back_with_what_came_of_it(message: Message, expected: list[str]) -> None:
    """Alone, or before a picture that goes back as the user's, the service would refuse it."""
    assert [item.get("type", item.get("role")) for item in items(message)] == expected


@pytest.mark.parametrize(
    ("fields", "reasoning", "include"),
    [
        ({}, None, None),
        ({"reasoning_effort": "none"}, {"effort": "none"}, None),
        ({"reasoning_effort": "high"}, {"effort": "high", "summary": "auto"}, ["reasoning.encrypted_content"]),
        (
            {"reasoning_effort": "high", "options": {"store": True}},
            {"effort": "high", "summary": "auto"}, None,
        ),
        (
            {"reasoning_effort": "high", "options": {"include": ["web_search_call.action.sources"]}},
            {"effort": "high", "summary": "auto"}, ["web_search_call.action.sources", "reasoning.encrypted_content"],
        ),
        (
            {"reasoning_effort": "high", "options": {"include": ["reasoning.encrypted_content"]}},
            {"effort": "high", "summary": "auto"}, ["reasoning.encrypted_content"],
        ),
        ({"options": {"include": ["reasoning.encrypted_content"]}}, None, ["reasoning.encrypted_content"]),
    ],
)  # fmt: skip
def test_reasoning_is_shown_and_comes_back_sealed(fields: dict[str, Any], reasoning: Any, include: Any) -> None:
    """Where the model is to reason and nothing is kept; a model that does not would refuse to seal it."""
    asked = sent(**fields)
    assert (asked.get("reasoning"), asked.get("include")) == (reasoning, include)


@pytest.mark.parametrize(
    ("fields", "tools", "choice"),
    [
        ({"modalities": ("text", "image")}, [{"type": "image_generation"}], None),
        ({"modalities": ("image",)}, [{"type": "image_generation"}], {"type": "image_generation"}),
        ({"modalities": ("image",), "tool_choice": "auto"}, [{"type": "image_generation"}], "auto"),
        (
            {"modalities": ("text", "image"), "options": {"hosted_tools": [{"type": "image_generation", "n": 1}]}},
            [{"type": "image_generation", "n": 1}], None,
        ),
        (
            {"web_search": True, "options": {"hosted_tools": [{"type": "web_search", "filters": {}}]}},
            [{"type": "web_search", "filters": {}}], None,
        ),
        (
            {"web_search": True, "options": {"hosted_tools": [{"type": "code_interpreter", "container": "c"}]}},
            [{"type": "code_interpreter", "container": "c"}, {"type": "web_search"}], None,
        ),
    ],
)  # fmt: skip
def test_the_services_own_tools_are_asked_for(fields: dict[str, Any], tools: Any, choice: Any, judge: Judge) -> None:
    """By what the request wants, and as they are named in full; a picture alone is insisted on."""
    asked = sent(**fields)
    judge(asked)
    assert (asked["tools"], asked.get("tool_choice")) == (tools, choice)


def test_a_run_in_the_background_is_streamed() -> None:
    """A document would be there before its answer."""
    asked = sent(stream=False, options={"background": True, "store": True})
    assert (asked["stream"], asked["background"]) == (True, True)


# ---------------------------------------------------------------- what cannot be said


@pytest.mark.parametrize(
    ("fields", "kind", "sentence"),
    [
        ({"seed": 7}, UnsupportedFeature, "knows no seed"),
        ({"seed": 0}, UnsupportedFeature, "knows no seed"),
        ({"stop": ("a",)}, UnsupportedFeature, "knows no stop"),
        ({"modalities": ("text", "audio")}, UnsupportedFeature, "does not speak"),
        ({"options": {"frequency_penalty": 1.0}}, UnsupportedFeature, "knows no frequency_penalty"),
        ({"options": {"presence_penalty": 1.0}}, UnsupportedFeature, "knows no presence_penalty"),
        ({"options": {"logit_bias": {}}}, UnsupportedFeature, "knows no logit_bias"),
        ({"options": {"top_k": 1}}, UnsupportedFeature, "knows no top_k"),
        ({"options": {"hosted_tools": ["web_search"]}}, BadOption, r"hosted_tools\[0\]|hosted_tools"),
        ({"options": {"hosted_tools": [{"name": "x"}]}}, BadOption, "hosted_tools"),
    ],
)
def test_what_only_chat_completions_knows_is_refused(
    fields: dict[str, Any], kind: type[PolychatError], sentence: str
) -> None:
    """By its name, and never left out in silence."""
    with pytest.raises(kind, match=sentence) as caught:
        sent(**fields)
    if isinstance(caught.value, BadOption):
        assert caught.value.field
        assert caught.value.field.split("[")[0] in fields["options"]


def test_what_has_no_place_is_refused() -> None:
    """Sound, and the name of a message."""
    with pytest.raises(UnsupportedFeature, match="takes no Audio"):
        content(Audio(data=b"RIFF\x24\0\0\0WAVEfmt "))
    with pytest.raises(UnsupportedFeature, match="no place for a name of a message"):
        sent(Message(role="user", parts=(Text(text="hi"),), name="ann"))
