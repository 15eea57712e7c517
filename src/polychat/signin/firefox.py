"""The session in a Firefox profile on this machine, asked for by name; no other browser's store is ever opened.

    1. the profile is the one named, else the installation's default, else that of profiles.ini, else the only one;
    2. its cookies.sqlite, with what is not yet written into it (-wal), is copied to a private folder that is deleted;
    3. of the copy, opened read-only, the cookies of one service are asked for and no others.

Cookies of a container are taken only where the ordinary window has no session. Firefox keeps a cookie that ends with
the browser in memory only, so it is not found here. Source: a profile of Firefox 153 ESR (schema 17), 2026-11; since
schema 16, which came with Firefox 142, a cookie's end is in milliseconds.
"""

from __future__ import annotations

import configparser
import shutil
import sqlite3
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from functools import partial
from pathlib import Path
from typing import NamedTuple

from polychat.credentials import Secret, SignIn
from polychat.errors import BadOption
from polychat.signin import cookies
from polychat.signin.found import Cookie, Found, satisfies

_STORE = "cookies.sqlite"
_PLACES = {
    "linux": (
        ".config/mozilla/firefox",
        ".mozilla/firefox",
        "snap/firefox/common/.mozilla/firefox",
        ".var/app/org.mozilla.firefox/config/mozilla/firefox",
        ".var/app/org.mozilla.firefox/.mozilla/firefox",
    ),
    "darwin": ("Library/Application Support/Firefox",),
    "win32": ("AppData/Roaming/Mozilla/Firefox",),
}
_MILLISECONDS_SINCE = 16  # version of the schema
_COPIES = 3  # tries to copy the store between two of Firefox's writes
_PARTITIONED = "partitionKey"  # of a site within another site's page
_AGAIN = "log in at {url} in Firefox, with the box ticked that keeps you logged in, and try again"


class Profile(NamedTuple):
    """A Firefox profile that has cookies."""

    name: str
    path: Path
    rank: int  # 0: an installation's default; 1: the default of profiles.ini; 2: neither


def read(
    named: str | None,
    recipe: SignIn,
    *,
    domains: Sequence[str] = (),
    home: Path | None = None,
    now: Callable[[], float] = time.time,
) -> Found:
    """The session in the profile `named`, by its name or path, or in the default one.

    domains: whose cookies count, by default the recipe's. home: the person's folder.

    Raises: `BadOption` when there is no such profile, or no session in it.
    """
    profile = _chosen(named, home or Path.home())
    whole = f"the Firefox profile {profile.name}"
    domains = domains or recipe.domains
    try:
        found = _cookies(profile.path / _STORE, recipe, domains)
    except (OSError, sqlite3.Error) as error:
        why = getattr(error, "strerror", None) or "it is no cookie store that is understood"
        raise _bad(f"cannot read {profile.path / _STORE}: {why}") from error
    return cookies.session(recipe, found, domains=domains, where=whole, whole=whole, again=_AGAIN, now=now)


# ---------------------------------------------------------------- which profile


def profiles(home: Path) -> list[Profile]:
    """Those that have cookies, in all the usual places of this system."""
    places = _PLACES.get(sys.platform, _PLACES["linux"])
    return [profile for place in places for profile in _listed(home / place) if (profile.path / _STORE).is_file()]


def _listed(folder: Path) -> Iterator[Profile]:
    """What profiles.ini names."""
    ini = configparser.ConfigParser(interpolation=None, strict=False)
    try:
        ini.read(folder / "profiles.ini", encoding="utf-8-sig")
    except (configparser.Error, UnicodeDecodeError) as error:
        raise _bad(f"cannot read {folder / 'profiles.ini'}: it is damaged") from error
    installed = {
        ini[section]["Default"]
        for section in ini.sections()
        if section.startswith("Install") and "Default" in ini[section]
    }
    for section in ini.sections():
        if section.startswith("Profile") and (path := ini[section].get("Path")):
            rank = 0 if path in installed else 1 if ini[section].get("Default") == "1" else 2
            yield Profile(ini[section].get("Name", Path(path).name), folder / path, rank)


