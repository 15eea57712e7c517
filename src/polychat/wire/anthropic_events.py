"""What Anthropic's Messages API sends, as records: events of a stream, the blocks of an answer, a whole message.

The API's versioning allows new types of events, blocks and deltas at any time: one that nobody knows is None here, to
be passed over. One that is known and lacks something, or is no JSON at all, is `FormatChanged`. An event is decoded
once; only a block's beginning, of which there are few, is looked at twice. Shapes as in the types of Anthropic's own
Python package 2.12; 2026-11.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import msgspec

from polychat.errors import FormatChanged

# ---------------------------------------------------------------- blocks


class Cited(msgspec.Struct):
    """A source of any kind; one in the caller's own documents has no URL."""

    url: str | None = None
    title: str | None = None
    cited_text: str | None = None


class Text(msgspec.Struct, tag_field="type", tag="text"):
    """Words."""

    text: str
    citations: list[Cited] | None = None


class Thinking(msgspec.Struct, tag_field="type", tag="thinking"):
    """Reasoning that may be read; its text is empty where the service was not asked to show it."""

    thinking: str
    signature: str = ""  # empty where a stream's block begins


class Redacted(msgspec.Struct, tag_field="type", tag="redacted_thinking"):
    """Reasoning that may not."""

    data: str


class ToolUse(msgspec.Struct, tag_field="type", tag="tool_use"):
    """A call to a tool of the caller's."""

    id: str
    name: str
    input: msgspec.Raw  # an object; empty where it comes in pieces


class HostedUse(msgspec.Struct, tag_field="type", tag="server_tool_use"):
    """A call to a tool that the service runs."""

    id: str
    name: str
    input: msgspec.Raw


class Page(msgspec.Struct):
    """One thing that a search found."""

    url: str
    title: str


class SearchFailed(msgspec.Struct):
    """Why a search found nothing at all."""

    error_code: str


class SearchResult(msgspec.Struct, tag_field="type", tag="web_search_tool_result"):
    """What became of a search."""

    tool_use_id: str
    content: list[Page] | SearchFailed


Block = Text | Thinking | Redacted | ToolUse | HostedUse | SearchResult

# ---------------------------------------------------------------- deltas


class MoreText(msgspec.Struct, tag_field="type", tag="text_delta", gc=False):
    """More words."""

    text: str


class MoreThinking(msgspec.Struct, tag_field="type", tag="thinking_delta", gc=False):
    """More reasoning."""

    thinking: str


class Signature(msgspec.Struct, tag_field="type", tag="signature_delta", gc=False):
    """The end of reasoning."""

    signature: str


class MoreInput(msgspec.Struct, tag_field="type", tag="input_json_delta", gc=False):
    """More of a call's arguments."""

    partial_json: str


class MoreCited(msgspec.Struct, tag_field="type", tag="citations_delta"):
    """Another source of the block's words."""

    citation: Cited


Delta = MoreText | MoreThinking | Signature | MoreInput | MoreCited

# ---------------------------------------------------------------- events


class OutputDetails(msgspec.Struct):
    """What the output consisted of."""

    thinking_tokens: int | None = None


class Counted(msgspec.Struct):
    """Tokens so far; an event tells those it knows."""

    input_tokens: int | None = None  # without those of the cache
    cache_creation_input_tokens: int | None = None
    cache_read_input_tokens: int | None = None
    output_tokens: int | None = None
    output_tokens_details: OutputDetails | None = None


class Begun(msgspec.Struct):
    """The message while it has no content."""

    usage: Counted


class MessageStart(msgspec.Struct, tag_field="type", tag="message_start"):
    """The first event."""

    message: Begun


class BlockStart(msgspec.Struct, tag_field="type", tag="content_block_start"):
    """A block begins."""

    index: int
    content_block: msgspec.Raw


class BlockDelta(msgspec.Struct, tag_field="type", tag="content_block_delta", gc=False):
    """A block grows."""

    index: int
    delta: Delta


class BlockStop(msgspec.Struct, tag_field="type", tag="content_block_stop"):
    """A block is complete."""

    index: int


class Ending(msgspec.Struct):
    """Why the message ends."""

    stop_reason: str | None = None


class MessageDelta(msgspec.Struct, tag_field="type", tag="message_delta"):
    """The message is about to end."""

    delta: Ending
    usage: Counted | None = None


class MessageStop(msgspec.Struct, tag_field="type", tag="message_stop"):
    """The last event."""


class Failed(msgspec.Struct, tag_field="type", tag="error"):
    """An error, where an answer was promised."""


class Message(msgspec.Struct, tag_field="type", tag="message"):
    """A whole answer."""

    content: list[msgspec.Raw]
    usage: Counted
    stop_reason: str | None = None


Happened = MessageStart | BlockStart | BlockDelta | BlockStop | MessageDelta | MessageStop | Failed | Message

# ---------------------------------------------------------------- decoding


class _Anything(msgspec.Struct):
    """As much of an event or a block as tells whether it is one of ours."""

    type: str | None = None
    delta: Any = None
    error: Any = None


def _names(*kinds: type[msgspec.Struct]) -> frozenset[Any]:
    return frozenset(kind.__struct_config__.tag for kind in kinds)


_EVENTS = _names(MessageStart, BlockStart, BlockDelta, BlockStop, MessageDelta, MessageStop, Failed, Message)
_BLOCKS = _names(Text, Thinking, Redacted, ToolUse, HostedUse, SearchResult)
_DELTAS = _names(MoreText, MoreThinking, Signature, MoreInput, MoreCited)

_decode: Callable[[bytes], Happened] = msgspec.json.Decoder(Happened).decode
_decode_block: Callable[[msgspec.Raw], Block] = msgspec.json.Decoder(Block).decode
_decode_anything = msgspec.json.Decoder(_Anything).decode


def happened(data: bytes, *, provider: str) -> Happened | None:
    """The event or the document that `data` is; None for a type that nobody knows. Raises: `FormatChanged`."""
    try:
        return _decode(data)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        found = _anything(data)
        if found is not None and found.type is None and found.error is not None:
            return Failed()
        if found is None or found.type is None or (found.type in _EVENTS and not _new_delta(found)):
            raise _changed(provider, "an event that is no part of an answer", data, error) from error
        return None


def block(data: msgspec.Raw, *, provider: str) -> Block | None:
    """The block that begins, or stands whole, in `data`; None for a type that nobody knows. Raises: `FormatChanged`."""
    try:
        return _decode_block(data)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        found = _anything(bytes(data))
        if found is None or found.type is None or found.type in _BLOCKS:
            raise _changed(provider, "a block that is no part of an answer", bytes(data), error) from error
        return None


def _anything(data: bytes) -> _Anything | None:
    try:
        return _decode_anything(data)
    except (msgspec.DecodeError, UnicodeDecodeError):
        return None


def _new_delta(found: _Anything) -> bool:
    """True for a block that grows in a way nobody knows."""
    kind = found.delta.get("type") if isinstance(found.delta, dict) else None
    return found.type == "content_block_delta" and isinstance(kind, str) and kind not in _DELTAS


def _changed(provider: str, what: str, data: bytes, error: Exception) -> FormatChanged:
    return FormatChanged(f"{provider} sent {what} ({len(data)} bytes: {error})", evidence=data)
