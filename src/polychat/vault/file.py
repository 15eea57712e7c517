"""Accounts in one sealed file, for its owner's eyes only.

What may be shown of an account stands in the clear, so that listing needs no key; its credential is sealed (`seal`).
A change reads, edits and replaces the file under a lock, so many processes lose nothing, and keeps what was there
before it beside the file (`.bak`). A row that was changed, moved or cut off is refused by name when it is asked for;
the others stay readable. What cannot be read at all is never overwritten. A file of version 1, which is not sealed, is
sealed as soon as a secret is asked for or something is changed, and leaves no copy behind.
"""

from __future__ import annotations

import functools
import time
from collections.abc import Callable, Sequence
from pathlib import Path

import msgspec

from polychat.credentials import Account, Secret
from polychat.errors import ConfigError
from polychat.vault import document, keyring
from polychat.vault.base import Entry, check_name, no_account
from polychat.vault.document import Document, Plain, Row, spare
from polychat.vault.keys import Choice, Keys, whereabouts
from polychat.vault.private import Hidden, PrivateFile, Stamp
from polychat.vault.seal import VERSION, Key, Keyhole, Source, keyhole, new_id


class Status(msgspec.Struct, frozen=True, kw_only=True):
    """What there is to say about a vault without showing anything of it."""

    path: Path
    version: int | None = None  # of the file; None when there is none
    source: Source | None = None  # where its key was made to live
    locked: bool = False  # True when it cannot be opened as things are
    problem: str | None = None  # why not
    hint: str | None = None  # what to do about it
    unlocked_until: float | None = None  # Unix seconds
    accounts: int = 0
    damaged: tuple[str, ...] = ()  # accounts that cannot be opened; of a locked vault, those that cannot be read
    backup: Path | None = None  # the vault as it was before the last change
    backup_at: float | None = None  # Unix seconds

    @property
    def exists(self) -> bool:
        """False when nothing was kept yet."""
        return self.version is not None


