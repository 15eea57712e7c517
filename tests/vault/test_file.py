"""The vault in a file: who may read it, what survives, and that no secret is in the clear."""

from __future__ import annotations

import json
import os
import pickle
import stat
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from polychat.credentials import Account, ApiKey, Secret
from polychat.errors import BadOption, ConfigError, NoAccount
from polychat.vault.file import FileVault
from polychat.vault.keys import Keys
from polychat.vault.private import PrivateFile

posix = pytest.mark.skipif(sys.platform == "win32", reason="modes are of POSIX")

PLAIN_ROW = {"name": "a", "provider": "reka", "credential": {"type": "api_key", "key": "canary"}, "created_at": None}


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "my data" / "accounts.json"


@pytest.fixture
def wide_open() -> Iterator[None]:
    """A process that hides nothing from anyone by itself."""
    before = os.umask(0)
    yield
    os.umask(before)


def account(name: str, key: str = "canary") -> Account:
    return Account(name=name, provider="reka", credential=ApiKey(key=Secret(key)))


def names(vault: FileVault) -> list[str]:
    return [entry.name for entry in vault.entries()]


def write(path: Path, content: Any) -> bytes:
    data = content if isinstance(content, bytes) else json.dumps(content).encode()
    path.parent.mkdir(mode=0o700, exist_ok=True)
    path.write_bytes(data)
    path.chmod(0o600)
    return data


def every_act(vault: FileVault) -> list[Callable[[], object]]:
    """Everything that one can do with a vault and the account `a`."""
    return [
        vault.entries,
        lambda: vault.get("a"),
        lambda: vault.put(account("b")),
        lambda: vault.remove("a"),
        lambda: vault.prefer("a"),
        vault.status,
        vault.open,
        vault.init,
        vault.rekey,
        vault.backup,
        vault.lock,
        lambda: vault.unlock(60.0, Secret("canary")),
    ]


# ---------------------------------------------------------------- keeping accounts


def test_a_vault_without_a_file_is_empty_and_makes_none(path: Path) -> None:
    """Looking creates neither file nor key nor folder."""
    vault = FileVault(path)

    assert vault.entries() == ()
    for ask in (vault.get, vault.remove, vault.prefer):
        with pytest.raises(NoAccount, match="none is kept at all"):
            ask("a")
    assert not path.parent.exists()


def test_another_process_would_read_the_same(path: Path) -> None:
    """What one vault puts, another on the same path has; the path may be text."""
    FileVault(path).put(account("a"))

    assert FileVault(str(path)).get("a") == account("a")
    assert FileVault(path).path == path


def test_what_another_changes_is_seen_at_once(path: Path) -> None:
    """A vault keeps what it has read only until the file is another."""
    one, two = FileVault(path), FileVault(path)
    for number in range(20):
        one.put(account("a", str(number)))
        assert two.get("a") == account("a", str(number))
    two.put(account("b"))
    assert names(one) == ["a", "b"]
    one.remove("a")
    assert names(two) == ["b"]


def test_listing_needs_no_key(path: Path) -> None:
    """Nor do removing and moving; what needs it says where it is to be."""
    FileVault(path).put(account("a"))
    FileVault(path).put(account("b"))
    FileVault(path).put(account("c"))
    path.with_name("vault.key").unlink()
    vault = FileVault(path)

    assert names(vault) == ["a", "b", "c"]
    vault.remove("b")
    vault.prefer("c")
    assert names(vault) == ["c", "a"]
    for act in (lambda: vault.get("a"), lambda: vault.put(account("d"))):
        with pytest.raises(ConfigError, match=r"vault\.key is missing"):
            act()


def test_an_unknown_name_needs_no_key_either(path: Path) -> None:
    """`NoAccount` comes first, so that several vaults can be asked in turn."""
    FileVault(path).put(account("a"))
    path.with_name("vault.key").unlink()

    with pytest.raises(NoAccount, match="those kept are a"):
        FileVault(path).get("b")


def test_unknown_fields_of_accounts_survive(path: Path) -> None:
    """Those of the others, and of the one replaced, are still there after a change."""
    vault = FileVault(path)
    vault.put(account("a"))
    vault.put(account("b"))
    facts = json.loads(path.read_bytes())
    facts["accounts"][0]["note"] = facts["accounts"][1]["note"] = {"of": ["mine", 1.50]}
    write(path, facts)
    vault.put(account("a", "renewed"))

    assert [row["note"] for row in json.loads(path.read_bytes())["accounts"]] == [{"of": ["mine", 1.50]}] * 2
    assert vault.get("a") == account("a", "renewed")


@posix
def test_behind_a_link_the_file_is_changed_and_the_link_stays(path: Path, tmp_path: Path) -> None:
    """A vault may live elsewhere, in a folder that is backed up, say; its key and copy are beside it there."""
    FileVault(path).put(account("a"))
    link = tmp_path / "link.json"
    link.symlink_to(path)
    FileVault(link).put(account("b"))

    assert link.is_symlink()
    assert names(FileVault(path)) == ["a", "b"]
    assert {file.name for file in tmp_path.iterdir()} == {"my data", "link.json"}


