"""`polychat vault`: the file of accounts, how it is encrypted, and where its key is.

A passphrase is asked for without echo, or read from a pipe; it is never an argument.
"""

from __future__ import annotations

import os
import re
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple, TypeVar

import click

from polychat.cli import options
from polychat.cli.terminal import is_terminal, note, say
from polychat.errors import BadOption

if TYPE_CHECKING:
    from polychat.credentials import Secret
    from polychat.vault.file import FileVault, Status
    from polychat.vault.keys import Choice
    from polychat.vault.seal import Source

F = TypeVar("F", bound=Callable[..., Any])

_CLOSED = 3
_TIME = re.compile(r"(\d+(?:\.\d+)?)([hm]?)")
_SECONDS = {"h": 3600.0, "": 3600.0, "m": 60.0}


class Wanted(NamedTuple):
    """Where the key of the vault is to be, as it was asked for."""

    passphrase: bool
    keyring: bool
    key_file: Path | None


@click.group(invoke_without_command=True, subcommand_metavar="[status|init|lock|unlock|rekey|backup|path]")
@options.json("Print it as JSON.")
@options.config
@click.pass_context
def vault(context: click.Context, as_json: bool) -> None:
    """Show how the accounts are encrypted, and change it."""
    if context.invoked_subcommand is None:
        context.invoke(status, as_json=as_json)


@vault.command()
@options.json("Print it as JSON.")
@options.config
@click.pass_context
def status(context: click.Context, as_json: bool) -> None:
    """Tell where the vault and its key are, and whether it opens.

    Exit code 3 if it does not open as things are, or an account in it does not.
    """
    found = _vault().status()
    if as_json:
        _print_json(_facts(found))
    else:
        _print(found)
    context.exit(_CLOSED if found.locked or found.damaged else 0)


def _wanted(command: F) -> F:
    """`--passphrase`, `--keyring` and `--key-file FILE`."""
    for option in (
        click.option(
            "--key-file", metavar="FILE", type=click.Path(path_type=Path), help="In FILE, made if it is not there."
        ),
        click.option("--keyring", is_flag=True, help="In the keyring of this system."),
        click.option("--passphrase", is_flag=True, help="Ask for a passphrase; from a pipe, it is read once."),
    ):
        command = option(command)
    return command


@vault.command()
@_wanted
@options.json("Print where it and its key are as JSON.")
@options.config
def init(as_json: bool, **given: Any) -> None:
    """Make the vault, with its key where you want it.

    Without an option the key is what is there first: a key file that is set, POLYCHAT_VAULT_KEY, the secret of a
    systemd service or a container, the keyring of this system; else a file beside the vault, made now.
    """
    kept, wanted = _vault(), Wanted(**given)
    _tell_key(kept.init(_chosen(wanted)), kept, wanted, as_json=as_json)


@vault.command()
@_wanted
@options.json("Print where it and its key are as JSON.")
@options.config
def rekey(as_json: bool, **given: Any) -> None:
    """Encrypt everything under another key.

    The options are those of init. Copies that `polychat vault backup` made keep the key they have.
    """
    kept, wanted = _vault(), Wanted(**given)
    kept.open(strict=False)  # asks for the old passphrase before the new one
    _tell_key(kept.rekey(_chosen(wanted)), kept, wanted, as_json=as_json)


@vault.command()
@click.option("--for", "life", metavar="TIME", default="8h", show_default=True, help="So long: 8h, 30m.")
@options.json("Print until when as JSON.")
@options.config
def unlock(life: str, as_json: bool) -> None:
    """Ask for the passphrase now, and not again for a while."""
    life_s = _seconds(life)
    until = _vault().unlock(life_s, None if is_terminal(sys.stdin) else _piped())
    _tell({"unlocked_until": until}, f"the vault is unlocked until {_moment(until)}", as_json=as_json)


@vault.command()
@options.json("Print that it is as JSON.")
@options.config
def lock(as_json: bool) -> None:
    """Ask for the passphrase again from now on."""
    _vault().lock()
    _tell({"locked": True}, "the vault is locked", as_json=as_json)


