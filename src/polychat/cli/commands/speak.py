"""`polychat speak`: a text, or the last answer of a conversation, read aloud into a file."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import click

from polychat.cli import files, options
from polychat.cli.phrases import size
from polychat.cli.terminal import note, say
from polychat.errors import BadOption

if TYPE_CHECKING:
    from polychat.client.audio import AsyncSpeech, Reading

FORMATS = ("aac", "wav", "mp3", "flac", "opus", "pcm")


class Asked(NamedTuple):
    """The options of one call."""

    text: tuple[str, ...]
    conversation: Path | None
    model: str | None
    voice: str | None
    speed: float | None
    instructions: str | None
    form: str | None
    output: str | None
    force: bool
    account: str | None
    provider: str | None
    timeout_s: float | None
    verbose: bool
    as_json: bool


@click.command()
@click.argument("text", nargs=-1)
@options.conversation("Read the last answer of the conversation in FILE.")
@options.model
@click.option("--voice", metavar="NAME", help="The service's name of a voice.")
@click.option("--speed", metavar="FACTOR", type=float, help="1.0 is the voice's own, where it can be chosen.")
@click.option("--instructions", metavar="TEXT", help="How to say it, where the model listens to that.")
@click.option("--format", "form", type=click.Choice(FORMATS), help="As the ending of --output tells, unless given.")
@files.output("the sound")
@options.account
@options.timeout("For the whole sound.")
@options.verbose
@options.json("Print where it is and what it is as JSON.")
@options.config
def speak(**given: Any) -> None:
    """Have a text or an answer read aloud, and save the sound.

    Several words are one TEXT. What comes in from a pipe is put below it. stdout tells the file's name.
    """
    import asyncio

    asked = Asked(**given)
    files.check(asked.output, force=asked.force, as_json=asked.as_json)
    asyncio.run(_speak(asked, _reading(asked)))


def _reading(asked: Asked) -> Reading:
    """What is read, and how. Raises: `BadOption`."""
    from polychat.cli import conversation
    from polychat.client.audio import Reading

    if asked.text and asked.conversation:
        raise BadOption("give either TEXT or --conversation FILE, not both", field="text")
    form = asked.form or Path(asked.output or "").suffix.lower().removeprefix(".")
    reading = Reading(
        voice=asked.voice,
        speed=asked.speed,
        instructions=asked.instructions,
        response_format=form if form in FORMATS else None,
        account=asked.account,
        timeout=asked.timeout_s,
    )
    if asked.conversation:
        reading["conversation"] = conversation.read(asked.conversation, new=False)
    else:
        reading["input"] = options.words(asked.text, to="read aloud", example='polychat speak "Hello"')
    return reading


async def _speak(asked: Asked, reading: Reading) -> None:
    from polychat.cli import ability
    from polychat.cli.narration import Narration
    from polychat.client import questions

    thread = questions.thread(reading.get("conversation"))
    async with options.client(provider=asked.provider, observe=Narration(steps=asked.verbose)) as client:
        reading["model"] = (
            asked.model
            or asked.provider
            or ability.model(client, "speech", account=asked.account, thread=thread, to="read aloud")
        )
        async with await client.audio.speech.create(**reading) as speech:
            if asked.output == files.STDOUT:
                await _write(speech)
            else:
                await _save(speech, asked, _stem(asked, reading))


def _stem(asked: Asked, reading: Reading) -> str:
    if asked.conversation:
        return asked.conversation.stem
    return files.stem(reading.get("input") or "", otherwise="speech")


async def _write(speech: AsyncSpeech) -> None:
    """The sound on stdout, as it comes."""
    async for piece in speech:
        sys.stdout.buffer.write(piece)
        sys.stdout.buffer.flush()


async def _save(speech: AsyncSpeech, asked: Asked, stem: str) -> None:
    from polychat import media
    from polychat.client.duration import duration_s

    path = files.place(asked.output, stem, media.extension(speech.media_type), force=asked.force)
    with files.writing(path):
        await speech.stream_to_file(path)
        sound = path.read_bytes()
    lasts_s = duration_s(sound)
    if asked.as_json:
        _print_json(speech, path, len(sound), lasts_s)
        return
    say(str(path))
    kind = speech.media_type.rpartition("/")[2].upper()
    note(", ".join([*([f"{lasts_s:.1f} s"] if lasts_s is not None else []), kind, size(len(sound))]))


def _print_json(speech: AsyncSpeech, path: Path, size_bytes: int, lasts_s: float | None) -> None:
    import json

    facts = {
        "path": str(path),
        "media_type": speech.media_type,
        "duration_s": lasts_s and round(lasts_s, 3),
        "size_bytes": size_bytes,
        "provider": speech.provider,
    }
    say(json.dumps(facts, ensure_ascii=False))
