"""`polychat vault`: what it tells, where it puts the key, and who is asked for it."""

from __future__ import annotations

import json
import time
from pathlib import Path
from typing import Any

import pytest

from polychat.credentials import Account, BearerToken, Secret
from polychat.vault.file import FileVault
from polychat.vault.keys import Keys

ALICE = Account(name="mine", provider="reka", credential=BearerToken(token=Secret("sandbox-alice")))
PASSPHRASE = "canary horse"
KEY = "ca" * 32  # needs no scrypt
RING = """
import json, os
from pathlib import Path
from keyring.backend import KeyringBackend

class Ring(KeyringBackend):
    priority = 5
    path = Path(os.environ["RING"])

    def _kept(self):
        return json.loads(self.path.read_text()) if self.path.exists() else {}

    def get_password(self, service, user):
        return self._kept().get(f"{service} {user}")

    def set_password(self, service, user, text):
        self.path.write_text(json.dumps(self._kept() | {f"{service} {user}": text}))

    def delete_password(self, service, user):
        kept = self._kept()
        del kept[f"{service} {user}"]
        self.path.write_text(json.dumps(kept))
"""


def vault_file(polychat: Any) -> Path:
    path: Path = polychat.home / "data" / "sandbox-accounts.json"
    return path


def keep(polychat: Any, text: str | None = None) -> None:
    """Put Alice into the vault, which this key opens; without one, the file beside it."""
    environ = {"POLYCHAT_VAULT_KEY": text} if text else {}
    FileVault(vault_file(polychat), Keys(environ=environ)).put(ALICE)


def status(polychat: Any, **env: str) -> dict[str, Any]:
    """What `status --json` tells."""
    facts: dict[str, Any] = json.loads(polychat("vault", "status", "--json", env=env).stdout)
    return facts


def shown(done: Any) -> dict[str, str]:
    """The table of `status`."""
    return {name: rest.strip() for name, _, rest in (line.partition(" ") for line in done.stdout.splitlines())}


def asked_as(polychat: Any) -> str | None:
    """Who asked the last question."""
    name: str | None = polychat.sandbox.journal(path="/api/chat")[-1].account
    return name


# ---------------------------------------------------------------- status


def test_before_the_first_use_nothing_is_there(polychat: Any) -> None:
    """`vault` alone is `vault status`; looking makes nothing."""
    for args in (["vault"], ["vault", "status"]):
        done = polychat(*args)
        assert (done.returncode, done.stderr) == (0, "")
        assert shown(done) == {"vault": str(vault_file(polychat)), "state": "not made yet; the first sign-in makes it"}
    assert not vault_file(polychat).parent.exists()


def test_status_tells_what_there_is(polychat: Any) -> None:
    """File, state, accounts, key and copy, and nothing of the accounts themselves."""
    for _ in range(2):
        keep(polychat)
    done = polychat("vault", "status")
    copy = shown(done).pop("copy")

    assert (done.returncode, done.stderr) == (0, "")
    assert shown(done) | {"copy": ""} == {
        "vault": str(vault_file(polychat)),
        "state": "open",
        "accounts": "1",
        "key": "in the key file vault.key beside it",
        "copy": "",
    }
    assert copy.startswith(f"{vault_file(polychat)}.bak, as it was ")


def test_status_as_json(polychat: Any) -> None:
    """Every fact by name."""
    keep(polychat)

    assert status(polychat) == {
        "path": str(vault_file(polychat)),
        "exists": True,
        "version": 2,
        "key": "local",
        "locked": False,
        "problem": None,
        "hint": None,
        "unlocked_until": None,
        "accounts": 1,
        "damaged": [],
        "backup": None,
        "backup_at": None,
    }


def test_a_vault_that_does_not_open_is_3(polychat: Any) -> None:
    """It is said why, and what to do."""
    keep(polychat)
    vault_file(polychat).with_name("vault.key").unlink()
    done = polychat("vault")

    assert done.returncode == 3
    assert shown(done)["state"] == "closed"
    told, hint = done.stderr.splitlines()
    assert told.startswith(f"note: the key file {vault_file(polychat).with_name('vault.key')} is missing")
    assert hint.startswith("hint: put it back from a copy")


def test_a_damaged_account_is_3_and_named(polychat: Any) -> None:
    """By its name only."""
    keep(polychat)
    facts = json.loads(vault_file(polychat).read_bytes())
    facts["accounts"][0]["provider"] = "chatgpt"
    vault_file(polychat).write_text(json.dumps(facts))
    done = polychat("vault")

    assert (done.returncode, shown(done)["damaged"]) == (3, "mine")


