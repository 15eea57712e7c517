"""Which question of a batch comes next: as many at once as may be, none where a wait is due.

Questions to one model with one account stand in a lane. A lane rests while its service asks for patience; then one
question goes ahead, and the others follow when it was answered. Lanes of one service share the places that its accounts
have, and the pace. Other lanes go on meanwhile. So many questions are held back in memory, without their words; when
they are too many, nothing more is read until one may go.
"""

from __future__ import annotations

import asyncio
import math
import time
from collections import deque
from collections.abc import Callable, Hashable, Iterator
from contextlib import suppress

from polychat.client.batches.lines import Row

HELD = 1_000  # questions that wait, before reading stops


class Service:
    """What lanes share: `room` questions at once, each `interval_s` after the one before."""

    def __init__(self, room: int | None, interval_s: float) -> None:
        self.room = math.inf if room is None else room
        self.interval_s = interval_s
        self.running = 0
        self.next_at = 0.0

    def ready_at(self) -> float:
        """When one more may go; never before one has ended where there is no room."""
        return self.next_at if self.running < self.room else math.inf

    def started(self, now: float) -> None:
        """One more goes."""
        self.running += 1
        self.next_at = max(now, self.next_at) + self.interval_s


class Lane:
    """Questions that wait for the same."""

    def __init__(self, key: Hashable, service: Service) -> None:
        self.key = key
        self.service = service
        self.running = 0
        self.held: deque[Job] = deque()
        self.free_at = 0.0
        self.why = ""
        self._resting = False
        self._ahead: Job | None = None  # the one that goes before the others after a rest

    @property
    def empty(self) -> bool:
        """True when nobody is in it and no wait is due."""
        return not (self.held or self.running or self._resting)

    def ready_at(self) -> float:
        """When its next question may go."""
        if self._resting and self._ahead is not None:
            return math.inf
        return max(self.free_at, self.service.ready_at())

    def started(self, now: float) -> Job:
        """Its next question, on its way."""
        job = self.held.popleft()
        self.running += 1
        self.service.started(now)
        if self._resting:
            self._ahead = job
        return job

    def rest(self, job: Job, until: float, why: str) -> None:
        """`job` comes back: nobody may go before `until`."""
        self.ended(job)
        self._resting = True
        self.free_at = max(self.free_at, until)
        self.why = why
        self.held.appendleft(job)

    def ended(self, job: Job) -> None:
        """`job` is over, one way or the other."""
        self.running -= 1
        self.service.running -= 1
        if self._ahead is job:
            self._ahead = None
            self._resting = False
            self.why = ""


class Job:
    """A question on its way through a lane."""

    __slots__ = ("lane", "row", "waits")

    def __init__(self, row: Row, lane: Lane) -> None:
        self.row = row
        self.lane = lane
        self.waits = 0  # how often it came back without having been sent


class Lanes:
    """The questions `rows` of one round. `place_of` says in which lane one stands, by any name, and of which service;
    `waiting` hears until when (`time.monotonic`) everybody waits because a service asked for it, and why.
    """

    def __init__(
        self,
        rows: Iterator[Row],
        place_of: Callable[[Row], tuple[Hashable, Service]],
        waiting: Callable[[float, str], None],
    ) -> None:
        self._rows = rows
        self._place_of = place_of
        self._waiting = waiting
        self._lanes: dict[Hashable, Lane] = {}  # those with somebody in them
        self._held = 0
        self._running = 0
        self._changed = asyncio.Event()

    async def next(self) -> Job | None:
        """The next question that may go, when it may; None when all have gone and none comes back."""
        while True:
            if (job := self._first(time.monotonic())) is not None:
                return job
            if self._held < HELD and (row := next(self._rows, None)) is not None:
                self._hold(row)
            elif self._held or self._running:
                await self._change()
            else:
                return None

    def ended(self, job: Job) -> None:
        """`job` is over, one way or the other."""
        job.lane.ended(job)
        self._left(job)

    def rest(self, job: Job, seconds: float, why: str) -> None:
        """`job` comes back after so many seconds; its lane waits as long."""
        job.lane.rest(job, time.monotonic() + seconds, why)
        self._held += 1
        self._left(job)

    def _left(self, job: Job) -> None:
        self._running -= 1
        if job.lane.empty:
            self._lanes.pop(job.lane.key, None)
        self._changed.set()

    def _hold(self, row: Row) -> None:
        key, service = self._place_of(row)
        lane = self._lanes.get(key)
        if lane is None:
            lane = self._lanes[key] = Lane(key, service)
        lane.held.append(Job(row, lane))
        self._held += 1

    def _first(self, now: float) -> Job | None:
        """The question that may go first, on its way; None when none may go yet."""
        if not self._held:
            return None
        lane = self._soonest()
        if lane.ready_at() > now:
            return None
        self._held -= 1
        self._running += 1
        return lane.started(now)

    def _soonest(self) -> Lane:
        return min((lane for lane in self._lanes.values() if lane.held), key=Lane.ready_at)

    async def _change(self) -> None:
        """Until one may go, or something else has changed."""
        self._changed.clear()
        until = math.inf
        if self._held:
            lane = self._soonest()
            until = lane.ready_at()
            if lane.why and not self._running:
                self._waiting(until, lane.why)
        with suppress(TimeoutError):
            async with asyncio.timeout(None if until == math.inf else max(0.0, until - time.monotonic())):
                await self._changed.wait()
