"""providers/_openai_responses.py over real HTTP: which API a question goes by, and what that one makes of it."""

from __future__ import annotations

import asyncio
import base64
import hashlib
import io
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread as Worker
from typing import Any, ClassVar, NamedTuple

import msgspec
import pytest
from PIL import Image as Pillow

from polychat import BadOption, ChatCompletion, Client
from polychat.credentials import Account, ApiKey, Secret
from polychat.engine.engine import Engine
from polychat.engine.settings import load
from polychat.errors import (
    BadRequest,
    ConfigError,
    FormatChanged,
    Interrupted,
    PolychatError,
    RequestRejected,
    UnknownModel,
    UnsupportedFeature,
)
from polychat.providers import load as provider
from polychat.providers.openai_compatible import OpenAICompatible, Row, RowModel, rows
from polychat.sandbox import Sandbox
from polychat.types import (
    Citation,
    File,
    Image,
    Message,
    Reply,
    Request,
    Text,
    Thinking,
    Thread,
    ToolCall,
    ToolResult,
    Usage,
)
from polychat.vault.memory import MemoryVault
from polychat.wire.openai_responses_items import sealed

CHAT, RESPONSES = "/v1/chat/completions", "/v1/responses"
PDF = b"%PDF-1.7\n%%EOF\n"
PNG = Path(__file__).parents[2] / "docs" / "images" / "cat.jpeg"
PARAMETERS = {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]}
WEATHER = {"type": "function", "function": {"name": "get_weather", "parameters": PARAMETERS}}
Made = Callable[..., Client]


def ask(made: Made, messages: Any = "Hello", **question: Any) -> ChatCompletion:
    """One whole answer of the emulated OpenAI."""
    return made().chat.completions.create(**{"model": "openai/gpt-5.5", "messages": messages} | question)


def seen(sandbox: Sandbox) -> list[str]:
    """Where the questions went."""
    return [entry.path for entry in sandbox.journal(service="openai") if entry.method == "POST"]


def bodies(sandbox: Sandbox) -> list[Any]:
    """What the Responses API was asked."""
    return [entry.json for entry in sandbox.journal(service="openai", path=RESPONSES)]


# ---------------------------------------------------------------- which of the two


@pytest.mark.parametrize(
    ("question", "path"),
    [
        ({}, CHAT),
        ({"reasoning_effort": "none"}, CHAT),
        ({"seed": 7, "stop": ["x"], "model": "openai/gpt-4o"}, CHAT),
        ({"image": PNG}, CHAT),
        ({"store": False}, CHAT),
        ({"prompt_cache_key": "k", "safety_identifier": "s"}, CHAT),
        ({"reasoning_effort": "low"}, RESPONSES),
        ({"reasoning_effort": "low", "api": "chat"}, CHAT),
        ({"files": [PDF]}, RESPONSES),
        ({"files": [PDF], "api": "chat"}, CHAT),
        ({"store": True}, RESPONSES),
        ({"truncation": "auto"}, RESPONSES),
        ({"max_tool_calls": 3}, RESPONSES),
        ({"include": []}, RESPONSES),
        ({"api": "responses"}, RESPONSES),
        ({"api": "responses", "image": PNG, "verbosity": "low", "user": "u"}, RESPONSES),
    ],
)
def test_a_question_goes_where_it_is_answered_best(
    sandbox: Sandbox, sandbox_client: Made, question: dict[str, Any], path: str
) -> None:
    """By chat completions unless it asks for more; the word that decides is not sent."""
    assert ask(sandbox_client, **question).text.startswith("You asked: “Hello”")
    assert seen(sandbox) == [path]
    assert "api" not in sandbox.journal(service="openai")[0].json


