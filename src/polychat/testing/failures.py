"""The part of a provider's promises that is about trouble: each failure has the class that says what to do next, and
what was received of an answer is never lost.
"""

from __future__ import annotations

from functools import partial
from typing import Any

import msgspec

from polychat.engine.engine import Engine
from polychat.errors import (
    AuthExpired,
    BadRequest,
    ChallengeRequired,
    ContextTooLong,
    FormatChanged,
    IdleTimeout,
    Interrupted,
    Overloaded,
    PolychatError,
    QuotaSpent,
    RateLimited,
    RequestRejected,
    ServiceProblem,
    TransportProblem,
    Unavailable,
    UnknownModel,
)
from polychat.net.clocks import Clocks
from polychat.providers.base import SignsIn
from polychat.testing.bench import ALICE, PIECES, Bench, async_check
from polychat.testing.checks import require, require_equal
from polychat.types import Request, TextDelta

_WAIT_S = 120.0  # longer than anyone waits, so that nothing is repeated
_LATER = {"retry_after": f"{_WAIT_S:.0f}"}
_AFTER = 20  # frames that pass before an answer breaks
_PREAMBLE = 16  # frames without words that a service may begin with
_SHORT = Clocks(first_event_s=1.0, between_events_s=1.0)


class Failure(msgspec.Struct, frozen=True):
    """An answer that is none, and what it means."""

    fault: str
    means: tuple[type[PolychatError], ...]
    details: dict[str, Any] = {}
    status: int | None = None  # of the service, to be found in the error
    wait_s: float | None = None

    @property
    def name(self) -> str:
        """For a test's id."""
        return self.fault if "code" not in self.details else f"status {self.details['code']}"


def _status(code: int, *means: type[PolychatError], later: bool = False) -> Failure:
    details: dict[str, Any] = {"code": code} | (_LATER if later else {})
    return Failure("status", means, details, code, _WAIT_S if later else None)


FAILURES = (
    _status(401, AuthExpired),
    _status(402, QuotaSpent),
    Failure("challenge", (ChallengeRequired,), status=403),
    _status(404, RequestRejected, UnknownModel),
    Failure("too_large", (ContextTooLong,), status=413),
    _status(422, BadRequest),
    _status(429, RateLimited, later=True),
    _status(500, Unavailable),
    _status(503, Unavailable, later=True),
    _status(529, Overloaded, later=True),
    Failure("html", (AuthExpired, ChallengeRequired, FormatChanged)),
    Failure("error_200", (ServiceProblem,)),
    Failure("close", (TransportProblem,)),
    Failure("drop", (TransportProblem, FormatChanged), {"after": 0}),
)
BREAKS = ("cut_frame", "cut_character", "stall", "malformed_frame", "drop")


async def _maps(bench: Bench, failure: Failure) -> None:
    bench.fault(failure.fault, path=(await bench.paths()).answer, **failure.details)
    async with bench.engine() as engine:
        error = await bench.failed(engine, bench.request())
    expected = " or ".join(kind.__name__ for kind in failure.means)
    require(isinstance(error, failure.means), f"it became {type(error).__name__} ({error}) instead of {expected}")
    require_equal((bench.name, ALICE), (error.provider, error.account), "service and account of the error")
    require("\n" not in error.message, f"the error says more than one line: {error.message!r}")
    require(not error.after_content, f"the error claims that there was an answer: {error.partial}")
    require_equal(failure.wait_s, error.retry_after_s, "retry_after_s")
    if failure.status is not None:
        require_equal(failure.status, error.upstream_status, "upstream_status")


async def _signs_in_anew(bench: Bench) -> None:
    """A token that is refused once is fetched anew; a credential that nothing renews is reported."""
    renewable = isinstance(bench.provider, SignsIn) and bench.kind == "cookies"
    answer = (await bench.paths()).answer
    text = bench.script()
    bench.fault("status", code=401, path=answer, times=1)
    async with bench.engine() as engine:
        if not renewable:
            error = await bench.failed(engine, bench.request())
            require(isinstance(error, AuthExpired), f"one 401 became {type(error).__name__}")
            return
        reply = await (await engine.ask(bench.request())).reply()
    require_equal(text, reply.text, "the answer after one 401")


