"""engine/turn.py: leaving an answer, whenever, hangs up on the service."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from polychat.engine.engine import Engine
from polychat.types import Finish, TextDelta

AT_MOST_S = 1.0  # until the service sees that it was left; a busy machine is no fault


async def gone(house: Any) -> float:
    """Seconds until the sandbox says that the client left."""
    clock = asyncio.get_running_loop().time
    since = clock()
    while [entry.ended for entry in house.journal()] != ["client left"]:
        assert clock() - since < AT_MOST_S
        await asyncio.sleep(0.005)
    return clock() - since


async def cancelled(task: asyncio.Task[Any]) -> None:
    """Cancel it, and see it go."""
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task


@pytest.mark.parametrize("model", ["openai", "anthropic", "reka"])
def test_who_stops_waiting_for_an_answer_hangs_up(house: Any, model: str) -> None:
    """The question is out, and nothing has come yet."""
    house.fault(model, "slow_first_byte", delay_s=60.0)

    async def main(engine: Engine) -> None:
        asking = asyncio.ensure_future(engine.ask(house.question(getattr(house, model))))
        while not house.journal():
            await asyncio.sleep(0.005)
        await cancelled(asking)
        assert await gone(house) < AT_MOST_S

    house.run(main)
    assert [record.outcome for record in house.book.records] == ["cancelled"]


@pytest.mark.parametrize("model", ["openai", "anthropic", "reka"])
def test_who_stops_reading_hangs_up(house: Any, model: str) -> None:
    """In the middle of an answer."""
    house.fault(model, "stall", after=4)
    house.sandbox.script(model, chunks=["One ", "two ", "three ", "four ", "five ", "six "])
    began = asyncio.Event()

    async def reading(engine: Engine) -> None:
        async with await engine.ask(house.question(getattr(house, model))) as turn:
            async for _ in turn:
                began.set()

    async def main(engine: Engine) -> None:
        task = asyncio.ensure_future(reading(engine))
        await began.wait()
        await asyncio.sleep(0)
        await cancelled(task)
        assert await gone(house) < AT_MOST_S

    house.run(main)
    assert [record.outcome for record in house.book.records] == ["cancelled"]


async def _closes(turn: Any) -> None:
    await turn.aclose()


async def _leaves(turn: Any) -> None:
    async with turn:
        pass


@pytest.mark.parametrize("leave", [_closes, _leaves])
def test_who_closes_hangs_up(house: Any, leave: Callable[[Any], Awaitable[None]]) -> None:
    """Twice is once; what had come stays."""
    house.fault("openai", "stall", after=4)
    house.sandbox.script("openai", chunks=["One ", "two ", "three ", "four "])

    async def main(engine: Engine) -> str:
        turn = await engine.ask(house.question(house.openai))
        await leave(turn)
        await leave(turn)
        assert await gone(house) < AT_MOST_S
        return turn.so_far.text

    said = house.run(main)
    assert said.startswith("One ")
    assert "One two three four ".startswith(said)


def test_a_pause_in_the_waiting_for_a_place_takes_none(house: Any) -> None:
    """Who leaves the queue was never asked, and the next gets the place."""
    house.people = ["alice"]
    house.fault("openai", "stall", after=4, times=1)

    async def main(engine: Engine) -> str:
        async with await engine.ask(house.question(house.openai)):
            waiting = asyncio.ensure_future(engine.ask(house.question(house.openai)))
            await asyncio.sleep(0.01)
            await cancelled(waiting)
        return await house.whom(engine, house.openai)

    assert house.run(main, concurrency={"alice": 1}) == "alice"
    assert len(house.asked()) == 2


def test_a_turn_knows_who_answers_and_what_has_come(house: Any) -> None:
    """From its first batch on."""
    house.add("own", [TextDelta(text="A")], [TextDelta(text="B"), Finish(reason="stop")])

    async def main(engine: Engine) -> None:
        turn = await engine.ask(house.question("own/m"))
        assert (turn.provider, turn.model, turn.account, turn.attempts) == ("own", "m", "anyone@own", ())
        assert turn.so_far.text == "A"
        assert (await turn.reply()).text == "AB"
        with pytest.raises(StopAsyncIteration):
            await anext(turn)

    house.run(main)


def test_what_cannot_be_begun_gives_everything_back(house: Any) -> None:
    """A service whose `chat` breaks before it is a stream at all."""
    service = house.add("own")

    def chat(session: Any, request: Any) -> Any:
        raise ZeroDivisionError

    service.chat = chat

    async def main(engine: Engine) -> None:
        for _ in range(2):
            with pytest.raises(ZeroDivisionError):
                await engine.ask(house.question("own/m"))

    house.run(main, concurrency={"own": 1}, clocks={"pool_s": 0.05})
