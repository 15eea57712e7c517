"""engine/recall.py: what earlier processes saw, for conditions that look at the last hour."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest

from polychat.engine.ledger.record import Record, new_id
from polychat.engine.ledger.writer import Ledger
from polychat.engine.outcomes import Outcomes
from polychat.engine.recall import recall
from polychat.errors import Unavailable

NOW = 10_000.0


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """Of the ledger."""
    return tmp_path / "state" / "ledger.sqlite"


def keep(path: Path, *records: dict[str, Any]) -> None:
    """What earlier processes recorded."""
    ledger = Ledger(path)
    for facts in records:
        given = {"wanted": "reka", "provider": "reka", "account": "work"} | facts
        ledger.put(Record(id=new_id(given["at"]), **given))
    ledger.close()


def recalled(path: Path, *accounts: str) -> Outcomes:
    """What is known afterwards."""
    outcomes = Outcomes(lambda: NOW)
    asyncio.run(recall(outcomes, path, accounts, NOW))
    return outcomes


def test_the_last_hour_is_known_as_if_it_were_our_own(path: Path) -> None:
    """Requests, those that failed, and the median of the first event; what is older does not count."""
    keep(
        path,
        {"at": 1_000.0, "outcome": "error", "error": "unavailable"},
        {"at": 9_000.0, "outcome": "error", "error": "unavailable"},
        {"at": 9_001.0, "first_event_s": 3.0, "outcome": "interrupted", "error": "interrupted"},
        {"at": 9_002.0, "first_event_s": 1.0},
        {"at": 9_003.0, "first_event_s": 2.0, "account": "home"},
    )
    known = recalled(path, "work", "home")
    told = {name: (known.asked_1h(name), known.errors_1h(name)) for name in ("work", "home")}
    assert told == {"work": (3, 2), "home": (1, 0)}
    assert [known.first_event_s(name) for name in ("work", "home")] == [2.0, 2.0]


def test_a_wrong_question_is_no_error_of_the_account(path: Path) -> None:
    """Neither one that was declined, nor one that was never sent."""
    keep(path, *({"at": 9_000.0, "outcome": "error", "error": code} for code in ("bad_request", "bad_option")))
    known = recalled(path, "work")
    assert (known.asked_1h("work"), known.errors_1h("work")) == (2, 0)


def test_what_was_seen_here_is_not_recalled_over(path: Path) -> None:
    """An account that this process has asked is looked up no more, and stays as it is."""
    keep(path, {"at": 9_000.0}, {"at": 9_001.0})
    outcomes = Outcomes(lambda: NOW)
    outcomes.failed("reka", "work", Unavailable("down"))
    asyncio.run(recall(outcomes, path, ["work"], NOW))
    assert (outcomes.asked_1h("work"), outcomes.errors_1h("work")) == (1, 1)


@pytest.mark.parametrize("damaged", [False, True])
def test_a_ledger_that_cannot_be_read_has_nothing(path: Path, damaged: bool) -> None:
    """Nor one that is not there; it is asked once."""
    if damaged:
        path.parent.mkdir(mode=0o700)
        path.touch(mode=0o600)
        path.write_bytes(b"no ledger" * 100)
    known = recalled(path, "work")
    assert (known.knows("work"), known.asked_1h("work")) == (True, 0)