async def _comes_back(bench: Bench) -> None:
    """What the service asks to be repeated at once is repeated."""
    answer = (await bench.paths()).answer
    text = bench.script()
    bench.fault("status", code=429, retry_after_ms=1, path=answer, times=1)
    async with bench.engine() as engine:
        reply = await (await engine.ask(bench.request())).reply()
    require_equal(text, reply.text, "the answer after one 429 with a short wait")


async def _keeps_what_came(bench: Bench, fault: str) -> None:
    answer = (await bench.paths()).answer
    text = bench.script()
    bench.fault(fault, after=_AFTER, path=answer)
    async with bench.engine(clocks=_SHORT) as engine:
        heard, error = await _heard(engine, bench.request())
    if error is None:  # a service whose answers can be resumed
        require_equal(text, heard, "the answer that broke and went on")
        return
    require(isinstance(error, Interrupted), f"it became {type(error).__name__} ({error}) instead of Interrupted")
    require(error.after_content and error.partial is not None, "nothing was kept of what had come")
    kept = error.partial.text if error.partial else ""
    require_equal(heard, kept, "the part that was kept")
    least = "".join(PIECES[: _AFTER - _PREAMBLE])
    require(text.startswith(kept), f"{kept!r} is no beginning of the answer")
    require(kept.startswith(least), f"{kept!r} lacks some of {least!r}, which had come")
    require_equal((bench.name, ALICE), (error.provider, error.account), "service and account of the error")


async def _keeps_what_came_along(bench: Bench) -> None:
    """An error inside the answer, in the same network read as words before it."""
    answer = (await bench.paths()).answer
    text = bench.script()
    bench.fault("coalesce", count=2 * _AFTER, path=answer)
    bench.sandbox.fault(bench.name, "expired_mid_stream", after=_AFTER, path=answer)
    async with bench.engine(clocks=_SHORT) as engine:
        heard, error = await _heard(engine, bench.request())
    require(error is not None, "an answer with an error inside was taken for a whole one")
    kept = error.partial.text if error and error.partial else ""
    require_equal(heard, kept, "the part that was kept")
    least = "".join(PIECES[: _AFTER - _PREAMBLE])
    require(text.startswith(kept) and kept.startswith(least), f"{kept!r} lacks some of {least!r}, which had come")


async def _heard(engine: Engine, request: Request) -> tuple[str, PolychatError | None]:
    """What a reader hears of an answer that breaks, and the error, unless it went on."""
    heard = ""
    try:
        async with await engine.ask(request) as turn:
            async for batch in turn:
                heard += "".join(event.text for event in batch if isinstance(event, TextDelta))
    except PolychatError as error:
        return heard, error
    return heard, None


async def _waits_no_longer(bench: Bench) -> None:
    answer = (await bench.paths()).answer
    bench.fault("slow_first_byte", delay_s=60, path=answer)
    async with bench.engine(clocks=_SHORT) as engine:
        error = await bench.failed(engine, bench.request())
    require(isinstance(error, IdleTimeout), f"a late first byte became {type(error).__name__} ({error})")
    require_equal("first_event", error.clock if isinstance(error, IdleTimeout) else "", "the clock that ran out")


FAILURE_CHECKS = (
    *(async_check(failure.name, partial(_maps, failure=failure)) for failure in FAILURES),
    async_check("401 once", _signs_in_anew),
    async_check("429 once", _comes_back),
    *(async_check(f"{fault} inside", partial(_keeps_what_came, fault=fault)) for fault in BREAKS),
    async_check("an error and words in one read", _keeps_what_came_along),
    async_check("slow_first_byte", _waits_no_longer),
)
