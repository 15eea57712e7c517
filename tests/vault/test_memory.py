"""The vault in memory."""

from __future__ import annotations

import pytest

from polychat.credentials import Account, ApiKey, Secret
from polychat.errors import BadOption
from polychat.vault.memory import MemoryVault


def test_accounts_may_be_given_at_once() -> None:
    """Those handed over at the start are kept in that order, and checked like any other."""
    one = Account(name="one", provider="reka", credential=ApiKey(key=Secret("a")))
    two = Account(name="two", provider="reka", credential=ApiKey(key=Secret("b")))

    assert [entry.name for entry in MemoryVault(two, one).entries()] == ["two", "one"]
    with pytest.raises(BadOption):
        MemoryVault(Account(name="No", provider="reka", credential=ApiKey(key=Secret("a"))))


def test_two_vaults_share_nothing() -> None:
    """What one keeps the other does not know."""
    one, two = MemoryVault(), MemoryVault()
    one.put(Account(name="a", provider="reka", credential=ApiKey(key=Secret("a"))))

    assert two.entries() == ()