def test_a_plain_vault_says_so(polychat: Any) -> None:
    """And how it is encrypted at once."""
    path = vault_file(polychat)
    path.parent.mkdir(mode=0o700)
    path.write_text('{"version": 1, "accounts": []}')
    path.chmod(0o600)
    assert "not encrypted; the next use encrypts it" in shown(polychat("vault"))["state"]

    done = polychat("vault", "init")
    assert (done.returncode, "was not encrypted, from now on it is" in done.stderr) == (0, True)
    assert status(polychat)["version"] == 2


def test_a_half_written_vault_is_3(polychat: Any) -> None:
    """Named, with the way back to the copy."""
    for _ in range(2):
        keep(polychat)
    vault_file(polychat).write_bytes(vault_file(polychat).read_bytes()[:100])
    done = polychat("vault")

    assert (done.returncode, done.stdout) == (3, "")
    assert "is damaged and was left as it is" in done.stderr
    assert f"hint: put back what was there before the last change: cp -p {vault_file(polychat)}.bak" in done.stderr


# ---------------------------------------------------------------- making, and another key


def test_init_makes_a_key_beside_the_vault_and_says_what_that_protects(polychat: Any) -> None:
    """One line of data, one of notice; a second time it is 3."""
    done = polychat("vault", "init")
    assert (done.returncode, done.stdout) == (
        0,
        f"{vault_file(polychat)} is encrypted, its key is in the key file vault.key beside it\n",
    )
    assert done.stderr.startswith("note: the accounts are encrypted with a key in ")
    assert done.stderr.endswith("; polychat vault rekey --passphrase protects from that too\n")

    again = polychat("vault", "init")
    assert (again.returncode, again.stdout) == (3, "")
    assert again.stderr.endswith("\nhint: polychat vault rekey gives it another key\n")


def test_the_key_is_in_one_place_at_most(polychat: Any) -> None:
    """Two are 2, and nothing is made."""
    done = polychat("vault", "init", "--passphrase", "--key-file", "key", stdin=b"canary")

    assert (done.returncode, done.stdout, vault_file(polychat).exists()) == (2, "", False)
    assert "one of --passphrase, --keyring and --key-file FILE" in done.stderr


def test_a_passphrase_is_typed_twice_without_echo(polychat: Any) -> None:
    """Until both are the same; then it is asked for by what needs it, and by nothing else."""
    typed = {"new vault passphrase": f"{PASSPHRASE}\n", "the same again": f"{PASSPHRASE}\n"}
    code, drawn = polychat.on_terminal("vault", "init", "--passphrase", replies=typed)
    assert (code, PASSPHRASE in drawn) == (0, False)
    assert "is encrypted, its key is a passphrase" in drawn
    assert (status(polychat)["key"], status(polychat)["locked"]) == ("passphrase", True)

    keep(polychat, PASSPHRASE)
    code, drawn = polychat.on_terminal("providers")
    assert (code, "mine" in drawn, "passphrase" in drawn) == (0, True, False)


def test_two_that_differ_are_not_taken(polychat: Any) -> None:
    """It is asked anew; who leaves then has made nothing."""
    typed = {"new vault passphrase:": "one\n", "the same again:": "two\n", "not the same; new vault": "\x03"}
    code, _ = polychat.on_terminal("vault", "init", "--passphrase", replies=typed)

    assert (code, vault_file(polychat).exists()) == (130, False)


def test_a_passphrase_is_read_once_from_a_pipe(polychat: Any) -> None:
    """Never from the arguments; an empty one is 2."""
    assert polychat("vault", "init", "--passphrase", stdin=b"\n").returncode == 2
    done = polychat("vault", "init", "--passphrase", stdin=f"{PASSPHRASE}\n".encode())

    assert (done.returncode, done.stdout) == (0, f"{vault_file(polychat)} is encrypted, its key is a passphrase\n")
    keep(polychat, PASSPHRASE)


def test_the_passphrase_is_asked_for_where_it_is_needed(polychat: Any) -> None:
    """On a terminal a question asks for it, elsewhere it is 3 and says what to do."""
    polychat("vault", "init", "--passphrase", stdin=PASSPHRASE.encode())
    keep(polychat, PASSPHRASE)
    done = polychat("hi", "--account", "mine")
    assert (done.returncode, done.stdout) == (3, "")
    assert done.stderr == (
        f"error: the vault file {vault_file(polychat)} is locked\n"
        "hint: polychat vault unlock; on a server, POLYCHAT_VAULT_KEY_FILE names a file with the passphrase\n"
    )

    replies = {"vault passphrase:": f"{PASSPHRASE}\n"}
    code, drawn = polychat.on_terminal("hi", "--account", "mine", replies=replies)
    assert (code, PASSPHRASE in drawn, asked_as(polychat)) == (0, False, "sandbox-alice")


