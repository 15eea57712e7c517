"""`polychat transcribe`: speech written down, on stdout."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import click

from polychat.cli import files, options
from polychat.cli.terminal import note, say
from polychat.errors import BadOption

if TYPE_CHECKING:
    from polychat.client.transcription import Dictation
    from polychat.client.transcripts import Transcription

FORMATS = ("text", "json", "srt", "vtt")


class Asked(NamedTuple):
    """The options of one call."""

    file: str
    model: str | None
    language: str | None
    prompt: str | None
    form: str | None
    words: bool
    output: str | None
    force: bool
    account: str | None
    provider: str | None
    timeout_s: float | None
    verbose: bool
    as_json: bool


@click.command()
@click.argument("file", metavar="FILE|URL|-")
@options.model
@click.option("--language", metavar="CODE", help="That is spoken, like en or de; found out unless given.")
@click.option("--prompt", metavar="TEXT", help="Names and words to expect.")
@click.option("--format", "form", type=click.Choice(FORMATS), help="text, unless the ending of --output tells.")
@click.option("--words", is_flag=True, help="With --format json: the times of each word.")
@files.output("the transcript")
@options.account
@options.timeout("For all of it.")
@options.verbose
@options.json("The same as --format json.")
@options.config
def transcribe(**given: Any) -> None:
    """Have speech written down.

    FILE is a sound or a film; - reads it from stdin. stdout carries the transcript, unless --output names a file.
    """
    import asyncio

    asked = Asked(**given)
    form = _form(asked)
    if asked.words and form != "json":
        raise BadOption("--words goes with --format json only", field="words")
    if asked.output not in {None, files.STDOUT}:
        files.check(asked.output, force=asked.force, as_json=False)
    written = asyncio.run(_transcribe(asked, form))
    if asked.output in {None, files.STDOUT}:
        say(written.rstrip("\n"))
    else:
        _save(written, asked, form)


def _form(asked: Asked) -> str:
    ending = Path(asked.output or "").suffix.lower().removeprefix(".")
    if asked.as_json and asked.form not in {None, "json"}:
        raise BadOption(f"--json and --format {asked.form} exclude each other", field="format")
    return asked.form or ("json" if asked.as_json else ending if ending in FORMATS else "text")


async def _transcribe(asked: Asked, form: str) -> str:
    from polychat.cli import ability
    from polychat.cli.narration import Narration

    sound = _sound(asked.file)
    async with options.client(provider=asked.provider, observe=Narration(steps=asked.verbose)) as client:
        model = asked.model or asked.provider
        create = client.audio.transcriptions.create
        model = model or ability.model(client, "transcription", account=asked.account, to="write down speech")
        dictation: Dictation = {
            "language": asked.language, "prompt": asked.prompt, "account": asked.account, "timeout": asked.timeout_s,
        }  # fmt: skip
        match form:
            case "srt" | "vtt" | "text":
                return await create(file=sound, model=model, response_format=form, **dictation)
        if asked.words:
            dictation["timestamp_granularities"] = ("segment", "word")
            return _json(await create(file=sound, model=model, response_format="verbose_json", **dictation))
        return _json(await create(file=sound, model=model, **dictation))


def _sound(file: str) -> Any:
    return sys.stdin.buffer.read() if file == files.STDOUT else file


def _json(transcription: Transcription) -> str:
    return transcription.model_dump_json()


def _save(written: str, asked: Asked, form: str) -> None:
    stem = "speech" if asked.file == files.STDOUT else Path(asked.file).stem
    path = files.place(asked.output, stem, "txt" if form == "text" else form, force=asked.force)
    with files.writing(path):
        path.write_text(written.rstrip("\n") + "\n", "utf-8")
    say(str(path))
    note(f"{len(written.split())} words" if form == "text" else form.upper())
