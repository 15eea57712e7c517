"""The file of the ledger: how it is made, brought up to date and refused."""

from __future__ import annotations

import shutil
import sqlite3
import stat
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory

from polychat.engine.ledger import schema, storage
from polychat.errors import ConfigError

LEDGER = Path(storage.__file__).parent
SECOND = """
from sqlalchemy import Column, Text

revision = "0002"
down_revision = "0001"

def upgrade(op):
    op.add_column("requests", Column("mood", Text))
"""
COLUMNS = "id, at, kind, wanted, stream, estimated, attempts, outcome"
INSERT = f"INSERT INTO requests ({COLUMNS}) VALUES ('a', 1, 'chat', 'w', 0, 0, 1, 'ok')"


def made(path: Path) -> None:
    """A ledger with one request."""
    storage.writing(path).dispose()
    with sqlite3.connect(path) as connection:
        connection.execute(INSERT)
    connection.close()


def upgraded(path: Path, tmp_path: Path) -> None:
    """Open the ledger as a later polychat would, which has one revision more."""
    versions = tmp_path / "later" / "versions"
    shutil.copytree(LEDGER / "versions", versions, ignore=shutil.ignore_patterns("__pycache__"))
    (versions / "0002_mood.py").write_text(SECOND)
    storage.writing(path, versions=versions.parent, newest="0002").dispose()


def asked(path: Path, query: str) -> object:
    """One value of the file."""
    connection = sqlite3.connect(path)
    try:
        return connection.execute(query).fetchone()[0]
    finally:
        connection.close()


def tables(path: Path) -> list[str]:
    """What a file says of its own schema, without its white space."""
    connection = sqlite3.connect(path)
    try:
        rows = connection.execute("SELECT type, name, sql FROM sqlite_master ORDER BY type, name").fetchall()
    finally:
        connection.close()
    return ["".join(" ".join(map(str, row)).split()) for row in rows]


def test_a_new_file_is_what_the_revisions_lead_to(path: Path, tmp_path: Path) -> None:
    """To the very tables that the code uses; the last revision is the version it names."""
    storage.writing(path).dispose()
    shutil.copytree(LEDGER / "versions", tmp_path / "same" / "versions")
    changed = tmp_path / "by-revisions.sqlite"
    engine = storage.writing(changed, versions=tmp_path / "same")
    with engine.connect() as connection:
        assert compare_metadata(MigrationContext.configure(connection), schema.metadata) == []
    engine.dispose()
    assert tables(path) == tables(changed)
    for file in (path, changed):
        assert asked(file, "SELECT version_num FROM alembic_version") == schema.VERSION
    assert ScriptDirectory(LEDGER).get_current_head() == schema.VERSION


def test_the_file_is_its_owners(path: Path) -> None:
    """0600 for the file and what SQLite puts beside it, 0700 for the folder."""
    engine = storage.writing(path)
    with engine.begin() as connection:
        connection.exec_driver_sql(INSERT)
        modes = {file.name: stat.S_IMODE(file.stat().st_mode) for file in path.parent.iterdir()}
    engine.dispose()
    assert modes == {"ledger.sqlite": 0o600, "ledger.sqlite-wal": 0o600, "ledger.sqlite-shm": 0o600}
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700


def test_it_is_a_write_ahead_log_that_waits_for_others(path: Path) -> None:
    """WAL, synchronous NORMAL, and a wait for who else writes."""
    engine = storage.writing(path)
    with engine.connect() as connection:
        found = [connection.exec_driver_sql(f"PRAGMA {name}").scalar() for name in ("journal_mode", "synchronous")]
        assert (found, connection.exec_driver_sql("PRAGMA busy_timeout").scalar()) == (["wal", 1], 500)
    engine.dispose()


def test_an_old_file_is_brought_up_to_date_in_place(path: Path, tmp_path: Path) -> None:
    """What it held is still there, and the new column too."""
    made(path)
    upgraded(path, tmp_path)
    assert asked(path, "SELECT version_num FROM alembic_version") == "0002"
    assert asked(path, "SELECT id || coalesce(mood, '-') FROM requests") == "a-"


