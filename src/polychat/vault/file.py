"""One JSON file of accounts, for its owner's eyes only.

    {"version": 1, "accounts": [{"name": ..., "provider": ..., "credential": {"type": "api_key", "key": ...}}]}

The file is 0600 and its folder 0700 from the moment they exist; a file that others can open is refused. A change reads,
edits and replaces the file under a lock, so many processes lose nothing; a reader needs no lock, because the file is
replaced in one step. What cannot be read is never overwritten, and fields of an account that this version does not know
survive.
"""

from __future__ import annotations

import os
import shlex
import stat
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypeVar

import msgspec

from polychat.credentials import Account, Secret
from polychat.errors import ConfigError
from polychat.vault.base import Entry, check_name, entry, no_account

VERSION = 1

_T = TypeVar("_T")
_Record = dict[str, msgspec.Raw]  # an account as it is written, unknown fields and all


class _Version(msgspec.Struct):
    version: int


class _Document(msgspec.Struct, forbid_unknown_fields=True):
    version: int = VERSION
    accounts: list[_Record] = []


class FileVault:
    """Keeps accounts in the file at `path`, which need not exist yet. Every call reads the file anew."""

    writable = True

    def __init__(self, path: Path | str) -> None:
        self._path = Path(path).resolve()  # behind a link the file itself is replaced, not the link

    def entries(self, provider: str | None = None) -> tuple[Entry, ...]:
        """What is kept, in the order it was first put. Raises: `ConfigError` for a file that cannot be read."""
        accounts = self._accounts(self._read())
        return tuple(entry(account, "file") for account in accounts if provider in (None, account.provider))

    def get(self, name: str) -> Account:
        """The account of that name. Raises: `NoAccount`, `ConfigError`."""
        for account in self._accounts(self._read()):
            if account.name == name:
                return account
        raise no_account(name, self.entries())

    def put(self, account: Account) -> None:
        """Keep `account`, in place of one of the same name. Raises: `BadOption`, `ConfigError`."""
        check_name(account.name)
        record = msgspec.json.decode(msgspec.json.encode(account, enc_hook=_reveal), type=_Record)
        with self._locked():
            records = self._read()
            position = self._position(account.name, records)
            if position is None:
                records.append(record)
            else:
                records[position] = records[position] | record
            self._write(records)

    def remove(self, name: str) -> None:
        """Forget an account. Raises: `NoAccount`, `ConfigError`."""
        with self._locked():
            records = self._read()
            position = self._position(name, records)
            if position is None:
                raise no_account(name, self.entries())
            del records[position]
            self._write(records)

    def _position(self, name: str, records: list[_Record]) -> int | None:
        names = [account.name for account in self._accounts(records)]
        return names.index(name) if name in names else None

    def _accounts(self, records: list[_Record]) -> list[Account]:
        return [
            self._decoded(msgspec.json.encode(record), Account, f"accounts[{n}]") for n, record in enumerate(records)
        ]

    def _read(self) -> list[_Record]:
        try:
            with self._path.open("rb") as file:
                self._refuse_shared(os.fstat(file.fileno()).st_mode)
                data = file.read()
        except FileNotFoundError:
            return []
        except OSError as error:
            raise ConfigError(f"the vault file {self._path} cannot be read: {error.strerror}") from error
        version = self._decoded(data, _Version).version
        if version > VERSION:
            raise ConfigError(
                f"the vault file {self._path} is of version {version}; this polychat knows versions up to {VERSION}",
                hint="update polychat",
            )
        return self._decoded(data, _Document).accounts

    def _write(self, records: list[_Record]) -> None:
        data = msgspec.json.format(msgspec.json.encode(_Document(accounts=records)), indent=1)
        with self._failures_named():
            draft = self._sibling("new")
            draft.unlink(missing_ok=True)  # of a writer that was killed; the lock is ours
            with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
                file.write(data)
                file.flush()
                os.fsync(file.fileno())
            draft.replace(self._path)

    @contextmanager
    def _locked(self) -> Iterator[None]:
        """Alone among all processes and threads that change this vault."""
        with self._failures_named():
            self._path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            descriptor = os.open(self._sibling("lock"), os.O_RDWR | os.O_CREAT, 0o600)
        try:
            with self._failures_named():
                _lock(descriptor)
            yield
        finally:
            os.close(descriptor)  # lets go of the lock

    def _sibling(self, ending: str) -> Path:
        return self._path.with_name(f"{self._path.name}.{ending}")

    @contextmanager
    def _failures_named(self) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            raise ConfigError(f"the vault file {self._path} cannot be written: {error.strerror}") from error

    def _refuse_shared(self, mode: int) -> None:
        if sys.platform != "win32" and mode & (stat.S_IRWXG | stat.S_IRWXO):
            raise ConfigError(
                f"the vault file {self._path} can be opened by other users (mode {stat.S_IMODE(mode):04o})",
                hint=f"chmod 600 {shlex.quote(str(self._path))}",
            )

    def _decoded(self, data: bytes, shape: type[_T], where: str = "") -> _T:
        try:
            return msgspec.json.decode(data, type=shape, dec_hook=_conceal)
        except (msgspec.DecodeError, UnicodeDecodeError) as error:
            place = f" ({where})" if where else ""
            raise ConfigError(
                f"the vault file {self._path}{place} is damaged and was left as it is: {error}",
                hint="mend it in an editor, or move it away and log in again",
            ) from error


def _reveal(value: Any) -> str:
    if isinstance(value, Secret):
        return str(value.reveal())
    raise TypeError(f"a vault holds no {type(value).__name__}")


def _conceal(kind: type, value: Any) -> Any:
    if kind is Secret and isinstance(value, str):
        return Secret(value)
    raise ValueError(f"Expected text for a {kind.__name__}")


if sys.platform == "win32":
    import msvcrt

    def _lock(descriptor: int) -> None:
        msvcrt.locking(descriptor, msvcrt.LK_LOCK, 1)  # waits ten seconds at most
else:
    import fcntl

    def _lock(descriptor: int) -> None:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
