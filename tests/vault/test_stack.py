"""Several vaults as one."""

from __future__ import annotations

import pytest

from polychat.credentials import Account, ApiKey, Secret
from polychat.errors import ConfigError, NoAccount
from polychat.vault.env import EnvVault
from polychat.vault.memory import MemoryVault
from polychat.vault.stack import VaultStack


def account(name: str, key: str = "k", provider: str = "reka") -> Account:
    return Account(name=name, provider=provider, credential=ApiKey(key=Secret(key)))


def environment() -> EnvVault:
    return EnvVault({"REKA_API_KEY": "e"}, {"reka": ["REKA_API_KEY"]})


def names(vault: VaultStack | MemoryVault, provider: str | None = None) -> list[str]:
    return [entry.name for entry in vault.entries(provider)]


def test_all_vaults_are_seen_in_order() -> None:
    """Earlier vaults come first; of two accounts with one name the earlier is the one."""
    first, last = MemoryVault(account("a", "first")), MemoryVault(account("a", "last", "openai"), account("b", "last"))
    stack = VaultStack(environment(), first, last)

    assert names(stack) == ["env:REKA_API_KEY", "a", "b"]
    assert names(stack, "openai") == []
    assert stack.get("a") == account("a", "first")
    assert stack.get("b") == account("b", "last")


def test_an_unknown_name_is_answered_with_those_of_all_vaults() -> None:
    """`NoAccount` names what every vault keeps."""
    stack = VaultStack(environment(), MemoryVault(account("a")))

    for ask in (stack.get, stack.remove, stack.prefer):
        with pytest.raises(NoAccount, match="those kept are env:REKA_API_KEY, a"):
            ask("c")


def test_a_new_account_goes_to_the_first_vault_that_takes_it() -> None:
    """Read-only vaults are passed over."""
    first, last = MemoryVault(), MemoryVault()
    VaultStack(environment(), first, last).put(account("new"))

    assert names(first) == ["new"]
    assert names(last) == []


def test_a_known_account_is_replaced_and_removed_where_it_rests() -> None:
    """Renewing one makes no second copy in an earlier vault."""
    first, last = MemoryVault(account("a")), MemoryVault(account("b", "old"))
    stack = VaultStack(first, last)

    stack.put(account("b", "new"))
    assert last.get("b") == account("b", "new")
    assert names(first) == ["a"]

    stack.remove("b")
    assert names(stack) == ["a"]


def test_an_account_moves_where_it_rests() -> None:
    """Accounts of other providers in front of it are no matter."""
    first, last = MemoryVault(account("x", provider="openai")), MemoryVault(account("a"), account("b"))
    VaultStack(first, last).prefer("b")

    assert names(last) == ["b", "a"]


def test_an_account_behind_another_vaults_cannot_be_the_default() -> None:
    """It is not moved at all, and the hint says what else there is."""
    first, last = MemoryVault(account("a")), MemoryVault(account("b"), account("c"))
    for name, holder, reason in (("c", last, "before 'a'"), ("env:REKA_API_KEY", environment(), "variable")):
        with pytest.raises(ConfigError, match="cannot be moved") as caught:
            VaultStack(first, holder).prefer(name)
        assert reason in caught.value.message
        assert caught.value.hint == f'name it in the table [accounts] of config.toml: reka = "{name}"'
    assert names(last) == ["b", "c"]


def test_a_read_only_account_is_not_removed() -> None:
    """Its own vault says why."""
    stack = VaultStack(environment(), MemoryVault())

    with pytest.raises(ConfigError, match="comes from an environment variable"):
        stack.remove("env:REKA_API_KEY")


def test_without_a_vault_to_write_to_nothing_is_kept() -> None:
    """`writable` says so beforehand, and `put` raises."""
    stack = VaultStack(environment())

    assert not stack.writable
    with pytest.raises(ConfigError, match="none of the vaults can be written"):
        stack.put(account("a"))
