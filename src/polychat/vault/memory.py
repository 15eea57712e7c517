"""Accounts that live as long as the process: given in code, or in a test."""

from __future__ import annotations

from polychat.credentials import Account
from polychat.vault.base import Entry, check_name, entry, moved_first, no_account


class MemoryVault:
    """Keeps accounts in a dictionary and writes nothing anywhere."""

    writable = True

    def __init__(self, *accounts: Account) -> None:
        self._accounts: dict[str, Account] = {}
        self._entries: dict[str, Entry] = {}  # in the same order
        for account in accounts:
            self.put(account)

    def open(self) -> None:
        """Always open."""

    def entries(self, provider: str | None = None) -> tuple[Entry, ...]:
        """What is kept, in the order it was first put."""
        return tuple(kept for kept in self._entries.values() if provider in (None, kept.provider))

    def get(self, name: str) -> Account:
        """The account of that name. Raises: `NoAccount`."""
        if name not in self._accounts:
            raise no_account(name, self.entries())
        return self._accounts[name]

    def put(self, account: Account) -> None:
        """Keep `account`, in place of one of the same name. Raises: `BadOption`."""
        check_name(account.name)
        self._accounts[account.name] = account
        self._entries[account.name] = entry(account, "memory")

    def remove(self, name: str) -> None:
        """Forget an account. Raises: `NoAccount`."""
        self.get(name)
        del self._accounts[name], self._entries[name]

    def prefer(self, name: str) -> None:
        """Put an account before all others of its provider. Raises: `NoAccount`."""
        order = moved_first([*self._accounts.values()], self.get(name), lambda account: account.provider)
        self._accounts = {account.name: account for account in order}
        self._entries = {name: self._entries[name] for name in self._accounts}
