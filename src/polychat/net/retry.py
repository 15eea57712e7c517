"""When to ask again, and after how long. Pure but for `retrying`, which runs a call under a policy.

A request that changes nothing may be repeated whenever the trouble may pass. A chat turn is asked again only when the
service certainly did nothing: no connection came about, or the service sent it away and said so. Once part of an answer
is out, nothing is repeated: two answers would be glued together.
"""

from __future__ import annotations

import asyncio
import random
import re
from collections.abc import Awaitable, Callable, Mapping
from datetime import UTC
from email.utils import parsedate_to_datetime
from typing import TypeVar

import msgspec

from polychat.errors import (
    ConnectFailed,
    IdleTimeout,
    Interrupted,
    Overloaded,
    PolychatError,
    RateLimited,
    Unavailable,
)

T = TypeVar("T")

_NUMBER = re.compile(r"[0-9]+(\.[0-9]+)?")
_JITTER = 0.25  # of a delay may be taken off, so that many clients do not come back together


class RetryPolicy(msgspec.Struct, frozen=True, kw_only=True):
    """How often to ask in all, and how long to wait in between (seconds)."""

    attempts: int = 3
    base_s: float = 0.5  # before the second attempt; doubles with each further one
    cap_s: float = 8.0
    limits: bool = True  # whether a rate limit is waited for; who has another account asks that one
    longest_wait_s: float = 5.0  # a service that asks for more is given up: a longer wait is the caller's to choose

    def delay_s(self, attempt: int, asked_s: float | None, random: Callable[[], float]) -> float | None:
        """How long to wait after attempt number `attempt` (from 1) failed, or None to give up.

        What the service asked for is obeyed exactly. `random` gives a number from 0 to 1.
        """
        if attempt >= self.attempts:
            return None
        if asked_s is not None:
            return asked_s if asked_s <= self.longest_wait_s else None
        delay_s = min(self.cap_s, self.base_s * 2.0 ** (attempt - 1))
        return delay_s * (1 - _JITTER * random())


ONCE = RetryPolicy(attempts=1)
NO_LIMITS = RetryPolicy(limits=False)


def retryable(error: PolychatError, *, idempotent: bool) -> bool:
    """Whether asking again may help and cannot make the service do a thing twice."""
    if error.after_content:
        return False
    match error:
        case ConnectFailed() | RateLimited() | Overloaded():
            return True
        case IdleTimeout():
            return error.clock in ("connect", "pool")
        case Unavailable():
            return idempotent or error.retry_after_s is not None
        case Interrupted():
            return idempotent
    return False


def retry_after_s(headers: Mapping[str, str], now: float) -> float | None:
    """What `retry-after-ms` or `retry-after` (seconds or an HTTP date) asks for, never negative; None if they do not.

    `headers` have lower-case names; `now` is Unix seconds.
    """
    wait_ms = headers.get("retry-after-ms", "").strip()
    if _NUMBER.fullmatch(wait_ms):
        return float(wait_ms) / 1000
    wait = headers.get("retry-after", "").strip()
    if _NUMBER.fullmatch(wait):
        return float(wait)
    return _until(wait, now)


def _until(date: str, now: float) -> float | None:
    try:
        moment = parsedate_to_datetime(date)
    except (ValueError, OverflowError):
        return None
    return max(0.0, moment.replace(tzinfo=moment.tzinfo or UTC).timestamp() - now)


async def retrying(
    call: Callable[[], Awaitable[T]],
    *,
    policy: RetryPolicy,
    idempotent: bool,
    sleep: Callable[[float], Awaitable[object]] = asyncio.sleep,
    random: Callable[[], float] = random.random,
) -> T:
    """Await `call()` until it succeeds or the policy gives up; then its last error is raised."""
    attempt = 1
    while True:
        try:
            return await call()
        except PolychatError as error:
            again = retryable(error, idempotent=idempotent) and (policy.limits or not isinstance(error, RateLimited))
            delay_s = policy.delay_s(attempt, error.retry_after_s, random) if again else None
            if delay_s is None:
                raise
        await sleep(delay_s)
        attempt += 1
