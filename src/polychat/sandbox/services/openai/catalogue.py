"""The models that the official service is emulated with: some of each sort that behaves differently.

Source: the model names in the types of the `openai` package 3.52, November 2026. Which of them search and draw: the
guides to web search and image generation at developers.openai.com, as far as they name models; those that are newer do
what the ones before them do.
"""

from __future__ import annotations

from typing import Literal

from polychat.sandbox.services.openai.models import EFFORTS, Model

_SEARCH: tuple[Literal["web_search"], ...] = ("web_search",)
_BOTH: tuple[Literal["web_search", "image_generation"], ...] = ("web_search", "image_generation")
_TIMED = ("json", "text", "srt", "verbose_json", "vtt")

MODELS = (
    Model(id="gpt-6-astra", context_tokens=1_050_000, output_tokens=128_000, efforts=EFFORTS, hosted=_BOTH),
    Model(id="gpt-5.5", context_tokens=1_050_000, output_tokens=128_000, efforts=("none", *EFFORTS[2:6]), hosted=_BOTH),
    Model(id="gpt-5-mini", context_tokens=400_000, output_tokens=128_000, efforts=EFFORTS[1:5], hosted=_SEARCH),
    Model(
        id="o4-mini", context_tokens=200_000, output_tokens=100_000, efforts=("low", "medium", "high"), hosted=_SEARCH
    ),
    Model(id="gpt-4.1", context_tokens=1_047_576, output_tokens=32_768, hosted=_BOTH),
    Model(id="gpt-4o", hosted=_BOTH),
    Model(id="gpt-4o-mini", hosted=_BOTH),
    Model(id="gpt-audio-mini", sees=False, reads=False, hears=True, schema=False),
    Model(id="gpt-3.5-turbo", sees=False, reads=False, schema=False, context_tokens=16_385, output_tokens=4096),
    Model(id="text-embedding-3-small", kind="embedding"),
    Model(id="text-embedding-3-large", kind="embedding", dimensions=3072),
    Model(id="text-embedding-ada-002", kind="embedding", shortens=False),
    Model(id="gpt-image-1", kind="image"),
    Model(id="gpt-image-2", kind="image"),
    Model(id="dall-e-3", kind="image", links=True, edits=False),
    Model(id="gpt-4o-mini-tts", kind="speech"),
    Model(id="tts-1", kind="speech"),
    Model(id="whisper-1", kind="transcription", formats=_TIMED),
    Model(id="gpt-4o-transcribe", kind="transcription", formats=("json",)),
)
