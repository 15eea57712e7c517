"""engine/accounts.py: which accounts there are."""

from __future__ import annotations

import logging
from pathlib import Path

import pytest

from polychat.credentials import Account, ApiKey, BearerToken, Secret, SessionCookies
from polychat.engine.accounts import file_vault, given, kept, key_credential
from polychat.engine.settings import load
from polychat.errors import BadOption, ConfigError
from polychat.providers import openai_compatible
from polychat.vault.base import Vault

REAL = Account(name="mine", provider="reka", credential=BearerToken(token=Secret("sandbox-real")))


@pytest.fixture(autouse=True)
def _no_keyring(monkeypatch: pytest.MonkeyPatch) -> None:
    """The keyring of the person who runs the tests is out of their reach."""
    monkeypatch.setenv("PYTHON_KEYRING_BACKEND", "keyring.backends.null.Keyring")


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


def test_what_is_kept_is_encrypted_for_a_sandbox_too(tmp_path: Path) -> None:
    """Both files, each with a keyhole of its own."""
    vault(tmp_path).put(REAL)
    vault(tmp_path, POLYCHAT_SANDBOX="http://127.0.0.1:1").put(REAL)
    files = [file for file in (tmp_path / "data").glob("*.json") if b"sandbox-real" not in file.read_bytes()]
    assert sorted(file.name for file in files) == ["accounts.json", "sandbox-accounts.json"]


def test_the_key_comes_from_where_it_is_set(tmp_path: Path) -> None:
    """The key file of the settings, then POLYCHAT_VAULT_KEY of the environment."""
    key = tmp_path / "key"
    key.write_text("the key in the file")
    key.chmod(0o600)
    given_twice = {"POLYCHAT_VAULT_KEY_FILE": str(key), "POLYCHAT_VAULT_KEY": "the key of the environment"}
    for number in range(2):
        environ = {"POLYCHAT_HOME": str(tmp_path / str(number)), **given_twice}
        vault(Path(environ["POLYCHAT_HOME"]), **given_twice).put(REAL)
        assert file_vault(load(environ=environ), environ).status().source == ("key_file", "environment")[number]
        given_twice.pop("POLYCHAT_VAULT_KEY_FILE", None)


def test_a_person_is_asked_only_by_who_can_ask(tmp_path: Path) -> None:
    """A vault with a passphrase is locked for a library, and opens for a command that asks."""
    environ = {"POLYCHAT_HOME": str(tmp_path)}
    settings = load(environ=environ)
    file_vault(settings, environ).init(Secret("canary"))
    with pytest.raises(ConfigError, match="is locked") as caught:
        vault(tmp_path).put(REAL)
    assert "polychat vault unlock" in str(caught.value.hint)
    asking = kept(settings, environ, ask=lambda prompt: Secret("canary"))
    asking.put(REAL)
    assert asking.get("mine") == REAL


def test_what_a_person_should_know_goes_to_the_log_or_to_who_listens(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """A library says nothing on a screen."""
    caplog.set_level(logging.INFO, "polychat.vault")
    vault(tmp_path / "one").put(REAL)
    (record,) = caplog.records
    assert (record.name, record.levelname) == ("polychat.vault", "INFO")
    environ = {"POLYCHAT_HOME": str(tmp_path / "two")}
    told: list[str] = []
    kept(load(environ=environ), environ, notice=told.append).put(REAL)
    assert told == [record.getMessage().replace("/one/", "/two/")]
    assert len(caplog.records) == 1


def test_a_credential_in_hand_is_an_account_of_its_service() -> None:
    """Cookies or a key, whichever the caller holds."""
    cookies = given("reka", api_key=None, cookies={"appSession": "sandbox-alice"})
    assert cookies.get("given@reka").credential == SessionCookies(cookies={"appSession": Secret("sandbox-alice")})
    token = given("reka", api_key="sandbox-alice", cookies=None)
    assert token.get("given@reka").credential == BearerToken(token=Secret("sandbox-alice"))


@pytest.mark.parametrize(
    ("provider", "api_key", "field"),
    [
        (None, "sandbox-alice", "provider"), ("reka", "", "api_key"), ("reka", " \t", "api_key"),
        ("openai", "sandbox-\nalice", "api_key"), ("openai", "sandbox-alice\n", "api_key"),
        ("reka", "sandbox-ålice", "api_key"), ("gemini", "sandbox-\0", "api_key"),
    ],
)  # fmt: skip
def test_a_credential_that_belongs_nowhere_or_is_empty_is_refused(provider: str, api_key: str, field: str) -> None:
    """Before anything is sent, naming the argument."""
    with pytest.raises(BadOption) as caught:
        given(provider, api_key=api_key, cookies=None)
    assert caught.value.field == field
    assert "sandbox-" not in str(caught.value)


def test_a_key_that_is_none_says_how_it_is_given() -> None:
    """Where there are keys, or how one looks."""
    info = openai_compatible.custom("https://api.example.com/v1").info
    for key, told in {
        " ": "the custom key is empty\nhint: get one at https://api.example.com/v1",
        "a\nb": "the custom key has a line end or is not plain ASCII\nhint: give one line, the key",
    }.items():
        with pytest.raises(BadOption) as caught:
            key_credential(info, Secret(key))
        assert str(caught.value) == told
