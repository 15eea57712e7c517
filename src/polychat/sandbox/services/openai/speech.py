"""POST /audio/speech: words said aloud, as `sound` makes them. Opus, AAC and FLAC need an encoder and are refused."""

from __future__ import annotations

from typing import Annotated, Any, Literal

import msgspec
from starlette.responses import Response

from polychat.sandbox import brain
from polychat.sandbox.services.openai import refusals, sound
from polychat.sandbox.services.openai.bodies import Wire, read
from polychat.sandbox.services.openai.gate import model as find
from polychat.sandbox.services.openai.gate import spend
from polychat.sandbox.services.openai.state import ApiCall

VOICES = (
    "alloy", "ash", "ballad", "cedar", "coral", "echo", "fable", "marin", "nova", "onyx", "sage", "shimmer", "verse",
)  # fmt: skip
_MADE = {
    "mp3": (sound.mp3, "audio/mpeg"), "wav": (sound.wav, "audio/wav"), "pcm": (sound.pcm, "audio/pcm"),
}  # fmt: skip


class Asked(Wire, frozen=True, kw_only=True):
    """The body."""

    input: Annotated[str, msgspec.Meta(min_length=1, max_length=4096)]
    model: str
    voice: str | dict[str, Any]
    instructions: str | None = None
    response_format: Literal["mp3", "opus", "aac", "flac", "wav", "pcm"] = "mp3"
    speed: Annotated[float, msgspec.Meta(ge=0.25, le=4)] = 1.0
    stream_format: Literal["sse", "audio"] = "audio"


async def speak(call: ApiCall) -> Response:
    """The sound."""
    asked = read(call, Asked)
    find(call, asked.model, "speech")
    if asked.voice not in VOICES:
        raise refusals.invalid_value("voice", f"expected one of {', '.join(VOICES)}.")
    if asked.response_format not in _MADE:
        raise refusals.unplayed("response_format", f"the format '{asked.response_format}', only {', '.join(_MADE)}")
    if asked.stream_format == "sse":
        raise refusals.unplayed("stream_format", "speech as events, only as bytes")
    spend(call, len(brain.pieces(asked.input)))
    make, media_type = _MADE[asked.response_format]
    return Response(make(asked.input, asked.speed), media_type=media_type)
