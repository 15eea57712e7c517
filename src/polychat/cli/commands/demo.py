"""`polychat demo`: the main job from start to end through the public client, against a sandbox of its own.

The narration goes to stderr, the answer to stdout. Nothing is skipped and nothing is staged: the steps shown are those
on the wire, and that the picture arrived whole is read from the sandbox's journal.
"""

from __future__ import annotations

import hashlib
import io
import shutil
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from polychat.cli import options
from polychat.cli.terminal import draws, note
from polychat.errors import FormatChanged

if TYPE_CHECKING:
    from polychat.client.aio import AsyncStream
    from polychat.sandbox import Sandbox
    from polychat.types import Image

_PERSON = "sandbox-alice"
_QUESTION = "What is on the picture?"
_TOKENS_PER_S = 40.0  # on a terminal, so that the stream can be seen
_WORDS = {
    "/access_token": "session cookie → access token",
    "/upload-image": "the picture",
    "/chat": "the question",
}


@click.command()
@click.argument("prompt", nargs=-1)
@click.option("-i", "--image", metavar="PATH", help="The picture to show; a small one is drawn unless given.")
@options.json("Print the answer as JSON.")
@options.config
def demo(prompt: tuple[str, ...], image: str | None, as_json: bool) -> None:
    """Show the main job from start to end; no account, no network.

    It starts a sandbox, signs in there, uploads a picture, streams the answer and checks what arrived.
    """
    import asyncio

    from polychat.sandbox import Sandbox

    picture = _picture(image)
    question = " ".join(prompt) or _QUESTION
    with Sandbox() as sandbox:
        _introduce(sandbox, picture, image, question)
        asyncio.run(_ask(sandbox, picture, question, as_json=as_json))
        _prove(sandbox, picture)
    _say_what_next()


def _picture(image: str | None) -> Image:
    from polychat.engine import attachments

    return attachments.picture(_drawn() if image is None else Path(image))


def _drawn() -> bytes:
    """A small landscape, as PNG."""
    from PIL import Image, ImageDraw

    picture = Image.new("RGB", (240, 160), "#9fd3f0")
    draw = ImageDraw.Draw(picture)
    draw.ellipse((170, 18, 214, 62), fill="#ffd23f")
    draw.polygon(((0, 130), (80, 50), (160, 130)), fill="#4f7c5b")
    draw.rectangle((0, 120, 240, 160), fill="#6fae5c")
    buffer = io.BytesIO()
    picture.save(buffer, format="PNG")
    return buffer.getvalue()


def _introduce(sandbox: Sandbox, picture: Image, image: str | None, question: str) -> None:
    from polychat.cli.phrases import size

    note("polychat demo: one question from start to end, without account or network\n", bold=True)
    note(f"1. a sandbox runs at {sandbox.url}, with Reka's web chat emulated")
    note(f"2. the sign-in is the session cookie of its person {_PERSON}")
    shown = f"{image or 'a drawing'}, {picture.media_type}, {size(len(picture.data or b''))}"
    note(f"3. the question is “{question}”\n   with a picture ({shown})\n")


async def _ask(sandbox: Sandbox, picture: Image, question: str, *, as_json: bool) -> None:
    from polychat.cli import display
    from polychat.cli.narration import Narration
    from polychat.client.aio import AsyncClient

    if draws(sys.stdout):
        sandbox.fault("reka", "pace", path="/api/chat", tokens_per_s=_TOKENS_PER_S)
    client = AsyncClient(
        provider="reka",
        cookies={"appSession": _PERSON},
        settings=options.settings(sandbox=sandbox.url, proxy=""),
        observe=Narration(steps=True, words=_WORDS),
    )
    async with client:
        stream = await client.chat.completions.create(model="reka", messages=question, image=picture, stream=True)
        note("")
        await display.shown(stream, display.Lines() if as_json else display.screen(raw=False))
    _summarize(stream)


def _summarize(stream: AsyncStream) -> None:
    reply = stream.so_far
    tokens = f"{reply.usage.input_tokens} tokens in, {reply.usage.output_tokens} out" if reply.usage else "no count"
    reason = reply.finish.reason if reply.finish else "none"
    note(f"\nusage: {tokens}; finish reason: {reason}")


def _prove(sandbox: Sandbox, picture: Image) -> None:
    """Say whether the service received the picture's very bytes. Raises: `FormatChanged` when it did not."""
    sent = hashlib.sha256(picture.data or b"").hexdigest()
    uploads = sandbox.journal(service="reka", path="/api/upload-image")
    received = [part.sha256 for entry in uploads for part in entry.parts or []]
    if received != [sent]:
        raise FormatChanged(f"the picture did not arrive whole: sha256 {sent} was sent, {received} was received")
    note(f"proof: the picture and what the service received have one sha256, {sent[:12]}…")


def _say_what_next() -> None:
    from polychat.cli.phrases import table

    name = _program_name()
    commands = (
        (f"  {name} sandbox", "serve it; its first line points polychat there"),
        (f"  {name} login reka --cookies FILE", "keep your own browser session"),
        (f'  {name} -i PICTURE "Who is this?"', "ask with it"),
    )
    note("\nnext:")
    for line in table(commands):
        note(line)


def _program_name() -> str:
    """What to type to run polychat again."""
    if shutil.which("polychat"):
        return "polychat"
    return "python -m polychat.cli" if sys.argv[0].endswith("__main__.py") else sys.argv[0]
