"""Where a vault's key is looked for, in which order, and what is said when it is not there."""

from __future__ import annotations

import base64
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from polychat.credentials import Secret
from polychat.errors import BadOption, ConfigError
from polychat.vault.keys import VARIABLE, Keys, whereabouts
from polychat.vault.private import PrivateFile
from polychat.vault.seal import Key, Keyhole, Source, keyhole, new_id

N = 2**10
ORDER: tuple[Source, ...] = ("key_file", "environment", "systemd", "docker")


@pytest.fixture
def vault(tmp_path: Path) -> PrivateFile:
    (tmp_path / "data").mkdir(mode=0o700)
    return PrivateFile(tmp_path / "data" / "accounts.json", "vault file")


class World:
    """A machine whose sources of keys are set one by one."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.file = folder / "key"
        self.systemd = folder / "credentials" / "polychat-vault-key"
        self.docker = folder / "secrets" / "polychat_vault_key"
        self.environ = {"CREDENTIALS_DIRECTORY": str(self.systemd.parent)}

    def put(self, source: Source, text: str) -> None:
        if source == "environment":
            self.environ[VARIABLE] = text
            return
        path = {"key_file": self.file, "systemd": self.systemd, "docker": self.docker}[source]
        path.parent.mkdir(exist_ok=True)
        path.write_text(text)
        path.chmod(0o600 if source == "key_file" else 0o444)

    def keys(self, asked: Callable[[str], Secret] | None = None) -> Keys:
        file = self.file if self.file.exists() else None
        return Keys(file=file, environ=self.environ, secrets=self.docker.parent, ask=asked, scrypt_n=N)


@pytest.fixture
def world(tmp_path: Path) -> World:
    return World(tmp_path)


def hole(text: str, source: Source) -> tuple[Keyhole, Key]:
    return keyhole(Secret(text), source, vault_id=new_id(), scrypt_n=N)


def refusal(act: Callable[[], object]) -> ConfigError:
    with pytest.raises(ConfigError) as caught:
        act()
    assert "canary" not in str(caught.value)
    return caught.value


# ---------------------------------------------------------------- what is given on purpose


@pytest.mark.parametrize("source", ORDER)
@pytest.mark.parametrize(
    "text", ["canary horse", base64.b64encode(b"canary canary canary canary canary"[:32]).decode()]
)
def test_each_source_opens_its_vault(world: World, vault: PrivateFile, source: Source, text: str) -> None:
    """With a key or a passphrase in it, and a line end after it."""
    lock, key = hole(text, source)
    world.put(source, f"{text}\n")

    assert key.reveal() == world.keys().find(lock, vault).reveal()


def test_the_first_source_counts(world: World, vault: PrivateFile) -> None:
    """Key file, environment, systemd, Docker: the first that is there has to be right, also for a new vault."""
    for source in reversed(ORDER):
        world.put(source, f"canary of {source}")
        lock, _ = hole(f"canary of {source}", source)
        world.keys().find(lock, vault)
        assert world.keys().make(None, vault, new_id()) == (source, Secret(f"canary of {source}"))


@pytest.mark.parametrize("source", ORDER)
def test_a_given_key_opens_a_vault_made_with_another_source(world: World, vault: PrivateFile, source: Source) -> None:
    """A vault that moved to a server, say: what counts is the key."""
    world.put(source, "canary")

    for made in ("local", "passphrase", "keyring", "environment"):
        lock, key = hole("canary", made)
        assert key.reveal() == world.keys().find(lock, vault).reveal()


@pytest.mark.parametrize("source", ORDER)
def test_a_given_key_of_another_vault_is_named(world: World, vault: PrivateFile, source: Source) -> None:
    """With what the vault says of its own, unless it is passed over on purpose."""
    world.put(source, "canary")
    lock, _ = hole("another", "keyring" if source == "environment" else "environment")
    error = refusal(lambda: world.keys().find(lock, vault))

    places = {
        "key_file": str(world.file),
        "environment": VARIABLE,
        "systemd": str(world.systemd),
        "docker": str(world.docker),
    }
    assert places[source] in error.message
    assert f"does not hold the key of the vault file {vault.path}, which is in " in error.message
    assert error.hint == "take it away, or move the vault to it: polychat vault rekey"


def test_a_wrong_key_in_the_right_place_is_named(world: World, vault: PrivateFile) -> None:
    """It is not said to be elsewhere."""
    world.put("environment", "canary")
    error = refusal(lambda: world.keys().find(hole("another", "environment")[0], vault))

    assert error.message == f"POLYCHAT_VAULT_KEY does not hold the key of the vault file {vault.path}"


def test_a_wrong_key_can_be_passed_over(world: World, vault: PrivateFile) -> None:
    """On the way to another key the old one is found behind it."""
    lock, key = hole("old", "environment")
    world.put("key_file", "canary")
    world.put("environment", "old")
    refusal(lambda: world.keys().find(lock, vault))

    assert key.reveal() == world.keys().find(lock, vault, strict=False).reveal()
    world.put("environment", "canary")
    error = refusal(lambda: world.keys().find(lock, vault, strict=False))
    assert error.message == f"POLYCHAT_VAULT_KEY does not hold the key of the vault file {vault.path}"


@pytest.mark.parametrize("source", ORDER)
@pytest.mark.parametrize("text", ["", " \n\n"])
def test_an_empty_source_is_named(world: World, vault: PrivateFile, source: Source, text: str) -> None:
    """Nothing is guessed from it, for an old vault or a new one."""
    world.put(source, text)
    lock, _ = hole("another", "local")

    for act in (lambda: world.keys().find(lock, vault), lambda: world.keys().make(None, vault, new_id())):
        assert refusal(act).message.endswith(" is empty")


@pytest.mark.parametrize("content", [b"\xff\xfe", b"line\n" * 100])
def test_a_file_that_is_no_key_is_named(world: World, vault: PrivateFile, content: bytes) -> None:
    """A picture, say, or a page of text."""
    world.file.write_bytes(content)
    world.file.chmod(0o600)
    error = refusal(lambda: world.keys().find(hole("another", "local")[0], vault))

    assert error.message == f"the key file {world.file} holds no key: a key is a line of text"


def test_a_key_file_has_to_be_there_and_private(world: World, vault: PrivateFile) -> None:
    """What is named and missing, or open to others, is an error, not a reason to look elsewhere."""
    world.put("environment", "canary")
    lock, _ = hole("canary", "environment")
    keys = Keys(file=world.file, environ=world.environ)
    assert refusal(lambda: keys.find(lock, vault)).message == f"the key file {world.file} does not exist"

    world.put("key_file", "canary")
    world.file.chmod(0o640)
    assert refusal(lambda: keys.find(lock, vault)).hint == f"chmod 600 {world.file}"


@pytest.mark.parametrize("source", ["systemd", "docker"])
def test_a_secret_that_cannot_be_read_is_named(world: World, vault: PrivateFile, source: Source) -> None:
    """A folder in its place."""
    (world.systemd if source == "systemd" else world.docker).mkdir(parents=True)
    error = refusal(lambda: world.keys().find(hole("another", "local")[0], vault))

    assert error.message.endswith(" cannot be read: Is a directory")


def test_former_keys_may_stand_below_the_present_one(world: World, vault: PrivateFile) -> None:
    """They open what was sealed with them; a new vault gets the first."""
    lock, key = hole("former", "key_file")
    world.put("key_file", "present\n\nformer\n")

    assert key.reveal() == world.keys().find(lock, vault).reveal()
    assert world.keys().make(None, vault, new_id()) == ("key_file", Secret("present"))


@pytest.mark.parametrize("source", ORDER)
def test_a_source_that_is_gone_is_named(world: World, vault: PrivateFile, source: Source) -> None:
    """With the way to bring it back."""
    error = refusal(lambda: world.keys().find(hole("canary", source)[0], vault))

    assert error.message == f"the key of the vault file {vault.path} is {whereabouts(source)}, and that is not there"
    assert error.hint


# ---------------------------------------------------------------- the process's own environment

ENVIRONMENT = """
import os, subprocess, sys
from pathlib import Path
from polychat.credentials import Secret
from polychat.vault.keys import Keys
from polychat.vault.private import PrivateFile

