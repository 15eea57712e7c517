"""Who may be asked, in which order, and why each is in or out; decided before anything is sent.

A candidate is one model with one account, and none comes twice. Free accounts come before busy ones, those before
accounts that need a sign-in or met a challenge; beside that the order is the one of the targets, so that the preferred
one is asked again as soon as its wait is over. Out is who cannot do what is asked, has no account, does not fulfil its
condition, is paused, or was told to wait by the service.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal

import msgspec

from polychat.engine import facts
from polychat.engine.leases import Leases, Rank
from polychat.engine.targets import Found, Missed, Target
from polychat.errors import ConfigError, PolychatError, Unavailable, UnsupportedFeature
from polychat.providers.base import Info
from polychat.types import Request
from polychat.vault.base import Entry

Fit = Callable[[Target, Info], None]  # raises ConfigError where the model cannot do what is asked
_TRY, _LAST_RESORT = 1, 3


class Candidate(msgspec.Struct, frozen=True):
    """Somebody who may be asked."""

    target: Target
    info: Info
    entry: Entry
    rank: Rank = (0, 0.0)


class Considered(msgspec.Struct, frozen=True, kw_only=True):
    """What was thought of one candidate, for whoever wants to know."""

    model: str  # openai/gpt-5, or what the config has where it leads nowhere
    verdict: Literal["in", "last", "out"]
    why: str
    account: str | None = None
    place: str | None = None  # in the config


class Plan:
    """The candidates of one question, in order; `considered` tells of those and of all others."""

    def __init__(self) -> None:
        self.candidates: list[Candidate] = []
        self._out: list[tuple[Considered, PolychatError]] = []

    def refuse(self, model: str, error: PolychatError, *, account: str | None = None, place: str | None = None) -> None:
        """That one is out, for the reason that `error` gives."""
        if not any(out.account == account and out.why == error.message for out, _ in self._out if out.model == model):
            out = Considered(model=model, verdict="out", why=error.message, account=account, place=place)
            self._out.append((out, error))

    def take(self, candidate: Candidate) -> None:
        """That one may be asked; who may be asked already is asked once."""
        if all(_who(other) != _who(candidate) for other in self.candidates):
            self.candidates.append(candidate)

    @property
    def considered(self) -> list[Considered]:
        """Those who may be asked, in order, then the others."""
        return [_taken(candidate) for candidate in self.candidates] + [out for out, _ in self._out]

    def first(self) -> Candidate:
        """The first to be asked. Raises: where there is nobody, why the one that is nearest to it is out."""
        if self.candidates:
            return self.candidates[0]
        errors = [error for _, error in self._out]
        error = min(errors, key=_distance)
        if len(errors) > 1:
            others = "; ".join(f"{out.model}: {out.why}" for out, other in self._out if other is not error)
            error.reworded(f"{error.message} (and nobody else can answer: {others})")
        raise error


class Planner:
    """Makes plans, from what is known at this moment."""

    def __init__(self, leases: Leases, infos: Callable[[str], Info]) -> None:
        self._leases = leases
        self._infos = infos

    def plan(self, found: list[Found], account: str | None, fit: Fit, request: Request | None) -> Plan:
        """The plan for those targets; `account` limits it to one account.

        Raises: `ConfigError` where the only target is one that nothing can be done about.
        """
        plan = Plan()
        for one in found:
            if isinstance(one, Missed):
                plan.refuse(one.wanted, one.error, place=one.place)
            else:
                self._consider(plan, one, account, fit, request)
        plan.candidates.sort(key=_order)
        return plan

    def _consider(self, plan: Plan, target: Target, account: str | None, fit: Fit, request: Request | None) -> None:
        info = self._infos(target.route.provider)
        name = _name(target)
        try:
            fit(target, info)
            ranked = self._leases.ranked(info, account or target.route.account, target.route.model.id)
        except ConfigError as error:
            plan.refuse(name, error, place=target.place)
            return
        for rank, entry, refusal in ranked:
            why = refusal or self._unfulfilled(target, info, entry, request)
            if why is not None:
                plan.refuse(name, why, account=entry.name, place=target.place)
            else:
                plan.take(Candidate(target, info, entry, rank))

    def _unfulfilled(self, target: Target, info: Info, entry: Entry, request: Request | None) -> Unavailable | None:
        """The refusal for the first condition that does not hold."""
        if not target.whens:
            return None
        known = facts.of_request(request) | self._leases.facts(entry) | facts.of_target(target.route)
        for when in target.whens:
            if not when.holds(known):
                return Unavailable(
                    f"its condition does not hold: {when.text}, and {when.because(known)}",
                    hint="polychat models explain shows how a routed name is read",
                    provider=info.name,
                    account=entry.name,
                )
        return None


def _order(candidate: Candidate) -> Rank:
    """Whose wait is over is as good as free: among accounts it comes last, but no other target before it."""
    return (0, 0.0) if candidate.rank[0] == _TRY else candidate.rank


def _who(candidate: Candidate) -> tuple[str, str, str]:
    return candidate.info.name, candidate.target.route.model.id, candidate.entry.name


def _name(target: Target) -> str:
    return f"{target.route.provider}/{target.route.model.id}"


def _taken(candidate: Candidate) -> Considered:
    last = candidate.rank[0] >= _LAST_RESORT
    return Considered(
        model=_name(candidate.target),
        verdict="last" if last else "in",
        why=_WHY.get(candidate.rank[0], "may be asked"),
        account=candidate.entry.name,
        place=candidate.target.place,
    )


_WHY = {
    0: "may be asked",
    1: "its wait is over; one question tries",
    2: "busy; waits for a free place",
    3: "needs a sign-in or met a challenge; asked when nobody else is left",
}


def _distance(error: PolychatError) -> tuple[int, float]:
    """How far somebody is from answering: a wait is nearer than what a person must do, and that than what cannot be."""
    if error.retry_after_s is not None:
        return 0, error.retry_after_s
    return (2 if isinstance(error, UnsupportedFeature) else 1), 0.0