class FileVault:
    """Keeps accounts in the file at `path`, which need not exist yet.

    What was read is kept until the file changes, and the key as long as the vault lives. Without `keys` the key is in a
    file beside the vault.
    """

    writable = True

    def __init__(self, path: Path | str, keys: Keys | None = None) -> None:
        self._file = PrivateFile(path, "vault file")
        self._keys = keys or Keys()
        self._seen: tuple[Stamp, Document] | None = None
        self._opened: tuple[Keyhole, Key] | None = None

    @property
    def path(self) -> Path:
        """Where the file is."""
        return self._file.path

    # ------------------------------------------------------------ accounts

    def entries(self, provider: str | None = None) -> tuple[Entry, ...]:
        """What is kept, in order; needs no key. Raises: `ConfigError` for a file that cannot be read."""
        kept = self._kept()
        entries = kept.entries if kept else ()
        return entries if provider is None else tuple(entry for entry in entries if entry.provider == provider)

    def get(self, name: str) -> Account:
        """The account of that name. Raises: `NoAccount`, `ConfigError`."""
        kept = self._sealed()
        row = kept.row(name) if kept else None
        if kept is None or row is None:
            raise no_account(name, self.entries())
        account = row.record.account(self._key(kept.keyhole)) if row.record else None
        if account is None:
            raise self._refused(row)
        return account

    def put(self, account: Account) -> None:
        """Keep `account`, in place of one of the same name. Raises: `BadOption`, `ConfigError`."""
        self.put_all([account])

    def put_all(self, accounts: Sequence[Account]) -> None:
        """Keep all of them, or none. Raises: as `put`."""
        for account in accounts:
            check_name(account.name)
        self.open()  # not inside the lock: a person may be asked
        with self._file.locked():
            kept = self._own()
            key = self._key(kept.keyhole)
            self._write(functools.reduce(lambda document, account: document.with_account(account, key), accounts, kept))

    def remove(self, name: str) -> None:
        """Forget an account. Raises: `NoAccount`, `ConfigError`."""
        self._change(name, Document.without)

    def prefer(self, name: str) -> None:
        """Put an account before all others of its provider. Raises: `NoAccount`, `ConfigError`."""
        self._change(name, Document.preferring)

    # ------------------------------------------------------------ the vault itself

    def open(self, *, strict: bool = True) -> None:
        """Find the key now, asking for a passphrase where that is needed; nothing to do where there is no vault yet.

        Not `strict`, a given key of another vault is passed over. Raises: `ConfigError`.
        """
        kept = self._kept()
        if isinstance(kept, Document):
            self._key(kept.keyhole, strict=strict)

    def status(self) -> Status:
        """How things are; asks nobody. Raises: `ConfigError` for a file that cannot be read."""
        kept = self._kept()
        copy = spare(self._file)
        copied = copy.stamp()
        facts = Status(
            path=self.path,
            version=None if kept is None else VERSION if isinstance(kept, Document) else 1,
            accounts=len(self.entries()),
            backup=copy.path if copied else None,
            backup_at=copied.mtime_ns / 1e9 if copied else None,
        )
        return self._looked_into(kept, facts) if isinstance(kept, Document) else facts

    def _looked_into(self, kept: Document, facts: Status) -> Status:
        key, problem = None, None
        try:
            key = self._key(kept.keyhole, asking=False)
        except ConfigError as error:
            problem = error
        unlocked = self._keys.unlocked.find(kept.keyhole)
        return msgspec.structs.replace(
            facts,
            accounts=len(kept.rows),
            source=kept.keyhole.source,
            locked=key is None,
            problem=problem and problem.message,
            hint=problem and problem.hint,
            unlocked_until=unlocked and unlocked.until,
            damaged=kept.damaged(key),
        )

    def init(self, choice: Choice = None) -> Source:
        """Make the vault, or seal one of version 1; where its key lives. Raises: `ConfigError` when it is sealed."""
        with self._file.locked():
            kept = self._kept()
            if isinstance(kept, Document):
                raise ConfigError(
                    f"{self._file} is encrypted already, its key is {whereabouts(kept.keyhole.source)}",
                    hint="polychat vault rekey gives it another key",
                )
            made = self._made(choice, kept)
            self._write(made)
        return made.keyhole.source

    def rekey(self, choice: Choice = None) -> Source:
        """Seal everything under another key; where it lives. No copy under the old one is left but those of `backup`.

        Raises: `ConfigError` when there is no vault, it cannot be opened, or an account in it is damaged.
        """
        if isinstance(self._kept(), Plain):
            return self.init(choice)
        self._there()
        self.open(strict=False)
        with self._file.locked():
            kept = self._own()
            old = self._key(kept.keyhole, strict=False)
            if damaged := kept.damaged(old):
                raise ConfigError(
                    f"{self._file} has accounts that cannot be opened: {', '.join(damaged)}",
                    hint="sign in to each again, or polychat logout NAME, and then polychat vault rekey",
                )
            bare = self._made(choice, None, renew=True)
            self._write(kept.resealed(bare.keyhole, old, self._key(bare.keyhole)), keeping_copy=False)
            spare(self._file).remove()
        self._keys.unlocked.forget(kept.keyhole)
        if kept.keyhole.source == "keyring":
            keyring.forget(kept.keyhole.id)
        return bare.keyhole.source

    def unlock(self, life_s: float, passphrase: Secret | None = None) -> float:
        """Remember the key of a vault with a passphrase for so long; when that ends, in Unix seconds.

        Raises: `ConfigError` for a wrong passphrase, or when the key is not one.
        """
        keyhole = self._with_passphrase()
        key = keyhole.key(passphrase) if passphrase else self._key(keyhole)
        if key is None:
            raise ConfigError(f"this is not the passphrase of {self._file}", hint="try again")
        return self._keys.unlocked.keep(keyhole, key, life_s)

    def lock(self) -> None:
        """Forget the key of a vault with a passphrase. Raises: `ConfigError` when the key is not one."""
        self._keys.unlocked.forget(self._with_passphrase())
        self._opened = None

    def backup(self, to: Path | None = None) -> Path:
        """Copy the vault, sealed as it is, to a new file, or into a folder under a name of its own; where it is.

        Raises: `ConfigError` when there is nothing to copy, or the file is there already.
        """
        self._there()
        folder = self.path.parent if to is None else to
        made = f"{self.path.stem}-{time.strftime('%Y%m%d-%H%M%S')}{self.path.suffix}"
        copy = folder / made if folder.is_dir() else folder
        self._file.copy_to(copy)
        return copy

    # ------------------------------------------------------------ the file and its key

    def _kept(self) -> Document | Plain | None:
        stamp = self._file.stamp()
        if stamp is None:
            return None
        if self._seen and self._seen[0] == stamp:
            return self._seen[1]
        data = self._file.read()
        if data is None:
            return None
        kept = document.read(Hidden(data), self._file)
        self._seen = (stamp, kept) if isinstance(kept, Document) else None
        return kept

    def _sealed(self) -> Document | None:
        """What is kept; a file of version 1 is sealed now."""
        kept = self._kept()
        if not isinstance(kept, Plain):
            return kept
        with self._file.locked():
            own = self._own()
            if isinstance(self._kept(), Plain):  # nobody was faster
                self._write(own)
        return own

    def _there(self) -> Document:
        kept = self._sealed()
        if kept is None:
            raise ConfigError(f"there is no vault yet at {self.path}", hint="polychat vault init makes one")
        return kept

    def _own(self) -> Document:
        """The vault to be changed, inside the lock: sealed, and a new one if there is none."""
        kept = self._kept()
        return kept if isinstance(kept, Document) else self._made(None, kept)

    def _made(self, choice: Choice, plain: Plain | None, *, renew: bool = False) -> Document:
        """A new vault of the accounts of an unsealed one; not yet written."""
        vault_id = new_id()
        source, text = self._keys.make(choice, self._file, vault_id, renew=renew)
        hole, key = keyhole(text, source, vault_id=vault_id, scrypt_n=self._keys.scrypt_n)
        self._opened = hole, key
        if plain is None:
            return Document(hole)
        self._keys.notice(f"{self._file} was not encrypted, from now on it is")
        return plain.sealed(hole, key)

    def _change(self, name: str, edit: Callable[[Document, Row], Document]) -> None:
        if self._kept() is None:
            raise no_account(name, ())
        with self._file.locked():
            kept = self._own()
            row = kept.row(name)
            if row is None:
                raise no_account(name, self.entries())
            self._write(edit(kept, row))

    def _write(self, new: Document, *, keeping_copy: bool = True) -> None:
        """Replace the file, inside the lock; what was sealed there is kept as the copy."""
        if keeping_copy and isinstance(self._kept(), Document):
            spare(self._file).replace(self._file.read() or b"")
        self._file.replace(new.encoded())
        self._seen = None

    def _key(self, hole: Keyhole, *, asking: bool = True, strict: bool = True) -> Key:
        opened = self._opened
        if opened is None or opened[0] != hole:
            self._opened = opened = hole, self._keys.find(hole, self._file, asking=asking, strict=strict)
        return opened[1]

    def _with_passphrase(self) -> Keyhole:
        hole = self._there().keyhole
        if hole.source != "passphrase":
            raise ConfigError(
                f"{self._file} has no passphrase to lock it with, its key is {whereabouts(hole.source)}",
                hint="polychat vault rekey --passphrase gives it one",
            )
        return hole

    def _refused(self, row: Row) -> ConfigError:
        again = f"polychat login {row.record.provider if row.record else 'PROVIDER'} --name {row.name}"
        return ConfigError(
            f"the account {row.name!r} in {self._file} was changed, moved or cut off, and is not opened",
            hint=f"sign in again: {again}; the other accounts are not touched",
        )
