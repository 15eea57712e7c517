"""`polychat login`: each way a sign-in comes in, what is tried, what is kept, and that no secret is shown."""

from __future__ import annotations

import base64
import json
import os
import socket
import sqlite3
import threading
import time
from collections.abc import Callable
from contextlib import closing, suppress
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import msgspec
import pytest

from polychat.credentials import Account, BearerToken, Secret, SessionCookies
from polychat.engine.accounts import file_vault
from polychat.engine.settings import load
from polychat.signin.browser import find_browser

needs_browser = pytest.mark.skipif(
    find_spec("playwright") is None or find_browser(os.environ) is None,
    reason="Playwright, or Chrome, Chromium or Edge, is not installed",
)
CANARY = "canary-6f1d"
COOKIES = (
    "# Netscape HTTP Cookie File\n"
    "space.reka.ai\tFALSE\t/\tTRUE\t0\tappSession\tsandbox-alice\n"
    "space.reka.ai\tFALSE\t/\tTRUE\t0\ttheme\tdark\n"
    "other.example\tFALSE\t/\tTRUE\t0\tsid\tsecret-of-others\n"
)


@pytest.fixture
def polychat(polychat: Any) -> Any:
    """The program with a key for its vault, of which there is nothing more to say."""
    polychat.env["POLYCHAT_VAULT_KEY"] = base64.b64encode(bytes(32)).decode()
    return polychat


def kept(polychat: Any) -> list[Account]:
    """The accounts in the vault's file."""
    vault = file_vault(load(environ=polychat.env), polychat.env)
    return [vault.get(entry.name) for entry in vault.entries()]


def asks_as(polychat: Any, provider: str = "reka") -> str:
    """Who the service sees when a question is asked."""
    done = polychat("-m", provider, "hi")
    assert done.returncode == 0, done.stderr
    path = {"reka": "/api/chat", "chatgpt": "/backend-api/f/conversation"}[provider]
    return str(polychat.sandbox.journal(path=path)[-1].account)


# ---------------------------------------------------------------- an export of cookies


def test_cookies_from_a_file_are_tried_and_kept(polychat: Any) -> None:
    """The names found, the token's life in words, where it is kept, and that the file is still there; no value."""
    Path(polychat.home, "cookies.txt").write_text(COOKIES)
    done = polychat("login", "reka", "--cookies", "cookies.txt")
    assert done.returncode == 0, done.stderr
    assert done.stdout == f"Reka account 'reka' kept in {polychat.home}/data/sandbox-accounts.json\n"
    assert done.stderr == (
        "found appSession, 1 other cookie in cookies.txt\n"
        "checked: Reka gave an access token, good for another 59 minutes\n"
        "note: cookies.txt still opens the account to whoever reads it; delete it when you need it no more\n"
    )
    [account] = kept(polychat)
    assert (account.name, account.provider) == ("reka", "reka")
    assert isinstance(account.credential, SessionCookies)
    assert account.credential.cookies == {"appSession": Secret("sandbox-alice"), "theme": Secret("dark")}
    assert asks_as(polychat) == "sandbox-alice"
    assert len(polychat.sandbox.journal(path="/bff/auth/access_token")) == 1  # the token of the check serves on


def test_what_was_found_is_told_as_json(polychat: Any) -> None:
    """Names, kinds and ends, and no value."""
    ends_at = int(time.time()) + 90_000
    export = [{"name": "appSession", "value": "sandbox-alice", "domain": "127.0.0.1", "expirationDate": ends_at}]
    done = polychat("login", "reka", "--cookies", "-", "--json", "--name", "work", stdin=json.dumps(export).encode())
    facts = json.loads(done.stdout)
    assert facts.pop("token_expires_at") > time.time()
    assert facts == {
        "account": "work", "provider": "reka", "kind": "cookies", "checked": True, "other_cookies": 0,
        "found_in": "stdin", "found": [{"name": "appSession", "kind": "cookie", "expires_at": ends_at, "place": None}],
        "kept_in": f"{polychat.home}/data/sandbox-accounts.json",
    }  # fmt: skip
    assert done.stderr.startswith("found appSession (good for another 1 day) in stdin\n")


