"""`polychat login`: a sign-in comes in, is tried, and is kept.

What is secret comes from a file, from stdin or from a browser's window, never from the command line, and goes nowhere
but into the vault: of cookies only names are told, of a token only when it ends.
"""

from __future__ import annotations

import math
import os
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

import click

from polychat.cli import options
from polychat.cli.terminal import draws, is_terminal, note, say
from polychat.errors import BadOption, PolychatError

if TYPE_CHECKING:
    from playwright.async_api import Page

    from polychat.credentials import Account, Credential, Secret, SessionCookies
    from polychat.engine.engine import Tried
    from polychat.engine.settings import Settings
    from polychat.providers.base import Info
    from polychat.signin.cookie_files import CookieFile

_WINDOW_S = 300.0  # how long a window waits for the person
_NAMES_ARE_NAMES = {"netscape", "cookie-editor", "playwright"}  # in other forms a name may be a piece of a token


@click.command()
@click.argument("provider", shell_complete=options.provider_names)
@click.option("--cookies", metavar="FILE|-", help="An export of browser cookies, in any common form.")
@click.option("--key", metavar="-", help="Read a key or token from stdin; on a terminal, ask for it without echo.")
@click.option("--browser", is_flag=True, help="Log in in a window of your own Chrome, Chromium or Edge.")
@options.timeout("With --browser: how long the window waits for you (300).")
@click.option("--username", metavar="NAME", help="With --browser: fill the login form; the password as for --key -.")
@click.option("--name", metavar="NAME", help="Call the account this; the service's name unless given.")
@click.option("--no-check", is_flag=True, help="Keep it without trying it.")
@options.json("Print what was kept, without secrets, as JSON.")
@options.config
def login(
    provider: str,
    cookies: str | None,
    key: str | None,
    browser: bool,
    timeout_s: float | None,
    username: str | None,
    name: str | None,
    no_check: bool,
    as_json: bool,
) -> None:
    """Keep a sign-in: browser cookies, a token or a key."""
    import asyncio

    from polychat import providers
    from polychat.engine import accounts
    from polychat.vault.base import check_name

    info = providers.load(provider).info
    settings = options.settings()
    if name is not None:
        check_name(name)
    if not browser:
        _refuse("--timeout", timeout_s)
        _refuse("--username", username)
    if (cookies, key, browser or None).count(None) != 2:
        raise BadOption("say how to sign in: one of --cookies FILE, --browser and --key -", hint=_way(info))
    credential = _logged_in(info, settings, timeout_s, username) if browser else _credential(info, cookies, key)
    account = accounts.account(info, name, credential)
    checked = None if no_check else asyncio.run(_check(info, account, settings))
    if checked:
        _tell(info, checked)
    vault = accounts.kept(settings, os.environ)
    replaced = account.name in {entry.name for entry in vault.entries() if entry.source == "file"}
    vault.put(account)
    if as_json:
        _print_json(account, checked, settings)
    else:
        verb = "replaced" if replaced else "kept"
        say(f"{info.label} account {account.name!r} {verb} in {accounts.vault_path(settings)}")


# ---------------------------------------------------------------- what comes in


def _credential(info: Info, cookies: str | None, key: str | None) -> Credential:
    from polychat.credentials import Secret
    from polychat.engine import accounts

    if key is not None:
        if key != "-":
            raise BadOption(
                "--key takes only -: a key on the command line would stay in the shell's history",
                field="key",
                hint=f"polychat login {info.name} --key - < FILE, or without < FILE to be asked for it",
            )
        if info.sign_in.key_kind not in info.accepts:
            raise BadOption(f"{info.label} takes no key", field="key", hint=_way(info))
        return accounts.key_credential(info, Secret(_typed(f"{info.label} key or token")))
    if "cookies" not in info.accepts:
        raise BadOption(f"{info.label} takes no cookies", field="cookies", hint=_way(info))
    return _session(info, str(cookies))


def _session(info: Info, source: str) -> Credential:
    from polychat.signin import cookie_files

    found = cookie_files.parse(_read(source), domains=info.sign_in.domains)
    session = cookie_files.credential_from_cookies(found, required=info.sign_in.cookies, url=info.sign_in.url)
    note(f"found {_named(found, info.sign_in.cookies)}")
    return session


def _refuse(option: str, value: object) -> None:
    if value is not None:
        raise BadOption(f"{option} goes with --browser", field=option.strip("-"))


