"""Which model a command asks for more than chat, when the command line does not name one."""

from __future__ import annotations

from typing import TYPE_CHECKING

from polychat.cli import choice
from polychat.errors import UnknownModel

if TYPE_CHECKING:
    from polychat.client.aio import AsyncClient
    from polychat.providers.base import Capability
    from polychat.types import Thread


def model(
    client: AsyncClient,
    *needed: Capability,
    to: str,
    account: str | None = None,
    thread: Thread | None = None,
) -> str:
    """As `choice.model`, of what can do one of `needed`; a set model that cannot stands for its service alone."""

    def able(provider: str) -> bool:
        return not client.engine.service(provider).info.capabilities.isdisjoint(needed)

    found = choice.model(client, account=account, thread=thread, able=able, to=to)
    if found != client.engine.settings.model:
        return found
    try:
        chosen = client.engine.route(found)
    except UnknownModel:  # which is told where it is asked
        return found
    info = client.engine.service(chosen.provider).info
    return found if any(info.can(chosen.model, one) for one in needed) else chosen.provider
