"""One answer as it comes, for whoever asked."""

from __future__ import annotations

from collections import deque
from collections.abc import AsyncGenerator, Sequence
from typing import Self

from polychat.engine.routing import Route
from polychat.engine.stream import Running
from polychat.errors import Attempt
from polychat.types import CONTENT, Event, Finish, Reply


class Turn:
    """One answer as it comes: an async iterator of batches that never ends without `Finish` or an error."""

    def __init__(self, batches: AsyncGenerator[Sequence[Event]], running: Running, chosen: Route, account: str) -> None:
        self.provider = chosen.provider
        self.model = chosen.model.id
        self.account = account
        self.attempts: tuple[Attempt, ...] = ()  # those who were asked before, and came to nothing
        self.running = running
        self._batches = batches
        self._first: deque[Sequence[Event]] = deque()

    async def start(self, *, until_content: bool) -> None:
        """Wait for the first batch, or for the first content, so that what fails before it is raised here."""
        batch = await anext(self._batches)
        self._first.append(batch)
        while until_content and not any(isinstance(event, (*CONTENT, Finish)) for event in batch):
            batch = await anext(self._batches)
            self._first.append(batch)

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> Sequence[Event]:
        return self._first.popleft() if self._first else await anext(self._batches)

    @property
    def so_far(self) -> Reply:
        """What has come until now."""
        return self.running.fold.reply()

    async def reply(self) -> Reply:
        """The whole answer. Raises what breaks it; the error's `partial` holds what came."""
        async with self:
            async for _ in self:
                pass
        return self.so_far

    async def aclose(self) -> None:
        """Stop: the call to the service is closed at once."""
        await self._batches.aclose()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *exc_info: object) -> None:
        await self.aclose()
