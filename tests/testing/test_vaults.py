"""The vaults of this package keep the promises of a vault, and the judge notices one that does not."""

from __future__ import annotations

from pathlib import Path

import pytest

from polychat.credentials import Account, ApiKey
from polychat.testing.checks import Check
from polychat.testing.vaults import VAULT_CHECKS, MakeVault, check_vault
from polychat.vault.base import Entry
from polychat.vault.file import FileVault
from polychat.vault.memory import MemoryVault


@pytest.mark.parametrize("check", VAULT_CHECKS, ids=str)
def test_memory_vault(check: Check[MakeVault]) -> None:
    """A MemoryVault keeps every promise."""
    check(MemoryVault)


@pytest.mark.parametrize("check", VAULT_CHECKS, ids=str)
def test_file_vault(check: Check[MakeVault], tmp_path: Path) -> None:
    """A FileVault keeps every promise."""
    check(lambda: FileVault(tmp_path / "vault" / "accounts.json"))


class _Sorting(MemoryVault):
    def entries(self, provider: str | None = None) -> tuple[Entry, ...]:
        return tuple(sorted(super().entries(provider), key=lambda entry: entry.name))


class _Stubborn(MemoryVault):
    def put(self, account: Account) -> None:
        if account.name not in self._accounts:
            super().put(account)


class _Careless(MemoryVault):
    def put(self, account: Account) -> None:
        self._accounts[account.name] = account


class _Clinging(MemoryVault):
    def remove(self, name: str) -> None:
        self.get(name)


class _Unmoved(MemoryVault):
    def prefer(self, name: str) -> None:
        self.get(name)


class _Forgetful(MemoryVault):
    def get(self, name: str) -> Account:
        return Account(name=name, provider="reka", credential=super().get(name).credential, created_at=None)


class _Telling(MemoryVault):
    def put(self, account: Account) -> None:
        super().put(account)
        if isinstance(account.credential, ApiKey):
            self.last = str(account.credential.key.reveal())


class _Oblivious(MemoryVault):
    def get(self, name: str) -> Account:
        return self._accounts.get(name) or next(iter(self._accounts.values()))


@pytest.mark.parametrize(
    ("vault", "broken"),
    [
        (_Forgetful, "keeps every kind"),
        (_Sorting, "orders"),
        (_Stubborn, "replaces"),
        (_Clinging, "removes"),
        (_Unmoved, "prefers"),
        (_Oblivious, "unknown names"),
        (_Careless, "refuses names"),
        (_Telling, "shows no secret"),
    ],
)
def test_a_broken_vault_is_noticed(vault: MakeVault, broken: str) -> None:
    """For each check there is a vault that fails it, and `check_vault` does not pass it."""
    (check,) = (check for check in VAULT_CHECKS if check.name == broken)
    with pytest.raises(AssertionError, match=f"^{broken}: "):
        check(vault)
    with pytest.raises(AssertionError):
        check_vault(vault)
