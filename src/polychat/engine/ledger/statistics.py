"""Which requests are meant, and sums over them: how many, how many failed, tokens, cost, and how long they took.

Percentiles are of the nearest rank: the 95th of twenty is the nineteenth in order. They are found by SQLite, so that a
ledger of a million requests is not read into memory.
"""

from __future__ import annotations

from typing import Any, Literal

import msgspec
from sqlalchemy import Column, ColumnElement, Connection, case, func, select

from polychat.engine.ledger.record import FAILED, Outcome
from polychat.engine.ledger.schema import requests
from polychat.net.clocks import Kind

By = Literal["provider", "model", "account", "key", "day", "outcome", "error", "kind"]


class Filters(msgspec.Struct, frozen=True, kw_only=True):
    """Which requests are meant; what is None does not matter."""

    since: float | None = None  # Unix seconds, included
    until: float | None = None  # Unix seconds, excluded
    provider: str | None = None
    account: str | None = None
    model: str | None = None  # the service's own id
    key: str | None = None
    outcome: Outcome | None = None
    kind: Kind | None = None


ALL = Filters()


class Line(msgspec.Struct, frozen=True, kw_only=True):
    """The sum of some requests."""

    name: str | None  # what they have in common; None: it is not known
    requests: int
    errors: int  # those that failed or were interrupted
    input_tokens: int
    output_tokens: int
    estimated: int  # requests whose tokens are estimates
    cost_usd: float | None  # of those with a price; None where none has one
    unpriced: int  # requests with tokens and without a price
    first_event_p50_s: float | None = None
    first_event_p95_s: float | None = None
    total_p50_s: float | None = None
    total_p95_s: float | None = None


def where(filters: Filters) -> list[ColumnElement[bool]]:
    """The conditions."""
    named = ("provider", "account", "model", "key", "outcome", "kind")
    given = {name: value for name in named if (value := getattr(filters, name)) is not None}
    conditions: list[ColumnElement[bool]] = [requests.c[name] == value for name, value in given.items()]
    if filters.since is not None:
        conditions.append(requests.c.at >= filters.since)
    if filters.until is not None:
        conditions.append(requests.c.at < filters.until)
    return conditions


def lines(connection: Connection, by: By, filters: Filters) -> list[Line]:
    """A line for each of `by`: days in order, anything else with the most requests first."""
    group = _group(by)
    count = func.count().label("requests")
    sums = select(
        group.label("name"),
        count,
        _how_many(requests.c.outcome.in_(FAILED)).label("errors"),
        func.coalesce(func.sum(requests.c.input_tokens), 0).label("input_tokens"),
        func.coalesce(func.sum(requests.c.output_tokens), 0).label("output_tokens"),
        _how_many(requests.c.estimated).label("estimated"),
        func.sum(requests.c.cost_usd).label("cost_usd"),
        _how_many(requests.c.cost_usd.is_(None) & requests.c.input_tokens.is_not(None)).label("unpriced"),
    )
    order = group if by == "day" else count.desc()
    rows = connection.execute(sums.where(*where(filters)).group_by(group).order_by(order, group)).all()
    first = _percentiles(connection, by, requests.c.first_event_s, filters)
    total = _percentiles(connection, by, requests.c.total_s, filters)
    return [
        Line(
            **row._mapping,
            first_event_p50_s=first.get((row.name, 50)),
            first_event_p95_s=first.get((row.name, 95)),
            total_p50_s=total.get((row.name, 50)),
            total_p95_s=total.get((row.name, 95)),
        )
        for row in rows
    ]


def _percentiles(
    connection: Connection, by: By, column: Column[Any], filters: Filters
) -> dict[tuple[str | None, int], float]:
    group = _group(by)
    ranked = (
        select(
            group.label("name"),
            column.label("value"),
            func.row_number().over(partition_by=group, order_by=column).label("rank"),
            func.count().over(partition_by=group).label("size"),
        )
        .where(column.is_not(None), *where(filters))
        .subquery()
    )
    found = {}
    for percent in (50, 95):
        rank = (ranked.c.size * percent + 99) // 100
        for name, value in connection.execute(select(ranked.c.name, ranked.c.value).where(ranked.c.rank == rank)):
            found[name, percent] = value
    return found


def _how_many(condition: ColumnElement[bool]) -> ColumnElement[int]:
    return func.sum(case((condition, 1), else_=0))


def _group(by: By) -> ColumnElement[Any]:
    return func.date(requests.c.at, "unixepoch") if by == "day" else requests.c[by]
