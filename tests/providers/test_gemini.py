"""providers/gemini.py over real HTTP: what reaches the service, what comes back, and how it fails."""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import aclosing, asynccontextmanager
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, TypeVar

import msgspec
import pytest
from aiohttp import web

from polychat import Client, providers
from polychat.credentials import Account, ApiKey, Secret
from polychat.engine.accounts import given, kept
from polychat.engine.engine import Engine
from polychat.engine.settings import load
from polychat.errors import (
    AuthExpired,
    BadOption,
    BadRequest,
    FormatChanged,
    PolychatError,
    QuotaSpent,
    RateLimited,
    Refused,
    Unavailable,
    UnknownModel,
    UnsupportedFeature,
)
from polychat.fold import fold
from polychat.net.aiohttp import AiohttpTransport
from polychat.net.session import Session
from polychat.providers.gemini import Gemini
from polychat.sandbox import Sandbox
from polychat.types import (
    Audio,
    Embedded,
    Event,
    File,
    Image,
    Message,
    Part,
    Reply,
    Request,
    ResponseFormat,
    Text,
    Thread,
    Tool,
    ToolResult,
    Usage,
)

T = TypeVar("T")
MODELS = "/v1beta/models"
FLASH, OLD, PAINTER = "gemini-3.8-flash", "gemini-2.5-flash", "gemini-2.5-flash-image"
CAT = Path(__file__).parents[2] / "docs" / "images" / "cat.jpeg"
CITY = {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]}
WEATHER = Tool(name="get_weather", description="The weather there", parameters=CITY)


def run(sandbox: Sandbox, work: Callable[[Engine], Awaitable[T]], *, key: str = "sandbox-alice") -> T:
    """What `work` gives with a strict engine of one account of the emulated API."""

    async def main() -> T:
        with TemporaryDirectory() as home:
            settings = load(environ={"POLYCHAT_SANDBOX": sandbox.url, "POLYCHAT_HOME": home})
            async with Engine(given("gemini", api_key=key, cookies=None), settings, strict=True) as engine:
                return await work(engine)

    return asyncio.run(main())


def asked(*parts: Part | str, model: str = FLASH, **settings: Any) -> Request:
    """A question."""
    given_parts = tuple(Text(text=part) if isinstance(part, str) else part for part in parts or ("Hello",))
    return Request(model=f"gemini/{model}", messages=(Message(role="user", parts=given_parts),), **settings)


def answers(sandbox: Sandbox, *questions: Request, key: str = "sandbox-alice") -> list[Reply]:
    """Whole answers by one engine, one after the other."""

    async def ask(engine: Engine) -> list[Reply]:
        return [await (await engine.ask(question)).reply() for question in questions]

    return run(sandbox, ask, key=key)


def answer(sandbox: Sandbox, *parts: Part | str, **settings: Any) -> Reply:
    """One whole answer."""
    (reply,) = answers(sandbox, asked(*parts, **settings))
    return reply


def bodies(sandbox: Sandbox) -> list[Any]:
    """What was asked."""
    return [entry.json for entry in sandbox.journal(service="gemini") if entry.method == "POST"]


# ---------------------------------------------------------------- what arrives


def test_the_question_arrives_whole(sandbox: Sandbox) -> None:
    """At the model's own path, the key in its header alone."""
    talk = (
        Message(role="system", parts=(Text(text="be brief"),)),
        Message(role="user", parts=(Text(text="hi"),)),
        Message(role="assistant", parts=(Text(text="hello"),)),
        Message(role="user", parts=(Text(text="again"),)),
    )
    (reply,) = answers(sandbox, msgspec.structs.replace(asked(temperature=0.25, seed=7), messages=talk))
    (entry,) = sandbox.journal(service="gemini")
    assert (entry.path, entry.query) == (f"{MODELS}/{FLASH}:streamGenerateContent", "alt=sse")
    assert entry.account == "sandbox-alice"
    assert "authorization" not in entry.headers
    assert entry.json == {
        "systemInstruction": {"parts": [{"text": "be brief"}]},
        "contents": [
            {"role": "user", "parts": [{"text": "hi"}]},
            {"role": "model", "parts": [{"text": "hello"}]},
            {"role": "user", "parts": [{"text": "again"}]},
        ],
        "generationConfig": {"temperature": 0.25, "seed": 7},
    }
    assert "again" in reply.text
    assert reply.usage is not None
    assert (reply.usage.input_tokens or 0) > 0


