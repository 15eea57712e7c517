"""providers/raycast.py over real HTTP: what reaches the service, what comes back, and how it fails."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import msgspec
import pytest

from polychat import AsyncClient, ChatCompletion, providers
from polychat.engine.accounts import given
from polychat.engine.engine import Engine
from polychat.engine.settings import load
from polychat.errors import (
    AuthExpired,
    BadRequest,
    ChallengeRequired,
    ConfigError,
    FormatChanged,
    NoAccount,
    PolychatError,
    RateLimited,
    Unavailable,
    UnknownModel,
    UnsupportedFeature,
)
from polychat.net.session import user_agent
from polychat.providers.base import Model
from polychat.sandbox.server import Sandbox
from polychat.types import Message, Reply, Request, Text, Thread, Tool, ToolCallDelta
from polychat.vault.memory import MemoryVault

CHAT = "/api/v1/ai/chat_completions"
MODELS = "/api/v1/ai/models"
WEATHER = Tool(
    name="get_weather",
    description="The weather there",
    parameters={"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]},
)


@asynccontextmanager
async def engine_of(sandbox: Sandbox, token: str = "sandbox-alice") -> AsyncIterator[Engine]:
    """A strict engine with one account of the emulated Raycast."""
    with TemporaryDirectory() as home:
        settings = load(environ={"POLYCHAT_SANDBOX": sandbox.url, "POLYCHAT_HOME": home})
        async with Engine(given("raycast", api_key=token, cookies=None), settings, strict=True) as engine:
            yield engine


def asked(text: str = "Hello", *, model: str = "raycast", **settings: Any) -> Request:
    """A question."""
    return Request(model=model, messages=(Message(role="user", parts=(Text(text=text),)),), **settings)


def answers(sandbox: Sandbox, *questions: Request) -> list[Reply]:
    """Whole answers by one engine, one after the other."""

    async def main() -> list[Reply]:
        async with engine_of(sandbox) as engine:
            return [await (await engine.ask(question)).reply() for question in questions]

    return asyncio.run(main())


def models(sandbox: Sandbox) -> tuple[Model, ...]:
    """What the account may ask."""

    async def main() -> tuple[Model, ...]:
        async with engine_of(sandbox) as engine:
            return await engine.models("raycast")

    return asyncio.run(main())


def seen(sandbox: Sandbox, path: str | None = CHAT) -> list[Any]:
    """The requests that reached `path`, or any."""
    return sandbox.journal(service="raycast", path=path)


# ---------------------------------------------------------------- what arrives


def test_the_question_arrives_whole(sandbox: Sandbox) -> None:
    """System texts beside the talk, the temperature as given, the model under its provider's name."""
    talk = [
        {"role": "system", "content": "be brief"},
        {"role": "user", "content": "hi"},
        {"role": "assistant", "content": "hello"},
        {"role": "system", "content": "be kind"},
        {"role": "user", "content": "again"},
    ]

    async def main() -> ChatCompletion:
        async with AsyncClient(provider="raycast", sandbox=sandbox.url, api_key="sandbox-bob", strict=True) as client:
            return await client.chat.completions.create(messages=talk, model="raycast/gpt-3.5-turbo", temperature=0.2)

    assert "Before that I was given 2 turns: user “hi”, assistant “hello”." in asyncio.run(main()).text
    (chat,) = seen(sandbox)
    thread_id, turns = chat.json.pop("thread_id"), chat.json.pop("messages")
    assert re.fullmatch(r"[0-9a-f]{8}-([0-9a-f]{4}-){3}[0-9a-f]{12}", thread_id)
    assert [turn["content"] for turn in turns] == [{"text": "hi"}, {"text": "hello"}, {"text": "again"}]
    assert chat.json == {
        "additional_system_instructions": "be kind",
        "debug": False,
        "locale": "en-US",
        "model": "gpt-3.5-turbo",
        "provider": "openai",
        "source": "ai_chat",
        "system_instruction": "be brief",
        "temperature": 0.2,
    }
    assert (chat.account, chat.headers["user-agent"]) == ("sandbox-bob", user_agent())
    assert [name for name in chat.headers if name.startswith("x-raycast")] == []


