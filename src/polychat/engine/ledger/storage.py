"""The file of the ledger: made, opened, brought up to the newest schema, and refused where it cannot be used.

SQLite in WAL mode, so that many processes write and read at once and a killed one damages nothing. The file is 0600
and its folder 0700; SQLite gives `-wal` and `-shm` the mode of the file. A new file gets the tables of now; changes of
the schema are Alembic revisions,
run in one transaction under SQLite's own lock: of many processes that open an old file at once, one changes it. They
are given their `Operations`, so nothing of Alembic is global here. What SQLite refuses is a `ConfigError` that says how
to mend it.
"""

from __future__ import annotations

import shlex
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from urllib.parse import quote

from sqlalchemy import Connection, Engine, QueuePool, create_engine, event, inspect, text
from sqlalchemy.exc import DBAPIError

from polychat.engine.ledger import schema
from polychat.engine.ledger.record import InUse
from polychat.errors import ConfigError
from polychat.vault.private import PrivateFile

_BUSY_S = 0.5  # how long one waits for another who writes
_VERSIONS = Path(__file__).parent
_DAMAGED = (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB)
_IN_USE = (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED)
_VERSION_TABLE = "alembic_version"
_STAMP = (
    f"CREATE TABLE {_VERSION_TABLE} "
    f"(version_num VARCHAR(32) NOT NULL, CONSTRAINT {_VERSION_TABLE}_pkc PRIMARY KEY (version_num))"
)


def writing(path: Path, *, versions: Path = _VERSIONS, newest: str = schema.VERSION) -> Engine:
    """Open the ledger at `path` to write to it, made or brought up to date where needed.

    `versions` is the folder with the revisions, `newest` the last of them.

    Raises: `ConfigError`.
    """
    file = PrivateFile(path, "ledger")
    if file.stamp() is None:
        file.create(b"")
    return _checked(file, _engine(file.path, "rw", "IMMEDIATE"), versions, newest)


def reading(path: Path) -> Engine:
    """Open the ledger at `path`, which exists, to read only; an old one is brought up to date first.

    Raises: `ConfigError`.
    """
    file = PrivateFile(path, "ledger")
    file.stamp()  # says what is wrong with its mode
    engine = _engine(file.path, "ro", "DEFERRED")
    with told(file.path, disposing=engine), engine.connect() as connection:
        current = _version(connection, file) == schema.VERSION
    if not current:
        writing(path).dispose()
    return engine


@contextmanager
def told(path: Path, *, disposing: Engine | None = None) -> Iterator[None]:
    """What SQLite refuses inside becomes a `ConfigError` that names the file; then `disposing` is closed."""
    try:
        yield
    except (DBAPIError, sqlite3.Error) as error:
        if disposing is not None:
            disposing.dispose()
        raise _complaint(path, getattr(error, "orig", error)) from error
    except ConfigError:
        if disposing is not None:
            disposing.dispose()
        raise


def inode(path: Path) -> int | None:
    """What tells the file from another that took its place; None where there is none."""
    try:
        return path.stat().st_ino
    except OSError:
        return None


def prune(path: Path, before: float) -> int:
    """Delete requests asked before `before` (Unix seconds) so that nothing of them stays in the file; how many.

    Raises: `ConfigError`.
    """
    engine = writing(path)
    with told(path), _disposing(engine):
        with engine.begin() as connection:
            gone = connection.execute(schema.requests.delete().where(schema.requests.c.at < before)).rowcount
        with closing(engine.raw_connection()) as raw:  # outside of a transaction
            cursor = raw.cursor()
            cursor.execute("VACUUM")
            cursor.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    return gone


@contextmanager
def _disposing(engine: Engine) -> Iterator[None]:
    try:
        yield
    finally:
        engine.dispose()


# ---------------------------------------------------------------- connections


