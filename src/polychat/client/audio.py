"""Sound: `client.audio.speech.create`, under the names that users of the OpenAI SDK know.

    with client.audio.speech.create(model="openai/tts-1", input="Hello", voice="nova") as speech:
        speech.stream_to_file("hello.mp3")

The sound is handed on as it comes; leaving early hangs up. A file has its name only when it is whole: until then, and
after a break, what came is in NAME.part.
"""

from __future__ import annotations

import os
from collections.abc import AsyncGenerator, AsyncIterator, Iterator, Mapping
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self, TypedDict, Unpack

import msgspec

from polychat import media
from polychat.client import questions
from polychat.client.arguments import checked
from polychat.client.reader import Reader
from polychat.client.transcription import AsyncTranscriptions, Transcriptions
from polychat.errors import BadOption, FormatChanged, PolychatError
from polychat.types import Thread, Utterance

if TYPE_CHECKING:
    from polychat.client.aio import AsyncClient
    from polychat.engine.flow import Flow
    from polychat.engine.portal import Feed, Portal

FORMATS: Mapping[str, str] = {
    "aac": "audio/aac", "wav": "audio/wav", "mp3": "audio/mpeg", "flac": "audio/flac", "opus": "audio/ogg",
    "pcm": "audio/pcm",
}  # fmt: skip
_BARE = FORMATS["pcm"]


class Reading(TypedDict, total=False):
    """Everything `create` takes; exactly one of `input` and `conversation`. Unset means: left to the service."""

    input: str | None  # a text
    conversation: Thread | Mapping[str, Any] | str | bytes | None  # its last answer
    model: str | None
    voice: str | None
    response_format: str | None  # a name of `FORMATS`
    speed: float | None  # 1.0 is the voice's own
    instructions: str | None  # how to say it
    account: str | None
    timeout: float | None  # seconds for the whole sound


class _Reading(msgspec.Struct, kw_only=True):
    """The same, with its types checked."""

    input: str | None = None
    conversation: Any = None
    model: str | None = None
    voice: str | None = None
    response_format: str | None = None
    speed: float | None = None
    instructions: str | None = None


# ---------------------------------------------------------------- the asynchronous face


class AsyncSpeech:
    """The sound of one text as it comes. Iterate it, best inside `async with`, so that leaving early hangs up."""

    def __init__(self, sound: Flow[bytes], asked_type: str | None) -> None:
        self.provider = sound.provider
        self.account = sound.account
        self.media_type = asked_type or media.OCTETS  # what the bytes are
        self._sound = sound
        self._first = b""
        self._taken = False
        self._content: bytes | None = None

    async def start(self) -> None:
        """Wait for the first bytes, so that what fails before them is raised here."""
        while not self._first:
            try:
                self._first = await anext(self._sound)
            except StopAsyncIteration:
                raise FormatChanged(f"{self.provider} sent no sound", provider=self.provider) from None
        if self.media_type != _BARE:  # whose bytes say nothing of themselves
            self.media_type = media.sniff(self._first)

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> bytes:
        self._taken = True
        if self._first:
            first, self._first = self._first, b""
            return first
        return await anext(self._sound)

    async def batches(self) -> AsyncGenerator[list[bytes]]:
        """The pieces as they came, for a portal."""
        async for piece in self:
            yield [piece]

    async def iter_bytes(self, chunk_size: int | None = None) -> AsyncIterator[bytes]:
        """The pieces as they come, or cut to `chunk_size` bytes."""
        cutter = _Cutter(chunk_size)
        async for piece in self:
            for cut in cutter.cut(piece):
                yield cut
        if rest := cutter.rest():
            yield rest

    async def read(self) -> bytes:
        """All of it; also in `content` from then on."""
        if self._content is None:
            self._check_untouched()
            self._content = b"".join([piece async for piece in self])
        return self._content

    @property
    def content(self) -> bytes:
        """All of it, once it was read. Raises: `BadOption` before."""
        if self._content is None:
            raise BadOption("the sound was not read yet", field="content", hint="await speech.read()")
        return self._content

    async def stream_to_file(self, path: str | os.PathLike[str]) -> None:
        """Write it to `path` as it comes, over what is there.

        Raises: what broke it, saying where the part that came is kept; `OSError`.
        """
        if self._content is None:
            self._check_untouched()
        with _Draft(path) as draft:
            if self._content is not None:
                draft.write(self._content)
            async for piece in self:
                draft.write(piece)

    aiter_bytes = iter_bytes
    aread = read
    astream_to_file = stream_to_file

    async def close(self) -> None:
        """Hang up."""
        self._first = b""
        await self._sound.aclose()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *exc_info: object) -> None:
        await self.close()

    def _check_untouched(self) -> None:
        if self._taken:
            raise _taken_already()


