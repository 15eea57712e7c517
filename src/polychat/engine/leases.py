"""Which account answers, and its session: made once, kept while the engine lives, so that tokens are fetched once."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from polychat.credentials import Account, ApiKey, BearerToken, CredentialKind, SessionCookies
from polychat.errors import BadOption, NoAccount
from polychat.net.session import Session
from polychat.providers.base import Info
from polychat.vault.base import Vault


class Leases:
    """The sessions of one engine. `make` builds a `Session` from keyword arguments."""

    def __init__(self, vault: Vault, *, make: Callable[..., Session], preferred: dict[str, str]) -> None:
        self._vault = vault
        self._make = make
        self._preferred = preferred
        self._sessions: dict[tuple[str, str], tuple[Account, Session]] = {}

    def session(self, info: Info, name: str | None = None, **rest: Any) -> Session:
        """The session of the account `name`, or of the provider's default one.

        Raises: `NoAccount` when there is none, `BadOption` when it belongs to another service or is of the wrong kind.
        """
        account = self._account(info, name or self._preferred.get(info.name))
        if (kind := kind_of(account)) not in info.accepts:
            raise BadOption(
                f"account {account.name!r} holds {kind}; {info.name} needs {' or '.join(info.accepts)}", field="account"
            )
        kept = self._sessions.get((info.name, account.name))
        if kept is None or kept[0] != account:
            kept = account, self._make(info, account, **rest)
            self._sessions[info.name, account.name] = kept
        return kept[1]

    def _account(self, info: Info, name: str | None) -> Account:
        entries = self._vault.entries(info.name)
        if name is None:
            if not entries:
                raise NoAccount(f"there is no {info.label} account", hint=login_hint(info), provider=info.name)
            return self._vault.get(entries[0].name)
        account = self._vault.get(name)
        if account.provider != info.name:
            raise BadOption(f"account {name!r} is of {account.provider}, not {info.name}", field="account")
        return account


def kind_of(account: Account) -> CredentialKind:
    """How the account proves itself."""
    match account.credential:
        case ApiKey():
            return "api_key"
        case BearerToken():
            return "bearer"
        case SessionCookies():
            return "cookies"


def login_hint(info: Info) -> str:
    """What to do to sign in."""
    if "cookies" in info.accepts:
        return f"log in at {info.sign_in.url} in your browser, export its cookies, then: {login_command(info)}"
    return login_command(info)


def login_command(info: Info) -> str:
    """What to type to sign in."""
    return f"polychat login {info.name} {'--cookies FILE' if 'cookies' in info.accepts else '--key -'}"
