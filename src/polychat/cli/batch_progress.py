"""How far a batch is, on stderr: a bar where it can be drawn, otherwise a line every ten seconds."""

from __future__ import annotations

import asyncio
import sys
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from typing import TYPE_CHECKING

from polychat.cli.terminal import draws, harmless, note

if TYPE_CHECKING:
    from polychat.client.batches.tally import Tally

_LINE_S = 10.0
_BAR_S = 0.1


@asynccontextmanager
async def shown(tally: Tally) -> AsyncIterator[None]:
    """Show it as long as the context lasts."""
    showing = asyncio.create_task((_drawn if draws(sys.stderr) else _told)(tally))
    try:
        yield
    finally:
        showing.cancel()
        with suppress(asyncio.CancelledError):
            await showing


def line(tally: Tally, *, ended: bool = False) -> str:
    """12 of 20 answered, 1 failed, 3,400 tokens, 4.2 s."""
    if ended and not tally.total:
        return f"nothing to ask: {tally.kept:,} lines are answered already" if tally.kept else "there are no lines"
    words = [f"{tally.done:,} of {tally.total:,} answered"]
    words += [f"{tally.failed:,} failed"] if tally.failed else []
    words += [f"{tally.kept:,} were answered before"] if tally.kept else []
    return ", ".join(words + _spent(tally)) + ("" if ended else _waiting(tally))


def _spent(tally: Tally) -> list[str]:
    words = [f"{tally.input_tokens + tally.output_tokens:,} tokens", _time(tally.seconds)]
    if tally.cost_usd is not None:
        more = f" and {tally.unpriced:,} without a price" if tally.unpriced else ""
        words.append(f"${tally.cost_usd:,.4f}{more}")
    return words


def _time(seconds: float) -> str:
    if seconds < 60:
        return f"{seconds:.1f} s"
    minutes, rest = divmod(int(seconds), 60)
    return f"{minutes} min {rest} s" if minutes < 60 else f"{minutes // 60} h {minutes % 60} min"


def _waiting(tally: Tally) -> str:
    left_s = tally.waits_until - time.monotonic()
    return f"; waiting {_time(left_s)}: {harmless(tally.why)}" if left_s > 0 else ""


async def _told(tally: Tally) -> None:
    while True:
        await asyncio.sleep(_LINE_S)
        note(line(tally))


async def _drawn(tally: Tally) -> None:
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeRemainingColumn

    columns = (BarColumn(), TaskProgressColumn(), TextColumn("{task.description}", markup=False), TimeRemainingColumn())
    with Progress(*columns, console=Console(stderr=True), transient=True, auto_refresh=False) as bar:
        task = bar.add_task("", total=tally.total)
        while True:
            bar.update(task, completed=tally.done + tally.failed, description=line(tally), refresh=True)
            await asyncio.sleep(_BAR_S)
