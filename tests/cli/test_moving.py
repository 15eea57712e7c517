"""Accounts leave in one encrypted file and come in from one, through the real program."""

from __future__ import annotations

import base64
import json
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from polychat.credentials import Account, ApiKey, BearerToken, Credential, Secret, SessionCookies
from polychat.engine.accounts import file_vault
from polychat.engine.settings import load
from polychat.vault import parcel
from polychat.vault.file import FileVault

CANARY = "canary-77a0"


@pytest.fixture
def polychat(polychat: Any) -> Any:
    """The program with a key for its vault, so that no passphrase is needed."""
    polychat.env["POLYCHAT_VAULT_KEY"] = base64.b64encode(bytes(32)).decode()
    return polychat


def vault(polychat: Any) -> FileVault:
    """What the program keeps."""
    return file_vault(load(environ=polychat.env), polychat.env)


def keep(polychat: Any, name: str, credential: Credential | None = None) -> None:
    """A Reka account; Alice's token unless told."""
    credential = credential or BearerToken(token=Secret("sandbox-alice"))
    vault(polychat).put(Account(name=name, provider="reka", credential=credential, created_at=time.time()))


def test_accounts_move_in_a_file_of_their_own(polychat: Any) -> None:
    """As they were, with the moment of their sign-in; the file is its owner's, and shows nothing."""
    keep(polychat, "one", SessionCookies(cookies={"appSession": Secret(CANARY)}))
    keep(polychat, "two", ApiKey(key=Secret(CANARY)))
    before = [vault(polychat).get(name) for name in ("one", "two")]
    done = polychat("accounts", "export", "-O", "moved.json", stdin=b"canary horse\n")
    assert (done.returncode, done.stdout) == (0, "2 accounts in moved.json: one, two\n")
    file = Path(polychat.home, "moved.json")
    assert (file.stat().st_mode & 0o777, CANARY in file.read_text()) == (0o600, False)
    for name in ("one", "two"):
        vault(polychat).remove(name)
    done = polychat("accounts", "import", "moved.json", stdin=b"canary horse")
    assert done.returncode == 0, done.stderr
    assert [line.split() for line in done.stdout.splitlines()[:3]] == [
        ["NAME", "PROVIDER", "KIND", "EXPIRES"],
        ["one", "reka", "cookies", "-"],
        ["two", "reka", "API", "key", "-"],
    ]
    assert [vault(polychat).get(name) for name in ("one", "two")] == before


def test_an_import_replaces_only_when_told(polychat: Any) -> None:
    """Otherwise nothing of it is kept, not even what would be new."""
    keep(polychat, "one")
    keep(polychat, "two")
    polychat("accounts", "export", "-O", "moved.json", stdin=b"horse")
    vault(polychat).remove("one")
    keep(polychat, "two", BearerToken(token=Secret("newer")))
    done = polychat("accounts", "import", "moved.json", stdin=b"horse")
    assert done.returncode == 2
    assert "error: there is an account of that name already: two\n" in done.stderr
    assert [entry.name for entry in vault(polychat).entries()] == ["two"]
    done = polychat("accounts", "import", "moved.json", "--replace", "--json", stdin=b"horse")
    assert [one["name"] for one in json.loads(done.stdout)] == ["one", "two"]
    assert vault(polychat).get("two").credential == BearerToken(token=Secret("sandbox-alice"))


def test_a_pipe_carries_an_export(polychat: Any) -> None:
    """From stdout to stdin; the passphrase is then in a file."""
    keep(polychat, "one")
    keep(polychat, "two")
    Path(polychat.home, "horse").write_text("horse\n")
    data = polychat("accounts", "export", "two", "-O", "-", "--passphrase-file", "horse").stdout.encode()
    for entry in vault(polychat).entries():
        vault(polychat).remove(entry.name)
    done = polychat("accounts", "import", "-", stdin=data)
    assert (done.returncode, "hint: --passphrase-file FILE names it\n" in done.stderr) == (2, True)
    assert polychat("accounts", "import", "-", "--passphrase-file", "horse", stdin=data).returncode == 0
    assert [entry.name for entry in vault(polychat).entries()] == ["two"]


