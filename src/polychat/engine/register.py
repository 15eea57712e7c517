"""The health of every account: on disk for accounts that last, in memory for those that live as long as the process.

    {"version": 1, "accounts": {"work": {"holds": {"gpt-5": {"kind": "cooling", "until": 1790000000.0}}}}}

Many processes read and change one file. It is a help and no more: when it cannot be read or written, this process goes
on with what it knows itself, and says so in the log. A turn that changes nothing costs one look at the file's stamp.
"""

from __future__ import annotations

import logging
import shlex
from collections.abc import Callable
from pathlib import Path

import msgspec

from polychat.engine import health
from polychat.engine.health import Changed, Health
from polychat.errors import ConfigError
from polychat.vault.base import Entry
from polychat.vault.private import PrivateFile

log = logging.getLogger("polychat.accounts")

VERSION = 1

Act = Callable[[Health], Health]


class _Document(msgspec.Struct):
    version: int = VERSION
    accounts: dict[str, Health] = {}


class Register:
    """Healths by account. `observe` hears of every change of state; `now` is the clock, in Unix seconds."""

    def __init__(
        self, path: Path | None, *, now: Callable[[], float], observe: Callable[[Changed], None] | None = None
    ) -> None:
        self._file = None if path is None else PrivateFile(path, "health file")
        self._now = now
        self._observe = observe
        self._own: dict[str, Health] = {}  # of accounts that do not last, and of all where the file fails
        self._read: tuple[object, dict[str, Health]] = (None, {})  # the file's stamp, and what it held then

    def of(self, entry: Entry) -> Health:
        """How the account is doing; a sign-in that is newer than what is remembered starts afresh."""
        return _of_this_sign_in(self._held(entry).get(entry.name), entry)

    def state(self, entry: Entry) -> health.State:
        """The one word for it."""
        return health.state(self.of(entry), expires_at=entry.expires_at, now=self._now())

    def change(self, entry: Entry, act: Act) -> Health:
        """Let `act` make the new health of the old one; it may be called twice, the last call counts."""
        before = self.of(entry)
        after = act(before)
        if after is before or after == before:
            return before
        if self._file is None or not _lasts(entry):
            self._own[entry.name] = after
        else:
            try:
                before, after = self._changed(self._file, entry, act)
            except ConfigError as error:
                self._complain(error)
                self._own[entry.name] = after
        self._tell(entry, before, after)
        return after

    def forget(self, name: str) -> None:
        """Remember nothing of an account that is gone. Raises: `ConfigError` when the file cannot be written."""
        self._own.pop(name, None)
        if self._file is None or name not in self._known(self._file):
            return
        with self._file.locked():
            accounts = self._decoded(self._file)
            accounts.pop(name, None)
            self._write(self._file, accounts)

    def problem(self) -> ConfigError | None:
        """Why the file cannot be used, if it cannot."""
        try:
            if self._file is not None:
                self._decoded(self._file)
        except ConfigError as error:
            return error
        return None

    def _held(self, entry: Entry) -> dict[str, Health]:
        if self._file is None or not _lasts(entry):
            return self._own
        return self._known(self._file) | self._own

    def _known(self, file: PrivateFile) -> dict[str, Health]:
        """What the file holds, read anew where it has changed; nothing where it cannot be read."""
        try:
            stamp = file.stamp()
            if stamp != self._read[0]:
                self._read = stamp, {}
                self._read = stamp, self._decoded(file)
        except ConfigError as error:
            self._complain(error)
        return self._read[1]

    def _changed(self, file: PrivateFile, entry: Entry, act: Act) -> tuple[Health, Health]:
        """What the file held and holds now: another process may have changed it since."""
        with file.locked():
            accounts = self._decoded(file)
            before = _of_this_sign_in(accounts.get(entry.name), entry)
            after = act(before)
            if after != before:
                self._write(file, accounts | {entry.name: after})
        self._own.pop(entry.name, None)
        return before, after

    @staticmethod
    def _decoded(file: PrivateFile) -> dict[str, Health]:
        """The accounts of the file. Raises: `ConfigError` for one that is damaged or of a newer version."""
        if (data := file.read()) is None:
            return {}
        try:
            document = msgspec.json.decode(data, type=_Document)
        except (msgspec.DecodeError, UnicodeDecodeError) as error:
            mend = f"remove it, and it is learned anew: rm {shlex.quote(str(file.path))}"
            raise ConfigError(f"{file} is damaged", hint=mend) from error
        if document.version > VERSION:
            raise ConfigError(f"{file} is of a newer version, {document.version}", hint="update polychat")
        return document.accounts

    def _write(self, file: PrivateFile, accounts: dict[str, Health]) -> None:
        file.replace(msgspec.json.encode(_Document(accounts=accounts)), durable=False)

    def _complain(self, error: ConfigError) -> None:
        log.warning("account health is not kept: %s", error.message)

    def _tell(self, entry: Entry, before: Health, after: Health) -> None:
        now = self._now()
        was, became = (health.state(one, expires_at=entry.expires_at, now=now) for one in (before, after))
        if was == became:
            return
        hold = health.resting(after, now)
        changed = Changed(
            account=entry.name,
            provider=entry.provider,
            before=was,
            after=became,
            at=now,
            until=hold.until if hold and hold.kind == became else None,
            code=after.trouble.code if after.trouble and after.trouble.at == now else None,
        )
        log.info("account state", extra={"account": entry.name, "before": was, "after": became})
        if self._observe is not None:
            self._observe(changed)


def _lasts(entry: Entry) -> bool:
    return entry.source in ("file", "environment")


def _of_this_sign_in(held: Health | None, entry: Entry) -> Health:
    if held is None:
        return Health(sign_in_at=entry.created_at)
    if held.sign_in_at != entry.created_at:
        return Health(sign_in_at=entry.created_at, paused=held.paused)
    return held
