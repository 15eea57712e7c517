"""A vault from its making to its backup: under every source of keys, under another key, locked and unlocked."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import msgspec
import pytest

from polychat.credentials import Account, ApiKey, Secret
from polychat.errors import ConfigError, NoAccount
from polychat.vault.file import FileVault, Status
from polychat.vault.keys import Choice, Keys
from polychat.vault.seal import Keyhole, Source

SOURCES: tuple[Source, ...] = ("key_file", "environment", "systemd", "docker", "passphrase", "local")
SPARE = "accounts.json.bak"


class Clock:
    """The time is what it is set to."""

    now = 1000.0

    def __call__(self) -> float:
        return self.now


class Home:
    """A machine with a key at every source; each process sees some of them."""

    def __init__(self, folder: Path) -> None:
        self.path = folder / "data" / "accounts.json"
        self.runtime = folder / "runtime"
        self.clock = Clock()
        self.places = {
            "key_file": folder / "key",
            "systemd": folder / "credentials" / "polychat-vault-key",
            "docker": folder / "secrets" / "polychat_vault_key",
        }
        for source, path in self.places.items():
            path.parent.mkdir(exist_ok=True)
            path.write_text(f"canary of {source}\n")
            path.chmod(0o600)

    def vault(self, *given: Source) -> FileVault:
        """As a new process would see it that these are given to; "passphrase" is a person who knows it."""
        environ = {"POLYCHAT_VAULT_KEY": "canary of environment"} if "environment" in given else {}
        if "systemd" in given:
            environ["CREDENTIALS_DIRECTORY"] = str(self.places["systemd"].parent)
        keys = Keys(
            file=self.places["key_file"] if "key_file" in given else None,
            environ=environ,
            secrets=self.places["docker"].parent if "docker" in given else None,
            runtime=self.runtime,
            ask=(lambda prompt: Secret("canary of passphrase")) if "passphrase" in given else None,
            scrypt_n=2**10,
            now=self.clock,
        )
        return FileVault(self.path, keys)

    def choice(self, source: Source) -> Choice:
        """What to choose for a source; None for what is there by itself."""
        if source == "passphrase":
            return self.text(source)
        return self.places["key_file"] if source == "key_file" else None

    def text(self, source: Source) -> Secret:
        """The key there."""
        local = self.path.with_name("vault.key")
        return Secret(local.read_text().splitlines()[0] if source == "local" else f"canary of {source}")

    def opened_by(self, text: Secret) -> list[str]:
        """The files in the vault's folder that a key opens."""
        found = []
        for path in self.path.parent.glob("*.json*"):
            if path.suffix != ".lock":
                keyhole = msgspec.convert(json.loads(path.read_bytes())["key"], Keyhole)
                found += [path.name] if keyhole.key(text) else []
        return sorted(found)


@pytest.fixture
def home(tmp_path: Path) -> Home:
    return Home(tmp_path)


def account(name: str) -> Account:
    return Account(name=name, provider="reka", credential=ApiKey(key=Secret("canary")))


def refusal(act: Callable[[], object]) -> ConfigError:
    with pytest.raises(ConfigError) as caught:
        act()
    assert "canary" not in str(caught.value)
    return caught.value


# ---------------------------------------------------------------- under every source


@pytest.mark.parametrize("source", SOURCES)
def test_a_vault_lives_under_each_source(home: Home, source: Source) -> None:
    """Made, filled by one process and read by the next."""
    assert home.vault(source).init(home.choice(source)) == source
    home.vault(source).put(account("a"))
    home.vault(source).put(account("b"))

    assert home.vault(source).get("a") == account("a")
    assert home.vault(source).status().source == source


@pytest.mark.parametrize("source", ["key_file", "environment", "systemd", "docker", "local"])
def test_the_first_account_makes_the_vault(home: Home, source: Source) -> None:
    """With the key that is there, without being asked to."""
    home.vault(source).put(account("a"))

    assert home.vault(source).status().source == source
    assert home.opened_by(home.text(source)) == ["accounts.json"]


KEYRING = """
import sys
from polychat.credentials import Account, ApiKey, Secret
from polychat.errors import ConfigError
from polychat.vault.file import FileVault
from polychat.vault.keys import Keys

account = Account(name="a", provider="reka", credential=ApiKey(key=Secret("canary")))

def vault():
    return FileVault(sys.argv[1], Keys(uses_keyring=True))

import keyring
vault().put(account)
print(vault().status().source, vault().get("a") == account)
kept = keyring.get_keyring().kept
(before,) = kept
vault().rekey("keyring")
print(before not in kept, len(kept), vault().get("a") == account)
kept.clear()
try:
    vault().get("a")
except ConfigError as error:
    print(error.message)
"""
RING = """
from keyring.backend import KeyringBackend

class Ring(KeyringBackend):
    priority = 5
    kept = {}

    def get_password(self, *place):
        return self.kept.get(place)

    def set_password(self, service, user, text):
        self.kept[service, user] = text

    def delete_password(self, *place):
        del self.kept[place]
"""


