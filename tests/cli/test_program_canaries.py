"""A person's secret is seen nowhere: not on a terminal, in a file, in a crash, in arguments or in the environment."""

from __future__ import annotations

import base64
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest

from polychat.sandbox import Sandbox

CANARY = "canary-5f2c1e9a7b3d4806a1c2"
VAULT_KEY = base64.b64encode(b"canary-vault-7d41f0aa93c2-32byte").decode()
PASSPHRASE = "canary-passphrase-51b0c9"
NEEDLES = (CANARY, VAULT_KEY, PASSPHRASE)
CHAT, TOKEN = "/api/chat", "/bff/auth/access_token"
HELLO = ("chat", "--account", "mine", "Hello")
FAULTS = {
    "a refusal that repeats the credential": ("status", {"code": 401, "message": f"{CANARY} is bad"}),
    "a limit that repeats the credential": (
        "status",
        {"code": 429, "message": f"{CANARY} is bad", "retry_after": "90"},
    ),
    "an answer of unknown form": ("malformed_frame", {}),
    "a web page": ("html", {}),
    "a check for a person": ("challenge", {}),
    "a cut line": ("close", {}),
}


def forms(needle: str) -> Iterator[str]:
    """The ways in which a secret may be written."""
    yield needle
    yield quote(needle, safe="")
    yield needle.encode().hex()
    for shift in range(3):  # base64 looks different at each offset; the ends depend on what is around
        yield base64.b64encode(b" " * shift + needle.encode()).decode()[4:-4]


def assert_unseen(text: str, where: str) -> None:
    """No secret is in `text`, in whatever form."""
    seen = [needle for needle in NEEDLES if any(form in text for form in forms(needle))]
    assert seen == [], f"a secret is seen in {where}"


def assert_no_file_shows_it(home: Path) -> None:
    """No file of the person's home holds a secret in the clear."""
    files = [path for path in home.rglob("*") if path.is_file()]
    assert files
    for path in files:
        assert_unseen(path.read_bytes().decode("latin-1"), str(path.relative_to(home)))


@pytest.fixture
def mine(polychat: Any, sandbox: Sandbox) -> Any:
    """The program, with an account that proves itself by the canary; every log goes to stderr."""
    sandbox.add_account(CANARY)
    polychat.env |= {"POLYCHAT_VAULT_KEY": VAULT_KEY, "POLYCHAT_DEBUG": "1", "POLYCHAT_LOG": "DEBUG"}
    done = polychat(
        "login", "reka", "--cookies", "-", "--name", "mine", "--no-check", stdin=f"appSession={CANARY}".encode()
    )
    assert done.returncode == 0, done.stderr
    assert_unseen(done.stdout + done.stderr, "login")
    return polychat


def cookie_editor() -> bytes:
    """An export of cookies."""
    return json.dumps([{"name": "appSession", "value": CANARY, "domain": "space.reka.ai"}]).encode()


def curl(url: str) -> bytes:
    """A request as a browser copies it."""
    return f"curl '{url}/bff/auth/access_token' -H 'cookie: appSession={CANARY}'".encode()


@pytest.mark.parametrize(
    ("way", "given"),
    [
        ("--key", lambda url: CANARY.encode()),
        ("--cookies", lambda url: f"appSession={CANARY}".encode()),
        ("--cookies", lambda url: cookie_editor()),
        ("--cookies", lambda url: f"elsewhere.example\tFALSE\t/\tTRUE\t0\tappSession\t{CANARY}".encode()),
        ("--curl", curl),
        ("--curl", lambda url: curl("https://elsewhere.example")),
    ],
)
def test_a_sign_in_shows_nothing(polychat: Any, sandbox: Sandbox, way: str, given: Callable[[str], bytes]) -> None:
    """Whether it is taken or refused."""
    sandbox.add_account(CANARY)
    done = polychat("login", "reka", way, "-", "--json", stdin=given(f"{sandbox.url}/reka"))
    assert_unseen(done.stdout + done.stderr, f"login {way}")


