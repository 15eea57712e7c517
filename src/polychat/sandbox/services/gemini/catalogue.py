"""The models that the service is emulated with: some of each sort that behaves differently.

Source: the model names in the `google-genai` package 3.4 and the public pages on models, thinking and embeddings,
November 2026.
"""

from __future__ import annotations

from msgspec.structs import replace

from polychat.sandbox.services.gemini.models import LEVELS, Model

_FLASH = Model(
    id="gemini-3.8-flash", name="Gemini 3.8 Flash", signs=True, mixes=True, strict=True, levels=LEVELS[1:],
    level="medium",
)  # fmt: skip
_PRO = Model(id="gemini-3.1-pro-preview", name="Gemini 3.1 Pro Preview", signs=True, mixes=True, levels=LEVELS[1:])
_BUDGETED = Model(id="gemini-2.5-flash", name="Gemini 2.5 Flash", budget=(1, 24_576), rests=True)
_PAINTER = Model(
    id="gemini-2.5-flash-image", name="Nano Banana", paints=True, tools=False, json=False, input_tokens=32_768,
    output_tokens=32_768,
)  # fmt: skip
_SPEAKER = Model(
    id="gemini-2.5-flash-preview-tts", name="Gemini 2.5 Flash Preview TTS", speaks=True, instructed=False, tools=False,
    json=False, input_tokens=8192, output_tokens=16_384,
)  # fmt: skip
_EMBEDDER = Model(
    id="gemini-embedding-001", name="Gemini Embedding 001", methods=("embedContent", "countTokens"), dimensions=3072,
    input_tokens=2048, output_tokens=1,
)  # fmt: skip

MODELS = (
    _FLASH,
    replace(_FLASH, id="gemini-flash-latest", name="Gemini Flash Latest", version=_FLASH.id),
    _PRO,
    replace(_PRO, id="gemini-3-pro-preview", name="Gemini 3 Pro Preview", levels=("low", "high")),
    replace(_PRO, id="gemini-3-flash-preview", name="Gemini 3 Flash Preview", levels=LEVELS),
    Model(id="gemini-2.5-pro", name="Gemini 2.5 Pro", budget=(128, 32_768)),
    _BUDGETED,
    replace(
        _BUDGETED, id="gemini-2.5-flash-lite", name="Gemini 2.5 Flash-Lite", budget=(512, 24_576), thinks_unasked=False
    ),
    _PAINTER,
    replace(
        _PAINTER, id="gemini-3.1-flash-lite-image", name="Gemini 3.1 Flash-Lite Image", levels=("minimal", "high"),
        level="minimal", input_tokens=65_536,
    ),
    _SPEAKER,
    replace(_SPEAKER, id="gemini-3.8-flash-tts", name="Gemini 3.8 Flash TTS"),
    Model(
        id="gemma-3-27b-it", name="Gemma 3 27B", input_tokens=131_072, output_tokens=8192, instructed=False,
        tools=False, json=False,
    ),
    _EMBEDDER,
    replace(_EMBEDDER, id="gemini-embedding-2", name="Gemini Embedding 2", input_tokens=8192, embeds_media=True),
)  # fmt: skip
