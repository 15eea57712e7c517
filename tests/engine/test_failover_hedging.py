"""engine/failover.py where the next is asked while the first is silent: off unless it is set."""

from __future__ import annotations

import asyncio
import random
from typing import Any

import pytest

from polychat.engine.engine import Engine
from polychat.errors import BadRequest, PolychatError, RateLimited, Unavailable
from polychat.testing.bench import soon
from polychat.types import Finish, TextDelta, Title, Tool

FOREVER = 60.0
SMART = {"models": {"smart": {"targets": ["openai/gpt-4o-mini", "anthropic/claude-haiku-4-5-20251001"]}}}
OWN = {"models": {"own": {"targets": ["first/m", "second/m", "third/m"]}}}
ON = {"failover": {"hedge_after_s": 0.02}}


def says(words: str) -> list[Any]:
    """A whole answer."""
    return [TextDelta(text=words), Finish(reason="stop")]


def asked(house: Any) -> dict[str, tuple[int, int]]:
    """How often each service in place was asked, and left."""
    return {name: (service.asked, service.closed) for name, service in house.services.items()}


def test_unless_it_is_set_nobody_is_asked_beside_another(house: Any) -> None:
    """However long the first is silent."""
    house.people = ["alice", "carol"]
    house.fault("openai", "slow_first_byte", delay_s=0.2)
    turn, _ = house.run(lambda engine: house.answer(engine, "smart"), **SMART)
    assert (turn.account, house.asked()) == ("alice", ["openai"])


def test_a_silent_first_is_overtaken_and_hung_up_on(house: Any) -> None:
    """The sandbox sees it leave; the record is of the one that answered."""
    house.people = ["alice", "carol"]
    house.fault("openai", "slow_first_byte", delay_s=FOREVER)

    async def main(engine: Engine) -> Any:
        turn, _ = await house.answer(engine, "smart")
        assert await soon(lambda: [entry.ended for entry in house.journal()] == ["client left", "complete"])
        return turn

    turn = house.run(main, **SMART, **ON)
    assert (turn.account, turn.attempts, house.asked()) == ("carol", (), ["openai", "anthropic"])
    (record,) = house.book.records
    assert (record.provider, record.account, record.outcome) == ("anthropic", "carol", "ok")


def test_a_first_that_only_gives_notices_is_silent(house: Any) -> None:
    """What counts is content; and nothing of it comes through."""
    house.add("first", [Title(title="Mine")], FOREVER)
    house.add("second", [Title(title="Yours")], says("Second."))

    async def main(engine: Engine) -> Any:
        async with await engine.ask(house.question("own")) as turn:
            return [event async for batch in turn for event in batch if isinstance(event, Title)], turn.provider

    assert house.run(main, **OWN, **ON) == ([Title(title="Yours")], "second")
    assert asked(house) == {"first": (1, 1), "second": (1, 1)}


def test_the_last_one_has_to_give_content_too(house: Any) -> None:
    """A notice of the second does not win over the first, though nobody is left after it."""
    go = asyncio.Event()
    house.add("first", go, says("First."))
    house.add("second", [Title(title="Yours")], FOREVER)
    config = {"models": {"own": {"targets": ["first/m", "second/m"]}}}

    async def main(engine: Engine) -> str:
        asking = asyncio.ensure_future(house.answer(engine, "own"))
        assert await soon(lambda: house.services["second"].asked == 1)
        await asyncio.sleep(0.01)
        go.set()
        return (await asking)[0].provider

    assert house.run(main, **config, **ON) == "first"
    (record,) = house.book.records
    assert (record.provider, record.attempts) == ("first", 1)


def test_who_speaks_in_time_is_alone(house: Any) -> None:
    """Nobody else is asked; nor where it breaks in time, but then the next one."""
    house.add("first", says("First."))
    house.add("second", says("Second."))
    house.add("third", says("Third."))

    async def main(engine: Engine) -> list[str]:
        one = (await house.answer(engine, "own"))[1]
        house.services["first"].steps = (Unavailable("down"),)
        return [one, (await house.answer(engine, "own"))[1]]

    assert house.run(main, **OWN, failover={"hedge_after_s": 5}) == ["First.", "Second."]
    assert asked(house) == {"first": (2, 2), "second": (1, 1), "third": (0, 0)}