@pytest.mark.parametrize(
    ("question", "kind", "sentence", "hint"),
    [
        (
            {"reasoning_effort": "low", "seed": 7}, UnsupportedFeature, "the Responses API knows no seed",
            'reasoning_effort goes there; leave out one of the two, or say api="chat"',
        ),
        (
            {"files": [PDF], "stop": ["x"], "model": "openai/gpt-4o"}, UnsupportedFeature, "knows no stop",
            'files goes there; leave out one of the two, or say api="chat"',
        ),
        (
            {"store": True, "frequency_penalty": 1.0}, UnsupportedFeature, "knows no frequency_penalty",
            'store goes there; leave out one of the two, or say api="chat"',
        ),
        (
            {"truncation": "auto", "logit_bias": {}}, UnsupportedFeature, "the Responses API knows no logit_bias",
            "truncation needs that API; leave out one of the two",
        ),
        ({"api": "responses", "seed": 7}, UnsupportedFeature, "the Responses API knows no seed", "leave it out"),
        (
            {"api": "chat", "truncation": "auto"}, BadOption,
            "truncation is for the Responses API only, and api is 'chat'", "leave out api or truncation",
        ),
        ({"api": "completions"}, BadOption, "api is 'completions'; it is one of chat, responses", None),
        ({"hosted_tools": [7]}, BadOption, r"hosted_tools\[0\]: expected `object`", None),
    ],
)  # fmt: skip
def test_what_the_one_that_is_needed_does_not_know_is_refused(
    sandbox: Sandbox, sandbox_client: Made, question: dict[str, Any], kind: type[ConfigError], sentence: str,
    hint: str | None,
) -> None:  # fmt: skip
    """Before anything is sent, with the reason why it was needed."""
    with pytest.raises(kind, match=sentence) as caught:
        ask(sandbox_client, **question)
    assert caught.value.hint == hint
    assert seen(sandbox) == []


def test_a_file_by_its_address_goes_by_the_responses_api_alone(sandbox: Sandbox, sandbox_client: Made) -> None:
    """Chat completions has no place for one."""
    asked = Message(role="user", parts=(Text(text="See"), File(url="https://example.com/a.pdf")))
    with pytest.raises(UnsupportedFeature, match="files is for the Responses API only, and api is 'chat'"):
        ask(sandbox_client, [asked], api="chat")
    assert seen(sandbox) == []
    with pytest.raises(BadRequest, match="the address cannot be reached"):
        ask(sandbox_client, [asked])
    assert bodies(sandbox)[0]["input"][0]["content"][1]["file_url"] == "https://example.com/a.pdf"


def test_a_row_without_the_responses_api_states_nothing_that_only_that_one_does() -> None:
    """A search would be left out of the question unsaid; so it is none of what the service can, or its models."""
    can = frozenset[Any]({"web_search", "threads", "image_out"})
    models = ("a", RowModel(id="b"), RowModel(id="c", can=can))
    for responses, expected in ((True, can), (False, {"image_out"})):
        row = Row(label="T", base_url="https://t.example/v1", models=models, can=can, responses=responses)
        info = OpenAICompatible("t", row).info
        assert [can & info.abilities(model) for model in info.models] == [expected] * 3
        assert can & info.capabilities == expected


def test_only_one_row_has_the_responses_api() -> None:
    """The others know none of its options, and keep no conversation."""
    assert [name for name, row in rows().items() if row.responses] == ["openai"]
    for name in rows():
        info = provider(name).info
        own = {"api", "store", "include", "truncation", "hosted_tools"} & set(info.options)
        assert ("threads" in info.capabilities, bool(own)) == (name == "openai", name == "openai")


# ---------------------------------------------------------------- the answer


