"""When to ask again, and after how long."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterator

import pytest

from polychat.errors import (
    AuthExpired,
    BadOption,
    BadRequest,
    ConnectFailed,
    FormatChanged,
    IdleTimeout,
    Interrupted,
    Overloaded,
    PolychatError,
    QuotaSpent,
    RateLimited,
    Unavailable,
)
from polychat.net.retry import RetryPolicy, retry_after_s, retryable, retrying
from polychat.types import Reply

NOW = 1_445_412_480.0  # Wed, 21 Oct 2015 07:28:00 GMT


@pytest.fixture(autouse=True)
def far_east(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """A local time far from UTC, which dates without a zone are not to be read in."""
    with monkeypatch.context() as patch:
        patch.setenv("TZ", "JST-9")
        time.tzset()
        yield
    time.tzset()


ASKED: list[tuple[dict[str, str], float | None]] = [
    ({}, None),
    ({"retry-after": "7"}, 7.0),
    ({"retry-after": " 7 "}, 7.0),
    ({"retry-after": "0"}, 0.0),
    ({"retry-after": "1.5"}, 1.5),
    ({"retry-after-ms": "250"}, 0.25),
    ({"retry-after-ms": "250", "retry-after": "7"}, 0.25),
    ({"retry-after-ms": "soon", "retry-after": "7"}, 7.0),
    ({"retry-after": "Wed, 21 Oct 2015 07:28:30 GMT"}, 30.0),
    ({"retry-after": "Wednesday, 21-Oct-15 07:28:30 GMT"}, 30.0),
    ({"retry-after": "Wed Oct 21 07:28:30 2015"}, 30.0),
    ({"retry-after": "Wed, 21 Oct 2015 07:27:00 GMT"}, 0.0),
    ({"retry-after": "-5"}, None),
    ({"retry-after": "nan"}, None),
    ({"retry-after": "inf"}, None),
    ({"retry-after": "1e3"}, None),
    ({"retry-after": "1_000"}, None),
    ({"retry-after": "soon"}, None),
    ({"retry-after": ""}, None),
    ({"retry-after": "Wed, 99 Oct 2015 07:28:30 GMT"}, None),
    ({"retry-after": f"Wed, 21 Oct 2015 07:28:30 +{'9' * 30}"}, None),
]


@pytest.mark.parametrize(("headers", "expected"), ASKED)
def test_retry_after_is_read(headers: dict[str, str], expected: float | None) -> None:
    """Milliseconds, seconds and HTTP dates are understood, nonsense is nothing, and no wait is negative."""
    assert retry_after_s(headers, NOW) == expected


def test_waits_double_up_to_the_cap() -> None:
    """Without a word from the service the waits double, stop at the cap, and end with the attempts."""
    policy = RetryPolicy(attempts=7)
    waits = [policy.delay_s(attempt, None, lambda: 0.0) for attempt in range(1, 8)]
    assert waits == [0.5, 1.0, 2.0, 4.0, 8.0, 8.0, None]


def test_jitter_takes_a_quarter_off_at_most() -> None:
    """Chance shortens a wait by up to 25 %."""
    waits = [RetryPolicy().delay_s(1, None, lambda chance=chance: chance) for chance in (0.0, 0.5, 1.0)]  # type: ignore[misc]  # a bound default
    assert waits == [0.5, 0.4375, 0.375]


@pytest.mark.parametrize(("asked_s", "expected"), [(0.0, 0.0), (2.5, 2.5), (5.0, 5.0), (5.1, None)])
def test_what_the_service_asks_for_is_obeyed(asked_s: float, expected: float | None) -> None:
    """The wait asked for is kept exactly; one longer than the policy's longest is given up."""
    assert RetryPolicy().delay_s(1, asked_s, lambda: 1.0) == expected


def test_attempts_end_whatever_the_service_asks() -> None:
    """The last attempt is the last one."""
    assert RetryPolicy(attempts=2).delay_s(2, 0.0, lambda: 0.0) is None


BEGUN = Reply(text="Hel")

CASES: list[tuple[PolychatError, bool, bool]] = [  # error, repeated for a chat turn, repeated when idempotent
    (ConnectFailed("x"), True, True),
    (IdleTimeout("x", clock="connect"), True, True),
    (IdleTimeout("x", clock="pool"), True, True),
    (IdleTimeout("x", clock="first_event"), False, False),
    (IdleTimeout("x", clock="between_events"), False, False),
    (IdleTimeout("x", clock="total"), False, False),
    (RateLimited("x"), True, True),
    (Overloaded("x"), True, True),
    (Unavailable("x"), False, True),
    (Unavailable("x", retry_after_s=1.0), True, True),
    (Interrupted("x"), False, True),
    (Interrupted("x", partial=BEGUN), False, False),
    (RateLimited("x", partial=BEGUN), False, False),
    (AuthExpired("x"), False, False),
    (QuotaSpent("x"), False, False),
    (BadRequest("x"), False, False),
    (BadOption("x"), False, False),
    (FormatChanged("x"), False, False),
]


@pytest.mark.parametrize(("error", "turn", "idempotent"), CASES)
def test_only_what_did_nothing_is_repeated(error: PolychatError, turn: bool, idempotent: bool) -> None:
    """A chat turn is asked again only when the service did nothing; nothing is asked again after content."""
    assert (retryable(error, idempotent=False), retryable(error, idempotent=True)) == (turn, idempotent)


class Call:
    """A call that fails with each of `errors` in turn and then succeeds; it keeps the waits in between."""

    def __init__(self, *errors: BaseException) -> None:
        self.errors = list(errors)
        self.calls = 0
        self.waits: list[float] = []

    async def __call__(self) -> str:
        self.calls += 1
        if self.errors:
            raise self.errors.pop(0)
        return "done"

    async def sleep(self, delay_s: float) -> None:
        self.waits.append(delay_s)

    def run(self, policy: RetryPolicy | None = None, *, idempotent: bool = True) -> str:
        return asyncio.run(
            retrying(
                self,
                policy=policy or RetryPolicy(),
                idempotent=idempotent,
                sleep=self.sleep,
                random=lambda: 0.0,
            )
        )


def test_retrying_asks_until_it_succeeds() -> None:
    """Two failures cost two waits, the second as long as the service asked."""
    call = Call(ConnectFailed("x"), RateLimited("x", retry_after_s=3.0))
    assert (call.run(), call.calls, call.waits) == ("done", 3, [0.5, 3.0])


def test_retrying_gives_up_with_the_last_error() -> None:
    """When the attempts are used up the last error is raised as it is."""
    errors = [ConnectFailed(str(number)) for number in range(4)]
    call = Call(*errors)
    with pytest.raises(ConnectFailed) as caught:
        call.run()
    assert (caught.value, call.calls, call.waits) == (errors[2], 3, [0.5, 1.0])


@pytest.mark.parametrize("error", [RateLimited("x", retry_after_s=31.0), Unavailable("x"), ValueError("x")])
def test_retrying_does_not_repeat_what_it_must_not(error: Exception) -> None:
    """Too long a wait, a turn that may have been done, and errors not ours end at once."""
    call = Call(error)
    with pytest.raises(type(error)):
        call.run(idempotent=False)
    assert (call.calls, call.waits) == (1, [])
