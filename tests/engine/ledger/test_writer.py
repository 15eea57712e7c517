"""What writes the ledger, within one process."""

from __future__ import annotations

import logging
import sqlite3
import threading
from collections.abc import Callable
from pathlib import Path

import pytest

from polychat.credentials import Account, ApiKey, Secret
from polychat.engine.ledger.entry import Entry
from polychat.engine.ledger.reader import Reader
from polychat.engine.ledger.record import Record, Store
from polychat.engine.ledger.writer import BATCH, Ledger
from polychat.errors import RateLimited
from polychat.types import Message, QuotaSeen, Reply, Request, Text, Usage

Make = Callable[..., Record]


def written(path: Path) -> list[str]:
    """The ids in the file, sorted."""
    with Reader(path) as reader:
        return sorted(record.id for record in reader.recent(limit=None))


def test_what_is_put_is_written(path: Path, record: Make) -> None:
    """Every field comes back as it was."""
    whole = record(
        key="laptop", stream=True, input_tokens=3, output_tokens=2, cached_input_tokens=1, reasoning_tokens=1,
        estimated=True, cost_usd=0.25, wait_s=0.1, first_event_s=0.2, total_s=0.3, attempts=2, outcome="error",
        error="rate_limited", upstream_status=429, request_id="r", finish="stop", content='{"messages":[]}',
    )  # fmt: skip
    ledger = Ledger(path)
    ledger.put(whole)
    ledger.close()
    with Reader(path) as reader:
        assert reader.show(whole.id) == whole


def test_nothing_is_made_before_the_first_record(path: Path) -> None:
    """A ledger that is not used costs no file and no thread."""
    before = threading.active_count()
    ledger = Ledger(path)
    assert (threading.active_count(), path.parent.exists()) == (before, False)
    ledger.close()
    assert not path.parent.exists()


def test_many_batches_are_written_in_order(path: Path, record: Make) -> None:
    """More than fits into one transaction."""
    records = [record(at=float(number)) for number in range(2 * BATCH + 10)]
    ledger = Ledger(path)
    for one in records:
        ledger.put(one)
    ledger.close()
    with Reader(path) as reader:
        assert [one.id for one in reader.after(None)] == [one.id for one in records]
    assert ledger.dropped == 0


def test_many_threads_may_put(path: Path, record: Make) -> None:
    """Nothing is lost between them."""
    ledger = Ledger(path)
    piles = [[record() for _ in range(200)] for _ in range(4)]
    threads = [threading.Thread(target=lambda pile=pile: [ledger.put(one) for one in pile]) for pile in piles]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    ledger.close()
    assert written(path) == sorted(one.id for pile in piles for one in pile)


def test_a_record_is_written_without_closing(path: Path, record: Make) -> None:
    """Within the half second; whoever reads sees it while the writer lives."""
    ledger = Ledger(path)
    one = record()
    ledger.put(one)
    with Reader(path) as reader:
        while not reader.newest():
            threading.Event().wait(0.01)
        assert reader.newest() == one.id
    ledger.close()


def test_the_oldest_are_dropped_and_counted_where_too_many_wait(path: Path, record: Make) -> None:
    """A queue that is full loses its oldest, never its newest, and blocks nobody."""
    ledger = Ledger(path, capacity=3)
    records = [record() for _ in range(5)]
    with ledger._lock:  # the thread is kept out meanwhile
        for one in records:
            ledger.put(one)
    ledger.close()
    assert written(path) == sorted(one.id for one in records[2:])
    assert ledger.dropped == 2


def test_a_closed_ledger_counts_what_comes_too_late(path: Path, record: Make) -> None:
    """Closing twice is closing, and nothing is raised."""
    ledger = Ledger(path)
    ledger.put(record())
    ledger.close()
    ledger.close()
    ledger.put(record())
    assert (ledger.dropped, len(written(path))) == (1, 1)


def test_a_ledger_may_be_warmed(path: Path, record: Make) -> None:
    """Its thread is there before the first record; closed without one it leaves no file."""
    ledger = Ledger(path)
    ledger.warm()
    ledger.close()
    ledger.warm()
    assert not path.exists()


@pytest.mark.parametrize(("store", "kept"), [("facts", False), ("full", True)])
def test_what_was_said_is_in_the_file_only_where_that_is_wanted(store: Store, kept: bool, path: Path) -> None:
    """No word of question, answer or error, in whichever file; the secret of an account is in neither kind."""
    question = Request(model="m", messages=(Message(role="user", parts=(Text(text="canary-question"),)),))
    reply = Reply(text="canary-answer", usage=Usage(input_tokens=1, output_tokens=1))
    account = Account(name="work", provider="reka", credential=ApiKey(key=Secret("canary-secret")))
    ledger = Ledger(path)
    asked = Entry(ledger.put, wanted="fast", store=store)
    asked.placed("reka", "reka-core", account.name)
    asked.ended(question, reply, error=RateLimited("canary-error", hint="canary-hint"))
    ledger.saw(account.name, "reka", QuotaSeen(feature="messages"))
    ledger.close()
    data = b"".join(file.read_bytes() for file in path.parent.iterdir())
    words = {word for word in (b"question", b"answer", b"error", b"hint", b"secret") if b"canary-" + word in data}
    assert words == ({b"question", b"answer"} if kept else set())
    assert b"rate_limited" in data


