"""`polychat login`: a sign-in comes in, is tried, and is kept.

It goes nowhere but into the vault; of cookies only names are told, of a token only when it ends.
"""

from __future__ import annotations

import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from polychat.cli import options, signing_in
from polychat.cli.terminal import is_terminal, note, say
from polychat.errors import BadOption

if TYPE_CHECKING:
    from collections.abc import Sequence

    from polychat.credentials import Account
    from polychat.engine.engine import Tried
    from polychat.engine.settings import Settings
    from polychat.providers.base import Info
    from polychat.signin.found import Found
    from polychat.vault.base import Entry


@click.command()
@click.argument("provider", shell_complete=options.provider_names)
@signing_in.ways
@options.timeout("With --browser: how long the window waits for you (300).")
@click.option("--username", metavar="NAME", help="With --browser: fill the login form; the password as for --key -.")
@click.option("--name", metavar="NAME", help="Call the account this; the service's name unless given.")
@click.option("--no-check", is_flag=True, help="Keep it without trying it.")
@options.json("Print what was kept, without secrets, as JSON.")
@options.config
def login(
    provider: str,
    timeout_s: float | None,
    username: str | None,
    name: str | None,
    no_check: bool,
    as_json: bool,
    **given: Any,
) -> None:
    """Keep a sign-in: browser cookies, a token or a key.

    Log in with your own browser, and say by one option where the session is to be found. It is tried once before it is
    kept; what is shown of it are names and when they end.

    \b
    polychat login chatgpt --browser            in a window that opens for it
    polychat login reka --from-browser firefox  as your Firefox is logged in
    polychat login reka --har network.har       from the developer tools
    """
    import asyncio

    from polychat.engine import accounts

    info = options.services().load(provider).info
    settings = options.settings()
    way, value = signing_in.chosen(info, given)
    if way.option != "browser":
        _refuse("--timeout", timeout_s)
        _refuse("--username", username)
    vault = options.vault(settings)
    before = _before(info, name, vault.entries())
    vault.open()  # a passphrase is asked for before the sign-in is
    hosts = asyncio.run(_hosts(info, settings))
    found = way.find(signing_in.Errand(info, hosts, settings, value, timeout_s, username))
    for line in signing_in.told(found, time.time()):
        note(line)
    account = accounts.account(info, name, found.credential)
    checked = None
    if not no_check:
        checked, account = asyncio.run(_check(info, account, settings))
        _tell(info, checked)
    vault.put(account)
    if as_json:
        _print_json(account, found, checked, settings)
    else:
        verb = "kept" if before is None else "replaced"
        say(f"{info.label} account {account.name!r} {verb} in {accounts.vault_path(settings)}")
    if way.leaves and (path := Path(value)).is_file():
        _offer_to_delete(path)


def _refuse(option: str, value: object) -> None:
    if value is not None:
        raise BadOption(f"{option} goes with --browser", field=option.strip("-"))


def _before(info: Info, name: str | None, entries: Sequence[Entry]) -> Entry | None:
    """The kept account that is to be replaced. Raises: `BadOption` for a name that is none, or another service's."""
    from polychat.vault.base import check_name

    if name is not None:
        check_name(name)
    named = [entry for entry in entries if entry.name == (name or info.name)]
    if others := [entry for entry in named if entry.provider != info.name]:
        raise BadOption(
            f"account {others[0].name!r} is of {others[0].provider}, not {info.name}",
            field="name",
            hint="--name calls the new one something else",
        )
    return next((entry for entry in named if entry.source == "file"), None)


async def _hosts(info: Info, settings: Settings) -> tuple[str, ...]:
    from polychat.client.aio import AsyncClient
    from polychat.vault.memory import MemoryVault

    async with AsyncClient(vault=MemoryVault(), settings=settings) as client:
        return tuple(client.engine.hosts(info).values())


def _offer_to_delete(path: Path) -> None:
    """By default the file stays: what was deleted in passing cannot be brought back."""
    opens = f"{path} still opens the account to whoever reads it"
    if not (is_terminal(sys.stdin) and is_terminal(sys.stderr)):
        options.remark(f"{opens}; delete it when you need it no more")
    elif click.confirm(f"{opens}. Delete it?", default=False, err=True):
        try:
            path.resolve().unlink()
        except OSError as error:
            options.remark(f"{path} cannot be deleted: {error.strerror}")


# ---------------------------------------------------------------- trying it


async def _check(info: Info, account: Account, settings: Settings) -> tuple[Tried, Account]:
    """Use the sign-in once: what came of it, and the account with what the service renewed. Raises what it refuses."""
    from polychat.client.aio import AsyncClient
    from polychat.vault.memory import MemoryVault

    vault = MemoryVault(account)
    async with AsyncClient(vault=vault, settings=settings) as client:
        tried = await client.engine.tried(info.name, account.name)
    return tried, vault.get(account.name)


def _tell(info: Info, checked: Tried) -> None:
    from polychat.cli.phrases import expiry

    ends = expiry(checked.expires_at, time.time())
    if checked.who is not None:
        note(f"checked: signed in to {info.label} as {checked.who}; an access token {ends}")
    elif checked.asked:
        note(f"checked: {info.label} gave an access token, {ends}")
    else:
        note(f"not tried: {info.label} first sees it with a question; {ends}")


def _print_json(account: Account, found: Found, checked: Tried | None, settings: Settings) -> None:
    import json

    import msgspec

    from polychat.engine.accounts import vault_path
    from polychat.engine.sessions import kind_of

    facts = {
        "account": account.name,
        "provider": account.provider,
        "kind": kind_of(account),
        "found_in": found.where,
        "found": msgspec.to_builtins(found.fields),
        "other_cookies": found.others,
        "kept_in": str(vault_path(settings)),
        "checked": bool(checked and checked.asked),
        "token_expires_at": checked.expires_at if checked else None,
    }
    say(json.dumps(facts))
