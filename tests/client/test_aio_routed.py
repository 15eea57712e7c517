"""client/aio.py with routed names: what a person set in the config, within what a program says."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest

from polychat.client.aio import AsyncClient
from polychat.credentials import Account, ApiKey, Secret
from polychat.engine.settings import load
from polychat.errors import BadOption, IdleTimeout, Interrupted, UnknownModel
from polychat.sandbox import Sandbox
from polychat.vault.memory import MemoryVault

OPENAI, ANTHROPIC = "openai/gpt-4o-mini", "anthropic/claude-haiku-4-5-20251001"
ROUTED = {"smart": {"targets": [ANTHROPIC, OPENAI]}, "fast": OPENAI}
Run = Callable[..., Any]


@pytest.fixture
def run(sandbox: Sandbox, tmp_path: Path) -> Run:
    """run(do, settings, **options): what `await do(client)` gives."""
    people = [
        Account(name=name, provider=provider, credential=ApiKey(key=Secret("sandbox-alice")))
        for name, provider in (("carol", "anthropic"), ("alice", "openai"))
    ]

    def run(do: Callable[[AsyncClient], Awaitable[Any]], over: dict[str, Any] | None = None, **options: Any) -> Any:
        settings = load(
            environ={"POLYCHAT_HOME": str(tmp_path), "POLYCHAT_SANDBOX": sandbox.url},
            overrides={"models": ROUTED} | (over or {}),
        )

        async def main() -> Any:
            async with AsyncClient(vault=MemoryVault(*people), settings=settings, strict=True, **options) as client:
                return await do(client)

        return asyncio.run(main())

    return run


def asks(model: str | None, **question: Any) -> Callable[[AsyncClient], Awaitable[str]]:
    """Asks, and gives the service that answered."""

    async def do(client: AsyncClient) -> str:
        answer = await client.chat.completions.create(model=model, messages="Hello", **question)
        return answer.provider

    return do


@pytest.mark.parametrize(
    ("options", "expected"),
    [({}, "anthropic"), ({"provider": "openai"}, "openai"), ({"account": "alice"}, "openai")],
)
def test_a_routed_name_within_what_the_client_is_for(run: Run, options: dict[str, Any], expected: str) -> None:
    """Its service or its account, where it has one."""
    assert run(asks("smart"), **options) == expected


def test_the_configs_own_model_may_be_a_routed_name(run: Run) -> None:
    """Also for a client of one service, where a target is of that; otherwise that one's own default is asked."""
    preset = {"model": "smart"}
    assert run(asks(None), preset) == "anthropic"
    assert run(asks(None), preset, provider="openai") == "openai"
    assert run(asks(None), {"model": "fast"}, provider="anthropic") == "anthropic"


def test_a_routed_name_of_other_services_is_refused(run: Run, sandbox: Sandbox) -> None:
    """Nothing is sent."""
    with pytest.raises(UnknownModel, match="only anthropic is meant"):
        run(asks("fast"), provider="anthropic")
    assert sandbox.journal() == []


def test_a_stream_tells_who_answers(run: Run, sandbox: Sandbox) -> None:
    """After another was asked."""
    sandbox.fault("anthropic", "status", code=500)

    async def do(client: AsyncClient) -> tuple[str, str, str]:
        async with await client.chat.completions.create(model="smart", messages="Hello", stream=True) as stream:
            text = "".join([chunk.choices[0].delta.content or "" async for chunk in stream if chunk.choices])
        return stream.provider, stream.account, text[:9]

    assert run(do) == ("openai", "alice", "You asked")


@pytest.mark.parametrize("stream", [True, False])
def test_nothing_is_glued_in_any_form(run: Run, sandbox: Sandbox, stream: bool) -> None:
    """A stream that breaks off after its first words raises what came; a document that does is asked for elsewhere."""
    sandbox.script("anthropic", chunks=["One ", "two ", "three ", "four "])
    sandbox.script("openai", text="Another.")
    sandbox.fault("anthropic", "cut_frame", after=4 if stream else 0)

    async def do(client: AsyncClient) -> str:
        made = await client.chat.completions.create(model="smart", messages="Hello", stream=stream)
        if not stream:
            return made.choices[0].message.content
        async with made:
            with pytest.raises(Interrupted) as caught:
                await _read(made)
        return caught.value.partial.text

    said = run(do)
    assert said
    assert ("One two three four " if stream else "Another.").startswith(said)
    assert len(sandbox.journal(service="openai")) == (not stream)


async def _read(stream: Any) -> None:
    async for _ in stream:
        pass


@pytest.mark.parametrize(
    ("client", "question"),
    [
        ({"clocks": {"first_event_s": 0.1}}, {}),
        ({}, {"clocks": {"first_event_s": 0.1}}),
        ({}, {"extra_headers": {"X-Polychat-First-Event-S": "0.1"}}),
        ({"clocks": {"first_event_s": 60}}, {"clocks": {"first_event_s": 0.1}}),
        ({"clocks": {"first_event_s": 0}}, {"extra_headers": {"x-polychat-total-s": "0.1"}}),
        ({}, {"timeout": 0.1}),
    ],
)
def test_clocks_are_set_by_the_client_by_a_header_and_by_the_call(
    run: Run, sandbox: Sandbox, client: dict[str, Any], question: dict[str, Any]
) -> None:
    """Each of them ends a silence."""
    sandbox.fault("openai", "slow_first_byte", delay_s=60.0)
    with pytest.raises(IdleTimeout):
        run(asks("fast", **question), **client)


def test_a_header_that_sets_no_clock_is_named(run: Run, sandbox: Sandbox) -> None:
    """Before anything is sent."""
    with pytest.raises(BadOption, match="the header x-polychat-totals sets no clock"):
        run(asks("fast", extra_headers={"x-polychat-totals": "3"}))
    assert sandbox.journal() == []
