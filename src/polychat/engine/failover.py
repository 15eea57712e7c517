"""One question, asked of one candidate after the other until somebody answers.

What comes next is decided by what the error says is to be done, never by its words:

    the caller changes something, or the service declined     nobody else is asked
    the service has no such model, or no account is there     the next model
    the account's trouble                                     the next account, then the next service
    the service's trouble                                     the next model or service; no other account of the same
    silence, or no connection at all                          the same; without a connection the next service
    a line that was cut, no free place                        the next account, then the next service

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
from typing import NamedTuple, TypeVar

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
    UnknownModel,
)
from polychat.net.retry import NO_LIMITS, ONCE, RetryPolicy, retryable

log = logging.getLogger("polychat.engine")

T = TypeVar("T")


class _Asked(NamedTuple):
    candidate: Candidate
    since: float  # of a clock that runs evenly


class Failover:
    """The attempts of one question. `binds` says whether asking that candidate may do something that lasts."""

    def __init__(self, candidates: Sequence[Candidate], budget: Budget, *, binds: Callable[[Candidate], bool]) -> None:
        self._left = list(candidates)
        self._budget = budget
        self._binds = binds
        self._began = time.monotonic()
        self._asked = 0
        self._racing = False
        self.failed: list[Attempt] = []
        self.answering: Candidate | None = None  # whose answer it is, where more than one was asked at once

    @property
    def last(self) -> bool:
        """True when nobody is asked after, or beside, the one that is asked now."""
        return not self._racing and not self._may_ask

    def repeating(self, candidate: Candidate) -> RetryPolicy | None:
        """How the candidate is asked again itself: never where another model or service is left to be asked, not after
        a rate limit where another account is; None: as usual."""
        if self.last:
            return None
        route = candidate.target.route
        same = (route.provider, route.model.id)
        others = ((other.target.route.provider, other.target.route.model.id) for other in self._left)
        return ONCE if self._racing or any(other != same for other in others) else NO_LIMITS

    @property
    def _may_ask(self) -> bool:
        """Whether somebody is left, and something of the budget."""
        if not self._left:
            return False
        return self._asked < self._budget.attempts and time.monotonic() - self._began < self._budget.time_s

    async def first(self, ask: Callable[[Candidate], Awaitable[T]]) -> T:
        """The first answer that begins. Raises: what the last of those asked said, with `attempts` of those before."""
        while True:
            one = self._next()
            if self._hedges(one):
                if winner := await self._raced(ask, one):
                    return winner.result()
                continue
            try:
                return await ask(one.candidate)
            except PolychatError as error:
                self._broke(error, one)

    def _next(self) -> _Asked:
        self._asked += 1
        return _Asked(self._left.pop(0), time.monotonic())

    def _broke(self, error: PolychatError, one: _Asked, *, others: bool = False) -> None:
        """Note it. Raises: `error` itself where nobody else is to be asked, and no `others` are."""
        self._left = [other for other in self._left if not _same_trouble(error, one.candidate, other)]
        if not may_go_on(error, binding=self._binds(one.candidate)) or not (others or self._may_ask):
            error.attempts = tuple(self.failed)
            raise error
        route = one.candidate.target.route
        self.failed.append(
            Attempt(
                provider=route.provider, model=route.model.id, account=one.candidate.entry.name,
                code=error.code, message=error.message, seconds=time.monotonic() - one.since,
            )
        )  # fmt: skip
        log.info("the next one is asked", extra={"provider": route.provider, "account": one.candidate.entry.name})

    # ------------------------------------------------------------ hedging

    def _hedges(self, one: _Asked) -> bool:
        """Whether the next may be asked while this one is silent."""
        if self._budget.hedge_after_s is None or not self._may_ask:
            return False
        return not self._binds(one.candidate) and not self._binds(self._left[0])

    async def _raced(self, ask: Callable[[Candidate], Awaitable[T]], one: _Asked) -> asyncio.Task[T] | None:
        """That one's answer, or the next one's where it is silent too long; None where they broke and others are left.

        However this is left, the others are hung up on.
        """
        race: dict[asyncio.Task[T], _Asked] = {_begun(ask, one): one}
        self._racing = True
        try:
            winner = await self._winner(ask, race)
            await _dropped([task for task in race if task is not winner])
        except BaseException:
            await _dropped(race)
            raise
        finally:
            self._racing = False
        self.answering = race[winner].candidate if winner else None
        return winner

    async def _winner(
        self, ask: Callable[[Candidate], Awaitable[T]], race: dict[asyncio.Task[T], _Asked]
    ) -> asyncio.Task[T] | None:
        """The first of the race that begins to answer, of two at once the preferred. `race` grows by the second."""
        silence_s = self._budget.hedge_after_s
        pending = set(race)
        while pending:
            done, pending = await asyncio.wait(pending, timeout=silence_s, return_when=asyncio.FIRST_COMPLETED)
            if not done and self._may_ask:
                other = self._next()
                race[task := _begun(ask, other)] = other
                pending.add(task)
            silence_s = None
            if winner := self._best(done, race, others=bool(pending)):
                return winner
        return None

    def _best(
        self, done: set[asyncio.Task[T]], race: dict[asyncio.Task[T], _Asked], *, others: bool
    ) -> asyncio.Task[T] | None:
        ended = [task for task in race if task in done]
        for task in ended:
            if task.exception() is None:
                return task
        for task in ended:
            error = task.exception()
            if not isinstance(error, PolychatError):
                task.result()  # a mistake of ours
            else:
                self._broke(error, race[task], others=others or task is not ended[-1])
        return None


def _begun(ask: Callable[[Candidate], Awaitable[T]], one: _Asked) -> asyncio.Task[T]:
    async def asking() -> T:
        return await ask(one.candidate)

    return asyncio.create_task(asking())


async def _dropped(race: Collection[asyncio.Task[T]]) -> None:
    """Hang up, whether they have begun or not."""
    for task in race:
        task.cancel()
    if race:
        await asyncio.wait(race)
    for task in race:
        if not task.cancelled() and task.exception() is None and isinstance(begun := task.result(), Turn | Flow):
            with suppress(PolychatError):
                await begun.aclose()


def may_go_on(error: PolychatError, *, binding: bool) -> bool:
    """Whether somebody else may be asked after `error`."""
    if error.after_content or isinstance(error, RequestRejected):
        return False
    if isinstance(error, ConfigError):
        return isinstance(error, NoAccount | UnknownModel)
    if isinstance(error, IdleTimeout) and error.clock == "total":
        return False
    return not binding or isinstance(error, AccountProblem) or retryable(error, idempotent=False)


def _same_trouble(error: PolychatError, failed: Candidate, other: Candidate) -> bool:
    """Whether `other` would meet the same trouble."""
    if failed.info.name != other.info.name:
        return False
    if isinstance(error, ConnectFailed) or (isinstance(error, IdleTimeout) and error.clock == "connect"):
        return True
    ails = isinstance(error, ServiceProblem | IdleTimeout | UnknownModel) and not _is_pool(error)
    return ails and failed.target.route.model.id == other.target.route.model.id


def _is_pool(error: PolychatError) -> bool:
    return isinstance(error, IdleTimeout) and error.clock == "pool"
