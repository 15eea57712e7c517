"""client/duration.py: how long sounds of every sort last."""

from __future__ import annotations

import io
import wave

import pytest

from polychat.client.duration import duration_s


def wav(frames: int, *, rate_hz: int = 8000, channels: int = 2) -> bytes:
    """Silence."""
    file = io.BytesIO()
    with wave.open(file, "wb") as sound:
        sound.setnchannels(channels)
        sound.setsampwidth(2)
        sound.setframerate(rate_hz)
        sound.writeframes(bytes(2 * channels * frames))
    return file.getvalue()


ADTS = bytes.fromhex("fff15840017ffc") + bytes(4)  # one block at 24 kHz, mono, 11 bytes with its header


@pytest.mark.parametrize(
    ("sound", "lasts_s"),
    [
        (wav(4000), 0.5),
        (wav(4000)[:-8000], 0.25),
        (b"RIFF\x00\x00\x00\x00WAVE", None),
        (ADTS * 3, 3 * 1024 / 24000),
        (ADTS[:6] + b"\xfd" + ADTS[7:] + ADTS, 3 * 1024 / 24000),
        (ADTS + b"rubbish that is no frame", None),
        (b"ID3\x04", None),
        (b"", None),
    ],
    ids=["wav", "cut wav", "broken wav", "aac", "aac of two blocks", "broken aac", "mp3", "nothing"],
)
def test_how_long_a_sound_lasts(sound: bytes, lasts_s: float | None) -> None:
    """Told from the bytes that are there, not from what a header promises; None where it cannot be told."""
    told = duration_s(sound)
    assert told == (None if lasts_s is None else pytest.approx(lasts_s))
