"""How code over pictures and sound is typed: `make check` runs mypy over this file; nothing here is executed."""

from pathlib import Path
from typing import assert_type

from polychat import AsyncClient, Client
from polychat.client.pictures import ImagesResponse
from polychat.client.transcription import AsyncTranscriptionStream, TranscriptionStream
from polychat.client.transcripts import Transcription, TranscriptionTextDelta, TranscriptionTextDone


def pictures(client: Client) -> None:
    """Drawn and changed alike."""
    made = client.images.generate(model="openai", prompt="a fox", n=2, size="1024x1024", output_format="webp")
    assert_type(made, ImagesResponse)
    assert_type(made.data[0].bytes, bytes)
    assert_type(made.data[0].save("fox.webp"), Path)
    assert_type(client.images.edit(prompt="in blue", image=[b"...", "cat.png"], mask=b"..."), ImagesResponse)


def transcripts(client: Client) -> None:
    """The form that is asked for decides what comes."""
    create = client.audio.transcriptions.create
    assert_type(create(file="talk.mp3"), Transcription)
    assert_type(create(file="talk.mp3", response_format="verbose_json"), Transcription)
    assert_type(create(file="talk.mp3", response_format="srt", language="de"), str)
    with create(file="talk.mp3", stream=True) as stream:
        assert_type(stream, TranscriptionStream)
        for event in stream:
            assert_type(event, TranscriptionTextDelta | TranscriptionTextDone)


async def asynchronous(client: AsyncClient) -> None:
    """The same with `await`."""
    create = client.audio.transcriptions.create
    assert_type(await create(file="talk.mp3"), Transcription)
    assert_type(await create(file="talk.mp3", response_format="text"), str)
    assert_type(await create(file="talk.mp3", stream=True), AsyncTranscriptionStream)
    assert_type(await client.images.edit(prompt="in blue", image=b"..."), ImagesResponse)


def wrong(client: Client) -> None:
    """A slip is seen before anything runs."""
    client.images.generate(prompt="a fox", qualty="high")  # type: ignore[call-arg]
    client.images.edit(prompt="a fox")  # type: ignore[call-arg]
    client.audio.speech.create(input="Hello", speed="fast")  # type: ignore[arg-type]
    client.audio.transcriptions.create(file="talk.mp3", response_format="pdf")  # type: ignore[call-overload]
    client.audio.transcriptions.create(file="talk.mp3", langage="de")  # type: ignore[call-overload]
