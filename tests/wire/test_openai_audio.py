"""wire/openai_audio.py: speech asked for, sound judged, transcripts in every form, cut anywhere."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from polychat.errors import BadOption, FormatChanged, PolychatError, RateLimited, Unavailable
from polychat.types import Audio, File, Recording, Span, Thread, Transcript, Usage, Utterance
from polychat.wire.openai_audio import Decoder, check_sound, filename, form, speech_body

WAV = b"RIFF\x24\0\0\0WAVEfmt "
TOKENS = {"type": "tokens", "input_tokens": 12, "output_tokens": 3, "total_tokens": 15}
WHOLE = Transcript(text="Grüße 🐈", usage=Usage(input_tokens=12, output_tokens=3))


# ---------------------------------------------------------------- a text said aloud


@pytest.mark.parametrize(
    ("said", "asked"),
    [
        ({}, {"voice": "alloy"}),
        ({"voice": "nova"}, {"voice": "nova"}),
        ({"media_type": "audio/ogg"}, {"voice": "alloy", "response_format": "opus"}),
        ({"media_type": "audio/mpeg", "speed": 0.5}, {"voice": "alloy", "response_format": "mp3", "speed": 0.5}),
        ({"instructions": "calm"}, {"voice": "alloy", "instructions": "calm"}),
    ],
)
def test_speech_is_asked_for_with_what_is_set(said: dict[str, Any], asked: dict[str, Any]) -> None:
    """The usual voice stands in where none is named."""
    utterance = Utterance(model="tts-1", text="Hello", **said)
    assert speech_body(utterance, "alloy") == {"model": "tts-1", "input": "Hello"} | asked


def test_where_no_voice_is_usual_none_is_said() -> None:
    """The service has the word."""
    assert speech_body(Utterance(model="m", text="Hello"), None) == {"model": "m", "input": "Hello"}


@pytest.mark.parametrize(
    ("said", "field"),
    [
        ({"thread": Thread(provider="openai", id="1")}, "conversation"),
        ({"text": "x", "media_type": "audio/midi"}, "response_format"),
    ],
)
def test_what_cannot_be_said_is_named(said: dict[str, Any], field: str) -> None:
    """A conversation that is not kept, a format without a name."""
    with pytest.raises(BadOption) as caught:
        speech_body(Utterance(model="m", **said), None)
    assert caught.value.field == field


# ---------------------------------------------------------------- sounds


@pytest.mark.parametrize(
    ("data", "name", "expected"),
    [
        (WAV, "talk.mp3", "sound.wav"),
        (b"ID3\x04", None, "sound.mp3"),
        (b"\0\0\0\x18ftypM4A ", "x", "sound.m4a"),
        (b"\x1aE\xdf\xa3", None, "sound.webm"),
        (b"\x00\x01\x02", "secret name.amr", "sound.amr"),
        (b"\x00\x01\x02", None, "sound.bin"),
    ],
)
def test_the_name_tells_the_format_and_nothing_else(data: bytes, name: str | None, expected: str) -> None:
    """By the bytes; by the given ending only where they say nothing."""
    assert filename(File(data=data, name=name)) == expected


def test_what_may_be_sound_passes() -> None:
    """Sound, films, and bytes that say nothing of themselves; as large as is taken."""
    for data in (WAV, b"OggS\0", b"\0\0\0\x18ftypisom", b"\x00\x01\x02"):
        check_sound(File(data=data), None)
    check_sound(Audio(data=WAV.ljust(2**20, b"\0")), 1)


@pytest.mark.parametrize(
    ("data", "sentence"),
    [
        (b"words", "talk.wav is text/plain, not sound"),
        (b"GIF89a", "talk.wav is image/gif, not sound"),
        (b"%PDF-1.7", "talk.wav is application/pdf, not sound"),
        (b"PK\x03\x04", "talk.wav is application/zip, not sound"),
        (WAV.ljust(2**20 + 1, b"\0"), "talk.wav is larger than the 1 MB that the service takes"),
    ],
    ids=["text", "picture", "PDF", "archive", "large"],
)
def test_what_is_no_sound_is_named(data: bytes, sentence: str) -> None:
    """In one sentence, before it is sent."""
    with pytest.raises(BadOption) as caught:
        check_sound(File(data=data, name="talk.wav"), 1)
    assert (caught.value.field, caught.value.message) == ("file", sentence)


# ---------------------------------------------------------------- transcripts


@pytest.mark.parametrize(
    ("given", "asked"),
    [
        ({}, []),
        ({"language": "de", "prompt": "Łódź"}, [("language", "de"), ("prompt", "Łódź")]),
        ({"temperature": 0.0}, [("temperature", "0.0")]),
        ({"stream": True}, [("stream", "true")]),
        ({"timed": ("segment",)}, [("response_format", "verbose_json")]),
        ({"timed": ("word",)}, [("response_format", "verbose_json"), ("timestamp_granularities[]", "word")]),
        (
            {"timed": ("segment", "word")},
            [
                ("response_format", "verbose_json"), ("timestamp_granularities[]", "segment"),
                ("timestamp_granularities[]", "word"),
            ],
        ),
    ],
)  # fmt: skip
def test_the_form_says_what_is_set(given: dict[str, Any], asked: list[tuple[str, str]]) -> None:
    """The service's defaults are left unsaid."""
    recording = Recording(model="whisper-1", sound=Audio(data=WAV), **given)
    assert form(recording) == [("model", "whisper-1"), *asked]