@pytest.mark.parametrize("opening", [storage.writing, storage.reading])
def test_a_newer_file_is_refused(opening: object, path: Path, tmp_path: Path) -> None:
    """The sentence names the file and both versions, the hint both ways out; the file stays as it was."""
    made(path)
    upgraded(path, tmp_path)
    assert callable(opening)
    with pytest.raises(ConfigError) as caught:
        opening(path)
    assert caught.value.message == f"the ledger {path} is of version 0002, and this polychat knows 0001"
    assert caught.value.hint == "update polychat, or name another file: logging.file in config.toml"
    assert asked(path, "SELECT version_num FROM alembic_version") == "0002"


@pytest.mark.parametrize("opening", [storage.writing, storage.reading])
@pytest.mark.parametrize("damage", ["text", "torn"])
def test_a_damaged_file_is_refused(opening: object, damage: str, path: Path) -> None:
    """Also one that begins like a database; the hint is the command that mends it."""
    made(path)
    whole = path.read_bytes()
    path.write_bytes(b"not a database at all, " * 100 if damage == "text" else whole[:100] + b"\xff" * 4_000)
    assert callable(opening)
    with pytest.raises(ConfigError) as caught:
        opening(path)
    assert caught.value.message == f"the ledger {path} is damaged, or no ledger"
    assert caught.value.hint == f"move it away, and a new one is begun: mv {path} {path}.damaged"


def test_the_database_of_another_program_is_left_alone(path: Path) -> None:
    """A file with other tables gets none of ours."""
    path.parent.mkdir(mode=0o700)
    path.touch(0o600)
    connection = sqlite3.connect(path)
    connection.execute("CREATE TABLE bookmarks (url)")
    connection.close()
    with pytest.raises(ConfigError, match="is a database of something else"):
        storage.writing(path)
    assert asked(path, "SELECT group_concat(name) FROM sqlite_master") == "bookmarks"


def test_a_file_that_others_can_open_is_refused(path: Path) -> None:
    """As a vault is; the hint is the command that mends it."""
    made(path)
    path.chmod(0o644)
    with pytest.raises(ConfigError) as caught:
        storage.reading(path)
    assert caught.value.hint == f"chmod 600 {path}"


def test_a_folder_in_its_place_is_refused(path: Path) -> None:
    """What cannot be a file is told as such."""
    path.mkdir(parents=True)
    with pytest.raises(ConfigError, match="cannot be read: Is a directory"):
        storage.writing(path)


def test_a_file_where_the_folder_should_be_is_refused(path: Path) -> None:
    """The same for the folder."""
    path.parent.touch()
    with pytest.raises(ConfigError, match="cannot be"):
        storage.writing(path)


def test_a_half_made_file_is_finished(path: Path) -> None:
    """Who was killed between making the file and its tables left an empty one, for a reader too."""
    path.parent.mkdir(mode=0o700)
    path.touch(0o600)
    storage.reading(path).dispose()
    assert asked(path, "SELECT version_num FROM alembic_version") == schema.VERSION


def test_reading_cannot_write(path: Path) -> None:
    """A reader's connection refuses every change."""
    made(path)
    engine = storage.reading(path)
    with pytest.raises(ConfigError), storage.told(path), engine.begin() as connection:
        connection.exec_driver_sql("DELETE FROM requests")
    engine.dispose()
    assert asked(path, "SELECT count(*) FROM requests") == 1


def test_pruned_words_are_not_in_the_file_any_more(path: Path) -> None:
    """What is removed is gone from the disk as well, not only from the tables, and the disk has its space back."""
    made(path)
    connection = sqlite3.connect(path)
    connection.execute("UPDATE requests SET content = ?", ("canary-41f0" * 50_000,))
    connection.commit()
    connection.close()
    assert b"canary-41f0" in path.read_bytes()
    size_bytes = path.stat().st_size
    assert storage.prune(path, before=2) == 1
    assert path.stat().st_size < size_bytes / 2
    assert not any(b"canary-41f0" in file.read_bytes() for file in path.parent.iterdir())
    assert asked(path, "PRAGMA integrity_check") == "ok"