def test_nobody_who_reads_along_is_answered_in_one_piece(sandbox: Sandbox) -> None:
    """The same answer, from another path."""
    streamed, whole = answers(sandbox, asked("Say hi"), asked("Say hi", stream=False))
    assert [entry.path.rpartition(":")[2] for entry in sandbox.journal(service="gemini")] == [
        "streamGenerateContent",
        "generateContent",
    ]
    assert (streamed.text, streamed.finish) == (whole.text, whole.finish)


@pytest.mark.parametrize(
    "part",
    [
        Image(data=CAT.read_bytes()),
        Audio(data=b"RIFF\x24\0\0\0WAVEfmt " + b"\0" * 24),
        File(data=b"\0\0\0\x18ftypmp42" + b"\0" * 32),
        File(data=b"%PDF-1.4\n%%EOF\n"),
        File(data=b"plain words"),
    ],
    ids=["picture", "sound", "film", "pdf", "text"],
)
def test_files_arrive_whole(sandbox: Sandbox, part: Any) -> None:
    """The answer names the hash of their bytes."""
    assert hashlib.sha256(part.data).hexdigest() in answer(sandbox, "What is this?", part).text


def test_a_link_is_not_handed_to_the_service(sandbox: Sandbox) -> None:
    """It is read here, under the rules for strangers' links, before anything is asked."""
    error = failed(sandbox, asked("What is this?", Image(url="http://127.0.0.1:9/cat.png")))
    assert type(error) is BadOption
    assert "private address" in error.message
    assert bodies(sandbox) == []


def test_settings_are_obeyed(sandbox: Sandbox) -> None:
    """The most tokens, and the words that stop an answer."""
    short = answer(sandbox, "Repeat this exactly:\n\nalpha beta gamma", model=OLD, max_tokens=64, stop=("gamma",))
    assert short.text.strip() == "alpha beta"
    (reply,) = answers(sandbox, asked("Repeat this exactly:\n\n" + "word " * 90, max_tokens=40))
    assert reply.finish is not None
    assert (reply.finish.reason, reply.finish.raw) == ("length", "MAX_TOKENS")


def test_a_schema_is_obeyed(sandbox: Sandbox) -> None:
    """And any object is one."""
    wish = ResponseFormat(type="json_schema", name="place", schema=CITY)
    assert set(msgspec.json.decode(answer(sandbox, "Where?", response_format=wish).text)) == {"city"}
    free = answer(sandbox, "Where?", response_format=ResponseFormat(type="json_object"))
    assert isinstance(msgspec.json.decode(free.text), dict)


def test_thinking_is_told_apart_and_counted(sandbox: Sandbox) -> None:
    """By level or by budget, as the model knows it."""
    for model, config in (
        (FLASH, {"thinkingLevel": "LOW", "includeThoughts": True}),
        (OLD, {"thinkingBudget": 1024, "includeThoughts": True}),
    ):
        reply = answer(sandbox, model=model, reasoning_effort="minimal")
        assert bodies(sandbox)[-1]["generationConfig"]["thinkingConfig"] == config
        assert reply.thinking
        assert reply.thinking not in reply.text
        assert reply.usage is not None
        assert 0 < (reply.usage.reasoning_tokens or 0) < (reply.usage.output_tokens or 0)


def test_a_model_that_thinks_always_is_not_asked_not_to(sandbox: Sandbox) -> None:
    """Before anything is sent; one that need not does not."""
    with pytest.raises(UnsupportedFeature, match="thinks always"):
        answer(sandbox, reasoning_effort="none")
    assert bodies(sandbox) == []
    quiet = answer(sandbox, model=OLD, reasoning_effort="none")
    assert quiet.usage is not None
    assert quiet.usage.reasoning_tokens is None


