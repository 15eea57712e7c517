"""What a vault is: named accounts in order of preference.

`entries()` never touches a secret, `get()` hands one out. A vault does blocking work (a file, a lock) and no network.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Literal, Protocol

import msgspec

from polychat.credentials import Account, ApiKey, BearerToken, Credential, SessionCookies
from polychat.errors import BadOption, NoAccount

Kind = Literal["api_key", "bearer", "cookies"]

_NAME = re.compile(r"[a-z0-9][a-z0-9._@:-]{0,63}")
_KINDS: dict[type[Credential], Kind] = {ApiKey: "api_key", BearerToken: "bearer", SessionCookies: "cookies"}


class Entry(msgspec.Struct, frozen=True, kw_only=True):
    """What may be shown of an account."""

    name: str
    provider: str
    kind: Kind
    created_at: float | None  # Unix seconds
    source: str  # where it rests: "file", "environment", "memory"


class Vault(Protocol):
    """Keeps accounts by name."""

    @property
    def writable(self) -> bool:
        """False when `put` and `remove` always raise `ConfigError`."""
        ...

    def entries(self, provider: str | None = None) -> tuple[Entry, ...]:
        """What is kept, of one provider or of all; the first of a provider is its default."""
        ...

    def get(self, name: str) -> Account:
        """The account of that name. Raises: `NoAccount`, naming those that exist."""
        ...

    def put(self, account: Account) -> None:
        """Keep `account`, in place of one of the same name. Raises: `BadOption` for a name that is not one."""
        ...

    def remove(self, name: str) -> None:
        """Forget an account. Raises: `NoAccount` when there is none of that name."""
        ...


def entry(account: Account, source: str) -> Entry:
    """What may be shown of `account`."""
    return Entry(
        name=account.name,
        provider=account.provider,
        kind=_KINDS[type(account.credential)],
        created_at=account.created_at,
        source=source,
    )


def check_name(name: str) -> None:
    """Raise `BadOption` unless `name` can name a kept account. The message leaves it out: it may be a pasted key."""
    if not _NAME.fullmatch(name):
        raise BadOption(
            "an account name is 1 to 64 of a-z, 0-9 and . _ @ : - and begins with a letter or digit",
            field="name",
            hint="choose a name such as work or reka-2",
        )


def no_account(name: str, entries: Sequence[Entry]) -> NoAccount:
    """The error for a name that is not among `entries`."""
    known = ", ".join(entry.name for entry in entries)
    return NoAccount(
        f"there is no account named {name!r}; " + (f"those kept are {known}" if known else "none is kept at all"),
        hint="polychat login adds one, polychat doctor lists them",
    )