def test_reasoning_is_told(sandbox: Sandbox, sandbox_client: Made) -> None:
    """As a summary, streamed or whole; chat completions counts it and says nothing."""
    whole = ask(sandbox_client, reasoning_effort="low")
    with sandbox_client().chat.completions.create(
        model="openai/gpt-5.5", messages="Hello", reasoning_effort="low", stream=True
    ) as stream:
        chunks = list(stream)
    assert whole.reasoning.startswith("The question is before me.")
    assert "".join(chunk.choices[0].delta.reasoning_content or "" for chunk in chunks) == whole.reasoning
    assert "".join(chunk.choices[0].delta.content or "" for chunk in chunks) == whole.text
    assert (chunks[-1].usage, chunks[-1].choices[0].finish_reason) == (whole.usage, "stop")
    assert whole.usage is not None
    assert whole.usage.reasoning_tokens == 16
    assert ask(sandbox_client, reasoning_effort="low", api="chat").reasoning == ""
    assert [body["stream"] for body in bodies(sandbox)] == [False, True]


def test_tools_go_out_and_come_back(sandbox: Sandbox, sandbox_client: Made) -> None:
    """The call, its result, and the answer made of it; streamed, the call comes in fragments that add up."""
    client, question = sandbox_client(), {"model": "openai/gpt-5.5", "tools": [WEATHER], "api": "responses"}
    talk: list[Any] = [{"role": "user", "content": "What is the weather in Paris?"}]
    first = client.chat.completions.create(messages=talk, **question)
    assert first.choices[0].finish_reason == "tool_calls"
    (call,) = first.choices[0].message.tool_calls or []
    with client.chat.completions.create(messages=talk, stream=True, **question) as stream:
        pieces = [one for chunk in stream for one in chunk.choices[0].delta.tool_calls or [] if one.function]
    assert "".join(one.function.arguments for one in pieces if one.function) == call.function.arguments
    assert [one.function.name for one in pieces if one.function and one.function.name] == ["get_weather"]
    talk += [first.choices[0].message.model_dump(), {"role": "tool", "tool_call_id": call.id, "content": "22 degrees"}]
    second = client.chat.completions.create(messages=talk, **question)
    assert (second.choices[0].finish_reason, "22 degrees" in second.text) == ("stop", True)
    result = {"type": "function_call_output", "call_id": call.id, "output": "22 degrees"}
    assert bodies(sandbox)[-1]["input"][-1] == result


def test_attachments_arrive_whole(sandbox_client: Made) -> None:
    """The answer names their hashes."""
    answer = ask(sandbox_client, "What is this?", image=PNG, files=[PDF])
    for data in (PNG.read_bytes(), PDF):
        assert hashlib.sha256(data).hexdigest() in answer.text


def test_an_answer_may_be_held_to_a_schema(sandbox_client: Made) -> None:
    """Of the caller's."""
    schema = {"name": "place", "schema": PARAMETERS | {"additionalProperties": False}, "strict": True}
    form = {"type": "json_schema", "json_schema": schema}
    assert msgspec.json.decode(ask(sandbox_client, api="responses", response_format=form).text).keys() == {"city"}


def test_an_answer_that_is_too_long_is_cut(sandbox_client: Made) -> None:
    """And says so, with what had come."""
    answer = ask(sandbox_client, "one two three four " * 20, model="openai/gpt-4o", api="responses", max_tokens=16)
    assert answer.choices[0].finish_reason == "length"
    assert answer.text.startswith("You asked")


def test_a_refusal_is_told_in_its_words(sandbox: Sandbox, sandbox_client: Made) -> None:
    """And ends as filtered."""
    sandbox.knobs("openai", refusal=True)
    answer = ask(sandbox_client, api="responses")
    assert (answer.text, answer.choices[0].finish_reason) == ("I'm sorry, I can't help with that.", "content_filter")


def test_more_than_words_where_chat_completions_takes_words_goes_by_the_other(
    sandbox: Sandbox, sandbox_client: Made
) -> None:
    """A picture in an earlier answer, or in what a tool gave."""
    picture, user = Image(data=PNG.read_bytes()), Message(role="user", parts=(Text(text="Hello"),))
    call = ToolCall(id="call_1", name="see", arguments="{}")
    talks = {
        CHAT: [user, Message(role="assistant", parts=(Text(text="Hi"),)), user],
        RESPONSES: [user, Message(role="assistant", parts=(Text(text="Hi"), picture)), user],
    }
    for path, talk in talks.items():
        ask(sandbox_client, talk)
        assert seen(sandbox)[-1] == path
    for shown, path in ((Text(text="a cat"), CHAT), (picture, RESPONSES)):
        result = ToolResult(tool_call_id="call_1", content=(shown,))
        ask(
            sandbox_client, [user, Message(role="assistant", tool_calls=(call,)), Message(role="tool", parts=(result,))]
        )
        assert seen(sandbox)[-1] == path


