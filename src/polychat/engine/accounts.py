"""Which accounts there are: the kept ones, keys in the environment, one given in place, and the sandbox's own people.

With a sandbox in force the person's real accounts are out of reach: only what was signed in to a sandbox, and the two
people every sandbox knows, so that no real credential travels there.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Mapping
from pathlib import Path

from polychat import providers
from polychat.credentials import Account, ApiKey, BearerToken, Credential, Secret, SessionCookies, token_expiry
from polychat.engine.services import Services
from polychat.engine.settings import Settings
from polychat.errors import BadOption
from polychat.providers.base import Info
from polychat.vault.base import Vault
from polychat.vault.env import EnvVault
from polychat.vault.file import FileVault
from polychat.vault.keys import Ask, Keys
from polychat.vault.memory import MemoryVault
from polychat.vault.stack import VaultStack

log = logging.getLogger("polychat.vault")

_DOCKER_SECRETS = Path("/run/secrets")
_SANDBOX_PEOPLE = ("sandbox-alice", "sandbox-bob")


def vault_path(settings: Settings) -> Path:
    """The file that keeps accounts; what is signed in to a sandbox has one of its own."""
    name = "accounts.json" if settings.sandbox is None else "sandbox-accounts.json"
    return settings.folders.data / name


def health_path(settings: Settings) -> Path:
    """The file that remembers how those accounts are doing."""
    return settings.folders.state / ("health.json" if settings.sandbox is None else "sandbox-health.json")


def kept(
    settings: Settings,
    environ: Mapping[str, str],
    *,
    ask: Ask | None = None,
    notice: Callable[[str], None] | None = None,
) -> Vault:
    """The accounts that `settings` make available, the person's own first.

    `ask` asks for the vault's passphrase; `notice` is told what a person should know of it, otherwise the log is.
    """
    file = file_vault(settings, environ, ask=ask, notice=notice)
    infos = Services(settings).infos().values()
    if settings.sandbox is not None:
        known = [info for info in infos if info.name == (info.emulation or info.name).partition("/")[0]]
        people = [_sandbox_account(info, person) for info in known for person in _SANDBOX_PEOPLE]
        return VaultStack(file, MemoryVault(*people))
    keys = {info.name: info.env_keys for info in infos if info.env_keys}
    kinds = {info.name: info.sign_in.key_kind for info in infos}
    return VaultStack(file, EnvVault(environ, keys, kinds), *_key_files(settings))


def _key_files(settings: Settings) -> list[MemoryVault]:
    if not settings.services:
        return []
    from polychat.engine import rows

    found = [rows.account(name, service) for name, service in settings.services.items()]
    return [MemoryVault(*filter(None, found))]


def file_vault(
    settings: Settings,
    environ: Mapping[str, str],
    *,
    ask: Ask | None = None,
    notice: Callable[[str], None] | None = None,
) -> FileVault:
    """The sealed file among the accounts of `kept`. The key of a sandbox's goes into no keyring unasked."""
    keys = Keys(
        file=settings.vault_key_file,
        environ=environ,
        secrets=_DOCKER_SECRETS,
        runtime=settings.folders.runtime,
        uses_keyring=settings.sandbox is None,
        ask=ask,
        notice=notice or log.info,
    )
    return FileVault(vault_path(settings), keys)


def given(
    provider: str | None,
    *,
    api_key: str | None,
    cookies: Mapping[str, str] | None,
    services: Services | None = None,
) -> Vault:
    """A vault of the one account whose credential the caller holds in hand; of `services`, or those all know."""
    if provider is None:
        raise BadOption("api_key and cookies need provider=, which says where they belong", field="provider")
    info = (services or providers).load(provider).info
    if cookies is not None:
        return _holding(info, SessionCookies(cookies={name: Secret(value) for name, value in cookies.items()}))
    return _holding(info, key_credential(info, Secret(api_key or "")))


def keyed(info: Info, api_key: str | None) -> Vault:
    """A vault of that key alone; an empty one without it."""
    return MemoryVault() if api_key is None else _holding(info, key_credential(info, Secret(api_key)))


def _holding(info: Info, credential: Credential) -> Vault:
    return MemoryVault(Account(name=f"given@{info.name}", provider=info.name, credential=credential))


def key_credential(info: Info, key: Secret) -> Credential:
    """What a key or token is at this service. Raises `BadOption` for an empty one, and for one that cannot be sent."""
    if not key.reveal().strip():
        raise BadOption(f"the {info.label} key is empty", field="api_key", hint=f"get one at {info.sign_in.url}")
    if not key.is_plain:
        what = f"the {info.label} key has a line end or is not plain ASCII"
        raise BadOption(what, field="api_key", hint="give one line, the key")
    if info.sign_in.key_kind == "bearer":
        return BearerToken(token=key, expires_at=token_expiry(key))
    return ApiKey(key=key)


def account(info: Info, name: str | None, credential: Credential) -> Account:
    """A new account of a service, named after it unless told."""
    return Account(name=name or info.name, provider=info.name, credential=credential, created_at=time.time())


def _sandbox_account(info: Info, person: str) -> Account:
    credential: Credential = key_credential(info, Secret(person))
    if "cookies" in info.accepts:
        credential = SessionCookies(cookies={name: Secret(person) for name in info.sign_in.cookies})
    return Account(name=f"{person}@{info.name}", provider=info.name, credential=credential)
