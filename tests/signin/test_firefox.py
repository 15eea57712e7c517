"""Profiles as Firefox leaves them: which one, which cookies, and that nothing of it is changed."""

from __future__ import annotations

import sqlite3
import sys
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import pytest

from polychat.credentials import Secret, SessionCookies, SignIn
from polychat.errors import BadOption
from polychat.signin import firefox
from polychat.signin.found import Found

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="the profiles lie where Linux and macOS have them")

RECIPE = SignIn(url="https://chat.example/talk", cookies=("sid",), domains=("chat.example", "example.net"))
NOW = 1_750_000_000.0  # 2025-06-15
LATER, EARLIER = NOW + 3600, NOW - 3600
PLACES = {"darwin": ["Library/Application Support/Firefox"]}.get(
    sys.platform,
    [
        ".mozilla/firefox",
        ".config/mozilla/firefox",
        "snap/firefox/common/.mozilla/firefox",
        ".var/app/org.mozilla.firefox/.mozilla/firefox",
    ],
)
# as Firefox 153 ESR makes it (schema 17)
SCHEMA = """CREATE TABLE moz_cookies (id INTEGER PRIMARY KEY, originAttributes TEXT NOT NULL DEFAULT '', name TEXT,
value TEXT, host TEXT, path TEXT, expiry INTEGER, lastAccessed INTEGER, creationTime INTEGER, isSecure INTEGER,
isHttpOnly INTEGER, inBrowserElement INTEGER DEFAULT 0, sameSite INTEGER DEFAULT 0, schemeMap INTEGER DEFAULT 0,
isPartitionedAttributeSet INTEGER DEFAULT 0, updateTime INTEGER,
CONSTRAINT moz_uniqueid UNIQUE (name, host, path, originAttributes))"""
SID = ("sid", "canary", "chat.example")


@contextmanager
def store(profile: Path, *rows: tuple[str, ...], ends_at: float = LATER, version: int = 17) -> Iterator[Path]:
    """The cookies of a Firefox that runs: rows are name, value, host and container; none is in the main file yet."""
    profile.mkdir(parents=True, exist_ok=True)
    path = profile / "cookies.sqlite"
    with closing(sqlite3.connect(path)) as database:
        database.execute("PRAGMA journal_mode=WAL")
        database.execute("PRAGMA wal_autocheckpoint=0")
        database.execute(f"PRAGMA user_version={version}")
        database.execute(SCHEMA)
        unit = 1000 if version >= 16 else 1
        for name, value, host, *container in rows:
            database.execute(
                "INSERT INTO moz_cookies (originAttributes, name, value, host, expiry) VALUES (?, ?, ?, ?, ?)",
                ("".join(container), name, value, host, int(ends_at * unit)),
            )
        database.commit()
        yield path


def listed(home: Path, ini: str, *folders: str, place: str = PLACES[0]) -> Path:
    """profiles.ini, and profiles with a session named for their folder."""
    root = home / place
    root.mkdir(parents=True)
    (root / "profiles.ini").write_text(ini)
    for folder in folders:
        with store(root / folder, ("sid", folder, "chat.example")):
            pass
    return root


def read(home: Path, named: str | None = None) -> Found:
    return firefox.read(named, RECIPE, home=home, now=lambda: NOW)


def session(home: Path, named: str | None = None) -> SessionCookies:
    credential = read(home, named).credential
    assert isinstance(credential, SessionCookies)
    return credential


def sid(home: Path, named: str | None = None) -> str:
    return session(home, named).cookies["sid"].reveal()


def refused(home: Path, named: str | None = None) -> str:
    with pytest.raises(BadOption) as caught:
        read(home, named)
    assert caught.value.hint
    assert "canary" not in str(caught.value)
    return caught.value.message


# ---------------------------------------------------------------- which cookies


@pytest.mark.parametrize("version", [15, 16, 17])
def test_the_session_of_one_service_is_read(tmp_path: Path, version: int) -> None:
    """Of its own domains only, from rows not yet in the main file; since schema 16 ends are in milliseconds."""
    rows = [
        SID, ("theme", "dark", ".chat.example"), ("x", "1", "sub.example.net"), ("a", "1", "evilchat.example"),
        ("b", "1", "chat.example.evil"), ("c", "1", "example"), ("d", "1", "%.chat_example"),
    ]  # fmt: skip
    with store(tmp_path / "p", *rows, version=version) as path:
        assert path.with_name("cookies.sqlite-wal").stat().st_size > 0
        found = read(tmp_path, str(tmp_path / "p"))
    assert found.credential == SessionCookies(
        cookies={"x": Secret("1"), "theme": Secret("dark"), "sid": Secret("canary")}, ends_at=LATER
    )
    assert (found.where, found.others) == ("the Firefox profile p", 2)


def test_nothing_of_the_profile_is_changed(tmp_path: Path) -> None:
    """Byte for byte, and no file more, while Firefox has it open."""
    with store(tmp_path / "p", SID) as path:
        before = {one.name: one.read_bytes() for one in path.parent.iterdir()}
        assert sid(tmp_path, str(path.parent)) == "canary"
        assert {one.name: one.read_bytes() for one in path.parent.iterdir()} == before


def test_a_closed_firefox_has_no_log_beside(tmp_path: Path) -> None:
    """All is in the one file then."""
    with store(tmp_path / "p", SID):
        pass
    assert [one.name for one in (tmp_path / "p").iterdir()] == ["cookies.sqlite"]
    assert sid(tmp_path, str(tmp_path / "p")) == "canary"


WORK, STRANGE = "^userContextId=2", "^partitionKey=%28https%2Cother.example%29"


