"""What every kind of request has in common: who is asked, in which order, and by which clocks.

A question is planned before anything is sent (`planning`), asked of one candidate after the other (`failover`), and
all of it under one clock.
"""

from __future__ import annotations

import asyncio
import math
import random
import time
from collections.abc import Awaitable, Callable
from functools import partial
from pathlib import Path
from typing import Protocol, TypeVar

import msgspec

from polychat.engine import recall, targets
from polychat.engine.failover import Failover
from polychat.engine.flow import late
from polychat.engine.leases import Lease, Leases
from polychat.engine.ledger import prices
from polychat.engine.ledger.entry import Entry
from polychat.engine.planning import Candidate, Fit, Plan, Planner
from polychat.engine.routing import Route, routes
from polychat.engine.settings import Settings
from polychat.engine.targets import Found, Known, Missed, Target, Yardsticks
from polychat.errors import Attempt, ConfigError, NoAccount, PolychatError, UnknownModel
from polychat.net.clocks import Clocks, Kind, Waits
from polychat.providers.base import Capability, Info, ListsModels, Model, Provider
from polychat.types import Request

T = TypeVar("T")
_LIST_S = 60.0  # that a service's list of models is taken for its list
_REMEMBERED = 256  # plain names, and where they lead


class Directory(Protocol):
    """Where a question finds who there is."""

    settings: Settings

    def known(self, provider: str | None) -> Known:
        """The services and accounts that names are resolved among."""
        ...

    def service(self, name: str) -> Provider:
        """The service of that name."""
        ...

    def names(self) -> tuple[str, ...]:
        """The services there are."""
        ...

    async def models(self, provider: str, account: str | None = None) -> tuple[Model, ...]:
        """The models of a service, as it lists them for the account."""
        ...


