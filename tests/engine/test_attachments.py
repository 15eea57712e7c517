"""engine/attachments.py: whatever means "this picture", or one sentence why not."""

from __future__ import annotations

import asyncio
import base64
import io
from pathlib import Path
from typing import Any

import PIL.Image
import pytest

from polychat import AsyncClient
from polychat.engine import attachments
from polychat.errors import BadOption
from polychat.sandbox.server import Sandbox
from polychat.types import Audio, File, Image


@pytest.fixture
def png() -> bytes:
    """A small picture as a real encoder writes it."""
    buffer = io.BytesIO()
    PIL.Image.new("RGB", (4, 3), "orange").save(buffer, format="PNG")
    return buffer.getvalue()


def test_every_form_of_a_picture_gives_its_bytes(png: bytes, tmp_path: Path) -> None:
    """Path, text path, open file, bytes, buffers and a data URI are the same picture."""
    path = tmp_path / "cat.bin"
    path.write_bytes(png)
    uri = "data:text/plain;base64," + base64.b64encode(png).decode()
    with path.open("rb") as file:
        forms: list[Any] = [path, str(path), file, png, bytearray(png), memoryview(png), io.BytesIO(png), uri]
        found = [attachments.picture(form) for form in forms]
    assert {(image.data, image.media_type) for image in found} == {(png, "image/png")}
    assert [image.name for image in found[:3]] == ["cat.bin"] * 3


def test_a_pil_picture_is_encoded(png: bytes) -> None:
    """Its pixels arrive."""
    image = attachments.picture(PIL.Image.open(io.BytesIO(png)))
    assert PIL.Image.open(io.BytesIO(image.data or b"")).getpixel((0, 0)) == (255, 165, 0)


def test_bytes_tell_whether_it_is_picture_sound_or_file() -> None:
    """The kind of part follows the bytes."""
    kinds = [type(attachments.attachment(data)) for data in (b"GIF89a", b"OggS\0", b"%PDF-1.7", b"words")]
    assert kinds == [Image, Audio, File, File]


def test_bad_input_is_one_sentence_that_names_it(tmp_path: Path) -> None:
    """Not a picture, empty, unreadable, too large, text mode, damaged, of no known form."""
    (tmp_path / "empty.png").touch()
    (tmp_path / "notes.png").write_text("not a picture")
    with (tmp_path / "huge.png").open("wb") as huge:
        huge.truncate(60 * 2**20)
    with (tmp_path / "notes.png").open() as text:
        cases: list[tuple[Any, str]] = [
            (tmp_path / "empty.png", "empty.png is empty (0 bytes)"),
            (tmp_path / "notes.png", "notes.png is text/plain, not a picture"),
            (tmp_path / "huge.png", f"{tmp_path / 'huge.png'} is larger than 50 MB"),
            (tmp_path / "none.png", f"cannot read {tmp_path / 'none.png'}: No such file or directory"),
            (tmp_path, f"cannot read {tmp_path}: Is a directory"),
            (b"", "image is empty (0 bytes)"),
            (text, "notes.png is open in text mode"),
            ("data:image/png;base64,!!!", "image is damaged base64"),
            ("data:image/png;base64", "image is a data URI without a comma"),
            (42, "image is int; give a path"),
        ]
        for source, said in cases:
            with pytest.raises(BadOption) as caught:
                attachments.picture(source)
            assert caught.value.message.startswith(said)
            assert caught.value.field == "image"


def ask(sandbox: Sandbox, **question: Any) -> None:
    """One question to the emulated Reka."""

    async def main() -> None:
        async with AsyncClient(sandbox=sandbox.url, strict=True) as client:
            await client.chat.completions.create(model="reka", **question)

    asyncio.run(main())


def uploaded_link(sandbox: Sandbox, data: bytes) -> str:
    """A link at which the sandbox serves `data`."""
    ask(sandbox, messages="?", image=data)
    (chat,) = sandbox.journal(path="/api/chat")
    link: str = chat.json["conversation_history"][0]["image_url"]
    return link


def test_a_picture_behind_a_link_is_fetched_and_uploaded(sandbox: Sandbox, png: bytes) -> None:
    """A service that takes bytes gets the bytes the link leads to, also from a content part."""
    link = uploaded_link(sandbox, png)
    part = {"type": "image_url", "image_url": {"url": link}}
    ask(sandbox, messages=[{"role": "user", "content": [{"type": "text", "text": "?"}, part]}])
    first, second = sandbox.journal(path="/api/upload-image")
    assert first.parts[0].sha256 == second.parts[0].sha256


@pytest.mark.parametrize(
    "url", ["http://127.0.0.1:1/cat.png", "http://localhost:1/cat.png", "http://10.0.0.1/x", "http://[::1]/x", "http://169.254.169.254/x"]
)  # fmt: skip
def test_a_link_to_a_private_address_is_refused_before_anything_is_sent(sandbox: Sandbox, url: str) -> None:
    """Nobody's question makes polychat read from the inside of a network."""
    with pytest.raises(BadOption, match="private address"):
        ask(sandbox, messages="?", image=url)
    assert sandbox.journal() == []
