"""Which model a command asks when the command line does not name one."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from polychat.errors import NoAccount, UnknownModel

if TYPE_CHECKING:
    from polychat.client.aio import AsyncClient
    from polychat.engine.services import Services
    from polychat.types import Thread


def model(
    client: AsyncClient,
    *,
    account: str | None = None,
    thread: Thread | None = None,
    able: Callable[[str], bool] = lambda provider: True,
    to: str = "ask",
) -> str:
    """The model of the conversation's or the account's service; else the one that is set; else what an account offers.

    Of the last two only what is `able`. Raises: `NoAccount` with the way to one.
    """
    if thread is not None:
        return client.named(None, thread)
    if account:
        return client.engine.vault.get(account).provider
    if (preset := client.engine.settings.model) and _able(client, preset, able):
        return preset
    for entry in client.engine.vault.entries():
        if able(entry.provider):
            return entry.provider
    raise _nobody(client.engine.catalogue, able, to)


def _able(client: AsyncClient, preset: str, able: Callable[[str], bool]) -> bool:
    """False only for a model of a service that is not able; one that nobody knows is told where it is asked."""
    try:
        return able(client.engine.route(preset).provider)
    except UnknownModel:
        return True


def _nobody(services: Services, able: Callable[[str], bool], to: str) -> NoAccount:
    from polychat.engine.sessions import login_command

    names = services.names()
    first = next((name for name in names if able(name)), names[0])
    signs_in = login_command(services.load(first).info)
    return NoAccount(
        "there is no account yet" if to == "ask" else f"there is no account of a service that can {to}",
        hint=f"{signs_in} signs in, polychat providers lists every service, polychat demo needs no account",
    )
