"""What every vault that can be written promises, asked of each kind."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from polychat.credentials import Account, ApiKey, BearerToken, Credential, Secret, SessionCookies
from polychat.errors import BadOption, NoAccount
from polychat.vault.base import Entry, Vault
from polychat.vault.env import EnvVault
from polychat.vault.file import FileVault
from polychat.vault.memory import MemoryVault
from polychat.vault.stack import VaultStack

KINDS: dict[str, Callable[[Path], Vault]] = {
    "memory": lambda folder: MemoryVault(),
    "file": lambda folder: FileVault(folder / "accounts.json"),
    "stack": lambda folder: VaultStack(EnvVault({}, {}), MemoryVault()),
}


@pytest.fixture(params=KINDS)
def vault(request: pytest.FixtureRequest, tmp_path: Path) -> Vault:
    return KINDS[request.param](tmp_path)


def account(name: str, provider: str = "reka", credential: Credential | None = None) -> Account:
    return Account(
        name=name, provider=provider, credential=credential or ApiKey(key=Secret(f"key of {name}")), created_at=12.5
    )


def names(vault: Vault, provider: str | None = None) -> list[str]:
    return [entry.name for entry in vault.entries(provider)]


@pytest.mark.parametrize(
    "credential",
    [
        ApiKey(key=Secret("sk-é")),
        BearerToken(token=Secret("a.b.c"), expires_at=1.5),
        SessionCookies(
            cookies={"appSession": Secret("one"), "empty": Secret("")},
            token=Secret("two"),
            expires_at=3.0,
            headers={"x-build": Secret("three")},
            gate_tokens={"turnstile": Secret("four")},
        ),
    ],
)
def test_what_is_put_comes_back_whole(vault: Vault, credential: Credential) -> None:
    """Every kind of credential survives with all its fields."""
    kept = account("work", credential=credential)
    vault.put(kept)

    assert kept == vault.get("work")


def test_entries_show_no_secret_and_tell_the_kind(vault: Vault) -> None:
    """An entry is metadata, with the end where that is known; where it rests is told by the vault that holds it."""
    vault.put(account("work"))
    vault.put(account("home", credential=SessionCookies(cookies={"a": Secret("b")})))
    source = vault.entries()[0].source

    assert source in ("memory", "file")
    vault.put(account("token", credential=BearerToken(token=Secret("t"), expires_at=2.0)))

    assert vault.entries() == (
        Entry(name="work", provider="reka", kind="api_key", created_at=12.5, source=source),
        Entry(name="home", provider="reka", kind="cookies", created_at=12.5, source=source),
        Entry(name="token", provider="reka", kind="bearer", created_at=12.5, source=source, expires_at=2.0),
    )


def test_the_first_put_of_a_provider_stays_its_default(vault: Vault) -> None:
    """Order is that of the first `put`, also after a replacement, and can be asked by provider."""
    for name, provider in [("b", "reka"), ("a", "openai"), ("c", "reka"), ("b", "reka")]:
        vault.put(account(name, provider))

    assert names(vault) == ["b", "a", "c"]
    assert names(vault, "reka") == ["b", "c"]
    assert names(vault, "raycast") == []


def test_a_preferred_account_is_the_default_of_its_provider(vault: Vault) -> None:
    """It comes before the others of its provider and leaves the rest in order."""
    for name, provider in [("a", "reka"), ("x", "openai"), ("b", "reka"), ("y", "openai"), ("c", "reka")]:
        vault.put(account(name, provider))
    vault.prefer("c")
    vault.prefer("y")
    vault.prefer("y")

    assert names(vault) == ["c", "a", "y", "x", "b"]
    assert vault.get("c") == account("c")


def test_put_replaces_an_account_of_the_same_name(vault: Vault) -> None:
    """One name is one account, the last one put."""
    vault.put(account("work"))
    new = account("work", "openai", BearerToken(token=Secret("t")))
    vault.put(new)

    assert new == vault.get("work")
    assert names(vault) == ["work"]


def test_remove_forgets_one_account(vault: Vault) -> None:
    """The others stay."""
    vault.put(account("work"))
    vault.put(account("home"))
    vault.remove("work")

    assert names(vault) == ["home"]
    with pytest.raises(NoAccount):
        vault.get("work")


@pytest.mark.parametrize("ask", ["get", "remove", "prefer"])
def test_an_unknown_name_is_answered_with_the_known_ones(vault: Vault, ask: str) -> None:
    """`NoAccount` says what there is, or that there is nothing."""
    with pytest.raises(NoAccount) as caught:
        getattr(vault, ask)("wrok")
    assert caught.value.message == "there is no account named 'wrok'; none is kept at all"

    vault.put(account("work"))
    vault.put(account("home"))
    with pytest.raises(NoAccount) as caught:
        getattr(vault, ask)("wrok")
    assert caught.value.message == "there is no account named 'wrok'; those kept are work, home"


@pytest.mark.parametrize("name", ["a", "0", "me@example.org", "reka:web-2", "a" * 64, "a.b_c"])
def test_names_that_are_names(vault: Vault, name: str) -> None:
    """Letters, digits and a few marks, 64 of them at most."""
    vault.put(account(name))

    assert names(vault) == [name]


@pytest.mark.parametrize("name", ["", "A", "-a", ".a", "a b", "a/b", "é", "a\n", "a" * 65, "env:KEY"])
def test_names_that_are_none(vault: Vault, name: str) -> None:
    """Anything else is `BadOption`, which does not repeat it: it may be a key in the wrong place."""
    with pytest.raises(BadOption) as caught:
        vault.put(account(name))

    assert caught.value.field == "name"
    assert not name or repr(name) not in str(caught.value)
    assert names(vault) == []


def test_a_vault_that_takes_accounts_says_so(vault: Vault) -> None:
    """`writable` tells before anything is tried."""
    assert vault.writable
