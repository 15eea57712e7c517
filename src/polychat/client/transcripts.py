"""Transcripts under the names that users of the OpenAI SDK know."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from polychat.client.shapes import Shape
from polychat.types import Span, Transcript

if TYPE_CHECKING:
    from polychat.engine.flow import Flow


class TranscriptionUsage(Shape, kw_only=True):
    """What was charged: tokens, or seconds of sound."""

    type: Literal["tokens", "duration"]
    input_tokens: int | None = None
    output_tokens: int | None = None
    total_tokens: int | None = None
    seconds: float | None = None


class TranscriptionSegment(Shape, kw_only=True):
    """A stretch of speech; times in seconds."""

    id: int
    start: float
    end: float
    text: str
    avg_logprob: float | None = None
    no_speech_prob: float | None = None


class TranscriptionWord(Shape, kw_only=True):
    """A word; times in seconds."""

    word: str
    start: float
    end: float


class Transcription(Shape, kw_only=True):
    """What was said, and who wrote it down."""

    text: str
    language: str | None = None  # as the service names it
    duration: float | None = None  # of the sound, in seconds
    segments: list[TranscriptionSegment] | None = None
    words: list[TranscriptionWord] | None = None
    usage: TranscriptionUsage | None = None
    model: str
    provider: str
    account: str


class TranscriptionTextDelta(Shape, kw_only=True):
    """More words."""

    delta: str
    type: Literal["transcript.text.delta"] = "transcript.text.delta"


class TranscriptionTextDone(Shape, kw_only=True):
    """All of them; the last event."""

    text: str
    usage: TranscriptionUsage | None = None
    type: Literal["transcript.text.done"] = "transcript.text.done"


TranscriptionEvent = TranscriptionTextDelta | TranscriptionTextDone


def told(transcript: Transcript, flow: Flow[str | Transcript]) -> Transcription:
    """The transcript that `flow` brought."""
    words = [TranscriptionWord(word=word.text, start=word.start_s, end=word.end_s) for word in transcript.words]
    return Transcription(
        text=transcript.text,
        language=transcript.language,
        duration=transcript.duration_s,
        segments=[_segment(index, span) for index, span in enumerate(transcript.segments)] or None,
        words=words or None,
        usage=charged(transcript),
        model=flow.model,
        provider=flow.provider,
        account=flow.account,
    )


def _segment(index: int, span: Span) -> TranscriptionSegment:
    return TranscriptionSegment(
        id=index,
        start=span.start_s,
        end=span.end_s,
        text=span.text,
        avg_logprob=span.logprob,
        no_speech_prob=span.no_speech,
    )


def charged(transcript: Transcript) -> TranscriptionUsage | None:
    """What the service counted, if it told."""
    if (tokens := transcript.usage) is not None:
        heard, written = tokens.input_tokens or 0, tokens.output_tokens or 0
        return TranscriptionUsage(
            type="tokens", input_tokens=heard, output_tokens=written, total_tokens=heard + written
        )
    if transcript.charged_s is not None:
        return TranscriptionUsage(type="duration", seconds=transcript.charged_s)
    return None
