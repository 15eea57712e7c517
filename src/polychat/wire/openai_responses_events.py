"""The events of an answer of OpenAI's Responses API, and the answer as its last event or a document has it.

As in the types of OpenAI's own Python package 3.52, 2026-11.
"""

from __future__ import annotations

from typing import Any

import msgspec

from polychat.types import Usage
from polychat.wire.openai_responses_items import reader

# ---------------------------------------------------------------- an answer


class Problem(msgspec.Struct, frozen=True, kw_only=True):
    """What went wrong."""

    message: str | None = None
    code: str | int | None = None
    type: str | None = None
    param: str | None = None


class _Reason(msgspec.Struct, frozen=True):
    reason: str | None = None


class _Cached(msgspec.Struct, frozen=True):
    cached_tokens: int | None = None


class _Reasoned(msgspec.Struct, frozen=True):
    reasoning_tokens: int | None = None


class _Usage(msgspec.Struct, frozen=True, kw_only=True):
    input_tokens: int
    output_tokens: int
    input_tokens_details: _Cached | None = None
    output_tokens_details: _Reasoned | None = None

    def counted(self) -> Usage:
        """The same in our words."""
        given, made = self.input_tokens_details, self.output_tokens_details
        return Usage(
            input_tokens=self.input_tokens,
            output_tokens=self.output_tokens,
            cached_input_tokens=given.cached_tokens if given else None,
            reasoning_tokens=made.reasoning_tokens if made else None,
        )


class Response(msgspec.Struct, frozen=True, kw_only=True):
    """A whole answer, as a document has it and the last event of a stream."""

    id: str
    output: list[msgspec.Raw]
    status: str | None = None
    error: Problem | None = None
    incomplete_details: _Reason | None = None
    usage: _Usage | None = None


# ---------------------------------------------------------------- events


class _Event(msgspec.Struct, frozen=True, kw_only=True, tag_field="type"):
    pass


class TextPiece(_Event, frozen=True, kw_only=True, tag="response.output_text.delta", gc=False):
    """More words of a message."""

    output_index: int
    content_index: int
    delta: str


class RefusalPiece(_Event, frozen=True, kw_only=True, tag="response.refusal.delta", gc=False):
    """More words of a refusal."""

    output_index: int
    content_index: int
    delta: str


class SummaryPiece(_Event, frozen=True, kw_only=True, tag="response.reasoning_summary_text.delta", gc=False):
    """More words of a summary of the reasoning."""

    output_index: int
    summary_index: int
    delta: str


class ReasoningPiece(_Event, frozen=True, kw_only=True, tag="response.reasoning_text.delta", gc=False):
    """More words of the reasoning itself, where a model shows it."""

    output_index: int
    content_index: int
    delta: str


class ArgumentsPiece(_Event, frozen=True, kw_only=True, tag="response.function_call_arguments.delta", gc=False):
    """More of a call's arguments."""

    output_index: int
    delta: str


class ItemAdded(_Event, frozen=True, kw_only=True, tag="response.output_item.added"):
    """An item begins."""

    output_index: int
    item: msgspec.Raw


class ItemDone(_Event, frozen=True, kw_only=True, tag="response.output_item.done"):
    """An item is whole."""

    output_index: int
    item: msgspec.Raw


class AnnotationAdded(_Event, frozen=True, kw_only=True, tag="response.output_text.annotation.added"):
    """A note to what a message said."""

    output_index: int
    content_index: int
    annotation: msgspec.Raw


class Preview(_Event, frozen=True, kw_only=True, tag="response.image_generation_call.partial_image"):
    """A picture that is not done."""

    item_id: str
    partial_image_b64: bytes


class Ended(_Event, frozen=True, kw_only=True):
    """The last event."""

    response: Response


class _Completed(Ended, frozen=True, kw_only=True, tag="response.completed"):
    pass


class _Incomplete(Ended, frozen=True, kw_only=True, tag="response.incomplete"):
    pass


class _Failed(Ended, frozen=True, kw_only=True, tag="response.failed"):
    pass


class Failure(_Event, frozen=True, kw_only=True, tag="error"):
    """The last event of an answer that broke: its fields, or the same below `error`."""

    message: str | None = None
    code: str | int | None = None
    param: str | None = None
    error: Problem | None = None

    def problem(self) -> Problem:
        """What its own fields say."""
        return Problem(message=self.message, code=self.code, param=self.param)


# ---------------------------------------------------------------- reading


class _Untyped(msgspec.Struct, frozen=True):
    object: Any = None
    error: msgspec.Raw = msgspec.Raw()


_decode_untyped = msgspec.json.Decoder(_Untyped).decode
_decode_response = msgspec.json.Decoder(Response).decode
_decode_problem = msgspec.json.Decoder(Problem | str).decode
_read = reader(
    TextPiece
    | RefusalPiece
    | SummaryPiece
    | ReasoningPiece
    | ArgumentsPiece
    | ItemAdded
    | ItemDone
    | AnnotationAdded
    | Preview
    | _Completed
    | _Incomplete
    | _Failed
    | Failure
)


def event(data: bytes) -> Any:
    """One event; None for a type that is not known here.

    A document is read as the last event of a stream, and an error without a type as a failure. Raises:
    `msgspec.DecodeError` for anything else.
    """
    try:
        return _read(data)
    except msgspec.ValidationError:
        seen = _decode_untyped(data)
        if seen.object == "response":
            return _Completed(response=_decode_response(data))
        if not bytes(seen.error):
            raise
        problem = _decode_problem(seen.error)
        return Failure(error=Problem(message=problem) if isinstance(problem, str) else problem)
