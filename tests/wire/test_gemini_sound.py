"""wire/gemini_sound.py: raw samples as one WAV."""

from __future__ import annotations

import io
import wave

import pytest

from polychat.wire.gemini_sound import Sound, is_raw


@pytest.mark.parametrize(
    ("media_type", "raw"),
    [
        ("audio/L16;codec=pcm;rate=24000", True),
        ("audio/l16; rate=8000", True),
        ("audio/pcm", True),
        ("audio/wav", False),
        ("image/png", False),
    ],
)
def test_raw_sound_is_known_by_its_type(media_type: str, raw: bool) -> None:
    """It has no header to know it by."""
    assert is_raw(media_type) is raw


@pytest.mark.parametrize(("media_type", "rate"), [("audio/L16;rate=8000", 8000), ("audio/L16", 24000)])
def test_the_header_tells_the_rate(media_type: str, rate: int) -> None:
    """The type's own, or the usual one."""
    sound = Sound()
    sound.add(b"\1\0", media_type)
    sound.add(b"\2\0", media_type)
    with wave.open(io.BytesIO(sound.taken() or b"")) as file:
        form = (file.getnchannels(), file.getsampwidth(), file.getframerate(), file.readframes(9))
    assert form == (1, 2, rate, b"\1\0\2\0")
    assert sound.taken() is None
