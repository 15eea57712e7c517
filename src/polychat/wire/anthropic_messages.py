"""The answer of Anthropic's Messages API: an event stream, or one document.

    data: {"type":"message_start","message":{"usage":{"input_tokens":9,"output_tokens":1}, ...}}
    data: {"type":"content_block_start","index":0,"content_block":{"type":"text","text":""}}
    data: {"type":"content_block_delta","index":0,"delta":{"type":"text_delta","text":"Hel"}}
    data: {"type":"content_block_stop","index":0}
    data: {"type":"message_delta","delta":{"stop_reason":"end_turn"},"usage":{"output_tokens":3}}
    data: {"type":"message_stop"}

An answer is a row of blocks: words, thinking, calls to the caller's tools, calls to the service's own, and what those
found. A document is the same message whole; its blocks are told as if each had come at once. Only `message_stop` ends a
stream: one that is over without it was cut, and the decoder says nothing of an end.

Sources are cited for the whole of a block, so they are told when it is complete; of one without a URL (a passage of the
caller's own documents) nothing is told. A turn that the service paused, after many searches of its own (`pause_turn`),
is an answer cut short. The shapes are in `anthropic_events`.
"""

from __future__ import annotations

import msgspec

from polychat.types import (
    Citation,
    Event,
    Finish,
    FinishReason,
    HostedTool,
    TextDelta,
    ThinkingDelta,
    ToolCallDelta,
    Usage,
)
from polychat.wire import anthropic_errors
from polychat.wire import anthropic_events as wire
from polychat.wire.payloads import PayloadDecoder

_REASONS: dict[str | None, FinishReason] = {
    "end_turn": "stop",
    "stop_sequence": "stop",
    "max_tokens": "length",
    "model_context_window_exceeded": "length",
    "pause_turn": "length",
    "tool_use": "tool_calls",
    "refusal": "content_filter",
}


class _Call:
    """A call whose arguments may still come. The caller's tools are counted; the service's own have no place."""

    def __init__(self, block: wire.ToolUse | wire.HostedUse, place: int | None) -> None:
        self.id, self.name, self.place = block.id, block.name, place
        self.pieces: list[str] = []
        self._whole = bytes(block.input).decode()

    @property
    def arguments(self) -> str:
        """JSON text: what came in pieces, or what stood in the block where none did."""
        return "".join(self.pieces) or self._whole


