"""What every kind of request has in common: who is asked, in which order, and by which clocks.

A question is planned before anything is sent (`planning`), asked of one candidate after the other (`failover`), and
all of it under one clock.
"""

from __future__ import annotations

import asyncio
import math
import random
from typing import Protocol

import msgspec

from polychat.engine import targets
from polychat.engine.failover import Failover
from polychat.engine.leases import Lease, Leases
from polychat.engine.ledger import prices
from polychat.engine.planning import Candidate, Fit, Plan, Planner
from polychat.engine.routing import Route, routes
from polychat.engine.settings import Settings
from polychat.engine.targets import Found, Known, Missed, Target, Yardsticks
from polychat.errors import ConfigError, NoAccount, UnknownModel
from polychat.net.clocks import Clocks, Kind, Waits
from polychat.providers.base import Capability, Info, ListsModels, Model, Provider
from polychat.types import Request


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
    """Plans the requests of one engine, and takes the leases."""

    def __init__(self, directory: Directory, leases: Leases) -> None:
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
        return targets.targets(model, self._directory.known(provider), self._yardsticks, to)

    async def found(self, model: str, provider: str | None, account: str | None) -> list[Found]:
        """The same; for an id that nobody knows, the service named with it is asked for its own list."""
        try:
            found = self.targets(model, provider)
        except UnknownModel as unknown:
            return [Target(route=await self._listed(model, provider, account, unknown))]
        return [await self._looked_up(one) if isinstance(one, Missed) else one for one in found]

    def plan(self, found: list[Found], account: str | None, fit: Fit, request: Request | None = None) -> Plan:
        """Who may be asked of those; see `Planner`."""
        return self._planner.plan(found, account, fit, request)

    def service(self, info: Info) -> Provider:
        """The service of that description."""
        return self._directory.service(info.name)

    def clocks(self, kind: Kind, waits: Waits) -> Clocks:
        """Those of such a request."""
        return self.settings.clocks_of(kind).but(waits)

    def failover(self, plan: Plan, *, binding: bool) -> Failover:
        """The attempts of one question. Raises: where there is nobody to ask, why."""
        plan.first()
        return Failover(plan.candidates, self.settings.failover, binding=binding)

    async def lease(self, candidate: Candidate, clocks: Clocks) -> Lease:
        """The right to ask that candidate; see `Leases.lease`."""
        return await self._leases.lease(candidate.info, candidate.entry, candidate.target.route.model.id, clocks)

    # ------------------------------------------------------------ names that nobody knows

    async def _looked_up(self, missed: Missed) -> Found:
        if not isinstance(missed.error, UnknownModel):
            return missed
        try:
            route = await self._listed(missed.wanted, None, None, missed.error)
        except ConfigError as error:
            return msgspec.structs.replace(missed, error=error)
        return Target(route=route, place=missed.place, whens=missed.whens)

    async def _listed(self, model: str, provider: str | None, account: str | None, unknown: UnknownModel) -> Route:
        name = provider or model.partition("/")[0]
        service = self._directory.service(name) if name in self._directory.names() else None
        if not isinstance(service, ListsModels) or service.info.any_model:
            raise unknown
        try:
            listed = await self._directory.models(name, account)
        except NoAccount:
            raise unknown from None
        return routes(model, {name: msgspec.structs.replace(service.info, models=listed)}, accounts={})[0]

    # ------------------------------------------------------------ what strategies go by

    def _busy(self, route: Route) -> float:
        try:
            return self._leases.share(self._directory.service(route.provider).info, route.account)
        except ConfigError:
            return math.inf


def _price(route: Route) -> float:
    rates = prices.rates(route.provider, route.model.id)
    return math.inf if rates is None else rates.input + rates.output


class Countdown:
    """What is left of the clock of the whole request."""

    def __init__(self, clocks: Clocks) -> None:
        self._clocks = clocks
        self._loop = asyncio.get_running_loop()
        self.limit_s = clocks.total_s
        self.deadline = None if clocks.total_s is None else self._loop.time() + clocks.total_s

    @property
    def clocks(self) -> Clocks:
        """The clocks as they stand now."""
        if self.deadline is None or self._clocks.total_s is None:
            return self._clocks
        return msgspec.structs.replace(self._clocks, total_s=max(self.deadline - self._loop.time(), 0.001))
