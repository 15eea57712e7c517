"""The only place that iterates a provider: one turn, its clocks, its grammar, and what is kept when it breaks.

    stream = (content | notice)* Finish

No timeout is held across a `yield`. Once content is out, whatever breaks the answer is `Interrupted` with the part
that came; before that, the failure keeps its own class, so that a caller may go elsewhere.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Sequence
from contextlib import aclosing
from pathlib import Path
from typing import get_args

from polychat.engine import captures
from polychat.engine.flow import late
from polychat.engine.leases import Lease
from polychat.engine.ledger.entry import Entry
from polychat.engine.remedies import remedied
from polychat.errors import FormatChanged, IdleTimeout, Interrupted, PolychatError, TransportProblem
from polychat.fold import Fold
from polychat.net.clocks import Clocks
from polychat.providers.base import Provider
from polychat.types import Event, Finish, QuotaSeen, Request

_EVENTS = frozenset(get_args(Event))


class GrammarError(AssertionError):
    """A provider broke the rules of a stream; raised instead of `FormatChanged` where `strict` is on."""


class Running:
    """One turn of one provider as it goes: its lease, its clocks and what has come so far."""

    def __init__(
        self, lease: Lease, clocks: Clocks, deadline: float | None = None, *, strict: bool, folder: Path | None = None
    ) -> None:
        self.fold = Fold()
        self._lease = lease
        self._folder = folder  # where answers of unknown form are kept, redacted
        self._session = lease.session
        self._clocks = clocks
        self._strict = strict
        self._loop = asyncio.get_running_loop()
        if deadline is None and clocks.total_s is not None:  # otherwise it began to run before this turn
            deadline = self._loop.time() + clocks.total_s
        self._deadline = deadline
        self._begun = False
        self._may_be_silent = False
        self._entry: tuple[Entry, Request] | None = None

    def recorded(self, entry: Entry, request: Request) -> None:
        """The ledger is to be told how this ends; `request` is the question as it was asked."""
        self._entry = entry, request

    async def batches(
        self, provider: Provider, request: Request, finishing: Callable[[Fold], Sequence[Event]]
    ) -> AsyncGenerator[Sequence[Event]]:
        """The provider's batches, checked; `finishing` adds the engine's own events just before `Finish`.

        Raises: any `PolychatError`, knowing service, account and the part that came.
        """
        self._may_be_silent = request.messages[-1].role == "tool"
        why: BaseException | None = None
        try:
            with self._lease as lease:
                chat = provider.chat(self._session, request)
                async with aclosing(chat) as events:  # type: ignore[type-var]  # providers are async generators
                    while True:
                        try:
                            batch = self._take(await self._next(events), finishing)
                        except PolychatError as error:
                            told = self._told(error, request)
                            lease.failed(told)
                            raise told from (error.__cause__ if told is error else error)
                        ended = bool(batch) and type(batch[-1]) is Finish
                        if ended:
                            lease.answered()
                        if batch:
                            yield batch
                        if ended:
                            return
        except BaseException as left:
            why = left
            raise
        finally:
            self._record(why)

    def _record(self, error: BaseException | None) -> None:
        """However it was left, the ledger knows."""
        if self._entry is not None and self._entry[0].is_kept:
            entry, request = self._entry
            entry.ended(request, self.fold.reply(), error=error)

    async def _next(self, events: AsyncIterator[Sequence[Event]]) -> Sequence[Event]:
        clock, limit_s = self._limit()
        try:
            async with asyncio.timeout(limit_s):
                batch = await anext(events)
        except StopAsyncIteration:
            raise Interrupted(f"{self._session.provider} ended the answer without finishing it") from None
        except TimeoutError as error:
            if clock == "total":
                raise late(self._session.provider, None, self._clocks.total_s) from error
            raise IdleTimeout(
                f"{self._session.provider} sent nothing for {limit_s:.0f} s",
                clock=clock,
                hint=f"raise clocks.{clock}_s",
            ) from error
        if not self._begun:
            self._begun = True
            self._lease.spoke()
        return batch

    def _limit(self) -> tuple[str, float | None]:
        """The clock that runs out first for the next batch, and the seconds it has left."""
        name, limit_s = "first_event", self._clocks.first_event_s
        if self._begun:
            name, limit_s = "between_events", self._clocks.between_events_s
        left_s = None if self._deadline is None else max(self._deadline - self._loop.time(), 0.0)
        if left_s is not None and (limit_s is None or left_s < limit_s):
            return "total", left_s
        return name, limit_s

    def _take(self, batch: Sequence[Event], finishing: Callable[[Fold], Sequence[Event]]) -> Sequence[Event]:
        """The batch, checked and folded; the last one with the engine's own events before its `Finish`."""
        self._check(batch)
        if not batch or type(batch[-1]) is not Finish:
            self.fold.add(batch)
            return batch
        self.fold.add(batch[:-1])
        self._not_empty(batch[-1])
        own = finishing(self.fold)
        self.fold.add([*own, batch[-1]])
        return [*batch[:-1], *own, batch[-1]]

    def _not_empty(self, finish: Finish) -> None:
        """An answer of nothing is no success; but who was just told a tool's result may have nothing to add."""
        if finish.reason == "stop" and not self._may_be_silent and self.fold.silent:
            raise FormatChanged(
                f"{self._session.provider} finished an answer without saying anything",
                hint="ask again; if it stays so, the service may have changed: look for a newer polychat",
            )

    def _check(self, batch: Sequence[Event]) -> None:
        for index, event in enumerate(batch):
            if type(event) not in _EVENTS:
                self._broken(f"yielded {type(event).__name__}, which is no event")
            if type(event) is Finish and index != len(batch) - 1:
                self._broken("yielded something after Finish")
            if type(event) is QuotaSeen:
                self._lease.told(event)

    def _broken(self, what: str) -> None:
        sentence = f"the {self._session.provider} provider {what}"
        if self._strict:
            raise GrammarError(sentence)
        raise FormatChanged(sentence)

    def _told(self, error: PolychatError, request: Request) -> PolychatError:
        partial = self.fold.reply()
        if isinstance(error, FormatChanged) and self._folder is not None:
            error.located(self._session.provider, None)
            if kept := captures.keep(error, self._folder):
                error.hinted(f"look for a newer polychat; if there is none, report it with {kept} (it holds no words)")
        if not partial.empty and isinstance(error, FormatChanged | TransportProblem):
            error = Interrupted(f"the answer was interrupted: {error.message}", hint=error.hint)
        error.partial = partial
        return remedied(self._session.own(error), self._lease.entry, request)
