"""What reads the ledger: the last requests, one of them, those that are new, sums, and what accounts had left.

    reader = Reader(path)
    for record in reader.recent(Filters(provider="reka"), limit=20): ...

Reading blocks nobody who writes. Where there is no file yet, or it was moved away, the ledger is empty; a file that
appears is seen by the next call. Every call may raise `ConfigError` for a file that cannot be read.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Self

from sqlalchemy import ColumnElement, Connection, Engine, Row, Select, create_engine, func, null, select

from polychat.engine.ledger import schema, statistics, storage
from polychat.engine.ledger.record import ID_DIGITS, Record, Sighting
from polychat.engine.ledger.schema import quotas, requests
from polychat.engine.ledger.statistics import By, Filters, Line
from polychat.errors import BadOption

_PAGE = 1_000  # records that an export reads at once
_FIELDS = Record.__struct_fields__
_BRIEF = [null().label(name) if name == "content" else requests.c[name] for name in _FIELDS]  # words may be long
_WHOLE = [requests.c[name] for name in _FIELDS]


class Reader:
    """The reading end of the ledger at `path`."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._engine: Engine | None = None
        self._inode: int | None = None

    # ------------------------------------------------------------ requests

    def recent(self, filters: Filters = statistics.ALL, *, limit: int | None = 20) -> list[Record]:
        """The last requests, the newest first, without their words."""
        wanted = select(*_BRIEF).where(*statistics.where(filters)).order_by(requests.c.at.desc(), requests.c.id.desc())
        return self._records(wanted.limit(limit))

    def count(self, filters: Filters = statistics.ALL) -> int:
        """How many there are."""
        with self._reading() as connection:
            counted: int = (
                connection.scalar(select(func.count()).select_from(requests).where(*statistics.where(filters))) or 0
            )
        return counted

    def show(self, name: str) -> Record:
        """The request of that id, or of the only one that begins so; with its words, where they are kept.

        Raises: `BadOption` where there is none, or more than one.
        """
        found = self._records(select(*_WHOLE).where(_begins(name)).limit(2))
        if len(found) == 1:
            return found[0]
        if not found:
            raise BadOption(f"there is no request {name!r}", field="id", hint="polychat logs list shows the last ones")
        raise BadOption(f"more than one request begins with {name!r}", field="id", hint="write more of the id")

    def after(self, name: str | None) -> list[Record]:
        """Those that were written after the one of that id, in the order of writing, without words; None: all."""
        wanted = select(*_BRIEF).order_by(requests.c.seq)
        if name is not None:
            known = select(requests.c.seq).where(requests.c.id == name).scalar_subquery()
            wanted = wanted.where(func.coalesce(requests.c.seq > known, requests.c.id > name))
        return self._records(wanted)

    def newest(self) -> str | None:
        """The id of the one that was written last."""
        with self._reading() as connection:
            found: str | None = connection.scalar(select(requests.c.id).order_by(requests.c.seq.desc()).limit(1))
        return found

    def pages(self, filters: Filters = statistics.ALL) -> Iterator[list[Record]]:
        """All of them, in the order of writing, with their words; a page at a time, so that nothing is held open."""
        wanted = select(requests.c.seq, *_WHOLE).where(*statistics.where(filters)).order_by(requests.c.seq).limit(_PAGE)
        last = 0
        while rows := self._rows(wanted.where(requests.c.seq > last)):
            last = rows[-1].seq
            yield [_record(row) for row in rows]

    # ------------------------------------------------------------ sums

    def stats(self, by: By, filters: Filters = statistics.ALL) -> list[Line]:
        """What came to how much, a line for each of `by`; days are in UTC."""
        with self._reading() as connection:
            return statistics.lines(connection, by, filters)

    def quotas(self, account: str | None = None) -> list[Sighting]:
        """What accounts had left when their services last said so."""
        wanted = select(quotas).order_by(quotas.c.account, quotas.c.feature)
        if account is not None:
            wanted = wanted.where(quotas.c.account == account)
        with self._reading() as connection:
            return [Sighting(**row._mapping) for row in connection.execute(wanted)]

    # ------------------------------------------------------------ the file

    def close(self) -> None:
        """Let go of the file."""
        if self._engine is not None:
            self._engine.dispose()
            self._engine = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc_info: object) -> None:
        self.close()

    def _records(self, wanted: Select[Any]) -> list[Record]:
        return [_record(row) for row in self._rows(wanted)]

    def _rows(self, wanted: Select[Any]) -> Sequence[Row[Any]]:
        with self._reading() as connection:
            return connection.execute(wanted).all()

    @contextmanager
    def _reading(self) -> Iterator[Connection]:
        with storage.told(self.path), self._opened().connect() as connection:
            yield connection

    def _opened(self) -> Engine:
        inode = storage.inode(self.path)
        if self._engine is None or inode != self._inode:
            self.close()
            self._engine = _empty() if inode is None else storage.reading(self.path)
            self._inode = inode
        return self._engine


def _empty() -> Engine:
    engine = create_engine("sqlite://")
    schema.metadata.create_all(engine)
    return engine


def _begins(name: str) -> ColumnElement[bool]:
    """Whether an id begins with `name`; ids are hexadecimal, so "g" comes after all that do."""
    if len(name) >= ID_DIGITS:
        return requests.c.id == name.lower()
    return requests.c.id.between(name.lower(), f"{name.lower()}g")


def _record(row: Row[Any]) -> Record:
    return Record(**{name: row._mapping[name] for name in _FIELDS})
