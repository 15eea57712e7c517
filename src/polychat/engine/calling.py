"""One call beside chat on its way: planned, asked of one candidate after the other, timed and recorded."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Awaitable, Callable, Iterator
from contextlib import aclosing, contextmanager
from typing import Any, Generic, NamedTuple, TypeVar

from polychat.engine.asking import Asking, Countdown
from polychat.engine.failover import Failover
from polychat.engine.flow import Flow
from polychat.engine.leases import Lease
from polychat.engine.ledger.entry import Entry
from polychat.engine.planning import Candidate, Plan
from polychat.engine.targets import Target
from polychat.errors import FormatChanged, UnsupportedFeature
from polychat.net.clocks import Kind, Waits
from polychat.net.session import Session
from polychat.providers.base import Capability, Info, Model, Provider
from polychat.types import Transcript, Usage

T = TypeVar("T")
_CANNOT: dict[Capability, str] = {
    "drawing": "makes no pictures",
    "image_edit": "changes no pictures",
    "speech": "does not read aloud",
    "transcription": "does not write down speech",
    "embeddings": "makes no embeddings",
}


class Given(NamedTuple, Generic[T]):
    """What a service gave, and with which lease."""

    value: T
    lease: Lease
    model: str  # the service's own id


class Call:
    """One call of `kind`, which only a model can answer that has the capability and whose service has the method."""

    def __init__(self, asking: Asking, kind: Kind, needed: Capability, method: type[Any], entry: Entry) -> None:
        self.entry = entry
        self._asking = asking
        self._kind = kind
        self._needed = needed
        self._method = method
        self._usage: Usage | None = None

    @contextmanager
    def failing(self) -> Iterator[None]:
        """What is raised inside is how the call ended."""
        try:
            yield
        except BaseException as error:
            self.entry.ended(error=error)
            raise

    @contextmanager
    def recording(self) -> Iterator[None]:
        """However this is left, the call has ended."""
        with self.failing():
            yield
        self.entry.ended(usage=self._usage)

    def used(self, usage: Usage | None) -> None:
        """What it cost, as the service told."""
        self._usage = usage

    def planned(self, model: str, account: str | None, provider: str | None) -> Plan:
        """Who may be asked. Raises: where there is nobody, why."""
        plan = self._asking.plan(self._asking.targets(model, provider, to=self._needed), account, self._fit)
        plan.first()
        return plan

    def _fit(self, target: Target, info: Info) -> None:
        service = self._asking.service(info)
        if not isinstance(service, self._method) or not info.can(target.route.model, self._needed):
            raise unable(info, target.route.model, self._needed)

    async def whole(
        self,
        plan: Plan,
        ask: Callable[[Any, Session, str], Awaitable[T]],
        waits: Waits | None,
        *,
        binding: bool,
    ) -> Given[T]:
        """What `ask(service, session, model)` gives, from the first who gives it."""
        countdown = Countdown(self._asking.clocks(self._kind, waits or {}))

        async def once(failover: Failover, candidate: Candidate) -> Given[T]:
            lease = await self._asking.lease(candidate, countdown, failover, self.entry)
            model = candidate.target.route.model.id
            with lease, lease.judging():
                call = ask(self._service(candidate), lease.session, model)
                value = await countdown.over(call, lease.session.provider, lease.entry.name)
            return Given(value, lease, model)

        return await self._first(plan, once, binding=binding)

    async def flow(
        self,
        plan: Plan,
        ask: Callable[[Any, Session, str], AsyncGenerator[T]],
        waits: Waits | None,
    ) -> Flow[T]:
        """What `ask(service, session, model)` brings piece by piece, from the first who brings any."""
        countdown = Countdown(self._asking.clocks(self._kind, waits or {}))
        won: list[Entry] = []  # holds the entry, once it is clear whose pieces are the answer

        async def once(failover: Failover, candidate: Candidate) -> Flow[T]:
            lease = await self._asking.lease(candidate, countdown, failover, self.entry)
            route = candidate.target.route
            pieces = _judged(ask(self._service(candidate), lease.session, route.model.id), lease, won)
            flow = Flow(pieces, route, candidate.entry.name, countdown.limit_s, countdown.deadline)
            await flow.start()
            return flow

        flow = await self._first(plan, once, binding=False)
        won.append(self.entry)
        return flow

    async def _first(self, plan: Plan, once: Callable[[Failover, Candidate], Awaitable[T]], *, binding: bool) -> T:
        found, _ = await self._asking.first(plan, once, self.entry, binds=lambda candidate: binding)
        self.entry.began()
        return found

    def _service(self, candidate: Candidate) -> Provider:
        return self._asking.service(candidate.info)


def unable(info: Info, model: Model, needed: Capability) -> UnsupportedFeature:
    """The refusal of what a service, or this one of its models, does not do."""
    name = f"{info.name}/{model.id}" if needed in info.capabilities else info.name
    return UnsupportedFeature(
        f"{name} {_CANNOT.get(needed, f'has no {needed}')}",
        hint=f"who does: polychat models --cap {needed}",
        provider=info.name,
    )


async def _judged(pieces: AsyncGenerator[T], lease: Lease, won: list[Entry]) -> AsyncGenerator[T]:
    """The pieces; how they end is the account's outcome, and the ledger's. Raises: `FormatChanged` for none at all."""
    last: T | None = None
    ended: BaseException | None = None
    try:
        with lease, lease.judging():
            async with aclosing(pieces) as flowing:
                async for piece in flowing:
                    last = piece
                    yield piece
            if last is None:
                raise FormatChanged(f"{lease.session.provider} sent nothing")
    except BaseException as error:
        ended = error
        raise
    finally:
        for entry in won:
            entry.ended(usage=_usage(last), error=ended)


def _usage(last: object) -> Usage | None:
    return last.usage if isinstance(last, Transcript) else None
