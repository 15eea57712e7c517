"""client/aio.py: which model is meant, the services' own lists, and what a stream tells beside its chunks."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from pathlib import Path
from typing import Any, TypeVar

import pytest

from polychat import AsyncClient, BadOption, ConfigError, Thread, UnknownModel
from polychat.credentials import Account, ApiKey, Secret, SignIn
from polychat.engine.settings import load
from polychat.net.aiohttp import AiohttpTransport
from polychat.net.session import Session
from polychat.net.traffic.replay import ReplayTransport
from polychat.providers import Info, Model
from polychat.sandbox.server import Sandbox
from polychat.types import Event, Finish, Request, TextDelta
from polychat.vault.memory import MemoryVault

T = TypeVar("T")
THREAD = Thread(provider="chatgpt", id="c")


def run(sandbox: Sandbox, home: Path, do: Callable[[AsyncClient], Awaitable[T]], **options: Any) -> T:
    """What `do` makes of a client."""

    async def main() -> T:
        settings = load(environ={"POLYCHAT_HOME": str(home), "POLYCHAT_SANDBOX": sandbox.url})
        async with AsyncClient(settings=settings, strict=True, **options) as client:
            return await do(client)

    return asyncio.run(main())


@pytest.mark.parametrize(
    ("preset", "provider", "model", "thread", "meant"),
    [
        (None, None, "o1", None, "o1"),
        ("reka/reka-edge", None, None, None, "reka/reka-edge"),
        (None, "reka", None, None, "reka"),
        (None, None, None, THREAD, "chatgpt"),
        ("gpt-4o", None, None, THREAD, "gpt-4o"),
        ("reka/reka-edge", None, None, THREAD, "chatgpt"),
        ("reka/reka-edge", "chatgpt", None, None, "chatgpt"),
    ],
)
def test_the_model_that_is_meant(
    tmp_path: Path, preset: str | None, provider: str | None, model: str | None, thread: Thread | None, meant: str
) -> None:
    """The one named, the one that is set if the service that is meant has it, else that service's default."""
    settings = load(environ={"POLYCHAT_HOME": str(tmp_path)}, overrides={"model": preset})
    assert AsyncClient(settings=settings, provider=provider).named(model, thread) == meant


def test_without_any_name_the_way_to_one_is_told(tmp_path: Path) -> None:
    """Nothing is guessed."""
    client = AsyncClient(settings=load(environ={"POLYCHAT_HOME": str(tmp_path)}))
    with pytest.raises(BadOption, match="polychat models"):
        client.named(None)


def test_the_list_is_known_without_asking_anyone(sandbox: Sandbox, tmp_path: Path) -> None:
    """Offline unless told."""
    assert run(sandbox, tmp_path, lambda client: client.models.list()).problems == []
    assert sandbox.journal() == []


def test_a_live_list_is_the_services_own(sandbox: Sandbox, tmp_path: Path) -> None:
    """What the account may use, from the service; one that tells no list keeps the known one."""
    listed = run(sandbox, tmp_path, lambda client: client.models.list(live=True), account="sandbox-bob@chatgpt")
    (entry,) = sandbox.journal(path="/backend-api/models")
    ids = [card.id for card in listed]
    assert (entry.account, listed.problems) == ("sandbox-bob", [])
    assert {"chatgpt/gpt-5-thinking", "chatgpt/o3", "reka/reka-core"} <= set(ids)
    assert len(ids) == len(set(ids))


def test_a_service_in_trouble_does_not_hide_the_others(sandbox: Sandbox, tmp_path: Path) -> None:
    """Its known list stays, and the problem is told."""
    sandbox.fault("chatgpt", "status", code=403, path="/backend-api/models")
    known = run(sandbox, tmp_path, lambda client: client.models.list())
    listed = run(sandbox, tmp_path, lambda client: client.models.list(live=True))
    (problem,) = listed.problems
    lists = [[card for card in found if card.owned_by == "chatgpt"] for found in (listed.data, known.data)]
    assert lists[0] == lists[1] != []
    assert (problem.provider, problem.account, problem.code) == (
        "chatgpt", "sandbox-alice@chatgpt", "challenge_required",
    )  # fmt: skip


def test_a_stream_tells_reasoning_sources_and_pictures(sandbox: Sandbox, tmp_path: Path) -> None:
    """As a whole answer does, as far as it came."""
    sandbox.knobs("chatgpt", thinking=True, search=True)

    async def ask(client: AsyncClient) -> tuple[str, int, int]:
        async with await client.chat.completions.create(model="chatgpt", messages="Why?", stream=True) as stream:
            async for _ in stream:
                pass
        return stream.reasoning, len(stream.sources), len(stream.images)

    async def draw(client: AsyncClient) -> int:
        create = client.chat.completions.create
        async with await create(model="chatgpt/gpt-image", messages="a fox", stream=True) as stream:
            async for _ in stream:
                pass
        return len(stream.images)

    reasoning, sources, images = run(sandbox, tmp_path, ask)
    assert ("I read the question twice." in reasoning, sources > 0, images) == (True, True, 0)
    assert run(sandbox, tmp_path, draw) == 1


