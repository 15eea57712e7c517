"""providers/anthropic.py over real HTTP: what reaches the service, what comes back, and how it fails."""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from importlib.util import find_spec
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import msgspec
import pytest

from polychat.credentials import Account, ApiKey, Secret
from polychat.engine import accounts
from polychat.engine.engine import Engine
from polychat.engine.settings import load
from polychat.errors import (
    AuthExpired,
    BadOption,
    BadRequest,
    ConfigError,
    FormatChanged,
    Interrupted,
    Overloaded,
    PolychatError,
    QuotaSpent,
    RateLimited,
    UnknownModel,
    UnsupportedFeature,
)
from polychat.net.clocks import Clocks
from polychat.net.session import Session
from polychat.net.transport import HttpRequest
from polychat.providers.anthropic import Anthropic
from polychat.providers.base import Model
from polychat.sandbox import Sandbox
from polychat.types import (
    File,
    Image,
    Message,
    NamedTool,
    Part,
    Reply,
    Request,
    ResponseFormat,
    Text,
    Thinking,
    Tool,
    ToolResult,
    Usage,
)

ALICE = "sandbox-alice"
ANSWER = "/v1/messages"
OLD = "anthropic/claude-haiku-4-5"  # takes sampling, thinks by a budget
DEFAULT = "claude-sonnet-5-5"
JPEG = (Path(__file__).parents[2] / "docs" / "images" / "cat.jpeg").read_bytes()
PDF = b"%PDF-1.7\n%%EOF\n"
WEATHER = Tool(
    name="get_weather",
    description="The weather there",
    parameters={"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]},
)


@asynccontextmanager
async def engine_of(sandbox: Sandbox, key: str = ALICE) -> AsyncIterator[Engine]:
    """A strict engine with one key of the emulated Anthropic."""
    with TemporaryDirectory() as home:
        settings = load(environ={"POLYCHAT_SANDBOX": sandbox.url, "POLYCHAT_HOME": home})
        vault = accounts.given("anthropic", api_key=key, cookies=None)
        async with Engine(vault, settings, strict=True) as engine:
            yield engine


def said(role: Any, *parts: Part | str, **more: Any) -> Message:
    """A message; words alone are a part."""
    return Message(role=role, parts=tuple(Text(text=part) if isinstance(part, str) else part for part in parts), **more)


def asked(*messages: Message | str, model: str = "anthropic", **settings: Any) -> Request:
    """A question; a text is the user's."""
    talk = tuple(said("user", one) if isinstance(one, str) else one for one in messages or ("Hello",))
    return Request(model=model, messages=talk, **settings)


def answers(sandbox: Sandbox, *questions: Request, key: str = ALICE) -> list[Reply]:
    """Whole answers by one engine, one after the other."""

    async def main() -> list[Reply]:
        async with engine_of(sandbox, key) as engine:
            return [await (await engine.ask(question)).reply() for question in questions]

    return asyncio.run(main())


def answer(sandbox: Sandbox, *messages: Message | str, **settings: Any) -> Reply:
    """One whole answer."""
    return answers(sandbox, asked(*messages, **settings))[0]


def failed(sandbox: Sandbox, question: Request, kind: type[PolychatError], key: str = ALICE) -> Any:
    """The error of a question that has to fail."""
    with pytest.raises(kind) as caught:
        answers(sandbox, question, key=key)
    return caught.value


def bodies(sandbox: Sandbox) -> list[Any]:
    """What was asked."""
    return [entry.json for entry in sandbox.journal(service="anthropic", path=ANSWER)]


# ---------------------------------------------------------------- what arrives


def test_the_question_arrives_whole(sandbox: Sandbox) -> None:
    """With the key and the version of the API in its headers, and nothing that nobody asked for in its body."""
    whole = answer(sandbox, said("system", "be brief"), "hi", said("assistant", "hello"), "again")
    (entry,) = sandbox.journal(service="anthropic")
    assert (entry.method, entry.path, entry.account) == ("POST", ANSWER, ALICE)
    assert entry.headers["anthropic-version"] == "2023-06-01"
    assert {"authorization", "anthropic-beta"} & entry.headers.keys() == set()
    assert entry.json == {
        "model": DEFAULT,
        "max_tokens": 128_000,
        "system": [{"type": "text", "text": "be brief"}],
        "messages": [
            {"role": "user", "content": [{"type": "text", "text": "hi"}]},
            {"role": "assistant", "content": [{"type": "text", "text": "hello"}]},
            {"role": "user", "content": [{"type": "text", "text": "again"}]},
        ],
        "stream": True,
    }
    assert whole.finish is not None
    assert (whole.finish.reason, whole.finish.raw) == ("stop", "end_turn")
    assert whole.usage is not None
    assert (whole.usage.input_tokens or 0) > 0
    assert (whole.usage.output_tokens or 0) > 0


@pytest.mark.parametrize("most", [None, 100])
def test_the_answer_is_the_same_whether_it_is_streamed(sandbox: Sandbox, most: int | None) -> None:
    """A short one comes as a document when nobody reads along, a long one never does."""
    streamed, whole = answers(
        sandbox, *(asked("Say hi", model=OLD, stream=stream, max_tokens=most) for stream in (True, False))
    )
    assert streamed == whole
    assert [body["stream"] for body in bodies(sandbox)] == [True, most is None]


def test_a_picture_and_documents_arrive_whole(sandbox: Sandbox) -> None:
    """The model sees their bytes."""
    text = answer(sandbox, said("user", Image(data=JPEG), File(data=PDF), File(data=b"plain"), "What are these?")).text
    for data in (JPEG, PDF):
        assert hashlib.sha256(data).hexdigest()[:12] in text
    kinds = [block["type"] for block in bodies(sandbox)[0]["messages"][0]["content"]]
    assert kinds == ["image", "document", "document", "text"]


def test_a_system_text_inside_the_talk_keeps_its_place(sandbox: Sandbox) -> None:
    """Where the model reads such; otherwise it is at the top."""
    talk = ("hi", said("assistant", "hello"), said("system", "be kind"), "again")
    for model in ("anthropic", OLD, "anthropic/claude-opus-4-7", "anthropic/claude-sonnet-4-6"):
        assert answer(sandbox, *talk, model=model).finish is not None
    inside, *others = bodies(sandbox)
    assert [turn["role"] for turn in inside["messages"]] == ["user", "assistant", "user", "system"]
    assert "system" not in inside
    for on_top in others:
        assert [turn["role"] for turn in on_top["messages"]] == ["user", "assistant", "user"]
        assert on_top["system"] == [{"type": "text", "text": "be kind"}]


def test_options_are_fields_or_headers(sandbox: Sandbox) -> None:
    """Names of betas go in a header, all else in the body."""
    options = {
        "betas": ["files-api-2025-04-14", "context-1m-2025-08-07"], "metadata": {"user_id": "u"}, "top_k": 3,
        "service_tier": "standard_only", "extra_body": {"inference_geo": "us"},
    }  # fmt: skip
    answer(sandbox, model=OLD, options=options, temperature=0.5, stop=("END",))
    (entry,) = sandbox.journal(service="anthropic")
    assert entry.headers["anthropic-beta"] == "files-api-2025-04-14,context-1m-2025-08-07"
    assert {name: entry.json[name] for name in ("metadata", "top_k", "service_tier", "inference_geo")} == {
        "metadata": {"user_id": "u"}, "top_k": 3, "service_tier": "standard_only", "inference_geo": "us"
    }  # fmt: skip
    assert (entry.json["temperature"], entry.json["stop_sequences"]) == (0.5, ["END"])
    assert entry.json["model"] == "claude-haiku-4-5-20251001"


def test_what_is_cached_is_counted(sandbox: Sandbox) -> None:
    """As a part of the whole input, which is the same both times."""
    sandbox.knobs("anthropic", cache_least_tokens=1)
    question = asked("Tell me a long story", options={"cache_control": {"type": "ephemeral"}})
    first, second = (reply.usage or Usage() for reply in answers(sandbox, question, question))
    assert (first.cached_input_tokens, first.input_tokens) == (0, second.input_tokens)
    assert second.cached_input_tokens == second.input_tokens


# ---------------------------------------------------------------- tools


@pytest.mark.parametrize("model", ["anthropic", OLD])
@pytest.mark.parametrize("redacted", [False, True])
def test_tools_go_out_and_come_back_with_the_thinking(sandbox: Sandbox, model: str, redacted: bool) -> None:
    """The service takes back its own thoughts only, so it tells whether they came as they were."""
    sandbox.knobs("anthropic", redacted_thinking=redacted)
    settings: dict[str, Any] = {"model": model, "tools": (WEATHER,), "reasoning_effort": "low", "stream": False}

    async def main() -> tuple[Reply, Reply]:
        async with engine_of(sandbox) as engine:
            question = said("user", "What is the weather in Paris?")
            first = await (await engine.ask(asked(question, **settings))).reply()
            (call,) = first.tool_calls
            result = said("tool", ToolResult(tool_call_id=call.id, content=(Text(text="22"), Image(data=JPEG))))
            return first, await (await engine.ask(asked(question, first.message(), result, **settings))).reply()

    first, second = asyncio.run(main())
    assert first.finish is not None
    assert first.finish.reason == "tool_calls"
    assert "city" in msgspec.json.decode(first.tool_calls[0].arguments)
    assert all(thought.redacted if redacted else thought.signature for thought in first.thoughts)
    assert first.thoughts
    assert second.finish is not None
    assert second.finish.reason == "stop"
    assert hashlib.sha256(JPEG).hexdigest()[:12] in second.text
    kinds = [block["type"] for block in bodies(sandbox)[1]["messages"][1]["content"]]
    assert kinds[0] == ("redacted_thinking" if redacted else "thinking")
    assert kinds[-1] == "tool_use"


def test_thinking_of_another_is_refused_by_the_service(sandbox: Sandbox) -> None:
    """So that the test above can fail."""
    forged = said("assistant", Thinking(text="hm", signature="bm90IG1pbmU="), "well")
    failed(sandbox, asked("hi", forged, "so?"), BadRequest)


@pytest.mark.parametrize(
    ("choice", "told"), [("required", {"type": "any"}), (NamedTool(name="get_weather"), {"type": "tool"})]
)
def test_a_tool_is_insisted_on(sandbox: Sandbox, choice: Any, told: dict[str, str]) -> None:
    """Where the model can be made to call."""
    reply = answer(sandbox, "Say hi", model=OLD, tools=(WEATHER,), tool_choice=choice, parallel_tool_calls=False)
    assert [call.name for call in reply.tool_calls] == ["get_weather"]
    assert bodies(sandbox)[0]["tool_choice"] | told == bodies(sandbox)[0]["tool_choice"]


def test_a_search_is_heard_with_its_sources(sandbox: Sandbox) -> None:
    """What was sought, what was found, and which words are whose."""
    for stream in (True, False):
        reply = answer(sandbox, "Search the web for an echo", web_search=True, stream=stream, max_tokens=2000)
        (search,) = reply.hosted_tools
        assert search.name == "web_search"
        assert msgspec.json.decode(search.arguments).keys() == {"query"}
        found = {page["url"] for page in msgspec.json.decode(search.output or "")}
        assert reply.citations
        for source in reply.citations:
            assert source.url in found
            assert source.start is not None
            assert reply.text[source.start : source.end].strip()


# ---------------------------------------------------------------- thinking and form


@pytest.mark.parametrize("model", ["anthropic", OLD, "anthropic/claude-opus-4-7", "anthropic/claude-sonnet-4-6"])
@pytest.mark.parametrize("stream", [True, False])
def test_thinking_that_is_asked_for_is_heard(sandbox: Sandbox, model: str, stream: bool) -> None:
    """Whatever a model calls it."""
    reply = answer(sandbox, "Why?", model=model, reasoning_effort="medium", stream=stream)
    assert reply.thinking
    assert reply.text
    assert reply.usage is not None
    assert (reply.usage.reasoning_tokens or 0) > 0


@pytest.mark.parametrize("model", ["anthropic", OLD, "anthropic/claude-haiku-5-5"])
def test_thinking_can_be_left_out(sandbox: Sandbox, model: str) -> None:
    """Where the model can do without."""
    assert answer(sandbox, "Why?", model=model, reasoning_effort="none").thoughts == ()


def test_an_answer_obeys_a_schema(sandbox: Sandbox) -> None:
    """It is what the service gives the form by."""
    schema = {
        "type": "object", "properties": {"n": {"type": "integer"}}, "required": ["n"], "additionalProperties": False,
    }  # fmt: skip
    wanted = ResponseFormat(type="json_schema", name="count", schema=schema)
    assert isinstance(msgspec.json.decode(answer(sandbox, "Count", response_format=wanted).text)["n"], int)


# ---------------------------------------------------------------- how an answer ends


def test_each_end_is_told(sandbox: Sandbox) -> None:
    """Too long, stopped at a word, declined."""
    count = "Repeat this exactly:\n\none two three"
    long, stopped = answers(sandbox, asked(count, model=OLD, max_tokens=2), asked(count, model=OLD, stop=(" three",)))
    assert (long.text, stopped.text) == ("one two", "one two")
    sandbox.knobs("anthropic", refusal=True)
    declined = answer(sandbox)
    ends = [(reply.finish.reason, reply.finish.raw) for reply in (long, stopped, declined) if reply.finish]
    assert ends == [("length", "max_tokens"), ("stop", "stop_sequence"), ("content_filter", "refusal")]


def test_an_error_inside_a_stream_keeps_what_came(sandbox: Sandbox) -> None:
    """It is the error that it says, before words and behind them."""
    sandbox.script("anthropic", chunks=["one ", "two ", "three"])
    sandbox.knobs("anthropic", error_after=5)
    error = failed(sandbox, asked(model=OLD), Overloaded)
    assert (error.provider, error.after_content, error.partial.text) == ("anthropic", True, "one two ")
    sandbox.knobs("anthropic", error_after=0, error_kind="rate_limit_error")
    assert not failed(sandbox, asked(model=OLD), RateLimited).after_content


def test_an_answer_that_is_cut_is_interrupted(sandbox: Sandbox) -> None:
    """With the part that came, and no end."""
    sandbox.script("anthropic", chunks=["one ", "two ", "three"])
    sandbox.fault("anthropic", "drop", after=5, path=ANSWER)
    error = failed(sandbox, asked(model=OLD), Interrupted)
    assert error.partial.text.startswith("one ")
    assert error.partial.finish is None


def test_a_web_page_is_a_changed_format(sandbox: Sandbox) -> None:
    """Where data was expected."""
    sandbox.fault("anthropic", "html", path=ANSWER)
    assert "a web page instead of data" in failed(sandbox, asked(), FormatChanged).message


# ---------------------------------------------------------------- what is refused, and by whom


@pytest.mark.parametrize(
    "question",
    [
        asked(temperature=0.5),
        asked(top_p=0.5),
        asked(options={"top_k": 1}),
        asked(seed=1),
        asked(model=OLD, temperature=1.5),
        asked(tools=(WEATHER,), tool_choice="required"),
        asked(model="anthropic/claude-opus-5-5", tools=(WEATHER,), tool_choice="required"),
        asked(model="anthropic/claude-opus-5-5", reasoning_effort="none"),
        asked(response_format=ResponseFormat(type="json_object")),
        asked(said("user", Image(data=b"BM\0\0"))),
        asked(said("user", File(data=b"PK\x03\x04"))),
        asked(options={"betas": ["a b"]}),
        asked(options={"betas": [1]}),
        asked(options={"beta": ["a"]}),
        asked(modalities=("text", "audio")),
    ],
)
def test_what_cannot_be_done_is_refused_before_anything_is_sent(sandbox: Sandbox, question: Request) -> None:
    """Each by an error that the caller can mend."""
    failed(sandbox, question, ConfigError)
    assert sandbox.journal() == []


def test_a_beta_has_a_name(sandbox: Sandbox) -> None:
    """The field that is wrong is named."""
    error = failed(sandbox, asked(options={"betas": ["a\r\nx-api-key: b"]}), BadOption)
    assert error.field == "betas"


def test_a_model_that_is_not_listed_is_asked_for(sandbox: Sandbox) -> None:
    """Models come and go; the service says that it has none of that name."""
    error = failed(sandbox, asked(model="anthropic/claude-99"), UnknownModel)
    assert bodies(sandbox)[0]["model"] == "claude-99"
    assert error.request_id.startswith("req_")


def test_a_key_that_nobody_has_is_refused(sandbox: Sandbox) -> None:
    """By the service; the key is not repeated."""
    error = failed(sandbox, asked(), AuthExpired, key="sandbox-nobody")
    assert (error.upstream_status, error.hint) == (401, "give another api_key")
    assert "sandbox-nobody" not in str(error)


def test_limits_are_told_apart(sandbox: Sandbox) -> None:
    """Too many questions at once have a time to come back; spent credit has none."""
    sandbox.knobs("anthropic", rate_limit=0)
    assert (failed(sandbox, asked(), RateLimited).retry_after_s or 0) > 0
    sandbox.knobs("anthropic", rate_limit=9, quota=0)
    failed(sandbox, asked(), QuotaSpent)


def test_a_talk_that_is_too_long_is_no_code_of_its_own(sandbox: Sandbox) -> None:
    """The service calls the request malformed, in words that are kept; a body that is too large is told by status."""
    sandbox.knobs("anthropic", context_tokens=1)
    assert failed(sandbox, asked("one two three", model=OLD), BadRequest).upstream_status == 400


# ---------------------------------------------------------------- models


def test_models_are_the_services_own(sandbox: Sandbox) -> None:
    """With what the service says that each can, and what the table knows of sampling."""

    async def main() -> tuple[Model, ...]:
        async with engine_of(sandbox) as engine:
            return await engine.models("anthropic")

    live = {model.id: model for model in asyncio.run(main())}
    known = {model.id: model for model in Anthropic.info.models}
    assert DEFAULT in live
    for name in live.keys() & known.keys():
        assert live[name].context_tokens == known[name].context_tokens
        assert live[name].capabilities == known[name].capabilities
    (entry,) = sandbox.journal(service="anthropic")
    assert (entry.path, entry.headers["anthropic-version"]) == ("/v1/models", "2023-06-01")


def test_who_holds_the_key(sandbox: Sandbox) -> None:
    """The service tells no name; the list shows that the key is good."""

    async def main() -> str:
        async with engine_of(sandbox) as engine:
            return await Anthropic().who(engine.session("anthropic"))

    assert asyncio.run(main()).startswith("a holder of ")


def test_the_table_is_of_one_piece() -> None:
    """The default is in it, names are there once, a short name means the dated one, and only older models sample."""
    models = {model.id: model for model in Anthropic.info.models}
    names = [name for model in Anthropic.info.models for name in (model.id, *model.aliases)]
    assert Anthropic.info.default_model == DEFAULT
    assert DEFAULT in models
    assert sorted(set(names)) == sorted(names)
    assert models["claude-haiku-4-5-20251001"].aliases == ("claude-haiku-4-5",)
    short = {name for name, model in models.items() if model.context_tokens == 200_000}
    assert short == {"claude-opus-4-5-20251101", "claude-haiku-4-5-20251001", "claude-sonnet-4-5-20250929"}
    assert {model.context_tokens for model in models.values()} == {200_000, 1_000_000}
    assert {name for name, model in models.items() if "sampling" in (model.capabilities or ())} == {
        "claude-opus-4-6", "claude-sonnet-4-6", "claude-opus-4-5-20251101", "claude-haiku-4-5-20251001",
        "claude-sonnet-4-5-20250929",
    }  # fmt: skip


def test_the_official_package_knows_every_model_of_the_table() -> None:
    """Its type of models names them; the package is read, not imported."""
    found = find_spec("anthropic")
    assert found is not None
    official = (Path(found.origin or "").parent / "types" / "model.py").read_text("utf-8")
    names = {name for model in Anthropic.info.models for name in (model.id, *model.aliases)}
    assert {name for name in names if f'"{name}"' not in official} == set()


def test_a_key_in_the_environment_is_an_account(tmp_path: Path) -> None:
    """Under the name that other tools use."""
    environ = {"POLYCHAT_HOME": str(tmp_path), "ANTHROPIC_API_KEY": "sandbox-key"}
    kept = accounts.kept(load(environ=environ), environ)
    assert [(entry.name, entry.provider) for entry in kept.entries()] == [("env:ANTHROPIC_API_KEY", "anthropic")]


class Pages:
    """A transport that answers from a list of pages, whatever is asked."""

    def __init__(self, *pages: Any) -> None:
        self.asked: list[HttpRequest] = []
        self._pages = list(pages)

    @asynccontextmanager
    async def open(self, request: HttpRequest, clocks: Clocks, *, progress: Any = None) -> AsyncIterator[Any]:
        self.asked.append(request)
        yield _Answer(self._pages[min(len(self.asked), len(self._pages)) - 1])

    def websocket(self, request: HttpRequest, clocks: Clocks) -> Any:
        raise AssertionError("no websocket is asked for")

    async def aclose(self) -> None:
        pass


class _Answer:
    status = 200
    headers: Mapping[str, str] = {"content-type": "application/json"}
    set_cookies = ()
    url = "http://127.0.0.1/v1/models"

    def __init__(self, body: Any) -> None:
        self._body = msgspec.json.encode(body)

    async def chunks(self) -> AsyncIterator[bytes]:
        yield self._body

    async def read(self, limit_bytes: int) -> bytes:
        return self._body


def page(*models: Any, more: bool, last: str | None = None) -> dict[str, Any]:
    """A page of the list."""
    data = [{"type": "model", "id": one} if isinstance(one, str) else one for one in models]
    return {"data": data, "has_more": more, "first_id": None, "last_id": last}


def session_over(transport: Pages) -> Session:
    """A session with a key, over those pages."""
    account = Account(name="a", provider="anthropic", credential=ApiKey(key=Secret("sandbox-key")))
    return Session(provider="anthropic", hosts=Anthropic.info.hosts, transport=transport, account=account)


def listed(*pages: Any) -> tuple[tuple[Model, ...], list[str]]:
    """The models, and what was asked for them."""
    transport = Pages(*pages)
    models = asyncio.run(Anthropic().list_models(session_over(transport)))
    return models, [request.url.removeprefix("https://api.anthropic.com/v1/models?") for request in transport.asked]


def sent(model: str, **settings: Any) -> Any:
    """The body that a model is asked with, whether an emulation has it or not."""
    transport = Pages({"type": "message", "content": [], "usage": {}})

    async def main() -> None:
        async for _ in Anthropic().chat(session_over(transport), asked(model=model, **settings)):
            pass

    asyncio.run(main())
    return msgspec.json.decode(transport.asked[0].body or b"")


@pytest.mark.parametrize(
    ("model", "on", "off", "effort", "most"),
    [
        ("claude-sonnet-5-5", "adaptive", "between_tools", "low", 128_000),
        ("claude-haiku-5-5", "adaptive", "disabled", "low", 128_000),
        ("claude-sonnet-5", "adaptive", "disabled", "low", 128_000),
        ("claude-opus-4-6", "adaptive", "disabled", "low", 128_000),
        ("claude-opus-4-5-20251101", "enabled", "disabled", "low", 64_000),
        ("claude-haiku-4-5-20251001", "enabled", "disabled", None, 64_000),
        ("claude-sonnet-4-5-20250929", "enabled", "disabled", None, 64_000),
        ("claude-99", "adaptive", "disabled", "low", 32_000),
    ],
)
def test_models_are_told_to_think_in_their_own_ways(
    model: str, on: str, off: str, effort: str | None, most: int
) -> None:
    """One that nobody knows as the newest are."""
    thinking = sent(model, reasoning_effort="low")
    assert (thinking["thinking"]["type"], thinking["max_tokens"]) == (on, most)
    assert thinking.get("output_config", {}).get("effort") == effort
    assert sent(model, reasoning_effort="none")["thinking"]["type"] == off


@pytest.mark.parametrize("model", ["claude-opus-5-5", "claude-fable-5-2", "claude-mythos-5-1", "claude-fable-5"])
def test_some_models_always_think(model: str) -> None:
    """And say so."""
    with pytest.raises(UnsupportedFeature, match="always thinks"):
        sent(model, reasoning_effort="none")


def test_a_long_list_comes_in_pages() -> None:
    """Each begins behind the last of the one before."""
    models, asked_for = listed(page("a", "b", more=True, last="b"), page("c", more=False, last="c"))
    assert [model.id for model in models] == ["a", "b", "c"]
    assert asked_for == ["limit=1000", "limit=1000&after_id=b"]


@pytest.mark.parametrize("last", ["b", None])
def test_a_list_without_an_end_is_not_followed(last: str | None) -> None:
    """A page that leads to itself, or nowhere."""
    _, asked_for = listed(page("a", "b", more=True, last=last))
    assert len(asked_for) == (2 if last else 1)


def test_what_a_model_cannot_is_left_out() -> None:
    """As the service says; of what it does not say, as all models."""
    no = {"supported": False}
    poor = {
        "image_input": no, "pdf_input": no, "structured_outputs": no, "thinking": no,
        "server_tools": {"supported": True, "web_search": no},
    }  # fmt: skip
    found, _ = listed(page({"id": "poor", "max_input_tokens": 5, "capabilities": poor}, "plain", more=False))
    everything = Anthropic.info.capabilities
    assert found == (
        Model(
            id="poor",
            context_tokens=5,
            capabilities=everything - {"image_in", "file_in", "schema", "reasoning", "web_search"},
        ),
        Model(id="plain", capabilities=everything),
    )


def test_sampling_is_refused_by_name(sandbox: Sandbox) -> None:
    """The caller reads which of the settings it was."""
    assert "does not take temperature" in failed(sandbox, asked(temperature=0.5), UnsupportedFeature).message