# ---------------------------------------------------------------- a conversation the service keeps


def test_a_conversation_is_kept_by_the_service(sandbox: Sandbox, sandbox_client: Made) -> None:
    """Where that is wanted; the next question sends only what is new, and may leave the wish out."""
    first = ask(
        sandbox_client, [{"role": "system", "content": "Be brief"}, {"role": "user", "content": "One"}], store=True
    )
    assert first.conversation is not None
    assert (first.conversation.id or "").startswith("resp_")
    assert first.conversation.history == ()
    second = ask(sandbox_client, "Two", conversation=first.conversation)
    third = ask(sandbox_client, "Three", conversation=second.conversation)
    asked = [(body.get("previous_response_id"), body["input"], body["store"]) for body in bodies(sandbox)[1:]]
    assert asked == [
        (first.conversation.id, [{"role": "user", "content": "Two"}], True),
        (second.conversation and second.conversation.id, [{"role": "user", "content": "Three"}], True),
    ]
    assert "user “One”" in third.text
    assert "user “Two”" in third.text


def test_a_conversation_goes_on_after_a_call(sandbox: Sandbox, sandbox_client: Made) -> None:
    """The result alone is sent."""
    first = ask(sandbox_client, "What is the weather in Paris?", tools=[WEATHER], store=True)
    (call,) = first.choices[0].message.tool_calls or []
    result = {"role": "tool", "tool_call_id": call.id, "content": "22 degrees"}
    second = ask(sandbox_client, [result], tools=[WEATHER], conversation=first.conversation)
    assert "22 degrees" in second.text
    assert len(bodies(sandbox)[-1]["input"]) == 1


def test_a_conversation_that_is_not_kept_is_sent_whole(sandbox: Sandbox, sandbox_client: Made) -> None:
    """With the reasoning that came in between, and kept by the service from when that is wanted."""
    first = ask(sandbox_client, "One", reasoning_effort="low")
    assert first.conversation is not None
    assert (first.conversation.id, len(first.conversation.history)) == (None, 2)
    ask(sandbox_client, "Two", conversation=first.conversation)
    assert seen(sandbox) == [RESPONSES, CHAT]
    second = ask(sandbox_client, "Two", conversation=first.conversation, store=True)
    assert second.conversation is not None
    assert (second.conversation.history, bool(second.conversation.id)) == ((), True)
    kept = bodies(sandbox)[-1]["input"]
    assert [item.get("role", item.get("type")) for item in kept] == ["user", "reasoning", "assistant", "user"]


def test_a_conversation_that_is_kept_goes_by_the_responses_api_alone(sandbox: Sandbox, sandbox_client: Made) -> None:
    """Chat completions cannot find it; a service that has lost it says so."""
    kept = ask(sandbox_client, store=True).conversation
    with pytest.raises(UnsupportedFeature, match="conversation is for the Responses API only"):
        ask(sandbox_client, conversation=kept, api="chat")
    with pytest.raises(BadOption, match="store is false"):
        ask(sandbox_client, conversation=kept, store=False)
    assert seen(sandbox) == [RESPONSES]
    sandbox.reset()
    with pytest.raises(RequestRejected, match=r"openai says .*no response"):
        ask(sandbox_client, conversation=kept)


# ---------------------------------------------------------------- tools of the service


class Told(NamedTuple):
    """An answer, whole or put together again."""

    text: str
    sources: list[Citation]
    images: list[Any]
    conversation: Thread | None