class Echo:
    """A provider of the caller's own making."""

    info = Info(
        name="echo",
        label="Echo",
        hosts={"web": "https://echo.example"},
        accepts=("api_key",),
        needs_account=False,
        models=(Model(id="echo-1"),),
        default_model="echo-1",
        capabilities=frozenset({"text", "stream"}),
        sign_in=SignIn(url="https://echo.example"),
    )

    async def chat(self, session: Session, request: Request) -> AsyncIterator[Sequence[Event]]:
        """The question, and who asked it."""
        yield [TextDelta(text=f"{request.messages[-1].text} of {session.account.name if session.account else None}")]
        yield [Finish(reason="stop")]


@pytest.mark.parametrize(("options", "who"), [({}, None), ({"api_key": "k"}, "given@echo")])
def test_a_provider_in_hand_is_asked(options: dict[str, Any], who: str | None, tmp_path: Path) -> None:
    """By an object in place of a name, with a key or without; others are not asked."""

    async def main() -> str:
        settings = load(environ={"POLYCHAT_HOME": str(tmp_path)})
        async with AsyncClient(provider=Echo(), settings=settings, strict=True, **options) as client:
            with pytest.raises(UnknownModel):
                await client.chat.completions.create(model="reka-core", messages="Hello")
            return (await client.chat.completions.create(messages="Hello")).text

    assert asyncio.run(main()) == f"Hello of {who}"


# ---------------------------------------------------------------- settings that change


def config(home: Path, text: str) -> Path:
    """The config file of that home."""
    file = home / "config" / "config.toml"
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(text)
    return file


def test_settings_are_read_anew_while_it_runs(
    sandbox: Sandbox, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An alias that leads elsewhere now; what is asked next goes there."""
    monkeypatch.setenv("POLYCHAT_HOME", str(tmp_path))
    monkeypatch.setenv("POLYCHAT_SANDBOX", sandbox.url)
    config(tmp_path, 'models.mine = "reka"')

    async def main() -> list[str | None]:
        async with AsyncClient(strict=True) as client:
            first = await client.chat.completions.create(model="mine", messages="hi")
            config(tmp_path, 'models.mine = "openai/gpt-4o"')
            client.reload()
            second = await client.chat.completions.create(model="mine", messages="hi")
        return [first.provider, second.provider]

    assert asyncio.run(main()) == ["reka", "openai"]


def test_a_wrong_config_leaves_the_old_one_in_force(
    sandbox: Sandbox, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its complaint names file and path."""
    monkeypatch.setenv("POLYCHAT_HOME", str(tmp_path))
    monkeypatch.setenv("POLYCHAT_SANDBOX", sandbox.url)
    file = config(tmp_path, 'models.mine = "reka"')

    async def main() -> tuple[str, str | None]:
        async with AsyncClient(strict=True) as client:
            config(tmp_path, "models.mine.targets = ['openai/gpt-4o', 3]")
            with pytest.raises(ConfigError) as caught:
                client.reload()
            answer = await client.chat.completions.create(model="mine", messages="hi")
        return caught.value.message, answer.provider

    complaint, provider = asyncio.run(main())
    assert (complaint, provider) == (f"{file}: models.mine.targets[1] names no model", "reka")


# ---------------------------------------------------------------- recording


def test_what_goes_over_the_wire_is_recorded_and_replayed(sandbox: Sandbox, tmp_path: Path) -> None:
    """The replayed answer is the recorded one, word for word, and nobody is asked."""
    folder = tmp_path / "recorded"

    async def ask(client: AsyncClient) -> str:
        return (await client.chat.completions.create(model="openai", messages="Say something")).text

    said = run(sandbox, tmp_path, ask, record=folder)
    seen = len(sandbox.journal())
    vault = MemoryVault(Account(name="me", provider="openai", credential=ApiKey(key=Secret("sandbox-other"))))
    assert run(sandbox, tmp_path, ask, transport=ReplayTransport(folder), vault=vault) == said
    assert (len(sandbox.journal()), len(list(folder.iterdir()))) == (seen, 1)


def test_the_config_may_say_that_all_is_recorded(sandbox: Sandbox, tmp_path: Path) -> None:
    """For a program or a server; where a transport is handed over it is that one's business."""
    environ = {"POLYCHAT_HOME": str(tmp_path), "POLYCHAT_SANDBOX": sandbox.url, "POLYCHAT_RECORD": f"{tmp_path}/all"}

    async def main() -> None:
        mine = AiohttpTransport()
        for transport in (None, mine):
            async with AsyncClient(settings=load(environ=environ), transport=transport) as client:
                await client.chat.completions.create(model="openai", messages="hi")
        await mine.aclose()

    asyncio.run(main())
    assert len(list((tmp_path / "all").iterdir())) == 1


def test_a_transport_of_ones_own_is_wrapped_by_oneself(tmp_path: Path) -> None:
    """The two are not mixed up in silence."""
    with pytest.raises(BadOption, match="record and transport= exclude one another") as caught:
        AsyncClient(
            settings=load(environ={"POLYCHAT_HOME": str(tmp_path)}), record=tmp_path, transport=AiohttpTransport()
        )
    assert caught.value.field == "record"
