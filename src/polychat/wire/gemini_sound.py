"""Sound of the Gemini API: raw samples (`audio/L16;codec=pcm;rate=24000`) come in pieces, and are one WAV in the end.

The samples are 16 bits of one channel, the lowest byte first. Source: the documentation on speech generation; 2026-11.
"""

from __future__ import annotations

import io
import re
import wave

_RATE = re.compile(r"rate=(\d+)")
_USUAL_RATE = 24000  # samples a second
_RAW = ("audio/l16", "audio/pcm")


def is_raw(media_type: str) -> bool:
    """True for samples without a header."""
    return media_type.lower().startswith(_RAW)


class Sound:
    """Samples in the making."""

    def __init__(self) -> None:
        self._samples = bytearray()
        self._rate = _USUAL_RATE

    def add(self, samples: bytes, media_type: str) -> None:
        """One piece."""
        self._samples += samples
        if rate := _RATE.search(media_type):
            self._rate = int(rate.group(1))

    def taken(self) -> bytes | None:
        """All of it as one WAV, once; None where nothing came."""
        if not self._samples:
            return None
        buffer = io.BytesIO()
        with wave.open(buffer, "wb") as file:
            file.setnchannels(1)
            file.setsampwidth(2)
            file.setframerate(self._rate)
            file.writeframes(self._samples)
        self._samples = bytearray()
        return buffer.getvalue()
