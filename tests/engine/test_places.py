"""engine/places.py: how many questions an account answers at once."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

import pytest

from polychat.credentials import SignIn
from polychat.engine.places import Places
from polychat.errors import IdleTimeout
from polychat.providers.base import Info, Model
from polychat.vault.base import Entry

INFO = Info(
    name="alpha", label="Alpha", hosts={}, accepts=("api_key",), models=(Model(id="m"),), default_model="m",
    capabilities=frozenset({"text"}), sign_in=SignIn(url=""), concurrency=4,
)  # fmt: skip
ALICE, BOB = (
    Entry(name=name, provider="alpha", kind="api_key", created_at=None, source="memory") for name in ("alice", "bob")
)


def run(do: Callable[[], Awaitable[None]]) -> None:
    """In a loop of its own."""

    async def main() -> None:
        await do()

    asyncio.run(main())


@pytest.mark.parametrize(
    ("concurrency", "alice", "bob"),
    [({}, 0.25, 0.25), ({"alpha": 2}, 0.5, 0.5), ({"alpha": 2, "alice": 1}, 1.0, 0.5), ({"beta": 1}, 0.25, 0.25)],
)
def test_the_nearest_word_says_how_many(concurrency: dict[str, int], alice: float, bob: float) -> None:
    """The account's own, the provider's, the service's usual number."""

    async def main() -> None:
        places = Places(concurrency)
        for entry in (ALICE, BOB):
            assert (places.share(INFO, entry), places.running(entry), places.is_full(entry)) == (0.0, 0, False)
            await places.take(INFO, entry, 0.0)
        assert (places.share(INFO, ALICE), places.share(INFO, BOB)) == (alice, bob)
        assert places.is_full(ALICE) is (alice == 1.0)

    run(main)


def test_who_waits_gets_the_place_that_becomes_free() -> None:
    """In the order of waiting; nobody else's place counts."""

    async def main() -> None:
        places, order = Places({"alpha": 1}), []

        async def one(name: str) -> None:
            await places.take(INFO, ALICE, 5.0)
            order.append(name)
            places.give_back(ALICE)

        await places.take(INFO, ALICE, 0.0)
        waiting = [asyncio.create_task(one(name)) for name in "abc"]
        await asyncio.sleep(0)
        assert (order, places.running(ALICE), places.is_full(BOB)) == ([], 1, False)
        places.give_back(ALICE)
        await asyncio.gather(*waiting)
        assert (order, places.running(ALICE), places.is_full(ALICE)) == (["a", "b", "c"], 0, False)

    run(main)


@pytest.mark.parametrize(
    ("wait_s", "left_s", "clock"),
    [(0.01, None, "pool"), (0.01, 5.0, "pool"), (5.0, 0.01, "total"), (None, 0.01, "total"), (0.0, None, "pool")],
)
def test_the_clock_that_runs_out_first_ends_the_wait(wait_s: float | None, left_s: float | None, clock: str) -> None:
    """That of places, or what is left of that of the whole request; nothing is taken then."""

    async def main() -> None:
        places = Places({"alpha": 1})
        await places.take(INFO, ALICE, 0.0)
        with pytest.raises(IdleTimeout) as caught:
            await places.take(INFO, ALICE, wait_s, left_s)
        assert (caught.value.clock, caught.value.account, caught.value.provider) == (clock, "alice", "alpha")
        assert (caught.value.hint or "").endswith(f"or raise clocks.{clock}_s")
        places.give_back(ALICE)
        await places.take(INFO, ALICE, 0.0)
        assert places.running(ALICE) == 1

    run(main)


def test_a_free_place_is_had_without_any_time() -> None:
    """No clock is looked at."""

    async def main() -> None:
        places = Places({})
        await places.take(INFO, ALICE, 0.0, 0.0)
        assert places.running(ALICE) == 1

    run(main)


def test_who_leaves_the_queue_takes_nothing() -> None:
    """Whoever is cancelled while waiting, the next gets the place."""

    async def main() -> None:
        places = Places({"alpha": 1})
        await places.take(INFO, ALICE, 0.0)
        first, second = (asyncio.create_task(places.take(INFO, ALICE, None)) for _ in range(2))
        await asyncio.sleep(0)
        places.give_back(ALICE)
        first.cancel()
        await second
        assert (first.cancelled(), places.running(ALICE)) == (True, 1)
        places.give_back(ALICE)
        assert (places.running(ALICE), places.is_full(ALICE)) == (0, False)

    run(main)
