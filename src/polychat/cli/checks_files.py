"""The checkup of what polychat keeps: folders and files, who can open them, and the vault."""

from __future__ import annotations

import shlex
import stat
import sys
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from polychat.cli.finding import Finding
from polychat.cli.phrases import span
from polychat.errors import ConfigError

if TYPE_CHECKING:
    from polychat.engine.settings import Settings
    from polychat.vault.file import FileVault, Status

_OTHERS_OPEN, _OTHERS_WRITE = 0o077, 0o022


class _Place(NamedTuple):
    what: str
    path: Path
    forbidden: int  # bits of its mode
    wanted: str  # for chmod


def files(settings: Settings) -> Iterator[Finding]:
    """Where settings come from, and whether what is private can be reached by its owner only."""
    path = settings.folders.config / "config.toml"
    yield Finding("good", f"config file {path}" if path.exists() else f"no config file ({path}); defaults are in force")
    sound = []
    for place in _places(settings):
        finding = _looked_at(place)
        if finding is None:
            continue
        if finding.level == "good" and not place.path.is_dir():
            sound.append(place.what)
        else:
            yield finding
    if sound:
        yield Finding("good", f"yours alone: {', '.join(sound)}")
    yield from _health(settings)
    yield from _ledger(settings)


def _places(settings: Settings) -> Iterator[_Place]:
    from polychat.engine.accounts import health_path, vault_path
    from polychat.vault.document import spare
    from polychat.vault.keys import LOCAL_NAME
    from polychat.vault.private import PrivateFile

    folders, vault = settings.folders, PrivateFile(vault_path(settings))
    yield _Place("config folder", folders.config, _OTHERS_WRITE, "go-w")
    yield _Place("data folder", folders.data, _OTHERS_OPEN, "700")
    yield _Place("state folder", folders.state, _OTHERS_WRITE, "go-w")
    private = {
        "vault file": vault.path,
        "its copy": spare(vault).path,
        "its lock": vault.sibling("lock"),
        "its key file": settings.vault_key_file or vault.path.with_name(LOCAL_NAME),
        "health file": health_path(settings),
    }
    for what, path in private.items():
        yield _Place(what, path, _OTHERS_OPEN, "600")


def _looked_at(place: _Place) -> Finding | None:
    """Whether others can reach it; None where there is nothing."""
    try:
        mode = stat.S_IMODE(place.path.stat().st_mode)
    except FileNotFoundError:
        return None
    except OSError as error:
        said = f"cannot look at the {place.what.removeprefix('its ')} {place.path}: {error.strerror}"
        return Finding("broken", said, "make it readable for you")
    if sys.platform != "win32" and mode & place.forbidden:
        act = "open" if mode & place.forbidden & ~_OTHERS_WRITE else "write to"
        said = f"other users can {act} {place.path} (mode {mode:04o})"
        return Finding("broken", said, f"chmod {place.wanted} {shlex.quote(str(place.path))}")
    return Finding("good", f"{place.what} {place.path} is yours alone")


def _health(settings: Settings) -> Iterator[Finding]:
    """Whether what is remembered of accounts can be read; without it they are asked as if nothing had happened."""
    from polychat.cli.standing import register

    if problem := register(settings).problem():
        yield Finding("broken", problem.message, problem.hint)


def _ledger(settings: Settings) -> Iterator[Finding]:
    """Whether the ledger can be read; without it questions are asked all the same, and not recorded."""
    from polychat.engine.ledger.opening import place

    path = place(settings)
    try:
        path.stat()
    except OSError:  # none yet, or the folder is told of already
        return
    from polychat.engine.ledger.reader import Reader

    try:
        with Reader(path) as reader:
            count = reader.count()
    except ConfigError as error:
        yield Finding("broken", error.message, error.hint)
    else:
        yield Finding("good", f"the ledger {path} holds {count:,} request{'' if count == 1 else 's'}")


# ---------------------------------------------------------------- the vault


def vault(settings: Settings, environ: Mapping[str, str]) -> Iterator[Finding]:
    """Whether the vault opens, and what in it does not."""
    from polychat.engine.accounts import file_vault

    kept = file_vault(settings, environ)
    try:
        found = kept.status()
    except ConfigError as error:
        yield Finding("broken", error.message, error.hint)
        return
    if not found.exists:
        yield Finding("good", f"no vault yet; the first sign-in makes {found.path}")
        return
    yield _opens(found, asked_for=settings.vault_key_file is None)
    for name in found.damaged:
        yield _damaged(kept, name)
    if found.backup and found.backup_at is not None:
        age = span(max(time.time() - found.backup_at, 0.0))
        yield Finding("good", f"its copy {found.backup.name} is from before the last change, {age} ago")


def _opens(found: Status, *, asked_for: bool) -> Finding:
    """Whether the vault opens; that a passphrase is `asked_for` is no fault."""
    from polychat.vault.keys import whereabouts

    if found.source is None:
        return Finding("notice", f"the vault {found.path} is not encrypted", "polychat vault init")
    accounts = f"{found.accounts} account{'' if found.accounts == 1 else 's'}"
    if found.problem:
        return Finding("notice" if asked_for and found.source == "passphrase" else "broken", found.problem, found.hint)
    until = found.unlocked_until
    unlocked = f", unlocked for another {span(until - time.time())}" if until else ""
    key = whereabouts(found.source)
    return Finding("good", f"the vault opens (version {found.version}, {accounts}); its key is {key}{unlocked}")


def _damaged(kept: FileVault, name: str) -> Finding:
    from polychat.cli.standing import again

    entry = next((entry for entry in kept.entries() if entry.name == name), None)
    mend = f"polychat logout {shlex.quote(name)}" + (f", then {again(entry)}" if entry else ", then sign in again")
    return Finding("broken", f"the account {name!r} in the vault is damaged and does not open", mend)
