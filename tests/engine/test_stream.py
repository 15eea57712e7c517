"""engine/stream.py: one turn, its clocks, its grammar, and what is kept when it breaks."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Sequence
from typing import Any, ClassVar

import pytest

from polychat.credentials import Account, ApiKey, Secret, SignIn
from polychat.engine.leases import Lease, Leases
from polychat.engine.outcomes import Outcomes
from polychat.engine.places import Places
from polychat.engine.register import Register
from polychat.engine.sessions import Sessions
from polychat.engine.stream import GrammarError, Running
from polychat.errors import (
    FormatChanged,
    IdleTimeout,
    Interrupted,
    PolychatError,
    RateLimited,
    Unavailable,
)
from polychat.net.aiohttp import AiohttpTransport
from polychat.net.clocks import Clocks
from polychat.net.session import Session
from polychat.providers.base import Info
from polychat.types import Event, Finish, Message, Request, Text, TextDelta, Title, Usage
from polychat.vault.memory import MemoryVault

QUESTION = Request(model="m", messages=(Message(role="user", parts=(Text(text="?"),)),))
HEL, LO, END = TextDelta(text="Hel"), TextDelta(text="lo"), Finish(reason="stop")


class Scripted:
    """A provider that yields what it is told and then fails, stalls or ends."""

    info: ClassVar[Info] = Info(
        name="scripted", label="Scripted", hosts={"web": "http://127.0.0.1:9"}, accepts=("api_key",), models=(),
        default_model="m", capabilities=frozenset({"text"}), sign_in=SignIn(url=""),
    )  # fmt: skip

    def __init__(self, *batches: Any, then: Exception | None = None, stall: bool = False) -> None:
        self.batches, self.then, self.stall, self.closed = batches, then, stall, False

    async def chat(self, session: Session, request: Request) -> AsyncIterator[Sequence[Event]]:
        try:
            for batch in self.batches:
                yield batch
            if self.stall:
                await asyncio.Event().wait()
            if self.then:
                raise self.then
        finally:
            self.closed = True


async def lease(provider: Scripted) -> Lease:
    """The right to ask it."""
    account = Account(name="one", provider="scripted", credential=ApiKey(key=Secret("sandbox-alice")))

    def session(info: Info, account: Account) -> Session:
        return Session(provider=info.name, hosts=info.hosts, transport=AiohttpTransport(), account=account)

    register = Register(None, now=time.time)
    sessions = Sessions(MemoryVault(account), register, make=session, preferred={}, now=time.time)
    leases = Leases(sessions, Places({}), Outcomes(time.time))
    return await leases.lease(provider.info, sessions.entries(provider.info)[0], QUESTION.model, Clocks())


def run(provider: Scripted, *, strict: bool = True, clocks: Clocks | None = None) -> list[Sequence[Event]]:
    """All batches of the turn."""

    async def main() -> list[Sequence[Event]]:
        running = Running(await lease(provider), clocks or Clocks(), strict=strict)
        return [batch async for batch in running.batches(provider, QUESTION, lambda fold: [Title(title="T")])]

    return asyncio.run(main())


def test_batches_pass_as_they_are_and_the_engines_own_events_come_before_the_end() -> None:
    """One read, one batch; nothing is flattened on the way."""
    assert run(Scripted([HEL, LO], [Usage(), END])) == [[HEL, LO], [Usage(), Title(title="T"), END]]


def test_nothing_is_read_after_the_end() -> None:
    """The provider is closed once it said `Finish`."""
    provider = Scripted([HEL, END], [LO], stall=True)
    assert run(provider) == [[HEL, Title(title="T"), END]]
    assert provider.closed


@pytest.mark.parametrize("broken", [[HEL, END, LO], ["Hel"], [HEL, None]])
def test_a_broken_grammar_raises_in_tests_and_is_a_changed_format_in_production(broken: list[Any]) -> None:
    """Whoever writes a provider hears of it; whoever uses one gets an error that has a class."""
    with pytest.raises(GrammarError):
        run(Scripted(broken))
    with pytest.raises(FormatChanged):
        run(Scripted(broken), strict=False)


@pytest.mark.parametrize(
    "failure", [Unavailable("down"), RateLimited("slow"), FormatChanged("new"), IdleTimeout("late")]
)
def test_before_content_a_failure_keeps_its_class(failure: PolychatError) -> None:
    """So that a caller may go to the next account or service."""
    with pytest.raises(type(failure)) as caught:
        run(Scripted([Title(title="x")], then=failure))
    assert not caught.value.after_content
    assert caught.value.provider == "scripted"


@pytest.mark.parametrize("failure", [FormatChanged("damaged"), IdleTimeout("late"), Interrupted("cut")])
def test_after_content_a_broken_stream_is_interrupted_and_keeps_what_came(failure: PolychatError) -> None:
    """Nothing received is lost, and nobody fails over."""
    with pytest.raises(Interrupted) as caught:
        run(Scripted([HEL], [LO], then=failure))
    assert caught.value.partial is not None
    assert (caught.value.partial.text, caught.value.after_content) == ("Hello", True)


def test_after_content_what_the_account_did_wrong_stays_told() -> None:
    """A session that expires midway is still `AuthExpired`'s business, with the part that came."""
    with pytest.raises(RateLimited) as caught:
        run(Scripted([HEL], then=RateLimited("slow")))
    assert caught.value.after_content


def test_an_end_without_finish_is_an_interruption() -> None:
    """No empty and no cut success."""
    for batches in ([], [[HEL]]):
        with pytest.raises(Interrupted):
            run(Scripted(*batches))


@pytest.mark.parametrize(
    ("batches", "clocks", "clock"),
    [
        ([], Clocks(first_event_s=0.01), "first_event"),
        ([[Title(title="x")]], Clocks(between_events_s=0.01), "between_events"),
        ([[Title(title="x")]], Clocks(total_s=0.02), "total"),
    ],
)
def test_each_clock_ends_a_silence_by_its_own_name(batches: list[Any], clocks: Clocks, clock: str) -> None:
    """The error names the clock that ran out, and the provider is closed."""
    provider = Scripted(*batches, stall=True)
    with pytest.raises(IdleTimeout) as caught:
        run(provider, clocks=clocks)
    assert caught.value.clock == clock
    assert provider.closed


def test_a_stall_after_content_is_an_interruption() -> None:
    """What came is kept."""
    with pytest.raises(Interrupted, match="interrupted: scripted sent nothing") as caught:
        run(Scripted([HEL], stall=True), clocks=Clocks(between_events_s=0.01))
    assert caught.value.partial is not None
    assert caught.value.partial.text == "Hel"


def test_leaving_closes_the_provider_at_once() -> None:
    """A reader that goes away does not leave a call open."""

    async def main() -> bool:
        provider = Scripted([HEL], stall=True)
        batches = Running(await lease(provider), Clocks(), strict=True).batches(provider, QUESTION, lambda fold: ())
        await anext(batches)
        await batches.aclose()
        return provider.closed

    assert asyncio.run(main())
