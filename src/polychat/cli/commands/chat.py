"""`polychat chat`: one question, one answer."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import click

from polychat.cli import options
from polychat.cli.terminal import is_terminal, note, write
from polychat.errors import BadOption, PolychatError

if TYPE_CHECKING:
    from polychat.cli.display import Reasoning, Words
    from polychat.client.aio import AsyncClient, AsyncStream
    from polychat.client.shapes import ChatCompletion
    from polychat.types import Thread

_GENERATION = frozenset({"max_tokens", "reasoning_effort", "seed", "stop", "temperature", "top_p"})


class Asked(NamedTuple):
    """The options of one call."""

    prompt: tuple[str, ...]
    model: str | None
    images: tuple[str, ...]
    files: tuple[str, ...]
    system: str | None
    conversation: Path | None
    account: str | None
    provider: str | None
    web: bool
    settings: tuple[str, ...]
    reasoning: Reasoning
    as_json: bool
    as_lines: bool
    no_stream: bool
    timeout_s: float | None
    raw: bool
    record: Path | None
    verbose: bool


@click.command()
@click.argument("prompt", nargs=-1)
@options.model
@click.option("-i", "--image", "images", metavar="PATH|URL", multiple=True, help="Show it a picture; repeatable.")
@click.option("-f", "--file", "files", metavar="PATH|URL", multiple=True, help="Attach a PDF or a video; repeatable.")
@click.option("-s", "--system", metavar="TEXT", help="Instructions that stand before the question.")
@options.conversation("Go on with the conversation kept in FILE, or begin one there.")
@options.account
@click.option("--web", is_flag=True, help="Let it search the web.")
@options.own_settings("temperature, max_tokens, seed, ... or an option of the service's own; values as in JSON.")
@click.option(
    "--reasoning",
    type=click.Choice(("show", "hide", "only")),
    default="hide",
    show_default=True,
    help="Show it dimmed on stderr, or print it instead of the answer; --json has both anyway.",
)
@options.json("Print the whole answer as one JSON document.")
@click.option("--jsonl", "as_lines", is_flag=True, help="Print each chunk as a line of JSON, as it comes.")
@click.option("--no-stream", is_flag=True, help="Print the answer when it is complete.")
@options.timeout("For the whole answer.")
@click.option("--raw", is_flag=True, help="Do not draw Markdown on a terminal.")
@options.record
@options.verbose
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
    from polychat.cli import choice, conversation
    from polychat.cli.narration import Narration

    thread = conversation.read(asked.conversation, new=True) if asked.conversation else None
    async with options.client(
        provider=asked.provider, observe=Narration(steps=asked.verbose), record=asked.record
    ) as client:
        model = asked.model or asked.provider or choice.model(client, account=asked.account, thread=thread)
        question |= {"model": model, "messages": _messages(asked.system, prompt), "conversation": thread}
        thread = await (_whole if asked.as_json or asked.no_stream else _streamed)(client, question, asked)
    if asked.conversation:
        conversation.keep(asked.conversation, thread)


async def _streamed(client: AsyncClient, question: dict[str, Any], asked: Asked) -> Thread | None:
    """Print the answer as it comes; where the conversation stands then."""
    from polychat.cli import display

    stream: AsyncStream = await client.chat.completions.create(stream=True, **question)
    await display.shown(stream, display.Lines() if asked.as_lines else _screen(asked))
    if not asked.as_lines:
        _tell_missing(stream.reasoning, asked)
    return stream.conversation


async def _whole(client: AsyncClient, question: dict[str, Any], asked: Asked) -> Thread | None:
    """Print the answer in one piece, or as much as came of it; where the conversation stands then."""
    from polychat.cli import display

    try:
        answer: ChatCompletion = await client.chat.completions.create(stream=False, **question)
    except PolychatError as error:
        if error.partial is not None and not asked.as_json:
            _print(error.partial.thinking, error.partial.text, asked)
        raise
    if asked.as_json:
        write(answer.model_dump_json(indent=2 if is_terminal(sys.stdout) else None) + "\n")
        return answer.conversation
    _print(answer.reasoning, answer.text, asked)
    display.sources(answer.sources)
    display.made(answer.images)
    _tell_missing(answer.reasoning, asked)
    return answer.conversation


def _print(reasoning: str, text: str, asked: Asked) -> None:
    with _screen(asked) as screen:
        screen.think(reasoning)
        screen.answer(text)


def _screen(asked: Asked) -> Words:
    from polychat.cli import display

    return display.screen(raw=asked.raw, reasoning=asked.reasoning)


def _tell_missing(reasoning: str, asked: Asked) -> None:
    if asked.reasoning == "only" and not reasoning:
        note("note: the answer came without reasoning")


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
