"""API keys and tokens under the names that other tools already use, such as REKA_API_KEY.

The account of a variable is called `env:VARIABLE`. No kept account can have that name (it has capitals), so neither
hides the other. The environment is handed in; nothing here reads the process's own.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Literal

from polychat.credentials import Account, ApiKey, BearerToken, Credential, Secret, secrets_of, token_expiry
from polychat.errors import ConfigError
from polychat.vault.base import Entry, entry, no_account

EnvironmentKind = Literal["api_key", "bearer", "cookies"]


class EnvVault:
    """Read-only accounts from environment variables.

    `keys` maps a provider to its variables, the preferred first; a variable named by two providers belongs to the
    first. `kinds` says what the values of a provider are, API keys unless it says otherwise. An empty variable is an
    unset one.
    """

    writable = False

    def __init__(
        self,
        environ: Mapping[str, str],
        keys: Mapping[str, Sequence[str]],
        kinds: Mapping[str, EnvironmentKind] | None = None,
    ) -> None:
        self._environ = environ
        self._keys = keys
        self._kinds = kinds or {}
        self._read: tuple[tuple[tuple[str, str, str], ...], dict[str, Account], tuple[Entry, ...]] = ((), {}, ())

    def open(self) -> None:
        """Always open."""

    def entries(self, provider: str | None = None) -> tuple[Entry, ...]:
        """The accounts whose variables are set."""
        self._accounts()
        return tuple(known for known in self._read[2] if provider in (None, known.provider))

    def get(self, name: str) -> Account:
        """The account of that name. Raises: `NoAccount`, or `ConfigError` for a value that is no key."""
        account = self._known(name)
        if not all(secret.is_plain for secret in secrets_of(account.credential)):
            variable = name.removeprefix("env:")
            what = f"the key in {variable} has a line end or is not plain ASCII"
            raise ConfigError(what, hint=f"put one line into {variable}, the key", provider=account.provider)
        return account

    def put(self, account: Account) -> None:
        """Raises: `ConfigError`, always."""
        raise ConfigError(
            f"the account {account.name!r} cannot be kept in environment variables",
            hint="give a vault that can be written, such as FileVault",
        )

    def remove(self, name: str) -> None:
        """Raises: `NoAccount` when there is none of that name, otherwise `ConfigError`."""
        self._known(name)
        raise ConfigError(
            f"the account {name!r} comes from an environment variable and cannot be removed here",
            hint=f"unset {name.removeprefix('env:')}",
        )

    def prefer(self, name: str) -> None:
        """Raises: `NoAccount` when there is none of that name, otherwise `ConfigError`."""
        provider = self._known(name).provider
        raise ConfigError(
            f"the account {name!r} comes from an environment variable and cannot be moved",
            hint=f'name it in the table [accounts] of config.toml: {provider} = "{name}"',
        )

    def _known(self, name: str) -> Account:
        accounts = self._accounts()
        if name not in accounts:
            raise no_account(name, self.entries())
        return accounts[name]

    def _accounts(self) -> dict[str, Account]:
        """By name; made anew where a variable has changed."""
        values = tuple(self._values())
        if values != self._read[0]:
            accounts = self._made(values)
            self._read = values, accounts, tuple(entry(account, "environment") for account in accounts.values())
        return self._read[1]

    def _made(self, values: Sequence[tuple[str, str, str]]) -> dict[str, Account]:
        accounts: dict[str, Account] = {}
        for provider, variable, value in values:
            name = f"env:{variable}"
            credential = self._credential(provider, Secret(value))
            accounts.setdefault(name, Account(name=name, provider=provider, credential=credential))
        return accounts

    def _values(self) -> Iterator[tuple[str, str, str]]:
        for provider, variables in self._keys.items():
            for variable in variables:
                if value := self._environ.get(variable, "").strip():
                    yield provider, variable, value

    def _credential(self, provider: str, secret: Secret) -> Credential:
        if self._kinds.get(provider) == "bearer":
            return BearerToken(token=secret, expires_at=token_expiry(secret))
        return ApiKey(key=secret)