def test_a_person_is_not_asked_while_others_wait(path: Path) -> None:
    """The passphrase is asked for before the lock is taken, however long that lasts."""
    FileVault(path, Keys(scrypt_n=2**10)).init(Secret("canary"))

    def asked(prompt: str) -> Secret:
        with PrivateFile(path).locked(wait_s=0):
            return Secret("canary")

    vault = FileVault(path, Keys(ask=asked))
    vault.put(account("a"))
    assert vault.get("a") == account("a")


# ---------------------------------------------------------------- the copy


def test_the_copy_is_the_vault_before_the_last_change(path: Path) -> None:
    """After every kind of change, and there is none before the first."""
    vault, copy = FileVault(path), path.with_name("accounts.json.bak")
    vault.put(account("a"))
    assert not copy.exists()

    changes: list[Callable[[], object]] = [
        lambda: vault.put(account("b")),
        lambda: vault.put(account("a", "renewed")),
        lambda: vault.prefer("b"),
        lambda: vault.remove("a"),
    ]
    for change in changes:
        before = path.read_bytes()
        change()
        assert before == copy.read_bytes()


def test_the_copy_can_be_put_back(path: Path) -> None:
    """As the hint of a damaged vault says."""
    vault = FileVault(path)
    vault.put(account("a"))
    vault.put(account("b"))
    path.write_bytes(path.read_bytes()[:-40])
    with pytest.raises(ConfigError, match="is damaged and was left as it is") as caught:
        vault.get("a")
    assert caught.value.hint == (f"put back what was there before the last change: cp -p '{path}.bak' '{path}'")
    path.with_name("accounts.json.bak").replace(path)

    assert vault.get("a") == account("a")
    assert names(vault) == ["a"]


# ---------------------------------------------------------------- who may read it


@posix
@pytest.mark.usefixtures("wide_open")
def test_only_the_owner_can_open_it(path: Path) -> None:
    """Folder 0700, every file in it 0600, also after a change and also when the process would allow more."""
    vault = FileVault(path)
    vault.put(account("a"))
    vault.put(account("b"))
    vault.remove("a")
    vault.backup(path.with_name("copy.json"))

    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700
    assert {file.name: stat.S_IMODE(file.stat().st_mode) for file in path.parent.iterdir()} == dict.fromkeys(
        ["accounts.json", "accounts.json.bak", "accounts.json.lock", "copy.json", "vault.key"], 0o600
    )


@posix
@pytest.mark.parametrize("bits", [0o640, 0o604, 0o620, 0o666])
def test_a_file_that_others_can_open_is_refused(path: Path, bits: int) -> None:
    """Whatever is asked of it, also by a vault that has read it before; the hint is the command."""
    vault = FileVault(path)
    vault.put(account("a"))
    before = path.read_bytes()
    path.chmod(bits)

    for act in (*every_act(vault), *every_act(FileVault(path))):
        with pytest.raises(ConfigError) as caught:
            act()
        assert caught.value.hint == f"chmod 600 '{path}'"
    assert before == path.read_bytes()


@posix
def test_a_key_that_others_can_open_is_refused(path: Path) -> None:
    """The key beside the vault like the vault."""
    FileVault(path).put(account("a"))
    key = path.with_name("vault.key")
    key.chmod(0o644)

    with pytest.raises(ConfigError) as caught:
        FileVault(path).get("a")
    assert caught.value.hint == f"chmod 600 '{key}'"


@posix
def test_a_folder_that_others_can_write_to_is_refused(path: Path) -> None:
    """They could put a vault of their own there."""
    FileVault(path).put(account("a"))
    path.parent.chmod(0o777)

    with pytest.raises(ConfigError, match="is in a folder that other users can write to"):
        FileVault(path).entries()


def test_no_secret_is_in_the_clear_anywhere(path: Path, tmp_path: Path) -> None:
    """Not in the vault, its copy, a killed writer's draft, a backup or the file of an unlocked vault."""
    runtime = tmp_path / "runtime"
    vault = FileVault(path, Keys(runtime=runtime, scrypt_n=2**10))
    vault.init(Secret("canary passphrase"))
    for number in range(3):
        vault.put(account(f"a{number}"))
    vault.unlock(60.0)
    vault.backup()
    path.with_name("accounts.json.new").write_bytes(path.read_bytes())
    files = [file for file in tmp_path.rglob("*") if file.is_file()]

    assert len(files) == 6  # vault, lock, copy, draft, backup, unlocked key
    assert [file.name for file in files if b"canary" in file.read_bytes()] == []


