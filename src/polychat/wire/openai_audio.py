"""Speech in the OpenAI dialect: a text said aloud (JSON in, sound out), and speech written down (a form in, text out).

    {"text": "Hello", "usage": {"type": "duration", "seconds": 3}}
    data: {"type": "transcript.text.delta", "delta": "Hel"}
    data: {"type": "transcript.text.done", "text": "Hello", "usage": {"type": "tokens", ...}}

A transcript is asked for as `json`, or as `verbose_json` where times are wanted: every service knows these two, and
subtitles are made of them elsewhere. A model that does not stream answers with one document all the same. Shapes as in
the types of OpenAI's own Python package 3.52, and as the compatible services document theirs; 2026-11.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import PurePath
from typing import Any

import msgspec

from polychat import media
from polychat.errors import BadOption, FormatChanged
from polychat.types import Audio, File, Recording, Span, Transcript, Usage, Utterance
from polychat.wire import openai_errors
from polychat.wire.payloads import Payloads

_FORMATS: Mapping[str, str] = {
    "audio/mpeg": "mp3", "audio/ogg": "opus", "audio/aac": "aac", "audio/flac": "flac", "audio/wav": "wav",
    "audio/pcm": "pcm",
}  # fmt: skip
_DELTA, _DONE = "transcript.text.delta", "transcript.text.done"
_NOT_SOUND = ("image/", "text/", "application/pdf", "application/zip")


# ---------------------------------------------------------------- a text said aloud


def speech_body(utterance: Utterance, usual_voice: str | None) -> dict[str, Any]:
    """The JSON that asks for sound. Raises: `BadOption` where there is no text, or the format has no name."""
    if utterance.text is None:
        raise BadOption("this service reads a text aloud, and keeps no conversation", field="conversation")
    form = utterance.media_type and _FORMATS.get(utterance.media_type)
    if utterance.media_type and not form:
        raise BadOption(f"{utterance.media_type} is not one of {', '.join(_FORMATS)}", field="response_format")
    asked = {
        "model": utterance.model,
        "input": utterance.text,
        "voice": utterance.voice or usual_voice,
        "response_format": form,
        "speed": utterance.speed,
        "instructions": utterance.instructions,
    }
    return {name: value for name, value in asked.items() if value is not None}


# ---------------------------------------------------------------- speech written down


def check_sound(sound: Audio | File, limit_mb: int | None) -> None:
    """Raise `BadOption` for bytes that are something else, or more than the service takes."""
    kind, data = sound.media_type or media.OCTETS, sound.data or b""
    name = sound.name or "the file"
    if kind.startswith(_NOT_SOUND):
        raise BadOption(f"{name} is {kind}, not sound", field="file")
    if limit_mb is not None and len(data) > limit_mb * 2**20:
        raise BadOption(
            f"{name} is larger than the {limit_mb} MB that the service takes",
            field="file",
            hint="cut it, or make it smaller: as MP3 or Opus a minute needs less than 1 MB",
        )


def filename(sound: Audio | File) -> str:
    """A name that tells the format, as services want one, and nothing of the person's own."""
    kind = sound.media_type or media.OCTETS
    told = PurePath(sound.name or "").suffix.lstrip(".") if kind == media.OCTETS else ""
    return f"sound.{told or media.extension(kind)}"


def form(recording: Recording) -> list[tuple[str, str]]:
    """The form's fields beside the file."""
    asked: dict[str, Any] = {
        "model": recording.model,
        "language": recording.language,
        "prompt": recording.prompt,
        "temperature": recording.temperature,
        "stream": "true" if recording.stream else None,
        "response_format": "verbose_json" if recording.timed else None,
    }
    fields = [(name, str(value)) for name, value in asked.items() if value is not None]
    if "word" in recording.timed:  # segments are what is timed unless told
        fields += [("timestamp_granularities[]", what) for what in recording.timed]
    return fields


class _Segment(msgspec.Struct):
    text: str
    start: float
    end: float
    avg_logprob: float | None = None
    no_speech_prob: float | None = None


class _Word(msgspec.Struct):
    word: str
    start: float
    end: float


class _Usage(msgspec.Struct):
    input_tokens: int | None = None
    output_tokens: int | None = None
    seconds: float | None = None


class _Payload(msgspec.Struct):
    """A document, or an event of a stream."""

    type: str | None = None
    delta: str | None = None
    text: str | None = None
    language: str | None = None
    duration: float | str | None = None  # a text from some services
    segments: list[_Segment] | None = None
    words: list[_Word] | None = None
    usage: _Usage | None = None
    error: Any = None


_decode = msgspec.json.Decoder(_Payload).decode


class Decoder:
    """One transcript of `provider`: bytes in, words out, and last the whole. `finished` once that was given."""

    def __init__(self, provider: str) -> None:
        self.finished = False
        self._provider = provider
        self._payloads = Payloads()

    def feed(self, data: bytes) -> Iterator[str | Transcript]:
        """What `data` completes; what came before an error is given before it is raised.

        Raises: what an error inside means; `FormatChanged` for no transcript.
        """
        return self._read(self._payloads.feed(data))

    def close(self) -> Iterator[str | Transcript]:
        """The body is over: what it still held. Raises as `feed` does."""
        return self._read(self._payloads.close())

    def _read(self, payloads: Sequence[bytes]) -> Iterator[str | Transcript]:
        for data in payloads:
            if data == b"[DONE]":
                continue
            payload = self._decoded(data)
            if payload.type == _DELTA:
                yield payload.delta or ""
            elif payload.type in {None, _DONE}:
                if payload.text is None:
                    raise self._unknown("its text is missing", data)
                self.finished = True
                yield _transcript(payload, payload.text)

    def _decoded(self, data: bytes) -> _Payload:
        try:
            payload = _decode(data)
        except (msgspec.DecodeError, UnicodeDecodeError) as error:
            raise self._unknown(str(error), data) from error
        if payload.error is not None:
            raise openai_errors.inside(data, provider=self._provider)
        return payload

    def _unknown(self, why: str, data: bytes) -> FormatChanged:
        return FormatChanged(f"{self._provider} sent no transcript that we know: {why}", evidence=data)


def _transcript(payload: _Payload, text: str) -> Transcript:
    usage = payload.usage or _Usage()
    counted = usage.input_tokens is not None or usage.output_tokens is not None
    return Transcript(
        text=text,
        language=payload.language,
        duration_s=None if payload.duration is None else _seconds(payload.duration),
        segments=tuple(map(_segment, payload.segments or ())),
        words=tuple(Span(text=word.word, start_s=word.start, end_s=word.end) for word in payload.words or ()),
        usage=Usage(input_tokens=usage.input_tokens, output_tokens=usage.output_tokens) if counted else None,
        charged_s=usage.seconds,
    )


def _segment(segment: _Segment) -> Span:
    return Span(
        text=segment.text,
        start_s=segment.start,
        end_s=segment.end,
        logprob=segment.avg_logprob,
        no_speech=segment.no_speech_prob,
    )


def _seconds(written: float | str) -> float | None:
    try:
        return float(written)
    except ValueError:
        return None