def _chosen(named: str | None, home: Path) -> Profile:
    if named and (Path(named).expanduser() / _STORE).is_file():
        path = Path(named).expanduser()
        return Profile(path.name, path, 0)
    known = profiles(home)
    if not known:
        raise _bad("there is no Firefox profile with cookies in the usual places of this system")
    suited = [one for one in known if named in (one.name, one.path.name)] if named else _preferred(known)
    if len(suited) == 1:
        return suited[0]
    if named and not suited:
        raise _bad(f"no Firefox profile has that name or path; there are {_names(known)}")
    raise _bad(
        f"there are several Firefox profiles: {_names(suited)}", "name one of them: --from-browser firefox:PROFILE"
    )


def _preferred(known: Sequence[Profile]) -> list[Profile]:
    best = min(profile.rank for profile in known)
    return [profile for profile in known if profile.rank == best]


def _names(known: Sequence[Profile]) -> str:
    """By name, or by path where a name is not one profile's alone."""
    names = [profile.name for profile in known]
    return ", ".join(str(one.path) if names.count(one.name) > 1 else one.name for one in known)


# ---------------------------------------------------------------- its cookies


def _cookies(store: Path, recipe: SignIn, domains: Sequence[str]) -> list[Cookie]:
    """The service's cookies of one container: the ordinary window, or the first that has the session."""
    containers: dict[str, list[Cookie]] = {"": []}
    with tempfile.TemporaryDirectory(prefix="polychat-") as folder:
        copy = _copied(store, Path(folder))
        with closing(sqlite3.connect(f"{copy.as_uri()}?mode=ro", uri=True)) as database:
            database.text_factory = partial(str, encoding="utf-8", errors="replace")
            for container, cookie in _rows(database, domains):
                containers.setdefault(container, []).append(cookie)
    whole = [held for held in containers.values() if satisfies(recipe, {cookie.name for cookie in held})]
    return whole[0] if whole else containers[""]


def _copied(store: Path, folder: Path) -> Path:
    """A copy that no write fell into, as far as sizes and times tell."""
    sources = [store, store.with_name(f"{_STORE}-wal")]
    for _ in range(_COPIES):
        before = [_state(source) for source in sources]
        for source, state in zip(sources, before, strict=True):
            (folder / source.name).unlink(missing_ok=True)
            if state is not None:
                shutil.copyfile(source, folder / source.name)
        if before == [_state(source) for source in sources]:
            break
    return folder / _STORE


def _state(path: Path) -> tuple[int, int] | None:
    try:
        state = path.stat()
    except FileNotFoundError:
        return None
    return state.st_size, state.st_mtime_ns


def _rows(database: sqlite3.Connection, domains: Sequence[str]) -> Iterator[tuple[str, Cookie]]:
    (version,) = database.execute("PRAGMA user_version").fetchone()
    unit_s = 0.001 if version >= _MILLISECONDS_SINCE else 1.0
    wanted = " OR ".join("substr('.' || ltrim(host, '.'), ?) = ?" for _ in domains)
    values = [value for domain in domains for value in (-len(domain) - 1, f".{domain}")]
    columns = "originAttributes, coalesce(name, ''), coalesce(value, ''), host, coalesce(expiry, 0)"
    query = f"SELECT {columns} FROM moz_cookies WHERE {wanted} ORDER BY id"  # noqa: S608 - only question marks
    for container, name, value, host, expiry in database.execute(query, values):
        if _PARTITIONED not in container:
            yield container, Cookie(name=name, value=Secret(value), host=host.lstrip("."), expires_at=expiry * unit_s)


def _bad(
    message: str, hint: str = "log in with Firefox on this machine, or sign in another way: --har, --cookies, --curl"
) -> BadOption:
    return BadOption(message, field="from_browser", hint=hint)
