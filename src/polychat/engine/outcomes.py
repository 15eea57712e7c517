"""What came of the last hour's questions: figures for the conditions of routed names, and the circuit of each service.

    closed            asked
    open until T      not asked: it failed FAILURES times in a row, each soon after the one before
    after T           asked by one question, whose outcome closes the circuit or opens it for twice as long

Only the service's own trouble counts (an account's is its health's business), and a service that declines a question
is well. This lives as long as the engine: what one process saw is no reason for another not to ask.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator
from statistics import median

import msgspec

from polychat.errors import (
    AccountProblem,
    ConfigError,
    IdleTimeout,
    PolychatError,
    RequestRejected,
    ServiceProblem,
    TransportProblem,
    Unavailable,
)

FAILURES = 5  # in a row, before a service is left alone
_SOON_S = 60.0  # a failure so long after the one before begins a new row
_SHORTEST_S, _LONGEST_S = 5.0, 60.0  # of leaving it alone; doubled at each failed probe
_PROBE_S = 120.0  # after which a probe without an outcome is taken for dead
HOUR_S = 3600.0
_KEPT = 10_000  # outcomes of one account; more in an hour are counted as so many


class Outcome(msgspec.Struct, frozen=True, gc=False):
    """One question's end."""

    at: float  # Unix seconds
    failed: bool
    first_event_s: float | None = None


class Circuit(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """How a service is doing."""

    failures: int = 0  # in a row
    failed_at: float = 0.0
    open_until: float = 0.0
    open_s: float = 0.0  # how long it was opened for; 0 while closed
    probed_at: float | None = None  # since when the one question after `open_until` is out

    def waits_s(self, now: float) -> float:
        """How long nobody may ask; 0 when one may."""
        if self.open_until > now:
            return self.open_until - now
        probing = self.probed_at is not None and now - self.probed_at < _PROBE_S
        return _SHORTEST_S if self.open_s and probing else 0.0

    def failed(self, now: float) -> Circuit:
        """The service was in trouble once more."""
        if self.open_until > now:  # it was asked before it was left alone, and this is no news
            return self
        row = self.failures + 1 if self.open_s or now - self.failed_at <= _SOON_S else 1
        if row < FAILURES:
            return Circuit(failures=row, failed_at=now)
        open_s = min(self.open_s * 2 or _SHORTEST_S, _LONGEST_S)
        return Circuit(failures=row, failed_at=now, open_until=now + open_s, open_s=open_s)


_CLOSED = Circuit()


def _codes(*kinds: type[PolychatError]) -> Iterator[str]:
    for kind in kinds:
        yield kind.code
        yield from _codes(*kind.__subclasses__())


DECLINED = frozenset(_codes(ConfigError, RequestRejected))  # errors that speak of the question, not of who was asked


class Outcomes:
    """Those of one engine. `now` is the clock, in Unix seconds."""

    def __init__(self, now: Callable[[], float]) -> None:
        self._now = now
        self._circuits: dict[str, Circuit] = {}
        self._kept: dict[str, deque[Outcome]] = {}  # by account

    # ------------------------------------------------------------ what happens

    def begun(self, provider: str) -> float | None:
        """A question goes out; where the circuit was open it is the one that probes, and this is its mark."""
        circuit = self._circuits.get(provider)
        if circuit is None or not circuit.open_s:
            return None
        mark = self._now()
        self._circuits[provider] = msgspec.structs.replace(circuit, probed_at=mark)
        return mark

    def barred(self, provider: str) -> Unavailable | None:
        """Why nobody may ask the service now; None when one may."""
        circuit = self._circuits.get(provider, _CLOSED)
        left_s = circuit.waits_s(self._now())
        if not left_s:
            return None
        return Unavailable(
            f"{provider} failed {circuit.failures} times in a row and is left alone for {left_s:.0f} s",
            hint="wait, or ask another service",
            provider=provider,
            retry_after_s=left_s,
        )

    def answered(self, provider: str, account: str, first_event_s: float | None = None) -> None:
        """An answer came whole."""
        self._circuits.pop(provider, None)
        self._keep(account, Outcome(self._now(), False, first_event_s))

    def failed(self, provider: str, account: str, error: PolychatError, mark: float | None = None) -> None:
        """The question broke; `mark` is what `begun` gave it."""
        self._keep(account, Outcome(self._now(), error.code not in DECLINED))
        if ails(error):
            self._circuits[provider] = self._circuits.get(provider, _CLOSED).failed(self._now())
        elif isinstance(error, ConfigError | TransportProblem):
            self.left(provider, mark)
        else:
            self._circuits.pop(provider, None)  # it spoke, and was well enough to decline

    def left(self, provider: str, mark: float | None) -> None:
        """The question ended and says nothing; if it was the probe, another may be."""
        circuit = self._circuits.get(provider)
        if mark is not None and circuit is not None and circuit.probed_at == mark:
            self._circuits[provider] = msgspec.structs.replace(circuit, probed_at=None)

    def _keep(self, account: str, outcome: Outcome) -> None:
        kept = self._kept.get(account)
        if kept is None:
            kept = self._kept[account] = deque(maxlen=_KEPT)
        kept.append(outcome)

    # ------------------------------------------------------------ figures

    def asked_1h(self, account: str) -> int:
        """How many questions it was asked in the last hour."""
        return len(self._last_hour(account))

    def errors_1h(self, account: str) -> int:
        """How many of them broke, by no fault of the question."""
        return sum(outcome.failed for outcome in self._last_hour(account))

    def first_event_s(self, account: str) -> float | None:
        """How long the first event usually took, in the last hour: the median; None where nobody knows."""
        told = [outcome.first_event_s for outcome in self._last_hour(account) if outcome.first_event_s is not None]
        return median(told) if told else None

    def remember(self, account: str, outcomes: list[Outcome]) -> None:
        """What an earlier process saw, oldest first."""
        self._kept[account] = deque([*outcomes, *self._kept.get(account, ())], maxlen=_KEPT)

    def knows(self, account: str) -> bool:
        """True when anything was asked of it, or remembered."""
        return account in self._kept

    def _last_hour(self, account: str) -> deque[Outcome]:
        kept = self._kept.get(account, deque())
        while kept and self._now() - kept[0].at > HOUR_S:
            kept.popleft()
        return kept


def ails(error: PolychatError) -> bool:
    """True for trouble of the service itself, or of the way to it."""
    if isinstance(error, IdleTimeout):
        return error.clock in ("connect", "first_event", "between_events")
    return isinstance(error, ServiceProblem | TransportProblem) and not isinstance(error, AccountProblem)