@pytest.mark.parametrize(("answer", "stays"), [("y", False), ("", True)])
def test_a_person_is_offered_to_delete_the_file(polychat: Any, answer: str, stays: bool) -> None:
    """Enter keeps it."""
    path = Path(polychat.home, "cookies.txt")
    path.write_text(COOKIES)
    link = Path(polychat.home, "link")
    link.symlink_to(path)
    code, drawn = polychat.on_terminal("login", "reka", "--cookies", "link", replies={"Delete it?": f"{answer}\n"})
    assert (code, path.exists()) == (0, stays)
    assert "link still opens the account to whoever reads it. Delete it? [y/N]" in drawn


# ---------------------------------------------------------------- a key


def test_a_key_comes_from_stdin(polychat: Any) -> None:
    """--key - reads one; --name names the account; --json tells what was kept without it."""
    done = polychat("login", "reka", "--key", "-", "--name", "work", "--json", stdin=b"sandbox-bob\n")
    facts = json.loads(done.stdout)
    assert (facts["account"], facts["kind"], facts["checked"]) == ("work", "bearer", False)
    assert facts["found"] == [{"name": "access token", "kind": "token", "expires_at": None, "place": None}]
    assert "sandbox-bob" not in done.stdout + done.stderr
    assert kept(polychat)[0].credential == BearerToken(token=Secret("sandbox-bob"))
    assert asks_as(polychat) == "sandbox-bob"


def test_a_key_is_typed_without_echo(polychat: Any) -> None:
    """On a terminal the key is asked for and not shown."""
    code, drawn = polychat.on_terminal("login", "reka", "--key", "-", replies={"token:": "sandbox-bob\n"})
    assert (code, "sandbox-bob" in drawn) == (0, False)
    assert kept(polychat)[0].credential == BearerToken(token=Secret("sandbox-bob"))


def jwt(ends_at: float) -> str:
    """An unsigned token for Alice."""
    claims = (
        base64.urlsafe_b64encode(msgspec.json.encode({"sub": "sandbox-alice", "exp": ends_at})).decode().rstrip("=")
    )
    return f"eyJhbGciOiJub25lIn0.{claims}."


def test_an_ended_key_is_refused_unasked(polychat: Any) -> None:
    """With the date, also with --no-check; the service hears nothing of it."""
    done = polychat("login", "chatgpt", "--key", "-", "--no-check", stdin=jwt(1_000_000_000).encode())
    assert (done.returncode, kept(polychat), polychat.sandbox.journal()) == (2, [], [])
    assert done.stderr.startswith("error: the access token expired on 2001-09-09 01:46 UTC\nhint: ")


# ---------------------------------------------------------------- a copied request


def test_a_copied_request_is_a_sign_in(polychat: Any) -> None:
    """Cookies and token of a curl command for bash, from a pipe."""
    command = f"""curl '{polychat.sandbox.url}/reka/bff/auth/me' -H 'accept: */*' -b 'appSession=sandbox-bob; a=1' ;"""
    done = polychat("login", "reka", "--curl", "-", stdin=command.encode())
    assert done.returncode == 0, done.stderr
    assert done.stderr.splitlines()[0] == "found appSession, 1 other cookie in stdin"
    assert asks_as(polychat) == "sandbox-bob"


def test_a_copied_request_is_pasted_unseen(polychat: Any) -> None:
    """Lines longer than a terminal takes, for cmd, until Ctrl-D."""
    command = (
        f'curl ^"{polychat.sandbox.url}/chatgpt/backend-api/me^" ^\n'
        f'  -H ^"authorization: Bearer {jwt(time.time() + 3600)}^" ^\n'
        f'  -H ^"x-long: {CANARY * 1000}^" -b ^"__Secure-next-auth.session-token=sandbox-alice; oai-did=1^"\n\x04'
    )
    code, drawn = polychat.on_terminal("login", "chatgpt", "--curl", "-", replies={"press Ctrl-D": command})
    assert code == 0, drawn
    assert "paste the curl command, then press Ctrl-D; it is not shown" in drawn
    assert CANARY not in drawn
    assert asks_as(polychat, "chatgpt") == "sandbox-alice"


# ---------------------------------------------------------------- a browser's store


