"""engine/flow.py: pieces as they come, from whom, and no longer than was allowed."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator

import pytest

from polychat.engine.flow import Flow
from polychat.engine.routing import Route
from polychat.errors import IdleTimeout, Unavailable
from polychat.providers.base import Model

CHOSEN = Route(provider="p", model=Model(id="m"))


class Source:
    """Gives pieces, then fails, stalls or ends; knows whether it was closed."""

    def __init__(self, *pieces: str, then: Exception | None = None, stall: bool = False) -> None:
        self.given, self.then, self.stall, self.closed = pieces, then, stall, False

    async def pieces(self) -> AsyncGenerator[str]:
        try:
            for piece in self.given:
                yield piece
            if self.then:
                raise self.then
            if self.stall:
                await asyncio.Event().wait()
        finally:
            self.closed = True


def flow(source: Source, limit_s: float | None = None) -> Flow[str]:
    """The flow of a source."""
    return Flow(source.pieces(), CHOSEN, "me", limit_s)


def test_pieces_come_in_order_and_the_first_is_waited_for() -> None:
    """And who gives them is told."""

    async def main() -> tuple[list[str], tuple[str, str, str]]:
        async with flow(Source("a", "b", "c")) as running:
            await running.start()
            return [piece async for piece in running], (running.provider, running.model, running.account)

    assert asyncio.run(main()) == (["a", "b", "c"], ("p", "m", "me"))


def test_what_fails_first_is_raised_at_the_start() -> None:
    """As it is."""

    async def main() -> None:
        await flow(Source(then=Unavailable("down"))).start()

    with pytest.raises(Unavailable, match="down"):
        asyncio.run(main())


def test_leaving_closes_the_source() -> None:
    """Also when a piece was waiting, which nobody gets any more."""
    source = Source("a", "b")

    async def main() -> list[str]:
        running = flow(source)
        await running.start()
        await running.aclose()
        return [piece async for piece in running]

    assert (asyncio.run(main()), source.closed) == ([], True)


def test_the_end_of_the_block_closes_the_source() -> None:
    """At once, while the flow is still held."""
    source = Source("a", "b")

    async def main() -> tuple[str, bool]:
        async with flow(source) as running:
            await running.start()
        return running.provider, source.closed

    assert asyncio.run(main()) == ("p", True)


@pytest.mark.parametrize("pieces", [(), ("a", "b")])
def test_the_limit_is_for_all_pieces_together(pieces: tuple[str, ...]) -> None:
    """Before the first and after the last that came in time; the source is closed then."""
    source = Source(*pieces, stall=True)
    came: list[str] = []

    async def main() -> None:
        async with flow(source, limit_s=0.05) as running:
            while True:
                came.append(await anext(running))

    with pytest.raises(IdleTimeout) as caught:
        asyncio.run(main())
    assert (tuple(came), source.closed) == (pieces, True)
    assert (caught.value.message, caught.value.clock) == ("p was not done within 0.05 s", "total")
    assert (caught.value.provider, caught.value.account) == ("p", "me")
    assert caught.value.hint == "give it more time: timeout, or clocks.total_s"
