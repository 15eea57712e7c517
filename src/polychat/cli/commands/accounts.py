"""`polychat accounts`: the sign-ins there are, how they are doing, and which is asked first.

Listing needs neither the vault's key nor a network. No secret is shown; export encrypts what it writes.
"""

from __future__ import annotations

import os
import shutil
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from polychat.cli import options
from polychat.cli.moving import passphrase_file
from polychat.cli.terminal import is_terminal, say

if TYPE_CHECKING:
    from click.shell_completion import CompletionItem

    from polychat.cli.trials import Trial
    from polychat.credentials import Account
    from polychat.engine.register import Act
    from polychat.vault.base import Entry


def _names(context: click.Context, option: click.Parameter, incomplete: str) -> list[CompletionItem | str]:
    return [entry.name for entry in options.vault(options.settings()).entries() if entry.name.startswith(incomplete)]


@click.group(invoke_without_command=True, subcommand_metavar="[COMMAND]")
@options.json("Print the list as JSON.")
@options.config
@click.pass_context
def accounts(context: click.Context, as_json: bool) -> None:
    """The sign-ins you keep: how they are doing, which is asked first."""
    if context.invoked_subcommand is None:
        context.invoke(list_, provider=None, as_json=as_json)


# ---------------------------------------------------------------- looking


@accounts.command("list")
@click.argument("provider", required=False, shell_complete=options.provider_names)
@options.json("Print everything that is known of each as JSON.")
@options.config
def list_(provider: str | None, as_json: bool) -> None:
    """List the accounts, and what to do about those in trouble."""
    from polychat.cli.account_table import listed
    from polychat.cli.standing import standings

    if provider:
        options.services().load(provider)
    settings = options.settings()
    found = standings(settings, options.vault(settings), provider)
    if as_json:
        _print_json([one.facts for one in found])
    elif found:
        columns = shutil.get_terminal_size().columns if is_terminal(sys.stdout) else None
        for line in listed(found, columns):
            say(line)
    else:
        which = f"{provider} account" if provider else "account"
        login = f"polychat login {provider or 'PROVIDER'}"
        say(f"there is no {which} yet: polychat providers lists the services, {login} keeps a sign-in")


@accounts.command()
@click.argument("name", shell_complete=_names)
@options.json("Print it as JSON.")
@options.config
def show(name: str, as_json: bool) -> None:
    """Show everything that is known of one account.

    Of what it holds the names are shown. Nobody is asked for a passphrase: where the vault is locked, that is said
    in place of the names.
    """
    from polychat.cli.account_table import held, shown
    from polychat.cli.standing import named
    from polychat.engine.accounts import kept
    from polychat.errors import ConfigError

    settings = options.settings()
    vault = kept(settings, os.environ, notice=options.remark)
    one, holds, locked = named(settings, vault, name), {}, None
    try:
        holds = held(vault.get(name))
    except ConfigError as error:
        locked = error.message
    if as_json:
        _print_json(one.facts | {"held": None if locked else holds, "locked": locked})
        return
    for line in shown(one, holds, locked):
        say(line)


@accounts.command()
@click.argument("names", metavar="[NAME]...", nargs=-1, shell_complete=_names)
@options.json("Print what came of each as JSON.")
@options.config
@click.pass_context
def test(context: click.Context, names: tuple[str, ...], as_json: bool) -> None:
    """Try accounts, all or those named, for real.

    Exit code 0 if all are accepted; otherwise the first of these that there was: 3 for the vault, 4 for a sign-in that
    is needed, 5 for a quota or rate limit, 7 for the network, 1 for anything else.
    """
    import asyncio

    from polychat.cli import trials
    from polychat.cli.standing import named

    settings = options.settings()
    vault = options.vault(settings)
    entries = [named(settings, vault, name).entry for name in dict.fromkeys(names)] or vault.entries()
    trials.open_vault(settings, vault, entries)
    tried = asyncio.run(trials.try_all(settings, vault, entries, None if as_json else _tell))
    if as_json:
        _print_json([trial.facts for trial in tried])
    elif not tried:
        say("there is no account to try yet: polychat providers lists the services")
    context.exit(trials.exit_code(tried))


def _tell(trial: Trial) -> None:
    for line in trial.finding.lines:
        say(line)


# ---------------------------------------------------------------- changing


@accounts.command()
@click.argument("name", shell_complete=_names)
@options.json("Print the account as JSON.")
@options.config
def default(name: str, as_json: bool) -> None:
    """Have an account asked before others."""
    from polychat.cli.standing import lasting, named

    settings = options.settings()
    vault = options.vault(settings)
    entry = named(settings, vault, name).entry
    lasting(entry)
    vault.prefer(name)
    preset = settings.accounts.get(entry.provider, name)
    if preset != name:
        options.remark(f"the table [accounts] of config.toml names {preset} for {entry.provider}, and that comes first")
    _report(name, f"{name} is asked first of all {entry.provider} accounts", as_json=as_json)