def test_a_terminal_is_asked_twice(polychat: Any) -> None:
    """What is typed is not shown; opening asks once."""
    keep(polychat, "work")
    replies = {"passphrase of the export": "canary horse\n", "the same again": "canary horse\n"}
    code, drawn = polychat.on_terminal("accounts", "export", "-O", "moved.json", replies=replies)
    assert (code, "horse" in drawn) == (0, False)
    asked = {"passphrase of the export": "canary horse\n"}
    code, drawn = polychat.on_terminal("accounts", "import", "moved.json", "--replace", replies=asked)
    assert (code, "1 account kept in " in drawn) == (0, True)
    code, drawn = polychat.on_terminal("accounts", "export", "-O", "-")
    assert (code, "stdout is a terminal" in drawn) == (2, True)


def test_an_export_that_would_be_wrong_is_not_made(polychat: Any) -> None:
    """No passphrase, a file that is there, a folder, an account that is not kept, none at all."""
    done = polychat("accounts", "export", "-O", "moved.json", stdin=b"horse")
    assert (done.returncode, "there is no account to export" in done.stderr) == (2, True)
    keep(polychat, "work")
    Path(polychat.home, "there.json").write_text("precious")
    for args, message in (
        (("-O", "moved.json"), "the passphrase is empty"),
        (("-O", "there.json"), "there.json is there already"),
        (("-O", "nowhere/moved.json"), "there is no folder nowhere"),
        (("sandbox-bob@reka", "-O", "moved.json"), "the account 'sandbox-bob@reka' is not in the vault"),
    ):
        done = polychat("accounts", "export", *args, stdin=b" \n")
        assert (done.returncode, message in done.stderr) == (2, True), done.stderr
    done = polychat("accounts", "export", "-O", ".", stdin=b"horse")
    assert (done.returncode, ". is a folder" in done.stderr) == (2, True)
    assert not Path(polychat.home, "moved.json").exists()
    assert Path(polychat.home, "there.json").read_text() == "precious"
    assert polychat("accounts", "export", "-O", "there.json", "--force", stdin=b"horse").returncode == 0


def test_a_wrong_passphrase_changes_nothing(polychat: Any) -> None:
    """It is exit code 3, as for the vault itself."""
    keep(polychat, "work")
    polychat("accounts", "export", "-O", "moved.json", stdin=b"horse")
    before = vault(polychat).path.read_bytes()
    done = polychat("accounts", "import", "moved.json", "--replace", stdin=b"cow")
    assert (done.returncode, vault(polychat).path.read_bytes()) == (3, before)
    assert "error: the passphrase is not the one of this export, or the export was changed\n" in done.stderr


def test_an_import_that_does_not_fit_on_the_disk_keeps_nothing_of_it(polychat: Any) -> None:
    """The accounts before the one that failed are taken back, and what they replaced is there again."""
    keep(polychat, "one", BearerToken(token=Secret("newer")))
    before = vault(polychat).get("one")
    large = BearerToken(token=Secret("x" * 40_000))
    credentials: dict[str, Credential] = {
        "one": BearerToken(token=Secret("older")),
        "two": ApiKey(key=Secret("key")),
        "large": large,
    }
    accounts = [Account(name=name, provider="reka", credential=one) for name, one in credentials.items()]
    Path(polychat.home, "moved.json").write_bytes(parcel.sealed(accounts, Secret("horse"), scrypt_n=2**10))
    command = (sys.executable, "-m", "polychat.cli", "accounts", "import", "moved.json", "--replace")
    done = subprocess.run(
        ["sh", "-c", 'ulimit -f 16; exec "$@"', "sh", *command],  # blocks of 512 bytes
        input=b"horse", env=polychat.env, cwd=polychat.home, capture_output=True, timeout=30,
    )  # fmt: skip
    assert (done.returncode, b"File too large" in done.stderr) == (3, True), done.stderr
    assert [vault(polychat).get(entry.name) for entry in vault(polychat).entries()] == [before]