def test_what_a_vault_hands_out_still_hides_itself(path: Path) -> None:
    """Not a repr, not a pickle, not an entry; the key is not shown either."""
    vault = FileVault(path)
    vault.put(account("a"))
    shown = repr((vault, vault.entries(), vault.get("a"), vars(vault), vault.status()))

    assert "canary" not in shown
    assert path.with_name("vault.key").read_text().strip() not in shown
    for thing in (vault.get("a").credential, vault):
        with pytest.raises((TypeError, pickle.PicklingError)):
            pickle.dumps(thing)


# ---------------------------------------------------------------- what cannot be read


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b'{"version": 2, "key": {"id": "canary',
        [],
        {"version": 2, "accounts": []},
        {"version": 1, "accounts": [PLAIN_ROW, {**PLAIN_ROW, "provider": 3}]},
        {"version": 3, "sealed": "canary"},
    ],
)
def test_what_cannot_be_read_is_named_and_left_alone(path: Path, content: Any) -> None:
    """Half-written, of another shape or newer: nothing that can be asked of the vault overwrites it."""
    before = write(path, content)
    vault = FileVault(path)

    for act in every_act(vault):
        with pytest.raises(ConfigError, match=r"is damaged and was left as it is|is of version 3") as caught:
            act()
        assert str(path) in caught.value.message
        assert "canary" not in str(caught.value)
    assert before == path.read_bytes()
    assert {file.name for file in path.parent.iterdir()} <= {"accounts.json", "accounts.json.lock"}


def test_a_place_that_takes_no_file_is_named(path: Path) -> None:
    """A folder in its place, a file in the place of its folder, and a disk that takes nothing."""
    path.mkdir(parents=True)
    places = [FileVault(path), FileVault(Path(write_file(path.parent / "file")) / "accounts.json")]
    if Path("/proc/self").exists():
        places.append(FileVault("/proc/polychat/accounts.json"))

    for vault in places:
        with pytest.raises(ConfigError, match=rf"the vault file {vault.path} cannot be (read|written): \w"):
            vault.put(account("a"))
        with pytest.raises(ConfigError, match=rf"the vault file {vault.path} cannot be (read|written): \w"):
            vault.init()


def write_file(path: Path) -> Path:
    path.write_text("")
    return path


# ---------------------------------------------------------------- version 1

ACTS: dict[str, Callable[[FileVault], object]] = {
    "get": lambda vault: vault.get("a"),
    "put": lambda vault: vault.put(account("b")),
    "remove": lambda vault: vault.remove("z"),
    "prefer": lambda vault: vault.prefer("a"),
    "init": FileVault.init,
    "rekey": FileVault.rekey,
    "backup": FileVault.backup,
}


@pytest.mark.parametrize("act", ACTS)
def test_a_plain_file_is_sealed_at_first_use(path: Path, act: str) -> None:
    """Under whichever use, and nothing is left in the clear; that it was not encrypted is told."""
    write(path, {"version": 1, "accounts": [PLAIN_ROW, {**PLAIN_ROW, "name": "z"}]})
    told: list[str] = []
    ACTS[act](FileVault(path, Keys(notice=told.append)))

    assert [file.name for file in path.parent.iterdir() if b"canary" in file.read_bytes()] == []
    assert not path.with_name("accounts.json.bak").exists()
    assert json.loads(path.read_bytes())["version"] == 2
    assert FileVault(path).get("a") == account("a")
    assert f"the vault file {path} was not encrypted, from now on it is" in told


def test_a_plain_file_is_listed_as_it_is(path: Path) -> None:
    """Looking changes nothing, and the secrets in it are not shown."""
    before = write(path, {"version": 1, "accounts": [PLAIN_ROW]})
    vault = FileVault(path)

    assert names(vault) == ["a"]
    assert (vault.status().version, vault.status().source, vault.status().accounts) == (1, None, 1)
    assert before == path.read_bytes()
    assert "canary" not in repr((vars(vault), vault.entries(), vault.status()))


def test_a_plain_file_that_cannot_be_sealed_stays(path: Path) -> None:
    """A key that is missing or a disk that is full loses nothing."""
    before = write(path, {"version": 1, "accounts": [PLAIN_ROW]})
    vault = FileVault(path, Keys(file=path.with_name("nowhere")))

    for act in (lambda: vault.get("a"), lambda: vault.put(account("b")), vault.init):
        with pytest.raises(ConfigError, match="nowhere does not exist"):
            act()
    assert before == path.read_bytes()


def test_several_accounts_are_kept_together_or_not_at_all(path: Path) -> None:
    """One that cannot be kept keeps the others out."""
    vault = FileVault(path)
    good, bad = (
        Account(name=name, provider="reka", credential=ApiKey(key=Secret("sandbox-alice"))) for name in ("good", "Bad!")
    )
    with pytest.raises(BadOption):
        vault.put_all([good, bad])
    assert vault.entries() == ()
    vault.put_all([good, good])
    assert [entry.name for entry in vault.entries()] == ["good"]
