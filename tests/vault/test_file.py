"""The vault in a file: who may read it, what survives, and many writers at once."""

from __future__ import annotations

import json
import os
import pickle
import stat
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

from polychat.credentials import Account, ApiKey, Secret, SessionCookies
from polychat.errors import ConfigError, NoAccount
from polychat.vault.file import FileVault

posix = pytest.mark.skipif(sys.platform == "win32", reason="modes are of POSIX")

RECORD = {"name": "a", "provider": "reka", "credential": {"type": "api_key", "key": "canary"}, "created_at": None}


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


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def write(path: Path, content: Any) -> bytes:
    data = content if isinstance(content, bytes) else json.dumps(content).encode()
    path.parent.mkdir(exist_ok=True)
    path.write_bytes(data)
    path.chmod(0o600)
    return data


def test_a_vault_without_a_file_is_empty_and_makes_none(path: Path) -> None:
    """Looking creates neither file nor folder."""
    vault = FileVault(path)

    assert vault.entries() == ()
    with pytest.raises(NoAccount):
        vault.get("a")
    assert not path.parent.exists()


def test_another_process_would_read_the_same(path: Path) -> None:
    """What one vault puts, another on the same path has; the path may be text."""
    FileVault(path).put(account("a"))

    assert FileVault(str(path)).get("a") == account("a")


def test_the_file_is_the_documented_json(path: Path) -> None:
    """Version and accounts, secrets in plain: a person can read and mend it."""
    cookies = SessionCookies(cookies={"appSession": Secret("s")}, token=Secret("t"))
    FileVault(path).put(Account(name="a", provider="reka", credential=cookies, created_at=1.0))

    assert json.loads(path.read_text()) == {
        "version": 1,
        "accounts": [
            {
                "name": "a",
                "provider": "reka",
                "credential": {
                    "type": "cookies",
                    "cookies": {"appSession": "s"},
                    "token": "t",
                    "expires_at": None,
                    "headers": {},
                    "gate_tokens": {},
                },
                "created_at": 1.0,
            }
        ],
    }


@posix
@pytest.mark.usefixtures("wide_open")
def test_only_the_owner_can_open_it(path: Path) -> None:
    """Folder 0700, every file in it 0600, also after a change and also when the process would allow more."""
    vault = FileVault(path)
    vault.put(account("a"))
    vault.put(account("b"))
    vault.remove("a")

    assert mode(path.parent) == 0o700
    assert {file.name: mode(file) for file in path.parent.iterdir()} == {
        "accounts.json": 0o600,
        "accounts.json.lock": 0o600,
    }


@posix
@pytest.mark.parametrize("bits", [0o640, 0o604, 0o620, 0o666])
def test_a_file_that_others_can_open_is_refused(path: Path, bits: int) -> None:
    """Neither read nor written until its owner closes it; the hint is the command."""
    vault = FileVault(path)
    vault.put(account("a"))
    before = path.read_bytes()
    path.chmod(bits)

    for act in (vault.entries, lambda: vault.get("a"), lambda: vault.put(account("b")), lambda: vault.remove("a")):
        with pytest.raises(ConfigError) as caught:
            act()
        assert caught.value.hint == f"chmod 600 '{path}'"
    assert before == path.read_bytes()


@pytest.mark.parametrize(
    ("content", "complaint"),
    [
        (b'{"version": 1, "accounts": [{"name": "a" "canary"', "JSON is malformed: "),
        (b'{"version": 1, "accounts": [', "Input data was truncated"),
        (b"", "Input data was truncated"),
        (b'{"version": 1, "accounts": [], "\xff": "canary"}', "can't decode byte 0xff"),
        ([], "Expected `object`, got `array`"),
        ({"accounts": []}, "missing required field `version`"),
        ({"version": 1, "accounts": [], "sealed": "canary"}, "unknown field `sealed`"),
        ({"version": 1, "accounts": [RECORD, {**RECORD, "provider": 3}]}, "`$.provider`"),
        ({"version": 1, "accounts": [RECORD | {"credential": {"type": "api_key", "key": 5}}]}, "`$.credential.key`"),
        ({"version": 1, "accounts": [RECORD | {"credential": {"type": "passkey"}}]}, "Invalid value 'passkey'"),
    ],
)
def test_a_damaged_file_is_named_and_left_alone(path: Path, content: Any, complaint: str) -> None:
    """The error says which file and where in it, holds no secret, and nothing is overwritten."""
    before = write(path, content)
    vault = FileVault(path)

    for act in (vault.entries, lambda: vault.get("a"), lambda: vault.put(account("b")), lambda: vault.remove("a")):
        with pytest.raises(ConfigError) as caught:
            act()
        assert f"the vault file {path}" in caught.value.message
        assert complaint in caught.value.message
        assert "canary" not in str(caught.value)
    assert before == path.read_bytes()


