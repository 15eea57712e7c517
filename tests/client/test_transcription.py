"""client/transcription.py against the emulated OpenAI API, beside the `openai` package."""

from __future__ import annotations

import asyncio
import io
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from polychat import AsyncClient, BadOption, Client, FormatChanged, Interrupted, UnsupportedFeature
from polychat.client.transcripts import Transcription, TranscriptionTextDelta, TranscriptionTextDone
from polychat.engine.settings import load
from polychat.errors import BadRequest
from polychat.sandbox import Sandbox
from polychat.sandbox.services.openai import sound

HEAR = "/v1/audio/transcriptions"
WAV = sound.wav("one two three")
HEARD = "I hear a wav sound of 1.20 seconds: "


@pytest.fixture
def create(sandbox_client: Callable[..., Client]) -> Callable[..., Any]:
    """create(**fields): the transcript of a sound of 1.2 s by whisper-1."""
    client = sandbox_client()
    return lambda **fields: client.audio.transcriptions.create(**{"model": "openai/whisper-1", "file": WAV} | fields)


def test_speech_is_written_down(create: Any) -> None:
    """With what it cost and who did it."""
    told = create()
    assert isinstance(told, Transcription)
    assert told.text.startswith(HEARD)
    assert (told.model, told.provider, told.account) == ("whisper-1", "openai", "sandbox-alice@openai")
    assert told.usage is not None
    assert (told.usage.type, told.usage.seconds, told.duration, told.segments) == ("duration", 1.0, None, None)


@pytest.mark.parametrize("form", ["text", "srt", "vtt"])
def test_plain_forms_are_those_of_the_official_package(create: Any, sandbox: Sandbox, form: str) -> None:
    """Word for word, though made here."""
    import openai

    with openai.OpenAI(base_url=f"{sandbox.url}/openai/v1", api_key="sandbox-alice") as official:
        theirs: Any = official.audio.transcriptions.create(model="whisper-1", file=("a.wav", WAV), response_format=form)
    assert create(response_format=form).strip() == theirs.strip()


def test_verbose_json_tells_times(create: Any, sandbox: Sandbox) -> None:
    """Of segments, unless words are asked for; as the official package tells them."""
    import openai

    with openai.OpenAI(base_url=f"{sandbox.url}/openai/v1", api_key="sandbox-alice") as official:
        theirs = official.audio.transcriptions.create(
            model="whisper-1", file=("a.wav", WAV), response_format="verbose_json",
            timestamp_granularities=["segment", "word"],
        )  # fmt: skip
    ours = create(response_format="verbose_json", timestamp_granularities=["segment", "word"])
    assert (ours.text, ours.language, ours.duration) == (theirs.text, theirs.language, theirs.duration)
    assert [word.model_dump() for word in ours.words] == [word.model_dump() for word in theirs.words or ()]
    (mine,), (other,) = ours.segments, theirs.segments or ()
    for name in ("id", "start", "end", "text", "avg_logprob", "no_speech_prob"):
        assert getattr(mine, name) == getattr(other, name)
    assert create(response_format="verbose_json").words is None


def test_a_newer_model_counts_tokens(create: Any) -> None:
    """In and out, and together."""
    usage = create(model="openai/gpt-4o-transcribe").usage
    assert (usage.type, usage.input_tokens, usage.total_tokens) == ("tokens", 12, 12 + usage.output_tokens)
    assert usage.seconds is None


def test_words_are_read_along(create: Any, sandbox: Sandbox) -> None:
    """Under the names of the official package, event by event."""
    import openai

    with create(model="openai/gpt-4o-transcribe", stream=True) as stream:
        events = list(stream)
    with openai.OpenAI(base_url=f"{sandbox.url}/openai/v1", api_key="sandbox-alice") as official:
        theirs: Any = official.audio.transcriptions.create(model="gpt-4o-transcribe", file=("a.wav", WAV), stream=True)
        expected = list(theirs)
    assert [event.type for event in events] == [event.type for event in expected]
    *deltas, last = events
    assert [delta.delta for delta in deltas] == [event.delta for event in expected[:-1]]
    assert isinstance(last, TranscriptionTextDone)
    assert (last.text, last.usage.output_tokens) == (expected[-1].text, expected[-1].usage.output_tokens)
    assert (stream.provider, stream.model, stream.account) == ("openai", "gpt-4o-transcribe", "sandbox-alice@openai")


def test_leaving_early_hangs_up(create: Any, sandbox: Sandbox) -> None:
    """The service sees it."""
    sandbox.fault("openai", "stall", path=HEAR, after=2)
    with create(model="openai/gpt-4o-transcribe", stream=True) as stream:
        assert isinstance(next(stream), TranscriptionTextDelta)
    deadline = time.monotonic() + 10
    while (how := sandbox.journal(path=HEAR)[-1].ended) == "open" and time.monotonic() < deadline:
        time.sleep(0.01)
    assert (how, list(stream)) == ("client left", [])


def test_a_file_may_be_given_in_every_form(create: Any, tmp_path: Path) -> None:
    """Path, open file, bytes, with a name."""
    path = tmp_path / "talk.wav"
    path.write_bytes(WAV)
    with path.open("rb") as file:
        forms = [path, str(path), file, io.BytesIO(WAV), ("talk.wav", WAV), ("talk.wav", io.BytesIO(WAV), "audio/wav")]
        assert {create(file=form).text for form in forms} == {create().text}


