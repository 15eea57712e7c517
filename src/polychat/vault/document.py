"""What stands in a vault's file, read and written without a key.

    {"version": 2,
     "key": {"id": "9f...", "source": "passphrase",
             "kdf": {"name": "scrypt", "salt": "...", "n": 131072, "r": 8, "p": 1},
             "check": {"nonce": "...", "sealed": "..."}},
     "accounts": [{"name": "work", "provider": "reka", "kind": "cookies", "created_at": 1767225600.0,
                   "expires_at": null, "nonce": "...", "sealed": "..."}]}

Version 1 has no key, and each account its credential in the clear. A row that cannot be read is kept as it is, and so
are the fields of a row that this version does not know.
"""

from __future__ import annotations

import shlex
from collections.abc import Iterable, Iterator
from functools import cached_property
from typing import Annotated, NamedTuple, TypeVar

import msgspec

from polychat.credentials import Account, Credential
from polychat.errors import BadOption, ConfigError
from polychat.vault.base import NAME, Entry, Kind, entry, moved_first
from polychat.vault.private import Hidden, PrivateFile
from polychat.vault.seal import VERSION, Key, Keyhole, Nonce, Sealed, SealedBytes, about_account, conceal, reveal

_T = TypeVar("_T")
Fields = dict[str, msgspec.Raw]  # a row as it is written

_Name = Annotated[str, msgspec.Meta(pattern=rf"^(?:{NAME.pattern})\Z")]
_Printable = Annotated[str, msgspec.Meta(pattern=r"^[^\x00-\x1f\x7f-\x9f]{1,200}\Z")]  # must not steer a terminal


class _Version(msgspec.Struct):
    version: Annotated[int, msgspec.Meta(ge=1)]


class _Written(msgspec.Struct, forbid_unknown_fields=True):
    version: int
    key: Keyhole
    accounts: tuple[Fields, ...] = ()


class _WrittenPlain(msgspec.Struct, forbid_unknown_fields=True):
    version: int
    accounts: tuple[Fields, ...] = ()


class _Named(msgspec.Struct):
    name: _Name


class _Shown(_Named):
    provider: _Printable


class Record(msgspec.Struct, frozen=True, kw_only=True):
    """One account: what may be shown, and its credential sealed."""

    name: _Name
    provider: _Printable
    kind: Kind
    created_at: float | None = None
    expires_at: float | None = None
    nonce: Nonce
    sealed: SealedBytes

    @property
    def entry(self) -> Entry:
        """What may be shown."""
        return Entry(
            name=self.name,
            provider=self.provider,
            kind=self.kind,
            created_at=self.created_at,
            source="file",
            expires_at=self.expires_at,
        )

    def account(self, key: Key) -> Account | None:
        """The account; None when the row is not what was sealed."""
        about = about_account(self.name, self.provider, self.kind)
        credential = _credential(key.open(Sealed(nonce=self.nonce, sealed=self.sealed), about))
        if credential is None:
            return None
        return Account(name=self.name, provider=self.provider, credential=credential, created_at=self.created_at)


class Row(NamedTuple):
    """One of `accounts` as it stands in the file."""

    name: str  # accounts[3] where it cannot be read
    fields: Fields
    record: Record | None  # None where a part is missing, cut off or of the wrong type


class Document:
    """A vault's file. It never changes; a change gives another."""

    def __init__(self, keyhole: Keyhole, rows: Iterable[Row] = ()) -> None:
        self.keyhole = keyhole
        self.rows = tuple(rows)

    def row(self, name: str) -> Row | None:
        """The first row of that name."""
        return next((row for row in self.rows if row.name == name), None)

    @cached_property
    def entries(self) -> tuple[Entry, ...]:
        """What may be shown, in order."""
        return tuple(row.record.entry for row in self.rows if row.record)

    def damaged(self, key: Key | None) -> tuple[str, ...]:
        """The names of the rows that cannot be opened; without a key, of those that cannot be read."""
        return tuple(
            row.name for row in self.rows if row.record is None or (key is not None and row.record.account(key) is None)
        )

    def with_account(self, account: Account, key: Key, unknown: Fields | None = None) -> Document:
        """The document with `account` in the place of its name, or at the end with the `unknown` fields."""
        kept = self.row(account.name)
        row = _row((kept.fields if kept else unknown or {}) | _sealed(account, key), account.name)
        if row.record is None:
            raise BadOption(f"the account {account.name!r} cannot be kept: its provider is no name", field="provider")
        rows = (*self.rows, row) if kept is None else (row if one is kept else one for one in self.rows)
        return Document(self.keyhole, rows)

    def without(self, gone: Row) -> Document:
        """The document without that row."""
        return Document(self.keyhole, (row for row in self.rows if row is not gone))

    def preferring(self, first: Row) -> Document:
        """The document with that row before all others of its provider."""
        return Document(
            self.keyhole, moved_first(self.rows, first, lambda row: row.record.provider if row.record else None)
        )

    def resealed(self, keyhole: Keyhole, old: Key, new: Key) -> Document:
        """The same accounts under another key; a damaged one is left out."""
        document = Document(keyhole)
        for row in self.rows:
            if row.record and (account := row.record.account(old)):
                document = document.with_account(account, new, row.fields)
        return document

    def encoded(self) -> bytes:
        """The file's bytes."""
        written = _Written(version=VERSION, key=self.keyhole, accounts=tuple(row.fields for row in self.rows))
        return msgspec.json.format(msgspec.json.encode(written), indent=1)