vault = PrivateFile(sys.argv[1])

def text(environ):
    source, found = Keys(environ=environ).make(None, vault, "id")
    return found.reveal() if source == "environment" else source

own = dict(os.environ)
print(text(os.environ), os.environ.get("POLYCHAT_VAULT_KEY"))
print(text(os.environ))
child = [sys.executable, "-c", "import os; print(os.environ.get('POLYCHAT_VAULT_KEY'))"]
print(subprocess.run(child, capture_output=True, text=True).stdout.strip())
os.environ["POLYCHAT_VAULT_KEY"] = "another"
print(text(os.environ), os.environ.get("POLYCHAT_VAULT_KEY"))
print(text({}), text(own), own["POLYCHAT_VAULT_KEY"])
os.environ.clear()
print(text(os.environ))
"""


def test_the_variable_leaves_the_process_environment(vault: PrivateFile) -> None:
    """No child inherits it, the next client finds it all the same, one set anew counts, and other mappings are read."""
    done = subprocess.run(
        [sys.executable, "-c", ENVIRONMENT, str(vault.path)],
        env={VARIABLE: "canary"},
        capture_output=True,
        text=True,
        check=True,
    )

    assert done.stdout.splitlines() == [
        "canary None",
        "canary",
        "None",
        "another None",
        "local canary canary",
        "another",
    ]


# ---------------------------------------------------------------- a person


def test_a_person_may_try_three_times(world: World, vault: PrivateFile) -> None:
    """Each time it is said that the last one was wrong."""
    lock, key = hole("canary", "passphrase")
    typed = iter(["canari", "Canary", "canary"])
    prompts: list[str] = []

    def asked(prompt: str) -> Secret:
        prompts.append(prompt)
        return Secret(next(typed))

    assert key.reveal() == world.keys(asked).find(lock, vault).reveal()
    assert prompts == ["vault passphrase", "not this one; vault passphrase", "nor this one; vault passphrase"]


def test_a_wrong_passphrase_is_named(world: World, vault: PrivateFile) -> None:
    """After the third."""
    keys = world.keys(lambda prompt: Secret("canari"))
    error = refusal(lambda: keys.find(hole("canary", "passphrase")[0], vault))

    assert error.message == f"this is not the passphrase of the vault file {vault.path}"


def test_where_nobody_can_be_asked_the_vault_is_locked(world: World, vault: PrivateFile) -> None:
    """The hint is for a person and for a server."""
    lock, _ = hole("canary", "passphrase")
    asking = world.keys(lambda prompt: pytest.fail("asked"))

    for act in (lambda: world.keys().find(lock, vault), lambda: asking.find(lock, vault, asking=False)):
        error = refusal(act)
        assert error.message == f"the vault file {vault.path} is locked"
        assert error.hint == (
            "polychat vault unlock; on a server, POLYCHAT_VAULT_KEY_FILE names a file with the passphrase"
        )


def test_a_given_passphrase_spares_the_question(world: World, vault: PrivateFile) -> None:
    """A server has it in a file."""
    world.put("key_file", "canary horse\n")
    lock, key = hole("canary horse", "passphrase")

    assert key.reveal() == world.keys(lambda prompt: pytest.fail("asked")).find(lock, vault).reveal()


# ---------------------------------------------------------------- a file beside the vault


def test_a_local_key_is_made_once_and_told(vault: PrivateFile) -> None:
    """32 random bytes in a 0600 file; the notice says where, and what it does and does not protect."""
    told: list[str] = []
    keys = Keys(notice=told.append)
    source, text = keys.make(None, vault, new_id())
    path = vault.path.with_name("vault.key")

    assert source == "local"
    assert (path.read_text(), path.stat().st_mode & 0o777) == (f"{text.reveal()}\n", 0o600)
    assert len(base64.b64decode(text.reveal())) == 32
    assert keys.make(None, vault, new_id()) == ("local", text)
    (notice,) = told
    assert str(path) in notice
    assert "a copy of the vault without it stays closed" in notice
    assert "whoever can read all of your files can open it" in notice


def test_a_renewed_local_key_leaves_the_former_ones(vault: PrivateFile) -> None:
    """Older backups, and other vaults in the folder, still open."""
    keys = Keys()
    _, old = keys.make(None, vault, new_id())
    lock, _ = hole(old.reveal(), "local")
    _, new = keys.make(None, vault, new_id(), renew=True)

    assert new != old
    assert keys.make(None, vault, new_id()) == ("local", new)
    for _ in range(30):
        keys.make(None, vault, new_id(), renew=True)
    keys.find(lock, vault)


def test_a_local_key_that_is_gone_is_not_made_again(vault: PrivateFile) -> None:
    """A new one would open nothing; the hint says what is lost and what is not."""
    error = refusal(lambda: Keys().find(hole("canary", "local")[0], vault))

    path = vault.path.with_name("vault.key")
    assert error.message == f"the key file {path} is missing, and the vault file {vault.path} was sealed with it"
    assert str(error.hint).startswith("put it back from a copy")
    assert not path.exists()


def test_a_local_key_of_another_vault_is_named(vault: PrivateFile) -> None:
    """A folder put together from two, say."""
    keys = Keys()
    keys.make(None, vault, new_id())
    error = refusal(lambda: keys.find(hole("canary", "local")[0], vault))

    path = vault.path.with_name("vault.key")
    assert error.message == f"the key file {path} does not hold the key of the vault file {vault.path}"


# ---------------------------------------------------------------- a choice


def test_a_passphrase_is_taken_as_it_is(vault: PrivateFile) -> None:
    """An empty one is refused."""
    assert Keys().make(Secret("canary"), vault, new_id()) == ("passphrase", Secret("canary"))
    with pytest.raises(BadOption, match="the passphrase is empty"):
        Keys().make(Secret(""), vault, new_id())


def test_a_chosen_key_file_is_made_or_read(vault: PrivateFile, tmp_path: Path) -> None:
    """Made with 0600 if it is not there, which is told; what is there is used."""
    told: list[str] = []
    path = tmp_path / "stick" / "key"
    source, text = Keys(notice=told.append).make(path, vault, new_id())

    assert (source, path.read_text()) == ("key_file", f"{text.reveal()}\n")
    assert path.stat().st_mode & 0o777 == 0o600
    assert [str(path) in notice for notice in told] == [True]
    path.write_text("canary")
    assert Keys().make(path, vault, new_id()) == ("key_file", Secret("canary"))
