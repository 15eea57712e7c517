"""How far a batch is: counts, tokens and money, the first failures, and what everybody waits for."""

from __future__ import annotations

import time
from typing import NamedTuple

from polychat.errors import PolychatError
from polychat.types import Usage

TOLD = 20  # failures that are kept to be told


class Failed(NamedTuple):
    """A line that came to nothing."""

    custom_id: str
    error: PolychatError


class Tally:
    """How far a batch is; read it while it runs, or afterwards."""

    def __init__(self, total: int, kept: int) -> None:
        self.total = total  # lines to be asked in this run
        self.kept = kept  # answered by an earlier one
        self.done = 0
        self.failed = 0
        self.input_tokens = 0
        self.output_tokens = 0
        self.cost_usd: float | None = None  # of those with a price; None where none has one
        self.unpriced = 0  # answers without a price
        self.failures: list[Failed] = []  # the first ones
        self.alike = True  # every failure says the same
        self.waits_until = 0.0  # `time.monotonic`, of a wait that everybody waits for
        self.why = ""
        self._began = time.monotonic()
        self._ended: float | None = None

    @property
    def left(self) -> int:
        """Lines that are neither answered nor failed."""
        return self.total - self.done - self.failed

    @property
    def seconds(self) -> float:
        """How long it has been running, or ran."""
        return (self._ended or time.monotonic()) - self._began

    def answer(self, usage: Usage, cost_usd: float | None) -> None:
        """One more was answered."""
        self.done += 1
        self.input_tokens += usage.input_tokens or 0
        self.output_tokens += usage.output_tokens or 0
        if cost_usd is None:
            self.unpriced += 1
        else:
            self.cost_usd = (self.cost_usd or 0.0) + cost_usd

    def fail(self, custom_id: str, error: PolychatError) -> None:
        """One more came to nothing."""
        self.failed += 1
        if len(self.failures) < TOLD:
            self.failures.append(Failed(custom_id, error))
        self.alike = self.alike and error.message == self.failures[0].error.message

    def wait(self, until: float, why: str) -> None:
        """Everybody waits."""
        self.waits_until, self.why = until, why

    def begin(self) -> None:
        """The questions begin."""
        self._began = time.monotonic()

    def end(self) -> None:
        """Nothing more comes."""
        self._ended = time.monotonic()
