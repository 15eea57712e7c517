"""engine/outcomes.py through a real engine: a service that keeps failing is left alone, then probed by one question."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from polychat.engine.engine import Engine
from polychat.errors import Unavailable
from polychat.testing.bench import soon

SMART = {"models": {"smart": {"targets": ["openai/gpt-4o-mini", "anthropic/claude-haiku-4-5-20251001"]}}}


async def fails(house: Any, engine: Engine, times: int = 5) -> None:
    """So many questions to OpenAI alone break."""
    for _ in range(times):
        assert isinstance(await house.failure(engine, house.openai), Unavailable)


def test_after_five_failures_nothing_is_sent(house: Any) -> None:
    """The refusal says for how long; a routed name goes elsewhere without an attempt."""
    house.status("openai", 500)

    async def main(engine: Engine) -> None:
        await fails(house, engine)
        error = await house.failure(engine, house.openai)
        assert error.message.startswith("openai failed 5 times in a row and is left alone for 5 s")
        assert error.retry_after_s == pytest.approx(5.0, abs=0.5)
        assert len(house.asked()) == 5
        turn, _ = await house.answer(engine, "smart")
        assert (turn.account, turn.attempts) == ("carol", ())

    house.run(main, **SMART)


def test_all_accounts_of_the_service_are_behind_one_circuit(house: Any) -> None:
    """The trouble is the service's, whoever met it."""
    house.status("openai", 500)

    async def main(engine: Engine) -> None:
        for account in ("alice", "bob", "alice", "bob", "alice"):
            await house.failure(engine, house.openai, account=account)
        assert (await house.failure(engine, house.openai, account="bob")).retry_after_s is not None
        assert len(house.asked()) == 5

    house.run(main)


def test_one_question_probes_and_its_answer_opens_the_way(house: Any) -> None:
    """While it is out the others are refused, or go elsewhere."""
    house.status("openai", 500, times=5)

    async def main(engine: Engine) -> None:
        await fails(house, engine)
        house.later(5.1)
        house.fault("openai", "slow_first_byte", delay_s=0.1, times=1)
        probe = asyncio.ensure_future(house.whom(engine, "smart"))
        assert await soon(lambda: len(house.asked()) == 6)
        refused = await house.failure(engine, house.openai)
        assert (refused.retry_after_s, await house.whom(engine, "smart")) == (5.0, "carol")
        assert await probe == "alice"
        assert await house.whom(engine, "smart") == "alice"

    house.run(main, **SMART)


def test_a_probe_that_fails_doubles_the_wait(house: Any) -> None:
    """And its question is answered elsewhere, where it may be."""
    house.status("openai", 500)

    async def main(engine: Engine) -> None:
        await fails(house, engine)
        house.later(5.1)
        turn, _ = await house.answer(engine, "smart")
        assert (turn.account, [one.code for one in turn.attempts]) == ("carol", ["unavailable"])
        assert (await house.failure(engine, house.openai)).retry_after_s == pytest.approx(10.0, abs=0.5)
        assert house.asked() == ["openai"] * 6 + ["anthropic"]

    house.run(main, **SMART)


def test_a_probe_that_is_left_lets_the_next_one_probe(house: Any) -> None:
    """Whether it was waiting or reading."""
    house.status("openai", 500, times=5)

    async def main(engine: Engine) -> None:
        await fails(house, engine)
        house.later(5.1)
        house.fault("openai", "slow_first_byte", delay_s=60.0, times=1)
        waiting = asyncio.ensure_future(engine.ask(house.question(house.openai)))
        assert await soon(lambda: len(house.asked()) == 6)
        waiting.cancel()
        await asyncio.wait([waiting])
        house.fault("openai", "stall", after=3, times=1)
        async with await engine.ask(house.question(house.openai)) as turn:
            await anext(turn)
        assert await house.whom(engine, house.openai) == "alice"

    house.run(main)


def test_questions_that_break_together_are_one_trouble(house: Any) -> None:
    """Twelve at once that fail leave the service alone for five seconds, not for a minute."""
    house.status("openai", 500)

    async def main(engine: Engine) -> None:
        await asyncio.gather(*(house.failure(engine, house.openai) for _ in range(12)))
        assert (await house.failure(engine, house.openai)).retry_after_s == pytest.approx(5.0, abs=0.5)

    house.run(main)


def test_two_engines_know_nothing_of_one_another(house: Any) -> None:
    """A circuit lives as long as its engine."""
    house.status("openai", 500, times=5)
    house.run(lambda engine: fails(house, engine))
    assert house.run(lambda engine: house.whom(engine, house.openai)) == "alice"
