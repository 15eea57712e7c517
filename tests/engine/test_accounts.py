"""engine/accounts.py: which accounts there are."""

from __future__ import annotations

from pathlib import Path

import pytest

from polychat.credentials import Account, ApiKey, BearerToken, Secret, SessionCookies
from polychat.engine.accounts import given, kept
from polychat.engine.settings import load
from polychat.errors import BadOption
from polychat.vault.base import Vault

REAL = Account(name="mine", provider="reka", credential=BearerToken(token=Secret("sandbox-real")))


def vault(home: Path, **environ: str) -> Vault:
    """The accounts of a person whose settings are these."""
    environ = {"POLYCHAT_HOME": str(home), **environ}
    return kept(load(environ=environ), environ)


def names(kept_accounts: Vault) -> list[str]:
    """What they are called."""
    return [entry.name for entry in kept_accounts.entries("reka")]


def test_what_was_kept_is_there_the_next_time(tmp_path: Path) -> None:
    """An account survives the process."""
    vault(tmp_path).put(REAL)
    assert names(vault(tmp_path)) == ["mine"]
    assert vault(tmp_path).get("mine") == REAL


def test_with_a_sandbox_real_accounts_are_out_of_reach(tmp_path: Path) -> None:
    """Only people of the sandbox, and what was signed in to one."""
    vault(tmp_path).put(REAL)
    sandboxed = {"POLYCHAT_SANDBOX": "http://127.0.0.1:1"}
    assert names(vault(tmp_path, **sandboxed)) == ["sandbox-alice@reka", "sandbox-bob@reka"]
    vault(tmp_path, **sandboxed).put(Account(name="tried", provider="reka", credential=ApiKey(key=Secret("x"))))
    assert names(vault(tmp_path, **sandboxed)) == ["tried", "sandbox-alice@reka", "sandbox-bob@reka"]
    assert names(vault(tmp_path)) == ["mine"]


def test_a_credential_in_hand_is_an_account_of_its_service() -> None:
    """Cookies or a key, whichever the caller holds."""
    cookies = given("reka", api_key=None, cookies={"appSession": "sandbox-alice"})
    assert cookies.get("given@reka").credential == SessionCookies(cookies={"appSession": Secret("sandbox-alice")})
    token = given("reka", api_key="sandbox-alice", cookies=None)
    assert token.get("given@reka").credential == BearerToken(token=Secret("sandbox-alice"))


@pytest.mark.parametrize(
    ("provider", "api_key", "field"), [(None, "sandbox-alice", "provider"), ("reka", "", "api_key")]
)
def test_a_credential_that_belongs_nowhere_or_is_empty_is_refused(provider: str, api_key: str, field: str) -> None:
    """Before anything is sent, naming the argument."""
    with pytest.raises(BadOption) as caught:
        given(provider, api_key=api_key, cookies=None)
    assert caught.value.field == field