def firefox(home: Path, value: str, host: str = "space.reka.ai") -> None:
    """A Firefox profile that is logged in."""
    folder = home / ".mozilla" / "firefox"
    (folder / "x.default").mkdir(parents=True)
    (folder / "profiles.ini").write_text("[Profile0]\nName=default\nIsRelative=1\nPath=x.default\nDefault=1\n")
    with closing(sqlite3.connect(folder / "x.default" / "cookies.sqlite")) as database:
        database.execute("PRAGMA user_version=17")
        database.execute(
            "CREATE TABLE moz_cookies (id INTEGER PRIMARY KEY, originAttributes, name, value, host, expiry)"
        )
        row = ("", "appSession", value, host, int(time.time() + 90_000) * 1000)
        database.execute(
            "INSERT INTO moz_cookies (originAttributes, name, value, host, expiry) VALUES (?, ?, ?, ?, ?)", row
        )
        database.commit()


@pytest.mark.parametrize("host", ["space.reka.ai", "127.0.0.1"])
def test_the_session_of_firefox_is_taken(polychat: Any, host: str) -> None:
    """Of the service itself, or of the sandbox's own login page."""
    firefox(polychat.home, "sandbox-bob", host)
    done = polychat("login", "reka", "--from-browser", "firefox")
    assert done.returncode == 0, done.stderr
    assert done.stderr.splitlines()[0] == "found appSession (good for another 1 day) in the Firefox profile default"
    assert asks_as(polychat) == "sandbox-bob"


@pytest.mark.parametrize("browser", ["chrome", "Safari:Default"])
def test_a_protected_store_is_not_opened(polychat: Any, browser: str) -> None:
    """One sentence, and two other ways."""
    done = polychat("login", "reka", "--from-browser", browser)
    name = browser.partition(":")[0].capitalize()
    assert done.returncode == 2
    assert done.stderr.splitlines()[0] == f"error: the cookie store of {name} is protected and is not opened"
    assert "--browser opens a window" in done.stderr
    assert "--cookies takes an export" in done.stderr


# ---------------------------------------------------------------- a network log


def recorded(sandbox: Any, service: str, path: Path) -> None:
    """What the browser of a person logs who logs in as Bob, with its bodies."""
    from playwright.sync_api import sync_playwright

    login, last = {"reka": ("bff/auth/login", "**/chat"), "chatgpt": ("auth/login", "**/backend-api/me")}[service]
    with sync_playwright() as playwright:
        is_root = os.geteuid() == 0
        browser = playwright.chromium.launch(executable_path=find_browser(os.environ), chromium_sandbox=not is_root)
        context = browser.new_context(record_har_path=path, record_har_content="embed")
        page = context.new_page()
        page.goto(f"{sandbox.url}/{service}/{login}")
        page.select_option("select", "sandbox-bob")
        with page.expect_response(last) as answer:
            page.get_by_role("button", name="Log in").click()
        answer.value.finished()
        context.close()
        browser.close()


@needs_browser
@pytest.mark.parametrize("service", ["reka", "chatgpt"])
def test_a_browsers_own_log_is_a_sign_in(polychat: Any, service: str) -> None:
    """Recorded by Chromium at the sandbox's login page; the entries are told, and the account then answers."""
    path = polychat.home / "network.har"
    recorded(polychat.sandbox, service, path)
    done = polychat("login", service, "--har", "network.har")
    assert done.returncode == 0, done.stderr
    assert "in entry " in done.stderr.splitlines()[0]
    assert "\nchecked: " in done.stderr
    assert "note: network.har still opens the account" in done.stderr
    assert asks_as(polychat, service) == "sandbox-bob"
    secrets = [cookie.reveal() for cookie in credential(polychat).cookies.values()]
    assert [secret for secret in secrets if secret in done.stdout + done.stderr] == []


def credential(polychat: Any) -> SessionCookies:
    """The only one that is kept."""
    [account] = kept(polychat)
    assert isinstance(account.credential, SessionCookies)
    return account.credential


# ---------------------------------------------------------------- nothing is shown


def request(url: str, cookies: str, **headers: str) -> dict[str, Any]:
    """An entry of a network log."""
    sent = [{"name": name, "value": value} for name, value in {"Cookie": cookies, **headers}.items()]
    return {"request": {"method": "GET", "url": url, "headers": sent, "cookies": []}, "response": {"status": 200}}


