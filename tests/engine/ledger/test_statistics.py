"""Sums over requests."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from polychat.engine.ledger.reader import Reader
from polychat.engine.ledger.record import Record
from polychat.engine.ledger.statistics import By, Filters, Line
from polychat.engine.ledger.writer import Ledger

Make = Callable[..., Record]
DAY_S = 86_400.0


def summed(path: Path, records: Sequence[Record], by: By, filters: Filters | None = None) -> list[Line]:
    """The sums over these requests."""
    path.unlink(missing_ok=True)
    ledger = Ledger(path)
    for record in records:
        ledger.put(record)
    ledger.close()
    with Reader(path) as reader:
        return reader.stats(by, filters or Filters())


def test_everything_is_summed_for_each(path: Path, record: Make) -> None:
    """Requests, failures, tokens, cost, and the two percentiles of both times; the busiest first."""
    records = [
        record(input_tokens=10, output_tokens=1, cost_usd=0.5, first_event_s=0.1, total_s=1.0),
        record(input_tokens=20, output_tokens=2, cost_usd=0.25, first_event_s=0.3, total_s=3.0, estimated=True),
        record(outcome="error", total_s=2.0),
        record(provider="openai", outcome="cancelled", input_tokens=4, output_tokens=0, estimated=True),
        record(provider="openai", outcome="cancelled", input_tokens=4, output_tokens=0, estimated=True),
    ]
    assert summed(path, records, "provider") == [
        Line(
            name="reka", requests=3, errors=1, input_tokens=30, output_tokens=3, estimated=1, cost_usd=0.75, unpriced=0,
            first_event_p50_s=0.1, first_event_p95_s=0.3, total_p50_s=2.0, total_p95_s=3.0,
        ),
        Line(
            name="openai", requests=2, errors=0, input_tokens=8, output_tokens=0, estimated=2, cost_usd=None,
            unpriced=2,
        ),
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("by", "names"),
    [
        ("provider", ["reka", "openai"]),
        ("model", ["reka-core", "gpt-4o"]),
        ("account", ["work", "home"]),
        ("key", [None, "laptop"]),
        ("day", ["1970-01-01", "1970-01-02"]),
        ("outcome", ["ok", "error"]),
        ("error", [None, "rate_limited"]),
        ("kind", ["chat", "speech"]),
    ],
)
def test_sums_by(by: By, names: list[str | None], path: Path, record: Make) -> None:
    """Whatever requests may have in common; days are in order."""
    other = record(
        at=DAY_S, provider="openai", model="gpt-4o", account="home", key="laptop", outcome="error",
        error="rate_limited", kind="speech",
    )  # fmt: skip
    lines = summed(path, [record(at=1.0), record(at=2.0), other], by)
    assert [(line.name, line.requests) for line in lines] == list(zip(names, (2, 1), strict=True))


def test_sums_are_of_what_is_meant(path: Path, record: Make) -> None:
    """Filters hold for the sums and for the percentiles."""
    records = [record(at=float(at), total_s=float(at)) for at in range(1, 11)]
    (line,) = summed(path, records, "provider", Filters(since=6))
    assert (line.requests, line.total_p50_s, line.total_p95_s) == (5, 8.0, 10.0)


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(times=st.lists(st.integers(0, 9), min_size=1, max_size=41))
def test_percentiles_are_of_the_nearest_rank(times: list[int], path: Path, record: Make) -> None:
    """The smallest value that so many of a hundred do not exceed."""
    (line,) = summed(path, [record(total_s=float(one)) for one in times], "provider")

    def smallest(percent: int) -> float:
        return min(one for one in times if 100 * sum(other <= one for other in times) >= percent * len(times))

    assert (line.total_p50_s, line.total_p95_s) == (smallest(50), smallest(95))
