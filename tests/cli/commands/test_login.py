"""`polychat login`: what comes in, what is tried, what is kept, and that no secret is shown."""

from __future__ import annotations

import json
import os
import socket
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest

from polychat.signin.browser import find_browser

needs_browser = pytest.mark.skipif(
    find_spec("playwright") is None or find_browser(os.environ) is None,
    reason="Playwright, or Chrome, Chromium or Edge, is not installed",
)
COOKIES = (
    "# Netscape HTTP Cookie File\n"
    "space.reka.ai\tFALSE\t/\tTRUE\t0\tappSession\tsandbox-alice\n"
    "other.example\tFALSE\t/\tTRUE\t0\tsid\tsecret-of-others\n"
)


def kept(polychat: Any) -> list[dict[str, Any]]:
    """The accounts in the vault's file."""
    path = polychat.home / "data" / "sandbox-accounts.json"
    accounts: list[dict[str, Any]] = json.loads(path.read_bytes())["accounts"] if path.exists() else []
    return accounts


def test_cookies_from_a_file_are_tried_and_kept(polychat: Any) -> None:
    """The names found, the token's life in words, and one line of where it is kept; never a value."""
    Path(polychat.home, "cookies.txt").write_text(COOKIES)
    done = polychat("login", "reka", "--cookies", "cookies.txt")
    assert done.returncode == 0, done.stderr
    assert done.stdout == f"Reka account 'reka' kept in {polychat.home}/data/sandbox-accounts.json\n"
    assert done.stderr == "found appSession\nchecked: Reka gave an access token, good for another 59 minutes\n"
    assert kept(polychat)[0]["credential"] == {
        "type": "cookies", "cookies": {"appSession": "sandbox-alice"}, "token": None, "expires_at": None,
        "headers": {}, "gate_tokens": {},
    }  # fmt: skip
    assert polychat("hi").returncode == 0
    assert polychat.sandbox.journal(path="/api/chat")[-1].account == "sandbox-alice"


def test_a_key_comes_from_stdin(polychat: Any) -> None:
    """--key - reads one; --name names the account; --json tells what was kept without it."""
    done = polychat("login", "reka", "--key", "-", "--name", "work", "--json", stdin=b"sandbox-bob\n")
    facts = json.loads(done.stdout)
    assert (facts["account"], facts["kind"], facts["checked"]) == ("work", "bearer", False)
    assert "sandbox-bob" not in done.stdout + done.stderr
    assert kept(polychat)[0]["credential"]["token"] == "sandbox-bob"


def test_a_key_is_typed_without_echo(polychat: Any) -> None:
    """On a terminal the key is asked for and not shown."""
    code, drawn = polychat.on_terminal("login", "reka", "--key", "-", replies={"token:": "sandbox-bob\n"})
    assert (code, "sandbox-bob" in drawn) == (0, False)
    assert kept(polychat)[0]["credential"]["token"] == "sandbox-bob"


def test_a_session_that_is_refused_is_not_kept(polychat: Any) -> None:
    """The check's error, exit code 4, and an empty vault; --no-check keeps it all the same."""
    stdin = b'{"appSession": "of-nobody"}'
    done = polychat("login", "reka", "--cookies", "-", stdin=stdin)
    assert (done.returncode, done.stdout, kept(polychat)) == (4, "", [])
    assert "of-nobody" not in done.stderr
    assert polychat("login", "reka", "--cookies", "-", "--no-check", stdin=stdin).returncode == 0
    assert len(kept(polychat)) == 1


def test_a_second_sign_in_replaces_the_first(polychat: Any) -> None:
    """One name is one account."""
    for person, verb in ((b"sandbox-alice", "kept"), (b"sandbox-bob", "replaced")):
        done = polychat("login", "reka", "--cookies", "-", stdin=b'{"appSession": "%s"}' % person)
        assert f"Reka account 'reka' {verb} in " in done.stdout
    assert [account["credential"]["cookies"] for account in kept(polychat)] == [{"appSession": "sandbox-bob"}]


@pytest.mark.parametrize(
    ("args", "stdin", "complaint"),
    [
        (["reka"], b"", "say how to sign in"),
        (["reka", "--key", "-", "--cookies", "-"], b"", "say how to sign in"),
        (["reka", "--key", "sk-secret"], b"", "--key takes only -"),
        (["reka", "--browser", "--key", "-"], b"x", "say how to sign in"),
        (["reka", "--key", "-", "--timeout", "5"], b"x", "--timeout goes with --browser"),
        (["reka", "--key", "-", "--username", "ann"], b"x", "--username goes with --browser"),
        (["reka", "--browser", "--username", "ann"], b"sk-secret", "the login form of Reka is not known"),
        (["reka", "--key", "-"], b"\n", "key is empty"),
        (["reka", "--key", "-", "--name", "No Name"], b"x", "account name"),
        (["reka", "--cookies", "-"], b"", "no cookies"),
        (["reka", "--cookies", "-"], b'{"other": "sk-secret"}', "appSession"),
        (["reka", "--cookies", "nowhere.txt"], b"", "cannot read nowhere.txt"),
        (["reka", "--cookies", "appSession=sk-secret"], b"", "cannot read the --cookies file"),
        (["nope", "--key", "-"], b"x", "there is no provider 'nope'"),
    ],
)
def test_wrong_input_is_2_and_shows_no_secret(polychat: Any, args: list[str], stdin: bytes, complaint: str) -> None:
    """Nothing is kept, nothing is repeated that may be a secret."""
    done = polychat("login", *args, stdin=stdin)
    assert (done.returncode, done.stdout, kept(polychat)) == (2, "", [])
    assert complaint in done.stderr
    assert "sk-secret" not in done.stderr


