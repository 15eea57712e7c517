"""How an account is doing: what came of its last questions, and what that means for the next one. Pure.

    ok, expiring                 asked
    cooling until T              not asked before T; then by one question, whose outcome decides
    quota spent until T          the same, with a longer T
    needs sign-in, challenged    asked only where nothing better is there: the service may have changed its mind
    paused                       never asked; the person said so

Cooling and spent quota are held per model, since services limit models apart. Every wait is bounded, whatever a
service says. Only what is the account's own trouble counts: an ailing service or a cut line changes nothing here.
A new sign-in under the same name starts afresh. Moments are Unix seconds.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

import msgspec

from polychat.errors import AuthExpired, ChallengeRequired, PolychatError, QuotaSpent, RateLimited
from polychat.types import QuotaSeen

State = Literal["ok", "expiring", "cooling", "quota_spent", "needs_sign_in", "challenged", "paused"]
Standing = Literal["ok", "needs_sign_in", "challenged"]
Resting = Literal["cooling", "quota_spent"]
Verdict = Literal["go", "try", "last", "wait", "paused"]

EXPIRING_S = 24 * 3600.0  # before its end a sign-in counts as expiring
SHORTEST_S, LONGEST_UNTOLD_S = 5.0, 300.0  # of cooling where the service does not say; doubled at each failure
LONGEST_S: Mapping[Resting, float] = {"cooling": 3600.0, "quota_spent": 24 * 3600.0}  # whatever the service says
UNTOLD_QUOTA_S = 3600.0
TRY_S = 120.0  # after which a try without an outcome is taken for dead
_ANSWERED_AGAIN_S = 60.0  # so often is noted that an account answers
_FORGOTTEN_S = 24 * 3600.0  # a hold that nobody tried again so long after its end is no news


class Hold(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A wait that the service asked for."""

    kind: Resting
    until: float
    failures: int = 1  # in a row
    trying_since: float | None = None  # set while the one question after `until` is out


