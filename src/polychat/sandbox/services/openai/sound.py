"""Sounds: what is said aloud, as WAV, bare PCM or MP3, and how long a given sound lasts.

In WAV and PCM every word is a tone of its own. MP3 is silence of the same length: MPEG-2 Layer III (ISO/IEC 13818-3)
in frames whose side information is all zeros has nothing to decode, so it needs no encoder.
"""

from __future__ import annotations

import array
import hashlib
import io
import math
import sys
import wave
from collections.abc import Iterator
from functools import lru_cache

RATE_HZ = 24_000
SECONDS_A_WORD = 0.4
_LOUD = 8000  # of 32767
_SILENT_FRAME = bytes.fromhex("fff314c4").ljust(24, b"\0")  # MPEG-2 Layer III, no checksum, 8 kbit/s, 24 kHz, mono
_FRAME_SAMPLES = 576
_LAYER_3 = {3: (1152, 144), 2: (576, 72), 0: (576, 72)}  # MPEG version: samples a frame, bytes per bit/s and Hz
_RATES_HZ = {3: (44_100, 48_000, 32_000), 2: (22_050, 24_000, 16_000), 0: (11_025, 12_000, 8_000)}
_KBITS_1 = (0, 32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320)
_KBITS_2 = (0, 8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160)


def pcm(text: str, speed: float = 1.0) -> bytes:
    """16-bit little-endian mono at 24 kHz: 0.4 s a word, divided by `speed`."""
    samples = round(SECONDS_A_WORD / speed * RATE_HZ)
    return b"".join(_tone(word, samples) for word in text.split())


def wav(text: str, speed: float = 1.0) -> bytes:
    """The same with its header."""
    file = io.BytesIO()
    with wave.open(file, "wb") as sound:
        sound.setnchannels(1)
        sound.setsampwidth(2)
        sound.setframerate(RATE_HZ)
        sound.writeframes(pcm(text, speed))
    return file.getvalue()


def mp3(text: str, speed: float = 1.0) -> bytes:
    """Silence as long as the words would take."""
    seconds = SECONDS_A_WORD * len(text.split()) / speed
    return _SILENT_FRAME * max(1, math.ceil(round(seconds * RATE_HZ) / _FRAME_SAMPLES))


@lru_cache(maxsize=256)
def _tone(word: str, samples: int) -> bytes:
    pitch_hz = 200 + hashlib.sha256(word.encode()).digest()[0] * 2
    period = RATE_HZ // pitch_hz
    wave_form = array.array("h", (int(_LOUD * math.sin(2 * math.pi * step / period)) for step in range(period)))
    if sys.byteorder == "big":
        wave_form.byteswap()
    return (wave_form.tobytes() * (samples // period + 1))[: 2 * samples]


def kind(data: bytes) -> str | None:
    """`wav`, `mp3`, another format that is taken, or None."""
    if data[:4] == b"RIFF" and data[8:12] == b"WAVE":
        return "wav"
    if data[:3] == b"ID3" or (data[:1] == b"\xff" and data[1:2] >= b"\xe0"):
        return "mp3"
    if data[4:8] == b"ftyp":
        return "mp4"
    return {b"OggS": "ogg", b"fLaC": "flac", b"\x1aE\xdf\xa3": "webm"}.get(data[:4])


def duration_s(data: bytes) -> float | None:
    """How long the sound lasts; None for a format that cannot be measured here. Raises: ValueError when broken."""
    if kind(data) == "wav":
        try:
            with wave.open(io.BytesIO(data)) as sound:
                return float(sound.getnframes() / sound.getframerate())
        except (wave.Error, EOFError) as error:
            raise ValueError("the WAV file is broken") from error
    if kind(data) == "mp3":
        return sum(_frames_s(data))
    return None


def _frames_s(data: bytes) -> Iterator[float]:
    at = _tag_size(data)
    while at + 4 <= len(data) and data[at] == 0xFF and data[at + 1] >> 5 == 7:
        size, seconds = _frame(data[at : at + 4])
        yield seconds
        at += size
    if at < len(data) and not data[at:].startswith(b"TAG"):
        raise ValueError("the MP3 file is broken")


def _tag_size(data: bytes) -> int:
    """The bytes of an ID3v2 tag at the start."""
    if data[:3] != b"ID3" or len(data) < 10:
        return 0
    first, second, third, fourth = data[6:10]
    return 10 + (first << 21 | second << 14 | third << 7 | fourth)


def _frame(header: bytes) -> tuple[int, float]:
    """Size in bytes and length in seconds of a Layer III frame."""
    version, layer = header[1] >> 3 & 3, header[1] >> 1 & 3
    rate, bits = header[2] >> 2 & 3, header[2] >> 4
    if version == 1 or layer != 1 or rate == 3 or bits in (0, 15):
        raise ValueError("the MP3 file is broken")
    samples, factor = _LAYER_3[version]
    rate_hz = _RATES_HZ[version][rate]
    kbits = (_KBITS_1 if version == 3 else _KBITS_2)[bits]
    return factor * kbits * 1000 // rate_hz + (header[2] >> 1 & 1), samples / rate_hz