def test_a_search_is_cited_by_characters(sandbox: Sandbox) -> None:
    """The words that rest on a page are the words of the citation."""
    reply = answer(sandbox, "Grüße, was gibt es Neues?", web_search=True)
    assert bodies(sandbox)[-1]["tools"] == [{"googleSearch": {}}]
    assert reply.citations
    assert {reply.text[one.start : one.end] for one in reply.citations} == {
        "An echo repeats what it hears, says example.org.",
        "Naïve answers are the surest, says example.net.",
    }


def test_code_that_ran_there_is_shown_and_goes_back(sandbox: Sandbox) -> None:
    """The next question brings it along, as it was."""

    async def talk(engine: Engine) -> tuple[Reply, Reply]:
        first = await (await engine.ask(asked("count me", options={"code_execution": True}))).reply()
        next_ = asked("again", thread=first.thread, options={"code_execution": True})
        return first, await (await engine.ask(next_)).reply()

    first, second = run(sandbox, talk)
    (tool,) = first.hosted_tools
    assert (tool.name, tool.output) == ("code_execution", "2\n")
    assert second.text
    assert [next(iter(part)) for part in bodies(sandbox)[-1]["contents"][1]["parts"]][:2] == [
        "executableCode",
        "codeExecutionResult",
    ]


def test_a_picture_is_painted_and_changed(sandbox: Sandbox) -> None:
    """The next question has it in the talk."""

    async def talk(engine: Engine) -> tuple[Reply, Reply]:
        wish: Any = {"model": PAINTER, "modalities": ("text", "image")}
        first = await (await engine.ask(asked("Draw a red fox", **wish))).reply()
        return first, await (await engine.ask(asked("Now blue", thread=first.thread, **wish))).reply()

    first, second = run(sandbox, talk)
    assert [type(part) for part in (*first.media, *second.media)] == [Image, Image]
    assert bodies(sandbox)[0]["generationConfig"] == {"responseModalities": ["TEXT", "IMAGE"]}
    (shown,) = [part["inlineData"] for part in bodies(sandbox)[1]["contents"][1]["parts"] if "inlineData" in part]
    assert shown["mimeType"] == "image/png"


# ---------------------------------------------------------------- tools


def test_a_tool_is_called_and_answered(sandbox: Sandbox) -> None:
    """With the signature of the call, which this model insists on."""

    async def talk(engine: Engine) -> tuple[Reply, Reply]:
        question = asked("What is the weather in Paris?", tools=(WEATHER,))
        first = await (await engine.ask(question)).reply()
        result = ToolResult(tool_call_id=first.tool_calls[0].id, content=(Text(text='{"celsius": 22}'),))
        told = (*question.messages, first.message(), Message(role="tool", parts=(result,)))
        return first, await (await engine.ask(msgspec.structs.replace(question, messages=told))).reply()

    first, second = run(sandbox, talk)
    (call,) = first.tool_calls
    assert (call.name, set(msgspec.json.decode(call.arguments))) == ("get_weather", {"city"})
    assert first.finish is not None
    assert (first.finish.reason, first.finish.raw) == ("tool_calls", "STOP")
    assert second.finish is not None
    assert second.finish.reason == "stop"
    called, told = bodies(sandbox)[1]["contents"][1:]
    assert called["parts"][0]["thoughtSignature"] == call.signature
    assert told["parts"] == [
        {"functionResponse": {"id": call.id, "name": "get_weather", "response": {"celsius": 22}}},
    ]


@pytest.mark.parametrize("model", [FLASH, OLD])
def test_the_face_of_another_package_loses_no_call(sandbox_client: Callable[..., Client], model: str) -> None:
    """OpenAI's messages hold no signature, and a model may give no id."""
    client = sandbox_client()
    tools = [{"type": "function", "function": {"name": "get_weather", "parameters": CITY}}]
    messages: list[Any] = [{"role": "user", "content": "What is the weather in Paris?"}]
    wish: Any = {"model": f"gemini/{model}", "tools": tools}
    first = client.chat.completions.create(messages=messages, **wish)
    (call,) = first.choices[0].message.tool_calls or []
    messages += [
        first.choices[0].message.model_dump(),
        {"role": "tool", "tool_call_id": call.id, "content": "22 degrees"},
    ]
    assert client.chat.completions.create(messages=messages, **wish).choices[0].finish_reason == "stop"