def test_a_conversation_keeps_its_thread_and_takes_its_talk_along(sandbox: Sandbox) -> None:
    """The service is told the same id each time, also after the thread was JSON, and another talk has another."""

    async def main() -> None:
        async with engine_of(sandbox) as engine:
            first = await (await engine.ask(asked("one"))).reply()
            assert first.thread is not None
            assert first.thread.id is None
            kept = msgspec.json.decode(msgspec.json.encode(first.thread), type=Thread)
            second = await (await engine.ask(asked("two", thread=kept))).reply()
            assert "Before that I was given 2 turns: user “one”, assistant “You asked" in second.text
            await (await engine.ask(asked("three"))).reply()

    asyncio.run(main())
    one, two, three = (chat.json for chat in seen(sandbox))
    assert one["thread_id"] == two["thread_id"] != three["thread_id"]
    assert [len(chat["messages"]) for chat in (one, two, three)] == [1, 3, 1]


# ---------------------------------------------------------------- models


def test_the_list_is_what_the_account_may_ask(sandbox: Sandbox) -> None:
    """Ids name the provider, the bare name is an alias, and what is being given up is left out."""
    assert models(sandbox) == (
        Model(id="openai-gpt-4o-mini", aliases=("gpt-4o-mini",)),
        Model(id="openai-gpt-4", aliases=("gpt-4",)),
        Model(id="openai-gpt-3.5-turbo", aliases=("gpt-3.5-turbo",)),
        Model(id="anthropic-claude-haiku", aliases=("claude-haiku",)),
    )


@pytest.mark.parametrize("name", ["anthropic-claude-haiku", "claude-haiku"])
def test_a_model_of_another_provider_is_asked_there(sandbox: Sandbox, name: str) -> None:
    """What we know of no more than the list does is asked under both of its names."""
    answers(sandbox, asked(model=f"raycast/{name}"))
    (chat,) = seen(sandbox)
    assert (chat.json["provider"], chat.json["model"]) == ("anthropic", "claude-haiku")


def test_the_list_is_fetched_once(sandbox: Sandbox) -> None:
    """Further turns, also with another model of it, cost one request each."""
    answers(sandbox, asked(), asked(model="raycast/openai-gpt-4"), asked())
    assert [entry.path for entry in seen(sandbox, None)] == [MODELS, CHAT, CHAT, CHAT]
    assert [chat.json["model"] for chat in seen(sandbox)] == ["gpt-4o-mini", "gpt-4", "gpt-4o-mini"]


def test_a_backend_without_a_list_has_openais_models(sandbox: Sandbox) -> None:
    """A 404 means that it is from before; it is not asked again."""
    sandbox.knobs("raycast", models="absent")
    answers(sandbox, asked(), asked())
    assert [entry.path for entry in seen(sandbox, None)] == [MODELS, CHAT, CHAT]
    assert {(chat.json["provider"], chat.json["model"]) for chat in seen(sandbox)} == {("openai", "gpt-4o-mini")}
    assert [model.id for model in models(sandbox)] == [
        "openai-gpt-4o-mini", "openai-gpt-4", "openai-gpt-3.5-turbo",
    ]  # fmt: skip


@pytest.mark.parametrize(("code", "kind"), [(422, BadRequest), (429, RateLimited)])
def test_a_list_in_trouble_is_not_a_list_that_is_absent(sandbox: Sandbox, code: int, kind: type[PolychatError]) -> None:
    """No question is asked of a guessed provider."""
    sandbox.fault("raycast", "status", code=code, retry_after="120", path=MODELS)
    with pytest.raises(kind):
        answers(sandbox, asked())
    assert seen(sandbox) == []


def test_a_model_that_is_not_listed_any_more_is_told(sandbox: Sandbox) -> None:
    """One that we know of and the service does not is refused with what there is, and nothing is asked."""

    async def main() -> None:
        async with engine_of(sandbox) as engine:
            events = providers.load("raycast").chat(engine.session("raycast"), asked(model="openai-gpt-2"))
            await anext(events)

    with pytest.raises(UnknownModel, match="openai-gpt-2") as caught:
        asyncio.run(main())
    assert "anthropic-claude-haiku" in str(caught.value.hint)
    assert seen(sandbox) == []


