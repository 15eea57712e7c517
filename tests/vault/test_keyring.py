"""The key in the keyring of the system, each time in a process of its own with a keyring made for the test."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

pytest.importorskip("keyring", reason="the extra keyring is not installed")

BACKEND = """
from keyring.backend import KeyringBackend
from keyring.errors import KeyringLocked, PasswordDeleteError

class Memory(KeyringBackend):
    priority = 5

    def __init__(self):
        super().__init__()
        self.kept = {}

    def get_password(self, service, user):
        return self.kept.get((service, user))

    def set_password(self, service, user, text):
        self.kept[service, user] = text

    def delete_password(self, service, user):
        if (service, user) not in self.kept:
            raise PasswordDeleteError("not there")
        del self.kept[service, user]

class Locked(Memory):
    def get_password(self, *given):
        raise KeyringLocked("nobody unlocked it")

    set_password = delete_password = get_password
"""


def run(folder: Path, backend: str, code: str) -> str:
    (folder / "rings.py").write_text(BACKEND)
    env = {"PATH": os.environ["PATH"], "PYTHONPATH": str(folder), "PYTHON_KEYRING_BACKEND": backend}
    whole = f"from polychat.credentials import Secret\nfrom polychat.vault import keyring\n{code}"
    return subprocess.run(
        [sys.executable, "-c", whole], env=env, capture_output=True, text=True, check=True, timeout=60
    ).stdout


def test_a_key_is_kept_by_the_vaults_id(tmp_path: Path) -> None:
    """Under the service polychat, until it is forgotten, twice if need be."""
    code = """
import keyring as library
keyring.keep("one", Secret("canary"))
print(keyring.available(), library.get_password("polychat", "one") == "canary")
print(keyring.text("one"), keyring.text("one") == Secret("canary"), keyring.text("two"))
keyring.forget("one")
keyring.forget("one")
print(keyring.text("one"))
"""
    assert run(tmp_path, "rings.Memory", code) == "True True\n******** True None\nNone\n"


@pytest.mark.parametrize("backend", ["keyring.backends.fail.Keyring", "keyring.backends.null.Keyring"])
def test_a_keyring_that_keeps_nothing_is_none(tmp_path: Path, backend: str) -> None:
    """What the library offers where there is no keyring does not count, and nothing is tried with it."""
    assert run(tmp_path, backend, "print(keyring.available(), keyring.forget('one'))") == "False None\n"


def test_a_keyring_that_does_not_answer_is_named(tmp_path: Path) -> None:
    """With its own reason, and what else there is."""
    code = """
from polychat.errors import ConfigError
for act in (lambda: keyring.text("one"), lambda: keyring.keep("one", Secret("canary"))):
    try:
        act()
    except ConfigError as error:
        print(error.message, "POLYCHAT_VAULT_KEY_FILE" in error.hint)
keyring.forget("one")
"""
    assert run(tmp_path, "rings.Locked", code) == (
        "the keyring of this system cannot be read: nobody unlocked it True\n"
        "the keyring of this system cannot be written: nobody unlocked it True\n"
    )


def test_without_the_package_it_is_said_what_to_install(tmp_path: Path) -> None:
    """A vault that has its key there is not opened, and none is made there."""
    code = """
import sys
from polychat.errors import ConfigError
sys.modules["keyring"] = None
print(keyring.available())
try:
    keyring.text("one")
except ConfigError as error:
    print(error)
"""
    assert run(tmp_path, "rings.Memory", code) == (
        "False\n"
        "the vault's key is to be in the keyring of this system, and the package for it is not installed\n"
        'hint: pip install "polychat[keyring]"\n'
    )
