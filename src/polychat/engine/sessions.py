"""The accounts of one vault in use: the session of each, made once and kept while the engine lives.

So tokens are fetched once. What a service renewed of a sign-in is brought back to the vault.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import cache
from typing import NamedTuple

import msgspec

from polychat.credentials import Account, ApiKey, BearerToken, CredentialKind, SessionCookies
from polychat.engine import health
from polychat.engine.register import Register
from polychat.errors import AuthExpired, BadOption, ChallengeRequired, ConfigError, NoAccount
from polychat.net.session import Session
from polychat.providers.base import Info
from polychat.vault.base import Entry, Vault

log = logging.getLogger("polychat.accounts")

_NOBODYS = "nowhere"  # rests the account of a service that needs none


class _Kept(NamedTuple):
    """A session, and what it was made of."""

    entry: Entry
    account: Account | None  # None where none is needed
    session: Session


class Sessions:
    """The sessions of one engine.

    `make` builds the one of an account; `preferred` names a provider's default account.
    """

    def __init__(
        self,
        vault: Vault,
        register: Register,
        *,
        make: Callable[[Info, Account | None], Session],
        preferred: dict[str, str],
        now: Callable[[], float],
    ) -> None:
        self.register = register
        self.now = now
        self.preferred = preferred
        self._vault = vault
        self._make = make
        self._kept: dict[str, _Kept] = {}

    def entries(self, info: Info, name: str | None = None) -> Sequence[Entry]:
        """The account `name`; without a name all of the provider's, the default one first. Never none.

        Raises: `NoAccount` when there is none, `BadOption` when it belongs to another service.
        """
        entries = self._vault.entries(info.name)
        if name is None and not entries and not info.needs_account:
            return [_without_account(info.name)]
        if name is None and not entries:
            raise NoAccount(f"there is no {info.label} account", hint=login_hint(info), provider=info.name)
        wanted = name or self.preferred.get(info.name)
        if wanted is None:
            return entries
        chosen = next((entry for entry in entries if entry.name == wanted), None)
        if chosen is None:
            account = self._vault.get(wanted)
            raise BadOption(f"account {wanted!r} is of {account.provider}, not {info.name}", field="account")
        return [chosen] if name else [chosen, *(entry for entry in entries if entry is not chosen)]

    def of(self, info: Info, entry: Entry) -> Session:
        """The session of that account, whatever its health. Raises: `BadOption` where it is of the wrong kind."""
        kept = self._kept.get(entry.name)
        if kept is not None and kept.entry is entry:  # the vault has not changed since
            return kept.session
        if entry.source == _NOBODYS:
            return self._remember(_Kept(entry, None, self._make(info, None)))
        account = self._vault.get(entry.name)
        if (kind := kind_of(account)) not in info.accepts:
            raise BadOption(
                f"account {account.name!r} holds {kind}; {info.name} needs {' or '.join(info.accepts)}", field="account"
            )
        session = kept.session if kept is not None and kept.account == account else self._make(info, account)
        return self._remember(_Kept(entry, account, session))

    def reload(self, preferred: dict[str, str], *, afresh: bool) -> None:
        """Other default accounts; `afresh` makes every session anew, for they go elsewhere now."""
        self.preferred = preferred
        if afresh:
            self._kept.clear()

    def used(self) -> list[tuple[str, Session]]:
        """Those that were used, by account."""
        return [(name, kept.session) for name, kept in self._kept.items()]

    def _remember(self, kept: _Kept) -> Session:
        self._kept[kept.entry.name] = kept
        return kept.session

    # ------------------------------------------------------------ sign-ins

    @contextmanager
    def trial(self, info: Info, name: str | None) -> Iterator[Session]:
        """A session to try a sign-in with, whatever its health; a refusal counts, and what is renewed is kept."""
        entry = self.entries(info, name)[0]
        session = self.of(info, entry)
        try:
            with session.owning():
                yield session
        except (AuthExpired, ChallengeRequired) as error:
            told = error
            self.register.change(entry, lambda known: health.failed(known, "", told, now=self.now()))
            raise
        self.keep_renewed(info, entry)

    def proven(self, info: Info, name: str | None) -> None:
        """The service took the sign-in."""
        entry = self.entries(info, name)[0]
        self.register.change(entry, lambda known: health.answered(known, None, now=self.now()))

    def keep_renewed(self, info: Info, entry: Entry) -> None:
        """Bring what the service renewed back to the vault."""
        kept = self._kept.get(entry.name)
        renewed = kept.session.renewed(info.sign_in.cookies) if kept else None
        if kept and kept.account and renewed:
            self._bring_back(kept, kept.account, renewed)

    def _bring_back(self, kept: _Kept, account: Account, renewed: SessionCookies) -> None:
        """Keep what the service renewed, unless the person has signed in anew meanwhile."""
        name, fresh = kept.entry.name, msgspec.structs.replace(account, credential=renewed)
        try:
            if self._vault.get(name) != account:
                return
            self._vault.put(fresh)
        except ConfigError as error:
            log.warning("a renewed sign-in is not kept: %s", error.message, extra={"account": name})
            return
        kept.session.account = fresh
        self._kept[name] = kept._replace(account=fresh)


@cache
def _without_account(info_name: str) -> Entry:
    """What stands for the account of a service that needs none; its health lives as long as the engine."""
    return Entry(name=f"anyone@{info_name}", provider=info_name, kind="api_key", created_at=None, source=_NOBODYS)


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
        own = f"log in at {info.sign_in.url} in your own browser, then: polychat login {info.name} --cookies FILE"
        return f"{login_command(info)} opens a window for it; or {own}"
    return login_command(info)


def login_command(info: Info) -> str:
    """What to type to sign in."""
    return f"polychat login {info.name} {'--browser' if 'cookies' in info.accepts else '--key -'}"
