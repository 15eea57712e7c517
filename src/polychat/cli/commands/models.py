"""`polychat models`: what can be asked for with --model."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from polychat.cli import options
from polychat.cli.terminal import note, say
from polychat.errors import BadOption

if TYPE_CHECKING:
    from polychat.client.shapes import ModelList


@click.command()
@click.option("--provider", metavar="NAME", help="Of this service only.", shell_complete=options.provider_names)
@click.option("--cap", metavar="CAPABILITY", help="Only those that can do this: image_in, web_search, ...")
@click.option("--live", is_flag=True, help="Ask the services of your accounts which models you may use.")
@options.json("Print OpenAI's list of models as JSON.")
@options.config
def models(provider: str | None, cap: str | None, live: bool, as_json: bool) -> None:
    """List the models there are."""
    import asyncio

    from polychat.cli.phrases import table

    if provider:
        options.services().load(provider)
    _check(cap)
    found = asyncio.run(_found(provider, live=live))
    found.data = [card for card in found if cap is None or cap in card.capabilities]
    if as_json:
        say(found.model_dump_json())
        return
    for line in table([(card.id, " ".join(card.capabilities)) for card in found]):
        say(line)
    if not found.data:
        note(f"note: no model has {cap}" if cap else f"note: no model of {provider} is known; --live asks it")
    for problem in found.problems:
        note(f"note: {problem.provider} did not tell its own list: {problem.message}")


async def _found(provider: str | None, *, live: bool) -> ModelList:
    async with options.client(provider=provider) as client:
        return await client.models.list(live=live)


def _check(cap: str | None) -> None:
    from difflib import get_close_matches
    from typing import get_args

    from polychat.providers.base import Capability

    known = get_args(Capability)
    if cap is not None and cap not in known:
        near = get_close_matches(cap, known, n=3)
        hint = f"did you mean {' or '.join(near)}?" if near else f"there are: {', '.join(known)}"
        raise BadOption(f"there is no capability {cap!r}", field="cap", hint=hint)
