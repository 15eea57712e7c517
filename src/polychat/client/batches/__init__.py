"""Many questions from a file, their answers into another, in the lines of OpenAI's Batch API.

    with Batch("in.jsonl", "out.jsonl") as batch:      # every line is checked, nothing is sent
        async with AsyncClient() as client:
            tally = await batch.run(client, concurrency=8)

Answers are written as they come, each as one whole line. A line that fails does not end the batch: it is written too,
and `resume=True` asks those again that are not answered. What a service asks to wait for is waited for. A question is
asked again only where that cannot do a thing twice, which the engine decides by the error.
"""

from __future__ import annotations

import asyncio
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import BinaryIO, Self

from polychat.client.aio import AsyncClient
from polychat.client.batches.lines import Lines
from polychat.client.batches.output import Output, refuse_taken
from polychat.client.batches.runs import Run
from polychat.client.batches.tally import Tally
from polychat.errors import BadOption, PolychatError
from polychat.net.retry import RetryPolicy

_SYNC_S = 1.0
_LONGEST_BACKOFF_S = 60.0


class Batch:
    """The questions of `source` and the file for their answers; a context manager that lets go of both.

    resume: go on with `output`. limit: ask only so many of the lines that are still to do. stdin: what the source -
    stands for.

    Raises: `BadOption` for a wrong line, or an output that is taken; `ConfigError` for files that cannot be used.
    """

    def __init__(
        self,
        source: Path | str,
        output: Path | str,
        *,
        resume: bool = False,
        limit: int | None = None,
        stdin: BinaryIO | None = None,
    ) -> None:
        path = Path(output)
        if not resume:
            refuse_taken(path)
        if path.exists() and Path(source).exists() and path.samefile(source):
            raise BadOption("the answers cannot go into the file of the questions", field="output")
        self.lines = Lines(source, stdin)
        self.strangers = 0  # answers in the output to lines that the source has not
        try:
            self._output = Output(path)
        except PolychatError:
            self.lines.close()
            raise
        try:
            self.tally = self._begun(resume, limit)
        except BaseException:
            self.close()
            raise

    def _begun(self, resume: bool, limit: int | None) -> Tally:
        index = self.lines.index
        if resume:
            self._output.resume(self._finished)
        kept = len(index) - index.to_do()
        if limit is not None:
            index.limit(limit)
        return Tally(index.to_do(), kept)

    def _finished(self, custom_id: str) -> None:
        if not self.lines.index.finished(custom_id):
            self.strangers += 1

    async def run(
        self,
        client: AsyncClient,
        *,
        concurrency: int = 4,
        retries: int = 2,
        pace_s: float = 0.0,
        backoff_s: float = 1.0,
    ) -> Tally:
        """Ask all that is to do, at most `concurrency` at once, and as many as each account allows.

        A line that failed of what may pass is asked up to `retries` times more: after the wait that the service asked
        for, or after all other lines and `backoff_s`, doubled each time. `pace_s` lies between two questions to one
        service. When cancelled, what is answered is written.

        Raises: `ConfigError` where the output cannot be written, or the source was changed.
        """
        policy = RetryPolicy(attempts=retries + 1, base_s=backoff_s, cap_s=_LONGEST_BACKOFF_S)
        run = Run(self.lines, self._output, self.tally, client, places=concurrency, policy=policy, pace_s=pace_s)
        self.tally.begin()
        syncing = asyncio.create_task(self._sync_often())
        try:
            await run.all_rounds()
        finally:
            syncing.cancel()
            with suppress(asyncio.CancelledError):
                await syncing
            self.tally.end()
        return self.tally

    async def _sync_often(self) -> None:
        while True:
            await asyncio.sleep(_SYNC_S)
            await asyncio.to_thread(self._output.sync)

    def close(self) -> None:
        """Everything is on the disk."""
        self.lines.close()
        self._output.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()
