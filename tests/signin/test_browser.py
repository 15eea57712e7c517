"""Sign-ins in a real browser without a window; `opened` acts as the person."""

from __future__ import annotations

import asyncio
import os
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs

import msgspec
import pytest

from polychat.client.sync import Client
from polychat.credentials import Account, Secret, SessionCookies, SignIn
from polychat.errors import AuthExpired, BadOption, ConfigError, ConnectFailed
from polychat.providers.chatgpt import ChatGPT
from polychat.providers.reka import Reka
from polychat.sandbox import Sandbox
from polychat.signin import browser, sighting
from polychat.vault.memory import MemoryVault

pytest.importorskip("playwright", reason="Playwright is not installed")

needs_browser = pytest.mark.skipif(
    browser.find_browser(os.environ) is None, reason="neither Chrome nor Chromium nor Edge is installed"
)
CHATGPT, REKA = ChatGPT.info.sign_in, Reka.info.sign_in
ALICE = "sandbox-alice"
HI = [{"role": "user", "content": "hi"}]


def signed_in(recipe: SignIn, home: str, person: Any, **options: Any) -> SessionCookies:
    """What the browser brings when `person` acts on the login page."""
    url = sighting.login_page(recipe, home)
    given = {"url": url, "hosts": [home], "timeout_s": 30.0, "headless": True, "opened": person}
    return asyncio.run(browser.sign_in(recipe, **given | options))


async def log_in(page: Any) -> None:
    """Choose a name in the sandbox's form."""
    await page.select_option("select", ALICE)
    await page.get_by_role("button", name="Log in").click()


async def idle(page: Any) -> None:
    """Do nothing."""


async def leave(page: Any) -> None:
    """End the browser, as it ends when its last window is closed."""
    from playwright.async_api import Error

    control = await page.context.new_cdp_session(page)
    with suppress(Error):  # it is gone before it answers
        await control.send("Browser.close")


async def close(page: Any) -> None:
    """Close the window once its page is there."""
    await page.wait_for_load_state()
    await leave(page)


# ---------------------------------------------------------------- who logs in


@needs_browser
def test_chatgpt_in_a_pop_up(sandbox: Sandbox, sandbox_client: Callable[..., Client]) -> None:
    """Cookies, token and headers of the session, of no other site and no neighbour; the account then answers."""

    async def person(page: Any) -> None:
        await page.context.add_cookies(
            [
                {"name": "foreign", "value": "secret", "url": sandbox.url.replace("127.0.0.1", "localhost")},
                {"name": "appSession", "value": "secret", "domain": "127.0.0.1", "path": "/reka"},
            ]
        )
        await page.evaluate("fetch('/reka/chat', {headers: {authorization: 'Bearer of-the-neighbour'}})")
        async with page.expect_popup() as popup:
            await page.evaluate("window.open('auth/login')")
        await log_in(await popup.value)

    session = signed_in(CHATGPT, f"{sandbox.url}/chatgpt", person)
    assert session.cookies.keys() == {"oai-did", "session-token"}
    assert session.headers.keys() == {"user-agent", "accept-language"}
    assert session.token is not None
    assert session.expires_at is not None
    assert session.expires_at > time.time()
    client = sandbox_client(vault=MemoryVault(Account(name="own", provider="chatgpt", credential=session)))
    assert "hi" in str(client.chat.completions.create(model="chatgpt", messages=HI).choices[0].message.content)
    assert sandbox.journal(path="/backend-api/f/conversation")[-1].account == ALICE


@needs_browser
def test_reka(sandbox: Sandbox, sandbox_client: Callable[..., Client]) -> None:
    """A cookie is all that is needed, and no more is waited for."""
    session = signed_in(REKA, f"{sandbox.url}/reka", log_in)
    assert (list(session.cookies), session.token) == (["appSession"], None)
    client = sandbox_client(vault=MemoryVault(Account(name="own", provider="reka", credential=session)))
    assert "hi" in str(client.chat.completions.create(model="reka", messages=HI).choices[0].message.content)
    assert sandbox.journal(path="/api/chat")[-1].account == ALICE


@needs_browser
def test_a_window_closed_after_the_login(sandbox: Sandbox) -> None:
    """A window that is closed after the login, before any token was seen, has brought its cookies."""

    async def person(page: Any) -> None:
        await log_in(page)
        await page.wait_for_url("**/chat")
        await asyncio.sleep(0.5)  # two looks at the cookies
        await leave(page)

    recipe = SignIn(url=REKA.url, cookies=REKA.cookies, domains=REKA.domains, headers=("x-token",))
    assert list(signed_in(recipe, f"{sandbox.url}/reka", person).cookies) == ["appSession"]


# ---------------------------------------------------------------- who does not


@needs_browser
def test_a_closed_window(sandbox: Sandbox) -> None:
    """Whoever closes the window has not signed in."""
    with pytest.raises(AuthExpired, match="the window was closed before"):
        signed_in(REKA, f"{sandbox.url}/reka", close)


