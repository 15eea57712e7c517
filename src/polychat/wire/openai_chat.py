"""The answer of a chat completion in the OpenAI dialect: an event stream of chunks, or one document.

    data: {"choices":[{"index":0,"delta":{"content":"Hel"}}]}
    data: {"choices":[{"index":0,"delta":{},"finish_reason":"stop"}]}
    data: {"choices":[],"usage":{"prompt_tokens":9,"completion_tokens":3}}
    data: [DONE]

Usage may come after the finish, so the end is told when the stream ends: by [DONE], or by its end after a
finish_reason. A stream that ends without either was cut, and the decoder says nothing of an end. Reasoning is
`reasoning_content` or `reasoning`, as the service likes. The sources of a search are annotations, whose places are in
the whole text. An error may stand where a chunk is expected. Shapes as in the types of OpenAI's own Python package
3.52, and as the compatible services document theirs; 2026-11.
"""

from __future__ import annotations

from typing import Any

import msgspec

from polychat.errors import BadOption, FormatChanged
from polychat.types import (
    Citation,
    Event,
    Finish,
    FinishReason,
    Image,
    Media,
    TextDelta,
    ThinkingDelta,
    ToolCallDelta,
    Usage,
)
from polychat.wire import openai_errors
from polychat.wire.openai_messages import data_uri
from polychat.wire.payloads import PayloadDecoder

_REASONS: dict[str, FinishReason] = {
    "stop": "stop",
    "length": "length",
    "tool_calls": "tool_calls",
    "function_call": "tool_calls",
    "content_filter": "content_filter",
}
_DONE = b"[DONE]"


class _Function(msgspec.Struct, frozen=True, gc=False):
    name: str | None = None
    arguments: str | None = None


class _Call(msgspec.Struct):
    index: int | None = None  # absent in a whole answer, and from services that make one call at a time
    id: str | None = None
    function: _Function = _Function()


class _Link(msgspec.Struct):
    url: str


class _Picture(msgspec.Struct):
    image_url: _Link


class _Source(msgspec.Struct):
    url: str
    title: str | None = None
    start_index: int | None = None  # characters of the whole text
    end_index: int | None = None


class _Annotation(msgspec.Struct):
    url_citation: _Source | None = None  # None: about a file


class _Said(msgspec.Struct):
    """A delta of a stream, or the message of a document."""

    content: str | None = None
    reasoning_content: str | None = None
    reasoning: str | None = None
    refusal: str | None = None
    tool_calls: list[_Call] | None = None
    images: list[_Picture] | None = None
    annotations: list[_Annotation] | None = None


class _Choice(msgspec.Struct):
    delta: _Said | None = None
    message: _Said | None = None
    finish_reason: str | None = None


class _InputDetails(msgspec.Struct):
    cached_tokens: int | None = None


class _OutputDetails(msgspec.Struct):
    reasoning_tokens: int | None = None


class _Usage(msgspec.Struct):
    prompt_tokens: int | None = None
    completion_tokens: int | None = None
    prompt_tokens_details: _InputDetails | None = None
    completion_tokens_details: _OutputDetails | None = None


class _Chunk(msgspec.Struct):
    choices: list[_Choice] | None = None
    usage: _Usage | None = None
    error: Any = None


_decode = msgspec.json.Decoder(_Chunk).decode


class Decoder(PayloadDecoder):
    """One answer of `provider`: bytes in, events out. `finished` once nothing more is to come."""

    def __init__(self, provider: str) -> None:
        super().__init__()
        self._provider = provider
        self._ending: Finish | None = None
        self._usage: Usage | None = None
        self._called: set[int] = set()  # calls that were named
        self._spoke = False

    def salvage(self) -> list[Event]:
        """Everything received that has not gone out yet, for an answer that is cut or damaged."""
        events = self._drained()
        return events if self._usage is None else [*events, self._usage]

    def _take(self, data: bytes) -> None:
        if self.finished:
            return
        if data == _DONE:
            if self._ending is None and self._spoke:
                self._ending = Finish(reason="stop")
            self._end()
            return
        chunk = self._chunk(data)
        if chunk.usage is not None:
            self._usage = _counted(chunk.usage)
        for choice in chunk.choices or ():
            if (said := choice.delta or choice.message) is not None:
                self._say(said)
                self._spoke = self._spoke or bool(self._ready)
            if choice.finish_reason is not None:
                reason = _REASONS.get(choice.finish_reason, "stop")
                self._ending = self._ending or Finish(reason=reason, raw=choice.finish_reason)

    def _chunk(self, data: bytes) -> _Chunk:
        try:
            chunk = _decode(data)
        except (msgspec.DecodeError, UnicodeDecodeError) as error:
            what = f"{self._provider} sent an event that is no chunk of an answer ({len(data)} bytes: {error})"
            raise FormatChanged(what, evidence=data) from error
        if chunk.error is not None:
            raise openai_errors.inside(data, provider=self._provider)
        if chunk.choices is None and chunk.usage is None:
            raise FormatChanged(f"{self._provider} sent an event without choices ({len(data)} bytes)", evidence=data)
        return chunk

    def _say(self, said: _Said) -> None:
        if thinking := said.reasoning_content or said.reasoning:
            self._ready.append(ThinkingDelta(text=thinking))
        if said.content:
            self._ready.append(TextDelta(text=said.content))
        if said.refusal:
            self._ready.append(TextDelta(text=said.refusal))
            self._ending = Finish(reason="content_filter", raw="refusal")
        for position, call in enumerate(said.tool_calls or ()):
            self._ready.append(self._call(call, position if call.index is None else call.index))
        for picture in said.images or ():
            self._ready.append(Media(part=_image(picture.image_url.url)))
        for note in said.annotations or ():
            if (source := note.url_citation) is not None:
                self._ready.append(_citation(source))

    def _call(self, call: _Call, index: int) -> ToolCallDelta:
        """A fragment; some services repeat the name with each, and it counts once."""
        named = index in self._called
        if call.function.name:
            self._called.add(index)
        return ToolCallDelta(
            index=index,
            id=call.id,
            name=None if named else call.function.name,
            arguments=call.function.arguments or "",
        )

    def _over(self) -> None:
        self._end()

    def _end(self) -> None:
        """The end, once."""
        if self.finished or self._ending is None:
            return
        self.finished = True
        if self._usage is not None:
            self._ready.append(self._usage)
            self._usage = None
        self._ready.append(self._ending)


def _counted(usage: _Usage) -> Usage:
    given, made = usage.prompt_tokens_details, usage.completion_tokens_details
    return Usage(
        input_tokens=usage.prompt_tokens,
        output_tokens=usage.completion_tokens,
        cached_input_tokens=given.cached_tokens if given else None,
        reasoning_tokens=made.reasoning_tokens if made else None,
    )


def _citation(source: _Source) -> Citation:
    return Citation(url=source.url, title=source.title, start=source.start_index, end=source.end_index)


def _image(url: str) -> Image:
    if not url.startswith("data:"):
        return Image(url=url)
    try:
        return Image(data=data_uri(url, "image_url"))
    except BadOption as error:
        raise FormatChanged("a picture of the answer is a damaged data URI", evidence=url[:200].encode()) from error
