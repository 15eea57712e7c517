"""One request from its first moment to its record.

    entry = Entry(ledger.put, wanted=request.model, stream=request.stream)
    entry.placed("reka", "reka-core", "work")       # an account was found for it
    with entry.recording(request, fold.reply):      # however this is left, there is one record
        ...
        entry.began()                               # the first batch is here

An entry without a place to put its record costs next to nothing and keeps nothing. `recorded` is the pure part: from
what is known at the end to the `Record`.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Self

import msgspec

from polychat.engine.ledger import estimate, prices
from polychat.engine.ledger.content import content
from polychat.engine.ledger.record import Outcome, Record, Store, new_id
from polychat.errors import Interrupted, PolychatError
from polychat.net.clocks import Kind
from polychat.types import Reply, Request, Usage

_NOTHING = Reply()
_LEFT = (GeneratorExit, asyncio.CancelledError, KeyboardInterrupt)
_INTERNAL = "internal_error"  # a mistake of ours, which has no code


class Asked(msgspec.Struct, frozen=True, kw_only=True):
    """What is known of a request before it is answered."""

    wanted: str  # the model in the caller's words
    at: float  # Unix seconds
    kind: Kind = "chat"
    key: str | None = None  # the name of the gateway's key
    stream: bool = False
    provider: str | None = None
    model: str | None = None
    account: str | None = None


class Times(msgspec.Struct, frozen=True, kw_only=True):
    """How long things took, in seconds from the moment of asking; None what did not happen."""

    wait_s: float | None = None  # until there was a free place at the account
    first_event_s: float | None = None
    total_s: float | None = None


def recorded(
    asked: Asked,
    times: Times,
    *,
    request: Request | None = None,
    reply: Reply = _NOTHING,
    usage: Usage | None = None,
    error: BaseException | None = None,
    attempts: int = 1,
    store: Store = "facts",
    priced: bool = True,
) -> Record:
    """The record of a request that has ended.

    `request` and `reply` are of a chat; another call gives the `usage` that it was told. `error` is what ended it: a
    `PolychatError`, or what is raised in one who leaves. An answer whose `Finish` came is whole, whatever came after.
    Not `priced` is what costs nothing, as an emulated service does.
    """
    outcome = outcome_of(reply, error)
    if request is not None and usage is None:
        usage = reply.usage if outcome == "error" else estimate.usage(request, reply)
    counted = usage or Usage()
    known = error if isinstance(error, PolychatError) and outcome != "ok" else None
    return Record(
        id=new_id(asked.at),
        **msgspec.structs.asdict(asked),
        **msgspec.structs.asdict(times),
        input_tokens=counted.input_tokens,
        output_tokens=counted.output_tokens,
        cached_input_tokens=counted.cached_input_tokens,
        reasoning_tokens=counted.reasoning_tokens,
        estimated=counted.estimated,
        cost_usd=_cost(asked, counted) if priced else None,
        attempts=attempts,
        outcome=outcome,
        error=_code(outcome, error),
        upstream_status=known.upstream_status if known else None,
        request_id=known.request_id if known else None,
        finish=reply.finish.reason if reply.finish else None,
        content=content(request, reply) if store == "full" and request is not None else None,
    )


def _cost(asked: Asked, usage: Usage) -> float | None:
    return prices.cost(asked.provider, asked.model, usage) if asked.provider and asked.model else None


def outcome_of(reply: Reply, error: BaseException | None) -> Outcome:
    """How a request ended."""
    if error is None or reply.finish is not None:
        return "ok"
    if isinstance(error, _LEFT):
        return "cancelled"
    return "interrupted" if isinstance(error, Interrupted) else "error"


def _code(outcome: Outcome, error: BaseException | None) -> str | None:
    if outcome in ("ok", "cancelled"):
        return None
    return error.code if isinstance(error, PolychatError) else _INTERNAL


class Entry:
    """A request that is on its way. `put` takes its record; with None nothing is kept.

    `store` is "full" where the words are kept too; not `priced` is what costs nothing whatever its model. `clock` runs
    evenly, `now` is Unix time, both in seconds.
    """

    def __init__(
        self,
        put: Callable[[Record], None] | None,
        *,
        wanted: str,
        kind: Kind = "chat",
        key: str | None = None,
        stream: bool = False,
        store: Store = "facts",
        priced: bool = True,
        clock: Callable[[], float] = time.monotonic,
        now: Callable[[], float] = time.time,
    ) -> None:
        self._put = put
        self._store = store
        self._priced = priced
        self._clock = clock
        self._since = clock()
        self._asked = Asked(wanted=wanted, at=now(), kind=kind, key=key, stream=stream)
        self._wait_s: float | None = None
        self._first_event_s: float | None = None
        self.attempts = 1

    @property
    def is_kept(self) -> bool:
        """True while somebody waits for the record."""
        return self._put is not None

    def placed(self, provider: str, model: str, account: str) -> None:
        """There is an account for it, and a free place there. A later call is of a further attempt."""
        if self._asked.account is not None:
            self.attempts += 1
        self._asked = msgspec.structs.replace(self._asked, provider=provider, model=model, account=account)
        self._wait_s = self._clock() - self._since

    def began(self) -> None:
        """Something of the answer is here; the first call counts."""
        if self._first_event_s is None:
            self._first_event_s = self._clock() - self._since

    def ended(
        self,
        request: Request | None = None,
        reply: Reply = _NOTHING,
        *,
        usage: Usage | None = None,
        error: BaseException | None = None,
    ) -> None:
        """Put the record, as `recorded` makes it; the first call counts."""
        put, self._put = self._put, None
        if put is None:
            return
        times = Times(wait_s=self._wait_s, first_event_s=self._first_event_s, total_s=self._clock() - self._since)
        put(
            recorded(
                self._asked,
                times,
                request=request,
                reply=reply,
                usage=usage,
                error=error,
                attempts=self.attempts,
                store=self._store,
                priced=self._priced,
            )
        )

    @contextmanager
    def recording(
        self, request: Request | None = None, reply: Callable[[], Reply] | None = None, *, whole: bool = True
    ) -> Iterator[Self]:
        """What is raised inside is how it ended, with as much of the `reply` as there is then.

        Leaving without an error ends it too, unless it is not the `whole`: an answer that goes on elsewhere. May be
        used at more than one place of one request: the first end counts.
        """
        try:
            yield self
        except BaseException as error:
            self._end(request, reply, error)
            raise
        if whole:
            self._end(request, reply, None)

    def _end(self, request: Request | None, reply: Callable[[], Reply] | None, error: BaseException | None) -> None:
        if self._put is not None:  # a reply is not put together for nothing
            self.ended(request, reply() if reply else _NOTHING, error=error)
