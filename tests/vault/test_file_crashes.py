"""Many writers, killed writers and full disks: what was kept stays kept."""

from __future__ import annotations

import random
import signal
import subprocess
import sys
import time
from contextlib import ExitStack
from pathlib import Path

import pytest

from polychat.credentials import Account, ApiKey, Secret
from polychat.vault.file import FileVault

posix = pytest.mark.skipif(sys.platform == "win32", reason="signals and limits are of POSIX")

START = """
import sys
from polychat.credentials import Account, ApiKey, Secret
from polychat.errors import ConfigError
from polychat.vault.file import FileVault

def account(name, size_bytes=1):
    return Account(name=name, provider="reka", credential=ApiKey(key=Secret("k" * size_bytes)))

"""


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "data" / "accounts.json"


def account(name: str) -> Account:
    return Account(name=name, provider="reka", credential=ApiKey(key=Secret("k")))


def start(code: str, *arguments: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-c", START + code, *arguments], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )


WRITER = """
path, writer = sys.argv[1:]
print("ready", flush=True)
sys.stdin.read()
for number in range(8):
    FileVault(path).put(account(f"{writer}-{number}"))
"""


def test_many_processes_lose_nothing(path: Path) -> None:
    """Six processes that make one vault together and add eight accounts each leave forty-eight."""
    with ExitStack() as stack:
        writers = [stack.enter_context(start(WRITER, str(path), f"w{number}")) for number in range(6)]
        for process in writers:
            assert process.stdout
            process.stdout.readline()  # it has started
        for process in writers:
            assert process.stdin
            process.stdin.close()  # all at once

    vault = FileVault(path)
    assert {0} == {process.returncode for process in writers}
    assert {f"w{writer}-{number}" for writer in range(6) for number in range(8)} == {
        entry.name for entry in vault.entries()
    }
    assert vault.status().damaged == ()


def kill_somewhere(victim: subprocess.Popen[str]) -> None:
    """In any phase of a write, which takes about a millisecond."""
    time.sleep(random.uniform(0, 0.005))
    victim.send_signal(signal.SIGKILL)


VICTIM = """
vault = FileVault(sys.argv[1])
for number in range(200):
    vault.put(account(f"{sys.argv[2]}-{number}"))
    print(f"{sys.argv[2]}-{number}", flush=True)
"""


@posix
def test_a_killed_writer_loses_no_account_it_had_kept(path: Path) -> None:
    """Killed somewhere in the middle of two hundred writes, five times: every account it told of is there, whole."""
    told: list[str] = []
    for round_number in range(5):
        with start(VICTIM, str(path), f"v{round_number}") as victim:
            assert victim.stdout
            told += [victim.stdout.readline().strip() for _ in range(random.randint(1, 60))]
            kill_somewhere(victim)
            told += victim.stdout.read().split()
        assert victim.returncode == -signal.SIGKILL
        vault = FileVault(path)
        kept = [entry.name for entry in vault.entries()]
        assert set(told) <= set(kept)
        assert len(kept) <= len(told) + round_number + 1  # one more a round was kept and not told
        assert [vault.get(name) for name in told] == [account(name) for name in told]
        assert vault.status().damaged == ()
    FileVault(path).put(account("after"))
    assert not path.with_name("accounts.json.new").exists()


REKEYING = """
vault = FileVault(sys.argv[1])
for number in range(200):
    vault.rekey()
    print(number, flush=True)
"""


@posix
def test_who_is_killed_while_giving_another_key_loses_no_account(path: Path) -> None:
    """The new key is there before anything is sealed with it, and the old one as long as anything was."""
    FileVault(path).put(account("a"))
    for _ in range(8):
        with start(REKEYING, str(path)) as victim:
            assert victim.stdout
            victim.stdout.readline()
            kill_somewhere(victim)
        assert FileVault(path).get("a") == account("a")


FULL_DISK = """
import resource

vault = FileVault(sys.argv[1])
vault.open()
resource.setrlimit(resource.RLIMIT_FSIZE, (20_000, 20_000))
for act in (lambda: vault.put(account("large", 20_000)), lambda: vault.put(account("a", 20_000))):
    try:
        act()
    except ConfigError as error:
        print(error)
vault.put(account("small"))
vault.remove("a")
"""


@posix
def test_a_full_disk_loses_nothing(path: Path) -> None:
    """What does not fit is an error that says so; the old vault is whole, and goes on taking what fits."""
    vault = FileVault(path)
    for name in ("a", "b"):
        vault.put(account(name))
    done = subprocess.run(
        [sys.executable, "-c", START + FULL_DISK, str(path)], capture_output=True, text=True, check=True
    )

    assert done.stdout == 2 * (
        f"the vault file {path} cannot be written: File too large\n"
        "hint: raise the limit on the size of files (ulimit -f); what was there before is still whole\n"
    )
    assert [entry.name for entry in vault.entries()] == ["b", "small"]
    assert vault.get("b") == account("b")
    assert not [file for file in path.parent.iterdir() if file.name.endswith("new")]
