"""A chat completion as a stream: one `data:` line a chunk, `[DONE]` at the end.

The first chunk says the role. Of a tool call the first chunk has index, id and name, the others have pieces of its
arguments; calls come one after the other. The finish reason comes with an empty delta, the usage after it in a chunk
without choices, if it was asked for.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from typing import Any

import msgspec

from polychat.sandbox import brain
from polychat.sandbox.services.openai.knobs import Knobs
from polychat.sandbox.services.openai.turn import Called, Told, Usage, fragments

_PADDED = 16  # characters of a piece and its obfuscation together
_NOISE = "k3Zr8vQw1LxT6mPd"


async def frames(
    knobs: Knobs, head: dict[str, Any], told: Told, include_usage: bool, include_obfuscation: bool
) -> AsyncIterator[bytes]:
    """The stream."""
    spent = usage(told.usage)
    asked = include_usage and knobs.usage == "asked"
    pending = {"usage": None} if asked else {}
    padded = include_obfuscation and knobs.obfuscation
    for delta in _deltas(knobs, told):
        choice = {"index": 0, "delta": delta, "logprobs": None, "finish_reason": None}
        yield _frame(head, [choice], pending | (_padding(delta) if padded else {}))
    last = {"index": 0, "delta": {}, "logprobs": None, "finish_reason": told.finish_reason}
    yield _frame(head, [last], {"usage": spent} if knobs.usage == "with_finish" else pending)
    if asked:
        yield _frame(head, [], {"usage": spent})
    yield b"data: [DONE]\n\n"


def _frame(head: dict[str, Any], choices: list[Any], more: dict[str, Any]) -> bytes:
    chunk = {**head, "object": "chat.completion.chunk", "choices": choices, **more}
    return b"data: " + msgspec.json.encode(chunk) + b"\n\n"


def _deltas(knobs: Knobs, told: Told) -> Iterator[dict[str, Any]]:
    yield {"role": "assistant", "content": None if told.calls else "", "refusal": None}
    if knobs.reasoning_field != "none":
        for piece in told.thinking:
            yield {knobs.reasoning_field: piece}
    yield from ({"content": piece} for piece in told.pieces)
    yield from ({"refusal": piece} for piece in brain.pieces(told.refusal or ""))
    for index, call in enumerate(told.calls):
        begun = {"index": index, **spelled(call), "function": {"name": call.name, "arguments": ""}}
        yield {"tool_calls": [begun]}
        for piece in fragments(call.arguments):
            yield {"tool_calls": [{"index": index, "function": {"arguments": piece}}]}


def _padding(delta: dict[str, Any]) -> dict[str, Any]:
    said = delta.get("content") or ""
    return {"obfuscation": _NOISE[len(said) % _PADDED :]}


def spelled(call: Called) -> dict[str, Any]:
    """A tool call, whole."""
    return {"id": call.id, "type": "function", "function": {"name": call.name, "arguments": call.arguments}}


def usage(spent: Usage) -> dict[str, Any]:
    """What a turn cost."""
    return {
        "prompt_tokens": spent.prompt, "completion_tokens": spent.completion, "total_tokens": spent.total,
        "prompt_tokens_details": {"cached_tokens": spent.cached, "audio_tokens": 0},
        "completion_tokens_details": {
            "reasoning_tokens": spent.reasoning, "audio_tokens": 0, "accepted_prediction_tokens": 0,
            "rejected_prediction_tokens": 0,
        },
    }  # fmt: skip
