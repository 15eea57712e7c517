"""What writes the ledger: a queue that nobody waits for, and one thread that empties it.

    ledger = Ledger(path)
    ledger.put(record)          # never blocks, never raises
    ledger.close()              # writes what waits, for at most two seconds; also when the interpreter ends

A record is written within half a second, 500 of them at the latest, in one transaction; so what a killed process loses
is its last second. Where the file cannot be written, asking goes on: the log says so once, and what is lost is counted.
Another process that is writing is waited for. The thread begins with the first record and imports SQLAlchemy itself.
"""

from __future__ import annotations

import atexit
import importlib
import logging
import threading
import time
from collections import deque
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from polychat.engine.ledger.record import InUse, Record, Sighting
from polychat.errors import ConfigError

if TYPE_CHECKING:
    from sqlalchemy import Engine

    from polychat.types import QuotaSeen

log = logging.getLogger("polychat.ledger")

CAPACITY = 10_000  # what waits at most
BATCH = 500  # records in one transaction
DELAY_S = 0.5  # how long the first of a batch waits for others
CLOSING_S = 2.0

Item = Record | Sighting


class Ledger:
    """The writing end of the ledger at `path`, for any thread."""

    def __init__(self, path: Path, *, capacity: int = CAPACITY) -> None:
        self.path = path
        self.dropped = 0  # what was not and will not be written
        self._capacity = capacity
        self._waiting: deque[Item] = deque()
        self._lock = threading.RLock()  # the garbage collector may end an answer while a record is put
        self._some = threading.Event()  # something waits
        self._many = threading.Event()  # a whole batch waits, or all must go now
        self._thread: threading.Thread | None = None
        self._closed = False
        self._file = _File(path)
        self._left: list[_File] = []  # of the parent of a fork, whose connections are not ours to use or to close

    def put(self, record: Record) -> None:
        """Have `record` written soon."""
        self._add(record)

    def saw(self, account: str, provider: str, quota: QuotaSeen) -> None:
        """Have it written what the account has left."""
        self._add(
            Sighting(
                account=account,
                provider=provider,
                feature=quota.feature,
                remaining=quota.remaining,
                limit=quota.limit,
                resets_at=quota.resets_at,
                seen_at=time.time(),
            )
        )

    def warm(self) -> None:
        """Begin the thread now, so that its imports are done when the first record comes."""
        with self._lock:
            if not self._closed:
                self._begin()

    def close(self, wait_s: float = CLOSING_S) -> None:
        """Write what waits, for at most `wait_s`; what is put later is dropped. May be called again."""
        with self._lock:
            self._closed = True
            thread = self._thread
        if thread is None:
            self._give_up()
            return
        atexit.unregister(self.close)
        self._many.set()
        self._some.set()
        thread.join(wait_s)
        self._give_up()

    def _give_up(self) -> None:
        with self._lock:
            self._capacity = 0  # what the thread cannot write now is not kept either
            self.dropped += len(self._waiting)
            self._waiting.clear()

    def _add(self, item: Item) -> None:
        with self._lock:
            if self._closed:
                self.dropped += 1
                return
            if len(self._waiting) >= self._capacity:
                self._waiting.popleft()
                self.dropped += 1
            self._waiting.append(item)
            count = len(self._waiting)
        if count == 1 or not self._is_alive():  # the thread takes all there are, so a wait begins with the first
            self._begin()
            self._some.set()
        elif count == BATCH:
            self._many.set()

    def _is_alive(self) -> bool:
        return self._thread is not None and self._thread.is_alive()

    def _begin(self) -> None:
        """Let the thread live; also in a child of a fork, which has none."""
        with self._lock:
            if self._is_alive():
                return
            if self._thread is not None:
                self._left.append(self._file)
                self._file = _File(self.path)
            self._thread = threading.Thread(target=self._work, name="polychat-ledger", daemon=True)
            try:
                self._thread.start()
            except RuntimeError as error:  # the interpreter ends, or the system is short of threads
                self._thread = None
                self._file.complain(f"no thread can be started: {error}")
                return
        atexit.unregister(self.close)
        atexit.register(self.close)

    # ------------------------------------------------------------ in the thread

    def _work(self) -> None:
        try:
            self._file.prepare()
            while not self._closed or self._waiting:
                self._some.wait()
                self._many.wait(DELAY_S)
                self._write_all()
        finally:
            self._file.close()

    def _write_all(self) -> None:
        """Everything that waits, a batch at a time; what another process keeps out for now waits again."""
        self._some.clear()
        if not self._closed:
            self._many.clear()
        while batch := self._taken():
            try:
                self._file.write(batch)
            except InUse as error:
                log.debug("tried again later: %s", error.message)
                self._give_back(batch)
                return
            except ConfigError as error:
                self._lose(batch, error.message)
            except Exception as error:  # noqa: BLE001 - a mistake in here must not end the thread
                self._lose(batch, f"something in the ledger went wrong ({type(error).__name__})")

    def _taken(self) -> list[Item]:
        with self._lock:
            return [self._waiting.popleft() for _ in range(min(BATCH, len(self._waiting)))]

    def _give_back(self, batch: Sequence[Item]) -> None:
        with self._lock:
            room = self._capacity - len(self._waiting)
            kept = batch[max(len(batch) - room, 0) :]
            self._waiting.extendleft(reversed(kept))
            self.dropped += len(batch) - len(kept)
        self._some.set()

    def _lose(self, batch: Sequence[Item], why: str) -> None:
        with self._lock:
            self.dropped += len(batch)
        self._file.complain(why)


