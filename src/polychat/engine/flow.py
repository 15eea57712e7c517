"""What a call brings piece by piece, sound or words, for whoever asked."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from typing import Generic, Self, TypeVar

from polychat.engine.routing import Route
from polychat.errors import IdleTimeout

T = TypeVar("T")


class Flow(Generic[T]):
    """The pieces as they come. Best inside `async with`, so that leaving early hangs up.

    `limit_s` is for all of them together, from now on, or until `deadline` of the event loop's clock where the limit
    began to run earlier; None sets no limit.
    """

    def __init__(
        self,
        pieces: AsyncGenerator[T],
        chosen: Route,
        account: str,
        limit_s: float | None,
        deadline: float | None = None,
    ) -> None:
        self.provider = chosen.provider
        self.model = chosen.model.id
        self.account = account
        self._pieces = pieces
        self._first: list[T] = []
        self._limit_s = limit_s
        if deadline is None and limit_s is not None:
            deadline = asyncio.get_running_loop().time() + limit_s
        self._deadline = deadline

    async def start(self) -> None:
        """Wait for the first piece, so that what fails before it is raised here."""
        self._first.append(await self._next())

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> T:
        return self._first.pop() if self._first else await self._next()

    async def _next(self) -> T:
        try:
            async with asyncio.timeout_at(self._deadline):
                return await anext(self._pieces)
        except TimeoutError as error:
            raise late(self.provider, self.account, self._limit_s) from error

    async def aclose(self) -> None:
        """Stop: the call to the service is closed at once."""
        self._first.clear()
        await self._pieces.aclose()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *exc_info: object) -> None:
        await self.aclose()


def late(provider: str, account: str | None, limit_s: float | None) -> IdleTimeout:
    """The whole call took too long."""
    return IdleTimeout(
        f"{provider} was not done within {limit_s or 0:g} s",
        clock="total",
        hint="give it more time: timeout, or clocks.total_s",
        provider=provider,
        account=account,
    )
