"""`polychat models`: what can be asked for with --model, and where a name leads."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from polychat.cli import options
from polychat.cli.terminal import note, say
from polychat.errors import BadOption

if TYPE_CHECKING:
    from polychat.client.shapes import ModelList
    from polychat.engine.planning import Considered
    from polychat.providers.base import Capability

_ALSO_CALLED: dict[str, Capability] = {  # as people say it
    "chat": "text", "vision": "image_in", "audio": "audio_in", "video": "video_in", "files": "file_in",
    "pdf": "file_in", "images": "image_out", "search": "web_search", "json": "schema", "functions": "tools",
    "thinking": "reasoning", "tts": "speech", "stt": "transcription",
}  # fmt: skip


@click.group(invoke_without_command=True, subcommand_metavar="[COMMAND]")
@click.option("--provider", metavar="NAME", help="Of this service only.", shell_complete=options.provider_names)
@click.option(
    "--cap", "caps", metavar="CAPABILITY", multiple=True, help="Only those that can do this: vision, tools, search, ..."
)
@click.option("--live", is_flag=True, help="Ask the services of your accounts which models you may use.")
@options.json("Print OpenAI's list of models as JSON.")
@options.config
@click.pass_context
def models(context: click.Context, provider: str | None, caps: tuple[str, ...], live: bool, as_json: bool) -> None:
    """List the models there are."""
    if context.invoked_subcommand is not None:
        return
    import asyncio

    from polychat.cli.phrases import table, tokens

    if provider:
        options.services().load(provider)
    wanted = frozenset(map(_capability, caps))
    found = asyncio.run(_found(provider, live=live))
    found.data = [card for card in found if wanted <= set(card.capabilities)]
    if as_json:
        say(found.model_dump_json())
        return
    for line in table([(card.id, tokens(card.context_tokens), " ".join(card.capabilities)) for card in found]):
        say(line)
    if not found.data:
        which = " and ".join(caps)
        note(f"note: no model has {which}" if caps else f"note: no model of {provider} is known; --live asks it")
    for problem in found.problems:
        note(f"note: {problem.provider} did not tell its own list: {problem.message}")


async def _found(provider: str | None, *, live: bool) -> ModelList:
    async with options.client(provider=provider) as client:
        return await client.models.list(live=live)


@models.command()
@click.argument("name", shell_complete=options.model_names)
@click.argument("prompt", nargs=-1)
@click.option("--image", "images", multiple=True, metavar="FILE|URL", help="As if this picture were asked about.")
@click.option("--account", metavar="NAME", help="As if this account were named.")
@options.json("Print the candidates as JSON.")
@options.config
def explain(name: str, prompt: tuple[str, ...], images: tuple[str, ...], account: str | None, as_json: bool) -> None:
    """Show who would be asked, in which order, and why the others would not.

    Nothing is asked. A PROMPT and pictures are what conditions of the config may look at.
    """
    import asyncio

    import msgspec

    from polychat.cli.explanation import explained

    considered = asyncio.run(_explained(name, " ".join(prompt) or "?", images, account))
    if as_json:
        say(msgspec.json.encode(considered).decode())
        return
    for line in explained(considered):
        say(line)


async def _explained(name: str, prompt: str, images: tuple[str, ...], account: str | None) -> list[Considered]:
    from polychat.client import questions

    request = questions.request(name, prompt, True, {"images": images})
    async with options.client() as client:
        return await client.engine.chats.explain(request, account=account)


def _capability(word: str) -> Capability:
    """The capability that a person means. Raises: `BadOption`."""
    from difflib import get_close_matches
    from typing import get_args

    from polychat.providers.base import Capability

    known: dict[str, Capability] = {name: name for name in get_args(Capability)} | _ALSO_CALLED
    if word in known:
        return known[word]
    near = get_close_matches(word, known, n=3)
    hint = f"did you mean {' or '.join(near)}?" if near else f"there are: {', '.join(known)}"
    raise BadOption(f"there is no capability {word!r}", field="cap", hint=hint)
