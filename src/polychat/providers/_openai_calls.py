"""What the OpenAI dialect does beside chat: pictures, speech, transcripts; each one request and its answer.

`headers` prove who asks. Files go out as multipart/form-data.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, Mapping

import msgspec

from polychat import media
from polychat.errors import FormatChanged, Interrupted
from polychat.net.session import Session
from polychat.net.statuses import looks_like_html
from polychat.net.transport import FilePart, HttpResponse
from polychat.types import Drawing, Drawn, Image, Recording, Transcript, Utterance
from polychat.wire import openai_audio, openai_errors, openai_images

_PICTURES_BYTES = 512 * 2**20  # ten of the largest, in base64
_ERROR_BYTES = 64 * 1024

Headers = Mapping[str, str]


async def draw(session: Session, drawing: Drawing, headers: Headers) -> Drawn:
    """Pictures from words, or from words and pictures."""
    openai_images.check_options(drawing.options, session.provider)
    if drawing.images or drawing.mask is not None:
        path, json, parts = "/images/edits", None, _form(drawing)
    else:
        path, json, parts = "/images/generations", openai_images.body(drawing), ()
    async with session.open("POST", path, json=json, parts=parts, headers=headers) as response:
        body = await response.read(_PICTURES_BYTES)
    try:
        answer = msgspec.json.decode(body, type=openai_images.Answer)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        what = "a web page" if looks_like_html(body) else f"{len(body)} bytes ({error})"
        raise FormatChanged(f"{session.provider} answered {path} with {what} instead of pictures") from error
    return openai_images.drawn(answer)


async def speak(
    session: Session, utterance: Utterance, headers: Headers, *, usual_voice: str | None
) -> AsyncGenerator[bytes]:
    """A text said aloud, as the sound comes."""
    asked = openai_audio.speech_body(utterance, usual_voice)
    async with session.open("POST", "/audio/speech", json=asked, headers=headers) as response:
        await _check(response, session.provider, "application/json")
        async for chunk in response.chunks():
            yield chunk


async def transcribe(
    session: Session, recording: Recording, headers: Headers, *, limit_mb: int | None
) -> AsyncGenerator[str | Transcript]:
    """Speech written down: more of it as it comes, and last the whole."""
    openai_audio.check_sound(recording.sound, limit_mb)
    sound = recording.sound
    file = FilePart(
        name="file", data=sound.data or b"", filename=openai_audio.filename(sound), media_type=sound.media_type
    )
    parts = (*map(_field, openai_audio.form(recording)), file)
    decoder = openai_audio.Decoder(session.provider)
    async with session.open("POST", "/audio/transcriptions", parts=parts, headers=headers) as response:
        await _check(response, session.provider)
        async for chunk in response.chunks():
            for piece in decoder.feed(chunk):
                yield piece
        for piece in decoder.close():
            yield piece
    if not decoder.finished:
        raise Interrupted(f"{session.provider} ended the transcript without finishing it")


async def _check(response: HttpResponse, provider: str, *errors: str) -> None:
    """Raise what an answer of 200 means that is a web page, or of a type that only errors have."""
    kind = response.headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind == "text/html":
        raise FormatChanged(f"{provider} answered with a web page instead of data")
    if kind in errors:
        raise openai_errors.inside(await response.read(_ERROR_BYTES), provider=provider)


def _form(drawing: Drawing) -> tuple[FilePart, ...]:
    fields = map(_field, openai_images.fields(drawing))
    return (*fields, *(_file(name, image) for name, image in openai_images.files(drawing)))


def _field(field: tuple[str, str]) -> FilePart:
    name, text = field
    return FilePart(name=name, data=text.encode())


def _file(name: str, image: Image) -> FilePart:
    kind = image.media_type or media.OCTETS
    filename = f"{name.removesuffix('[]')}.{media.extension(kind)}"
    return FilePart(name=name, data=image.data or b"", filename=filename, media_type=kind)