def test_a_wrong_passphrase_may_be_typed_again(polychat: Any) -> None:
    """Three times."""
    polychat("vault", "init", "--passphrase", stdin=PASSPHRASE.encode())
    replies = {"vault passphrase": "wrong\n", "not this one": f"{PASSPHRASE}\n"}
    code, drawn = polychat.on_terminal("vault", "unlock", replies=replies)

    assert (code, "the vault is unlocked until 20" in drawn) == (0, True)


@pytest.mark.parametrize("args", [["vault", "unlock"], ["hi", "--account", "mine"]])
def test_a_prompt_can_be_left(polychat: Any, args: list[str]) -> None:
    """Ctrl-C ends it at once, with 130."""
    polychat("vault", "init", "--passphrase", stdin=PASSPHRASE.encode())
    keep(polychat, PASSPHRASE)
    code, drawn = polychat.on_terminal(*args, replies={"vault passphrase:": "\x03"})

    assert (code, "Traceback" in drawn) == (130, False)


def test_another_key_asks_for_the_old_one_first(polychat: Any) -> None:
    """Then for the new one, twice; all accounts come along."""
    polychat("vault", "init", "--passphrase", stdin=b"old one")
    keep(polychat, "old one")
    typed = {"vault passphrase": "old one\n", "new vault passphrase": "new one\n", "the same again": "new one\n"}
    code, drawn = polychat.on_terminal("vault", "rekey", "--passphrase", replies=typed)

    assert (code, drawn.index("vault passphrase") < drawn.index("new vault")) == (0, True)
    keep(polychat, "new one")


# ---------------------------------------------------------------- key files and the environment


def test_a_key_file_is_made_and_named_from_then_on(polychat: Any) -> None:
    """As an option, which goes first, before or after the command, by its variable or in the config; else it is 3."""
    done = polychat("vault", "init", "--key-file", "own.key")
    path = polychat.home / "own.key"
    assert (done.returncode, path.stat().st_mode & 0o777) == (0, 0o600)
    assert "note: name the key file from now on: vault_key_file in config.toml" in done.stderr
    (polychat.home / "own.toml").write_text(f'vault_key_file = "{path}"')

    for args, env in [
        (["--vault-key-file", "own.key", "vault"], {}),
        (["--vault-key-file=own.key", "vault", "status"], {}),
        (["vault", "status", "--vault-key-file", "own.key"], {"POLYCHAT_VAULT_KEY_FILE": "nowhere"}),
        (["vault"], {"POLYCHAT_VAULT_KEY_FILE": str(path)}),
        (["vault", "--config", "own.toml"], {}),
    ]:
        assert shown(polychat(*args, env=env))["state"] == "open"
    assert polychat("vault").returncode == 3
    assert polychat("vault", "--vault-key-file", "nowhere").returncode == 3


def test_a_question_finds_the_key_that_is_given(polychat: Any) -> None:
    """--vault-key-file is every command's, and begins no prompt."""
    polychat("vault", "init", "--key-file", "own.key")
    keep(polychat, (polychat.home / "own.key").read_text())

    assert polychat("--vault-key-file", "own.key", "hi", "--account", "mine").returncode == 0
    assert asked_as(polychat) == "sandbox-alice"
    assert polychat("hi", "--account", "mine").returncode == 3


def test_the_variable_is_a_key(polychat: Any) -> None:
    """A vault made with it needs it; another key in it is named."""
    keep(polychat, KEY)
    assert status(polychat, POLYCHAT_VAULT_KEY=KEY)["locked"] is False
    assert "is in POLYCHAT_VAULT_KEY, and that is not there" in status(polychat)["problem"]
    problem = status(polychat, POLYCHAT_VAULT_KEY="ac" * 32)["problem"]
    assert problem == f"POLYCHAT_VAULT_KEY does not hold the key of the vault file {vault_file(polychat)}"


def test_a_vault_moves_to_the_key_that_is_given_now(polychat: Any) -> None:
    """`rekey` without an option, as its hint says."""
    keep(polychat)
    env = {"POLYCHAT_VAULT_KEY": KEY}
    assert status(polychat, **env)["hint"] == "take it away, or move the vault to it: polychat vault rekey"
    done = polychat("vault", "rekey", env=env)

    assert (done.returncode, done.stdout) == (
        0,
        f"{vault_file(polychat)} is encrypted, its key is in POLYCHAT_VAULT_KEY\n",
    )
    assert status(polychat, **env)["locked"] is False


def test_the_keyring_keeps_the_key(polychat: Any) -> None:
    """Of a person's own vault by itself, of a sandbox's only where that is asked for."""
    pytest.importorskip("keyring", reason="the extra keyring is not installed")
    (polychat.home / "rings.py").write_text(RING)
    ring = polychat.home / "ring.json"
    env = {"PYTHONPATH": str(polychat.home), "PYTHON_KEYRING_BACKEND": "rings.Ring", "RING": str(ring)}
    own = env | {"POLYCHAT_SANDBOX": None}
    assert "its key is in the keyring of this system" in polychat("vault", "init", env=own).stdout
    assert shown(polychat("vault", env=own))["state"] == "open"

    assert "vault.key" in polychat("vault", "init", env=env).stdout
    assert len(json.loads(ring.read_text())) == 1
    assert "the keyring of this system" in polychat("vault", "rekey", "--keyring", env=env).stdout
    assert len(json.loads(ring.read_text())) == 2
    assert shown(polychat("vault", env=env))["state"] == "open"