def whole(made: Made, messages: str, **question: Any) -> Told:
    """An answer at once."""
    answer = ask(made, messages, **question)
    return Told(answer.text, answer.sources, answer.images, answer.conversation)


def streamed(made: Made, messages: str, **question: Any) -> Told:
    """The same in pieces."""
    wish: dict[str, Any] = {"model": "openai/gpt-5.5", "messages": messages, "stream": True} | question
    with made().chat.completions.create(**wish) as stream:
        text = "".join(chunk.choices[0].delta.content or "" for chunk in stream)
        return Told(text, stream.sources, stream.images, stream.conversation)


@pytest.mark.parametrize("asked", [whole, streamed])
def test_a_search_is_told_with_its_sources(sandbox: Sandbox, sandbox_client: Made, asked: Any) -> None:
    """Each where it belongs in the text, and the question as it was searched for."""
    answer = asked(sandbox_client, "Łódź 🦊: what is new?", web_search=True)
    assert [(one.title, answer.text[one.start : one.end]) for one in answer.sources] == [
        ("On echoes", "([example.org](https://example.org/page?utm_source=openai))"),
        ("News of today", "([example.net](https://example.net/page?utm_source=openai))"),
    ]
    assert [one.url for one in answer.sources] == [
        "https://example.org/page?utm_source=openai", "https://example.net/page?utm_source=openai",
    ]  # fmt: skip
    assert (seen(sandbox), bodies(sandbox)[0]["tools"]) == ([RESPONSES], [{"type": "web_search"}])


@pytest.mark.parametrize("asked", [whole, streamed])
@pytest.mark.parametrize("modalities", [("image",), ("text", "image")])
def test_a_picture_is_drawn_in_the_answer(
    sandbox: Sandbox, sandbox_client: Made, asked: Any, modalities: tuple[str, ...]
) -> None:
    """One that can be opened, beside the words; wanted alone, it is drawn whatever the question."""
    answer = asked(sandbox_client, "Draw a fox" if "text" in modalities else "A fox", modalities=modalities)
    (picture,) = answer.images
    with Pillow.open(io.BytesIO(picture.data)) as opened:
        opened.load()
        assert (opened.format, opened.size) == ("PNG", (1024, 1024))
    assert answer.text.endswith("The picture above is drawn for you.")
    assert seen(sandbox) == [RESPONSES]


def test_previews_are_replaced_by_the_picture(sandbox_client: Made) -> None:
    """They are told as they come, and the answer ends with the picture alone."""
    tool = {"type": "image_generation", "partial_images": 3}
    wish: dict[str, Any] = {"model": "openai/gpt-4o", "messages": "Draw a fox", "hosted_tools": [tool], "stream": True}
    with sandbox_client().chat.completions.create(**wish) as stream:
        shown = [image for chunk in stream for image in chunk.choices[0].delta.images or []]
        (kept,) = stream.images
    assert [Pillow.open(io.BytesIO(image.data or b"")).size for image in shown] == [(256, 256)] * 3 + [(1024, 1024)]
    assert kept.data == shown[-1].data


@pytest.mark.parametrize("asked", [whole, streamed])
def test_sealed_reasoning_goes_back_to_the_service_that_sealed_it(
    sandbox: Sandbox, sandbox_client: Made, asked: Any
) -> None:
    """Which takes it for its own; beside it the words, and the picture that was drawn."""
    wish: dict[str, Any] = {"reasoning_effort": "low", "web_search": True, "modalities": ("text", "image")}
    first = asked(sandbox_client, "Draw a fox", **wish)
    second = asked(sandbox_client, "Now a hare", conversation=first.conversation, **wish)
    asked(sandbox_client, "And?", conversation=second.conversation, **wish)
    sent = [[item.get("type", item.get("role")) for item in body["input"]] for body in bodies(sandbox)]
    said = ["user", "reasoning", "assistant"]
    assert sent == [["user"], [*said, "user", "user"], [*said, "user", *said, "user"]]
    thought = bodies(sandbox)[1]["input"][1]
    assert (thought["id"][:3], thought["encrypted_content"][:5]) == ("rs_", "gAAAA")
    assert "Earlier you showed a PNG picture" in second.text