def har(*entries: dict[str, Any]) -> bytes:
    """A network log."""
    return json.dumps({"log": {"entries": entries}}).encode()


def bodies(url: str, session: str) -> dict[str, bytes]:
    """For each way that reads text, one that brings `session` as Reka's cookie."""
    return {
        "--cookies": json.dumps({"appSession": session, "x": CANARY}).encode(),
        "--curl": f"curl '{url}/reka/chat?{CANARY}' -b 'appSession={session}; x={CANARY}' -H 'x: {CANARY}'".encode(),
        "--har": har(
            request(f"{url}/reka/chat/{CANARY}{CANARY}{CANARY}?{CANARY}", f"appSession={session}; x={CANARY}")
        ),
        "--key": session.encode(),
    }


@pytest.mark.parametrize("way", ["--cookies", "--curl", "--har", "--key", "--from-browser"])
@pytest.mark.parametrize("known", [True, False])
def test_no_way_shows_a_secret(polychat: Any, way: str, known: bool) -> None:
    """Neither when it goes well, nor when the service does not know the session; neither in words nor as JSON."""
    as_json = ("--json",) if known == (way in ("--curl", "--key")) else ()
    person = f"{CANARY}-person"
    if known:
        polychat.sandbox.add_account(person)
    Path(polychat.home, "given").write_bytes(data := bodies(polychat.sandbox.url, person).get(way, b""))
    firefox(polychat.home, person)
    value = {"--har": "given", "--from-browser": "firefox"}.get(way, "-")
    done = polychat("login", "reka", way, value, *as_json, stdin=data)
    if known:
        polychat.sandbox.remove_account(person)
    assert done.returncode == (0 if known or way == "--key" else 4), done.stderr
    assert CANARY not in done.stdout + done.stderr


def damaged(url: str) -> list[tuple[str, bytes]]:
    """Every kind of input that is no sign-in, with a secret in it."""
    elsewhere = f"https://{CANARY}:{CANARY}@other.example/{CANARY}"
    return [
        ("--cookies", CANARY.encode()),
        ("--cookies", json.dumps({"other": CANARY, CANARY: "x"}).encode()),
        ("--cookies", f"space.reka.ai\tFALSE\t/\tTRUE\t1\tappSession\t{CANARY}".encode()),
        ("--cookies", json.dumps([{"name": "appSession", "value": CANARY, "domain": "other.example"}]).encode()),
        ("--cookies", json.dumps({"appSession": f"{CANARY}\n"}).encode()),
        ("--curl", CANARY.encode()),
        ("--curl", f"curl '{elsewhere}' -b '{CANARY}={CANARY}'".encode()),
        ("--curl", f"curl '{url}/reka/{CANARY}' -b '{CANARY}={CANARY}' --data {CANARY}".encode()),
        ("--curl", f"curl '{url}/reka/{CANARY}".encode()),
        ("--curl", f"Invoke-WebRequest -Uri {CANARY}".encode()),
        ("--har", CANARY.encode()),
        ("--har", json.dumps({"log": {"entries": [CANARY]}}).encode()),
        ("--har", har(request(elsewhere, f"appSession={CANARY}"))),
        ("--har", har(request(f"{url}/reka/{CANARY}?{CANARY}", f"{CANARY}={CANARY}", Authorization=f"Basic {CANARY}"))),
        ("--har", har(request(f"{url}/reka/x", f"appSession={CANARY}\x01"))),
        ("--key", f"{CANARY}\n{CANARY}".encode()),
    ]


def test_no_failure_shows_a_secret(polychat: Any) -> None:
    """Whatever is wrong with what is handed over, one sentence says it, as text and as JSON, and nothing is kept."""
    for number, (way, data) in enumerate(damaged(polychat.sandbox.url)):
        Path(polychat.home, "given").write_bytes(data)
        as_json = ("--json",) if number % 2 else ()
        done = polychat("login", "reka", way, "given" if way == "--har" else "-", *as_json, stdin=data)
        assert (done.returncode, done.stdout) == (2, ""), (way, data, done.stderr)
        assert CANARY not in done.stderr, (way, data)
    assert kept(polychat) == []


