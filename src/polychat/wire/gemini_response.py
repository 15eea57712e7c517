"""A response of the Gemini API as it stands on the wire: an event of a stream, or the document.

Shapes as in the types of `google-genai` 3.4, as far as an answer needs them; 2026-11.
"""

from __future__ import annotations

from typing import Any

import msgspec

from polychat.errors import FormatChanged
from polychat.types import Usage
from polychat.wire import gemini_errors
from polychat.wire.gemini_grounding import Grounding, Quotations


class Blob(msgspec.Struct, rename="camel"):
    """Bytes of the answer."""

    data: bytes = b""  # left out where there are none
    mime_type: str = ""


class FileData(msgspec.Struct, rename="camel"):
    """A file by its address."""

    file_uri: str
    mime_type: str | None = None


class Call(msgspec.Struct):
    """A call of a function, whole."""

    name: str
    args: msgspec.Raw = msgspec.Raw(b"{}")
    id: str | None = None


class Search(msgspec.Struct, rename="camel"):
    """A call of a tool of the service's own, or its response."""

    id: str | None = None
    tool_type: str = "tool"
    args: msgspec.Raw = msgspec.Raw(b"")
    response: msgspec.Raw = msgspec.Raw(b"")


class Code(msgspec.Struct):
    """A program that ran there, or what came of it."""

    id: str | None = None
    code: str = ""
    output: str = ""
    outcome: str = ""


class Part(msgspec.Struct, rename="camel"):
    """One piece; of its fields those are there that its kind has."""

    text: str | None = None
    thought: bool = False
    thought_signature: str | None = None
    inline_data: Blob | None = None
    file_data: FileData | None = None
    function_call: Call | None = None
    executable_code: Code | None = None
    code_execution_result: Code | None = None
    tool_call: Search | None = None
    tool_response: Search | None = None

    @property
    def is_hosted(self) -> bool:
        """True for what the service did itself, and wants back whole."""
        return self._hosted is not None

    @property
    def hosted_id(self) -> str | None:
        """What a step and its result are both called."""
        return self._hosted.id if self._hosted else None

    @property
    def output(self) -> str:
        """What came of a step."""
        if self.tool_response is not None:
            return bytes(self.tool_response.response).decode()
        result = self.code_execution_result or Code()
        return result.output or result.outcome

    @property
    def _hosted(self) -> Code | Search | None:
        return self.executable_code or self.code_execution_result or self.tool_call or self.tool_response


class Content(msgspec.Struct):
    """What was said; an end may come without parts."""

    parts: list[Part] = []


class Candidate(msgspec.Struct, rename="camel"):
    """An answer, or a piece of one; there is one answer, of index 0."""

    content: Content | None = None
    finish_reason: str | None = None
    finish_message: str | None = None
    grounding_metadata: Grounding | None = None
    citation_metadata: Quotations | None = None
    continuation_token: str | None = None
    index: int = 0


class Feedback(msgspec.Struct, rename="camel"):
    """What the service thinks of the question."""

    block_reason: str | None = None


class Counted(msgspec.Struct, rename="camel"):
    """Tokens so far."""

    prompt_token_count: int | None = None
    tool_use_prompt_token_count: int | None = None
    candidates_token_count: int | None = None
    thoughts_token_count: int | None = None
    cached_content_token_count: int | None = None


class Response(msgspec.Struct, rename="camel"):
    """One event, or the document."""

    candidates: list[Candidate] | None = None
    prompt_feedback: Feedback | None = None
    usage_metadata: Counted | None = None
    response_id: str | None = None
    error: Any = None


_decode = msgspec.json.Decoder(Response).decode


def response(data: bytes, provider: str) -> Response:
    """One response. Raises: what an error in its place means; `FormatChanged` for anything else."""
    try:
        found = _decode(data)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        what = f"{provider} sent an event that is no part of an answer ({len(data)} bytes: {error})"
        raise FormatChanged(what, evidence=data) from error
    if found.error is not None:
        raise gemini_errors.inside(data, provider=provider)
    if found.candidates is None and found.prompt_feedback is None and found.usage_metadata is None:
        raise FormatChanged(f"{provider} sent an event without candidates ({len(data)} bytes)", evidence=data)
    return found


def raw_part(data: bytes, position: int) -> str:
    """The part at `position` of the first candidate, as the JSON that the service wrote."""
    return bytes(msgspec.json.decode(data, type=_Whole).candidates[0].content.parts[position]).decode()


class _WholeContent(msgspec.Struct):
    parts: list[msgspec.Raw]


class _WholeCandidate(msgspec.Struct):
    content: _WholeContent


class _Whole(msgspec.Struct):
    """A response whose parts are to be kept as they are."""

    candidates: list[_WholeCandidate]


def usage(counted: Counted) -> Usage:
    """Thoughts are part of what was made, and what tools brought is part of what was given."""
    return Usage(
        input_tokens=_sum(counted.prompt_token_count, counted.tool_use_prompt_token_count),
        output_tokens=_sum(counted.candidates_token_count, counted.thoughts_token_count),
        cached_input_tokens=counted.cached_content_token_count,
        reasoning_tokens=counted.thoughts_token_count,
    )


def summed(*usages: Usage) -> Usage:
    """What several requests of one answer cost together."""
    return Usage(
        input_tokens=_sum(*(usage.input_tokens for usage in usages)),
        output_tokens=_sum(*(usage.output_tokens for usage in usages)),
        cached_input_tokens=_sum(*(usage.cached_input_tokens for usage in usages)),
        reasoning_tokens=_sum(*(usage.reasoning_tokens for usage in usages)),
    )


def _sum(*counts: int | None) -> int | None:
    """What was counted, together; None where nothing was."""
    counted = [count for count in counts if count is not None]
    return sum(counted) if counted else None