def test_a_thought_that_another_sealed_is_refused(sandbox: Sandbox, sandbox_client: Made) -> None:
    """The service's own words tell why."""
    told = Thinking(text="Hm", signature=sealed("rs_1", "gAAAAABforeign"))
    talk = [Message(role="assistant", parts=(told, Text(text="Hi"))), Message(role="user", parts=(Text(text="And?"),))]
    with pytest.raises(BadRequest, match=r"encrypted content gAAA\.\.\.eign cannot be verified"):
        ask(sandbox_client, talk, reasoning_effort="low")


@pytest.mark.parametrize(
    ("model", "wish"),
    [
        ("gpt-3.5-turbo", {"web_search": True}),
        ("gpt-audio-mini", {"web_search": True}),
        ("o4-mini", {"modalities": ("text", "image")}),
        ("gpt-5-mini", {"modalities": ("image",)}),
        ("gpt-4o", {"web_search": True, "api": "chat"}),
        ("gpt-4o", {"modalities": ("text", "image"), "api": "chat"}),
        ("gpt-4o", {"web_search": True, "seed": 7}),
    ],
)
def test_what_a_model_or_a_way_cannot_is_refused_unsent(
    sandbox: Sandbox, sandbox_client: Made, model: str, wish: dict[str, Any]
) -> None:
    """Searches and pictures are of the Responses API, and of the models that have them."""
    with pytest.raises(UnsupportedFeature):
        ask(sandbox_client, model=f"openai/{model}", **wish)
    assert seen(sandbox) == []


# ---------------------------------------------------------------- trouble


PIECES = [f"{number} Łódź, " for number in range(30)]


@pytest.mark.parametrize(
    ("wire", "details"),
    [("chunk_bytes", {"size_bytes": 1}), ("crlf", {}), ("cr", {}), ("no_space", {}), ("split_character", {})],
)
def test_the_answer_is_the_same_whatever_its_pieces(
    sandbox: Sandbox, sandbox_client: Made, wire: str, details: dict[str, Any]
) -> None:
    """On the wire."""
    sandbox.script("openai", chunks=PIECES)
    sandbox.fault("openai", wire, **details)
    with sandbox_client().chat.completions.create(
        model="openai/gpt-4o", messages="Hello", api="responses", stream=True
    ) as stream:
        assert "".join(chunk.choices[0].delta.content or "" for chunk in stream) == "".join(PIECES)


@pytest.mark.parametrize(("wire", "details"), [("chunk_bytes", {"size_bytes": 1}), ("crlf", {}), ("cr", {})])
def test_sources_are_the_same_whatever_their_pieces(
    sandbox: Sandbox, sandbox_client: Made, wire: str, details: dict[str, Any]
) -> None:
    """Each once, and in its place."""
    plain = streamed(sandbox_client, "Łódź", web_search=True)
    sandbox.fault("openai", wire, **details)
    cut = streamed(sandbox_client, "Łódź", web_search=True)
    assert (cut.text, cut.sources, len(cut.sources)) == (plain.text, plain.sources, 2)


@pytest.mark.parametrize("fault", ["cut_frame", "cut_character", "malformed_frame", "drop"])
def test_an_answer_that_breaks_is_kept(sandbox: Sandbox, sandbox_client: Made, fault: str) -> None:
    """As far as it came."""
    sandbox.script("openai", chunks=PIECES)
    sandbox.fault("openai", fault, after=20)
    with pytest.raises(Interrupted) as caught, sandbox_client().chat.completions.create(
        model="openai/gpt-4o", messages="Hello", api="responses", stream=True
    ) as stream:  # fmt: skip
        list(stream)
    assert caught.value.partial is not None
    kept = caught.value.partial.text
    assert kept.startswith("".join(PIECES[:10]))
    assert "".join(PIECES).startswith(kept)