def test_of_two_at_once_the_preferred_answers(house: Any) -> None:
    """And the other is left."""
    go = asyncio.Event()
    house.add("first", go, says("First."))
    house.add("second", go, says("Second."))

    async def main(engine: Engine) -> str:
        asking = asyncio.ensure_future(house.answer(engine, "own"))
        assert await soon(lambda: house.services["second"].asked == 1)
        go.set()
        return (await asking)[1]

    assert house.run(main, **OWN, **ON) == "First."
    assert asked(house) == {"first": (1, 1), "second": (1, 1)}


@pytest.mark.parametrize("at_once", [True, False])
def test_when_both_break_the_next_is_asked_and_knows_of_both(house: Any, at_once: bool) -> None:
    """Each counts as an attempt."""
    first, second = asyncio.Event(), asyncio.Event()
    house.add("first", first, Unavailable("first down"))
    house.add("second", second, Unavailable("second down"))
    house.add("third", says("Third."))

    async def main(engine: Engine) -> Any:
        asking = asyncio.ensure_future(house.answer(engine, "own"))
        assert await soon(lambda: house.services["second"].asked == 1)
        second.set()
        if not at_once:
            assert await soon(lambda: house.services["second"].closed == 1)
        first.set()
        return (await asking)[0]

    turn = house.run(main, **OWN, **ON)
    assert {one.provider for one in turn.attempts} == {"first", "second"}
    assert turn.provider == "third"


def test_when_both_break_and_nobody_is_left_the_last_error_knows_of_the_other(house: Any) -> None:
    """Nothing is swallowed."""
    house.add("first", 0.1, Unavailable("first down"))
    house.add("second", Unavailable("second down"))
    config = {"models": {"own": {"targets": ["first/m", "second/m"]}}}
    error = house.run(lambda engine: house.failure(engine, "own"), **config, **ON)
    assert (error.provider, [one.provider for one in error.attempts]) == ("first", ["second"])


def test_when_both_break_at_once_and_nobody_is_left_none_is_lost(house: Any) -> None:
    """One is the error, the other its attempt before."""
    go = asyncio.Event()
    house.add("first", go, Unavailable("first down"))
    house.add("second", go, Unavailable("second down"))
    config = {"models": {"own": {"targets": ["first/m", "second/m"]}}}

    async def main(engine: Engine) -> PolychatError:
        asking = asyncio.ensure_future(house.failure(engine, "own"))
        assert await soon(lambda: house.services["second"].asked == 1)
        go.set()
        return await asking

    error = house.run(main, **config, **ON)
    assert (error.provider, [one.provider for one in error.attempts]) == ("second", ["first"])


def test_one_that_breaks_leaves_the_other_to_answer(house: Any) -> None:
    """Whichever it is, and without a third."""
    house.add("first", 0.06, says("First."))
    house.add("second", Unavailable("down"))
    third = house.add("third", says("Third."))
    turn, words = house.run(lambda engine: house.answer(engine, "own"), **OWN, **ON)
    assert (words, [one.provider for one in turn.attempts], third.asked) == ("First.", ["second"], 0)


def test_a_question_that_is_declined_is_declined_for_both(house: Any) -> None:
    """The other is hung up on, and nobody else is asked."""
    house.add("first", FOREVER)
    house.add("second", BadRequest("no"))
    house.add("third", says("Third."))
    error = house.run(lambda engine: house.failure(engine, "own"), **OWN, **ON)
    assert (error.code, error.provider) == ("bad_request", "second")
    assert asked(house) == {"first": (1, 1), "second": (1, 1), "third": (0, 0)}


def test_what_binds_is_never_asked_of_two(house: Any) -> None:
    """A question with tools waits for the first."""
    house.add("first", 0.06, says("First."))
    house.add("second", says("Second."))
    _, words = house.run(lambda engine: house.answer(engine, "own", tools=(Tool(name="t"),)), **OWN, **ON)
    assert (words, house.services["second"].asked) == ("First.", 0)


@pytest.mark.parametrize(("most", "expected"), [(1, [1, 0, 0]), (2, [1, 1, 0])])
def test_both_are_attempts_of_one_budget(house: Any, most: int, expected: list[int]) -> None:
    """One attempt asks nobody beside, two ask nobody after."""
    for name in ("first", "second", "third"):
        house.add(name, 0.05, Unavailable("down"))
    budget = {"failover": {"hedge_after_s": 0.02, "attempts": most}}
    house.run(lambda engine: house.failure(engine, "own"), **OWN, **budget)
    assert [service.asked for service in house.services.values()] == expected


# ---------------------------------------------------------------- leaving