@vault.command()
@click.argument("to", metavar="[FILE]", required=False, type=click.Path(path_type=Path))
@options.json("Print where it is as JSON.")
@options.config
def backup(to: Path | None, as_json: bool) -> None:
    """Copy the vault, encrypted as it is.

    To FILE, or under a name with the time into a folder; that of the vault unless given.
    """
    from polychat.vault.keys import whereabouts

    kept = _vault()
    copy = kept.backup(to)
    _tell({"backup": str(copy)}, str(copy), as_json=as_json)
    if source := kept.status().source:
        options.remark(f"it opens with the vault's key, which is {whereabouts(source)}; keep that too, elsewhere")


@vault.command()
@options.json("Print it as JSON.")
@options.config
def path(as_json: bool) -> None:
    """Print where the vault is."""
    found = str(_vault().path)
    _tell({"path": found}, found, as_json=as_json)


# ---------------------------------------------------------------- what comes in


def _vault() -> FileVault:
    from polychat.engine.accounts import file_vault

    return file_vault(options.settings(), os.environ, ask=options.ask(), notice=options.remark)


def _chosen(wanted: Wanted) -> Choice:
    if (wanted.passphrase, wanted.keyring, wanted.key_file is not None).count(True) > 1:
        raise BadOption("the key is in one place: give one of --passphrase, --keyring and --key-file FILE")
    if wanted.passphrase:
        return _typed_twice() if is_terminal(sys.stdin) else _piped()
    return "keyring" if wanted.keyring else wanted.key_file and wanted.key_file.expanduser()


def _typed_twice() -> Secret:
    prompt = "new vault passphrase"
    while (typed := options.passphrase(prompt)) != options.passphrase("the same again"):
        prompt = "not the same; new vault passphrase"
    return typed


def _piped() -> Secret:
    from polychat.credentials import Secret

    return Secret(options.text(sys.stdin.buffer.read(), of="stdin").strip())


def _seconds(life: str) -> float:
    found = _TIME.fullmatch(life.strip().lower())
    if found is None or float(found[1]) == 0:
        raise BadOption(f"--for {life} is no time", field="for", hint="for example: --for 8h, --for 30m")
    return float(found[1]) * _SECONDS[found[2]]


# ---------------------------------------------------------------- what is told


def _tell(facts: dict[str, Any], sentence: str, *, as_json: bool) -> None:
    if as_json:
        _print_json(facts)
    else:
        say(sentence)


def _tell_key(source: Source, kept: FileVault, wanted: Wanted, *, as_json: bool) -> None:
    from polychat.vault.keys import whereabouts

    sentence = f"{kept.path} is encrypted, its key is {whereabouts(source)}"
    _tell({"path": str(kept.path), "key": source}, sentence, as_json=as_json)
    if wanted.key_file and wanted.key_file.expanduser().absolute() != options.settings().vault_key_file:
        options.remark("name the key file from now on: vault_key_file in config.toml, or POLYCHAT_VAULT_KEY_FILE")


def _facts(found: Status) -> dict[str, Any]:
    return {
        "path": str(found.path),
        "exists": found.exists,
        "version": found.version,
        "key": found.source,
        "locked": found.locked,
        "problem": found.problem,
        "hint": found.hint,
        "unlocked_until": found.unlocked_until,
        "accounts": found.accounts,
        "damaged": list(found.damaged),
        "backup": found.backup and str(found.backup),
        "backup_at": found.backup_at,
    }


def _print(found: Status) -> None:
    from polychat.cli.phrases import span, table
    from polychat.vault.keys import whereabouts

    rows = [("vault", str(found.path)), ("state", _state(found))]
    if found.exists:
        rows.append(("accounts", str(found.accounts)))
    if found.source:
        rows.append(("key", whereabouts(found.source)))
    if found.damaged:
        rows.append(("damaged", ", ".join(found.damaged)))
    if found.backup and found.backup_at is not None:
        rows.append(("copy", f"{found.backup}, as it was {span(time.time() - found.backup_at)} ago"))
    for line in table(rows):
        say(line)
    if found.problem:
        options.remark(found.problem)
        note(f"{click.style('hint:', fg='cyan')} {found.hint}")


def _state(found: Status) -> str:
    if not found.exists:
        return "not made yet; the first sign-in makes it"
    if found.source is None:
        return "not encrypted; the next use encrypts it, or polychat vault init"
    if found.problem:
        return "closed"
    return "open" if found.unlocked_until is None else f"open until {_moment(found.unlocked_until)}"


def _moment(at: float) -> str:
    return time.strftime("%Y-%m-%d %H:%M", time.localtime(at))


def _print_json(value: Any) -> None:
    import json

    say(json.dumps(value, ensure_ascii=False))