def test_a_picture_of_a_tool_arrives(sandbox: Sandbox) -> None:
    """Inside the result or after it, as the model takes it."""
    data = CAT.read_bytes()

    async def talk(engine: Engine, *, model: str) -> Reply:
        question = asked("What is the weather in Paris?", model=model, tools=(WEATHER,))
        first = await (await engine.ask(question)).reply()
        result = ToolResult(tool_call_id=first.tool_calls[0].id, content=(Text(text="see"), Image(data=data)))
        told = (*question.messages, first.message(), Message(role="tool", parts=(result,)))
        return await (await engine.ask(msgspec.structs.replace(question, messages=told))).reply()

    for model in (FLASH, OLD):
        run(sandbox, partial(talk, model=model))
        (content,) = bodies(sandbox)[-1]["contents"][2:]
        response, *after = content["parts"]
        inside = response["functionResponse"].get("parts", [])
        assert [len(inside), len(after)] == ([1, 0] if model == FLASH else [0, 1])


def test_a_tool_may_be_insisted_on_or_forbidden(sandbox: Sandbox) -> None:
    """Whatever the question says."""
    forced = answer(sandbox, "Hello", tools=(WEATHER,), tool_choice="required")
    assert [call.name for call in forced.tool_calls] == ["get_weather"]
    free = answer(sandbox, "What is the weather?", tools=(WEATHER,), tool_choice="none")
    assert free.tool_calls == ()


# ---------------------------------------------------------------- a conversation


def test_a_conversation_takes_its_talk_along(sandbox: Sandbox) -> None:
    """With the signature of each answer; as JSON, as a program would keep it."""

    async def talk(engine: Engine) -> Reply:
        first = await (await engine.ask(asked("I am Ada"))).reply()
        thread = msgspec.json.decode(msgspec.json.encode(first.thread), type=Thread)
        return await (await engine.ask(asked("Who am I?", thread=thread))).reply()

    run(sandbox, talk)
    contents = bodies(sandbox)[1]["contents"]
    assert [content["role"] for content in contents] == ["user", "model", "user"]
    (said,) = contents[1]["parts"]
    assert said["thoughtSignature"]
    assert "I am Ada" in said["text"]


# ---------------------------------------------------------------- models and vectors


def test_models_are_those_of_the_key(sandbox: Sandbox) -> None:
    """With what is known of each, and how much it reads."""
    listed = {model.id: model for model in run(sandbox, lambda engine: engine.models("gemini"))}
    known = {model.id: model for model in providers.load("gemini").info.models}
    assert listed[FLASH] == known[FLASH]
    assert listed["gemini-embedding-001"].capabilities == frozenset({"embeddings"})
    assert listed["gemma-3-27b-it"].capabilities is None
    assert listed["gemma-3-27b-it"].context_tokens == 131_072


def test_every_model_that_is_stated_is_there(sandbox: Sandbox) -> None:
    """And reads as much as is stated."""
    listed = {model.id: model.context_tokens for model in run(sandbox, lambda engine: engine.models("gemini"))}
    stated = {model.id: model.context_tokens or listed[model.id] for model in providers.load("gemini").info.models}
    assert stated == {name: listed[name] for name in stated}


def test_the_key_belongs_to_one_host() -> None:
    """The API's own."""
    info = providers.load("gemini").info
    host = "generativelanguage.googleapis.com"
    assert (info.hosts, info.sign_in.domains, info.accepts) == ({"api": f"https://{host}"}, (host,), ("api_key",))


def test_every_page_of_the_list_is_read() -> None:
    """As long as there is another."""
    pages = [
        {"models": [{"name": "models/a", "supportedGenerationMethods": ["generateContent"]}], "nextPageToken": "p2"},
        {"models": [{"name": "models/b", "supportedGenerationMethods": ["predict"]}], "nextPageToken": "p3"},
        {"models": [{"name": "models/c", "supportedGenerationMethods": ["embedContent"], "inputTokenLimit": 9}]},
    ]

    async def listed(session: Session) -> Any:
        return await Gemini().list_models(session)

    found, asked_for = served(pages, listed)
    assert [(model.id, model.capabilities, model.context_tokens) for model in found] == [
        ("a", None, None), ("c", frozenset({"embeddings"}), 9),
    ]  # fmt: skip
    assert [query for _, query, _ in asked_for] == [
        {"pageSize": "1000"}, {"pageSize": "1000", "pageToken": "p2"}, {"pageSize": "1000", "pageToken": "p3"},
    ]  # fmt: skip


