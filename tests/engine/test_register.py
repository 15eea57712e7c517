"""engine/register.py: what is remembered of accounts, and for how long."""

from __future__ import annotations

import logging
import subprocess
import sys
import time
from pathlib import Path

import pytest

from polychat.engine import health
from polychat.engine.health import Changed, Health
from polychat.engine.register import Register
from polychat.errors import AuthExpired, RateLimited
from polychat.vault.base import Entry

T0 = 1_800_000_000.0
KEPT = Entry(name="work", provider="reka", kind="cookies", created_at=1.0, source="file")
OTHER = Entry(name="home", provider="reka", kind="cookies", created_at=1.0, source="file")
PASSING = Entry(name="given", provider="reka", kind="api_key", created_at=None, source="memory")

PAUSE_MANY = """
import sys, time
from pathlib import Path
from polychat.engine import health
from polychat.engine.register import Register
from polychat.vault.base import Entry
register = Register(Path(sys.argv[1]), now=time.time)
for n in range(20):
    entry = Entry(name=f"{sys.argv[2]}-{n}", provider="reka", kind="cookies", created_at=1.0, source="file")
    register.change(entry, health.paused)
"""


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """Where the file will be."""
    return tmp_path / "state" / "health.json"


def register(path: Path | None, seen: list[Changed] | None = None) -> Register:
    """What a new process would know, at T0."""
    return Register(path, now=lambda: T0, observe=seen.append if seen is not None else None)


def limited(known: Health) -> Health:
    """A question was answered with a rate limit."""
    return health.failed(known, "m", RateLimited("slow", retry_after_s=60.0), now=T0)


def test_another_process_knows_the_same(path: Path) -> None:
    """What one learned, all know; of accounts as of each other nothing is mixed."""
    register(path).change(KEPT, limited)
    assert [register(path).state(entry) for entry in (KEPT, OTHER)] == ["cooling", "ok"]


def test_a_change_by_another_is_seen_at_once(path: Path) -> None:
    """Also by one that has read the file before."""
    one, other = register(path), register(path)
    assert one.state(KEPT) == "ok"
    other.change(KEPT, limited)
    assert one.state(KEPT) == "cooling"


def test_many_processes_lose_nothing(path: Path) -> None:
    """Each changes the file that the others left."""
    commands = [[sys.executable, "-c", PAUSE_MANY, str(path), name] for name in ("a", "b", "c")]
    for process in [subprocess.Popen(command) for command in commands]:
        assert process.wait(60) == 0
    entries = [
        Entry(name=f"{name}-{n}", provider="reka", kind="cookies", created_at=1.0, source="file")
        for name in ("a", "b", "c") for n in range(20)
    ]  # fmt: skip
    assert {register(path).state(entry) for entry in entries} == {"paused"}


def test_an_account_in_memory_leaves_no_trace(path: Path) -> None:
    """Its health lives as long as it does."""
    mine = register(path)
    mine.change(PASSING, limited)
    assert mine.state(PASSING) == "cooling"
    assert register(path).state(PASSING) == "ok"
    assert not path.exists()


def test_a_new_sign_in_starts_afresh_and_stays_paused(path: Path) -> None:
    """The name is the same, the credential is not; that it be left alone was said of the name."""
    mine = register(path)
    mine.change(KEPT, limited)
    newer = Entry(name="work", provider="reka", kind="cookies", created_at=2.0, source="file")
    assert mine.state(newer) == "ok"
    mine.change(KEPT, health.paused)
    assert mine.state(newer) == "paused"


def test_a_change_of_state_is_told_once(path: Path) -> None:
    """With what led to it, for a ledger; what changes no state is not told."""
    seen: list[Changed] = []
    mine = register(path, seen)
    for act in (limited, limited, lambda known: health.answered(known, "m", now=T0)):
        mine.change(KEPT, act)
    assert seen == [
        Changed(
            account="work", provider="reka", before="ok", after="cooling", at=T0, until=T0 + 60.0, code="rate_limited"
        ),
        Changed(account="work", provider="reka", before="cooling", after="ok", at=T0),
    ]


def test_what_is_removed_is_forgotten(path: Path) -> None:
    """And only that."""
    mine = register(path)
    for entry in (KEPT, OTHER):
        mine.change(entry, limited)
    mine.forget("work")
    mine.forget("nobody")
    assert [register(path).state(entry) for entry in (KEPT, OTHER)] == ["ok", "cooling"]


@pytest.mark.parametrize("content", [b"{", b'{"version": 2, "accounts": {"work": {"paused": true}}}', b"[1]"])
def test_a_file_it_cannot_read_is_left_alone_and_hinders_nobody(
    path: Path, content: bytes, caplog: pytest.LogCaptureFixture
) -> None:
    """This process goes on with what it knows, and says so in the log."""
    path.parent.mkdir(mode=0o700)
    path.write_bytes(content)
    path.chmod(0o600)
    mine = register(path)
    with caplog.at_level(logging.WARNING, "polychat.accounts"):
        mine.change(KEPT, limited)
    assert mine.state(KEPT) == "cooling"
    assert path.read_bytes() == content
    assert "account health is not kept" in caplog.text


def test_a_place_it_cannot_write_to_hinders_nobody() -> None:
    """The health is known as long as the process lives."""
    mine = register(Path("/proc/nowhere/health.json"))
    mine.change(KEPT, lambda known: health.failed(known, "m", AuthExpired("who"), now=T0))
    assert mine.state(KEPT) == "needs_sign_in"


def test_it_is_for_its_owners_eyes(path: Path) -> None:
    """Names of accounts and words of services are nobody else's business."""
    register(path).change(KEPT, limited)
    assert [one.stat().st_mode & 0o777 for one in (path.parent, path)] == [0o700, 0o600]


def test_a_turn_that_changes_nothing_writes_nothing(path: Path) -> None:
    """An answer of an account in good health is no news for a while."""
    mine = register(path)
    mine.change(KEPT, lambda known: health.answered(known, "m", now=time.time()))
    before = path.stat().st_mtime_ns
    mine.change(KEPT, lambda known: health.answered(known, "m", now=time.time()))
    assert path.stat().st_mtime_ns == before