def _logged_in(info: Info, settings: Settings, timeout_s: float | None, username: str | None) -> Credential:
    import asyncio

    from polychat.credentials import Secret

    if "cookies" not in info.accepts:
        raise BadOption(f"{info.label} has no login in a browser", field="browser", hint=_way(info))
    if username is not None and info.sign_in.username_field is None:
        raise BadOption(
            f"the login form of {info.label} is not known", field="username", hint="type the name in the window"
        )
    password = None if username is None else Secret(_typed(f"{info.label} password"))
    session = asyncio.run(_window(info, settings, timeout_s or _WINDOW_S, username, password))
    note(f"found {', '.join(session.cookies)}{' and an access token' if session.token else ''}")
    return session


async def _window(
    info: Info, settings: Settings, timeout_s: float, username: str | None, password: Secret | None
) -> SessionCookies:
    from polychat.client.aio import AsyncClient
    from polychat.signin import browser, sighting
    from polychat.vault.memory import MemoryVault

    async with AsyncClient(vault=MemoryVault(), settings=settings) as client:
        hosts = tuple(client.engine.hosts(info).values())
    url = sighting.login_page(info.sign_in, hosts[0])

    async def tell(_: Page) -> None:
        _wipe()
        note(f"log in at {url} in the window that is open now; it closes by itself, and nothing is done in your name")

    try:
        return await browser.sign_in(
            info.sign_in, url=url, hosts=hosts, timeout_s=timeout_s, proxy=settings.proxy, username=username,
            password=password, waiting=_count if draws(sys.stderr) else None, opened=tell,
        )  # fmt: skip
    except PolychatError as error:
        error.located(info.name, None)
        raise
    finally:
        _wipe()


def _count(left_s: float) -> None:
    _wipe()
    minutes, seconds = divmod(math.ceil(left_s), 60)
    sys.stderr.write(f"waiting for you to log in: {minutes}:{seconds:02} left")
    sys.stderr.flush()


def _wipe() -> None:
    if draws(sys.stderr):
        sys.stderr.write("\r\x1b[2K")


def _named(found: CookieFile, required: tuple[str, ...]) -> str:
    """The cookies by name, as far as the form of the export makes sure that these are names."""
    known = [name for name in found.cookies if found.form in _NAMES_ARE_NAMES or name in required]
    others = len(found.cookies) - len(known)
    names = [_with_expiry(name, found.expires_at[name]) for name in known]
    return ", ".join(names + ([f"{others} more"] if others else []))


def _with_expiry(name: str, expires_at: float | None) -> str:
    from polychat.cli.phrases import expiry

    return name if expires_at is None else f"{name} ({expiry(expires_at, time.time())})"


def _read(source: str) -> str:
    if source == "-":
        return options.text(sys.stdin.buffer.read(), of="stdin")
    try:
        return options.text(Path(source).read_bytes(), of=source)
    except (OSError, ValueError) as error:
        shown = "the --cookies file" if "=" in source else source  # what has a = may be the cookies themselves
        raise BadOption(
            f"cannot read {shown}: {getattr(error, 'strerror', None) or 'not a file name'}",
            field="cookies",
            hint="--cookies takes the name of a file, or - for stdin",
        ) from error


def _typed(what: str) -> str:
    if is_terminal(sys.stdin):
        return str(click.prompt(what, hide_input=True, err=True)).strip()
    return options.text(sys.stdin.buffer.read(), of="stdin").strip()


def _way(info: Info) -> str:
    from polychat.engine.leases import login_command

    return f"log in at {info.sign_in.url} in your browser, then: {login_command(info)}"


# ---------------------------------------------------------------- trying it


async def _check(info: Info, account: Account, settings: Settings) -> Tried:
    """Use the sign-in once. Raises what the service makes of it."""
    from polychat.client.aio import AsyncClient
    from polychat.vault.memory import MemoryVault

    async with AsyncClient(vault=MemoryVault(account), settings=settings) as client:
        return await client.engine.tried(info.name, account.name)


def _tell(info: Info, checked: Tried) -> None:
    from polychat.cli.phrases import expiry

    ends = expiry(checked.expires_at, time.time())
    if checked.who is not None:
        note(f"checked: signed in to {info.label} as {checked.who}; an access token {ends}")
    elif checked.asked:
        note(f"checked: {info.label} gave an access token, {ends}")
    else:
        note(f"not tried: {info.label} first sees it with a question; {ends}")


def _print_json(account: Account, checked: Tried | None, settings: Settings) -> None:
    import json

    from polychat.engine.accounts import vault_path
    from polychat.engine.leases import kind_of

    facts = {
        "account": account.name,
        "provider": account.provider,
        "kind": kind_of(account),
        "kept_in": str(vault_path(settings)),
        "checked": bool(checked and checked.asked),
        "token_expires_at": checked.expires_at if checked else None,
    }
    say(json.dumps(facts))