def test_a_key_is_tried_by_its_list(sandbox: Sandbox) -> None:
    """The service tells no name."""
    tried = run(sandbox, lambda engine: engine.tried("gemini"))
    assert tried.who is not None
    assert tried.who.startswith("a holder of ")
    with pytest.raises(AuthExpired, match="not valid"):
        run(sandbox, lambda engine: engine.tried("gemini"), key="nobody")


def test_texts_become_vectors(sandbox: Sandbox) -> None:
    """One for each, also where there are more than one request takes."""
    texts = [f"text {number % 7}" for number in range(105)]

    async def embedded(engine: Engine) -> Embedded:
        provider: Any = engine.service("gemini")
        made: Embedded = await provider.embed(engine.session("gemini"), "gemini-embedding-001", texts, 16)
        return made

    made = run(sandbox, embedded)
    assert [len(vector) for vector in made.vectors] == [16] * 105
    assert made.vectors[0] == made.vectors[7] != made.vectors[1]
    assert (made.input_tokens or 0) >= 105
    assert [len(body["requests"]) for body in bodies(sandbox)] == [100, 5]
    assert sandbox.journal(service="gemini")[-1].path == f"{MODELS}/gemini-embedding-001:batchEmbedContents"
    assert bodies(sandbox)[1]["requests"][0] == {
        "model": "models/gemini-embedding-001",
        "content": {"parts": [{"text": "text 2"}]},
        "outputDimensionality": 16,
    }


@pytest.mark.parametrize(
    ("model", "name"), [("m", "models/m"), ("models/m", "models/m"), ("tunedModels/m", "tunedModels/m")]
)
def test_a_model_embeds_by_its_name_or_its_resource(model: str, name: str) -> None:
    """In the path and in each request."""

    async def embedded(session: Session) -> Embedded:
        return await Gemini().embed(session, model, ["a"], None)

    made, asked_for = served([{"embeddings": [{"values": [1.0]}]}], embedded)
    assert made == Embedded(vectors=((1.0,),))
    ((path, _, body),) = asked_for
    assert (path, body["requests"][0]["model"]) == (f"/v1beta/{name}:batchEmbedContents", name)


def test_every_model_says_what_it_can() -> None:
    """And the service can what they can together."""
    info = providers.load("gemini").info
    assert frozenset[str]().union(*(model.capabilities or () for model in info.models)) == info.capabilities
    assert all(model.capabilities for model in info.models)
    assert info.default_model == info.models[0].id


def test_a_key_in_the_environment_is_an_account(tmp_path: Path) -> None:
    """Under the names that Google's own package reads."""
    environ = {"POLYCHAT_HOME": str(tmp_path), "GEMINI_API_KEY": "sandbox-a", "GOOGLE_API_KEY": "sandbox-b"}
    entries = [(entry.name, entry.provider) for entry in kept(load(environ=environ), environ).entries()]
    assert [name for name, provider in entries if provider == "gemini"] == ["env:GEMINI_API_KEY", "env:GOOGLE_API_KEY"]


# ---------------------------------------------------------------- how it fails


def failed(sandbox: Sandbox, *questions: Request, key: str = "sandbox-alice") -> PolychatError:
    """The error of the last of these questions."""
    with pytest.raises(PolychatError) as caught:
        answers(sandbox, *questions, key=key)
    return caught.value


def test_a_wrong_key_says_so(sandbox: Sandbox) -> None:
    """Though the service calls it a bad request."""
    error = failed(sandbox, asked(), key="nobody")
    assert (type(error), error.upstream_status, error.provider) == (AuthExpired, 400, "gemini")
    assert error.hint == "make a key in Google AI Studio, then: polychat login gemini --key -"


def test_a_model_that_is_not_there_is_unknown(sandbox: Sandbox) -> None:
    """It is asked for as it is, and the service has the last word."""
    error = failed(sandbox, asked(model="gemini-99-none"))
    assert (type(error), error.upstream_status) == (UnknownModel, 404)
    assert "models/gemini-99-none" in error.message