def test_a_loser_that_makes_a_mistake_while_it_is_left_spoils_nothing(house: Any) -> None:
    """The winner answers, and is whole."""
    first = house.add("first", FOREVER)
    house.add("second", says("Second."))

    async def parting() -> None:
        raise ZeroDivisionError

    first.parting = parting
    assert house.run(lambda engine: house.answer(engine, "own"), **OWN, **ON)[1] == "Second."


def test_a_mistake_of_ours_in_one_leaves_both(house: Any) -> None:
    """It is raised, and the other is hung up on."""
    house.add("first", FOREVER)
    house.add("second", ZeroDivisionError("ours"))

    async def main(engine: Engine) -> None:
        with pytest.raises(ZeroDivisionError):
            await engine.ask(house.question("own"))

    house.run(main, **OWN, **ON)
    assert asked(house) == {"first": (1, 1), "second": (1, 1)}


def test_who_leaves_leaves_both(house: Any) -> None:
    """Both connections are closed."""
    house.people = ["alice", "carol"]
    for service in ("openai", "anthropic"):
        house.fault(service, "slow_first_byte", delay_s=FOREVER)

    async def main(engine: Engine) -> None:
        asking = asyncio.ensure_future(engine.ask(house.question("smart")))
        assert await soon(lambda: len(house.journal()) == 2)
        asking.cancel()
        with pytest.raises(asyncio.CancelledError):
            await asking
        assert await soon(lambda: [entry.ended for entry in house.journal()] == ["client left"] * 2)

    house.run(main, **SMART, **ON)
    assert [record.outcome for record in house.book.records] == ["cancelled"]


def test_who_leaves_while_the_loser_is_left_is_gone_all_the_same(house: Any) -> None:
    """The winner had begun, and is closed too; the leaving is not swallowed."""
    first = house.add("first", FOREVER)
    second = house.add("second", [TextDelta(text="Second.")], FOREVER)
    go = asyncio.Event()

    async def main(engine: Engine) -> None:
        first.parting = go.wait
        asking = asyncio.ensure_future(engine.ask(house.question("own")))
        assert await soon(lambda: first.closed == 1)  # the second has won, and the first takes its time
        asking.cancel()
        await asyncio.sleep(0)
        go.set()
        with pytest.raises(asyncio.CancelledError):
            await asking

    house.run(main, **OWN, **ON)
    assert (first.closed, second.closed) == (1, 1)


def test_a_call_beside_chat_is_hedged_alike(house: Any) -> None:
    """Vectors may be made twice; the second's count."""
    house.people = ["alice", "bob"]
    house.sandbox.fault("openai", "slow_first_byte", delay_s=FOREVER, path="/v1/embeddings", times=1)

    async def main(engine: Engine) -> str:
        made = await engine.calls.embed("openai/text-embedding-3-small", ["a"])
        return made.account

    assert house.run(main, **ON) == "bob"
    assert [(record.account, record.outcome) for record in house.book.records] == [("bob", "ok")]


def test_no_error_is_lost_on_the_way(house: Any) -> None:
    """With hedging on and one candidate it is as without."""
    house.add("only", Unavailable("down"))

    async def main(engine: Engine) -> PolychatError:
        return await house.failure(engine, "only/m")

    error = house.run(main, **ON)
    assert (error.code, error.attempts) == ("unavailable", ())


@pytest.mark.parametrize("seed", range(5))
def test_whatever_happens_at_once_nothing_stays_behind(house: Any, seed: int) -> None:
    """Forty questions that answer, break, are overtaken or left: every place comes back, and every service is left."""
    lots = random.Random(seed)
    ends = [says("Done."), Unavailable("down"), RateLimited("later", retry_after_s=0.0), BadRequest("no")]
    for name in ("first", "second", "third"):
        house.add(name, 0.002, [Title(title="T")], 0.002, ends[0], concurrency=8)

    async def one(engine: Engine) -> str:
        for service in house.services.values():
            service.steps = (lots.random() / 100, [Title(title="T")], lots.random() / 100, lots.choice(ends))
        try:
            async with asyncio.timeout(lots.random() / 20):
                return (await house.answer(engine, "own"))[1]
        except (PolychatError, TimeoutError) as error:
            return type(error).__name__

    async def main(engine: Engine) -> set[str]:
        return set(await asyncio.gather(*(one(engine) for _ in range(40))))

    budget = {"failover": {"hedge_after_s": 0.004}}
    assert house.run(main, **OWN, **budget) <= {"Done.", "TimeoutError", *(type(end).__name__ for end in ends[1:])}
    assert [service.asked for service in house.services.values()] == [
        service.closed for service in house.services.values()
    ]
    assert len(house.book.records) == 40
