"""Vaults that a person has unlocked for a while: their derived keys, each in a file of its own with an end.

The files are in the runtime folder, which most systems empty at the end of a session. A key whose time is over is not
used, and deleted where it is seen.
"""

from __future__ import annotations

import base64
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec

from polychat.errors import ConfigError
from polychat.vault.private import PrivateFile
from polychat.vault.seal import Key, Keyhole


class Kept(msgspec.Struct, frozen=True, kw_only=True):
    """One unlocked vault."""

    until: float  # Unix seconds
    key: Key


class Unlocked:
    """The unlocked vaults whose files are in `folder`; `now` is in Unix seconds."""

    def __init__(self, folder: Path | None, now: Callable[[], float]) -> None:
        self._folder = folder
        self._now = now

    def keep(self, keyhole: Keyhole, key: Key, life_s: float) -> float:
        """Keep the key for so long; when that ends, in Unix seconds."""
        file = self._file(keyhole)
        if file is None:
            raise ConfigError(
                "there is no folder to keep an unlocked vault's key in", hint="give Keys a runtime folder"
            )
        kept = Kept(until=self._now() + life_s, key=key)
        file.remove()
        file.create(msgspec.json.encode(kept, enc_hook=_reveal))
        return kept.until

    def find(self, keyhole: Keyhole) -> Kept | None:
        """The vault's key, if it is unlocked now."""
        file = self._file(keyhole)
        if file is None or (kept := _read(file)) is None:
            return None
        if kept.until > self._now() and keyhole.fits(kept.key):
            return kept
        file.remove()
        return None

    def forget(self, keyhole: Keyhole) -> None:
        """Lock the vault again."""
        if file := self._file(keyhole):
            file.remove()

    def _file(self, keyhole: Keyhole) -> PrivateFile | None:
        return PrivateFile(self._folder / f"vault-{keyhole.id}.json", "unlocked key") if self._folder else None


def _read(file: PrivateFile) -> Kept | None:
    try:
        return msgspec.json.decode(file.read() or b"null", type=Kept | None, dec_hook=_conceal)
    except (msgspec.DecodeError, UnicodeDecodeError):
        return None


def _reveal(key: Any) -> str:
    if isinstance(key, Key):
        return base64.b64encode(key.reveal()).decode()
    raise TypeError(f"an unlocked vault holds no {type(key).__name__}")


def _conceal(kind: type, value: Any) -> Any:
    try:
        return kind(base64.b64decode(value, validate=True))
    except (TypeError, ValueError) as error:
        raise ValueError("Expected a key in base64") from error
