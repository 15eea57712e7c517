"""media.py: the bytes tell what they are."""

from __future__ import annotations

import io

import pytest
from PIL import Image

from polychat import media

SAMPLES = [
    (b"%PDF-1.7\n", "application/pdf"),
    (b"\0\0\0\x18ftypmp42", "video/mp4"),
    (b"\0\0\0\x14ftypqt  ", "video/quicktime"),
    (b"\0\0\0\x1cftypavif", "image/avif"),
    (b"\x1aE\xdf\xa3\x01", "video/webm"),
    (b"RIFF\x24\0\0\0WAVEfmt ", "audio/wav"),
    (b"OggS\0\x02", "audio/ogg"),
    (b"fLaC\0", "audio/flac"),
    (b"ID3\x04", "audio/mpeg"),
    (b"\xff\xfb\x90\x44", "audio/mpeg"),
    (b"\xff\xf1\x50\x80", "audio/aac"),
    (b"PK\x03\x04", "application/zip"),
    ("привет, мир".encode(), "text/plain"),
    (b"\0\x01\x02", "application/octet-stream"),
    (b"\xff\xfe\xfd", "application/octet-stream"),
    (b"", "application/octet-stream"),
]


@pytest.mark.parametrize(("data", "expected"), SAMPLES, ids=[expected for _, expected in SAMPLES])
def test_first_bytes_tell_the_type(data: bytes, expected: str) -> None:
    """Each format is known by its own signature."""
    assert media.sniff(data) == expected


@pytest.mark.parametrize("form", ["PNG", "JPEG", "GIF", "BMP", "WEBP", "TIFF"])
def test_pictures_that_a_real_encoder_wrote_are_known(form: str) -> None:
    """What Pillow writes is told as what Pillow says it wrote."""
    buffer = io.BytesIO()
    Image.new("RGB", (3, 2), "orange").save(buffer, format=form)
    assert media.sniff(buffer.getvalue()) == Image.MIME[form]


def test_text_cut_inside_a_character_is_still_text() -> None:
    """The sniffed head may end in the middle of a UTF-8 sequence."""
    assert media.sniff(("x" + "я" * 2000).encode()) == "text/plain"
