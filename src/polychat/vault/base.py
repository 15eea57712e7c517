"""What a vault is: named accounts in order of preference.

`entries()` never touches a secret, `get()` hands one out. A vault does blocking work (a file, a lock) and no network.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from typing import Literal, Protocol, TypeVar

import msgspec

from polychat.credentials import Account, ApiKey, BearerToken, Credential, SessionCookies, ends_at
from polychat.errors import BadOption, NoAccount

Kind = Literal["api_key", "bearer", "cookies"]
T = TypeVar("T")

NAME = re.compile(r"[a-z0-9][a-z0-9._@:-]{0,63}")
_KINDS: dict[type[Credential], Kind] = {ApiKey: "api_key", BearerToken: "bearer", SessionCookies: "cookies"}


class Entry(msgspec.Struct, frozen=True, kw_only=True):
    """What may be shown of an account."""

    name: str
    provider: str
    kind: Kind
    created_at: float | None  # Unix seconds
    source: str  # where it rests: "file", "environment", "memory"
    expires_at: float | None = None  # when the person has to sign in again, where that is known


class Vault(Protocol):
    """Keeps accounts by name."""

    @property
    def writable(self) -> bool:
        """False when `put` and `remove` always raise `ConfigError`."""
        ...

    def open(self) -> None:
        """Be ready to hand out and keep secrets, which may ask a person for a passphrase. Raises: `ConfigError`."""
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

    def prefer(self, name: str) -> None:
        """Put an account before all others of its provider, so that it is the default. Raises: `NoAccount`."""
        ...


def entry(account: Account, source: str) -> Entry:
    """What may be shown of `account`."""
    return Entry(
        name=account.name,
        provider=account.provider,
        kind=_KINDS[type(account.credential)],
        created_at=account.created_at,
        source=source,
        expires_at=ends_at(account.credential),
    )


def moved_first(kept: Sequence[T], first: T, provider_of: Callable[[T], str | None]) -> list[T]:
    """What is kept, `first` before all others of its provider and the rest as it was."""
    others = [one for one in kept if one is not first]
    provider = provider_of(first)
    at = next((at for at, one in enumerate(others) if provider_of(one) == provider), len(others))
    return [*others[:at], first, *others[at:]]


def check_name(name: str) -> None:
    """Raise `BadOption` unless `name` can name a kept account. The message leaves it out: it may be a pasted key."""
    if not NAME.fullmatch(name):
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
        hint="polychat login adds one, polychat accounts list shows them",
    )
