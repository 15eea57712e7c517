"""Answers under the names that users of the OpenAI SDK know, with what only we know beside them.

Every shape has `model_dump()`, `model_dump_json()` and `to_dict()`. Beyond OpenAI's fields stand `provider`, `account`,
`conversation` (hand it back to continue), `sources`, `images` and `reasoning`.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, Literal, Self

import msgspec

from polychat.errors import PolychatError
from polychat.types import (
    Attachment,
    Citation,
    Event,
    Finish,
    Media,
    QuotaSeen,
    Reply,
    Revised,
    TextDelta,
    ThinkingDelta,
    Thread,
    ThreadMoved,
    ToolCallDelta,
    Usage,
)


class Shape(msgspec.Struct, kw_only=True):
    """What all answers share."""

    def model_dump(self) -> dict[str, Any]:
        """As plain dicts and lists; bytes become base64 text."""
        dumped: dict[str, Any] = msgspec.to_builtins(self)
        return dumped

    to_dict = model_dump

    def model_dump_json(self, *, indent: int | None = None) -> str:
        """As JSON text."""
        encoded = msgspec.json.encode(self)
        return (msgspec.json.format(encoded, indent=indent) if indent else encoded).decode()


class Function(Shape, kw_only=True):
    """Name and JSON arguments of a tool call, or a piece of them."""

    name: str | None = None
    arguments: str = ""


class ToolCallShape(Shape, kw_only=True):
    """A tool call of a message."""

    id: str
    function: Function
    type: Literal["function"] = "function"


class ToolCallChunk(Shape, kw_only=True):
    """A fragment of a tool call; `index` tells which of the parallel ones."""

    index: int
    id: str | None = None
    function: Function | None = None
    type: Literal["function"] = "function"


class CompletionUsage(Shape, kw_only=True):
    """Tokens, in OpenAI's words."""

    prompt_tokens: int
    completion_tokens: int
    total_tokens: int
    cached_tokens: int | None = None
    reasoning_tokens: int | None = None


class ChatCompletionMessage(Shape, kw_only=True):
    """The answer."""

    content: str | None
    role: Literal["assistant"] = "assistant"
    reasoning_content: str | None = None
    refusal: str | None = None
    tool_calls: list[ToolCallShape] | None = None
    images: list[Attachment] | None = None


class Choice(Shape, kw_only=True):
    """The one choice of a completion."""

    message: ChatCompletionMessage
    finish_reason: str | None
    index: int = 0
    logprobs: None = None


class ChoiceDelta(Shape, kw_only=True):
    """What a chunk adds."""

    content: str | None = None
    role: Literal["assistant"] | None = None
    reasoning_content: str | None = None
    tool_calls: list[ToolCallChunk] | None = None
    images: list[Attachment] | None = None


class ChunkChoice(Shape, kw_only=True):
    """The one choice of a chunk."""

    delta: ChoiceDelta
    finish_reason: str | None = None
    index: int = 0
    logprobs: None = None


class _Answer(Shape, kw_only=True):
    id: str
    created: int  # Unix seconds
    model: str  # the service's own id
    provider: str
    account: str
    conversation: Thread | None = None  # hand it back as conversation= to continue
    sources: list[Citation] = []
    usage: CompletionUsage | None = None


class ChatCompletion(_Answer, kw_only=True):
    """A whole answer."""

    choices: list[Choice]
    object: Literal["chat.completion"] = "chat.completion"
    title: str | None = None
    quotas: list[QuotaSeen] = []

    @property
    def text(self) -> str:
        """The words of the answer."""
        return self.choices[0].message.content or ""

    @property
    def reasoning(self) -> str:
        """The words of the reasoning."""
        return self.choices[0].message.reasoning_content or ""

    @property
    def images(self) -> list[Attachment]:
        """Pictures, sounds and files the model made."""
        return self.choices[0].message.images or []


class ChatCompletionChunk(_Answer, kw_only=True):
    """A piece of an answer. `revised`, when set, is the whole text so far and replaces all earlier pieces."""

    choices: list[ChunkChoice]
    object: Literal["chat.completion.chunk"] = "chat.completion.chunk"
    revised: str | None = None


class ModelCard(Shape, kw_only=True):
    """A model that can be asked for by its `id`."""

    id: str  # provider/model
    owned_by: str
    capabilities: list[str] = []
    context_tokens: int | None = None  # of question and answer together, where known
    object: Literal["model"] = "model"
    created: int = 0


