"""engine/failover.py: what one question may cost, whoever answers it in the end."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from polychat.engine.engine import Engine
from polychat.errors import IdleTimeout, PolychatError, Unavailable
from polychat.types import Finish, TextDelta

DONE = [TextDelta(text="Done."), Finish(reason="stop")]


def attempts(said: Any) -> list[tuple[str, str]]:
    """Who was asked before, and what it came to."""
    return [(one.account, one.code) for one in said.attempts]


@pytest.mark.parametrize("most", [1, 2, 3])
def test_no_more_attempts_than_the_budget_allows(house: Any, most: int) -> None:
    """The last error is raised then."""
    for name in "abcd":
        house.add(name, Unavailable(f"{name} is down"))
    config = {"models": {"smart": {"targets": ["a/m", "b/m", "c/m", "d/m"]}}, "failover": {"attempts": most}}
    error = house.run(lambda engine: house.failure(engine, "smart"), **config)
    assert error.message.startswith(f"{'abcd'[most - 1]} is down")
    assert [service.asked for service in house.services.values()] == [1] * most + [0] * (4 - most)


def test_after_its_time_nobody_else_is_asked(house: Any) -> None:
    """However many are left."""
    house.add("slow", 0.06, Unavailable("down at last"))
    other = house.add("other", DONE)
    config = {"models": {"smart": {"targets": ["slow/m", "other/m"]}}, "failover": {"time_s": 0.05}}
    error = house.run(lambda engine: house.failure(engine, "smart"), **config)
    assert (error.code, other.asked) == ("unavailable", 0)


def test_one_clock_runs_over_all_attempts(house: Any) -> None:
    """The second gets what the first left of it; when it is out nobody else is asked."""
    house.add("slow", 0.1, Unavailable("down"))
    second = house.add("second", 30.0, DONE)
    third = house.add("third", DONE)
    config = {"models": {"smart": {"targets": ["slow/m", "second/m", "third/m"]}}}

    async def main(engine: Engine) -> tuple[PolychatError, float]:
        began = asyncio.get_running_loop().time()
        error = await house.failure(engine, "smart", waits={"total_s": 0.2})
        return error, asyncio.get_running_loop().time() - began

    error, seconds = house.run(main, **config)
    assert isinstance(error, IdleTimeout)
    assert (error.clock, error.provider, attempts(error)) == ("total", "second", [("anyone@slow", "unavailable")])
    assert error.message == "second was not done within 0.2 s"
    assert (second.closed, third.asked) == (1, 0)
    assert 0.19 < seconds < 0.29


def test_waiting_for_a_place_is_part_of_the_whole(house: Any) -> None:
    """The clock of places is long, that of the request short."""
    house.people = ["alice"]

    async def main(engine: Engine) -> PolychatError:
        async with await engine.ask(house.question(house.openai)):
            return await house.failure(engine, house.openai, waits={"total_s": 0.05})

    house.fault("openai", "stall", after=3)
    error = house.run(main, concurrency={"alice": 1})
    assert (error.code, error.clock, len(house.asked())) == ("idle_timeout", "total", 1)
