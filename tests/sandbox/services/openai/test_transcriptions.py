"""What is heard in a sound, in every form."""

from __future__ import annotations

import hashlib

import openai
import pytest

from polychat.sandbox.services.openai import sound

WAV = sound.wav("one two three")
HEARD = "I hear a wav sound of 1.20 seconds: "


@pytest.fixture
def transcribe(client):
    """transcribe(**fields): the transcript of a WAV file of 1.2 s."""
    return lambda **fields: client.audio.transcriptions.create(
        **{"model": "whisper-1", "file": ("a.wav", WAV)} | fields
    )


def test_a_sound_is_told_by_its_length_and_bytes(transcribe):
    """Nothing is made up."""
    told = transcribe()
    assert told.text.startswith(HEARD)
    assert hashlib.sha256(WAV).hexdigest() in told.text
    assert told.usage.seconds == 1


def test_speech_comes_back(client):
    """What was said aloud is heard."""
    said = client.audio.speech.create(model="tts-1", voice="nova", input="four words of speech").content
    told = client.audio.transcriptions.create(model="gpt-4o-transcribe", file=("a.mp3", said))
    assert told.text.startswith("I hear a mp3 sound of 1.61 seconds")
    assert (told.usage.type, told.usage.input_tokens) == ("tokens", 16)


def test_every_form_is_written(transcribe):
    """Plain text, subtitles, and JSON with times."""
    assert transcribe(response_format="text").startswith(HEARD)
    assert transcribe(response_format="srt").startswith(f"1\n00:00:00,000 --> 00:00:01,200\n{HEARD}")
    assert transcribe(response_format="vtt").startswith(f"WEBVTT\n\n00:00:00.000 --> 00:00:01.200\n{HEARD}")
    told = transcribe(response_format="verbose_json", language="de")
    assert (told.duration, told.language, told.words) == (pytest.approx(1.2), "de", None)
    assert (told.segments[0].text, told.segments[0].end) == (told.text, pytest.approx(1.2))


def test_words_can_be_timed(transcribe):
    """Instead of segments, from the start to the end."""
    told = transcribe(response_format="verbose_json", timestamp_granularities=["word"])
    assert told.segments is None
    assert (told.words[0].word, told.words[0].start, told.words[-1].end) == ("I", 0, pytest.approx(1.2))


def test_a_newer_model_streams(transcribe, client):
    """Pieces, then the whole; an older one answers at once all the same."""
    create = client.audio.transcriptions.with_raw_response.create
    old = create(model="whisper-1", file=("a.wav", WAV), stream=True)
    assert old.headers["content-type"] == "application/json"
    *pieces, last = list(transcribe(model="gpt-4o-transcribe", stream=True))
    assert "".join(event.delta for event in pieces) == last.text
    assert (last.type, last.usage.input_tokens) == ("transcript.text.done", 12)


@pytest.mark.parametrize(
    ("fields", "param", "code"),
    [
        ({"file": ("a.wav", b"no sound")}, "file", None),
        ({"file": ("a.wav", b"")}, "file", None),
        ({"file": ("a.wav", b"RIFF\0\0\0\0WAVE")}, "file", None),
        ({"model": "gpt-4o-transcribe", "response_format": "srt"}, "response_format", "unsupported_value"),
        ({"response_format": "pdf"}, "response_format", "invalid_value"),
        ({"timestamp_granularities": ["word"]}, "timestamp_granularities", None),
        ({"temperature": 2}, "temperature", "decimal_above_max_value"),
        ({"language": "Deutsch"}, "language", "invalid_value"),
        ({"chunking_strategy": "auto"}, "chunking_strategy", "unsupported_by_sandbox"),
        ({"extra_body": {"speaker": "x"}}, "speaker", "unknown_parameter"),
    ],
)
def test_what_is_wrong_is_refused_by_field(transcribe, fields, param, code):
    """400 with the field's place and a code."""
    with pytest.raises(openai.BadRequestError) as caught:
        transcribe(**fields)
    assert (caught.value.param, caught.value.code) == (param, code)


def test_a_form_without_a_file_is_refused(post):
    """By its name."""
    body = b'--b\r\ncontent-disposition: form-data; name="model"\r\n\r\nwhisper-1\r\n--b--\r\n'
    answer = post("/audio/transcriptions", body, **{"content-type": "multipart/form-data; boundary=b"})
    assert answer.json["error"]["param"] == "file"