@needs_browser
def test_the_time_is_over(sandbox: Sandbox) -> None:
    """The seconds left are told meanwhile, from the limit downwards."""
    told: list[float] = []
    with pytest.raises(AuthExpired, match=r"nobody signed in within 1.1 s"):
        signed_in(REKA, f"{sandbox.url}/reka", idle, timeout_s=1.1, waiting=told.append)
    assert 1.1 >= told[0] > told[-1] >= 0


@needs_browser
def test_a_page_that_is_not_there() -> None:
    """A login page that does not open is told at once."""
    with pytest.raises(ConnectFailed, match="/reka/chat does not open in the browser"):
        signed_in(REKA, "http://127.0.0.1:9/reka", idle)


@needs_browser
def test_an_error_of_who_acts_ends_it(sandbox: Sandbox) -> None:
    """What `opened` raises is raised."""

    async def person(page: Any) -> None:
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        signed_in(REKA, f"{sandbox.url}/reka", person)


# ---------------------------------------------------------------- what is left behind


def descendants() -> dict[int, str]:
    """The living processes below this one, with their command lines."""
    parents: dict[int, int] = {}
    for status in Path("/proc").glob("[0-9]*/stat"):
        try:
            state, parent = status.read_text().rpartition(")")[2].split()[:2]
        except OSError:
            continue
        if state != "Z":
            parents[int(status.parent.name)] = int(parent)
    found = {os.getpid()}
    while more := {pid for pid, parent in parents.items() if parent in found} - found:
        found |= more
    return {pid: _command(pid) for pid in found - {os.getpid()}}


def _command(pid: int) -> str:
    try:
        return Path(f"/proc/{pid}/cmdline").read_text().replace("\0", " ")
    except OSError:
        return ""


def still_alive(seen: dict[int, str]) -> set[int]:
    """Which of these processes stay, given time to leave; one whose parent has left is still found."""
    deadline = time.monotonic() + 5
    while (left := {pid for pid in seen if _command(pid)}) and time.monotonic() < deadline:
        time.sleep(0.02)
    return left


def profiles(seen: dict[int, str]) -> list[Path]:
    """The profile folders that command lines name."""
    words = {word for line in seen.values() for word in line.split() if word.startswith("--user-data-dir=")}
    return [Path(word.partition("=")[2]) for word in words]


@needs_browser
@pytest.mark.skipif(not Path("/proc").exists(), reason="processes are looked for in /proc")
@pytest.mark.parametrize("moment", ["driver", "launch", "window", "end"])
def test_nothing_is_left(sandbox: Sandbox, moment: str) -> None:
    """Neither process nor profile stays: cancelled while it starts, while the person is waited for, or not at all."""
    before, seen = set(descendants()), {}

    async def main() -> None:
        home, shown, cancelled = f"{sandbox.url}/reka", asyncio.Event(), moment != "end"

        async def person(page: Any) -> None:
            shown.set()
            await asyncio.sleep(60 if cancelled else 0.1)
            await log_in(page)

        def reached() -> bool:
            if moment in ("window", "end"):
                return shown.is_set()
            return any(("--user-data-dir" if moment == "launch" else "run-driver") in line for line in seen.values())

        signing = asyncio.create_task(
            browser.sign_in(REKA, url=f"{home}/chat", hosts=[home], headless=True, opened=person)
        )
        while not reached():
            await asyncio.sleep(0.005)
            seen.update({pid: line for pid, line in descendants().items() if pid not in before})
        if cancelled:
            signing.cancel()
        done = await asyncio.gather(signing, return_exceptions=True)
        assert isinstance(done[0], asyncio.CancelledError) is cancelled

    asyncio.run(main())
    assert still_alive(seen) == set()
    assert [path for path in profiles(seen) if path.exists()] == []
    assert bool(profiles(seen)) is (moment != "driver")


# ---------------------------------------------------------------- the form


class _Login(BaseHTTPRequestHandler):
    """A login in two steps; what was sent is a cookie then."""

    def do_GET(self) -> None:
        self._answer('<form method="post"><input name="user"><button>Next</button></form>')

    def do_POST(self) -> None:
        sent = parse_qs(self.rfile.read(int(self.headers["content-length"])).decode())
        if "pass" not in sent:
            user = sent["user"][0]
            hidden = f'<input type="hidden" name="user" value="{user}">'
            self._answer(f'<form method="post">{hidden}<input name="pass"><button>Log in</button></form>')
        else:
            self._answer("welcome", cookie=f"sid={sent['user'][0]}+{sent['pass'][0]}")

    def _answer(self, page: str, cookie: str = "theme=dark") -> None:
        self.send_response(200)
        self.send_header("content-type", "text/html")
        self.send_header("set-cookie", cookie)
        self.end_headers()
        self.wfile.write(page.encode())

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@pytest.fixture
def login_server() -> Iterator[str]:
    """A site with a login form, on loopback."""
    with ThreadingHTTPServer(("127.0.0.1", 0), _Login) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()
        thread.join()