# ---------------------------------------------------------------- locking


def test_unlock_lasts_until_lock(polychat: Any) -> None:
    """The passphrase comes from a pipe; then every command opens the vault, and after lock none."""
    polychat("vault", "init", "--passphrase", stdin=PASSPHRASE.encode())
    done = polychat("vault", "unlock", "--for", "30m", stdin=f"{PASSPHRASE}\n".encode())
    ends = status(polychat)["unlocked_until"]
    until = time.strftime("%Y-%m-%d %H:%M", time.localtime(ends))
    assert (done.returncode, done.stdout, done.stderr) == (0, f"the vault is unlocked until {until}\n", "")
    assert 29 * 60 < ends - time.time() <= 30 * 60
    assert shown(polychat("vault"))["state"] == f"open until {until}"
    again = polychat("vault", "unlock", "--json", stdin=PASSPHRASE.encode())
    assert json.loads(again.stdout) == {"unlocked_until": status(polychat)["unlocked_until"]}

    done = polychat("vault", "lock")
    assert (done.returncode, done.stdout) == (0, "the vault is locked\n")
    assert status(polychat)["locked"] is True


def test_a_wrong_passphrase_unlocks_nothing(polychat: Any) -> None:
    """It is 3."""
    polychat("vault", "init", "--passphrase", stdin=PASSPHRASE.encode())
    done = polychat("vault", "unlock", stdin=b"canary\n")

    assert (done.returncode, done.stdout) == (3, "")
    assert done.stderr.startswith(f"error: this is not the passphrase of the vault file {vault_file(polychat)}\n")
    assert "canary" not in done.stderr


@pytest.mark.parametrize("command", ["lock", "unlock"])
def test_without_a_passphrase_there_is_nothing_to_lock(polychat: Any, command: str) -> None:
    """One sentence says why, the hint how to have one; it is 3, as nothing was locked."""
    keep(polychat)
    done = polychat("vault", command)

    assert (done.returncode, done.stdout) == (3, "")
    assert done.stderr == (
        f"error: the vault file {vault_file(polychat)} has no passphrase to lock it with, "
        "its key is in the key file vault.key beside it\n"
        "hint: polychat vault rekey --passphrase gives it one\n"
    )


@pytest.mark.parametrize("life", ["0h", "8 days"])
def test_a_time_is_hours_or_minutes(polychat: Any, life: str) -> None:
    """Anything else is 2."""
    done = polychat("vault", "unlock", f"--for={life}", stdin=PASSPHRASE.encode())

    assert (done.returncode, f"--for {life} is no time" in done.stderr) == (2, True)


# ---------------------------------------------------------------- backup and path


def test_a_backup_is_a_file_of_its_own(polychat: Any) -> None:
    """Its name is the data; the notice says what opens it; it overwrites nothing."""
    keep(polychat)
    made, given = polychat("vault", "backup"), polychat("vault", "backup", "copy.json")
    for done in (made, given):
        assert done.returncode == 0
        assert Path(polychat.home, done.stdout.strip()).read_bytes() == vault_file(polychat).read_bytes()
        assert done.stderr.startswith("note: it opens with the vault's key, which is in the key file vault.key")
    again = polychat("vault", "backup", "copy.json")
    assert (again.returncode, "copy.json cannot be written: File exists" in again.stderr) == (3, True)


def test_path_is_data(polychat: Any) -> None:
    """Of the sandbox's vault or of one's own."""
    assert polychat("vault", "path").stdout == f"{vault_file(polychat)}\n"
    own = polychat("vault", "path", env={"POLYCHAT_SANDBOX": None})
    assert own.stdout == f"{polychat.home}/data/accounts.json\n"


def test_every_answer_is_there_as_json(polychat: Any) -> None:
    """One document on stdout."""
    own = {"path": str(vault_file(polychat)), "key": "local"}
    copy = f"{polychat.home}/copy.json"
    for args, facts in [
        (["path"], {"path": own["path"]}),
        (["init"], own),
        (["rekey"], own),
        (["backup", copy], {"backup": copy}),
        (["rekey", "--passphrase"], own | {"key": "passphrase"}),
        (["lock"], {"locked": True}),
    ]:
        done = polychat("vault", *args, "--json", stdin=PASSPHRASE.encode())
        assert (done.returncode, json.loads(done.stdout)) == (0, facts)
