"""Who would be asked, and why the others would not, as a table."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

import click

from polychat.cli.phrases import table

if TYPE_CHECKING:
    from polychat.engine.planning import Considered

_COLOURS = {"in": "green", "last": "yellow", "out": "red"}


def explained(considered: Sequence[Considered]) -> Iterator[str]:
    """The lines of the table: those who may be asked, numbered in order, then the others."""
    heads = [click.style(head, bold=True) for head in ("ORDER", "MODEL", "ACCOUNT", "WHY")]
    rows = [heads]
    order = 0
    for one in considered:
        order += one.verdict != "out"
        mark = "out" if one.verdict == "out" else str(order)
        rows.append([click.style(mark, fg=_COLOURS[one.verdict]), one.model, one.account or "-", _why(one)])
    yield from table(rows)


def _why(one: Considered) -> str:
    place = click.style(f" ({one.place})", dim=True) if one.place else ""
    return one.why + place