@accounts.command()
@click.argument("name", shell_complete=_names)
@options.json("Print the account as JSON.")
@options.config
def pause(name: str, as_json: bool) -> None:
    """Have an account not asked until you resume it."""
    from polychat.engine import health

    _change(name, health.paused)
    _report(name, f"{name} is not asked any more; polychat accounts resume {name} ends that", as_json=as_json)


@accounts.command()
@click.argument("name", shell_complete=_names)
@options.json("Print the account as JSON.")
@options.config
def resume(name: str, as_json: bool) -> None:
    """End the pause and every wait of an account."""
    from polychat.engine import health

    _change(name, health.resumed)
    _report(name, f"{name} is asked again from now on", as_json=as_json)


@accounts.command()
@click.argument("name", shell_complete=_names)
@click.option("-y", "--yes", is_flag=True, help="Do not ask.")
@options.json("Print what was removed as JSON.")
@options.config
def remove(name: str, yes: bool, as_json: bool) -> None:
    """Forget an account: its sign-in, and how it was doing."""
    from polychat.cli import removal

    settings = options.settings()
    if removal.remove(settings, options.vault(settings), name, sure=yes, command="polychat accounts remove"):
        if as_json:
            _print_json({"removed": name})
        else:
            say(f"the account {name!r} is removed")


def _change(name: str, act: Act) -> None:
    from polychat.cli import standing

    settings = options.settings()
    standing.change(settings, standing.named(settings, options.vault(settings), name).entry, act)


def _report(name: str, sentence: str, *, as_json: bool) -> None:
    from polychat.cli.standing import named

    if as_json:
        settings = options.settings()
        _print_json(named(settings, options.vault(settings), name).facts)
    else:
        say(sentence)


# ---------------------------------------------------------------- moving


@accounts.command()
@click.argument("names", metavar="[NAME]...", nargs=-1, shell_complete=_names)
@click.option("-O", "--output", metavar="FILE|-", required=True, help="Write there; - writes to stdout.")
@click.option("--force", is_flag=True, help="Overwrite a file that is there.")
@passphrase_file
@options.json("Print what was exported as JSON.")
@options.config
def export(names: tuple[str, ...], output: str, force: bool, passphrase_file: Path | None, as_json: bool) -> None:
    """Write accounts to a file for another machine.

    Those named, or all that are kept. The file is encrypted with a passphrase: asked for twice on a terminal, otherwise
    read from stdin.
    """
    from polychat.cli import files, moving
    from polychat.vault import parcel

    files.check(output, force=force, as_json=as_json)
    leaving = moving.leaving(options.settings(), names)
    passphrase = moving.passphrase(passphrase_file, new=True)
    moving.write(parcel.sealed(leaving, passphrase), output)
    if as_json:
        _print_json({"file": output, "accounts": [account.name for account in leaving]})
    elif output != files.STDOUT:
        say(f"{_count(leaving)} in {output}: {', '.join(account.name for account in leaving)}")


@accounts.command("import")
@click.argument("file", metavar="FILE|-")
@click.option("--replace", is_flag=True, help="Put them in place of accounts of the same name.")
@passphrase_file
@options.json("Print what was kept as JSON.")
@options.config
def import_(file: str, replace: bool, passphrase_file: Path | None, as_json: bool) -> None:
    """Keep the accounts of a file that export wrote.

    All of them or, if one cannot be kept, none.
    """
    from polychat.cli import moving
    from polychat.vault import parcel
    from polychat.vault.base import entry

    whole = file == "-"
    passphrase = moving.passphrase(passphrase_file, new=False, stdin_is_taken=whole)
    came = parcel.opened(sys.stdin.buffer.read() if whole else moving.read(Path(file)), passphrase)
    vault = moving.file_vault(options.settings())
    moving.keep(vault, came, replace=replace)
    entries = [entry(account, "file") for account in came]
    if as_json:
        _print_json([_imported(one) for one in entries])
        return
    _print_imported(entries)
    say(f"{_count(came)} kept in {vault.path}")


def _imported(one: Entry) -> dict[str, Any]:
    return {
        "name": one.name,
        "provider": one.provider,
        "kind": one.kind,
        "created_at": one.created_at,
        "expires_at": one.expires_at,
    }


def _print_imported(entries: list[Entry]) -> None:
    from polychat.cli.phrases import ending, table
    from polychat.cli.standing import KINDS

    now = time.time()
    rows = [(one.name, one.provider, KINDS[one.kind], ending(one.expires_at, now)) for one in entries]
    for line in table([("NAME", "PROVIDER", "KIND", "EXPIRES"), *rows]):
        say(line)


def _count(some: list[Account] | tuple[Account, ...]) -> str:
    return f"{len(some)} account{'' if len(some) == 1 else 's'}"


def _print_json(value: Any) -> None:
    import json

    say(json.dumps(value, ensure_ascii=False))
