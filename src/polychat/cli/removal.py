"""An account is forgotten: its sign-in, and how it was doing."""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING

import click

from polychat.cli import options
from polychat.cli.standing import lasting, named, register
from polychat.cli.terminal import is_terminal, note
from polychat.errors import BadOption, ConfigError, NoAccount

if TYPE_CHECKING:
    from polychat.engine.settings import Settings
    from polychat.vault.base import Vault


def remove(settings: Settings, vault: Vault, name: str, *, sure: bool, command: str) -> bool:
    """Remove the account of that name once the person agrees; False when he does not.

    `command` is what was typed, for the hint where nobody can be asked.

    Raises: `NoAccount`, `ConfigError`; `BadOption` where nobody can be asked.
    """
    holder = _holder(settings, vault, name)
    if not (sure or _agreed(name, command)):
        note("nothing was removed")
        return False
    holder.remove(name)
    try:
        register(settings).forget(name)
    except ConfigError as error:  # the account is gone all the same, and a new one of its name starts afresh
        options.remark(f"its health is not forgotten: {error.message}")
    options.remark("the vault's copy of itself (.bak) has it, encrypted, until the vault is changed again")
    return True


def _holder(settings: Settings, vault: Vault, name: str) -> Vault:
    """The vault to remove it from; a damaged account, which no list shows, is in the file."""
    from polychat.engine.accounts import file_vault

    try:
        standing = named(settings, vault, name)
    except NoAccount:
        file = file_vault(settings, os.environ)
        if name in file.status().damaged:
            return file
        raise
    lasting(standing.entry)
    if standing.entry.source == "environment":
        vault.remove(name)  # says why not
    return vault


def _agreed(name: str, command: str) -> bool:
    if not (is_terminal(sys.stdin) and is_terminal(sys.stderr)):
        raise BadOption(
            f"the account {name!r} is removed only if you are sure, and nobody can be asked here",
            field="yes",
            hint=f"{command} {name} --yes",
        )
    return click.confirm(f"remove the account {name!r}, with its sign-in?", err=True)