class Plain(NamedTuple):
    """A file of version 1."""

    accounts: tuple[Account, ...]
    unknown: tuple[Fields, ...]  # what stands beside each

    @property
    def entries(self) -> tuple[Entry, ...]:
        """What may be shown, in order."""
        return tuple(entry(account, "file") for account in self.accounts)

    def sealed(self, keyhole: Keyhole, key: Key) -> Document:
        """The same accounts, sealed."""
        document = Document(keyhole)
        for account, unknown in zip(self.accounts, self.unknown, strict=True):
            if document.row(account.name) is None:  # of two with one name only the first was ever seen
                document = document.with_account(account, key, unknown)
        return document


def read(data: Hidden, file: PrivateFile) -> Document | Plain:
    """What stands in `data`. Raises: `ConfigError` naming `file`, for a newer version or a damaged whole."""
    version = _decoded(data, _Version, file).version
    if version > VERSION:
        raise ConfigError(
            f"{file} is of version {version}; this polychat knows versions up to {VERSION}", hint="update polychat"
        )
    if version == 1:
        return _plain(_decoded(data, _WrittenPlain, file).accounts, file)
    written = _decoded(data, _Written, file)
    return Document(written.key, _rows(written.accounts))


def spare(file: PrivateFile) -> PrivateFile:
    """The vault as it was before the last change."""
    return PrivateFile(file.sibling("bak"), file.noun)


def _plain(rows: Iterable[Fields], file: PrivateFile) -> Plain:
    accounts, unknown = [], []
    for number, fields in enumerate(rows):
        written = Hidden(msgspec.json.encode(fields))
        _decoded(written, _Shown, file, f"accounts[{number}]")
        accounts.append(_decoded(written, Account, file, f"accounts[{number}]"))
        unknown.append({name: raw for name, raw in fields.items() if name not in Account.__struct_fields__})
    return Plain(tuple(accounts), tuple(unknown))


def _rows(written: Iterable[Fields]) -> Iterator[Row]:
    """The rows; of two with one name the second is as good as unreadable."""
    seen: set[str] = set()
    for number, fields in enumerate(written):
        place = f"accounts[{number}]"
        row = _row(fields, place)
        yield Row(place, fields, None) if row.name in seen else row
        seen.add(row.name)


def _row(fields: Fields, otherwise: str) -> Row:
    written = msgspec.json.encode(fields)
    try:
        record = msgspec.json.decode(written, type=Record)
    except (msgspec.DecodeError, UnicodeDecodeError):
        return Row(_name(written) or otherwise, fields, None)
    return Row(record.name, fields, record)


def _name(written: bytes) -> str | None:
    try:
        return msgspec.json.decode(written, type=_Named).name
    except (msgspec.DecodeError, UnicodeDecodeError):
        return None


def _sealed(account: Account, key: Key) -> Fields:
    shown = entry(account, "file")
    credential = Hidden(msgspec.json.encode(account.credential, enc_hook=reveal))
    seal = key.seal(credential, about_account(account.name, account.provider, shown.kind))
    record = Record(
        name=account.name,
        provider=account.provider,
        kind=shown.kind,
        created_at=account.created_at,
        expires_at=shown.expires_at,
        nonce=seal.nonce,
        sealed=seal.sealed,
    )
    return msgspec.json.decode(msgspec.json.encode(record), type=Fields)


def _credential(plain: Hidden | None) -> Credential | None:
    try:
        return msgspec.json.decode(plain, type=Credential, dec_hook=conceal) if plain is not None else None
    except (msgspec.DecodeError, UnicodeDecodeError):
        return None


def _decoded(data: Hidden, shape: type[_T], file: PrivateFile, where: str = "") -> _T:
    try:
        return msgspec.json.decode(data, type=shape, dec_hook=conceal)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        place = f" ({where})" if where else ""
        raise ConfigError(f"{file}{place} is damaged and was left as it is: {error}", hint=_mend(file)) from error


def _mend(file: PrivateFile) -> str:
    copy = spare(file).path
    if not copy.exists():
        return "mend it in an editor, or move it away and sign in again"
    return (
        f"put back what was there before the last change: cp -p {shlex.quote(str(copy))} {shlex.quote(str(file.path))}"
    )
