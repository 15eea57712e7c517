"""POST /audio/transcriptions: what is heard in a sound: how long it lasts and what its bytes are, never made-up words.

The length is measured for WAV and MP3 and unknown for the rest. A model that can, answers as events when asked to.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Annotated, Any, Literal

import msgspec
from starlette.responses import Response

from polychat.sandbox import brain, pictures
from polychat.sandbox.call import EventStream, json
from polychat.sandbox.multipart import Part
from polychat.sandbox.services.openai import refusals, sound
from polychat.sandbox.services.openai.bodies import Wire, convert, read_form
from polychat.sandbox.services.openai.gate import model as find
from polychat.sandbox.services.openai.gate import spend
from polychat.sandbox.services.openai.models import Model
from polychat.sandbox.services.openai.refusals import Refusal
from polychat.sandbox.services.openai.state import ApiCall

_TOKENS_A_SECOND = 10
_UNPLAYED = ("chunking_strategy", "known_speaker_names", "known_speaker_references", "include")


class Asked(Wire, frozen=True, kw_only=True):
    """The fields beside the file."""

    model: str
    language: Annotated[str, msgspec.Meta(pattern="^[a-z]{2,3}$")] | None = None
    languages: tuple[str, ...] | None = None
    prompt: str | None = None
    keywords: tuple[str, ...] | None = None
    response_format: Literal["json", "text", "srt", "verbose_json", "vtt", "diarized_json"] | None = None
    temperature: Annotated[float, msgspec.Meta(ge=0, le=1)] = 0
    timestamp_granularities: tuple[Literal["word", "segment"], ...] = ()
    stream: bool = False
    chunking_strategy: Any = None
    known_speaker_names: Any = None
    known_speaker_references: Any = None
    include: Any = None


class Heard(msgspec.Struct, frozen=True, kw_only=True):
    """A sound as it was understood."""

    text: str
    duration_s: float


async def transcribe(call: ApiCall) -> Response:
    """The text of a sound."""
    form = read_form(call, "file")
    asked = convert(form.fields, Asked)
    model = find(call, asked.model, "transcription")
    written = _form(asked, model)
    heard = _listen(form.file("file"))
    usage = _usage(heard, model)
    spend(call, usage.get("total_tokens", 0))
    if asked.stream and not _timed(model):
        return EventStream(_frames(heard, usage))
    return _WRITERS[written](heard, asked, usage)


def _form(asked: Asked, model: Model) -> str:
    """How the transcript is written. Raises: Refusal."""
    for field in _UNPLAYED:
        if getattr(asked, field) is not None:
            raise refusals.unplayed(field, f"'{field}'")
    written = asked.response_format or model.formats[0]
    if written not in model.formats:
        message = f"'{written}' is none of {', '.join(model.formats)}."
        raise refusals.unsupported_value("response_format", model.id, message)
    if asked.timestamp_granularities and written != "verbose_json":
        message = "'timestamp_granularities' is only taken with the response format 'verbose_json'."
        raise Refusal(message, param="timestamp_granularities")
    return written


def _listen(file: Part) -> Heard:
    kind = sound.kind(file.data)
    if kind is None:
        raise Refusal("The file is no sound that is taken: WAV, MP3, MP4, OGG, FLAC or WebM.", param="file")
    try:
        duration_s = sound.duration_s(file.data)
    except ValueError as mistake:
        raise Refusal(f"The sound cannot be read: {mistake}.", param="file") from None
    length = "whose length I cannot tell" if duration_s is None else f"of {duration_s:.2f} seconds"
    return Heard(text=f"I hear a {kind} sound {length}: {pictures.describe(file.data)}.", duration_s=duration_s or 0.0)


def _timed(model: Model) -> bool:
    """True for a model that knows when what was said; it is charged by the second and does not stream."""
    return "verbose_json" in model.formats


def _usage(heard: Heard, model: Model) -> dict[str, Any]:
    if _timed(model):
        return {"type": "duration", "seconds": round(heard.duration_s)}
    listened, written = round(heard.duration_s * _TOKENS_A_SECOND), len(brain.pieces(heard.text))
    return {
        "type": "tokens", "input_tokens": listened, "output_tokens": written, "total_tokens": listened + written,
        "input_token_details": {"text_tokens": 0, "audio_tokens": listened},
    }  # fmt: skip


async def _frames(heard: Heard, usage: dict[str, Any]) -> AsyncIterator[bytes]:
    for piece in brain.pieces(heard.text):
        yield _frame({"type": "transcript.text.delta", "delta": piece})
    yield _frame({"type": "transcript.text.done", "text": heard.text, "usage": usage})


def _frame(event: dict[str, Any]) -> bytes:
    return b"data: " + msgspec.json.encode(event) + b"\n\n"


def _plain(heard: Heard, asked: Asked, usage: dict[str, Any]) -> Response:
    return json({"text": heard.text, "usage": usage})


def _text(heard: Heard, asked: Asked, usage: dict[str, Any]) -> Response:
    return Response(f"{heard.text}\n", media_type="text/plain")


def _verbose(heard: Heard, asked: Asked, usage: dict[str, Any]) -> Response:
    wanted = asked.timestamp_granularities or ("segment",)
    timed: dict[str, Any] = {}
    if "segment" in wanted:
        timed["segments"] = [_segment(heard, asked)]
    if "word" in wanted:
        words = heard.text.split()
        step = heard.duration_s / len(words)
        timed["words"] = [
            {"word": word, "start": index * step, "end": (index + 1) * step} for index, word in enumerate(words)
        ]
    about = {"task": "transcribe", "language": asked.language or "english", "duration": heard.duration_s}
    return json({**about, "text": heard.text, **timed, "usage": usage})


def _segment(heard: Heard, asked: Asked) -> dict[str, Any]:
    return {
        "id": 0, "seek": 0, "start": 0.0, "end": heard.duration_s, "text": heard.text, "tokens": [],
        "temperature": asked.temperature, "avg_logprob": 0.0, "compression_ratio": 1.0, "no_speech_prob": 0.0,
    }  # fmt: skip


def _srt(heard: Heard, asked: Asked, usage: dict[str, Any]) -> Response:
    end = _clock(heard.duration_s).replace(".", ",")
    return Response(f"1\n00:00:00,000 --> {end}\n{heard.text}\n\n", media_type="text/plain")


def _vtt(heard: Heard, asked: Asked, usage: dict[str, Any]) -> Response:
    end = _clock(heard.duration_s)
    return Response(f"WEBVTT\n\n00:00:00.000 --> {end}\n{heard.text}\n\n", media_type="text/plain")


def _clock(seconds: float) -> str:
    return f"{int(seconds // 3600):02}:{int(seconds // 60 % 60):02}:{seconds % 60:06.3f}"


_WRITERS = {"json": _plain, "text": _text, "verbose_json": _verbose, "srt": _srt, "vtt": _vtt}
