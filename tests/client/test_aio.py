"""client/aio.py: which model is meant, the services' own lists, and what a stream tells beside its chunks."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from pathlib import Path
from typing import Any, TypeVar

import pytest

from polychat import AsyncClient, BadOption, Thread, UnknownModel
from polychat.credentials import SignIn
from polychat.engine.settings import load
from polychat.net.session import Session
from polychat.providers import Info, Model
from polychat.sandbox.server import Sandbox
from polychat.types import Event, Finish, Request, TextDelta

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
