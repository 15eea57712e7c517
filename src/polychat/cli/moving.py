"""Accounts leave in one encrypted file, and come in from one."""

from __future__ import annotations

import os
import secrets
import sys
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from polychat.cli import files, options
from polychat.cli.terminal import is_terminal
from polychat.errors import BadOption

if TYPE_CHECKING:
    from polychat.credentials import Account, Secret
    from polychat.engine.settings import Settings
    from polychat.vault.base import Entry, Vault
    from polychat.vault.file import FileVault

F = TypeVar("F", bound=Callable[..., Any])
_PROMPT = "passphrase of the export"


def passphrase_file(command: F) -> F:
    """`--passphrase-file FILE`."""
    return click.option(
        "--passphrase-file",
        metavar="FILE",
        type=click.Path(path_type=Path),
        help="The passphrase is in FILE; otherwise it is asked for, or read from stdin.",
    )(command)


def passphrase(file: Path | None, *, new: bool, stdin_is_taken: bool = False) -> Secret:
    """The passphrase of an export; a `new` one is typed twice. Raises: `BadOption` for none."""
    from polychat.credentials import Secret

    if file is not None:
        text = options.text(read(file), of=str(file))
    elif stdin_is_taken:
        raise BadOption(
            "stdin brings the export, so the passphrase must come from a file",
            field="passphrase_file",
            hint="--passphrase-file FILE names it",
        )
    elif is_terminal(sys.stdin):
        again = "the same again" if new else False
        text = click.prompt(_PROMPT, hide_input=True, confirmation_prompt=again, err=True)
    else:
        text = options.text(sys.stdin.buffer.read(), of="stdin")
    if not text.strip():
        raise BadOption("the passphrase is empty", field="passphrase", hint="--passphrase-file FILE, or a pipe")
    return Secret(text.strip())


def read(path: Path) -> bytes:
    """What is in the file. Raises: `BadOption`."""
    try:
        return path.read_bytes()
    except (OSError, ValueError) as error:
        raise BadOption(f"cannot read {path}: {getattr(error, 'strerror', None) or 'not a file name'}") from error


def file_vault(settings: Settings) -> FileVault:
    """The vault that accounts leave and come into."""
    from polychat.engine.accounts import file_vault

    return file_vault(settings, os.environ, ask=options.ask(), notice=options.remark)


# ---------------------------------------------------------------- out


def leaving(settings: Settings, names: Sequence[str]) -> list[Account]:
    """The kept accounts of those names, or all. Raises: `NoAccount`, `BadOption` for one that is not kept."""
    vault = file_vault(settings)
    if kept := _kept(vault.entries(), options.vault(settings), names):
        return [vault.get(name) for name in kept]
    raise BadOption("there is no account to export", hint="polychat login PROVIDER keeps one")


def _kept(entries: Sequence[Entry], everything: Vault, names: Sequence[str]) -> list[str]:
    kept = [entry.name for entry in entries]
    for name in names:
        if name not in kept and any(entry.name == name for entry in everything.entries()):
            raise BadOption(
                f"the account {name!r} is not in the vault, and is not exported",
                field="names",
                hint="what comes from the environment is set there, on the other machine too",
            )
    return list(dict.fromkeys(names)) or kept


def write(data: bytes, output: str) -> None:
    """Write the export, for its owner's eyes only; `files.check` has looked at `output` before."""
    if output == files.STDOUT:
        sys.stdout.buffer.write(data)
        return
    path = Path(output)
    if path.is_dir():
        raise BadOption(f"{output} is a folder", field="output", hint="name the file: -O accounts.polychat")
    draft = path.with_name(f"{path.name}.{secrets.token_hex(4)}.new")
    with files.writing(path):
        try:
            with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
                file.write(data)
                file.flush()
                os.fsync(file.fileno())
            draft.replace(path)
        finally:
            with suppress(OSError):
                draft.unlink(missing_ok=True)


# ---------------------------------------------------------------- in


def keep(vault: FileVault, accounts: Sequence[Account], *, replace: bool) -> None:
    """Keep all of them or none. Raises: `BadOption` for names that are taken, unless `replace`; `ConfigError`."""
    present = {entry.name for entry in vault.entries()}
    taken = [account.name for account in accounts if account.name in present]
    if taken and not replace:
        raise BadOption(
            f"there {'is an account' if len(taken) == 1 else 'are accounts'} of that name already: {', '.join(taken)}",
            field="replace",
            hint="--replace puts those of the export in their place; nothing was changed",
        )
    vault.put_all(accounts)
