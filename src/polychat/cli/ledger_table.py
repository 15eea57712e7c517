"""Requests as a table, as wide as there is room for; one request in full; sums as a table.

What a caller wrote and what a service sent is stripped of control characters: a name must not steer the terminal.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING, Generic, NamedTuple, TypeVar

import click

from polychat.cli.phrases import moment, shortened, table
from polychat.cli.terminal import harmless

if TYPE_CHECKING:
    from polychat.engine.ledger.record import Record
    from polychat.engine.ledger.statistics import Line

T = TypeVar("T")
_SHORT_ID = 13  # the time to the millisecond and a little more: enough to be the only one
_COLOURS = {"ok": "green", "cancelled": "yellow", "interrupted": "red", "error": "red"}
_UNKNOWN = "-"


class Column(NamedTuple, Generic[T]):
    """A heading, and what stands below it."""

    heading: str
    cell: Callable[[T], str]


# ---------------------------------------------------------------- words


def count(number: int | None) -> str:
    """1,204, - where nobody knows."""
    return _UNKNOWN if number is None else f"{number:,}"


def cost(usd: float | None) -> str:
    """$0.0042, $12.30, - where no price is known."""
    if usd is None:
        return _UNKNOWN
    return f"${usd:.2f}" if usd >= 1 or usd == 0 else f"${usd:.4f}"


def duration(seconds: float | None) -> str:
    """480 ms, 2.1 s, 75 s, - where nothing came."""
    if seconds is None:
        return _UNKNOWN
    if seconds < 1:
        return f"{seconds * 1000:.0f} ms"
    return f"{seconds:.1f} s" if seconds < 60 else f"{seconds:.0f} s"


def _at(record: Record) -> str:
    return time.strftime("%Y-%m-%d %H:%M:%S", time.gmtime(record.at))


def _clock(record: Record) -> str:
    return time.strftime("%H:%M:%S", time.gmtime(record.at))


def _asked(record: Record) -> str:
    return harmless(f"{record.provider}/{record.model}" if record.provider else record.wanted)


def _tokens(record: Record) -> str:
    if record.input_tokens is None and record.output_tokens is None:
        return _UNKNOWN
    about = "~" if record.estimated else ""
    return f"{about}{count(record.input_tokens)} > {about}{count(record.output_tokens)}"


def _outcome(record: Record) -> str:
    words = harmless(record.error or record.outcome).replace("_", " ")
    return click.style(words, fg=_COLOURS.get(record.outcome))


# ---------------------------------------------------------------- requests

_ID: Column[Record] = Column("ID", lambda one: one.id[:_SHORT_ID])
_WHEN: Column[Record] = Column("ASKED (UTC)", _at)
_TIME: Column[Record] = Column("UTC", _clock)
_MODEL: Column[Record] = Column("MODEL", lambda one: shortened(_asked(one), 48))
_SHORT_MODEL: Column[Record] = Column("MODEL", lambda one: shortened(_asked(one), 24))
_ACCOUNT: Column[Record] = Column("ACCOUNT", lambda one: shortened(harmless(one.account or _UNKNOWN), 24))
_KEY: Column[Record] = Column("KEY", lambda one: shortened(harmless(one.key or _UNKNOWN), 16))
_OUTCOME: Column[Record] = Column("OUTCOME", _outcome)
_TOKENS: Column[Record] = Column("TOKENS", _tokens)
_COST: Column[Record] = Column("COST", lambda one: cost(one.cost_usd))
_FIRST: Column[Record] = Column("FIRST", lambda one: duration(one.first_event_s))
_TOTAL: Column[Record] = Column("TOTAL", lambda one: duration(one.total_s))
_VIEWS: tuple[tuple[Column[Record], ...], ...] = (  # from wide to narrow
    (_ID, _WHEN, _MODEL, _ACCOUNT, _KEY, _OUTCOME, _TOKENS, _COST, _FIRST, _TOTAL),
    (_ID, _WHEN, _MODEL, _ACCOUNT, _OUTCOME, _TOKENS, _COST, _TOTAL),
    (_ID, _TIME, _MODEL, _OUTCOME, _TOKENS, _COST, _TOTAL),
    (_ID, _TIME, _SHORT_MODEL, _OUTCOME, _TOTAL),
    (_ID, _SHORT_MODEL, _OUTCOME),
)


def listed(records: Sequence[Record], columns: int | None) -> Iterator[str]:
    """The table, in so many columns where it fits; a legend where a number needs one."""
    yield from _fitting(_VIEWS, records, columns)
    if any(one.estimated for one in records):
        yield ""
        yield click.style("~ is an estimate: the service did not tell its tokens", dim=True)


def followed(record: Record) -> str:
    """One request as a line of its own, for a list that grows."""
    cells = (_at(record), _asked(record), harmless(record.account or _UNKNOWN), _outcome(record))
    return "  ".join((*cells, _tokens(record), cost(record.cost_usd), duration(record.total_s)))


def shown(record: Record, now: float) -> Iterator[str]:
    """One request in full; what is not known is left out."""
    yield from table([row for row in _about(record, now) if row[1]])
    if record.content is not None:
        yield ""
        yield from _words(record.content)


def _about(one: Record, now: float) -> Iterator[tuple[str, str]]:
    yield "id", one.id
    yield "asked", moment(one.at, now)
    yield "kind", one.kind + (", streamed" if one.stream else "")
    yield "wanted", harmless(one.wanted)
    yield "model", _asked(one) if one.provider else ""
    yield "account", harmless(one.account or "")
    yield "key", harmless(one.key or "")
    yield "outcome", click.style(one.outcome, fg=_COLOURS.get(one.outcome))
    yield "error", one.error or ""
    yield "status", str(one.upstream_status or "")
    yield "request id", harmless(one.request_id or "")
    yield "finish", one.finish or ""
    yield "attempts", str(one.attempts) if one.attempts > 1 else ""
    estimated = ", estimated" if one.estimated else ""
    yield "input", _numbered(one.input_tokens, one.cached_input_tokens, "from the cache") + estimated
    yield "output", _numbered(one.output_tokens, one.reasoning_tokens, "for reasoning") + estimated
    yield "cost", cost(one.cost_usd) if one.cost_usd is not None else "no price is known"
    yield "waited", duration(one.wait_s) if one.wait_s is not None and one.wait_s >= 0.001 else ""
    yield "first event", duration(one.first_event_s) if one.first_event_s is not None else ""
    yield "total", duration(one.total_s) if one.total_s is not None else ""


def _numbered(tokens: int | None, part: int | None, what: str) -> str:
    if tokens is None:
        return "not known"
    return f"{count(tokens)} tokens" + (f", {count(part)} {what}" if part else "")


def _words(content: str) -> Iterator[str]:
    """The messages and the answer, each below its role."""
    import json

    turn = json.loads(content)
    for message in (*turn["messages"], turn["reply"]):
        yield click.style(f"{message['role']}:", bold=True)
        for part in message["parts"]:
            yield harmless(part["text"] if "text" in part else json.dumps(part, ensure_ascii=False))
        for call in message.get("tool_calls", ()):
            yield harmless(f"{call['name']}({call['arguments']})")


# ---------------------------------------------------------------- sums


def summed(by: str, lines: Sequence[Line], columns: int | None) -> Iterator[str]:
    """The sums as a table, and what they leave out."""
    name: Column[Line] = Column(by.upper(), lambda one: shortened(harmless(one.name or _UNKNOWN), 40))
    counts: tuple[Column[Line], ...] = (
        Column("REQUESTS", lambda one: count(one.requests)),
        Column("ERRORS", lambda one: click.style(count(one.errors), fg="red" if one.errors else None)),
    )
    tokens: tuple[Column[Line], ...] = (
        Column("INPUT", lambda one: count(one.input_tokens)),
        Column("OUTPUT", lambda one: count(one.output_tokens)),
    )
    paid: Column[Line] = Column("COST", lambda one: cost(one.cost_usd))
    times: tuple[Column[Line], ...] = (
        Column("FIRST P50", lambda one: duration(one.first_event_p50_s)),
        Column("P95", lambda one: duration(one.first_event_p95_s)),
        Column("TOTAL P50", lambda one: duration(one.total_p50_s)),
        Column("P95", lambda one: duration(one.total_p95_s)),
    )
    views = ((name, *counts, *tokens, paid, *times), (name, *counts, *tokens, paid), (name, *counts, paid))
    yield from _fitting(views, lines, columns)
    if remarks := _left_out(lines):
        yield ""
        yield click.style(remarks, dim=True)


def _left_out(lines: Sequence[Line]) -> str:
    unpriced, estimated = sum(one.unpriced for one in lines), sum(one.estimated for one in lines)
    remarks = []
    if unpriced:
        remarks.append(f"no price is known for {_requests(unpriced)}")
    if estimated:
        remarks.append(f"the tokens of {_requests(estimated)} are estimates")
    return "; ".join(remarks)


def _requests(number: int) -> str:
    return f"{count(number)} request{'' if number == 1 else 's'}"


# ---------------------------------------------------------------- as wide as there is room for


def _fitting(views: Sequence[Sequence[Column[T]]], rows: Sequence[T], columns: int | None) -> Iterator[str]:
    """The widest view that fits, or else the narrowest, its headings in bold."""
    drawn = [table([[column.heading for column in view], *([column.cell(row) for column in view] for row in rows)])
             for view in views]  # fmt: skip
    fitting = (
        lines for lines in drawn if columns is None or max(len(click.unstyle(line)) for line in lines) <= columns
    )
    heading, *lines = next(fitting, drawn[-1])
    yield click.style(heading, bold=True)
    yield from lines