class _File:
    """The file as the thread sees it: opened when it is needed, and anew when it was moved away."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._engine: Engine | None = None
        self._inode: int | None = None
        self._complaints: set[str] = set()

    def prepare(self) -> None:
        """Import what writing needs."""
        for name in ("polychat.engine.ledger.storage", "sqlalchemy.dialects.sqlite"):
            importlib.import_module(name)

    def write(self, batch: Sequence[Item]) -> None:
        """All of it in one transaction. Raises: `InUse`; `ConfigError` where nothing was written."""
        from polychat.engine.ledger import storage

        try:
            with storage.told(self._path):
                _insert(self._opened(), batch)
        except InUse:
            raise
        except ConfigError:
            self.close()
            raise

    def complain(self, why: str) -> None:
        """Say in the log that records are lost, once for each reason: a disk may be full again and again."""
        if why not in self._complaints:
            self._complaints.add(why)
            log.warning("requests are not recorded: %s", why)

    def close(self) -> None:
        """Let go of the file."""
        if self._engine is not None:
            self._engine.dispose()
            self._engine = None

    def _opened(self) -> Engine:
        from polychat.engine.ledger import storage

        if self._engine is not None and storage.inode(self._path) != self._inode:
            self.close()
        if self._engine is None:
            self._engine = storage.writing(self._path)
            self._inode = storage.inode(self._path)
        return self._engine


def _insert(engine: Engine, batch: Sequence[Item]) -> None:
    from sqlalchemy.dialects.sqlite import insert

    from polychat.engine.ledger.schema import quotas, requests

    records = [msgspec.structs.asdict(item) for item in batch if isinstance(item, Record)]
    seen = {(item.account, item.feature): item for item in batch if isinstance(item, Sighting)}  # the last of each
    with engine.begin() as connection:
        if records:
            connection.execute(insert(requests).on_conflict_do_nothing(index_elements=["id"]), records)
        if seen:
            newer = insert(quotas)
            changed = {column.name: column for column in newer.excluded if column.name not in ("account", "feature")}
            connection.execute(
                newer.on_conflict_do_update(
                    index_elements=["account", "feature"],
                    set_=changed,
                    where=quotas.c.seen_at <= newer.excluded.seen_at,
                ),
                [msgspec.structs.asdict(item) for item in seen.values()],
            )
