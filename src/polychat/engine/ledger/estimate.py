"""Tokens where the service tells none, and what is recorded of an answer that did not end.

The rule: one token is four bytes of UTF-8, rounded up. That is four letters of Latin, two of Greek, Cyrillic, Hebrew or
Arabic, four tokens for five or six characters of Chinese, Japanese or Korean, and one for an emoji. Each message costs
four tokens more for its frame. Tools count as the JSON of their schemas. Pictures, sound and files are not counted, nor
what a service keeps of a conversation by itself: an estimate is a lower bound there.

An answer that ended, was interrupted or was cancelled is recorded with the service's own numbers where it told them;
what it did not tell is the estimate of the whole input and of the part that came, and the record says so. A question
that failed without an answer costs nothing that we know of, so nothing is estimated for it.
"""

from __future__ import annotations

from collections.abc import Iterable

import msgspec

from polychat.types import Audio, Message, Part, Reply, Request, Text, Thinking, ToolCall, ToolResult, Usage

_BYTES_A_TOKEN = 4
_FRAME_TOKENS = 4


def tokens(text: str) -> int:
    """How many tokens `text` is, as far as can be told from outside."""
    size_bytes = len(text) if text.isascii() else len(text.encode(errors="surrogatepass"))
    return -(-size_bytes // _BYTES_A_TOKEN)


def asked(request: Request) -> int:
    """The tokens of a whole question: its messages and the tools it offers."""
    tools = tokens(msgspec.json.encode(request.tools).decode()) if request.tools else 0
    return tools + sum(map(_of_message, request.messages))


def answered(reply: Reply) -> int:
    """The tokens of what came of an answer."""
    return tokens(reply.text) + sum(map(_of_part, reply.thoughts)) + _of_calls(reply.tool_calls)


def usage(request: Request, reply: Reply) -> Usage:
    """What the turn cost: as the service told it, and estimated where it did not."""
    told = reply.usage or Usage()
    if told.input_tokens is not None and told.output_tokens is not None:
        return told
    return msgspec.structs.replace(
        told,
        input_tokens=asked(request) if told.input_tokens is None else told.input_tokens,
        output_tokens=answered(reply) if told.output_tokens is None else told.output_tokens,
        estimated=True,
    )


def _of_message(message: Message) -> int:
    return _FRAME_TOKENS + sum(map(_of_part, message.parts)) + _of_calls(message.tool_calls)


def _of_calls(calls: Iterable[ToolCall]) -> int:
    return sum(tokens(call.name) + tokens(call.arguments) for call in calls)


def _of_part(part: Part) -> int:
    match part:
        case Text() | Thinking():
            return tokens(part.text)
        case ToolResult():
            return sum(map(_of_part, part.content))
        case Audio():
            return tokens(part.transcript or "")
    return 0
