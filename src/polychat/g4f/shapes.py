"""What `chat.completions.create` gives: OpenAI's names, as many as the pages read."""

from __future__ import annotations

import secrets
import time
from collections.abc import Iterator, Sequence
from typing import Any, Literal

import msgspec

from polychat.types import Event, Finish, Reply, TextDelta, Usage


class Shape(msgspec.Struct, kw_only=True):
    """What all answers share."""

    def model_dump(self) -> dict[str, Any]:
        """As plain dicts and lists."""
        dumped: dict[str, Any] = msgspec.to_builtins(self)
        return dumped

    def model_dump_json(self) -> str:
        """As JSON text."""
        return msgspec.json.encode(self).decode()

    to_json = model_dump_json


class CompletionUsage(Shape, kw_only=True):
    """Tokens."""

    prompt_tokens: int
    completion_tokens: int
    total_tokens: int


class CompletionMessage(Shape, kw_only=True):
    """The answer."""

    content: str
    role: Literal["assistant"] = "assistant"


class Choice(Shape, kw_only=True):
    """The one choice of a whole answer."""

    message: CompletionMessage
    finish_reason: str | None
    index: int = 0


class Delta(Shape, kw_only=True):
    """What a chunk adds; nothing in the last one."""

    content: str | None = None
    role: Literal["assistant"] | None = None


class ChunkChoice(Shape, kw_only=True):
    """The one choice of a chunk."""

    delta: Delta
    finish_reason: str | None = None
    index: int = 0


class Heading(msgspec.Struct, frozen=True, kw_only=True):
    """What every piece of one answer repeats."""

    id: str
    created: int  # Unix seconds
    model: str
    provider: str


class ChatCompletion(Shape, kw_only=True):
    """A whole answer."""

    id: str
    created: int  # Unix seconds
    model: str
    provider: str
    choices: list[Choice]
    usage: CompletionUsage | None = None
    object: Literal["chat.completion"] = "chat.completion"


class ChatCompletionChunk(Shape, kw_only=True):
    """A piece of an answer; usage comes with the last one."""

    id: str
    created: int  # Unix seconds
    model: str
    provider: str
    choices: list[ChunkChoice]
    usage: CompletionUsage | None = None
    object: Literal["chat.completion.chunk"] = "chat.completion.chunk"


def heading(model: str, provider: str) -> Heading:
    """The heading of a new answer."""
    return Heading(id=f"chatcmpl-{secrets.token_hex(12)}", created=int(time.time()), model=model, provider=provider)


def completion(head: Heading, reply: Reply) -> ChatCompletion:
    """A whole reply."""
    reason = reply.finish.reason if reply.finish else None
    choice = Choice(message=CompletionMessage(content=reply.text), finish_reason=reason)
    return ChatCompletion(**msgspec.structs.asdict(head), choices=[choice], usage=_usage(reply.usage))


class Chunker:
    """Events in, chunks out: one a piece of text and one for the end.

    A chunk that went out cannot be taken back: what the service revised afterwards is right in a whole answer only.
    """

    def __init__(self, head: Heading) -> None:
        self._head = msgspec.structs.asdict(head)
        self._role: Literal["assistant"] | None = "assistant"
        self._usage: Usage | None = None

    def chunks(self, events: Sequence[Event]) -> Iterator[ChatCompletionChunk]:
        """The chunks of a batch, in order."""
        for event in events:
            match event:
                case TextDelta(text=text):
                    yield self._chunk(ChunkChoice(delta=Delta(content=text, role=self._role)))
                    self._role = None
                case Usage():
                    self._usage = event
                case Finish(reason=reason):
                    yield self._chunk(ChunkChoice(delta=Delta(), finish_reason=reason), _usage(self._usage))

    def _chunk(self, choice: ChunkChoice, usage: CompletionUsage | None = None) -> ChatCompletionChunk:
        return ChatCompletionChunk(**self._head, choices=[choice], usage=usage)


def _usage(seen: Usage | None) -> CompletionUsage | None:
    if seen is None:
        return None
    asked, answered = seen.input_tokens or 0, seen.output_tokens or 0
    return CompletionUsage(prompt_tokens=asked, completion_tokens=answered, total_tokens=asked + answered)