def test_a_list_of_another_form_is_said_so(sandbox: Sandbox) -> None:
    """It is not taken for a short one."""
    sandbox.fault("raycast", "changed_field", field="model", to="modell", path=MODELS)
    with pytest.raises(FormatChanged):
        answers(sandbox, asked())


# ---------------------------------------------------------------- what comes back


@pytest.mark.parametrize("stream", [True, False])
@pytest.mark.parametrize("knobs", [{}, {"notification": True}, {"compat": "g4f"}, {"done": True}], ids=str)
def test_every_habit_of_the_service_ends_in_the_exact_text(
    sandbox: Sandbox, knobs: dict[str, Any], stream: bool
) -> None:
    """Notices, null texts and a relay's end are all read right."""
    sandbox.knobs("raycast", **knobs)
    sandbox.script("raycast", chunks=["data: Hel", "lo, ", "мир"])
    (reply,) = answers(sandbox, asked(stream=stream))
    assert (reply.text, reply.finish and reply.finish.reason) == ("data: Hello, мир", "stop")


def test_thinking_is_told_apart_from_the_answer(sandbox: Sandbox) -> None:
    """What a model thinks aloud is no part of its text."""
    sandbox.knobs("raycast", reasoning=True)
    sandbox.script("raycast", text="Yes.")
    (reply,) = answers(sandbox, asked())
    assert (reply.thinking, reply.text) == ("Let me think.", "Yes.")


@pytest.mark.parametrize("summary_only", [False, True])
def test_a_tool_is_called(sandbox: Sandbox, summary_only: bool) -> None:
    """In fragments with a summary, or whole: one call, once, with arguments that obey the schema."""
    sandbox.knobs("raycast", summary_only=summary_only)
    (reply,) = answers(sandbox, asked("How is the weather?", tools=(WEATHER,), tool_choice="auto"))
    (call,) = reply.tool_calls
    assert call.id.startswith("call_")
    assert (call.name, list(msgspec.json.decode(call.arguments))) == ("get_weather", ["city"])
    assert reply.finish is not None
    assert reply.finish.reason == "tool_calls"


def test_a_tool_calls_fragments_are_passed_on_as_they_come(sandbox: Sandbox) -> None:
    """A reader sees the arguments grow."""

    async def main() -> list[ToolCallDelta]:
        async with engine_of(sandbox) as engine:
            turn = await engine.ask(asked("The weather?", tools=(WEATHER,)))
            return [event async for batch in turn for event in batch if isinstance(event, ToolCallDelta)]

    assert [(delta.index, delta.name) for delta in asyncio.run(main())] == [(0, "get_weather"), (0, None), (0, None)]


# ---------------------------------------------------------------- what goes wrong


@pytest.mark.parametrize(
    "settings",
    [
        {"web_search": True},
        {"reasoning_effort": "high"},
        {"max_tokens": 5},
        {"stop": ("x",)},
        {"seed": 1},
        {"top_p": 0.5},
        {"tools": (WEATHER,), "tool_choice": "required"},
    ],
    ids=str,
)
def test_what_raycast_is_not_known_to_do_is_refused_before_anything_is_sent(
    sandbox: Sandbox, settings: dict[str, Any]
) -> None:
    """Not even the list of models is asked for."""
    with pytest.raises(UnsupportedFeature):
        answers(sandbox, asked(**settings))
    assert sandbox.journal() == []


def test_a_picture_and_the_result_of_a_tool_are_refused(sandbox: Sandbox) -> None:
    """How they are sent is not known; nothing is guessed."""
    called = {"id": "c", "type": "function", "function": {"name": "f", "arguments": "{}"}}
    talks: list[Any] = [
        [{"role": "user", "content": [{"type": "image_url", "image_url": {"url": "data:image/gif;base64,R0lGODlh"}}]}],
        [
            {"role": "user", "content": "hi"},
            {"role": "assistant", "tool_calls": [called]},
            {"role": "tool", "tool_call_id": "c", "content": "1"},
        ],
    ]

    async def main(talk: Any) -> ChatCompletion:
        async with AsyncClient(provider="raycast", sandbox=sandbox.url, api_key="sandbox-alice", strict=True) as client:
            return await client.chat.completions.create(messages=talk)

    for talk in talks:
        with pytest.raises(UnsupportedFeature):
            asyncio.run(main(talk))
    assert sandbox.journal() == []


