"""Read aloud: real audio, as long as the words."""

from __future__ import annotations

import io
import wave

import pytest


def path(told, **changes: str) -> str:
    """The address of an answer's sound."""
    asked = {"conversation_id": told.conversation_id, "message_id": told.answer["id"], "voice": "maple"} | changes
    return "/synthesize?" + "&".join(f"{name}={value}" for name, value in asked.items())


def adts(data: bytes) -> list[int]:
    """The sizes of an ADTS stream's frames, judged by ISO/IEC 13818-7."""
    sizes = []
    while data:
        bits = int.from_bytes(data[:7], "big")
        assert bits >> 44 == 0xFFF  # sync word
        assert bits >> 43 & 1 == 0  # MPEG-4
        assert bits >> 40 & 1 == 1  # no checksum
        assert bits >> 38 & 3 == 1  # low complexity
        assert bits >> 34 & 15 == 6  # 24 kHz
        assert bits >> 30 & 7 == 1  # mono
        sizes.append(bits >> 13 & 0x1FFF)
        data = data[sizes[-1] :]
    return sizes


def test_aac_lasts_as_long_as_the_words(web, sandbox):
    """0.4 s a word, in whole frames of 1024 samples; AAC unless told otherwise."""
    sandbox.script("chatgpt", text="one two three four five six seven eight nine ten")
    answer = web.ask("GET", path(web.turn("Hi")))
    assert (answer.status, answer.headers["content-type"]) == (200, "audio/aac")
    assert len(adts(answer.body)) == 94  # ceil(10 * 0.4 * 24000 / 1024)
    assert set(adts(answer.body)) == {11}


def test_wav_lasts_as_long_as_the_words(web, sandbox):
    """16-bit mono PCM."""
    sandbox.script("chatgpt", text="one two three")
    answer = web.ask("GET", path(web.turn("Hi"), format="wav"))
    assert answer.headers["content-type"] == "audio/wav"
    with wave.open(io.BytesIO(answer.body)) as sound:
        assert (sound.getnchannels(), sound.getsampwidth()) == (1, 2)
        assert sound.getnframes() / sound.getframerate() == pytest.approx(1.2)


@pytest.mark.parametrize(
    ("changes", "name"), [({"voice": "mine"}, "voice"), ({"voice": ""}, "voice"), ({"format": "ogg"}, "format")]
)
def test_unknown_voices_and_forms_are_refused(web, changes, name):
    """422 with the place."""
    answer = web.ask("GET", path(web.turn(), **changes))
    assert (answer.status, answer.json["detail"][0]["loc"]) == (422, ["query", name])


def test_only_answers_of_the_own_conversations_are_read(web, bob):
    """404 for the person's own message, for a made-up one, and for anybody else."""
    told = web.turn()
    assert web.ask("GET", path(told, message_id=list(told.messages)[1])).status == 404
    assert web.ask("GET", path(told, message_id="x")).status == 404
    assert web.ask("GET", path(told, conversation_id="x")).status == 404
    assert bob.ask("GET", path(told)).status == 404
