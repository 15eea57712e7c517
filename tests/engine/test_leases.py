"""engine/leases.py through a real engine and a real sandbox: who is asked, when not, and what is brought home."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest

from polychat.credentials import Account, BearerToken, Secret, SessionCookies
from polychat.engine import health
from polychat.engine.engine import Engine
from polychat.engine.health import Changed
from polychat.engine.settings import Settings, load
from polychat.engine.turn import Turn
from polychat.errors import AuthExpired, IdleTimeout, NoAccount, PolychatError, QuotaSpent, RateLimited
from polychat.net.clocks import Clocks
from polychat.sandbox import Sandbox
from polychat.types import Message, Request, Text
from polychat.vault.file import FileVault
from polychat.vault.memory import MemoryVault

DAY_S = 24 * 3600.0
CHAT = "/api/chat"


class Clock:
    """Time that is moved by hand, in step with the sandbox's."""

    def __init__(self, sandbox: Sandbox) -> None:
        self._sandbox = sandbox
        self._ahead_s = 0.0

    def __call__(self) -> float:
        return time.time() + self._ahead_s

    def advance(self, seconds: float) -> None:
        """Let time pass."""
        self._ahead_s += seconds
        self._sandbox.clock(advance_s=seconds)


class Desk:
    """An engine on two Reka accounts, alice's before bob's."""

    def __init__(self, sandbox: Sandbox, home: Path, *, vault: Any = None, **settings: Any) -> None:
        self.sandbox = sandbox
        self.clock = Clock(sandbox)
        self.changes: list[Changed] = []
        self.vault = vault if vault is not None else MemoryVault(cookies("alice"), cookies("bob"))
        self.settings = load(environ={"POLYCHAT_HOME": str(home), "POLYCHAT_SANDBOX": sandbox.url}, overrides=settings)

    def run(self, act: Callable[[Engine], Awaitable[Any]]) -> Any:
        """What `act` gives with a fresh engine."""

        async def main() -> Any:
            async with Engine(
                self.vault, self.settings, strict=True, now=self.clock, watch=self.changes.append
            ) as engine:
                return await act(engine)

        return asyncio.run(main())

    def limit(self, **details: Any) -> None:
        """The next question is answered with a rate limit."""
        self.sandbox.fault("reka", "status", **{"code": 429, "retry_after": "90", "path": CHAT, "times": 1} | details)

    def asked(self) -> list[str | None]:
        """As whom questions came, in order."""
        return [entry.account for entry in self.sandbox.journal(service="reka", path=CHAT)]


@pytest.fixture
def desk(sandbox: Sandbox, tmp_path: Path) -> Desk:
    """Two accounts, and a clock in hand."""
    return Desk(sandbox, tmp_path)


def cookies(person: str, **details: Any) -> Account:
    """Somebody's browser session."""
    session = SessionCookies(cookies={"appSession": Secret(f"sandbox-{person}")}, **details)
    return Account(name=person, provider="reka", credential=session, created_at=1.0)


def question(text: str = "Hello", model: str = "reka/reka-core") -> Request:
    """Something to ask."""
    return Request(model=model, messages=(Message(role="user", parts=(Text(text=text),)),))


async def answer(engine: Engine, account: str | None = None, model: str = "reka/reka-core") -> str:
    """The name of the account that answered."""
    async with await engine.ask(question(model=model), account=account) as turn:
        await turn.reply()
        return turn.account


async def failure(engine: Engine, account: str | None = None) -> PolychatError:
    """What a question raises."""
    with pytest.raises(PolychatError) as caught:
        await answer(engine, account)
    return caught.value


# ---------------------------------------------------------------- who is asked


def test_a_limited_account_is_left_alone_until_it_may_be_asked(desk: Desk) -> None:
    """Before that nothing is sent; then one question goes out, and its answer ends the matter."""
    desk.limit()

    async def main(engine: Engine) -> None:
        assert (await failure(engine, "alice")).retry_after_s == 90.0
        refused = await failure(engine, "alice")
        assert isinstance(refused, RateLimited)
        assert (refused.account, len(desk.asked())) == ("alice", 1)
        assert refused.retry_after_s is not None
        assert 80.0 < refused.retry_after_s <= 90.0
        desk.clock.advance(91.0)
        assert await answer(engine, "alice") == "alice"

    desk.run(main)
    assert [(change.before, change.after) for change in desk.changes] == [("ok", "cooling"), ("cooling", "ok")]


def test_another_account_answers_meanwhile(desk: Desk) -> None:
    """At once, where the call names none; the person's default is asked again once it is well."""
    desk.limit()

    async def main(engine: Engine) -> list[str]:
        others = [await answer(engine), await answer(engine)]
        desk.clock.advance(91.0)
        return [*others, await answer(engine, "alice"), await answer(engine)]

    assert desk.run(main) == ["bob", "bob", "alice", "alice"]
    assert len(desk.asked()) == 5


def test_another_model_of_the_account_is_asked_on(desk: Desk) -> None:
    """A limit is one model's."""
    desk.limit()

    async def main(engine: Engine) -> str:
        await failure(engine, "alice")
        return await answer(engine, "alice", "reka/reka-flash")

    assert desk.run(main) == "alice"


