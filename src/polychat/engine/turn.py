"""One answer as it comes, for whoever asked."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Sequence
from typing import Self

from polychat.engine.routing import Route
from polychat.engine.stream import Running
from polychat.types import Event, Reply


class Turn:
    """One answer as it comes: an async iterator of batches that never ends without `Finish` or an error."""

    def __init__(self, batches: AsyncGenerator[Sequence[Event]], running: Running, chosen: Route, account: str) -> None:
        self.provider = chosen.provider
        self.model = chosen.model.id
        self.account = account
        self._running = running
        self._batches = batches
        self._first: Sequence[Event] | None = None

    async def start(self) -> None:
        """Wait for the first batch, so that what fails before any content is raised here."""
        self._first = await anext(self._batches)

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> Sequence[Event]:
        if self._first is not None:
            first, self._first = self._first, None
            return first
        return await anext(self._batches)

    @property
    def so_far(self) -> Reply:
        """What has come until now."""
        return self._running.fold.reply()

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
