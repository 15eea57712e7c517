"""What the checkup says of each thing, without a process of its own."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from email.utils import formatdate
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from polychat.cli import checks_files, checks_machine, checks_network
from polychat.cli.finding import Finding
from polychat.credentials import Account, ApiKey, Secret
from polychat.engine.accounts import file_vault, health_path, vault_path
from polychat.engine.settings import Settings, load
from polychat.vault.file import FileVault
from polychat.vault.keys import LOCAL_NAME, Keys

SANDBOX = "http://127.0.0.1:1"
WORK = Account(name="work", provider="reka", credential=ApiKey(key=Secret("canary-91")))


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    """Those of an empty home."""
    return load(environ={"POLYCHAT_HOME": str(tmp_path), "POLYCHAT_SANDBOX": SANDBOX})


def faults(found: Iterator[Finding]) -> list[tuple[str, str, str | None]]:
    """Whatever is not good."""
    return [(one.level, one.said, one.mend) for one in found if one.level != "good"]


# ---------------------------------------------------------------- the machine


def test_an_old_python_is_broken() -> None:
    """The finding names both versions and the way out."""
    assert faults(checks_machine.python((3, 10, 4))) == [
        ("broken", "Python 3.10.4 is too old", "install Python 3.11 or newer")
    ]


def test_a_clock_in_the_past_is_broken() -> None:
    """A clock before this program was written cannot judge certificates and tokens."""
    assert faults(checks_machine.clock(0.0)) == [
        ("broken", "the clock says that it is 1970", "set the clock, best by NTP")
    ]
    assert faults(checks_machine.clock(time.time())) == []


@pytest.mark.parametrize(
    ("ahead_s", "level", "said"),
    [
        (59.0, "good", "the clock agrees with that of Reka"),
        (-61.0, "notice", "the clock is 1 minute behind that of Reka"),
        (300.0, "notice", "the clock is 5 minutes ahead of that of Reka"),
        (7_200.0, "broken", "the clock is 2 hours ahead of that of Reka"),
    ],
)
def test_a_clock_that_differs_is_noticed_then_broken(ahead_s: float, level: str, said: str) -> None:
    """More than a minute, more than five; the way out is the same."""
    found = checks_machine.skew("Reka", ahead_s)
    assert (found.level, found.said) == (level, said)
    assert found.mend == (None if level == "good" else "set the clock, best by NTP")


def test_a_machine_without_a_browser_is_not_broken(tmp_path: Path) -> None:
    """Each thing that is missing is a notice with the way around it."""
    found = faults(checks_machine.browser({"PATH": str(tmp_path)}, platform="linux"))
    assert {level for level, _, _ in found} == {"notice"}
    said = [said for _, said, _ in found]
    assert "there is no Chrome, Chromium or Edge for polychat login --browser" in said
    assert "there is no display for the window of polychat login --browser" in said
    assert all(mend for _, _, mend in found)


def test_a_browser_and_a_display_are_found(tmp_path: Path) -> None:
    """Where they are is said; a name that is none is the finding's own error."""
    chromium = tmp_path / "chromium"
    chromium.write_text("")
    chromium.chmod(0o700)
    environ = {"PATH": str(tmp_path), "DISPLAY": ":0"}
    assert Finding("good", f"browser {chromium}") in checks_machine.browser(environ, platform="linux")
    wrong = environ | {"POLYCHAT_BROWSER": "nothing"}
    assert (
        "notice", "POLYCHAT_BROWSER names no program", "give the path of Chrome, Chromium or Edge"
    ) in faults(checks_machine.browser(wrong, platform="linux"))  # fmt: skip


# ---------------------------------------------------------------- the network


def test_proxies_of_the_environment_are_named_and_not_shown() -> None:
    """They are not used, and their passwords stay out of the report."""
    environ = {"https_proxy": "http://user:pass@proxy:1", "HTTP_PROXY": "http://x", "ALL_PROXY": ""}
    assert faults(checks_network.proxies(environ)) == [
        (
            "notice",
            "HTTP_PROXY, https_proxy is set; polychat does not use it",
            "if connections need it, set POLYCHAT_PROXY too",
        )
    ]
    assert faults(checks_network.proxies({"PATH": "/bin"})) == []


@contextmanager
def server(date: str | None) -> Iterator[str]:
    """One that answers everything, and says that it is `date`."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response_only(200)
            if date is not None:
                self.send_header("Date", date)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - as the base class calls it
            """Quiet."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as listening:
        thread = threading.Thread(target=listening.serve_forever)
        thread.start()
        try:
            yield f"http://127.0.0.1:{listening.server_port}"
        finally:
            listening.shutdown()
            thread.join()


@pytest.mark.parametrize(
    ("date", "said"),
    [
        (formatdate(time.time() - 7_500, usegmt=True), "the clock is 2 hours ahead of that of the sandbox"),
        (None, "the clock cannot be compared with that of the sandbox, which does not tell the time"),
        ("yesterday", "the clock cannot be compared with that of the sandbox, which does not tell the time"),
    ],
    ids=["behind", "silent", "wordy"],
)
def test_clocks_are_compared(tmp_path: Path, date: str | None, said: str) -> None:
    """By the Date of an answer; one that has none, or nonsense, says nothing about the clock."""
    with server(date) as url:
        settings = load(environ={"POLYCHAT_HOME": str(tmp_path), "POLYCHAT_SANDBOX": url})
        (found,) = asyncio.run(checks_network.clocks(settings, {}))
    assert (found.said, found.level) == (said, "broken" if "ahead" in said else "notice")


