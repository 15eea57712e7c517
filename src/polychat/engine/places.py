"""How many questions each account answers at once, and the waiting for a free place."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping

from polychat.errors import IdleTimeout
from polychat.providers.base import Info
from polychat.vault.base import Entry


class _Room:
    """The places of one account."""

    __slots__ = ("free", "limit", "running")

    def __init__(self, limit: int) -> None:
        self.limit = limit
        self.running = 0
        self.free = asyncio.Semaphore(limit)


class Places:
    """The places of all accounts of one engine.

    `concurrency` says how many questions an account, or each account of a provider, is asked at once.
    """

    def __init__(self, concurrency: Mapping[str, int]) -> None:
        self.concurrency = concurrency
        self._rooms: dict[str, _Room] = {}

    def is_full(self, entry: Entry) -> bool:
        """True when a question has to wait."""
        room = self._rooms.get(entry.name)
        return room is not None and room.free.locked()

    def running(self, entry: Entry) -> int:
        """How many questions the account answers now."""
        room = self._rooms.get(entry.name)
        return 0 if room is None else room.running

    def taken(self) -> int:
        """How many places are taken in all."""
        return sum(room.running for room in self._rooms.values())

    def share(self, info: Info, entry: Entry) -> float:
        """The part of its places that is taken: 0 idle, 1 full."""
        return self.running(entry) / self._limit(info, entry)

    async def take(self, info: Info, entry: Entry, wait_s: float | None, left_s: float | None = None) -> None:
        """A place at the account; waits at most `wait_s` for it, and no longer than `left_s` of the whole request.

        Raises: `IdleTimeout` when none became free.
        """
        room = self._rooms.get(entry.name)
        if room is None:
            room = self._rooms[entry.name] = _Room(self._limit(info, entry))
        if room.free.locked():
            if left_s is not None and (wait_s is None or left_s <= wait_s):
                await self._wait(room, entry, left_s, "total")
            else:
                await self._wait(room, entry, wait_s, "pool")
        else:  # a clock costs more than the place
            await room.free.acquire()
        room.running += 1

    def give_back(self, entry: Entry) -> None:
        """The question has ended."""
        room = self._rooms[entry.name]
        room.running -= 1
        room.free.release()

    def _limit(self, info: Info, entry: Entry) -> int:
        return self.concurrency.get(entry.name, self.concurrency.get(info.name, info.concurrency))

    @staticmethod
    async def _wait(room: _Room, entry: Entry, wait_s: float | None, clock: str) -> None:
        try:
            async with asyncio.timeout(wait_s):
                await room.free.acquire()
        except TimeoutError as error:
            raise IdleTimeout(
                f"the {entry.provider} account {entry.name!r} was busy with other questions for {wait_s:.0f} s",
                clock=clock,
                hint=f"close streams that are not read to their end, or raise clocks.{clock}_s",
                provider=entry.provider,
                account=entry.name,
            ) from error
