"""Spoken answers: voices, samples, and who may not be asked for them."""

from __future__ import annotations

import pytest

from polychat.sandbox.services.gemini.speech import VOICES

MODEL = "gemini-2.5-flash-preview-tts"
ALOUD = {"response_modalities": ["AUDIO"]}


def voice(name):
    """One voice."""
    return {"prebuilt_voice_config": {"voice_name": name}}


def talk(*names, of="Kore"):
    """A voice for each."""
    speakers = [{"speaker": name, "voice_config": voice(of)} for name in names]
    return {"multi_speaker_voice_config": {"speaker_voice_configs": speakers}}


def test_the_text_is_said_and_not_answered(generate):
    """Every word for 0.4 s, 16 bits a sample, 24,000 a second."""
    told = generate("Hello there", MODEL, speech_config={"voice_config": voice("Kore")}, **ALOUD)
    (part,) = told.parts
    assert part.inline_data.mime_type == "audio/L16;codec=pcm;rate=24000"
    assert len(part.inline_data.data) == 2 * 19_200
    (details,) = told.usage_metadata.candidates_tokens_details
    assert (details.modality.value, details.token_count) == ("AUDIO", 20)


def test_in_a_stream_it_comes_in_pieces(generate, stream):
    """Whose sum it is."""
    chunks = stream("One two three", MODEL, **ALOUD)
    data = b"".join(part.inline_data.data for chunk in chunks for part in chunk.parts)
    assert (len(chunks), data) == (3, generate("One two three", MODEL, **ALOUD).parts[0].inline_data.data)


def test_a_script_is_said_aloud(generate, sandbox):
    """In place of the text."""
    sandbox.script("gemini", chunks=["a", " b", " c"])
    assert len(generate("x", MODEL, **ALOUD).parts[0].inline_data.data) == 3 * 19_200


@pytest.mark.parametrize(
    "config", [{}, {"voice_config": {}}, {"voice_config": voice("kore")}, talk("Joe", "Jane")], ids=str
)
def test_one_or_two_may_speak(generate, config):
    """A voice need not be named."""
    assert generate("Hi", MODEL, speech_config=config | {"language_code": "en-US"}, **ALOUD).parts


def test_there_are_thirty_voices():
    """Each once."""
    assert len(set(VOICES)) == 30


SPEAKERS = ".multi_speaker_voice_config.speaker_voice_configs"


@pytest.mark.parametrize(
    ("config", "field"),
    [
        ({"voice_config": voice("Nobody")}, ".voice_config.prebuilt_voice_config.voice_name"),
        ({"voice_config": voice("")}, ".voice_config.prebuilt_voice_config.voice_name"),
        (talk("Joe", "Jane") | {"voice_config": {}}, ".voice_config"),
        (talk("Joe"), SPEAKERS),
        (talk("Joe", "Joe"), SPEAKERS),
        (talk("Joe", ""), SPEAKERS),
        (talk("Joe", "Jane", "Joe"), SPEAKERS),
        (talk("Joe", "Jane", of="Nobody"), f"{SPEAKERS}[0].voice_config.prebuilt_voice_config.voice_name"),
    ],
)  # fmt: skip
def test_a_voice_that_is_none_is_refused(wrong, config, field):
    """400 with the place."""
    assert wrong({"generationConfig": ALOUD | {"speech_config": config}}, MODEL) == [
        f"generation_config.speech_config{field}"
    ]


@pytest.mark.parametrize("config", [{}, {"responseModalities": ["TEXT"]}, {"responseModalities": ["TEXT", "AUDIO"]}])
def test_a_model_that_speaks_does_nothing_else(wrong, config):
    """Speech has to be asked for."""
    assert wrong({"generationConfig": config}, MODEL) == ["generation_config.response_modalities"]


def test_a_model_that_speaks_takes_text_alone(wrong, blob, png):
    """No instructions, and nothing to look at."""
    config = {"generationConfig": ALOUD}
    assert wrong(config | {"systemInstruction": {"parts": {"text": "x"}}}, MODEL) == ["system_instruction"]
    contents = [{"parts": [{"text": "x"}, blob(png())]}]
    assert wrong(config | {"contents": contents}, MODEL) == ["contents[0].parts[1].inline_data"]
