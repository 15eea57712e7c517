"""Events in, one `Reply` out. Pure: no clock, no socket, no service.

A `Fold` may be asked for its `reply()` at any moment, also halfway: that is how an interrupted answer is kept.
"""

from __future__ import annotations

from collections.abc import Iterable

import msgspec

from polychat.types import (
    Attachment,
    Citation,
    Event,
    Finish,
    HostedTool,
    Media,
    QuotaSeen,
    Reply,
    Revised,
    TextDelta,
    Thinking,
    ThinkingDelta,
    Thread,
    ThreadMoved,
    Title,
    ToolCall,
    ToolCallDelta,
    Usage,
)


class _Call(msgspec.Struct):
    """A tool call in the making."""

    id: str = ""
    name: str = ""
    arguments: list[str] = []
    signature: str | None = None

    def add(self, delta: ToolCallDelta) -> None:
        self.id = delta.id or self.id
        self.name = delta.name or self.name
        self.signature = delta.signature or self.signature
        if delta.arguments:
            self.arguments.append(delta.arguments)

    def done(self) -> ToolCall:
        return ToolCall(id=self.id, name=self.name, arguments="".join(self.arguments), signature=self.signature)


class _Thoughts:
    """Reasoning in the making: blocks, each closed by its signature; the last may be open."""

    def __init__(self) -> None:
        self._closed: list[Thinking] = []
        self._open: list[str] = []

    def add(self, delta: ThinkingDelta) -> None:
        if delta.text:
            self._open.append(delta.text)
        if delta.redacted is not None:
            self._close(None)
            self._closed.append(Thinking(redacted=delta.redacted))
        elif delta.signature is not None:
            self._close(delta.signature)

    def done(self) -> tuple[Thinking, ...]:
        text = "".join(self._open)
        return (*self._closed, Thinking(text=text)) if text else tuple(self._closed)

    def _close(self, signature: str | None) -> None:
        if self._open or signature is not None:
            self._closed.append(Thinking(text="".join(self._open), signature=signature))
            self._open = []


class Fold:
    """An answer in the making."""

    def __init__(self) -> None:
        self._text: list[str] = []
        self._thoughts = _Thoughts()
        self._calls: dict[int, _Call] = {}
        self._media: dict[str | int, Attachment] = {}
        self._citations: list[Citation] = []
        self._hosted: dict[str, HostedTool] = {}
        self._quotas: dict[str, QuotaSeen] = {}
        self._title: str | None = None
        self._thread: Thread | None = None
        self._usage: Usage | None = None
        self._finish: Finish | None = None
        self._revised = False

    def add(self, events: Iterable[Event]) -> None:
        """Take one batch, in order."""
        for event in events:
            if type(event) is TextDelta:
                self._text.append(event.text)
            else:
                self._add_rarer(event)

    def _add_rarer(self, event: Event) -> None:
        match event:
            case ThinkingDelta():
                self._thoughts.add(event)
            case ToolCallDelta():
                self._calls.setdefault(event.index, _Call()).add(event)
            case Media():
                self._media[len(self._media) if event.id is None else event.id] = event.part
            case Revised():
                self._text = [event.text]
                self._revised = True
            case _:
                self._add_notice(event)

    def _add_notice(self, event: Event) -> None:
        match event:
            case Citation():
                self._citations.append(event)
            case HostedTool():
                self._hosted[event.id] = event
            case QuotaSeen():
                self._quotas[event.feature] = event
            case Title():
                self._title = event.title
            case ThreadMoved():
                self._thread = event.thread
            case Usage():
                self._usage = event
            case Finish():
                self._finish = event

    @property
    def silent(self) -> bool:
        """True while nothing was said, called or made; thoughts alone are no answer."""
        return not (any(self._text) or self._calls or self._media)

    def reply(self) -> Reply:
        """The answer as far as it came."""
        return Reply(
            text="".join(self._text),
            thoughts=self._thoughts.done(),
            tool_calls=tuple(call.done() for _, call in sorted(self._calls.items())),
            media=tuple(self._media.values()),
            citations=tuple(self._citations),
            hosted_tools=tuple(self._hosted.values()),
            quotas=tuple(self._quotas.values()),
            title=self._title,
            thread=self._thread,
            usage=self._usage,
            finish=self._finish,
            revised=self._revised,
        )


def fold(events: Iterable[Event]) -> Reply:
    """All events of one answer as a `Reply`."""
    folding = Fold()
    folding.add(events)
    return folding.reply()