def test_the_damaged_account_is_counted(path: Path) -> None:
    """With many accounts in the file the error says which one it is."""
    write(path, {"version": 1, "accounts": [RECORD, {**RECORD, "provider": 3}]})

    with pytest.raises(ConfigError, match=r"\(accounts\[1\]\) is damaged"):
        FileVault(path).entries()


def test_a_newer_version_is_not_touched(path: Path) -> None:
    """Whatever else a later version changed, this one says only that it is later."""
    before = write(path, {"version": 2, "sealed": "..."})

    with pytest.raises(ConfigError, match="version 2; this polychat knows versions up to 1") as caught:
        FileVault(path).put(account("a"))
    assert caught.value.hint == "update polychat"
    assert before == path.read_bytes()


def test_unknown_fields_of_accounts_survive(path: Path) -> None:
    """Those of the others, and of the one replaced, are still there after a change."""
    other = {**RECORD, "name": "b", "colour": {"of": ["money", 1.50]}}
    write(path, {"version": 1, "accounts": [{**RECORD, "note": "mine"}, other]})
    FileVault(path).put(account("a", "renewed"))
    first, second = json.loads(path.read_text())["accounts"]

    assert first == {**RECORD, "credential": {"type": "api_key", "key": "renewed"}, "note": "mine"}
    assert second == other


def test_a_killed_writer_stands_in_nobodys_way(path: Path) -> None:
    """Its unfinished draft is thrown away, its lock is free, and the file is whole."""
    vault = FileVault(path)
    vault.put(account("a"))
    write(path.with_name("accounts.json.new"), b'{"version": 1, "acc')
    vault.put(account("b"))

    assert [entry.name for entry in vault.entries()] == ["a", "b"]
    assert not path.with_name("accounts.json.new").exists()


@posix
def test_behind_a_link_the_file_is_changed_and_the_link_stays(path: Path, tmp_path: Path) -> None:
    """A vault may live elsewhere, in a folder that is backed up, say."""
    FileVault(path).put(account("a"))
    link = tmp_path / "link.json"
    link.symlink_to(path)
    FileVault(link).put(account("b"))

    assert link.is_symlink()
    assert [entry.name for entry in FileVault(path).entries()] == ["a", "b"]


def test_a_file_that_cannot_be_opened_is_a_config_error(path: Path) -> None:
    """A folder in its place, or a file in the place of its folder."""
    path.mkdir(parents=True)
    with pytest.raises(ConfigError, match=r"cannot be read: .+$"):
        FileVault(path).entries()
    blocked = FileVault(write_file(path.parent / "file") / "accounts.json")
    with pytest.raises(ConfigError, match="cannot be written: "):
        blocked.put(account("a"))


def write_file(path: Path) -> Path:
    path.write_text("")
    return path


WRITER = """
import sys
from polychat.credentials import Account, ApiKey, Secret
from polychat.vault.file import FileVault

path, writer = sys.argv[1:]
print("ready", flush=True)
sys.stdin.read()
for number in range(8):
    FileVault(path).put(Account(name=f"{writer}-{number}", provider="reka", credential=ApiKey(key=Secret("k"))))
"""


def writer(path: Path, name: str) -> subprocess.Popen[bytes]:
    return subprocess.Popen(
        [sys.executable, "-c", WRITER, str(path), name], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    )


def test_many_processes_lose_nothing(path: Path) -> None:
    """Six processes adding eight accounts each at the same time leave forty-eight."""
    with ExitStack() as stack:
        writers = [stack.enter_context(writer(path, f"w{number}")) for number in range(6)]
        for process in writers:
            assert process.stdout
            process.stdout.readline()  # it has started
        for process in writers:
            assert process.stdin
            process.stdin.close()  # all at once

    assert {0} == {process.returncode for process in writers}
    assert {f"w{writer}-{number}" for writer in range(6) for number in range(8)} == {
        entry.name for entry in FileVault(path).entries()
    }


def test_what_a_vault_hands_out_still_hides_itself(path: Path) -> None:
    """Only the file has the key: not a repr, not a pickle, not an entry."""
    vault = FileVault(path)
    vault.put(account("a"))

    assert "canary" not in repr((vault, vault.entries(), vault.get("a")))
    with pytest.raises(TypeError):
        pickle.dumps(vault.get("a").credential)