def event(kind: str, **fields: Any) -> bytes:
    """An event of a stream."""
    return b"data: " + msgspec.json.encode({"type": kind, **fields}) + b"\n\n"


def delta(text: str) -> bytes:
    """More words."""
    return event("transcript.text.delta", delta=text)


DONE = event("transcript.text.done", text=WHOLE.text, usage=TOKENS)
STREAM = delta("Grüße ") + delta("🐈") + DONE


def read(*reads: bytes) -> list[str | Transcript]:
    """What came of these reads, to the end."""
    decoder = Decoder("openai")
    pieces = [piece for data in reads for piece in decoder.feed(data)]
    pieces += decoder.close()
    assert decoder.finished == isinstance(pieces[-1] if pieces else None, Transcript)
    return pieces


@given(st.lists(st.integers(0, len(STREAM)), max_size=8))
def test_a_stream_may_be_cut_anywhere(places: list[int]) -> None:
    """Words as they came, and the whole at the end."""
    cuts = sorted([0, *places, len(STREAM)])
    assert read(*(STREAM[start:end] for start, end in pairwise(cuts))) == ["Grüße ", "🐈", WHOLE]


@pytest.mark.parametrize("newline", [b"\r\n", b"\r"])
def test_a_stream_may_come_byte_by_byte_with_any_newline(newline: bytes) -> None:
    """As the standard of event streams has it."""
    body = STREAM.replace(b"\n", newline)
    assert read(*(body[at : at + 1] for at in range(len(body)))) == ["Grüße ", "🐈", WHOLE]


def test_a_document_is_the_whole_at_once() -> None:
    """With everything that was told, wherever it was cut."""
    document = msgspec.json.encode(
        {
            "task": "transcribe", "text": "Hi there", "language": "english", "duration": 1.5,
            "segments": [
                {"id": 0, "text": " Hi", "start": 0, "end": 0.5, "avg_logprob": -0.2, "no_speech_prob": 0.1, "seek": 0},
                {"id": 1, "text": " there", "start": 0.5, "end": 1.5},
            ],
            "words": [{"word": "Hi", "start": 0.0, "end": 0.5}],
            "usage": {"type": "duration", "seconds": 2},
        }
    )  # fmt: skip
    whole = Transcript(
        text="Hi there",
        language="english",
        duration_s=1.5,
        segments=(
            Span(text=" Hi", start_s=0.0, end_s=0.5, logprob=-0.2, no_speech=0.1),
            Span(text=" there", start_s=0.5, end_s=1.5),
        ),
        words=(Span(text="Hi", start_s=0.0, end_s=0.5),),
        charged_s=2.0,
    )
    assert read(document) == read(b"\n", *(document[at : at + 1] for at in range(len(document)))) == [whole]


@pytest.mark.parametrize(
    ("written", "told"), [(2, 2.0), ("8.47", 8.47), ("long", None), (None, None)], ids=["int", "text", "words", "none"]
)
def test_a_length_may_be_written_as_text(written: Any, told: float | None) -> None:
    """As some services do."""
    assert read(msgspec.json.encode({"text": "", "duration": written})) == [Transcript(text="", duration_s=told)]


@pytest.mark.parametrize(
    ("written", "usage", "charged_s"),
    [
        ({"input_tokens": 5}, Usage(input_tokens=5), None),
        ({"output_tokens": 2, "seconds": 1}, Usage(output_tokens=2), 1.0),
        ({}, None, None),
    ],
)
def test_what_was_counted_is_told(written: Any, usage: Usage | None, charged_s: float | None) -> None:
    """As far as it was."""
    assert read(msgspec.json.encode({"text": "", "usage": written})) == [
        Transcript(text="", usage=usage, charged_s=charged_s)
    ]


def test_what_nobody_knows_is_passed_over() -> None:
    """Other events, the end mark, an empty delta."""
    stream = event("transcript.text.segment", text="x") + event("transcript.text.delta") + DONE + b"data: [DONE]\n\n"
    assert read(stream) == ["", WHOLE]


def test_a_stream_that_ends_early_is_not_finished() -> None:
    """Nothing is passed off as the whole."""
    decoder = Decoder("openai")
    assert [*decoder.feed(delta("Hi")), *decoder.close()] == ["Hi"]
    assert not decoder.finished


@pytest.mark.parametrize(
    ("body", "kind"),
    [
        (b'{"text": 3}', FormatChanged),
        (b'{"sentences": []}', FormatChanged),
        (b"{", FormatChanged),
        (b'{"text": "\xff"}', FormatChanged),
        (event("transcript.text.done"), FormatChanged),
        (b"data: <html>\n\n", FormatChanged),
        (b'{"error": {"message": "slow down", "code": "rate_limit_exceeded"}}', RateLimited),
        (b'data: {"error": {"message": "oh", "type": "server_error"}}\n\n', Unavailable),
    ],
)
def test_what_is_no_transcript_is_an_error(body: bytes, kind: type[PolychatError]) -> None:
    """Of the sort it is, and the service is named."""
    with pytest.raises(kind, match=r"^openai s(ays|ent)"):
        read(body)


def test_words_before_an_error_of_the_same_read_are_given() -> None:
    """Nothing that came is lost."""
    pieces = Decoder("openai").feed(delta("Hi") + b"data: {]\n\n")
    assert next(pieces) == "Hi"
    with pytest.raises(FormatChanged) as caught:
        next(pieces)
    assert caught.value.evidence is not None
    assert caught.value.evidence.data == b"{]"
