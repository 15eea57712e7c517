"""`polychat chat`: one question, one answer."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, NamedTuple

import click

from polychat.cli import options
from polychat.cli.terminal import is_terminal, write
from polychat.errors import BadOption, NoAccount, PolychatError

if TYPE_CHECKING:
    from polychat.client.aio import AsyncClient
    from polychat.client.shapes import ChatCompletion

_GENERATION = frozenset({"max_tokens", "reasoning_effort", "seed", "stop", "temperature", "top_p"})


class Asked(NamedTuple):
    """The options of one call."""

    prompt: tuple[str, ...]
    model: str | None
    images: tuple[str, ...]
    files: tuple[str, ...]
    system: str | None
    account: str | None
    provider: str | None
    web: bool
    settings: tuple[str, ...]
    as_json: bool
    as_lines: bool
    no_stream: bool
    timeout_s: float | None
    raw: bool
    verbose: bool


@click.command()
@click.argument("prompt", nargs=-1)
@click.option(
    "-m", "--model", metavar="MODEL", help="PROVIDER/MODEL, or a model's own id.", shell_complete=options.model_names
)
@click.option("-i", "--image", "images", metavar="PATH|URL", multiple=True, help="Show it a picture; repeatable.")
@click.option("-f", "--file", "files", metavar="PATH|URL", multiple=True, help="Attach a PDF or a video; repeatable.")
@click.option("-s", "--system", metavar="TEXT", help="Instructions that stand before the question.")
@click.option("--account", metavar="NAME", help="Ask with this account.")
@click.option("--provider", metavar="NAME", help="Ask this service.", shell_complete=options.provider_names)
@click.option("--web", is_flag=True, help="Let it search the web.")
@click.option(
    "-o",
    "--option",
    "settings",
    metavar="NAME=VALUE",
    multiple=True,
    help="temperature, max_tokens, seed, ... or an option of the service's own; values as in JSON.",
)
@options.json("Print the whole answer as one JSON document.")
@click.option("--jsonl", "as_lines", is_flag=True, help="Print each chunk as a line of JSON, as it comes.")
@click.option("--no-stream", is_flag=True, help="Print the answer when it is complete.")
@click.option(
    "--timeout",
    "timeout_s",
    metavar="SECONDS",
    type=click.FloatRange(min=0, min_open=True),
    help="For the whole answer.",
)
@click.option("--raw", is_flag=True, help="Do not draw Markdown on a terminal.")
@click.option("-v", "--verbose", is_flag=True, help="Tell each request on stderr.")
@options.config
def chat(**given: Any) -> None:
    """Ask, and read the answer as it comes.

    Several words are one PROMPT. What comes in from a pipe is put below it.
    """
    import asyncio

    asked = Asked(**given)
    if asked.as_json and asked.as_lines:
        raise BadOption("--json and --jsonl exclude each other", hint="--json is one document, --jsonl a line a chunk")
    question = _question(asked)
    asyncio.run(_ask(asked, question, options.words(asked.prompt, to="ask", example='polychat "Hello"')))


async def _ask(asked: Asked, question: dict[str, Any], prompt: str) -> None:
    from polychat.cli import display
    from polychat.cli.narration import Narration
    from polychat.client.aio import AsyncClient

    narration = Narration(steps=asked.verbose)
    async with AsyncClient(provider=asked.provider, settings=options.settings(), observe=narration) as client:
        question |= {"model": _model(client, asked), "messages": _messages(asked.system, prompt)}
        if asked.as_json or asked.no_stream:
            await _whole(client, question, asked)
        else:
            stream = await client.chat.completions.create(stream=True, **question)
            await display.shown(stream, display.Lines() if asked.as_lines else display.screen(raw=asked.raw))


async def _whole(client: AsyncClient, question: dict[str, Any], asked: Asked) -> None:
    """Print the answer in one piece, or as much as came of it."""
    from polychat.cli import display

    try:
        answer: ChatCompletion = await client.chat.completions.create(stream=False, **question)
    except PolychatError as error:
        if error.partial is not None and not asked.as_json:
            _print(error.partial.text, raw=asked.raw)
        raise
    if asked.as_json:
        write(answer.model_dump_json(indent=2 if is_terminal(sys.stdout) else None) + "\n")
        return
    _print(answer.text, raw=asked.raw)
    display.sources(answer.sources)
    display.made(answer.images)


def _print(text: str, *, raw: bool) -> None:
    from polychat.cli import display

    with display.screen(raw=raw) as screen:
        screen.add(text)


# ---------------------------------------------------------------- the question


def _messages(system: str | None, prompt: str) -> list[dict[str, str]]:
    instructions = [{"role": "system", "content": system}] if system else []
    return [*instructions, {"role": "user", "content": prompt}]


def _question(asked: Asked) -> dict[str, Any]:
    """Everything that `create` takes beside model and messages, and only what was given."""
    settings = dict(map(options.setting, asked.settings))
    question: dict[str, Any] = {name: value for name, value in settings.items() if name in _GENERATION}
    own = {name: value for name, value in settings.items() if name not in _GENERATION}
    wanted: Mapping[str, Any] = {
        "images": list(asked.images),
        "files": list(asked.files),
        "web_search": asked.web,
        "account": asked.account,
        "timeout": asked.timeout_s,
        "options": own,
    }
    return question | {name: value for name, value in wanted.items() if value}