def test_two_ledgers_in_one_process_do_not_mix(path: Path, record: Make) -> None:
    """Each has its own file and its own queue; both make theirs at the same time."""
    ledgers = [Ledger(path), Ledger(path.with_name("other.sqlite"))]
    records = [record(), record()]
    for ledger, one in zip(ledgers, records, strict=True):
        ledger.put(one)
    for ledger in ledgers:
        ledger.close()
    assert [written(ledger.path) for ledger in ledgers] == [[one.id] for one in records]


def test_the_last_that_is_seen_of_a_quota_is_kept(path: Path) -> None:
    """One row for each account and feature, also from batch to batch."""
    for remaining in (3.0, 2.0):
        ledger = Ledger(path)
        ledger.saw("work", "reka", QuotaSeen(feature="messages", remaining=remaining + 10, limit=40, resets_at=9.0))
        ledger.saw("work", "reka", QuotaSeen(feature="messages", remaining=remaining, limit=40, resets_at=9.0))
        ledger.saw("home", "reka", QuotaSeen(feature="messages"))
        ledger.close()
    with Reader(path) as reader:
        found = {(one.account, one.feature): (one.remaining, one.limit, one.resets_at) for one in reader.quotas()}
        assert found == {("home", "messages"): (None, None, None), ("work", "messages"): (2.0, 40.0, 9.0)}
        assert [one.provider for one in reader.quotas("work")] == ["reka"]


def test_a_file_that_was_moved_away_is_begun_anew(path: Path, record: Make) -> None:
    """As the hint for a damaged one says; the writer need not be started again."""
    ledger = Ledger(path)
    first, second = record(), record()
    ledger.put(first)
    with Reader(path) as reader:
        while not reader.newest():
            threading.Event().wait(0.01)
    moved = path.rename(path.with_name("moved.sqlite"))
    for ending in ("-wal", "-shm"):
        path.with_name(path.name + ending).rename(moved.with_name(moved.name + ending))
    ledger.put(second)
    ledger.close()
    assert (written(path), written(moved)) == ([second.id], [first.id])


def test_where_nothing_can_be_written_asking_goes_on(
    path: Path, record: Make, caplog: pytest.LogCaptureFixture
) -> None:
    """One warning however many are lost, each of which is counted; it says why, and nothing of the records."""
    path.parent.touch()  # a file where the folder should be
    ledger = Ledger(path)
    with caplog.at_level(logging.WARNING, "polychat.ledger"):
        for _ in range(BATCH + 1):
            ledger.put(record(wanted="canary-0c9d"))
        ledger.close()
    assert ledger.dropped == BATCH + 1
    assert [entry.name for entry in caplog.records] == ["polychat.ledger"]
    assert caplog.messages[0].startswith(f"requests are not recorded: the ledger {path} cannot be ")
    assert "canary-0c9d" not in caplog.text


def test_a_damaged_file_is_told_and_left(path: Path, record: Make, caplog: pytest.LogCaptureFixture) -> None:
    """What is there is never written over."""
    path.parent.mkdir(mode=0o700)
    path.touch(0o600)
    path.write_bytes(b"no database" * 500)
    ledger = Ledger(path)
    ledger.put(record())
    ledger.close()
    assert (ledger.dropped, path.read_bytes()) == (1, b"no database" * 500)
    assert "is damaged, or no ledger" in caplog.text


def test_who_writes_at_the_moment_is_waited_for(path: Path, record: Make, caplog: pytest.LogCaptureFixture) -> None:
    """A long transaction of another process costs no record."""
    first, second = record(), record()
    ledger = Ledger(path)
    ledger.put(first)
    with Reader(path) as reader:
        while not reader.newest():
            threading.Event().wait(0.01)
    other = sqlite3.connect(path, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    with caplog.at_level(logging.DEBUG, "polychat.ledger"):
        ledger.put(second)
        while "tried again later" not in caplog.text:
            threading.Event().wait(0.01)
    other.execute("COMMIT")
    other.close()
    ledger.close()
    assert (written(path), ledger.dropped) == (sorted([first.id, second.id]), 0)


def test_closing_takes_no_longer_than_it_may(path: Path, record: Make) -> None:
    """While another process keeps the file, what waits is given up and counted."""
    ledger = Ledger(path)
    ledger.put(record())
    with Reader(path) as reader:
        while not reader.newest():
            threading.Event().wait(0.01)
    other = sqlite3.connect(path, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    ledger.put(record())
    ledger.close(wait_s=0.1)
    thread = ledger._thread
    assert thread is not None
    thread.join(10)
    other.execute("ROLLBACK")
    other.close()
    assert (ledger.dropped, len(written(path))) == (1, 1)
