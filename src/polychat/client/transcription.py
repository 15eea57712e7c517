"""Transcripts: `client.audio.transcriptions.create`, under the names that users of the OpenAI SDK know.

    print(client.audio.transcriptions.create(model="openai/whisper-1", file="talk.mp3").text)
    Path("talk.srt").write_text(client.audio.transcriptions.create(file="talk.mp3", response_format="srt", ...))

With `text`, `srt` and `vtt` the answer is plain text, with `json` and `verbose_json` a `Transcription`. Subtitles are
made here of the times that a service tells, so that one that writes none has them too.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, Callable, Mapping, Sequence
from operator import attrgetter
from typing import TYPE_CHECKING, Any, Literal, Self, TypedDict, Unpack, overload

import msgspec

from polychat.client import subtitles
from polychat.client.arguments import checked, named
from polychat.client.reader import Reader
from polychat.client.transcripts import (
    Transcription,
    TranscriptionEvent,
    TranscriptionTextDelta,
    TranscriptionTextDone,
    charged,
    told,
)
from polychat.engine import attachments
from polychat.errors import BadOption, FormatChanged
from polychat.types import Audio, File, Image, Recording, Transcript

if TYPE_CHECKING:
    from polychat.client.aio import AsyncClient
    from polychat.engine.flow import Flow
    from polychat.engine.portal import Feed, Portal

Granularity = Literal["segment", "word"]
Written = Literal["text", "srt", "vtt"]
Told = Literal["json", "verbose_json"]
_WRITERS: Mapping[str, Callable[[Transcript], str]] = {
    "text": attrgetter("text"), "srt": subtitles.srt, "vtt": subtitles.vtt,
}  # fmt: skip
FORMATS = ("json", "verbose_json", *_WRITERS)


class Dictation(TypedDict, total=False):
    """Everything `create` takes beside `file`, `model`, `response_format` and `stream`."""

    language: str | None  # that is spoken, ISO 639-1; found out unless told
    prompt: str | None  # words and style to expect
    temperature: float | None
    timestamp_granularities: Sequence[Granularity] | None  # with verbose_json: what is timed
    account: str | None
    timeout: float | None  # seconds for all of it


class _Dictation(msgspec.Struct, kw_only=True):
    language: str | None = None
    prompt: str | None = None
    temperature: float | None = None
    timestamp_granularities: tuple[Granularity, ...] = ()
    response_format: str = "json"
    stream: bool = False
    account: str | None = None
    timeout: float | None = None

    def timed(self) -> tuple[Granularity, ...]:
        """What is wanted with its times. Raises: `BadOption` for what there is not, or does not go together."""
        if self.response_format not in FORMATS:
            raise BadOption(f"response_format is not one of {', '.join(FORMATS)}", field="response_format")
        if self.stream and self.response_format != "json":
            raise BadOption("stream goes with response_format json only", field="response_format")
        if self.timestamp_granularities and self.response_format != "verbose_json":
            raise BadOption(
                "timestamp_granularities goes with response_format verbose_json only", field="timestamp_granularities"
            )
        if self.response_format in {"json", "text"}:
            return ()
        return self.timestamp_granularities or ("segment",)


# ---------------------------------------------------------------- the asynchronous face


class AsyncTranscriptionStream:
    """The words as they come. Iterate it, best inside `async with`, so that leaving early hangs up."""

    def __init__(self, flow: Flow[str | Transcript]) -> None:
        self.provider = flow.provider
        self.model = flow.model
        self.account = flow.account
        self._flow = flow

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> TranscriptionEvent:
        piece = await anext(self._flow)
        if isinstance(piece, str):
            return TranscriptionTextDelta(delta=piece)
        return TranscriptionTextDone(text=piece.text, usage=charged(piece))

    async def batches(self) -> AsyncGenerator[list[TranscriptionEvent]]:
        """The events as they came, for a portal."""
        async for event in self:
            yield [event]

    async def close(self) -> None:
        """Hang up."""
        await self._flow.aclose()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *exc_info: object) -> None:
        await self.close()


class AsyncTranscriptions:
    """`client.audio.transcriptions`."""

    def __init__(self, client: AsyncClient) -> None:
        self._client = client

    @overload
    async def create(
        self, *, file: Any, model: str | None = None, stream: Literal[True], **dictation: Unpack[Dictation]
    ) -> AsyncTranscriptionStream: ...
    @overload
    async def create(
        self, *, file: Any, model: str | None = None, response_format: Written, **dictation: Unpack[Dictation]
    ) -> str: ...
    @overload
    async def create(
        self,
        *,
        file: Any,
        model: str | None = None,
        response_format: Told | None = None,
        stream: Literal[False] | None = None,
        **dictation: Unpack[Dictation],
    ) -> Transcription: ...

    async def create(
        self, *, file: Any, model: str | None = None, **dictation: Any
    ) -> Transcription | str | AsyncTranscriptionStream:
        """Have speech written down; see the module's text for what comes.

        `file` is a path, an open binary file, bytes, a data URI, an http(s) URL, or (name, one of these).

        Raises: `ConfigError` before anything is sent; any other `PolychatError` of what happened then.
        """
        asked = checked(dictation, _Dictation)
        recording = Recording(
            model=self._client.named(model),
            sound=_sound(file),
            stream=asked.stream,
            language=asked.language,
            prompt=asked.prompt,
            temperature=asked.temperature,
            timed=asked.timed(),
        )
        flow = await self._client.engine.calls.transcribe(
            recording,
            account=asked.account or self._client.account,
            provider=self._client.provider,
            waits=self._client.waits(asked.timeout),
        )
        return AsyncTranscriptionStream(flow) if asked.stream else await _whole(flow, asked.response_format)


# ---------------------------------------------------------------- the synchronous face


class TranscriptionStream(Reader[TranscriptionEvent]):
    """The words as they come. Iterate it, best inside `with`; leaving early hangs up."""

    def __init__(self, feed: Feed[TranscriptionEvent]) -> None:
        super().__init__(feed)
        source: AsyncTranscriptionStream = feed.source
        self.provider = source.provider
        self.model = source.model
        self.account = source.account


class Transcriptions:
    """`client.audio.transcriptions` of the synchronous client."""

    def __init__(self, portal: Portal[AsyncClient]) -> None:
        self._portal = portal

    @overload
    def create(
        self, *, file: Any, model: str | None = None, stream: Literal[True], **dictation: Unpack[Dictation]
    ) -> TranscriptionStream: ...
    @overload
    def create(
        self, *, file: Any, model: str | None = None, response_format: Written, **dictation: Unpack[Dictation]
    ) -> str: ...
    @overload
    def create(
        self,
        *,
        file: Any,
        model: str | None = None,
        response_format: Told | None = None,
        stream: Literal[False] | None = None,
        **dictation: Unpack[Dictation],
    ) -> Transcription: ...

    def create(self, *, file: Any, stream: bool | None = None, **dictation: Any) -> Any:
        """Have speech written down; see `AsyncTranscriptions.create`."""
        if stream:
            return TranscriptionStream(
                self._portal.feed(
                    lambda client: client.audio.transcriptions.create(file=file, stream=True, **dictation)
                )
            )
        return self._portal.call(lambda client: client.audio.transcriptions.create(file=file, **dictation))


# ---------------------------------------------------------------- steps


def _sound(given: Any) -> Audio | File:
    name, source = named(given)
    found = attachments.attachment(source, field="file")
    if isinstance(found, Image):
        raise BadOption(f"{name or found.name or 'file'} is {found.media_type}, not sound", field="file")
    return found if name is None else msgspec.structs.replace(found, name=name)


async def _whole(flow: Flow[str | Transcript], form: str) -> Transcription | str:
    """The answer in the form that was asked for."""
    async with flow:
        found = [piece async for piece in flow if isinstance(piece, Transcript)]
    if not found:
        raise FormatChanged(f"{flow.provider} ended without a transcript", provider=flow.provider)
    transcript = found[-1]
    if form in {"srt", "vtt"} and transcript.text and not transcript.segments:
        raise FormatChanged(
            f"{flow.provider} told no times with its words, so there are no subtitles",
            hint="ask for response_format text",
            provider=flow.provider,
            account=flow.account,
        )
    write = _WRITERS.get(form)
    return write(transcript) if write else told(transcript, flow)
