"""What earlier processes saw in the last hour, from the ledger, for conditions that look at it.

A command of the terminal is a process of its own: without this, none would know of errors before it.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Sequence
from pathlib import Path

from polychat.engine.ledger.record import FAILED, Record
from polychat.engine.outcomes import DECLINED, HOUR_S, Outcome, Outcomes
from polychat.engine.targets import Found, Target
from polychat.errors import ConfigError

log = logging.getLogger("polychat.ledger")

FIELDS = frozenset({"asked_1h", "errors_1h", "first_event_s"})
_MOST = 1_000  # of one account


def wants(found: Sequence[Found]) -> bool:
    """Whether any condition looks at the last hour."""
    return any(FIELDS.intersection(when.fields) for one in found if isinstance(one, Target) for when in one.whens)


async def recall(outcomes: Outcomes, path: Path, accounts: Sequence[str], now: float) -> None:
    """Let `outcomes` know what the ledger at `path` has of those accounts; a ledger that cannot be read has nothing."""
    unknown = [account for account in accounts if not outcomes.knows(account)]
    if not unknown:
        return
    try:
        found = await asyncio.to_thread(_read, path, unknown, now - HOUR_S)
    except ConfigError as error:
        log.warning("the last hour is not known: %s", error.message)
        found = {account: [] for account in unknown}
    for account, seen in found.items():
        outcomes.remember(account, seen)


def _failed(record: Record) -> bool:
    """Whether it broke for more than a wrong question."""
    return record.outcome in FAILED and record.error not in DECLINED


def _read(path: Path, accounts: Sequence[str], since: float) -> dict[str, list[Outcome]]:
    from polychat.engine.ledger.reader import Reader
    from polychat.engine.ledger.statistics import Filters

    if not path.exists():
        return {account: [] for account in accounts}
    with Reader(path) as reader:
        kept = {account: reader.recent(Filters(account=account, since=since), limit=_MOST) for account in accounts}
    return {
        account: [Outcome(one.at, _failed(one), one.first_event_s) for one in reversed(records)]
        for account, records in kept.items()
    }
