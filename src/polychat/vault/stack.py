"""Several vaults as one."""

from __future__ import annotations

from polychat.credentials import Account
from polychat.errors import ConfigError, NoAccount
from polychat.vault.base import Entry, Vault, no_account


class VaultStack:
    """Looks in every vault in order; of two accounts with one name only the first is seen.

    An account is replaced or removed where it rests; a new one goes to the first vault that can be written.
    """

    def __init__(self, *vaults: Vault) -> None:
        self._vaults = vaults

    @property
    def writable(self) -> bool:
        """True when one of the vaults is."""
        return any(vault.writable for vault in self._vaults)

    def open(self) -> None:
        """Open every vault. Raises: `ConfigError` of the first that stays closed."""
        for vault in self._vaults:
            vault.open()

    def entries(self, provider: str | None = None) -> tuple[Entry, ...]:
        """What all of them keep, in order."""
        seen: dict[str, Entry] = {}
        for vault in self._vaults:
            for entry in vault.entries():
                seen.setdefault(entry.name, entry)
        return tuple(entry for entry in seen.values() if provider in (None, entry.provider))

    def get(self, name: str) -> Account:
        """The account of that name. Raises: `NoAccount`, naming those of all vaults."""
        for vault in self._vaults:
            try:
                return vault.get(name)
            except NoAccount:
                continue
        raise no_account(name, self.entries())

    def put(self, account: Account) -> None:
        """Keep `account`. Raises: `BadOption`, or `ConfigError` when no vault can be written."""
        vault = self._holder(account.name) or next((vault for vault in self._vaults if vault.writable), None)
        if vault is None:
            raise ConfigError("none of the vaults can be written", hint="add a FileVault or a MemoryVault")
        vault.put(account)

    def remove(self, name: str) -> None:
        """Forget an account. Raises: `NoAccount`, or `ConfigError` when its vault is read-only."""
        vault = self._holder(name)
        if vault is None:
            raise no_account(name, self.entries())
        vault.remove(name)

    def prefer(self, name: str) -> None:
        """Put an account before all others of its provider.

        Raises: `NoAccount`, or `ConfigError` for a read-only vault or behind one that has accounts of the provider.
        """
        vault = self._holder(name)
        if vault is None:
            raise no_account(name, self.entries())
        if vault.writable:
            self._refuse_behind(name, vault)
        vault.prefer(name)

    def _refuse_behind(self, name: str, holder: Vault) -> None:
        """Raise where an earlier vault's accounts stay in front, wherever `name` moves in its own."""
        (provider,) = (entry.provider for entry in holder.entries() if entry.name == name)
        for vault in self._vaults[: self._vaults.index(holder)]:
            for first in vault.entries(provider):
                raise ConfigError(
                    f"the account {name!r} cannot be moved before {first.name!r}, which is in another vault",
                    hint=f'name it in the table [accounts] of config.toml: {provider} = "{name}"',
                )

    def _holder(self, name: str) -> Vault | None:
        held = (vault for vault in self._vaults if any(entry.name == name for entry in vault.entries()))
        return next(held, None)