def test_a_service_alone_is_asked_with_its_first_model_that_can(create: Any) -> None:
    """Whatever model is its usual one."""
    assert create(model="openai").model == "whisper-1"


@pytest.mark.parametrize(
    ("fields", "kind", "field", "complaint"),
    [
        ({"file": b""}, BadOption, "file", "file is empty (0 bytes)"),
        ({"file": b"some words"}, BadOption, "file", "the file is text/plain, not sound"),
        ({"file": ("notes.txt", b"some words")}, BadOption, "file", "notes.txt is text/plain, not sound"),
        ({"file": b"GIF89a"}, BadOption, "file", "file is image/gif, not sound"),
        ({"file": ("a.gif", b"GIF89a")}, BadOption, "file", "a.gif is image/gif, not sound"),
        ({"file": WAV + bytes(25 * 2**20)}, BadOption, "file", "the file is larger than the 25 MB"),
        ({"file": "/nowhere.wav"}, BadOption, "file", "cannot read /nowhere.wav"),
        ({"file": 7}, BadOption, "file", "file is int; give a path"),
        ({"response_format": "pdf"}, BadOption, "response_format", "response_format is not one of json, verbose_json"),
        ({"timestamp_granularities": ["word"]}, BadOption, "timestamp_granularities", "goes with response_format"),
        ({"stream": True, "response_format": "srt"}, BadOption, "response_format", "stream goes with response_format"),
        ({"temperature": "hot"}, BadOption, "temperature", "temperature: expected"),
        ({"lang": "de"}, BadOption, "lang", "there is no argument 'lang'"),
        ({"model": "openai/gpt-4o"}, UnsupportedFeature, None, "openai/gpt-4o does not write down speech"),
        ({"model": "reka"}, UnsupportedFeature, None, "reka does not write down speech"),
        ({"model": None}, BadOption, "model", "model is missing"),
    ],
    ids=lambda value: str(value)[:40],
)
def test_what_cannot_be_is_refused_before_anything_is_sent(
    create: Any, sandbox: Sandbox, fields: dict[str, Any], kind: type[Exception], field: str | None, complaint: str
) -> None:
    """One sentence names it, and the service hears nothing."""
    with pytest.raises(kind) as caught:
        create(**fields)
    assert complaint in str(caught.value)
    assert getattr(caught.value, "field", None) == field
    assert sandbox.journal() == []


@pytest.mark.parametrize(
    ("fields", "complaint"),
    [
        ({"file": b"\x00\x01\x02\x03"}, "The file is no sound that is taken"),
        ({"file": b"RIFF\0\0\0\0WAVE"}, "The sound cannot be read"),
        ({"language": "Deutsch"}, "'language'"),
        ({"temperature": 2}, "'temperature'"),
        ({"model": "openai/gpt-4o-transcribe", "response_format": "srt"}, "'response_format'"),
    ],
    ids=["unknown bytes", "broken", "language", "temperature", "times"],
)
def test_the_rest_is_the_services_word(create: Any, fields: dict[str, Any], complaint: str) -> None:
    """One sentence with the field."""
    with pytest.raises(BadRequest, match="openai says") as caught:
        create(**fields)
    assert complaint in caught.value.message


def test_words_without_times_are_no_subtitles(create: Any, sandbox: Sandbox) -> None:
    """And not passed off as such; silence has none."""
    sandbox.fault("openai", "changed_field", field="segments", to="parts", path=HEAR)
    with pytest.raises(FormatChanged, match="openai told no times with its words") as caught:
        create(response_format="srt")
    assert caught.value.hint == "ask for response_format text"


def test_a_transcript_that_breaks_is_no_transcript(create: Any, sandbox: Sandbox) -> None:
    """Whole or not at all, unless it is read along."""
    sandbox.fault("openai", "drop", after=2, path=HEAR)
    with create(model="openai/gpt-4o-transcribe", stream=True) as stream:
        came = [next(stream), next(stream)]
        with pytest.raises(Interrupted, match="ended the transcript without finishing it"):
            next(stream)
    assert [type(event) for event in came] == [TranscriptionTextDelta] * 2


def test_the_asynchronous_client_does_the_same(sandbox: Sandbox, tmp_path: Path) -> None:
    """At any address, with `await` and `async for`."""
    settings = load(environ={"POLYCHAT_HOME": str(tmp_path)})

    async def main() -> tuple[str, str, str, list[str]]:
        url = f"{sandbox.url}/openai/v1"
        async with AsyncClient(base_url=url, api_key="sandbox-alice", settings=settings) as client:
            create = client.audio.transcriptions.create
            whole = await create(model="whisper-1", file=WAV)
            plain = await create(model="whisper-1", file=WAV, response_format="text")
            async with await create(model="gpt-4o-transcribe", file=WAV, stream=True) as stream:
                events = [event async for event in stream]
        return whole.text, plain, "".join(getattr(event, "delta", "") for event in events), [stream.provider]

    whole, plain, streamed, provider = asyncio.run(main())
    assert whole == plain == streamed
    assert provider == ["custom"]