class Problem(Shape, kw_only=True):
    """What kept one of several services from answering."""

    provider: str | None
    account: str | None
    code: str
    message: str
    hint: str | None

    @classmethod
    def of(cls, error: PolychatError) -> Self:
        """The problem that `error` is."""
        return cls(
            provider=error.provider, account=error.account, code=error.code, message=error.message, hint=error.hint
        )


class ModelList(Shape, kw_only=True):
    """All models; iterates over `data`."""

    data: list[ModelCard]
    object: Literal["list"] = "list"
    problems: list[Problem] = []  # of services that were asked for their own list

    def __iter__(self) -> Iterator[ModelCard]:
        return iter(self.data)


class Heading(msgspec.Struct, frozen=True, kw_only=True):
    """What every piece of one answer repeats."""

    id: str
    created: int
    model: str
    provider: str
    account: str


def completion(heading: Heading, reply: Reply) -> ChatCompletion:
    """A whole reply in OpenAI's shape."""
    calls = [
        ToolCallShape(id=call.id, function=Function(name=call.name, arguments=call.arguments))
        for call in reply.tool_calls
    ]
    message = ChatCompletionMessage(
        content=reply.text if reply.text or not calls else None,
        reasoning_content=reply.thinking or None,
        tool_calls=calls or None,
        images=list(reply.media) or None,
    )
    return ChatCompletion(
        **msgspec.structs.asdict(heading),
        choices=[Choice(message=message, finish_reason=reply.finish.reason if reply.finish else None)],
        conversation=reply.thread,
        sources=list(reply.citations),
        usage=usage(reply.usage),
        title=reply.title,
        quotas=list(reply.quotas),
    )


def usage(seen: Usage | None) -> CompletionUsage | None:
    """Token counts in OpenAI's words."""
    if seen is None:
        return None
    asked, answered = seen.input_tokens or 0, seen.output_tokens or 0
    return CompletionUsage(
        prompt_tokens=asked,
        completion_tokens=answered,
        total_tokens=asked + answered,
        cached_tokens=seen.cached_input_tokens,
        reasoning_tokens=seen.reasoning_tokens,
    )


class Chunker:
    """Batches of events in, OpenAI chunks out: one chunk a content event, notices ride on the next one."""

    def __init__(self, heading: Heading) -> None:
        self._heading = heading
        self._begun = False
        self._thread: Thread | None = None
        self._usage: Usage | None = None
        self._sources: list[Citation] = []

    def chunks(self, batch: Sequence[Event]) -> list[ChatCompletionChunk]:
        """The chunks of one batch, in order."""
        return [chunk for event in batch if (chunk := self._chunk(event))]

    def _chunk(self, event: Event) -> ChatCompletionChunk | None:
        match event:
            case TextDelta():
                return self._piece(ChoiceDelta(content=event.text))
            case Finish():
                return self._piece(ChoiceDelta(), finish_reason=event.reason, usage=usage(self._usage))
            case ThinkingDelta(text=text) if text:
                return self._piece(ChoiceDelta(reasoning_content=text))
            case ToolCallDelta():
                function = Function(name=event.name, arguments=event.arguments)
                return self._piece(
                    ChoiceDelta(tool_calls=[ToolCallChunk(index=event.index, id=event.id, function=function)])
                )
            case Media():
                return self._piece(ChoiceDelta(images=[event.part]))
            case Revised():
                return self._piece(ChoiceDelta(), revised=event.text)
        self._note(event)
        return None

    def _note(self, event: Event) -> None:
        match event:
            case ThreadMoved():
                self._thread = event.thread
            case Usage():
                self._usage = event
            case Citation():
                self._sources.append(event)

    def _piece(self, delta: ChoiceDelta, finish_reason: str | None = None, **rest: Any) -> ChatCompletionChunk:
        if not self._begun:
            self._begun = True
            delta.role = "assistant"
        heading = self._heading
        return ChatCompletionChunk(
            id=heading.id,
            created=heading.created,
            model=heading.model,
            provider=heading.provider,
            account=heading.account,
            conversation=self._thread,
            sources=self._sources.copy(),
            choices=[ChunkChoice(delta=delta, finish_reason=finish_reason)],
            **rest,
        )
