"""Pictures that the model makes: grounds, discs and bars whose colours and places come from the hash of the prompt.

An edited picture is the given one with a disc and a bar over it; with a mask, only where the mask is transparent.
"""

from __future__ import annotations

import hashlib
import io
from collections.abc import Mapping
from functools import lru_cache

from PIL import Image, ImageDraw

_FORMATS = {"png": "PNG", "jpeg": "JPEG", "webp": "WEBP"}
Size = tuple[int, int]


@lru_cache(maxsize=16)
def draw(prompt: str, size: Size, form: str, *, transparent: bool = False, quality: int = 100) -> bytes:
    """A picture for `prompt`."""
    digest = hashlib.sha256(prompt.encode()).digest()
    ground = (*digest[:3], 0 if transparent else 255)
    picture = Image.new("RGBA", size, ground)
    _paint(picture, digest)
    return _encoded(picture, form, quality)


def edit(prompt: str, source: bytes, mask: bytes | None, size: Size | None, form: str, quality: int = 100) -> bytes:
    """`source` with something of `prompt` in it. Raises: ValueError when the mask does not fit or cannot be used."""
    with Image.open(io.BytesIO(source)) as opened:
        before = opened.convert("RGBA")
    after = before.copy()
    _paint(after, hashlib.sha256(prompt.encode() + source).digest())
    if mask is not None:
        after = Image.composite(before, after, _kept(mask, before.size))
    return _encoded(after if size is None else after.resize(size), form, quality)


def measure(source: bytes) -> Size | None:
    """Width and height in pixels, or None when the picture cannot be opened."""
    try:
        with Image.open(io.BytesIO(source)) as picture:
            picture.load()
            return picture.size
    except (OSError, SyntaxError, Image.DecompressionBombError, Image.DecompressionBombWarning):
        return None


def _kept(mask: bytes, size: Size) -> Image.Image:
    """Where the picture stays as it is."""
    with Image.open(io.BytesIO(mask)) as opened:
        if opened.size != size:
            raise ValueError(f"the mask has {_said(opened.size)} pixels, the picture {_said(size)}")
        if "A" not in opened.getbands():
            raise ValueError("the mask has no transparency")
        return opened.getchannel("A")


def _said(size: Size) -> str:
    return f"{size[0]}x{size[1]}"


def _paint(picture: Image.Image, digest: bytes) -> None:
    width, height = picture.size
    pen = ImageDraw.Draw(picture)
    x, y = digest[5] * width // 512, digest[6] * height // 512
    pen.ellipse((x, y, x + width // 2, y + height // 2), fill=(*digest[7:10], 255))
    pen.rectangle((0, height - height // 8, width * (1 + digest[10]) // 256, height), fill=(*digest[11:14], 255))


def _encoded(picture: Image.Image, form: str, quality: int) -> bytes:
    options: Mapping[str, object] = {} if form == "png" else {"quality": quality}
    file = io.BytesIO()
    flat = picture.convert("RGB") if form == "jpeg" else picture
    flat.save(file, _FORMATS[form], **options)
    return file.getvalue()