def _engine(path: Path, mode: str, begin: str) -> Engine:
    def connect() -> sqlite3.Connection:
        connection = sqlite3.connect(
            f"file:{quote(str(path))}?mode={mode}",
            uri=True,
            timeout=_BUSY_S,
            isolation_level=None,  # BEGIN is ours
            check_same_thread=False,  # the pool lends it to one thread at a time
        )
        if mode == "rw":
            try:
                connection.execute("PRAGMA journal_mode = WAL")
                connection.execute("PRAGMA synchronous = NORMAL")
                connection.execute("PRAGMA secure_delete = ON")
            except sqlite3.Error:
                connection.close()
                raise
        return connection

    engine = create_engine("sqlite://", creator=connect, poolclass=QueuePool, pool_size=1, max_overflow=4)

    @event.listens_for(engine, "begin")
    def _(connection: Connection) -> None:
        connection.exec_driver_sql(f"BEGIN {begin}")

    return engine


# ---------------------------------------------------------------- versions


def _checked(file: PrivateFile, engine: Engine, versions: Path, newest: str) -> Engine:
    with told(file.path, disposing=engine):
        with engine.connect() as connection:
            current = _version(connection, file, newest)
        if current != newest:
            with engine.begin() as connection:  # the lock is ours now; somebody may have been faster
                _bring_up(connection, _version(connection, file, newest), versions, newest)
    return engine


def _version(connection: Connection, file: PrivateFile, newest: str = schema.VERSION) -> str | None:
    """The schema of the file; None of an empty one. Raises: `ConfigError` for a newer one, and another's database."""
    tables = inspect(connection).get_table_names()
    if _VERSION_TABLE not in tables:
        if tables:
            raise ConfigError(
                f"{file} is a database of something else", hint="name another file: logging.file in config.toml"
            )
        return None
    version: str | None = connection.scalar(text(f"SELECT version_num FROM {_VERSION_TABLE}"))  # noqa: S608 - a constant
    if version is not None and version > newest:
        raise ConfigError(
            f"{file} is of version {version}, and this polychat knows {newest}",
            hint="update polychat, or name another file: logging.file in config.toml",
        )
    return version


def _bring_up(connection: Connection, current: str | None, versions: Path, newest: str) -> None:
    if current is None and versions == _VERSIONS:
        _begin(connection)
    elif current != newest:
        _upgrade(connection, current, versions, newest)


def _begin(connection: Connection) -> None:
    """The tables of now in an empty file, at once: a first question does not pay for Alembic."""
    schema.metadata.create_all(connection)
    connection.execute(text(_STAMP))
    stamp = f"INSERT INTO {_VERSION_TABLE} VALUES (:version)"  # noqa: S608 - a constant
    connection.execute(text(stamp), {"version": schema.VERSION})


def _upgrade(connection: Connection, current: str | None, versions: Path, newest: str) -> None:
    from alembic.operations import Operations
    from alembic.runtime.migration import MigrationContext
    from alembic.script import ScriptDirectory

    context, scripts = MigrationContext.configure(connection), ScriptDirectory(versions)
    for script in reversed(list(scripts.iterate_revisions(newest, current or "base"))):
        script.module.upgrade(Operations(context))
        context.stamp(scripts, script.revision)


# ---------------------------------------------------------------- complaints


def _complaint(path: Path, error: BaseException | None) -> ConfigError:
    code, where = getattr(error, "sqlite_errorcode", 0) & 0xFF, shlex.quote(str(path))
    if code in _DAMAGED:
        mend = f"move it away, and a new one is begun: mv {where} {where}.damaged"
        return ConfigError(f"the ledger {path} is damaged, or no ledger", hint=mend)
    if code in _IN_USE:
        return InUse(f"the ledger {path} is in use by another process", hint="try again")
    if code == sqlite3.SQLITE_FULL:
        return ConfigError(f"the ledger {path} cannot be written: the disk is full", hint="free some space")
    return ConfigError(f"the ledger {path} cannot be used: {error}", hint="see that the file and its folder are yours")
