"""How an answer is to be made: sampling, limits, and the form it has.

Sampling is checked and has no effect: the sandbox gives the same answer to the same question.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal

import msgspec

from polychat.sandbox.services.gemini import openapi, refusals, speech, thinking
from polychat.sandbox.services.gemini.models import Model
from polychat.sandbox.services.gemini.openapi import JsonSchema, Schema
from polychat.sandbox.services.gemini.proto import Wire
from polychat.sandbox.services.gemini.speech import SpeechConfig
from polychat.sandbox.services.gemini.thinking import Thinking, ThinkingConfig

Penalty = Annotated[float, msgspec.Meta(ge=-2, le=2)]
Stop = Annotated[str, msgspec.Meta(min_length=1)]
Modality = Literal["MODALITY_UNSPECIFIED", "TEXT", "IMAGE", "AUDIO", "VIDEO"]
JSON, ENUM = "application/json", "text/x.enum"
ANYTHING: JsonSchema = {"type": "object", "properties": {"answer": {"type": "string"}}, "required": ["answer"]}
RATIOS = {  # of pictures, and their pixels at the size 1K
    "1:1": (1024, 1024), "2:3": (832, 1248), "3:2": (1248, 832), "3:4": (864, 1184), "4:3": (1184, 864),
    "4:5": (896, 1152), "5:4": (1152, 896), "9:16": (768, 1344), "16:9": (1344, 768), "21:9": (1536, 672),
}  # fmt: skip
_WITHOUT_SAYING = frozenset({"TEXT", "IMAGE"})  # speech has to be asked for
_PLACE = "generation_config"
_UNPLAYED = {
    "response_logprobs": "token probabilities", "logprobs": "token probabilities",
    "audio_transcription_config": "transcripts of sounds", "response_format": "several forms of an answer",
}  # fmt: skip


class ImageConfig(Wire, frozen=True, kw_only=True):
    """How a picture is to be."""

    aspect_ratio: Literal["1:1", "2:3", "3:2", "3:4", "4:3", "4:5", "5:4", "9:16", "16:9", "21:9"] = "1:1"
    image_size: Literal["1K", "2K"] = "1K"

    @property
    def pixels(self) -> tuple[int, int]:
        """Width and height."""
        width, height = RATIOS[self.aspect_ratio]
        return (width, height) if self.image_size == "1K" else (2 * width, 2 * height)


class GenerationConfig(Wire, frozen=True, kw_only=True):
    """The settings of a request."""

    stop_sequences: Annotated[tuple[Stop, ...], msgspec.Meta(max_length=5)] = ()
    response_mime_type: str = "text/plain"
    response_schema: Schema | None = None
    response_json_schema: Any = None
    response_modalities: tuple[Modality, ...] = ()
    candidate_count: int = 1
    max_output_tokens: int | None = None
    temperature: Annotated[float, msgspec.Meta(ge=0, le=2)] | None = None
    top_p: Annotated[float, msgspec.Meta(ge=0, le=1)] | None = None
    top_k: Annotated[int, msgspec.Meta(ge=1)] | None = None
    seed: Annotated[int, msgspec.Meta(ge=-(2**31), le=2**31 - 1)] | None = None
    presence_penalty: Penalty | None = None
    frequency_penalty: Penalty | None = None
    media_resolution: str | None = None
    enable_enhanced_civic_answers: bool | None = None
    thinking_config: ThinkingConfig | None = None
    image_config: ImageConfig | None = None
    response_logprobs: bool | None = None
    logprobs: int | None = None
    speech_config: SpeechConfig | None = None
    audio_transcription_config: dict[str, Any] | None = None
    response_format: Any = None


class Form(msgspec.Struct, frozen=True, kw_only=True):
    """What the settings come to."""

    max_tokens: int  # thinking counts
    stop: tuple[str, ...]
    thinking: Thinking
    schema: JsonSchema | None  # that the answer must obey
    bare: bool  # one of the schema's words, not as JSON
    wanted: frozenset[str]  # text, a picture, or speech
    image: ImageConfig


def judged(config: GenerationConfig, model: Model) -> Form:
    """The settings, judged. Raises: Refusal."""
    for field, what in _UNPLAYED.items():
        if getattr(config, field) not in (None, False):
            raise refusals.unplayed(f"{_PLACE}.{field}", what)
    if config.candidate_count != 1:
        raise refusals.bad(f"{_PLACE}.candidate_count", "only one candidate is given.")
    _judge_penalties(config, model)
    wanted = _modalities(config, model)
    return Form(
        max_tokens=_limit(config, model), stop=config.stop_sequences, schema=_schema(config, model),
        thinking=thinking.judged(config.thinking_config, model), bare=config.response_mime_type == ENUM,
        wanted=wanted, image=config.image_config or ImageConfig(),
    )  # fmt: skip


def _limit(config: GenerationConfig, model: Model) -> int:
    if config.max_output_tokens is None:
        return model.output_tokens
    if not 1 <= config.max_output_tokens <= model.output_tokens:
        message = (
            f"{config.max_output_tokens} is out of range: models/{model.id} says 1 to {model.output_tokens} tokens."
        )
        raise refusals.bad(f"{_PLACE}.max_output_tokens", message)
    return config.max_output_tokens


def _judge_penalties(config: GenerationConfig, model: Model) -> None:
    for field in ("presence_penalty", "frequency_penalty"):
        if model.strict and getattr(config, field) is not None:
            raise refusals.bad(f"{_PLACE}.{field}", f"penalties are not enabled for models/{model.id}.")


def _modalities(config: GenerationConfig, model: Model) -> frozenset[str]:
    wanted = frozenset(config.response_modalities or (_WITHOUT_SAYING & model.modalities) or {"TEXT"})
    if not wanted <= model.modalities:
        known = " and ".join(sorted(model.modalities))
        message = f"models/{model.id} answers in {known}, not in {', '.join(sorted(wanted))}."
        raise refusals.bad(f"{_PLACE}.response_modalities", message)
    if config.image_config is not None and "IMAGE" not in wanted:
        raise refusals.bad(f"{_PLACE}.image_config", "it is only taken where a picture is asked for.")
    if config.speech_config is not None:
        if "AUDIO" not in wanted:
            raise refusals.bad(f"{_PLACE}.speech_config", "it is only taken where speech is asked for.")
        speech.judge(config.speech_config)
    return wanted


def _schema(config: GenerationConfig, model: Model) -> JsonSchema | None:
    """The schema that the answer must obey, if any."""
    mime_type, free = config.response_mime_type, config.response_json_schema
    if mime_type not in ("text/plain", JSON, ENUM):
        raise refusals.bad(f"{_PLACE}.response_mime_type", f"only text/plain, {JSON} and {ENUM} are taken.")
    if config.response_schema is not None and free is not None:
        raise refusals.bad(f"{_PLACE}.response_schema", "it excludes response_json_schema.")
    if config.response_schema is None and free is None:
        return _without_schema(mime_type, model)
    field = "response_schema" if free is None else "response_json_schema"
    if mime_type == "text/plain":
        raise refusals.bad(f"{_PLACE}.{field}", f"it is only taken with the response_mime_type {JSON} or {ENUM}.")
    _judge_json(model)
    if free is not None:
        schema = openapi.judged_json(free, f"{_PLACE}.{field}", of_object=False)
    else:
        schema = openapi.judged(config.response_schema or Schema(), f"{_PLACE}.{field}")
    if mime_type == ENUM and not schema.get("enum"):
        raise refusals.bad(f"{_PLACE}.{field}", f"with {ENUM} it must be a list of words to choose from.")
    return schema


def _without_schema(mime_type: str, model: Model) -> JsonSchema | None:
    if mime_type == ENUM:
        raise refusals.bad(f"{_PLACE}.response_schema", f"it is required with {ENUM}.")
    if mime_type == JSON:
        _judge_json(model)
        return ANYTHING
    return None


def _judge_json(model: Model) -> None:
    if not model.json:
        raise refusals.bad(f"{_PLACE}.response_mime_type", f"answers in JSON are not enabled for models/{model.id}.")
