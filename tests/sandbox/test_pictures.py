"""What the brain sees is found in the bytes."""

from __future__ import annotations

import hashlib
import io
import struct
import zlib

import pytest
from PIL import Image

from polychat.sandbox import pictures

RED, TEAL, CREAM = (220, 30, 35), (20, 130, 130), (248, 236, 208)


def encoded(picture: Image.Image, kind: str, **options) -> bytes:
    """The picture as a file."""
    file = io.BytesIO()
    picture.save(file, kind, **options)
    return file.getvalue()


def striped(width: int, height: int) -> Image.Image:
    """Half red, a third teal, the rest cream."""
    picture = Image.new("RGB", (width, height), RED)
    picture.paste(TEAL, (width // 2, 0, width, height))
    picture.paste(CREAM, (width * 5 // 6, 0, width, height))
    return picture


@pytest.mark.parametrize(("kind", "name"), [("PNG", "a PNG"), ("JPEG", "a JPEG"), ("WEBP", "a WebP"), ("GIF", "a GIF")])
def test_a_picture_is_described_by_type_size_and_colours(kind, name):
    """Whatever the format, the same picture has the same pixels and colours."""
    data = encoded(striped(640, 480), kind)
    assert pictures.describe(data) == (
        f"{name} picture, 640 × 480 pixels, mostly red, teal and cream "
        f"({len(data):,} bytes, sha256 {hashlib.sha256(data).hexdigest()})"
    )


def test_a_moving_picture_has_frames():
    """And says how many."""
    data = encoded(striped(8, 8), "GIF", save_all=True, append_images=[Image.new("RGB", (8, 8), TEAL)])
    assert pictures.describe(data).startswith("a GIF picture, 8 × 8 pixels, 2 frames, mostly red")


def test_transparent_pixels_have_no_colour():
    """Only what can be seen counts."""
    picture = Image.new("RGBA", (10, 10), (255, 0, 0, 0))
    assert pictures.describe(encoded(picture, "PNG")).startswith("a PNG picture, 10 × 10 pixels, fully transparent")
    picture.putpixel((5, 5), (20, 30, 90, 255))
    assert "mostly navy" in pictures.describe(encoded(picture.resize((64, 64), Image.Resampling.NEAREST), "PNG"))


@pytest.mark.parametrize("kind", ["PNG", "JPEG"])
def test_half_a_picture_is_called_damaged(kind):
    """So that a client that lost bytes is found out."""
    data = encoded(Image.effect_noise((200, 100), 80).convert("RGB"), kind)
    phrase = pictures.describe(data[: len(data) // 2])
    assert phrase.startswith(f"a {kind} picture, 200 × 100 pixels, but damaged")


@pytest.mark.parametrize(
    ("data", "kind"),
    [
        (b"%PDF-1.7 rest", "a PDF document"),
        (b"\x00\x00\x00\x18ftypmp42rest", "an MP4 video"),
        (b"\x1aE\xdf\xa3rest", "a WebM video"),
        (b"anything", "a file of a type I do not know"),
        (b"", "a file of a type I do not know"),
    ],
)
def test_other_files_are_named_by_their_first_bytes(data, kind):
    """With size and sha256."""
    assert pictures.describe(data) == f"{kind} ({len(data)} bytes, sha256 {hashlib.sha256(data).hexdigest()})"


@pytest.mark.parametrize(
    ("side", "start"),
    [(7500, "a PNG picture, 7500 × 7500 pixels ("), (20_000, "a picture too large to open (")],
)
def test_an_enormous_picture_is_not_decoded(side, start):
    """Its size is read from the header, and its pixels, which are not even there, are left alone."""
    header = b"IHDR" + struct.pack(">IIBBBBB", side, side, 8, 2, 0, 0, 0)
    data = b"\x89PNG\r\n\x1a\n" + struct.pack(">I", 13) + header + struct.pack(">I", zlib.crc32(header))
    nothing = b"IDAT"
    data += struct.pack(">I", 0) + nothing + struct.pack(">I", zlib.crc32(nothing))
    assert pictures.describe(data).startswith(start)


@pytest.mark.parametrize(
    ("rgb", "name"),
    [
        ((255, 255, 255), "white"), ((0, 0, 0), "black"), ((128, 128, 128), "grey"), ((255, 0, 0), "red"),
        ((0, 160, 60), "green"), ((0, 0, 255), "blue"), ((255, 255, 0), "yellow"), ((255, 140, 0), "orange"),
        ((110, 70, 35), "brown"), ((0, 128, 128), "teal"), ((255, 182, 193), "pink"), ((135, 206, 235), "sky blue"),
    ],
)  # fmt: skip
def test_colours_have_the_names_people_use(rgb, name):
    """One plain picture, one word."""
    assert pictures.main_colours(Image.new("RGB", (4, 4), rgb)) == [name]
