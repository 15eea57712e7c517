"""How long a sound lasts, told from the bytes that are there and not from what a header promises."""

from __future__ import annotations

import io
import wave

from polychat import media

_ADTS_HEADER_BYTES = 7
_ADTS_RATES_HZ = (96000, 88200, 64000, 48000, 44100, 32000, 24000, 22050, 16000, 12000, 11025, 8000, 7350)
_AAC_SAMPLES = 1024  # of one raw data block


def duration_s(sound: bytes) -> float | None:
    """How long WAV or AAC (ADTS) lasts; None for anything else."""
    match media.sniff(sound):
        case "audio/wav":
            return _wav_s(sound)
        case "audio/aac":
            return _adts_s(sound)
    return None


def _wav_s(sound: bytes) -> float | None:
    try:
        with wave.open(io.BytesIO(sound)) as file:
            size_bytes = len(file.readframes(file.getnframes()))  # a streamed header may promise more than there is
            second_bytes = file.getsampwidth() * file.getnchannels() * file.getframerate()
    except (wave.Error, EOFError):
        return None
    return size_bytes / second_bytes if second_bytes else None


def _adts_s(sound: bytes) -> float | None:
    """Every frame tells its length and how many blocks it holds (ISO/IEC 13818-7, 6.2)."""
    at, lasted_s = 0, 0.0
    while at + _ADTS_HEADER_BYTES <= len(sound):
        rate = sound[at + 2] >> 2 & 0x0F
        length = (sound[at + 3] & 0x03) << 11 | sound[at + 4] << 3 | sound[at + 5] >> 5
        if sound[at] != 0xFF or rate >= len(_ADTS_RATES_HZ) or length < _ADTS_HEADER_BYTES:
            return None
        lasted_s += _AAC_SAMPLES * (1 + (sound[at + 6] & 0x03)) / _ADTS_RATES_HZ[rate]
        at += length
    return lasted_s
