"""Who asks whom: the service, the account and the settings of one call.

The account is, first found: the credential, key or token of the call, the cookies set for the service's domains, what
the provider class was given, and else whatever `polychat login` keeps.
"""

from __future__ import annotations

import os
from typing import Protocol

import msgspec

from polychat import providers
from polychat.credentials import Account, Credential, Secret, SessionCookies
from polychat.engine import accounts
from polychat.engine.settings import Settings, load
from polychat.errors import BadOption
from polychat.g4f.cookies import get_cookies
from polychat.g4f.typing import Cookies
from polychat.vault.base import Vault
from polychat.vault.memory import MemoryVault


class Caller(msgspec.Struct, frozen=True, kw_only=True):
    """Equal callers share an engine; unequal ones share nothing."""

    settings: Settings
    service: str | None  # None: whichever offers the model
    account: Account | None  # None: the kept ones

    def vault(self) -> Vault:
        """The accounts this caller may use."""
        return accounts.kept(self.settings, os.environ) if self.account is None else MemoryVault(self.account)


class NamesService(Protocol):
    """A provider class, or an instance of one."""

    service: str

    def own_credential(self) -> Credential | None:
        """What the class was given for calls that bring nothing."""
        ...


def caller(
    provider: NamesService | str | None,
    *,
    api_key: str | None,
    proxy: str | None,
    credential: Credential | None = None,
) -> Caller:
    """The caller that these arguments mean, under the settings in force now.

    Raises: `ConfigError` for a wrong setting, `BadOption` for a key without a provider or an empty one, `UnknownModel`
    for a provider that does not exist.
    """
    settings = load(environ=os.environ, overrides={"proxy": proxy})
    if provider is None:
        if api_key is not None:
            raise BadOption("api_key needs provider=, which says where it belongs", field="provider")
        return Caller(settings=settings, service=None, account=None)
    service = provider.lower() if isinstance(provider, str) else provider.service
    used = credential or _given(service, api_key) or (None if isinstance(provider, str) else provider.own_credential())
    return Caller(settings=settings, service=service, account=_account(service, used))


def _account(service: str, credential: Credential | None) -> Account | None:
    return Account(name=f"given@{service}", provider=service, credential=credential) if credential else None


def _given(service: str, api_key: str | None) -> Credential | None:
    info = providers.load(service).info
    if api_key is not None:
        return accounts.key_credential(info, Secret(api_key))
    return cookie_session(next(filter(None, map(get_cookies, info.sign_in.domains)), {}))


def cookie_session(cookies: Cookies) -> SessionCookies | None:
    """The session that these cookies are; None for none."""
    return SessionCookies(cookies={name: Secret(value) for name, value in cookies.items()}) if cookies else None
