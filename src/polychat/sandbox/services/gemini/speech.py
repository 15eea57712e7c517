"""Spoken answers: who is to speak, and the words as bare samples. Every word is a tone of its own, whoever speaks.

Source: the public page on speech generation, November 2026.
"""

from __future__ import annotations

from base64 import b64encode

from polychat.sandbox.services.gemini import refusals
from polychat.sandbox.services.gemini.proto import Wire
from polychat.sandbox.services.openai import sound

MEDIA_TYPE = f"audio/L16;codec=pcm;rate={sound.RATE_HZ}"
TOKENS_A_WORD = 10
VOICES = (
    "Zephyr", "Puck", "Charon", "Kore", "Fenrir", "Leda", "Orus", "Aoede", "Callirrhoe", "Autonoe", "Enceladus",
    "Iapetus", "Umbriel", "Algieba", "Despina", "Erinome", "Algenib", "Rasalgethi", "Laomedeia", "Achernar", "Alnilam",
    "Schedar", "Gacrux", "Pulcherrima", "Achird", "Zubenelgenubi", "Vindemiatrix", "Sadachbia", "Sadaltager", "Sulafat",
)  # fmt: skip
_SPEAKERS = 2
_PLACE = "generation_config.speech_config"


class PrebuiltVoiceConfig(Wire, frozen=True, kw_only=True):
    """One of the service's voices."""

    voice_name: str = ""


class VoiceConfig(Wire, frozen=True, kw_only=True):
    """A voice."""

    prebuilt_voice_config: PrebuiltVoiceConfig | None = None


class SpeakerVoiceConfig(Wire, frozen=True, kw_only=True):
    """A voice for one who is named in the text."""

    speaker: str = ""
    voice_config: VoiceConfig | None = None


class MultiSpeakerVoiceConfig(Wire, frozen=True, kw_only=True):
    """Voices for a talk."""

    speaker_voice_configs: tuple[SpeakerVoiceConfig, ...] = ()


class SpeechConfig(Wire, frozen=True, kw_only=True):
    """How to speak."""

    voice_config: VoiceConfig | None = None
    multi_speaker_voice_config: MultiSpeakerVoiceConfig | None = None
    language_code: str | None = None


def judge(config: SpeechConfig) -> None:
    """Raises: Refusal unless one voice speaks, or two of which each has a name."""
    several = config.multi_speaker_voice_config
    if several is None:
        _judge_voice(config.voice_config, f"{_PLACE}.voice_config")
        return
    if config.voice_config is not None:
        raise refusals.bad(f"{_PLACE}.voice_config", "it excludes multi_speaker_voice_config.")
    place = f"{_PLACE}.multi_speaker_voice_config.speaker_voice_configs"
    speakers = several.speaker_voice_configs
    if len({one.speaker for one in speakers if one.speaker}) != _SPEAKERS or len(speakers) != _SPEAKERS:
        raise refusals.bad(place, f"{_SPEAKERS} speakers with names of their own are required.")
    for index, one in enumerate(speakers):
        _judge_voice(one.voice_config, f"{place}[{index}].voice_config")


def _judge_voice(voice: VoiceConfig | None, place: str) -> None:
    if voice is None or voice.prebuilt_voice_config is None:
        return
    name = voice.prebuilt_voice_config.voice_name
    if name.lower() not in map(str.lower, VOICES):
        raise refusals.bad(f"{place}.prebuilt_voice_config.voice_name", f"'{name}' is none of {', '.join(VOICES)}.")


def spoken(words: str) -> dict[str, str]:
    """Words as a blob."""
    return {"mimeType": MEDIA_TYPE, "data": b64encode(sound.pcm(words)).decode()}
