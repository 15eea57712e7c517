"""Sounds are made and measured by their formats' rules."""

from __future__ import annotations

import pytest

from polychat.sandbox.services.openai import sound

WORDS = "one two three"


def test_silence_in_mp3_is_whole_frames():
    """Judged by ISO/IEC 13818-3: sync, version 2, layer III, 8 kbit/s, 24 kHz, mono, nothing to decode."""
    data = sound.mp3(WORDS)
    frames = [data[start : start + 24] for start in range(0, len(data), 24)]
    assert len(frames) == 50  # 1.2 s * 24000 Hz / 576 samples
    for frame in frames:
        bits = int.from_bytes(frame[:4], "big")
        assert bits >> 21 == 0x7FF
        assert bits >> 19 & 3 == 2
        assert bits >> 17 & 3 == 1
        assert bits >> 16 & 1 == 1
        assert (bits >> 12 & 15, bits >> 10 & 3, bits >> 9 & 1) == (1, 1, 0)
        assert bits >> 6 & 3 == 3
        assert frame[4:] == bytes(20)


@pytest.mark.parametrize("make", [sound.wav, sound.mp3])
def test_what_is_made_can_be_measured(make):
    """0.4 s a word."""
    assert sound.duration_s(make(WORDS)) == pytest.approx(1.2)
    assert sound.duration_s(make(WORDS, 0.5)) == pytest.approx(2.4)


@pytest.mark.parametrize(
    ("header", "size_bytes", "seconds"),
    [("fffb9064", 417, 1152 / 44_100), ("fffb9264", 418, 1152 / 44_100), ("ffe31400", 48, 576 / 12_000)],
)
def test_frames_of_other_kinds_are_measured(header, size_bytes, seconds):
    """MPEG-1 at 128 kbit/s without and with padding, MPEG-2.5 at 8 kbit/s; tags before and after are skipped."""
    frame = bytes.fromhex(header).ljust(size_bytes, b"\0")
    tagged = b"ID3\x04\0\0\0\0\x01\0" + bytes(128) + frame * 3 + b"TAG" + bytes(125)
    assert sound.duration_s(tagged) == pytest.approx(3 * seconds)


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        (sound.wav("a"), "wav"), (sound.mp3("a"), "mp3"), (b"ID3\x04", "mp3"), (b"OggS", "ogg"), (b"fLaC", "flac"),
        (b"\0\0\0\x20ftypM4A ", "mp4"), (b"\x1aE\xdf\xa3", "webm"), (b"hello", None), (b"", None),
    ],
)  # fmt: skip
def test_a_sound_is_known_by_its_bytes(data, expected):
    """Never by its name."""
    assert sound.kind(data) == expected


@pytest.mark.parametrize("data", [b"RIFF\0\0\0\0WAVE", sound.mp3("a") + b"junk", b"\xff\xe0\0\0", b"\xff\xf3\xf4\xc4"])
def test_a_broken_sound_is_refused(data):
    """With what is wrong."""
    with pytest.raises(ValueError, match="broken"):
        sound.duration_s(data)


def test_what_cannot_be_measured_is_not_guessed():
    """No length for formats that are only known by name."""
    assert sound.duration_s(b"OggS") is None
