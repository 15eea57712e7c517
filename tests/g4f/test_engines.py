"""Engines are kept for their callers, bounded, and never closed under a guest."""

from __future__ import annotations

import asyncio
import gc
import weakref
from pathlib import Path

import pytest

from polychat.engine.engine import Engine
from polychat.g4f import engines
from polychat.g4f.callers import Caller, caller
from polychat.g4f.engines import KEPT, Engines
from polychat.g4f.questions import question
from polychat.sandbox.server import Sandbox


def keyed(number: int) -> Caller:
    """One of many callers."""
    return caller("reka", api_key=f"key-{number}", proxy=None)


async def lent(kept: Engines, number: int) -> Engine:
    """The engine that caller gets."""
    async with kept.lent(keyed(number)) as engine:
        return engine


def test_equal_callers_share_an_engine_and_others_do_not(home: Path) -> None:
    """The engine, and with it the token, is kept between calls, for one account alone."""

    async def main() -> None:
        kept = Engines()
        assert await lent(kept, 1) is await lent(kept, 1)
        assert await lent(kept, 1) is not await lent(kept, 2)
        await kept.aclose()

    asyncio.run(main())


def test_the_least_recently_used_engine_goes_first(home: Path) -> None:
    """Beyond the bound an engine that nobody uses is let go, and one that is lent or was just used is not."""

    async def main() -> None:
        kept = Engines()
        async with kept.lent(keyed(0)) as busy:
            first, second = await lent(kept, 1), await lent(kept, 2)
            for number in range(3, KEPT):
                await lent(kept, number)
            assert await lent(kept, 1) is first
            await lent(kept, KEPT)
            assert await lent(kept, 1) is first
            assert await lent(kept, 2) is not second
            assert await lent(kept, 0) is busy
        await kept.aclose()

    asyncio.run(main())


@pytest.mark.parametrize("whole", [True, False])
def test_an_answer_gives_its_engine_back(reka: Sandbox, whole: bool) -> None:
    """Once read, or left early, an answer no longer keeps its engine from being let go."""

    async def main() -> None:
        kept = Engines()
        asked = question(
            "reka-core", [{"role": "user", "content": "Hello"}], True, provider="reka", api_key="your_api_key"
        )
        answer = await engines.ask(asked, kept)
        async with kept.lent(asked.caller) as engine:
            pass
        if whole:
            assert "Hello" in (await answer.reply()).text
        else:
            async with answer:
                pass
        for number in range(KEPT):
            await lent(kept, number)
        async with kept.lent(asked.caller) as another:
            assert another is not engine
        await kept.aclose()

    asyncio.run(main())


def test_each_loop_has_its_own_engines(home: Path) -> None:
    """Within a loop they are the same; the next loop finds new ones, and nothing of the old one is held."""

    async def main() -> tuple[Engines, weakref.ref[asyncio.AbstractEventLoop]]:
        assert await engines.here() is await engines.here()
        return await engines.here(), weakref.ref(asyncio.get_running_loop())

    first, loop = asyncio.run(main())
    gc.collect()
    assert loop() is None
    assert asyncio.run(main())[0] is not first


def test_a_loop_that_was_closed_carelessly_is_forgotten(home: Path) -> None:
    """Also where a loop ends without closing its generators, the next one lets it go."""
    careless = asyncio.new_event_loop()
    careless.run_until_complete(engines.here())
    careless.close()
    loop = weakref.ref(careless)
    del careless

    async def main() -> None:
        await engines.here()

    asyncio.run(main())
    gc.collect()
    assert loop() is None