class Asking:
    """Plans the requests of one engine, and takes the leases. `ledger` is the file that knows the last hour."""

    def __init__(self, directory: Directory, leases: Leases, ledger: Path | None = None) -> None:
        self._ledger = ledger
        self._last: dict[tuple[str, str | None, Capability | None], tuple[Known, list[Found]]] = {}  # plain names
        self._lists: dict[tuple[str, str | None], tuple[float, tuple[Model, ...]]] = {}  # when, and what it was
        self._directory = directory
        self._leases = leases
        self._planner = Planner(leases, lambda name: directory.service(name).info)
        self._yardsticks = Yardsticks(busy=self._busy, price=_price, random=random.random)

    @property
    def settings(self) -> Settings:
        """Those in force."""
        return self._directory.settings

    def targets(self, model: str, provider: str | None = None, *, to: Capability | None = None) -> list[Found]:
        """Where `model` leads, the preferred first. Raises: `UnknownModel`, `BadOption`.

        `to` says what for: where a service is named and no model, its default one, or its first that can.
        """
        known = self._directory.known(provider)
        if targets.is_routed(model, known):
            return targets.targets(model, known, self._yardsticks, to)
        last = self._last.get((model, provider, to))
        if last is None or last[0] is not known:
            if len(self._last) > _REMEMBERED:
                self._last.clear()
            last = self._last[model, provider, to] = known, targets.targets(model, known, self._yardsticks, to)
        return last[1]

    async def found(self, model: str, provider: str | None, account: str | None, countdown: Countdown) -> list[Found]:
        """The same; for an id that nobody knows, the service named with it is asked for its own list."""
        try:
            found = self.targets(model, provider)
        except UnknownModel as unknown:
            return [Target(route=await self._listed(model, provider, account, unknown, countdown))]
        return [await self._looked_up(one, provider, countdown) if isinstance(one, Missed) else one for one in found]

    async def recalled(self, found: list[Found]) -> None:
        """What the ledger knows of the last hour, where a condition looks at it."""
        if self._ledger is None or not recall.wants(found):
            return
        accounts = [name for one in found if isinstance(one, Target) for name in self._accounts(one.route)]
        await recall.recall(self._leases.outcomes, self._ledger, accounts, self._leases.now())

    def _accounts(self, route: Route) -> list[str]:
        try:
            entries = self._leases.sessions.entries(self._directory.service(route.provider).info, route.account)
        except ConfigError:
            return []
        return [entry.name for entry in entries]

    def plan(self, found: list[Found], account: str | None, fit: Fit, request: Request | None = None) -> Plan:
        """Who may be asked of those; see `Planner`."""
        return self._planner.plan(found, account, fit, request)

    def service(self, info: Info) -> Provider:
        """The service of that description."""
        return self._directory.service(info.name)

    def clocks(self, kind: Kind, waits: Waits) -> Clocks:
        """Those of such a request."""
        return self.settings.clocks_of(kind).but(waits)

    async def first(
        self,
        plan: Plan,
        ask: Callable[[Failover, Candidate], Awaitable[T]],
        entry: Entry,
        *,
        binds: Callable[[Candidate], bool],
    ) -> tuple[T, tuple[Attempt, ...]]:
        """What the first gives that gives anything, and who was asked before; `entry` is of the whole question.

        Raises: where there is nobody to ask, why; otherwise as `Failover.first`.
        """
        plan.first()
        failover = Failover(plan.candidates, self.settings.failover, binds=binds)
        found = await failover.first(partial(ask, failover))
        if failover.answering is not None:
            _place(entry, failover.answering)
        entry.attempts = len(failover.failed) + 1
        return found, tuple(failover.failed)

    async def lease(self, candidate: Candidate, countdown: Countdown, failover: Failover, entry: Entry) -> Lease:
        """The right to ask that candidate, which `entry` is told of; see `Leases.lease`."""
        model, clocks, left_s = candidate.target.route.model.id, countdown.clocks, countdown.left_s
        retry = failover.repeating(candidate)
        lease = await self._leases.lease(candidate.info, candidate.entry, model, clocks, retry=retry, left_s=left_s)
        _place(entry, candidate)
        return lease

    # ------------------------------------------------------------ names that nobody knows

    async def _looked_up(self, missed: Missed, provider: str | None, countdown: Countdown) -> Found:
        if missed.elsewhere or not isinstance(missed.error, UnknownModel):
            return missed
        try:
            route = await self._listed(missed.wanted, provider, None, missed.error, countdown)
        except ConfigError as error:
            return msgspec.structs.replace(missed, error=error)
        except PolychatError:  # that service's trouble is no reason for the other targets not to be asked
            return missed
        return Target(route=route, place=missed.place, whens=missed.whens)

    async def _listed(
        self, model: str, provider: str | None, account: str | None, unknown: UnknownModel, countdown: Countdown
    ) -> Route:
        name = provider or model.partition("/")[0]
        service = self._directory.service(name) if name in self._directory.names() else None
        if not isinstance(service, ListsModels) or service.info.any_model:
            raise unknown
        listed = await self._list(name, account, unknown, countdown)
        return routes(model, {name: msgspec.structs.replace(service.info, models=listed)}, accounts={})[0]

    async def _list(
        self, name: str, account: str | None, unknown: UnknownModel, countdown: Countdown
    ) -> tuple[Model, ...]:
        """The service's own list; asked for again after a while only."""
        at, listed = self._lists.get((name, account), (-math.inf, ()))
        if time.monotonic() - at > _LIST_S:
            try:
                listed = await countdown.over(self._directory.models(name, account), name, account)
            except NoAccount:
                raise unknown from None
            self._lists[name, account] = time.monotonic(), listed
        return listed

    # ------------------------------------------------------------ what strategies go by

    def _busy(self, route: Route) -> float:
        try:
            return self._leases.share(self._directory.service(route.provider).info, route.account)
        except ConfigError:
            return math.inf


def _place(entry: Entry, candidate: Candidate) -> None:
    route = candidate.target.route
    entry.placed(route.provider, route.model.id, candidate.entry.name)


def _price(route: Route) -> float:
    rates = prices.rates(route.provider, route.model.id)
    return math.inf if rates is None else rates.input + rates.output


class Countdown:
    """The clocks of one request, and what is left of the one of the whole: that runs on, whoever is asked."""

    def __init__(self, clocks: Clocks) -> None:
        self.clocks = clocks
        self._loop = asyncio.get_running_loop()
        self.limit_s = clocks.total_s
        self.deadline = None if clocks.total_s is None else self._loop.time() + clocks.total_s

    @property
    def left_s(self) -> float | None:
        """How much is left; None where nothing limits it."""
        return None if self.deadline is None else max(self.deadline - self._loop.time(), 0.0)

    async def over(self, call: Awaitable[T], provider: str, account: str | None) -> T:
        """What `call` gives. Raises: `IdleTimeout` when there is no time left."""
        try:
            async with asyncio.timeout_at(self.deadline):
                return await call
        except TimeoutError as error:
            raise late(provider, account, self.limit_s) from error