def test_a_wrong_field_is_named(sandbox: Sandbox) -> None:
    """In the service's words."""
    error = failed(sandbox, asked(options={"extra_body": {"generationConfig": {"candidateCount": 2}}}))
    assert type(error) is BadRequest
    assert "candidate_count" in error.message


@pytest.mark.parametrize(
    ("knobs", "kind"), [({"rate_limit": 1}, RateLimited), ({"daily_limit": 1}, QuotaSpent)], ids=["minute", "day"]
)
def test_a_limit_of_a_minute_is_not_one_of_a_day(
    sandbox: Sandbox, knobs: dict[str, Any], kind: type[PolychatError]
) -> None:
    """The service gives both the same status."""
    sandbox.knobs("gemini", **knobs)
    error = failed(sandbox, asked(), asked())
    assert (type(error), error.upstream_status) == (kind, 429)
    assert (error.retry_after_s is not None) == (kind is RateLimited)


def test_a_blocked_question_is_refused(sandbox: Sandbox) -> None:
    """Streamed and whole."""
    sandbox.knobs("gemini", block="PROHIBITED_CONTENT")
    for stream in (True, False):
        assert type(failed(sandbox, asked(stream=stream))) is Refused


@pytest.mark.parametrize("reason", ["SAFETY", "RECITATION", "SPII"])
def test_an_answer_that_is_stopped_keeps_its_words(sandbox: Sandbox, reason: str) -> None:
    """And says why it ends."""
    sandbox.knobs("gemini", stop=reason)
    reply = answer(sandbox)
    assert reply.text
    assert reply.finish is not None
    assert (reply.finish.reason, reply.finish.raw) == ("content_filter", reason)


def test_a_broken_call_is_an_error(sandbox: Sandbox) -> None:
    """There is no answer to read."""
    sandbox.knobs("gemini", stop="MALFORMED_FUNCTION_CALL")
    error = failed(sandbox, asked())
    assert type(error) is Unavailable
    assert "MALFORMED_FUNCTION_CALL" in error.message


def test_an_error_inside_the_stream_keeps_what_came(sandbox: Sandbox) -> None:
    """It is the error that it says it is."""
    sandbox.knobs("gemini", unavailable_after=3)
    error = failed(sandbox, asked())
    assert type(error) is Unavailable
    assert error.after_content
    assert error.partial is not None
    assert error.partial.text


def test_a_page_instead_of_an_answer_is_a_changed_format(sandbox: Sandbox) -> None:
    """Whoever put it there."""
    sandbox.fault("gemini", "html")
    assert type(failed(sandbox, asked())) is FormatChanged


@pytest.mark.parametrize(
    ("settings", "sentence"),
    [
        ({"modalities": ("text", "image")}, "does not take modalities with image"),
        ({"model": PAINTER, "tools": (WEATHER,)}, "does not take tools"),
        ({"model": PAINTER, "reasoning_effort": "low"}, "does not take reasoning_effort"),
        ({"model": "gemini-embedding-001"}, "gemini-embedding-001 does not take"),
        ({"model": OLD, "tools": (WEATHER,), "web_search": True}, "uses either your tools or its own"),
    ],
)
def test_what_a_model_cannot_is_refused(sandbox: Sandbox, settings: dict[str, Any], sentence: str) -> None:
    """Before anything is sent."""
    error = failed(sandbox, asked(**settings))
    assert type(error) is UnsupportedFeature
    assert sentence in error.message
    assert bodies(sandbox) == []


# ---------------------------------------------------------------- a service of canned answers


Asked = tuple[str, dict[str, str], Any]


def served(answers: Sequence[Any], work: Callable[[Session], Awaitable[T]]) -> tuple[T, list[Asked]]:
    """What `work` gives with a service that answers these in turn; and path, query and body of what it was asked."""
    asked_for: list[Asked] = []

    async def respond(request: web.Request) -> web.Response:
        body = await request.read()
        asked_for.append((request.path, dict(request.query), msgspec.json.decode(body) if body else None))
        answer = answers[len(asked_for) - 1]
        return web.Response(body=answer if isinstance(answer, bytes) else msgspec.json.encode(answer))

    async def main() -> T:
        async with serving(respond) as url, closing(AiohttpTransport()) as transport:
            account = Account(name="a", provider="gemini", credential=ApiKey(key=Secret("sandbox-key")))
            return await work(Session(provider="gemini", hosts={"api": url}, transport=transport, account=account))

    return asyncio.run(main()), asked_for


