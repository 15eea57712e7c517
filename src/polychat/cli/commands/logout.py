"""`polychat logout`: a sign-in is forgotten here; the service is not told."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from polychat.cli import options
from polychat.cli.terminal import note, say
from polychat.errors import BadOption, NoAccount

if TYPE_CHECKING:
    from polychat.vault.base import Vault


@click.command()
@click.argument("who", metavar="PROVIDER|NAME", shell_complete=options.provider_names)
@click.option("-y", "--yes", is_flag=True, help="Do not ask.")
@options.json("Print what was removed as JSON.")
@options.config
def logout(who: str, yes: bool, as_json: bool) -> None:
    """Forget a sign-in.

    That of a service, or the account of that name. The service is not told: the session there goes on until it ends,
    or you end it there.
    """
    from polychat.cli.removal import remove

    settings = options.settings()
    vault = options.vault(settings)
    name, provider = _meant(vault, who)
    if not remove(settings, vault, name, sure=yes, command="polychat logout"):
        return
    if as_json:
        import json

        say(json.dumps({"removed": name, "provider": provider}))
    else:
        say(f"the account {name!r} is removed")
    note(_elsewhere(provider))


def _meant(vault: Vault, who: str) -> tuple[str, str | None]:
    """The name of the account and its provider, if that is known. Raises: `BadOption`, `NoAccount`."""
    entries = vault.entries()
    for entry in entries:
        if entry.name == who:
            return who, entry.provider
    if who not in options.services().names():
        return who, None
    own = [entry.name for entry in entries if entry.provider == who and entry.source == "file"]
    if len(own) > 1:
        raise BadOption(
            f"there are {len(own)} {who} accounts: {', '.join(own)}", hint=f"name one: polychat logout {own[0]}"
        )
    if not own:
        raise NoAccount(f"no {who} account is kept", hint="polychat accounts list shows what there is")
    return own[0], who


def _elsewhere(provider: str | None) -> str:
    services = options.services()
    if provider is None or provider not in services.names():
        return "note: the service was not told"
    info = services.load(provider).info
    return f"note: {info.label} was not told; to end the session there too, log out at {info.sign_in.url}"