class Trouble(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """The last error that was the account's own. It holds no secret, as no error does."""

    code: str
    message: str
    hint: str | None = None
    at: float = 0.0


class Health(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What is remembered of one account."""

    sign_in_at: float | None = None  # when the account was signed in that this is about
    paused: bool = False
    standing: Standing = "ok"
    holds: dict[str, Hold] = {}  # by model
    trouble: Trouble | None = None
    quotas: dict[str, QuotaSeen] = {}  # by feature, as last told
    answered_at: float | None = None


class Gate(msgspec.Struct, frozen=True):
    """Whether a question may go out now."""

    verdict: Verdict
    hold: Hold | None = None  # why not, or what a try is to end


class Changed(msgspec.Struct, frozen=True, kw_only=True):
    """An account went from one state to another, for whoever keeps a ledger."""

    account: str
    provider: str
    before: State
    after: State
    at: float
    until: float | None = None  # of the wait, if the new state is one
    code: str | None = None  # of the error that led to it


# ---------------------------------------------------------------- reading


def state(health: Health, *, expires_at: float | None, now: float) -> State:
    """The one word for it; `expires_at` is the end of the sign-in, where that is known."""
    if health.paused:
        return "paused"
    if health.standing != "ok":
        return health.standing
    if expires_at is not None and expires_at <= now:
        return "needs_sign_in"
    if hold := resting(health, now):
        return hold.kind
    return "expiring" if expires_at is not None and expires_at - now < EXPIRING_S else "ok"


def resting(health: Health, now: float) -> Hold | None:
    """The hold that lasts longest, of those that are not forgotten; its end may be past, and a try due."""
    held = [hold for hold in health.holds.values() if _remembered(hold, now)]
    return max(held, key=lambda hold: hold.until, default=None)


def gate(health: Health, model: str, *, expires_at: float | None, now: float) -> Gate:
    """Whether `model` may be asked with this account."""
    if health.paused:
        return Gate("paused")
    hold = health.holds.get(model)
    if hold is not None and _remembered(hold, now):
        if hold.until > now or _being_tried(hold, now):
            return Gate("wait", hold)
        return Gate("try", hold)
    ended = expires_at is not None and expires_at <= now
    return Gate("last" if ended or health.standing != "ok" else "go")


def _remembered(hold: Hold, now: float) -> bool:
    return now - hold.until < _FORGOTTEN_S


def _being_tried(hold: Hold, now: float) -> bool:
    return hold.trying_since is not None and now - hold.trying_since < TRY_S


# ---------------------------------------------------------------- what happens


def begun(health: Health, model: str, *, now: float) -> Health:
    """A question goes out; after a hold it is the one that tries."""
    hold = health.holds.get(model)
    return health if hold is None else _holding(health, model, msgspec.structs.replace(hold, trying_since=now))


def answered(health: Health, model: str | None, *, now: float) -> Health:
    """The account was served: with an answer of `model`, or with something that costs nothing (None)."""
    if health.answered_at is None or now - health.answered_at > _ANSWERED_AGAIN_S:
        health = msgspec.structs.replace(health, answered_at=now)
    elif health.standing == "ok" and not health.holds and health.trouble is None:
        return health
    health = msgspec.structs.replace(health, standing="ok")
    if model in health.holds:
        health = _holding(health, model, None)
    return health if health.holds else msgspec.structs.replace(health, trouble=None)


def failed(health: Health, model: str, error: PolychatError, *, now: float) -> Health:
    """The question broke: what that says about the account, if it says anything."""
    match error:
        case RateLimited():
            health = _rested(health, model, "cooling", error.retry_after_s, now)
        case QuotaSpent():
            health = _rested(health, model, "quota_spent", error.retry_after_s, now)
        case AuthExpired():
            health = msgspec.structs.replace(health, standing="needs_sign_in")
        case ChallengeRequired():
            health = msgspec.structs.replace(health, standing="challenged")
        case _:
            return left(health, model)
    told = Trouble(code=error.code, message=error.message, hint=error.hint, at=now)
    return msgspec.structs.replace(left(health, model), trouble=told)


def left(health: Health, model: str) -> Health:
    """The question ended and says nothing about the account; if it was the one that tries, another may."""
    hold = health.holds.get(model)
    if hold is None or hold.trying_since is None:
        return health
    return _holding(health, model, msgspec.structs.replace(hold, trying_since=None))


def paused(health: Health) -> Health:
    """The person wants it left alone."""
    return msgspec.structs.replace(health, paused=True)


def resumed(health: Health) -> Health:
    """The person wants it asked again, at once: no pause, no wait, and its sign-in is given another chance."""
    return msgspec.structs.replace(health, paused=False, standing="ok", holds={})


def told(health: Health, quota: QuotaSeen) -> Health:
    """The service said what is left of an allowance."""
    return msgspec.structs.replace(health, quotas=health.quotas | {quota.feature: quota})


def _rested(health: Health, model: str, kind: Resting, wanted_s: float | None, now: float) -> Health:
    before = health.holds.get(model)
    failures = before.failures + 1 if before and _remembered(before, now) else 1
    seconds = min(_untold_s(kind, failures) if wanted_s is None else wanted_s, LONGEST_S[kind])
    return _holding(health, model, Hold(kind=kind, until=now + seconds, failures=failures))


def _untold_s(kind: Resting, failures: int) -> float:
    if kind == "quota_spent":
        return UNTOLD_QUOTA_S
    return min(SHORTEST_S * 2.0 ** min(failures - 1, 10), LONGEST_UNTOLD_S)


def _holding(health: Health, model: str, hold: Hold | None) -> Health:
    """`health` with another hold of `model`, or none; never the same dictionary."""
    others = {name: held for name, held in health.holds.items() if name != model}
    return msgspec.structs.replace(health, holds=others | ({model: hold} if hold else {}))
