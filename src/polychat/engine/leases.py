"""The right to ask one question with one account.

A lease waits for a free place at the account, refuses where the account must not be asked now, hands its outcome to
the account's health and to the outcomes of the hour, and brings what the service renewed of the sign-in back to the
vault.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Self

from polychat.engine import facts, health
from polychat.engine.conditions import Value
from polychat.engine.health import Gate, Health, Verdict
from polychat.engine.outcomes import Outcomes
from polychat.engine.places import Places
from polychat.engine.remedies import remedied
from polychat.engine.sessions import Sessions
from polychat.errors import NoAccount, PolychatError, QuotaSpent, RateLimited
from polychat.net.clocks import Clocks
from polychat.net.retry import RetryPolicy
from polychat.net.session import Session
from polychat.providers.base import Info
from polychat.types import QuotaSeen
from polychat.vault.base import Entry

Rank = tuple[int, float]  # the lower, the sooner; then when a wait ends

_ORDER: dict[Verdict, int] = {"go": 0, "try": 1, "last": 3, "wait": 4, "paused": 5}
_BUSY = 2  # an account that may be asked, once a place is free: after a try, before a last resort
_TRIED_NOW_S = 5.0  # when to come back while another question tries the account


class Lease:
    """One question's right to ask with one account; a context manager that ends it."""

    def __init__(
        self, leases: Leases, info: Info, entry: Entry, model: str, session: Session, mark: float | None = None
    ) -> None:
        self.session = session
        self.entry = entry
        self._leases = leases
        self._info = info
        self._model = model
        self._mark = mark  # of the question that probes its service
        self._settled = False
        self._began = time.perf_counter()
        self._first_event_s: float | None = None

    def spoke(self) -> None:
        """The first event came."""
        self._first_event_s = time.perf_counter() - self._began

    def answered(self) -> None:
        """The account was served."""
        self._settled = True
        self._leases.outcomes.answered(self._info.name, self.entry.name, self._first_event_s)
        self._change(lambda known: health.answered(known, self._model, now=self._leases.now()))

    def failed(self, error: PolychatError) -> None:
        """The question broke."""
        self._settled = True
        self._leases.outcomes.failed(self._info.name, self.entry.name, error, self._mark)
        self._change(lambda known: health.failed(known, self._model, error, now=self._leases.now()))

    def told(self, quota: QuotaSeen) -> None:
        """The service said what is left."""
        self._leases.saw(self.entry, quota)
        self._change(lambda known: health.told(known, quota))

    @contextmanager
    def judging(self) -> Iterator[None]:
        """What happens inside is the outcome, and its error knows where it came from."""
        try:
            with self.session.owning():
                yield
        except PolychatError as error:
            self.failed(remedied(error, self.entry))
            raise
        self.answered()

    def _change(self, act: Callable[[Health], Health]) -> None:
        self._leases.sessions.register.change(self.entry, act)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc_info: object) -> None:
        try:
            if not self._settled:
                self._leases.outcomes.left(self._info.name, self._mark)
                self._change(lambda known: health.left(known, self._model))
        finally:
            self._leases.give_back(self._info, self.entry)