@pytest.mark.parametrize(
    ("what", "path"), [(what, CHAT) for what in FAULTS] + [(what, TOKEN) for what in FAULTS if "form" not in what]
)
def test_a_failure_shows_nothing(mine: Any, sandbox: Sandbox, what: str, path: str) -> None:
    """With tracebacks on, the logs at DEBUG, and in what is kept for a report or about the account's health."""
    fault, details = FAULTS[what]
    sandbox.fault("reka", fault, path=path, **details)
    for more in ((), ("--json",), ("-v",)):
        done = mine(*HELLO, *more)
        assert done.returncode != 0
        assert_unseen(done.stdout + done.stderr, f"{' '.join(HELLO)} {more}")
    assert_no_file_shows_it(mine.home)


@pytest.mark.parametrize(
    "command",
    [
        (*HELLO, "-v"),
        ("accounts", "list"),
        ("accounts", "list", "--json"),
        ("accounts", "show", "mine", "--json"),
        ("accounts", "test", "mine", "--json"),
        ("doctor", "--online", "--json"),
        ("vault", "status", "--json"),
        ("vault", "backup"),
        ("models", "--json"),
        ("providers", "--json"),
        ("logout", "mine", "--yes"),
    ],
    ids=" ".join,
)
def test_no_command_shows_it(mine: Any, command: tuple[str, ...]) -> None:
    """Nor leaves it in a file."""
    done = mine(*command)
    assert done.returncode in (0, 3), done.stderr  # doctor may find fault with the machine
    assert_unseen(done.stdout + done.stderr, " ".join(command))
    assert_no_file_shows_it(mine.home)


def test_an_export_is_sealed(mine: Any) -> None:
    """The file that moves an account to a server, and the import of it, show neither account nor passphrase."""
    passphrase = PASSPHRASE.encode() + b"\n"
    outcomes = [
        mine("accounts", "export", "mine", "-O", "moving.polychat", stdin=passphrase),
        mine("accounts", "import", "moving.polychat", "--replace", stdin=passphrase),
        mine("accounts", "import", "moving.polychat", "--replace", stdin=b"wrong\n"),
    ]
    assert [done.returncode for done in outcomes] == [0, 0, 3], [done.stderr for done in outcomes]
    for done in outcomes:
        assert_unseen(done.stdout + done.stderr, " ".join(done.args))
    assert_no_file_shows_it(mine.home)


@pytest.mark.skipif(not Path("/proc/self/environ").exists(), reason="arguments and environment are read from /proc")
def test_a_running_process_shows_nothing(mine: Any, sandbox: Sandbox) -> None:
    """Neither in its arguments nor in its environment, which also children and crash reports would have."""
    process = stalled(mine, sandbox)
    try:
        shown = [(Path("/proc") / str(process.pid) / name).read_text("latin-1") for name in ("cmdline", "environ")]
    finally:
        process.kill()
        process.communicate()
    assert "POLYCHAT_HOME" in shown[1]
    assert_unseen("\n".join(shown), "the process")


def test_a_crash_shows_nothing(mine: Any, sandbox: Sandbox) -> None:
    """The interpreter's own report of a fatal signal, in the middle of a question."""
    mine.env["PYTHONFAULTHANDLER"] = "1"
    process = stalled(mine, sandbox)
    process.send_signal(signal.SIGABRT)
    stdout, stderr = process.communicate(timeout=30)
    assert b"Fatal Python error" in stderr
    assert_unseen((stdout + stderr).decode("latin-1"), "the crash report")


def test_a_child_inherits_nothing(mine: Any) -> None:
    """The vault's key leaves the environment when it is read."""
    program = (
        "import os, subprocess, sys\n"
        "from polychat import Client\n"
        "with Client(account='mine') as client:\n"
        "    client.chat.completions.create(model='reka', messages='Hello')\n"
        "with Client(account='mine') as client:\n"
        "    client.chat.completions.create(model='reka', messages='Hello')\n"
        "subprocess.run(['env'], check=True)\n"
    )
    done = subprocess.run([sys.executable, "-c", program], env=mine.env, capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    assert f"POLYCHAT_HOME={mine.home}" in done.stdout
    assert_unseen(done.stdout + done.stderr, "a child's environment")


def stalled(program: Any, sandbox: Sandbox) -> subprocess.Popen[bytes]:
    """The program in the middle of a question that gets no answer."""
    sandbox.fault("reka", "stall", path=CHAT)
    process = program.start(*HELLO)
    deadline = time.monotonic() + 30.0
    while not sandbox.journal(service="reka", path=CHAT):
        assert process.poll() is None, process.communicate()
        assert time.monotonic() < deadline
        time.sleep(0.02)
    os.kill(process.pid, 0)
    return process