def test_one_question_tries_and_the_others_wait_for_its_outcome(desk: Desk) -> None:
    """After a wait the service is not met by everyone at once."""
    desk.limit()

    async def main(engine: Engine) -> list[Any]:
        await failure(engine, "alice")
        desk.clock.advance(91.0)
        return await asyncio.gather(*(answer(engine, "alice") for _ in range(3)), return_exceptions=True)

    outcomes = desk.run(main)
    assert [type(outcome) for outcome in outcomes].count(RateLimited) == 2
    assert outcomes.count("alice") == 1
    assert len(desk.asked()) == 2


def test_a_try_that_is_left_lets_another_try(desk: Desk) -> None:
    """A reader who goes away proves nothing."""
    desk.limit()

    async def main(engine: Engine) -> str:
        await failure(engine, "alice")
        desk.clock.advance(91.0)
        turn = await engine.ask(question(), account="alice")
        await turn.aclose()
        return await answer(engine, "alice")

    assert desk.run(main) == "alice"


def test_a_paused_account_is_not_asked(desk: Desk) -> None:
    """The other one is; named, the error says how to go on."""

    async def main(engine: Engine) -> tuple[str, PolychatError]:
        (alice, _) = desk.vault.entries()
        engine.register.change(alice, health.paused)
        return await answer(engine), await failure(engine, "alice")

    other, refused = desk.run(main)
    assert other == "bob"
    assert isinstance(refused, NoAccount)
    assert refused.hint == "polychat accounts resume alice"


def test_a_signed_out_account_is_the_last_resort(desk: Desk) -> None:
    """It is asked where no better one is there: the service may have changed its mind."""
    desk.sandbox.fault("reka", "status", code=401, path=CHAT, times=2)

    async def main(engine: Engine) -> list[str]:
        assert isinstance(await failure(engine, "alice"), AuthExpired)
        return [await answer(engine), await answer(engine, "alice"), await answer(engine)]

    assert desk.run(main) == ["bob", "alice", "alice"]


def test_a_trial_that_asks_nobody_proves_nothing(desk: Desk) -> None:
    """A bare token is first seen with a question, so that a refused one stays refused."""
    token = Account(name="token", provider="reka", credential=BearerToken(token=Secret("sandbox-alice")))
    desk.vault.put(token)
    desk.sandbox.fault("reka", "status", code=401, path=CHAT, times=1)

    async def main(engine: Engine) -> list[str]:
        await failure(engine, "token")
        (*_, entry) = desk.vault.entries()
        states = [engine.register.state(entry)]
        await engine.tried("reka", "token")
        states.append(engine.register.state(entry))
        await answer(engine, "token")
        return [*states, engine.register.state(entry)]

    assert desk.run(main) == ["needs_sign_in", "needs_sign_in", "ok"]


def test_a_spent_quota_is_told_apart(desk: Desk) -> None:
    """It is `QuotaSpent`, also when nothing is sent."""
    desk.limit(code=402)

    async def main(engine: Engine) -> list[type[PolychatError]]:
        return [type(await failure(engine, "alice")), type(await failure(engine, "alice"))]

    assert desk.run(main) == [QuotaSpent, QuotaSpent]
    assert len(desk.asked()) == 1


# ---------------------------------------------------------------- how many at once


def test_no_more_questions_at_once_than_the_account_takes(sandbox: Sandbox, tmp_path: Path) -> None:
    """While two are open no third is sent; all that wait are answered once there is place."""
    desk = Desk(sandbox, tmp_path, concurrency={"reka": 2}, clocks={"pool_s": 0.05})

    async def main(engine: Engine) -> None:
        async with await engine.ask(question(), account="alice"), await engine.ask(question(), account="alice"):
            refused = await asyncio.gather(*(failure(engine, "alice") for _ in range(3)))
            assert {type(error) for error in refused} == {IdleTimeout}
            assert len(desk.asked()) == 2

    desk.run(main)
    patient = Desk(sandbox, tmp_path, concurrency={"reka": 2})
    everyone = patient.run(lambda engine: asyncio.gather(*(answer(engine, "alice") for _ in range(6))))
    assert everyone == ["alice"] * 6


def test_a_place_that_does_not_become_free_ends_the_wait(sandbox: Sandbox, tmp_path: Path) -> None:
    """With the clock's name and what to do; leaving a stream frees its place."""
    desk = Desk(sandbox, tmp_path, concurrency={"alice": 1}, clocks={"pool_s": 0.05})

    async def main(engine: Engine) -> str:
        turn: Turn = await engine.ask(question(), account="alice")
        refused = await failure(engine, "alice")
        assert isinstance(refused, IdleTimeout)
        assert (refused.clock, refused.account) == ("pool", "alice")
        await turn.aclose()
        return await answer(engine, "alice")

    assert desk.run(main) == "alice"


