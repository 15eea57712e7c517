"""`polychat image`: a picture drawn, or changed, and saved."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import click

from polychat.cli import files, options
from polychat.cli.phrases import size
from polychat.cli.terminal import note, say

if TYPE_CHECKING:
    from polychat.client.pictures import ImageData, ImagesResponse


FORMATS = ("png", "jpeg", "webp")


class Asked(NamedTuple):
    """The options of one call."""

    prompt: tuple[str, ...]
    model: str | None
    images: tuple[str, ...]
    mask: str | None
    output: str | None
    force: bool
    size: str | None
    n: int
    form: str | None
    account: str | None
    provider: str | None
    settings: tuple[str, ...]
    timeout_s: float | None
    verbose: bool
    as_json: bool


@click.command()
@click.argument("prompt", nargs=-1)
@options.model
@click.option("-i", "--image", "images", metavar="PATH|URL", multiple=True, help="Change this picture; repeatable.")
@click.option("--mask", metavar="PATH|URL", help="Change the picture only where this one is transparent.")
@files.output("the picture")
@click.option("--size", metavar="WIDTHxHEIGHT", help="In pixels, where the service lets it be chosen.")
@click.option("-n", "--count", "n", type=click.IntRange(1, 10), default=1, help="How many, where several are drawn.")
@click.option("--format", "form", type=click.Choice(FORMATS), help="Of the file, where the service lets it be chosen.")
@options.account
@options.own_settings("Any other option, as in -o quality=high; values as in JSON.")
@options.timeout("For the whole answer.")
@options.verbose
@options.json("Print where it is and what it is as JSON.")
@options.config
def image(**given: Any) -> None:
    """Have a picture drawn, or changed, and save it.

    Several words are one PROMPT. What comes in from a pipe is put below it. stdout tells the file's name.
    """
    import asyncio

    asked = Asked(**given)
    files.check(asked.output, force=asked.force, as_json=asked.as_json)
    settings = dict(map(options.setting, asked.settings))
    prompt = options.words(asked.prompt, to="draw", example='polychat image "A red fox"')
    made = asyncio.run(_draw(asked, prompt, settings))
    if asked.output == files.STDOUT:
        _write(made)
    else:
        _save(made, asked, files.stem(prompt, otherwise="picture"))


async def _draw(asked: Asked, prompt: str, settings: dict[str, Any]) -> ImagesResponse:
    from polychat.cli import ability
    from polychat.cli.narration import Narration

    async with options.client(provider=asked.provider, observe=Narration(steps=asked.verbose)) as client:
        model = asked.model or asked.provider
        return await client.images.generate(
            prompt=prompt,
            model=model or ability.model(client, "drawing", "image_out", account=asked.account, to="draw"),
            images=list(asked.images),
            mask=asked.mask,
            size=asked.size,
            n=asked.n,
            output_format=asked.form,
            account=asked.account,
            timeout=asked.timeout_s,
            options=settings,
        )


def _write(made: ImagesResponse) -> None:
    """The first picture's bytes on stdout."""
    first, *others = made.data
    sys.stdout.buffer.write(first.bytes)
    sys.stdout.buffer.flush()
    _tell(first)
    if others:
        note(f"note: {len(others)} more came; -O FILE saves all")


def _save(made: ImagesResponse, asked: Asked, stem: str) -> None:
    from polychat import media

    paths: list[Path] = []
    for picture in made.data:
        path = files.place(asked.output, stem, media.extension(picture.media_type or media.OCTETS), force=asked.force)
        path = files.free(path) if path in paths else path
        with files.writing(path):
            paths.append(picture.save(path))
        if not asked.as_json:
            say(str(path))
            _tell(picture)
    if asked.as_json:
        _print_json(made, paths)


def _tell(picture: ImageData) -> None:
    pixels = [f"{picture.width} x {picture.height} px"] if picture.width else []
    kind = (picture.media_type or "").rpartition("/")[2].upper()
    note(", ".join([*pixels, kind, size(len(picture.bytes))]))


def _print_json(made: ImagesResponse, paths: list[Path]) -> None:
    import json

    facts = made.model_dump()
    for shown, picture, path in zip(facts["data"], made.data, paths, strict=True):
        shown |= {
            "path": str(path),
            "media_type": picture.media_type,
            "width": picture.width,
            "height": picture.height,
            "size_bytes": len(picture.bytes),
        }
    say(json.dumps(facts, ensure_ascii=False))