class Decoder(PayloadDecoder):
    """One answer of `provider`: bytes in, events out. `finished` once nothing more is to come."""

    def __init__(self, provider: str) -> None:
        super().__init__()
        self._provider = provider
        self._usage: Usage | None = None
        self._counted = wire.Counted()
        self._reason: str | None = None
        self._calls: dict[int, _Call] = {}  # by block, while it grows
        self._places = 0  # calls to the caller's tools so far
        self._strange: set[int] = set()  # blocks of a kind that nobody knows; what they grow by is not said
        self._hosted: dict[str, _Call] = {}  # complete ones, by id
        self._cited: list[wire.Cited] = []  # of the block that grows
        self._begun = 0  # where its words begin, in characters of the answer
        self._length = 0  # of the answer's words, in characters

    def salvage(self) -> list[Event]:
        """Everything received that has not gone out yet, for an answer that is cut or damaged."""
        self._cite()
        events = self._drained()
        if self._usage is not None and not self.finished:
            events.append(self._usage)
        return events

    # ------------------------------------------------------------ events

    def _take(self, data: bytes) -> None:
        if self.finished:
            return
        match wire.happened(data, provider=self._provider):
            case wire.BlockDelta() as grown:
                self._grow(grown.index, grown.delta)
            case wire.BlockStart() as start:
                self._start(start.index, start.content_block)
            case wire.BlockStop() as stop:
                self._stop(stop.index)
            case wire.MessageStart() as begun:
                self._count(begun.message.usage, final=False)
            case wire.MessageDelta() as changed:
                self._reason = changed.delta.stop_reason or self._reason
                self._count(changed.usage or wire.Counted(), final=True)
            case wire.MessageStop():
                self._end()
            case wire.Message() as whole:
                self._tell(whole)
            case wire.Failed():
                raise anthropic_errors.inside(data, provider=self._provider)

    def _tell(self, whole: wire.Message) -> None:
        """A document, as the stream it stands for."""
        for index, block in enumerate(whole.content):
            self._start(index, block)
            self._stop(index)
        self._reason = whole.stop_reason
        self._count(whole.usage, final=True)
        self._end()

    def _end(self) -> None:
        self._cite()
        self.finished = True
        if self._usage is not None:
            self._ready.append(self._usage)
        self._ready.append(Finish(reason=_REASONS.get(self._reason, "stop"), raw=self._reason))

    # ------------------------------------------------------------ blocks

    def _start(self, index: int, data: msgspec.Raw) -> None:
        match wire.block(data, provider=self._provider):
            case wire.Text() as words:
                self._begun = self._length
                self._cited = list(words.citations or ())
                self._say(words.text)
            case wire.Thinking() as thought:
                self._think(thought.thinking, thought.signature)
            case wire.Redacted() as hidden:
                self._ready.append(ThinkingDelta(redacted=hidden.data))
            case wire.ToolUse() as use:
                self._calls[index] = _Call(use, self._places)
                self._ready.append(ToolCallDelta(index=self._places, id=use.id, name=use.name))
                self._places += 1
            case wire.HostedUse() as use:
                self._calls[index] = _Call(use, None)
            case wire.SearchResult() as result:
                self._found(result)
            case None:
                self._strange.add(index)

    def _grow(self, index: int, delta: wire.Delta) -> None:
        if index in self._strange:
            return
        match delta:
            case wire.MoreText():
                self._say(delta.text)
            case wire.MoreThinking():
                self._think(delta.thinking, "")
            case wire.Signature():
                self._think("", delta.signature)
            case wire.MoreInput():
                self._argue(index, delta.partial_json)
            case wire.MoreCited():
                self._cited.append(delta.citation)

    def _stop(self, index: int) -> None:
        self._cite()
        call = self._calls.pop(index, None)
        if call is None:
            return
        if call.place is None:
            self._hosted[call.id] = call
            self._ready.append(HostedTool(id=call.id, name=call.name, arguments=call.arguments))
        elif not call.pieces:
            self._ready.append(ToolCallDelta(index=call.place, arguments=call.arguments))

    def _say(self, text: str) -> None:
        if text:
            self._length += len(text)
            self._ready.append(TextDelta(text=text))

    def _think(self, text: str, signature: str) -> None:
        """A signature that is empty is none: it would close a block that has just begun."""
        if text or signature:
            self._ready.append(ThinkingDelta(text=text, signature=signature or None))

    def _argue(self, index: int, text: str) -> None:
        call = self._calls.get(index)
        if call is None or not text:
            return
        call.pieces.append(text)
        if call.place is not None:
            self._ready.append(ToolCallDelta(index=call.place, arguments=text))

    def _found(self, result: wire.SearchResult) -> None:
        call = self._hosted.get(result.tool_use_id)
        self._ready.append(
            HostedTool(
                id=result.tool_use_id,
                name=call.name if call else "web_search",
                arguments=call.arguments if call else "",
                output=msgspec.json.encode(result.content).decode(),
            )
        )

    def _cite(self) -> None:
        """The sources of the block, for all of its words."""
        cited, self._cited = self._cited, []
        for source in cited:
            if source.url:
                snippet = source.cited_text
                self._ready.append(
                    Citation(url=source.url, title=source.title, snippet=snippet, start=self._begun, end=self._length)
                )

    # ------------------------------------------------------------ tokens

    def _count(self, told: wire.Counted, *, final: bool) -> None:
        """What is told now goes over what was told before. The output is no number until it is `final`."""
        old = self._counted
        changes = {name: value for name in told.__struct_fields__ if (value := getattr(told, name)) is not None}
        self._counted = counted = msgspec.structs.replace(old, **changes)
        parts = (counted.input_tokens, counted.cache_creation_input_tokens, counted.cache_read_input_tokens)
        details = counted.output_tokens_details
        self._usage = Usage(
            input_tokens=None if counted.input_tokens is None else sum(part or 0 for part in parts),
            output_tokens=counted.output_tokens if final else None,
            cached_input_tokens=counted.cache_read_input_tokens,
            reasoning_tokens=details.thinking_tokens if details and final else None,
        )