@pytest.mark.parametrize(
    ("rows", "expected"),
    [
        ([("sid", "work", "chat.example", WORK), ("sid", "own", "chat.example")], "own"),
        ([("sid", "work", "chat.example", WORK), ("theme", "dark", "chat.example")], "work"),
        ([("sid", "strange", "chat.example", STRANGE), ("sid", "work", "chat.example", WORK)], "work"),
    ],
)
def test_containers_do_not_mix(tmp_path: Path, rows: list[tuple[str, ...]], expected: str) -> None:
    """The ordinary window comes first; a container counts where that has no session, another site's frame never."""
    with store(tmp_path / "p", *rows):
        found = session(tmp_path, str(tmp_path / "p"))
    assert found.cookies == {"sid": Secret(expected)}


@pytest.mark.parametrize(
    ("rows", "ends_at", "message"),
    [
        ([], LATER, "the Firefox profile p holds no cookie of chat.example or example.net"),
        (
            [("id", "canary", "other.example")],
            LATER,
            "the Firefox profile p holds no cookie of chat.example or example.net",
        ),
        (
            [("a", "canary", "chat.example")],
            LATER,
            "the cookie sid is not in the Firefox profile p, and a session needs it",
        ),
        (
            [SID],
            EARLIER,
            "all cookies of chat.example in the Firefox profile p have expired, the last on 2025-06-15 14:06 UTC",
        ),
    ],
)
def test_no_session_is_told(tmp_path: Path, rows: list[tuple[str, ...]], ends_at: float, message: str) -> None:
    """None at all, another site's, without the one that matters, or ended."""
    with store(tmp_path / "p", *rows, ends_at=ends_at):
        assert refused(tmp_path, str(tmp_path / "p")) == message


@pytest.mark.parametrize("content", [b"", b"canary", b"SQLite format 3\0canary"])
def test_what_is_no_store_is_told(tmp_path: Path, content: bytes) -> None:
    """With the file's name, and nothing of what is in it."""
    (tmp_path / "cookies.sqlite").write_bytes(content)
    message = f"cannot read {tmp_path}/cookies.sqlite: it is no cookie store that is understood"
    assert refused(tmp_path, str(tmp_path)) == message


def test_a_damaged_value_is_not_repeated(tmp_path: Path) -> None:
    """Bytes that are no UTF-8 do no harm."""
    with store(tmp_path / "p", SID) as path, closing(sqlite3.connect(path)) as database:
        database.execute("UPDATE moz_cookies SET value = CAST(x'ff61' AS TEXT), expiry = NULL WHERE name = 'sid'")
        database.commit()
        assert "have expired" in refused(tmp_path, str(tmp_path / "p"))


# ---------------------------------------------------------------- which profile

TWO = "[Profile1]\nName=old\nIsRelative=1\nPath=x.old\nDefault=1\n\n[Profile0]\nName=new\nIsRelative=1\nPath=x.new\n"
INSTALLED = "\n[General]\nVersion=2\n\n[Install3B6073811A6ABF12]\nDefault=x.new\nLocked=1\n"


def test_the_installations_default_comes_first(tmp_path: Path) -> None:
    """Then that of profiles.ini, then the only one."""
    root = listed(tmp_path, TWO + INSTALLED, "x.old", "x.new")
    assert sid(tmp_path) == "x.new"
    (root / "profiles.ini").write_text(TWO)
    assert sid(tmp_path) == "x.old"
    (root / "profiles.ini").write_text("[Profile0]\nName=new\nPath=x.new\n")
    assert sid(tmp_path) == "x.new"


@pytest.mark.parametrize("named", ["old", "x.old"])
def test_a_profile_is_named(tmp_path: Path, named: str) -> None:
    """By its name or its folder's."""
    listed(tmp_path, TWO + INSTALLED, "x.old", "x.new")
    assert sid(tmp_path, named) == "x.old"


def test_a_profile_may_lie_anywhere(tmp_path: Path) -> None:
    """Where profiles.ini says an absolute path."""
    with store(tmp_path / "far", SID):
        listed(tmp_path, f"\ufeff[Profile0]\nName=a b\nIsRelative=0\nPath={tmp_path}/far\n")
        assert sid(tmp_path) == "canary"


@pytest.mark.parametrize("place", PLACES)
def test_every_kind_of_installation_is_found(tmp_path: Path, place: str) -> None:
    """The distribution's, the newer one's, snap's and flatpak's."""
    listed(tmp_path, TWO, "x.new", place=place)
    assert sid(tmp_path) == "x.new"


def test_several_without_a_default_are_named(tmp_path: Path) -> None:
    """Nobody guesses."""
    ini = "[Profile0]\nName=one\nPath=x.one\n[Profile1]\nName=two\nPath=x.two\n[Profile2]\nName=empty\nPath=x.empty\n"
    root = listed(tmp_path, ini, "x.one", "x.two")
    assert refused(tmp_path) == "there are several Firefox profiles: one, two"
    assert refused(tmp_path, "three") == "no Firefox profile has that name or path; there are one, two"
    (root / "profiles.ini").write_text(ini.replace("two\nP", "one\nP"))
    assert refused(tmp_path, "one") == f"there are several Firefox profiles: {root}/x.one, {root}/x.two"


def test_no_profile_at_all(tmp_path: Path) -> None:
    """Neither profiles.ini nor one without cookies."""
    assert refused(tmp_path) == "there is no Firefox profile with cookies in the usual places of this system"
    listed(tmp_path, TWO)
    assert refused(tmp_path) == "there is no Firefox profile with cookies in the usual places of this system"


@pytest.mark.parametrize("ini", ["canary", "[Profile0\nName=canary"])
def test_a_damaged_list_is_told(tmp_path: Path, ini: str) -> None:
    """With its path."""
    root = listed(tmp_path, ini)
    assert refused(tmp_path) == f"cannot read {root}/profiles.ini: it is damaged"