def test_an_open_vault_is_3(polychat: Any) -> None:
    """A vault that others can open is refused, before anything is written to it."""
    vault = polychat.home / "data" / "sandbox-accounts.json"
    vault.parent.mkdir(mode=0o700)
    vault.write_text('{"version": 1, "accounts": []}')
    vault.chmod(0o644)
    done = polychat("login", "reka", "--key", "-", stdin=b"sandbox-bob")
    assert (done.returncode, done.stdout, "hint: chmod 600" in done.stderr) == (3, "", True)


# ---------------------------------------------------------------- in a browser


class Browser:
    """The installed browser without a window, and a person at it."""

    def __init__(self, folder: Path) -> None:
        with socket.create_server(("127.0.0.1", 0)) as free:
            self.port = free.getsockname()[1]
        program = folder / "browser"
        flags = f"--headless --disable-gpu --remote-debugging-port={self.port}"
        program.write_text(f'#!/bin/sh\nexec "{find_browser(os.environ)}" {flags} "$@"\n')
        program.chmod(0o755)
        self.env = {"POLYCHAT_BROWSER": str(program), "DISPLAY": ":none"}

    def person(self, act: Callable[[Any], None]) -> threading.Thread:
        """Somebody who does `act` once the window shows a page; runs already."""
        thread = threading.Thread(target=self._sit, args=(act,))
        thread.start()
        return thread

    def _sit(self, act: Callable[[Any], None]) -> None:
        from playwright.sync_api import sync_playwright

        deadline = time.monotonic() + 20
        while not self.listens() and time.monotonic() < deadline:
            time.sleep(0.02)
        with sync_playwright() as playwright:
            browser = playwright.chromium.connect_over_cdp(f"http://127.0.0.1:{self.port}")
            act(browser.contexts[0].pages[0])

    def listens(self) -> bool:
        """True while the browser runs."""
        try:
            socket.create_connection(("127.0.0.1", self.port), 1).close()
        except OSError:
            return False
        return True


def log_in(page: Any) -> None:
    """Choose a name in Reka's form."""
    page.select_option("select", "sandbox-alice")
    page.get_by_role("button", name="Log in").click(no_wait_after=True)


def leave(page: Any) -> None:
    """End the browser, as it ends when its last window is closed."""
    from playwright.sync_api import Error

    control = page.context.new_cdp_session(page)
    with suppress(Error):  # it is gone before it answers
        control.send("Browser.close")


@needs_browser
def test_a_login_in_a_window_is_tried_and_kept(polychat: Any) -> None:
    """What to do is said on stderr, then what was found; the account asks as the one who logged in."""
    browser = Browser(polychat.home)
    person = browser.person(log_in)
    done = polychat("login", "reka", "--browser", env=browser.env)
    person.join()
    assert done.returncode == 0, done.stderr
    asked, found, checked = done.stderr.splitlines()
    assert asked.startswith(f"log in at {polychat.sandbox.url}/reka/chat in the window that is open now")
    assert (found, checked.split(",")[0]) == ("found appSession", "checked: Reka gave an access token")
    assert list(kept(polychat)[0]["credential"]["cookies"]) == ["appSession"]
    assert polychat("hi").returncode == 0
    assert polychat.sandbox.journal(path="/api/chat")[-1].account == "sandbox-alice"


@needs_browser
def test_a_closed_window_is_4(polychat: Any) -> None:
    """Nothing is kept."""
    browser = Browser(polychat.home)
    person = browser.person(leave)
    done = polychat("login", "reka", "--browser", env=browser.env)
    person.join()
    assert (done.returncode, done.stdout, kept(polychat)) == (4, "", [])
    assert "error: the window was closed before the sign-in was complete" in done.stderr


def test_no_browser_is_3(polychat: Any) -> None:
    """A wrong POLYCHAT_BROWSER is told, and no window announced."""
    done = polychat("login", "reka", "--browser", env={"POLYCHAT_BROWSER": "nowhere"})
    assert (done.returncode, done.stdout, kept(polychat)) == (3, "", [])
    assert done.stderr.startswith("error: POLYCHAT_BROWSER names no program\nhint: ")


@needs_browser
def test_the_seconds_are_counted_down_on_a_terminal(polychat: Any) -> None:
    """From --timeout on; Ctrl-C closes the window, wipes the line and is 130."""
    browser = Browser(polychat.home)
    args = ("login", "reka", "--browser", "--timeout", "30")
    code, drawn = polychat.on_terminal(*args, replies={"waiting for you to log in: 0:29 left": "\x03"}, **browser.env)
    assert (code, "waiting for you to log in: 0:30 left" in drawn) == (130, True)
    assert "Traceback" not in drawn
    assert not browser.listens()
