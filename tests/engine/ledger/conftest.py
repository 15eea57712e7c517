"""A ledger in a folder of its own, and records to put there."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from polychat.engine.ledger.record import Record, new_id

AT = 1_790_000_000.0


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """Where the ledger is to be; neither file nor folder is there yet."""
    return tmp_path / "state" / "ledger.sqlite"


@pytest.fixture
def record() -> Callable[..., Record]:
    """Makes a record of a question to Reka, with whatever else is said of it."""

    def make(**facts: Any) -> Record:
        at = facts.pop("at", AT)
        usual = {"provider": "reka", "model": "reka-core", "account": "work", "wanted": "reka"}
        return Record(id=new_id(at), at=at, **(usual | facts))

    return make
