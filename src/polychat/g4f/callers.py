"""Who asks whom: the service, the account and the settings of one call.

The account is, first found: the key or token of the call, the cookies set for the service's domains, the cookies on
the provider class, and else whatever `polychat login` keeps.
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
    cookies: Cookies


def caller(provider: NamesService | str | None, *, api_key: str | None, proxy: str | None) -> Caller:
    """The caller that these arguments mean, under the settings in force now.

    Raises: `ConfigError` for a wrong setting, `BadOption` for a key without a provider or an empty one, `UnknownModel`
    for a provider that does not exist.
    """
    settings = load(environ=os.environ, overrides={"proxy": proxy})
    if provider is None:
        if api_key is not None:
            raise BadOption("api_key needs provider=, which says where it belongs", field="provider")
        return Caller(settings=settings, service=None, account=None)
    service, own = (provider.lower(), {}) if isinstance(provider, str) else (provider.service, provider.cookies)
    return Caller(settings=settings, service=service, account=_account(service, api_key, own))


def _account(service: str, api_key: str | None, own: Cookies) -> Account | None:
    credential = _credential(service, api_key, own)
    return Account(name=f"given@{service}", provider=service, credential=credential) if credential else None


def _credential(service: str, api_key: str | None, own: Cookies) -> Credential | None:
    info = providers.load(service).info
    if api_key is not None:
        return accounts.key_credential(info, Secret(api_key))
    if cookies := next(filter(None, map(get_cookies, info.sign_in.domains)), own):
        return SessionCookies(cookies={name: Secret(value) for name, value in cookies.items()})
    return None