class Leases:
    """Who may use the sessions of one engine. `saw` hears what an account of a provider has left."""

    def __init__(
        self,
        sessions: Sessions,
        places: Places,
        outcomes: Outcomes,
        *,
        saw: Callable[[str, str, QuotaSeen], None] | None = None,
    ) -> None:
        self.sessions = sessions
        self.outcomes = outcomes
        self.now = sessions.now
        self._places = places
        self._saw = saw

    def saw(self, entry: Entry, quota: QuotaSeen) -> None:
        """A service told what an account has left."""
        if self._saw is not None:
            self._saw(entry.name, entry.provider, quota)

    def ranked(self, info: Info, name: str | None, model: str) -> list[tuple[Rank, Entry, PolychatError | None]]:
        """The account `name`, or all of the provider's, the one to be asked first in front; and why one is not asked.

        Raises: as `Sessions.entries`.
        """
        entries = self.sessions.entries(info, name)
        if len(entries) == 1:
            return [self._ranked(entries[0], model)]
        return sorted((self._ranked(entry, model) for entry in entries), key=lambda one: one[0])

    async def lease(
        self,
        info: Info,
        entry: Entry,
        model: str,
        clocks: Clocks,
        *,
        retry: RetryPolicy | None = None,
        left_s: float | None = None,
    ) -> Lease:
        """The right to ask `model` with that account; waits for a free place as long as the clock of places runs.

        `retry` is another policy of repeating a request at the same place than usual. `left_s` is what is left of the
        clock of the whole request.

        Raises: `RateLimited`, `QuotaSpent`, `Unavailable` or `NoAccount` where the account must not be asked now,
        without anything sent; `BadOption` where it is of the wrong kind; `IdleTimeout` when no place became free.
        """
        if self._places.is_full(entry):  # otherwise it is asked at once, and `_begin` looks
            _raise(self._barred(entry, model, self._gate(entry, model)))
        session = self.sessions.of(info, entry).view(clocks, retry)
        await self._places.take(info, entry, clocks.pool_s, left_s)
        try:
            mark = self._begin(entry, model)
        except BaseException:
            self._places.give_back(entry)
            raise
        return Lease(self, info, entry, model, session, mark)

    def give_back(self, info: Info, entry: Entry) -> None:
        """A lease has ended."""
        self._places.give_back(entry)
        self.sessions.keep_renewed(info, entry)

    def share(self, info: Info, name: str | None) -> float:
        """How busy the least busy of those accounts is: 0 idle, 1 full. Raises: as `Sessions.entries`."""
        return min(self._places.share(info, entry) for entry in self.sessions.entries(info, name))

    def facts(self, entry: Entry) -> dict[str, Value]:
        """What is known of the account at this moment."""
        name, register = entry.name, self.sessions.register
        return {
            "account": name,
            "health": register.state(entry),
            "running": self._places.running(entry),
            "asked_1h": self.outcomes.asked_1h(name),
            "errors_1h": self.outcomes.errors_1h(name),
            "first_event_s": self.outcomes.first_event_s(name),
            **facts.of_quota(register.of(entry), self.now()),
        }

    # ------------------------------------------------------------ gates

    def _ranked(self, entry: Entry, model: str) -> tuple[Rank, Entry, PolychatError | None]:
        gate = self._gate(entry, model)
        busy = gate.verdict in ("go", "try") and self._places.is_full(entry)
        rank = (_BUSY if busy else _ORDER[gate.verdict]), gate.hold.until if gate.hold else 0.0
        return rank, entry, self._barred(entry, model, gate)

    def _gate(self, entry: Entry, model: str) -> Gate:
        return health.gate(self.sessions.register.of(entry), model, expires_at=entry.expires_at, now=self.now())

    def _begin(self, entry: Entry, model: str) -> float | None:
        """Look once more, at the last moment; the mark of the question where it probes its service.

        It is under the register's lock: of those who wait for a try, one gets it.
        """

        def begin(known: Health) -> Health:
            gate = health.gate(known, model, expires_at=entry.expires_at, now=self.now())
            _raise(self._barred(entry, model, gate))
            return health.begun(known, model, now=self.now())

        gate = self._gate(entry, model)
        if gate.verdict == "try":
            self.sessions.register.change(entry, begin)
        else:  # nothing is to be noted
            _raise(self._barred(entry, model, gate))
        return self.outcomes.begun(entry.provider)

    def _barred(self, entry: Entry, model: str, gate: Gate) -> PolychatError | None:
        """Why the account must not be asked now: its own trouble, or that of its service."""
        return self._refusal(entry, model, gate) or self.outcomes.barred(entry.provider)

    def _refusal(self, entry: Entry, model: str, gate: Gate) -> PolychatError | None:
        if gate.verdict == "go":
            return None
        if gate.verdict == "paused":
            return NoAccount(
                f"the {entry.provider} account {entry.name!r} is paused",
                hint=f"polychat accounts resume {entry.name}",
                provider=entry.provider,
                account=entry.name,
            )
        if gate.verdict != "wait" or gate.hold is None:
            return None
        left_s = max(gate.hold.until - self.now(), _TRIED_NOW_S if gate.hold.trying_since else 0.0)
        cooling = gate.hold.kind == "cooling"
        why = "is cooling down after a rate limit" if cooling else "has spent its quota"
        return (RateLimited if cooling else QuotaSpent)(
            f"the {entry.provider} account {entry.name!r} {why} and is not asked for {model} for {left_s:.0f} s",
            hint=f"wait, or ask with another account; to ask at once: polychat accounts resume {entry.name}",
            provider=entry.provider,
            account=entry.name,
            retry_after_s=left_s,
        )


def _raise(error: PolychatError | None) -> None:
    if error is not None:
        raise error