def test_only_services_with_an_account_are_asked_for_the_time(tmp_path: Path) -> None:
    """Without an account there is nobody to compare with, and nothing is sent."""
    settings = load(environ={"POLYCHAT_HOME": str(tmp_path)})
    assert asyncio.run(checks_network.clocks(settings, {})) == []


# ---------------------------------------------------------------- what is kept


def test_an_empty_home_is_sound(settings: Settings) -> None:
    """What is not there cannot be wrong, and nothing is made."""
    assert faults(iter([*checks_files.files(settings), *checks_files.vault(settings, {})])) == []
    assert list(settings.folders.data.parent.iterdir()) == []


def test_files_of_a_sound_vault_are_named_together(settings: Settings) -> None:
    """One line for all that are private as they should be."""
    vault = file_vault(settings, {})
    vault.put(WORK)
    vault.put(WORK)
    found = [*checks_files.files(settings), *checks_files.vault(settings, {})]
    assert faults(iter(found)) == []
    said = [one.said for one in found]
    assert "yours alone: vault file, its copy, its lock, its key file" in said
    assert "the vault opens (version 2, 1 account); its key is in the key file vault.key beside it" in said


@pytest.mark.parametrize("ending", ["", ".bak", ".lock"])
def test_a_file_that_others_can_open_is_broken(settings: Settings, ending: str) -> None:
    """Whichever of the vault's files it is, with its chmod."""
    vault = file_vault(settings, {})
    vault.put(WORK)
    vault.put(WORK)
    path = vault_path(settings).with_name(vault_path(settings).name + ending)
    path.chmod(0o644)
    assert ("broken", f"other users can open {path} (mode 0644)", f"chmod 600 {path}") in faults(
        checks_files.files(settings)
    )


def test_folders_are_judged_by_what_is_in_them(settings: Settings) -> None:
    """That of the vault is nobody else's to open, those of settings and state nobody else's to write to."""
    folders = settings.folders
    for folder, mode in ((folders.data, 0o750), (folders.config, 0o775), (folders.state, 0o755)):
        folder.mkdir()
        folder.chmod(mode)
    assert faults(checks_files.files(settings)) == [
        ("broken", f"other users can write to {folders.config} (mode 0775)", f"chmod go-w {folders.config}"),
        ("broken", f"other users can open {folders.data} (mode 0750)", f"chmod 700 {folders.data}"),
    ]


@pytest.mark.parametrize(
    ("data", "said", "mend"),
    [
        (b'{"version": 1, "acc', "is damaged", "remove it, and it is learned anew: rm {path}"),
        (b'{"version": 9, "accounts": {}}', "is of a newer version, 9", "update polychat"),
    ],
)
def test_a_health_file_that_cannot_be_used_is_named(settings: Settings, data: bytes, said: str, mend: str) -> None:
    """Accounts are asked as if nothing had happened until it is mended."""
    path = health_path(settings)
    path.parent.mkdir()
    path.write_bytes(data)
    path.chmod(0o600)
    assert faults(checks_files.files(settings)) == [
        ("broken", f"the health file {path} {said}", mend.format(path=path))
    ]


def test_a_vault_whose_key_is_gone_is_broken(settings: Settings) -> None:
    """The vault's own words, and its own way out."""
    file_vault(settings, {}).put(WORK)
    vault_path(settings).with_name(LOCAL_NAME).unlink()
    ((level, said, mend),) = faults(checks_files.vault(settings, {}))
    assert (level, LOCAL_NAME in said, bool(mend)) == ("broken", True, True)


def test_a_vault_that_waits_for_its_passphrase_is_not_broken(settings: Settings) -> None:
    """It is a notice: whoever asks a question is asked for it."""
    FileVault(vault_path(settings), Keys(scrypt_n=2**10)).init(Secret("horse"))
    ((level, said, mend),) = faults(checks_files.vault(settings, {}))
    assert (level, "is locked" in said, mend is not None and mend.startswith("polychat vault unlock")) == (
        "notice", True, True
    )  # fmt: skip


def test_a_damaged_account_is_named_with_both_steps(settings: Settings) -> None:
    """It is removed and signed in to again; the others are not mentioned."""
    vault = file_vault(settings, {})
    vault.put(WORK)
    vault.put(Account(name="sound", provider="reka", credential=WORK.credential))
    path = vault_path(settings)
    path.write_bytes(path.read_bytes().replace(b'"name": "work"', b'"name": "wonk"'))
    assert faults(checks_files.vault(settings, {})) == [
        (
            "broken",
            "the account 'wonk' in the vault is damaged and does not open",
            "polychat logout wonk, then polychat login reka --name wonk --key -",
        )
    ]


def test_a_vault_of_version_1_is_to_be_encrypted(settings: Settings) -> None:
    """It still opens, and says how."""
    path = vault_path(settings)
    path.parent.mkdir(mode=0o700)
    path.write_text('{"version": 1, "accounts": []}')
    path.chmod(0o600)
    assert faults(checks_files.vault(settings, {})) == [
        ("notice", f"the vault {path} is not encrypted", "polychat vault init")
    ]