@pytest.mark.parametrize("models", ["listed", "absent"])
def test_a_demanded_signature_is_a_challenge(sandbox: Sandbox, models: str) -> None:
    """One sentence says that the session belongs to the app, and the hint names the official way; nothing is signed."""
    sandbox.knobs("raycast", signature="demanded", models=models)
    with pytest.raises(ChallengeRequired, match="cannot be used from outside the app") as caught:
        answers(sandbox, asked())
    assert "extension API" in (caught.value.hint or "")
    assert caught.value.upstream_status == 403
    assert seen(sandbox) == []


@pytest.mark.parametrize("code", [400, 401, 403])
def test_a_signature_demanded_by_the_chat_alone_is_one_too(sandbox: Sandbox, code: int) -> None:
    """It is known by the header it names, whatever its status."""
    sandbox.fault("raycast", "status", code=code, message="X-Raycast-Signature is missing", path=CHAT)
    with pytest.raises(ChallengeRequired, match="outside the app"):
        answers(sandbox, asked())
    assert len(seen(sandbox)) == 1


def test_another_403_tells_the_services_words_and_the_official_way(sandbox: Sandbox) -> None:
    """There is no browser in which to pass a check, and the hint does not send there."""
    sandbox.fault("raycast", "status", code=403, message="Not for you", path=CHAT)
    with pytest.raises(ChallengeRequired, match="Not for you") as caught:
        answers(sandbox, asked())
    assert "extension API" in (caught.value.hint or "")


def test_a_refused_token_says_how_to_renew_it(sandbox: Sandbox) -> None:
    """It is not tried twice: nothing renews it."""

    async def main() -> None:
        async with engine_of(sandbox, "sandbox-nobody") as engine:
            await engine.ask(asked())

    with pytest.raises(AuthExpired, match="401") as caught:
        asyncio.run(main())
    assert caught.value.hint == "give another api_key"
    assert len(seen(sandbox, None)) == 1


def test_an_error_inside_the_stream_keeps_what_came(sandbox: Sandbox) -> None:
    """Also when it lies in the same network read as the words before it."""
    sandbox.script("raycast", chunks=["Hel", "lo"])
    sandbox.fault("raycast", "expired_mid_stream", after=2, path=CHAT)
    sandbox.fault("raycast", "coalesce", count=8, path=CHAT)
    with pytest.raises(Unavailable, match="expired") as caught:
        answers(sandbox, asked())
    assert caught.value.after_content
    assert caught.value.partial is not None
    assert caught.value.partial.text == "Hello"


def test_a_web_page_instead_of_an_answer_is_no_answer(sandbox: Sandbox) -> None:
    """HTML under 200 is never taken for one."""
    sandbox.fault("raycast", "html", path=CHAT)
    with pytest.raises(AuthExpired, match="web page"):
        answers(sandbox, asked())


def test_no_account_names_the_login_command(sandbox: Sandbox, tmp_path: Path) -> None:
    """The person reads what to type."""

    async def main() -> None:
        settings = load(environ={"POLYCHAT_SANDBOX": sandbox.url, "POLYCHAT_HOME": str(tmp_path)})
        async with Engine(MemoryVault(), settings, strict=True) as engine:
            await engine.ask(asked())

    with pytest.raises(NoAccount) as caught:
        asyncio.run(main())
    assert "polychat login raycast --key -" in str(caught.value)


def test_cookies_are_no_sign_in_here(sandbox: Sandbox, tmp_path: Path) -> None:
    """The app's session is a token; other credentials are refused before anything is sent."""

    async def main() -> None:
        settings = load(environ={"POLYCHAT_SANDBOX": sandbox.url, "POLYCHAT_HOME": str(tmp_path)})
        vault = given("raycast", api_key=None, cookies={"session": "sandbox-alice"})
        async with Engine(vault, settings, strict=True) as engine:
            await engine.ask(asked())

    with pytest.raises(ConfigError):
        asyncio.run(main())
    assert sandbox.journal() == []
