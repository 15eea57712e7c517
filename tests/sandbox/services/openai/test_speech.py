"""Words said aloud, as bytes."""

from __future__ import annotations

import io
import wave

import openai
import pytest

WORDS = "one two three four five"


@pytest.fixture
def speak(client):
    """speak(**fields): the sound."""
    return lambda **fields: client.audio.speech.create(
        **{"model": "gpt-4o-mini-tts", "voice": "sage", "input": WORDS, "response_format": "wav"} | fields
    )


def test_a_wav_lasts_as_long_as_the_words(speak):
    """0.4 s a word at 24 kHz, divided by the speed; different words sound different."""
    for speed, seconds in ((1.0, 2.0), (2.0, 1.0)):
        with wave.open(io.BytesIO(speak(speed=speed).content)) as sound:
            assert (sound.getnchannels(), sound.getsampwidth(), sound.getframerate()) == (1, 2, 24_000)
            assert sound.getnframes() / sound.getframerate() == pytest.approx(seconds)
    assert speak().content != speak(input=WORDS.replace("one", "six")).content


def test_pcm_is_the_wav_without_its_header(speak):
    """Bare samples."""
    sound = speak(response_format="pcm")
    assert sound.response.headers["content-type"] == "audio/pcm"
    assert speak().content.endswith(sound.content)
    assert len(sound.content) == 2 * 24_000 * 2


def test_mp3_is_the_default(client):
    """With its media type."""
    sound = client.audio.speech.create(model="tts-1", voice="alloy", input=WORDS)
    assert sound.response.headers["content-type"] == "audio/mpeg"
    assert len(sound.content) == 84 * 24  # ceil(2 s * 24000 Hz / 576 samples a frame), 24 bytes a frame


def test_a_sound_can_be_streamed(client):
    """The package's own way of reading piece by piece."""
    with client.audio.speech.with_streaming_response.create(
        model="tts-1", voice="alloy", input=WORDS, response_format="pcm"
    ) as answer:
        assert len(b"".join(answer.iter_bytes())) == 96_000


@pytest.mark.parametrize(
    ("fields", "param", "code"),
    [
        ({"voice": "mine"}, "voice", "invalid_value"),
        ({"voice": {"id": "voice_1"}}, "voice", "invalid_value"),
        ({"input": ""}, "input", "empty_string"),
        ({"input": "a" * 4097}, "input", "string_above_max_length"),
        ({"speed": 5}, "speed", "decimal_above_max_value"),
        ({"response_format": "opus"}, "response_format", "unsupported_by_sandbox"),
        ({"response_format": "midi"}, "response_format", "invalid_value"),
        ({"stream_format": "sse"}, "stream_format", "unsupported_by_sandbox"),
    ],
)
def test_what_is_wrong_is_refused_by_field(speak, fields, param, code):
    """400 with the field's place and a code."""
    with pytest.raises(openai.BadRequestError) as caught:
        speak(**fields)
    assert (caught.value.param, caught.value.code) == (param, code)