@pytest.mark.parametrize(
    ("question", "kind", "sentence"),
    [
        ({"model": "openai/gpt-99"}, UnknownModel, "openai says"),
        ({"max_tokens": 2}, BadRequest, "max_output_tokens"),
        ({"hosted_tools": [{"type": "code_interpreter"}]}, BadRequest, "does not play tools of the type 'code_int"),
        ({"hosted_tools": [{"type": "telepathy"}]}, BadRequest, "'telepathy' is none of function"),
        (
            {"hosted_tools": [{"type": "image_generation", "partial_images": 4}]},
            BadRequest,
            r"tools\[0\]\.partial_images",
        ),
    ],
)
def test_what_the_service_refuses_is_named_as_elsewhere(
    sandbox_client: Made, question: dict[str, Any], kind: type[PolychatError], sentence: str
) -> None:
    """With its own words."""
    with pytest.raises(kind, match=sentence):
        ask(sandbox_client, **{"api": "responses"} | question)


def test_a_web_page_is_no_answer(sandbox: Sandbox, sandbox_client: Made) -> None:
    """Wherever the question went."""
    sandbox.fault("openai", "html", path=RESPONSES)
    with pytest.raises(FormatChanged, match="a web page instead of data"):
        ask(sandbox_client, api="responses")


# ---------------------------------------------------------------- tools of the service, as a server that has them tells


GIF = b"GIF89a\x01\0\x01\0\x80\0\0\xff\x80\0\0\0\xff!\xf9\x04\0\0\0\0\0,\0\0\0\0\x01\0\x01\0\0\x02\x02D\x01\0;"
OUTPUT: list[dict[str, Any]] = [
    {"type": "reasoning", "id": "rs_1", "summary": [], "encrypted_content": "gAAA="},
    {"type": "web_search_call", "id": "ws_1", "status": "completed", "action": {"type": "search", "query": "news"}},
    {
        "type": "image_generation_call", "id": "ig_1", "status": "completed",
        "result": base64.b64encode(GIF).decode(), "revised_prompt": "a red fox",
    },
    {
        "type": "message", "id": "msg_1", "status": "completed", "role": "assistant",
        "content": [
            {
                "type": "output_text", "text": "See here.",
                "annotations": [
                    {"type": "url_citation", "url": "https://example.com/a", "title": "A", "start_index": 4,
                     "end_index": 8}
                ],
            }
        ],
    },
]  # fmt: skip