@asynccontextmanager
async def closing(transport: AiohttpTransport) -> AsyncIterator[AiohttpTransport]:
    """The transport, closed in the end."""
    try:
        yield transport
    finally:
        await transport.aclose()


@asynccontextmanager
async def serving(respond: Callable[[web.Request], Awaitable[web.Response]]) -> AsyncIterator[str]:
    """The address of a server on this machine."""
    app = web.Application()
    app.router.add_route("*", "/{path:.*}", respond)
    runner = web.AppRunner(app)
    await runner.setup()
    try:
        site = web.TCPSite(runner, "127.0.0.1", 0)
        await site.start()
        yield f"http://127.0.0.1:{runner.addresses[0][1]}"
    finally:
        await runner.cleanup()


async def heard(session: Session) -> list[Event]:
    """Every event of one turn."""
    request = Request(model=FLASH, messages=(Message(role="user", parts=(Text(text="Go on"),)),), max_tokens=200_000)
    events: Any = Gemini().chat(session, request)
    async with aclosing(events):
        return [event async for batch in events for event in batch]


def hop(text: str, **ending: Any) -> bytes:
    """One answer's stream."""
    candidate = {"content": {"parts": [{"text": text}]}, **ending}
    usage = {"promptTokenCount": 5, "candidatesTokenCount": 2}
    return b"data: " + msgspec.json.encode({"candidates": [candidate], "usageMetadata": usage}) + b"\r\n\r\n"


def test_an_answer_at_the_limit_of_a_request_is_asked_on() -> None:
    """With the same question and the token; one answer comes of it."""
    hops = [
        hop("one ", finishReason="CONTINUATION", continuationToken="dDE="),
        hop("two ", finishReason="CONTINUATION", continuationToken="dDI="),
        hop("three", finishReason="STOP"),
    ]
    events, asked_for = served(hops, heard)
    reply = fold(events)
    assert (reply.text, reply.usage) == ("one two three", Usage(input_tokens=15, output_tokens=6))
    assert reply.finish is not None
    assert reply.finish.reason == "stop"
    first, *later = (body for _, _, body in asked_for)
    assert "continuationToken" not in first
    assert later == [first | {"continuationToken": token} for token in ("dDE=", "dDI=")]


def test_a_second_request_that_fails_keeps_the_words_of_the_first() -> None:
    """They went out before."""

    events: list[Event] = []

    async def broken(session: Session) -> None:
        chat: Any = Gemini().chat(session, asked("Go on"))
        async with aclosing(chat):
            async for batch in chat:
                events.extend(batch)

    hops = [hop("one ", finishReason="CONTINUATION", continuationToken="dDE="), {"error": {"code": 500}}]
    with pytest.raises(Unavailable):
        served(hops, broken)
    assert fold(events).text == "one "


@pytest.mark.parametrize(
    ("model", "path"),
    [
        ("gemini-x", "/v1beta/models/gemini-x:generateContent"),
        ("models/gemini-x", "/v1beta/models/gemini-x:generateContent"),
        ("tunedModels/mine", "/v1beta/tunedModels/mine:generateContent"),
        ("a b?c", "/v1beta/models/a b?c:generateContent"),
    ],
)
def test_a_model_is_asked_by_its_name_or_its_resource(model: str, path: str) -> None:
    """And nothing of it becomes a query."""

    async def asks(session: Session) -> list[Event]:
        chat: Any = Gemini().chat(session, msgspec.structs.replace(asked(stream=False), model=model))
        async with aclosing(chat):
            return [event async for batch in chat for event in batch]

    document = {"candidates": [{"content": {"parts": [{"text": "hi"}]}, "finishReason": "STOP"}]}
    events, asked_for = served([document], asks)
    assert fold(events).text == "hi"
    assert [(place, query) for place, query, _ in asked_for] == [(path, {})]
