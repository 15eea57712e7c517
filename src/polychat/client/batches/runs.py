"""One run through the lines of a batch that are still to do: round by round, a task for each question.

A round asks each line once. What failed of what may pass is asked again in the next round, after all others; what came
with a wait is asked again in the same one, when the wait is over.
"""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import Hashable

from polychat.client.aio import AsyncClient
from polychat.client.batches.answers import answered, failed
from polychat.client.batches.lanes import Job, Lanes, Service
from polychat.client.batches.lines import Line, Lines, Row
from polychat.client.batches.output import Output
from polychat.client.batches.questions import asked, may_pass, word
from polychat.client.batches.tally import Tally
from polychat.errors import ConfigError, PolychatError
from polychat.net.retry import RetryPolicy

_SHORTEST_WAIT_S = 0.05
_UNSENT = 20  # waits of one question that was never sent, before they count as asking it


class Run:
    """One run: `places` questions at once, `policy` says how often each and what lies between rounds."""

    def __init__(
        self,
        lines: Lines,
        output: Output,
        tally: Tally,
        client: AsyncClient,
        *,
        places: int,
        policy: RetryPolicy,
        pace_s: float,
    ) -> None:
        self._lines = lines
        self._output = output
        self._tally = tally
        self._client = client
        self._places = asyncio.Semaphore(places)
        self._policy = policy
        self._pace_s = pace_s
        self._services: dict[tuple[str, str | None], Service] = {}
        self._round = 0

    async def all_rounds(self) -> None:
        """Each line once, then those again that failed of what may pass."""
        while self._lines.index.to_do(self._round):
            lanes = Lanes(self._lines.index.rows(self._round), self._place, self._tally.wait)
            await self._whole_round(lanes)
            self._round += 1
            if self._lines.index.to_do(self._round):
                await self._back_off()

    async def _back_off(self) -> None:
        delay_s = self._policy.delay_s(self._round, None, random.random) or 0.0
        self._tally.wait(time.monotonic() + delay_s, "some lines failed and are asked again")
        await asyncio.sleep(delay_s)

    async def _whole_round(self, lanes: Lanes) -> None:
        try:
            async with asyncio.TaskGroup() as tasks:
                while True:
                    await self._places.acquire()
                    job = await lanes.next()
                    if job is None:
                        self._places.release()
                        return
                    tasks.create_task(self._ask(job, lanes))
        except BaseExceptionGroup as several:
            raise several.exceptions[0] from None

    async def _ask(self, job: Job, lanes: Lanes) -> None:
        try:
            line = self._lines.read(job.row)
            try:
                answer = await asked(self._client, line)
            except PolychatError as error:
                self._came_to_nothing(job, line, error, lanes)
            else:
                self._output.write(answered(line.custom_id, answer.body))
                self._tally.answer(answer.usage, answer.cost_usd)
                lanes.ended(job)
        finally:
            self._places.release()

    def _came_to_nothing(self, job: Job, line: Line, error: PolychatError, lanes: Lanes) -> None:
        """Ask again after a wait, or after all others, or write that it failed."""
        wait_s = error.retry_after_s
        passes = may_pass(error, line)
        if passes and wait_s is not None and error.upstream_status is None and job.waits < _UNSENT:
            job.waits += 1  # an account or a service that the engine leaves alone; nothing was sent
        elif passes and job.row.tries < self._policy.attempts - 1:
            job.row = job.row._replace(tries=job.row.tries + 1)
        else:
            self._output.write(failed(line.custom_id, error))
            self._tally.fail(line.custom_id, error)
            lanes.ended(job)
            return
        if wait_s is not None:
            lanes.rest(job, max(wait_s, _SHORTEST_WAIT_S), error.message)
        else:
            self._lines.index.again(job.row, self._round + 1)
            lanes.ended(job)

    # ------------------------------------------------------------ who is asked

    def _place(self, row: Row) -> tuple[Hashable, Service]:
        """The lane of a question, and the service that it leads to first."""
        line = self._lines.read(row)
        model, account = word(line.body, "model"), word(line.body, "account") or self._client.account
        return (line.url, model, account), self._service(model, account)

    def _service(self, model: str | None, account: str | None) -> Service:
        try:
            name = self._client.route(model).provider
        except ConfigError:
            return Service(None, 0.0)  # nobody is asked
        service = self._services.get((name, account))
        if service is None:
            service = self._services[name, account] = Service(self._room(name, account), self._pace_s)
        return service

    def _room(self, provider: str, account: str | None) -> int:
        """How many questions its accounts take at once, or the one that is named."""
        engine = self._client.engine
        usual = engine.service(provider).info.concurrency
        usual = engine.settings.concurrency.get(provider, usual)
        names = [entry.name for entry in engine.vault.entries(provider) if account in (None, entry.name)]
        return sum(engine.settings.concurrency.get(name, usual) for name in names) or usual