class _Searching(BaseHTTPRequestHandler):
    """A Responses API that searches and draws, whatever it is asked."""

    asked: ClassVar[list[Any]]

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["content-length"]))
        self.asked.append(msgspec.json.decode(body))
        usage = {"input_tokens": 1, "output_tokens": 2, "total_tokens": 3}
        answer = {"id": "resp_1", "object": "response", "status": "completed", "output": OUTPUT, "usage": usage}
        data = msgspec.json.encode(answer)
        self.send_response(200)
        self.send_header("content-type", "application/json")
        self.send_header("content-length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def log_message(self, *_: object) -> None:
        """Silence."""


@pytest.fixture
def searching() -> Iterator[tuple[str, list[Any]]]:
    """Where such a server is, and what it was asked."""
    served = type("Served", (_Searching,), {"asked": []})
    with ThreadingHTTPServer(("127.0.0.1", 0), served) as server:
        worker = Worker(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        worker.start()
        yield f"http://127.0.0.1:{server.server_address[1]}/v1", served.asked
        server.shutdown()
        worker.join()


async def replies(
    base_url: str, home: Path, *requests: Callable[[Reply | None], Request], person: str | None = "me"
) -> list[Reply]:
    """The answers of a service that is able to search and draw, each question made of the answer before."""
    can = frozenset[Any]({"web_search", "image_in", "image_out", "reasoning", "threads"})
    row = Row(label="Able", base_url=base_url, models=("m",), can=can, responses=True)
    key = ApiKey(key=Secret("sandbox-alice"))
    vault = MemoryVault(*([Account(name=person, provider="able", credential=key)] if person else []))
    settings = load(environ={"POLYCHAT_HOME": str(home)})
    answers: list[Reply] = []
    async with Engine(vault, settings, services={"able": OpenAICompatible("able", row)}, strict=True) as engine:
        for make in requests:
            turn = await engine.ask(make(answers[-1] if answers else None))
            answers.append(await turn.reply())
    return answers


def question(**settings: Any) -> Request:
    """A question to the able one."""
    return Request(model="able/m", messages=(Message(role="user", parts=(Text(text="Hi"),)),), stream=False, **settings)


def test_a_row_that_can_searches_and_draws(searching: tuple[str, list[Any]], tmp_path: Path) -> None:
    """What is asked for as a capability becomes a tool; what comes of it, sources and pictures."""
    url, asked = searching
    wish = question(web_search=True, modalities=("text", "image"), reasoning_effort="low")
    (reply,) = asyncio.run(replies(url, tmp_path, lambda _: wish))
    assert asked[0]["tools"] == [{"type": "web_search"}, {"type": "image_generation"}]
    assert reply.text == "See here."
    assert reply.citations == (Citation(url="https://example.com/a", title="A", start=4, end=8),)
    assert reply.media == (Image(data=GIF, prompt="a red fox"),)
    assert [(tool.name, tool.output) for tool in reply.hosted_tools] == [("web_search", "completed")]
    assert reply.usage == Usage(input_tokens=1, output_tokens=2)


def test_sealed_reasoning_comes_back_with_the_next_question(searching: tuple[str, list[Any]], tmp_path: Path) -> None:
    """As the service gave it, and the picture beside it, when nobody but us keeps the conversation."""
    url, asked = searching
    wish = question(reasoning_effort="low")
    first, _ = asyncio.run(
        replies(url, tmp_path, lambda _: wish, lambda told: msgspec.structs.replace(wish, thread=told and told.thread))
    )
    assert [type(thought) for thought in first.thoughts] == [Thinking]
    assert asked[0]["include"] == ["reasoning.encrypted_content"]
    thought, said, picture = asked[1]["input"][1:4]
    assert thought == {"type": "reasoning", "id": "rs_1", "summary": [], "encrypted_content": "gAAA="}
    assert said == {"role": "assistant", "content": "See here."}
    assert (picture["role"], picture["content"][0]["type"]) == ("user", "input_image")


@pytest.mark.parametrize("person", ["me", None])
def test_a_conversation_is_of_the_account_that_began_it(
    searching: tuple[str, list[Any]], tmp_path: Path, person: str | None
) -> None:
    """Or of nobody, where a service needs no key."""
    url, asked = searching
    wish = question(options={"store": True})
    (reply,) = asyncio.run(replies(url, tmp_path, lambda _: wish, person=person))
    assert reply.thread == Thread(provider="able", account=person, id="resp_1")
    assert asked[0]["store"] is True


@pytest.mark.parametrize(
    ("wish", "field"), [({"web_search": True}, "web_search"), ({"modalities": ("text", "image")}, "modalities")]
)
def test_what_only_the_responses_api_does_is_not_asked_of_the_other(
    searching: tuple[str, list[Any]], tmp_path: Path, wish: dict[str, Any], field: str
) -> None:
    """Nor with what only the other knows."""
    url, asked = searching
    for options, sentence in (
        ({"api": "chat"}, f"{field} is for the Responses API only, and api is 'chat'"),
        ({"logit_bias": {"1": 1}}, "the Responses API knows no logit_bias"),
    ):
        made = question(**wish, options=options)
        with pytest.raises(ConfigError, match=sentence):
            asyncio.run(replies(url, tmp_path, lambda _, made=made: made))
    assert asked == []