class AsyncSpeeches:
    """`client.audio.speech`."""

    def __init__(self, client: AsyncClient) -> None:
        self._client = client

    async def create(self, **reading: Unpack[Reading]) -> AsyncSpeech:
        """Have a text, or the last answer of a conversation, read aloud; returns when its first bytes are here.

        Raises: `ConfigError` before anything is sent; any other `PolychatError` of what happened then.
        """
        given: dict[str, Any] = dict(reading)
        account, waits = given.pop("account", None), self._client.waits(given.pop("timeout", None))
        utterance = self._utterance(given)
        sound = await self._client.engine.calls.speak(
            utterance, account=account or self._client.account, provider=self._client.provider, waits=waits
        )
        speech = AsyncSpeech(sound, utterance.media_type)
        await speech.start()
        return speech

    def _utterance(self, given: dict[str, Any]) -> Utterance:
        """What is asked for. Raises: `BadOption` naming the field."""
        asked = checked(given, _Reading)
        thread = questions.thread(asked.conversation)
        if asked.input is not None and not asked.input.strip():
            raise BadOption("input is empty", field="input")
        return Utterance(
            model=self._client.named(asked.model, thread),
            text=asked.input,
            thread=thread,
            voice=asked.voice,
            media_type=_media_type(asked.response_format),
            speed=asked.speed,
            instructions=asked.instructions,
        )


class AsyncAudio:
    """`client.audio`."""

    def __init__(self, client: AsyncClient) -> None:
        self.speech = AsyncSpeeches(client)
        self.transcriptions = AsyncTranscriptions(client)


# ---------------------------------------------------------------- the synchronous face


class Speech(Reader[bytes]):
    """The sound of one text as it comes. Iterate it, best inside `with`; leaving early hangs up."""

    def __init__(self, feed: Feed[bytes]) -> None:
        super().__init__(feed)
        source: AsyncSpeech = feed.source
        self.provider = source.provider
        self.account = source.account
        self.media_type = source.media_type  # what the bytes are
        self._taken = False
        self._content: bytes | None = None

    def __next__(self) -> bytes:
        self._taken = True
        return super().__next__()

    def iter_bytes(self, chunk_size: int | None = None) -> Iterator[bytes]:
        """The pieces as they come, or cut to `chunk_size` bytes."""
        cutter = _Cutter(chunk_size)
        for piece in self:
            yield from cutter.cut(piece)
        if rest := cutter.rest():
            yield rest

    def read(self) -> bytes:
        """All of it."""
        if self._content is None:
            self._check_untouched()
            self._content = b"".join(self)
        return self._content

    @property
    def content(self) -> bytes:
        """All of it."""
        return self.read()

    def stream_to_file(self, path: str | os.PathLike[str]) -> None:
        """Write it to `path` as it comes; see `AsyncSpeech.stream_to_file`."""
        if self._content is None:
            self._check_untouched()
        with _Draft(path) as draft:
            if self._content is not None:
                draft.write(self._content)
            for piece in self:
                draft.write(piece)

    write_to_file = stream_to_file

    def _check_untouched(self) -> None:
        if self._taken:
            raise _taken_already()


class Speeches:
    """`client.audio.speech` of the synchronous client."""

    def __init__(self, portal: Portal[AsyncClient]) -> None:
        self._portal = portal

    def create(self, **reading: Unpack[Reading]) -> Speech:
        """Have a text or an answer read aloud; see `AsyncSpeeches.create`."""
        return Speech(self._portal.feed(lambda client: client.audio.speech.create(**reading)))


class Audio:
    """`client.audio` of the synchronous client."""

    def __init__(self, portal: Portal[AsyncClient]) -> None:
        self.speech = Speeches(portal)
        self.transcriptions = Transcriptions(portal)


# ---------------------------------------------------------------- bytes


class _Draft:
    """A file in the making: NAME.part until it is whole."""

    def __init__(self, path: str | os.PathLike[str]) -> None:
        self._path = Path(path)
        self._part = self._path.with_name(f"{self._path.name}.part")

    def __enter__(self) -> Self:
        self._file = self._part.open("wb")
        return self

    def write(self, data: bytes) -> None:
        """More of it."""
        self._file.write(data)

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._file.close()
        if kind is None:
            self._part.replace(self._path)
        elif isinstance(error, PolychatError):
            error.reworded(f"{error.message}; what came is kept in {self._part}")


class _Cutter:
    """Pieces of any length in, pieces of `size` bytes out; as they are when it is None."""

    def __init__(self, size: int | None) -> None:
        self._size = size
        self._held = b""

    def cut(self, piece: bytes) -> list[bytes]:
        """What is complete now."""
        if self._size is None:
            return [piece]
        self._held += piece
        whole = len(self._held) - len(self._held) % self._size
        cuts = [self._held[at : at + self._size] for at in range(0, whole, self._size)]
        self._held = self._held[whole:]
        return cuts

    def rest(self) -> bytes:
        """What is left at the end."""
        return self._held


def _media_type(name: str | None) -> str | None:
    if name is not None and name not in FORMATS:
        raise BadOption(f"response_format is not one of {', '.join(FORMATS)}", field="response_format")
    return FORMATS[name] if name else None


def _taken_already() -> BadOption:
    return BadOption("part of the sound was taken already", field="content", hint="read or save it before iterating")