# ---------------------------------------------------------------- what is kept


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
    assert credential(polychat).cookies == {"appSession": Secret("sandbox-bob")}
    done = polychat("login", "reka", "--key", "-", "--name", "sandbox-bob@reka", stdin=b"sandbox-alice")
    assert "Reka account 'sandbox-bob@reka' kept in " in done.stdout  # the sandbox's own was in no file


@pytest.mark.parametrize("name", ["work", "sandbox-bob@reka"])
def test_the_name_of_another_services_account_is_refused(polychat: Any, name: str) -> None:
    """Before anything is asked for or read."""
    assert polychat("login", "reka", "--key", "-", "--name", "work", stdin=b"sandbox-bob").returncode == 0
    code, drawn = polychat.on_terminal("login", "chatgpt", "--key", "-", "--name", name, NO_COLOR="1")
    assert code == 2
    assert drawn.startswith(f"error: account '{name}' is of reka, not chatgpt\nhint: --name calls")
    assert [account.provider for account in kept(polychat)] == ["reka"]


# ---------------------------------------------------------------- what is asked wrongly


def test_without_a_way_all_are_shown(polychat: Any) -> None:
    """Those that the service takes, with what each is."""
    done = polychat("login", "reka")
    assert done.returncode == 2
    error, hint, *rows = done.stderr.splitlines()
    assert error == "error: say how to sign in to Reka"
    assert hint.startswith(
        "hint: log in at https://space.reka.ai/chat in your browser (--browser opens a window for it)"
    )
    options = ["--browser", "--from-browser", "--har", "--curl", "--cookies", "--key"]
    assert [row.split()[:4] for row in rows] == [["polychat", "login", "reka", option] for option in options]


@pytest.mark.parametrize(
    ("args", "stdin", "complaint"),
    [
        (
            ["reka", "--key", "-", "--cookies", "-"],
            b"",
            "say how to sign in to Reka: --cookies, --key exclude one another",
        ),
        (["reka", "--key", "sk-secret"], b"", "--key takes only -"),
        (["reka", "--curl", "curl sk-secret"], b"", "--curl takes only -"),
        (["reka", "--key", "-", "--timeout", "5"], b"x", "--timeout goes with --browser"),
        (["reka", "--key", "-", "--username", "ann"], b"x", "--username goes with --browser"),
        (["reka", "--key", "-"], b"\n", "key is empty"),
        (["reka", "--key", "-", "--name", "No Name"], b"x", "account name"),
        (["reka", "--cookies", "-"], b"", "no cookies"),
        (["reka", "--cookies", "-"], b'{"other": "sk-secret"}', "appSession"),
        (["reka", "--cookies", "nowhere.txt"], b"", "cannot read nowhere.txt"),
        (["reka", "--cookies", "appSession=sk-secret"], b"", "cannot read the --cookies file"),
        (["reka", "--from-browser", "sk-secret"], b"", "--from-browser reads no browser but firefox"),
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
    """A vault that others can open is refused, before anything is read or asked."""
    vault = polychat.home / "data" / "sandbox-accounts.json"
    vault.parent.mkdir(mode=0o700)
    vault.write_text('{"version": 1, "accounts": []}')
    vault.chmod(0o644)
    done = polychat("login", "reka", "--cookies", "nowhere")
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
    assert found == "found appSession (good for another 2 days) in the window"
    assert checked.split(",")[0] == "checked: Reka gave an access token"
    assert list(credential(polychat).cookies) == ["appSession"]
    assert asks_as(polychat) == "sandbox-alice"


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


# ---------------------------------------------------------------- a vault that is closed


def test_a_locked_vault_is_told_of_before_anything_is_tried(polychat: Any) -> None:
    """No sign-in is read and no service asked for what could not be kept."""
    assert polychat("vault", "init", "--passphrase", stdin=b"open sesame\n").returncode == 0
    done = polychat("login", "reka", "--key", "-", stdin=b"sandbox-alice", env={"POLYCHAT_VAULT_KEY": None})
    assert done.returncode == 3
    assert "is locked\nhint: polychat vault unlock" in done.stderr
    assert polychat.sandbox.journal() == []