def test_a_vault_lives_under_the_keyring(home: Home, tmp_path: Path) -> None:
    """A new one goes there by itself, another key takes the place of the first, and a lost one is named."""
    pytest.importorskip("keyring", reason="the extra keyring is not installed")
    (tmp_path / "rings.py").write_text(RING)
    env = {"PATH": os.environ["PATH"], "PYTHONPATH": str(tmp_path), "PYTHON_KEYRING_BACKEND": "rings.Ring"}
    arguments = [sys.executable, "-c", KEYRING, str(home.path)]
    done = subprocess.run(arguments, env=env, capture_output=True, text=True, check=True)

    assert done.stdout == (
        f"keyring True\nTrue 1 True\nthe keyring of this system has no key for the vault file {home.path}\n"
    )
    assert not home.path.with_name("vault.key").exists()


def test_an_encrypted_vault_is_not_made_again(home: Home) -> None:
    """The hint is the command for another key."""
    home.vault().init()
    before = home.path.read_bytes()
    error = refusal(lambda: home.vault().init(Secret("canary")))

    assert error.message == (
        f"the vault file {home.path} is encrypted already, its key is in the key file vault.key beside it"
    )
    assert error.hint == "polychat vault rekey gives it another key"
    assert before == home.path.read_bytes()


# ---------------------------------------------------------------- under another key

MOVES: list[tuple[Source, Source]] = [
    *((old, new) for old in ("local", "passphrase") for new in SOURCES if new != old),  # type: ignore[misc]  # words
    ("environment", "key_file"),
    ("environment", "passphrase"),
    ("systemd", "environment"),
    ("docker", "systemd"),
]


@pytest.mark.parametrize(("old", "new"), MOVES)
def test_a_vault_moves_to_another_key(home: Home, old: Source, new: Source) -> None:
    """All accounts come along, and nothing is left that the old key opens."""
    home.vault(old).init(home.choice(old))
    for name in ("a", "b"):
        home.vault(old).put(account(name))
    former = home.text(old)
    assert home.opened_by(former) == ["accounts.json", SPARE]

    assert home.vault(old, new).rekey(home.choice(new)) == new
    assert home.vault(new).get("a") == account("a")
    assert [entry.name for entry in home.vault().entries()] == ["a", "b"]
    assert home.opened_by(former) == []
    assert home.opened_by(home.text(new)) == ["accounts.json"]


def test_another_local_key_is_another(home: Home) -> None:
    """Backups under the former one still open: it stays below the new one."""
    home.vault().put(account("a"))
    former = home.text("local")
    copy = home.vault().backup()
    home.vault().rekey()

    assert home.opened_by(former) == [copy.name]
    assert home.vault().get("a") == account("a")
    copy.replace(home.path)
    assert home.vault().get("a") == account("a")


def test_a_running_process_finds_the_new_key(home: Home) -> None:
    """What it had opened before is not asked again in vain."""
    running = home.vault()
    running.put(account("a"))
    home.vault().rekey()

    assert running.get("a") == account("a")
    running.put(account("b"))
    assert home.vault().get("b") == account("b")


def test_a_vault_that_does_not_open_gets_no_other_key(home: Home) -> None:
    """A missing key, or no vault at all."""
    assert refusal(home.vault().rekey).message == f"there is no vault yet at {home.path}"
    home.vault("environment").put(account("a"))
    before = home.path.read_bytes()

    for vault in (home.vault(), home.vault("key_file")):
        assert "is in POLYCHAT_VAULT_KEY, and that is not there" in refusal(vault.rekey).message
    assert before == home.path.read_bytes()


FULL_DISK = """
import resource, sys
from polychat.errors import ConfigError
from polychat.vault.file import FileVault

vault = FileVault(sys.argv[1])
vault.open()
resource.setrlimit(resource.RLIMIT_FSIZE, (300, 300))
try:
    vault.rekey()
except ConfigError as error:
    print(error.message)
"""


@pytest.mark.skipif(sys.platform == "win32", reason="limits are of POSIX")
def test_a_full_disk_leaves_the_vault_under_the_old_key(home: Home) -> None:
    """The new one is thrown in the lock's way by nobody: the old vault opens as before."""
    home.vault().put(account("a"))
    before = home.path.read_bytes()
    arguments = [sys.executable, "-c", FULL_DISK, str(home.path)]
    done = subprocess.run(arguments, capture_output=True, text=True, check=True)

    assert done.stdout == f"the vault file {home.path} cannot be written: File too large\n"
    assert before == home.path.read_bytes()
    assert home.vault().get("a") == account("a")


# ---------------------------------------------------------------- locked and unlocked


def test_an_unlocked_vault_opens_without_a_question(home: Home) -> None:
    """In every process, until its time is over."""
    home.vault().init(home.text("passphrase"))
    home.vault("passphrase").put(account("a"))
    assert refusal(lambda: home.vault().get("a")).message == f"the vault file {home.path} is locked"

    assert home.vault("passphrase").unlock(60.0) == 1060.0
    assert home.vault().get("a") == account("a")
    home.vault().put(account("b"))
    home.clock.now = 1061.0
    assert refusal(lambda: home.vault().get("a")).message.endswith(" is locked")
    assert [*home.runtime.iterdir()] == []


