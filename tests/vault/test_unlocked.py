"""Vaults that are unlocked for a while."""

from __future__ import annotations

import json
import stat
from pathlib import Path

import pytest

from polychat.credentials import Secret
from polychat.errors import ConfigError
from polychat.vault.seal import Key, Keyhole, keyhole, new_id
from polychat.vault.unlocked import Unlocked


class Clock:
    """The time is what it is set to."""

    now = 1000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "runtime"


@pytest.fixture
def unlocked(folder: Path, clock: Clock) -> Unlocked:
    return Unlocked(folder, clock)


def hole() -> tuple[Keyhole, Key]:
    return keyhole(Secret("canary"), "passphrase", vault_id=new_id(), scrypt_n=2**10)


def test_a_key_is_there_for_a_while(unlocked: Unlocked, clock: Clock, folder: Path) -> None:
    """Until its time is over; then it is not used, and gone."""
    lock, key = hole()
    assert unlocked.keep(lock, key, 60.0) == 1060.0

    clock.now = 1059.9
    kept = unlocked.find(lock)
    assert kept is not None
    assert (kept.until, kept.key.reveal()) == (1060.0, key.reveal())

    clock.now = 1060.0
    assert unlocked.find(lock) is None
    assert [*folder.iterdir()] == []


def test_unlocking_again_starts_again(unlocked: Unlocked, clock: Clock) -> None:
    """The last time counts, also a shorter one."""
    lock, key = hole()
    unlocked.keep(lock, key, 60.0)

    assert unlocked.keep(lock, key, 5.0) == 1005.0
    clock.now = 1006.0
    assert unlocked.find(lock) is None


def test_a_locked_vault_is_not_there(unlocked: Unlocked) -> None:
    """Others stay unlocked."""
    (one, key_of_one), (two, key_of_two) = hole(), hole()
    unlocked.keep(one, key_of_one, 60.0)
    unlocked.keep(two, key_of_two, 60.0)
    unlocked.forget(one)
    unlocked.forget(one)

    assert unlocked.find(one) is None
    assert unlocked.find(two) is not None


def test_the_file_holds_the_key_and_its_end_for_nobody_else(unlocked: Unlocked, folder: Path) -> None:
    """0600 in a 0700 folder; the passphrase is not in it."""
    lock, key = hole()
    unlocked.keep(lock, key, 60.0)
    (file,) = folder.iterdir()

    assert (stat.S_IMODE(folder.stat().st_mode), stat.S_IMODE(file.stat().st_mode)) == (0o700, 0o600)
    assert set(json.loads(file.read_bytes())) == {"until", "key"}
    assert b"canary" not in file.read_bytes()


def test_a_key_that_does_not_fit_is_thrown_away(unlocked: Unlocked, folder: Path) -> None:
    """That of a vault that has another key by now, say."""
    lock, _ = hole()
    unlocked.keep(lock, hole()[1], 60.0)

    assert unlocked.find(lock) is None
    assert [*folder.iterdir()] == []


@pytest.mark.parametrize(
    "content", [b"", b"{", b'{"until": 1e12, "key": "AAAA"}', b'{"until": 1e12, "key": 5}', b"\xff"]
)
def test_a_damaged_file_unlocks_nothing(unlocked: Unlocked, folder: Path, content: bytes) -> None:
    """And does not stand in the way of the next time."""
    lock, key = hole()
    unlocked.keep(lock, key, 60.0)
    (file,) = folder.iterdir()
    file.write_bytes(content)

    assert unlocked.find(lock) is None
    unlocked.keep(lock, key, 60.0)
    assert unlocked.find(lock) is not None


def test_a_file_that_others_can_open_is_refused(unlocked: Unlocked, folder: Path) -> None:
    """Like every file of a vault."""
    lock, key = hole()
    unlocked.keep(lock, key, 60.0)
    next(folder.iterdir()).chmod(0o644)

    with pytest.raises(ConfigError, match="can be opened by other users"):
        unlocked.find(lock)


def test_without_a_folder_nothing_is_remembered(clock: Clock) -> None:
    """Which is told to who asks for it."""
    lock, key = hole()
    nowhere = Unlocked(None, clock)

    nowhere.forget(lock)
    assert nowhere.find(lock) is None
    with pytest.raises(ConfigError, match="there is no folder"):
        nowhere.keep(lock, key, 60.0)