def test_nobody_waits_for_a_place_at_an_account_that_is_not_asked(sandbox: Sandbox, tmp_path: Path) -> None:
    """What is paused while it is busy is refused at once, and in its own words."""
    desk = Desk(sandbox, tmp_path, concurrency={"alice": 1}, clocks={"pool_s": 0.05})

    async def main(engine: Engine) -> PolychatError:
        async with await engine.ask(question(), account="alice"):
            (alice, _) = desk.vault.entries()
            engine.register.change(alice, health.paused)
            return await failure(engine, "alice")

    assert isinstance(desk.run(main), NoAccount)


def test_a_busy_account_hands_over_to_a_free_one(sandbox: Sandbox, tmp_path: Path) -> None:
    """Where the call names none."""
    desk = Desk(sandbox, tmp_path, concurrency={"reka": 1})

    async def main(engine: Engine) -> list[str]:
        async with await engine.ask(question()) as first, await engine.ask(question()) as second:
            return [first.account, second.account]

    assert desk.run(main) == ["alice", "bob"]


# ---------------------------------------------------------------- what is brought home


def file_desk(sandbox: Sandbox, home: Path, account: Account) -> Desk:
    """An account that rests in a file."""
    vault = FileVault(home / "accounts.json")
    vault.put(account)
    return Desk(sandbox, home, vault=vault)


def test_a_token_that_was_fetched_serves_the_next_process(sandbox: Sandbox, tmp_path: Path) -> None:
    """It rests beside the cookies, so that it is not fetched for each question."""
    desk = file_desk(sandbox, tmp_path, cookies("alice"))
    for _ in range(2):
        desk.run(answer)
    assert len(desk.sandbox.journal(service="reka", path="/bff/auth/access_token")) == 1
    kept = desk.vault.get("alice").credential
    assert (kept.token is not None, kept.cookies) == (True, cookies("alice").credential.cookies)


def test_an_expiring_session_is_prolonged_and_kept(sandbox: Sandbox, tmp_path: Path) -> None:
    """The service's newer cookie replaces the old one in the vault, with its newer end."""
    desk = file_desk(sandbox, tmp_path, cookies("alice", ends_at=time.time() + 3600.0))
    desk.run(lambda engine: engine.tried("reka", "alice"))
    kept = desk.vault.get("alice")
    assert kept.credential.cookies.keys() == {"appSession"}
    assert kept.credential.cookies != cookies("alice").credential.cookies
    assert kept.credential.ends_at == pytest.approx(time.time() + 3 * DAY_S, abs=60.0)
    assert kept.created_at == 1.0
    assert desk.run(answer) == "alice"


def test_a_newer_sign_in_of_the_person_is_not_overwritten(sandbox: Sandbox, tmp_path: Path) -> None:
    """Whoever signs in while a question runs has the last word."""
    desk = file_desk(sandbox, tmp_path, cookies("alice"))
    newer = Account(name="alice", provider="reka", credential=BearerToken(token=Secret("sandbox-bob")), created_at=2.0)

    async def main(engine: Engine) -> None:
        async with await engine.ask(question()) as turn:
            desk.vault.put(newer)
            await turn.reply()

    desk.run(main)
    assert desk.vault.get("alice") == newer


def test_tokens_are_renewed_while_a_quota_is_spent(desk: Desk) -> None:
    """What keeps an account alive costs no quota; a paused one is left alone."""
    tokens = "/bff/auth/access_token"

    def fetched() -> list[str | None]:
        return [entry.account for entry in desk.sandbox.journal(service="reka", path=tokens)]

    async def main(engine: Engine) -> None:
        await answer(engine, "bob")
        desk.limit(code=402, retry_after="86400")
        await failure(engine, "alice")
        await engine.refresh()
        assert fetched() == ["sandbox-bob", "sandbox-alice"]
        (_, bob) = desk.vault.entries()
        engine.register.change(bob, health.paused)
        desk.clock.advance(3600.0)
        await engine.refresh()
        assert isinstance(await failure(engine, "alice"), QuotaSpent)

    desk.run(main)
    assert fetched() == ["sandbox-bob", "sandbox-alice", "sandbox-alice"]


def test_keeping_fresh_goes_on_until_it_is_cancelled(desk: Desk) -> None:
    """A failure is met by the next question, not by the loop."""
    rounds: list[float] = []

    async def pause(seconds: float) -> None:
        rounds.append(seconds)
        desk.clock.advance(3600.0)
        if len(rounds) == 2:
            desk.sandbox.fault("reka", "status", code=500, path="/bff/auth/access_token")
        if len(rounds) == 4:
            raise asyncio.CancelledError

    async def main(engine: Engine) -> None:
        await answer(engine, "alice")
        with pytest.raises(asyncio.CancelledError):
            await engine.keep_fresh(sleep=pause)

    desk.run(main)
    assert len(rounds) == 4


def test_settings_say_how_many(tmp_path: Path) -> None:
    """One number an account, or a service."""
    (tmp_path / "config").mkdir()
    (tmp_path / "config" / "config.toml").write_text("[concurrency]\nreka = 2\nwork = 1\n")
    settings: Settings = load(environ={"POLYCHAT_HOME": str(tmp_path)})
    assert (settings.concurrency, settings.clocks) == ({"reka": 2, "work": 1}, Clocks())
