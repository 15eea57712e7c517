"""engine/asking.py: what leads a question to its candidates, within the limits that the caller set."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable
from typing import Any

import msgspec
import pytest

from polychat.credentials import Account, ApiKey, Secret
from polychat.engine.asking import Countdown
from polychat.engine.engine import Engine
from polychat.engine.settings import load
from polychat.errors import BadOption, IdleTimeout, NoAccount, PolychatError, Unavailable, UnknownModel
from polychat.net.clocks import Clocks
from polychat.net.session import Session
from polychat.providers.base import Model
from polychat.types import Finish, TextDelta, Thread

DONE = [TextDelta(text="Done."), Finish(reason="stop")]


def smart(*targets: Any, **others: Any) -> dict[str, Any]:
    """A config with one routed name."""
    return {"models": {"smart": {"targets": list(targets)} | others}}


# ---------------------------------------------------------------- within one service


@pytest.mark.parametrize("provider", ["openai", "anthropic"])
def test_a_routed_name_within_one_service_leads_to_its_targets_there(house: Any, provider: str) -> None:
    """The model of another service is not taken for one of its own, and its list is not asked for."""
    config = smart(house.anthropic, "gemini/gemini-3-flash", house.openai)
    turn, _ = house.run(lambda engine: house.answer(engine, "smart", provider=provider), **config)
    assert turn.provider == provider
    assert {entry.service for entry in house.sandbox.journal()} == {provider}
    assert turn.model in (house.openai + house.anthropic)


def test_a_routed_name_without_a_target_in_the_service_is_refused(house: Any) -> None:
    """Nothing is sent; the error says whose the targets are."""
    error = house.run(
        lambda engine: house.failure(engine, "smart", provider="reka"), **smart(house.anthropic, "alice/gpt-4o-mini")
    )
    assert isinstance(error, UnknownModel)
    assert error.message == (
        "anthropic/claude-haiku-4-5-20251001 is of anthropic, and only reka is meant (and nobody else can answer: "
        "alice/gpt-4o-mini: alice/gpt-4o-mini is of alice, and only reka is meant)"
    )
    assert house.sandbox.journal() == []


def test_a_named_account_is_the_only_one(house: Any) -> None:
    """Of all targets; those of other services are out."""
    house.status("openai", 429, retry_after="60")
    config = smart(house.anthropic, house.openai)

    async def main(engine: Engine) -> PolychatError:
        assert await house.whom(engine, "smart", account="carol") == "carol"
        return await house.failure(engine, "smart", account="bob")

    error = house.run(main, **config)
    assert (error.account, error.attempts, house.asked()) == ("bob", (), ["anthropic", "openai"])


def test_an_account_that_is_none_of_theirs_is_told(house: Any) -> None:
    """Before anything is sent."""

    async def main(engine: Engine) -> list[PolychatError]:
        return [await house.failure(engine, "smart", account=name) for name in ("dave", "nobody")]

    of_another, none = house.run(main, **smart(house.anthropic, house.openai))
    assert isinstance(of_another, BadOption)
    assert of_another.message.startswith("account 'dave' is of reka, not anthropic")
    assert isinstance(none, NoAccount)
    assert house.asked() == []


def test_a_conversation_stays_with_its_account(house: Any) -> None:
    """Whatever the routed name prefers, and whoever else could answer."""
    config = smart(house.anthropic, house.openai)
    thread = Thread(provider="openai", account="bob")

    async def main(engine: Engine) -> PolychatError:
        assert await house.whom(engine, "smart", thread=thread) == "bob"
        house.status("openai", 429, retry_after="60", times=1)
        error = await house.failure(engine, "smart", thread=thread)
        assert (await house.failure(engine, "smart", thread=thread)).account == "bob"
        return error

    error = house.run(main, **config)
    assert (error.account, error.attempts, house.asked()) == ("bob", (), ["openai", "openai"])


# ---------------------------------------------------------------- names that nobody knows


class Lister:
    """A service that lists its models when asked, or fails to."""

    def __init__(self, inner: Any, *listed: Any) -> None:
        self.inner, self.info, self.listed = inner, inner.info, listed
        self.lists = 0

    def chat(self, session: Session, request: Any) -> Any:
        return self.inner.chat(session, request)

    async def list_models(self, session: Session) -> tuple[Model, ...]:
        self.lists += 1
        for one in self.listed:
            if isinstance(one, BaseException):
                raise one
            if isinstance(one, float):
                await asyncio.sleep(one)
        return tuple(Model(id=one) for one in self.listed if isinstance(one, str))


def lister(house: Any, name: str, *listed: Any) -> Lister:
    """Such a service at hand."""
    house.services[name] = made = Lister(house.add(name, DONE, any_model=False), *listed)
    return made


def test_a_target_that_only_the_service_knows_is_looked_up(house: Any) -> None:
    """In its place, with its condition; what it does not list either is out."""
    own = lister(house, "own", "fresh")
    config = smart({"model": "own/fresh", "when": "running == 0"}, house.openai, "own/stale")

    async def main(engine: Engine) -> Any:
        turn, _ = await house.answer(engine, "smart")
        return turn, await engine.chats.explain(house.question("smart"))

    turn, considered = house.run(main, **config)
    assert (turn.provider, turn.model) == ("own", "fresh")
    assert [(one.verdict, one.model, one.place) for one in (considered[0], considered[-1])] == [
        ("in", "own/fresh", "models.smart.targets[0]"), ("out", "own/stale", "models.smart.targets[2]"),
    ]  # fmt: skip
    assert own.lists == 1  # for two targets and two questions


def test_a_service_that_cannot_list_is_no_reason_for_the_others_not_to_answer(house: Any) -> None:
    """The target is out, with the name it has."""
    lister(house, "own", Unavailable("down"))
    turn, _ = house.run(lambda engine: house.answer(engine, "smart"), **smart("own/fresh", house.openai))
    assert turn.account == "alice"


def test_where_it_is_the_only_one_its_trouble_is_told(house: Any) -> None:
    """As it is."""
    lister(house, "own", Unavailable("down"))
    error = house.run(lambda engine: house.failure(engine, "own/fresh"))
    assert isinstance(error, Unavailable)


def test_looking_up_is_part_of_the_whole_request(house: Any) -> None:
    """Its clock runs meanwhile."""
    lister(house, "own", 60.0)

    async def main(engine: Engine) -> list[PolychatError]:
        return [await house.failure(engine, name, waits={"total_s": 0.05}) for name in ("own/fresh",)]

    (error,) = house.run(main)
    assert isinstance(error, IdleTimeout)
    assert (error.clock, error.provider) == ("total", "own")


# ---------------------------------------------------------------- where a name leads first


def test_route_is_the_first_target_that_leads_anywhere(house: Any) -> None:
    """Within one service, the first there."""
    config = smart("reka/nonsense", house.anthropic, house.openai)

    async def main(engine: Engine) -> list[str]:
        routes = [engine.route("smart"), engine.route("smart", provider="openai")]
        with pytest.raises(UnknownModel, match="there is no model 'reka/nonsense'"):
            engine.route("smart", provider="reka")
        return [f"{route.provider}/{route.model.id}" for route in routes]

    assert house.run(main, **config) == [house.anthropic, house.openai]


def test_what_is_remembered_of_names_is_what_is_so(house: Any) -> None:
    """An account that comes or goes, and other settings, count from the next question on."""
    house.people = ["alice"]
    other = Account(name="frank", provider="groq", credential=ApiKey(key=Secret("sandbox-alice")), created_at=1.0)

    async def main(engine: Engine) -> list[list[str]]:
        async def first() -> list[str]:
            considered = await engine.chats.explain(house.question("gpt-4o-mini"))
            return [f"{one.model} {one.account}" for one in considered if one.verdict == "in"]

        seen = [await first(), await first()]
        engine.vault.put(msgspec.structs.replace(other, name="zoe", provider="github"))
        engine.vault.put(msgspec.structs.replace(other, name="bert", provider="openai"))
        seen.append(await first())
        engine.vault.remove("alice")
        seen.append(await first())
        engine.reload(load(environ=house.environ, overrides={"models": {"gpt-4o-mini": "openai/gpt-4o"}}))
        return [*seen, await first()]

    assert house.run(main) == [
        ["openai/gpt-4o-mini alice"], ["openai/gpt-4o-mini alice"],
        ["openai/gpt-4o-mini alice", "openai/gpt-4o-mini bert"], ["openai/gpt-4o-mini bert"],
        ["openai/gpt-4o bert"],
    ]  # fmt: skip


# ---------------------------------------------------------------- clocks


async def later(seconds: float) -> str:
    """Something that takes its time."""
    await asyncio.sleep(seconds)
    return "done"


def counted(total_s: float | None, call: Awaitable[str]) -> tuple[str | IdleTimeout, float | None]:
    """What comes of a call under that clock, and what is left."""

    async def main() -> tuple[str | IdleTimeout, float | None]:
        countdown = Countdown(Clocks(total_s=total_s))
        try:
            return await countdown.over(call, "openai", "alice"), countdown.left_s
        except IdleTimeout as error:
            return error, countdown.left_s

    return asyncio.run(main())


def test_a_countdown_ends_what_takes_too_long() -> None:
    """With service, account and clock."""
    error, left_s = counted(0.02, later(60.0))
    assert isinstance(error, IdleTimeout)
    assert (error.clock, error.provider, error.account, left_s) == ("total", "openai", "alice", 0.0)
    assert error.message == "openai was not done within 0.02 s"


def test_a_countdown_runs_on(house: Any) -> None:
    """What one call took the next has not."""
    said, left_s = counted(60.0, later(0.02))
    assert said == "done"
    assert left_s is not None
    assert 59.0 < left_s <= 59.985


def test_without_a_clock_there_is_no_end() -> None:
    """And nothing to be left."""
    assert counted(None, later(0.0)) == ("done", None)
