"""Accounts from environment variables."""

from __future__ import annotations

import pytest

from polychat.credentials import Account, ApiKey, BearerToken, Secret
from polychat.errors import ConfigError, NoAccount
from polychat.vault.base import Entry
from polychat.vault.env import EnvVault

KEYS = {"reka": ("REKA_API_KEY",), "gemini": ("GEMINI_API_KEY", "GOOGLE_API_KEY"), "vertex": ("GOOGLE_API_KEY",)}
JWT = "eyJhbGciOiJub25lIn0.eyJleHAiOjE3MzUwMDAwMDB9.c2ln"  # exp 1735000000


def test_a_variable_is_an_account() -> None:
    """It is named after the variable, and its value is the key, without blanks around it."""
    vault = EnvVault({"REKA_API_KEY": " abc\n"}, KEYS)
    expected = Account(name="env:REKA_API_KEY", provider="reka", credential=ApiKey(key=Secret("abc")))

    assert expected == vault.get("env:REKA_API_KEY")
    assert vault.entries() == (
        Entry(name="env:REKA_API_KEY", provider="reka", kind="api_key", created_at=None, source="environment"),
    )


def test_the_order_is_that_of_the_variables() -> None:
    """The first variable of a provider is its default, and one named by two providers is the first one's."""
    vault = EnvVault({"GOOGLE_API_KEY": "b", "GEMINI_API_KEY": "a", "UNRELATED": "c"}, KEYS)

    assert [entry.name for entry in vault.entries("gemini")] == ["env:GEMINI_API_KEY", "env:GOOGLE_API_KEY"]
    assert vault.entries("vertex") == ()
    assert len(vault.entries()) == 2


def test_a_value_may_be_a_bearer_token() -> None:
    """`kinds` says so, and the token says when it expires."""
    vault = EnvVault({"REKA_API_KEY": JWT}, KEYS, {"reka": "bearer"})

    assert vault.get("env:REKA_API_KEY").credential == BearerToken(token=Secret(JWT), expires_at=1735000000)
    assert vault.entries()[0].kind == "bearer"


@pytest.mark.parametrize("value", ["", "  "])
def test_an_empty_variable_is_an_unset_one(value: str) -> None:
    """It makes no account."""
    vault = EnvVault({"REKA_API_KEY": value}, KEYS)

    assert vault.entries() == ()
    with pytest.raises(NoAccount):
        vault.get("env:REKA_API_KEY")


def test_only_the_mapping_that_was_given_counts(monkeypatch: pytest.MonkeyPatch) -> None:
    """The process's own environment is not looked at, and the given one as it is now."""
    monkeypatch.setenv("REKA_API_KEY", "from the process")
    environ: dict[str, str] = {}
    vault = EnvVault(environ, KEYS)
    assert vault.entries() == ()

    environ["REKA_API_KEY"] = "later"
    assert len(vault.entries()) == 1


def test_nothing_can_be_written() -> None:
    """`put`, `remove` and `prefer` say why not and what to do instead, without the key."""
    vault = EnvVault({"REKA_API_KEY": "canary"}, KEYS)
    account = vault.get("env:REKA_API_KEY")

    assert not vault.writable
    with pytest.raises(ConfigError, match="cannot be kept") as caught:
        vault.put(account)
    assert "FileVault" in str(caught.value.hint)
    assert "canary" not in str(caught.value)
    with pytest.raises(ConfigError, match="cannot be removed") as caught:
        vault.remove("env:REKA_API_KEY")
    assert caught.value.hint == "unset REKA_API_KEY"
    with pytest.raises(ConfigError, match="cannot be moved") as caught:
        vault.prefer("env:REKA_API_KEY")
    assert caught.value.hint == 'name it in the table [accounts] of config.toml: reka = "env:REKA_API_KEY"'
    for act in (vault.remove, vault.prefer):
        with pytest.raises(NoAccount):
            act("env:OTHER")


@pytest.mark.parametrize("value", ["canary\nx: 1", "canary\r\n.", "canäry", "canary\x7f"])
def test_a_value_that_is_no_key_is_named_when_it_is_used(value: str) -> None:
    """By its variable, and not shown; it is listed all the same, and stands in nobody else's way."""
    vault = EnvVault({"REKA_API_KEY": value, "GEMINI_API_KEY": "a"}, KEYS)

    assert [entry.name for entry in vault.entries()] == ["env:REKA_API_KEY", "env:GEMINI_API_KEY"]
    assert vault.get("env:GEMINI_API_KEY").credential == ApiKey(key=Secret("a"))
    with pytest.raises(ConfigError) as caught:
        vault.get("env:REKA_API_KEY")
    assert str(caught.value) == (
        "the key in REKA_API_KEY has a line end or is not plain ASCII\nhint: put one line into REKA_API_KEY, the key"
    )
    assert caught.value.provider == "reka"
    with pytest.raises(ConfigError, match="cannot be removed"):
        vault.remove("env:REKA_API_KEY")
