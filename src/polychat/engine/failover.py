"""One question, asked of one candidate after the other until somebody answers.

What comes next is decided by what the error says is to be done, never by its words:

    the caller changes something, or the service declined     nobody else is asked
    the account's trouble                                     the next account, then the next service
    the service's trouble                                     the next model or service; no other account of the same
    the connection's                                          the same, and after no connection at all the next service

Free before the first content, never after it: two answers are never glued. A question that may have done something
(tools, files that the service keeps, pictures, a conversation it keeps) is asked again only where nothing was done for
certain: no connection came about, or the service sent it away and said so. All attempts together have one budget of
number and time.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable, Collection, Sequence
from contextlib import suppress
from typing import TypeVar

from polychat.engine.flow import Flow
from polychat.engine.planning import Candidate
from polychat.engine.sections import Budget
from polychat.engine.turn import Turn
from polychat.errors import (
    AccountProblem,
    Attempt,
    ConfigError,
    ConnectFailed,
    IdleTimeout,
    NoAccount,
    PolychatError,
    RequestRejected,
    ServiceProblem,
)
from polychat.net.retry import retryable

log = logging.getLogger("polychat.engine")


T = TypeVar("T")


class Failover:
    """The attempts of one question. `binding`: asking twice may do something twice."""

    def __init__(self, candidates: Sequence[Candidate], budget: Budget, *, binding: bool) -> None:
        self._left = list(candidates)
        self._budget = budget
        self._binding = binding
        self._began = time.monotonic()
        self.failed: list[Attempt] = []

    @property
    def last(self) -> bool:
        """True when nobody is left after the one that is asked now."""
        return not self._left

    async def first(self, ask: Callable[[Candidate], Awaitable[T]]) -> T:
        """The first answer that begins. Raises: what the last of those asked said, with `attempts` of those before."""
        while True:
            candidate = self._left.pop(0)
            started = time.monotonic()
            try:
                return await self._hedged(ask, candidate)
            except PolychatError as error:
                if not self._goes_on(error, candidate):
                    error.attempts = tuple(self.failed)
                    raise
                self._note(candidate, error, time.monotonic() - started)

    def _note(self, candidate: Candidate, error: PolychatError, seconds: float) -> None:
        route = candidate.target.route
        self.failed.append(
            Attempt(
                provider=route.provider, model=route.model.id, account=candidate.entry.name,
                code=error.code, message=error.message, seconds=seconds,
            )
        )  # fmt: skip
        log.info("the next one is asked", extra={"provider": route.provider, "account": candidate.entry.name})

    def _goes_on(self, error: PolychatError, candidate: Candidate) -> bool:
        self._left = [other for other in self._left if not _same_trouble(error, candidate, other)]
        spent = time.monotonic() - self._began >= self._budget.time_s or len(self.failed) + 1 >= self._budget.attempts
        return bool(self._left) and not spent and may_go_on(error, binding=self._binding)

    # ------------------------------------------------------------ hedging

    async def _hedged(self, ask: Callable[[Candidate], Awaitable[T]], candidate: Candidate) -> T:
        """The answer of `candidate`, or of the next one where it is silent too long and hedging is on."""
        after_s = self._budget.hedge_after_s
        if after_s is None or self._binding or not self._left:
            return await ask(candidate)
        asked = {asyncio.ensure_future(ask(candidate)): candidate}
        (first,) = asked
        winner: asyncio.Future[T] | None = None
        try:
            done, _ = await asyncio.wait(asked, timeout=after_s)
            if not done and self._left:
                other = self._left.pop(0)
                asked[asyncio.ensure_future(ask(other))] = other
            winner = await _sooner(asked)
            return await (winner or first)
        finally:
            for one in asked:
                if one is not winner:
                    await _dropped(one)


async def _sooner(asked: Collection[asyncio.Future[T]]) -> asyncio.Future[T] | None:
    """The one that begins to answer first; None when all broke."""
    pending = set(asked)
    while pending:
        done, pending = await asyncio.wait(pending, return_when=asyncio.FIRST_COMPLETED)
        for one in done:
            if one.exception() is None:
                return one
    return None


async def _dropped(one: asyncio.Future[T]) -> None:
    """Hang up, whether it has begun or not."""
    one.cancel()
    with suppress(asyncio.CancelledError, PolychatError):
        begun = await one
        if isinstance(begun, Turn | Flow):
            await begun.aclose()


def may_go_on(error: PolychatError, *, binding: bool) -> bool:
    """Whether somebody else may be asked after `error`."""
    if error.after_content or isinstance(error, RequestRejected):
        return False
    if isinstance(error, ConfigError):
        return isinstance(error, NoAccount)
    if isinstance(error, IdleTimeout) and error.clock == "total":
        return False
    return not binding or isinstance(error, AccountProblem) or retryable(error, idempotent=False)


def _same_trouble(error: PolychatError, failed: Candidate, other: Candidate) -> bool:
    """Whether `other` would meet the same trouble."""
    if failed.info.name != other.info.name:
        return False
    if isinstance(error, ConnectFailed) or (isinstance(error, IdleTimeout) and error.clock == "connect"):
        return True
    ails = isinstance(error, ServiceProblem | IdleTimeout) and not _is_pool(error)
    return ails and failed.target.route.model.id == other.target.route.model.id


def _is_pool(error: PolychatError) -> bool:
    return isinstance(error, IdleTimeout) and error.clock == "pool"