FORM = SignIn(
    url="https://login.example/",
    cookies=("sid",),
    username_field="input[name=user]",
    password_field="input[name=pass]",
    submit_button="button",
)


@needs_browser
def test_the_form_is_filled(login_server: str) -> None:
    """Name and password go where the recipe says, in two steps, and the button is pressed."""
    session = signed_in(FORM, login_server, None, username="ann", password=Secret("pw"))
    assert session.cookies["sid"] == Secret("ann+pw")


@needs_browser
@pytest.mark.parametrize(("host", "expected"), [("127.0.0.1", "ann"), ("localhost", "")])
def test_a_strangers_form_is_not_filled(login_server: str, host: str, expected: str) -> None:
    """On a page of another host, wherever the login led, nothing is typed."""
    typed = []

    async def person(page: Any) -> None:
        from polychat.signin import window

        await page.goto(login_server.replace("127.0.0.1", host))
        await window.fill(FORM, login_server, "ann", None, page)
        typed.append(await page.input_value("input[name=user]"))
        await leave(page)

    with pytest.raises(AuthExpired):
        signed_in(FORM, login_server, person)
    assert typed == [expected]


@needs_browser
def test_a_usual_form_is_filled_and_left_to_the_person(sandbox: Sandbox) -> None:
    """A recipe that names no fields finds those that HTML has words for; what is filled in is not sent."""
    typed = []

    async def person(page: Any) -> None:
        password = page.locator("input[type=password]")
        await page.wait_for_function("document.querySelector('input[type=password]').value")
        typed.append((await page.input_value("input[name=name]"), await password.input_value()))
        assert {entry.method for entry in sandbox.journal(service="reka")} == {"GET"}
        await page.get_by_role("button", name="Continue").click()

    signed_in(REKA, f"{sandbox.url}/reka", person, username=ALICE, password=Secret("sandbox-password"))
    assert typed == [(ALICE, "sandbox-password")]


def test_a_form_that_is_not_to_be_filled_takes_no_name() -> None:
    """Where the recipe has no field for it, nothing begins."""
    recipe = msgspec.structs.replace(REKA, username_field=None)
    with pytest.raises(BadOption, match="fields of this login form are not known"):
        signed_in(recipe, "http://127.0.0.1:9/reka", idle, username="ann")


# ---------------------------------------------------------------- which browser


def program(folder: Path, name: str, text: str = "#!/bin/sh\nexit 1\n") -> Path:
    """A file that can be started."""
    path = folder / name
    path.write_text(text)
    path.chmod(0o755)
    return path


def test_the_browser_is_looked_for_by_name(tmp_path: Path) -> None:
    """POLYCHAT_BROWSER before Chrome before Chromium; none is None, and a wrong name is an error."""
    chromium = program(tmp_path, "chromium")
    assert browser.find_browser({"PATH": str(tmp_path)}) == chromium
    chrome = program(tmp_path, "google-chrome")
    assert browser.find_browser({"PATH": str(tmp_path)}) == chrome
    own = program(tmp_path, "own")
    assert browser.find_browser({"PATH": str(tmp_path), "POLYCHAT_BROWSER": str(own)}) == own
    with pytest.raises(ConfigError, match="POLYCHAT_BROWSER names no program"):
        browser.find_browser({"PATH": str(tmp_path), "POLYCHAT_BROWSER": "nowhere"})


def test_windows_has_folders_for_programs(tmp_path: Path) -> None:
    """Chrome is found where its installer puts it."""
    folder = tmp_path / "Google/Chrome/Application"
    folder.mkdir(parents=True)
    chrome = program(folder, "chrome.exe")
    environ = {"PATH": "", "PROGRAMFILES": str(tmp_path / "none"), "LOCALAPPDATA": str(tmp_path)}
    assert browser.find_browser(environ) == chrome


@pytest.mark.parametrize(
    ("environ", "headless", "complaint"),
    [
        ({"PATH": "", "POLYCHAT_BROWSER": ""}, False, "there is no browser to open a window of"),
        ({"POLYCHAT_BROWSER": "sh", "DISPLAY": "", "WAYLAND_DISPLAY": ""}, False, "there is no display"),
        ({"POLYCHAT_BROWSER": "false"}, True, "false does not start"),
    ],
)
def test_what_is_missing_is_named(
    monkeypatch: pytest.MonkeyPatch, environ: dict[str, str], headless: bool, complaint: str
) -> None:
    """Without a browser or a display, or with a program that is no browser, an error says so, and another way."""
    for name, value in environ.items():
        monkeypatch.setenv(name, value)
    with pytest.raises(ConfigError, match=complaint) as caught:
        signed_in(REKA, "http://127.0.0.1:9/reka", idle, headless=headless)
    assert caught.value.hint
