"""Where the ledger of some settings is, and whether one is kept at all."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from polychat.engine.settings import Settings

if TYPE_CHECKING:
    from polychat.engine.ledger.writer import Ledger


def place(settings: Settings) -> Path:
    """Where the ledger is; what is asked of a sandbox has one of its own."""
    name = "ledger-sandbox.sqlite" if settings.sandbox else "ledger.sqlite"
    return settings.logging.file or settings.folders.state / name


def opened(settings: Settings) -> Ledger | None:
    """The ledger to write to, where one is wanted."""
    if settings.logging.store in (None, "none"):
        return None
    from polychat.engine.ledger.writer import Ledger

    return Ledger(place(settings))