def test_a_locked_vault_asks_again(home: Home) -> None:
    """Also the one that locks."""
    home.vault().init(home.text("passphrase"))
    home.vault("passphrase").put(account("a"))
    vault = home.vault()
    vault.unlock(60.0, home.text("passphrase"))
    assert vault.get("a") == account("a")
    vault.lock()

    for each in (vault, home.vault()):
        assert refusal(lambda vault=each: vault.get("a")).message.endswith(" is locked")  # type: ignore[misc]  # bound now


def test_a_wrong_passphrase_unlocks_nothing(home: Home) -> None:
    """Neither typed nor handed over."""
    home.vault("passphrase").init(Secret("another"))

    for act in (lambda: home.vault("passphrase").unlock(60.0), lambda: home.vault().unlock(60.0, Secret("canary"))):
        assert refusal(act).message == f"this is not the passphrase of the vault file {home.path}"
    assert not home.runtime.exists()


def test_another_key_locks(home: Home) -> None:
    """What was unlocked is forgotten with the key."""
    home.vault().init(home.text("passphrase"))
    home.vault("passphrase").unlock(60.0)
    home.vault().rekey(Secret("another"))

    assert home.vault().status().locked
    assert [*home.runtime.iterdir()] == []


@pytest.mark.parametrize("source", ["environment", "local"])
def test_without_a_passphrase_there_is_nothing_to_lock(home: Home, source: Source) -> None:
    """It says where the key is, and how to have a passphrase."""
    home.vault(source).put(account("a"))
    where = "POLYCHAT_VAULT_KEY" if source == "environment" else "the key file vault.key beside it"

    for act in (home.vault(source).lock, lambda: home.vault(source).unlock(60.0)):
        error = refusal(act)
        assert error.message == f"the vault file {home.path} has no passphrase to lock it with, its key is in {where}"
        assert error.hint == "polychat vault rekey --passphrase gives it one"


# ---------------------------------------------------------------- status


def test_the_status_of_a_vault_that_is_not_there(home: Home) -> None:
    """It is told and not made."""
    status = home.vault().status()

    assert status == Status(path=home.path)
    assert not status.exists
    assert not home.path.parent.exists()


def test_the_status_of_a_vault_that_opens(home: Home) -> None:
    """Accounts are counted, and the copy has its time."""
    home.vault().put(account("a"))
    home.vault().put(account("b"))
    copy = home.path.with_name(SPARE)

    assert home.vault().status() == Status(
        path=home.path, version=2, source="local", accounts=2, backup=copy, backup_at=copy.stat().st_mtime_ns / 1e9
    )


def test_the_status_asks_nobody(home: Home) -> None:
    """A locked vault is told to be, with the way to open it."""
    home.vault().init(home.text("passphrase"))
    status = home.vault("passphrase").status()

    assert (status.locked, status.problem) == (True, f"the vault file {home.path} is locked")
    assert str(status.hint).startswith("polychat vault unlock")
    home.vault("passphrase").unlock(60.0)
    assert (home.vault().status().locked, home.vault().status().unlocked_until) == (False, 1060.0)


def test_the_status_tells_a_key_that_is_not_there(home: Home) -> None:
    """Accounts are still counted."""
    home.vault("environment").put(account("a"))
    status = home.vault().status()

    assert (status.locked, status.accounts, status.source) == (True, 1, "environment")
    assert "and that is not there" in str(status.problem)


# ---------------------------------------------------------------- backup


def test_a_backup_is_the_vault_as_it_is(home: Home, tmp_path: Path) -> None:
    """To a file, into a folder under a name of its own, or beside the vault; it needs no key."""
    home.vault("environment").put(account("a"))
    stick = tmp_path / "stick"
    stick.mkdir()
    stick.chmod(0o777)  # as what is plugged in has it
    copies = [home.vault().backup(to) for to in (stick / "copy.json", stick, None)]

    assert [copy.parent for copy in copies] == [stick, stick, home.path.parent]
    assert copies[0].name == "copy.json"
    assert copies[1].name.startswith("accounts-")
    assert {home.path.read_bytes()} == {copy.read_bytes() for copy in copies}
    home.path.unlink()
    copies[0].replace(home.path)
    assert home.vault("environment").get("a") == account("a")


def test_a_backup_overwrites_nothing(home: Home, tmp_path: Path) -> None:
    """Nor is there one of nothing."""
    assert refusal(home.vault().backup).message == f"there is no vault yet at {home.path}"
    home.vault().put(account("a"))
    (tmp_path / "mine").write_text("mine")

    assert "File exists" in refusal(lambda: home.vault().backup(tmp_path / "mine")).message
    assert (tmp_path / "mine").read_text() == "mine"
    with pytest.raises(NoAccount):
        home.vault().get("b")
