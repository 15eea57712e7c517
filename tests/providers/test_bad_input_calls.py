"""Calls of tools whose arguments are no JSON, or no object, told by a server on this machine in each dialect's words.

They are text to everyone but the caller: kept to the character, whole or in pieces, and whatever follows them.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import msgspec
import pytest

from polychat import BadOption, ChatCompletion, ChatCompletionChunk
from polychat.errors import Interrupted

Json = dict[str, Any]
NAMES = ("openai", "responses", "anthropic", "gemini", "raycast", "custom")


# ---------------------------------------------------------------- what each dialect says


def dialect(name: str) -> str:
    """A service of the person's own speaks as OpenAI does."""
    return "openai" if name == "custom" else name


def call(name: str, arguments: str) -> list[Json]:
    """The events of a call with these arguments, in two pieces where the dialect knows pieces."""
    pieces = arguments[: len(arguments) // 2], arguments[len(arguments) // 2 :]
    match dialect(name):
        case "openai":
            first: Json = {"index": 0, "id": "c1", "type": "function", "function": {"name": "f", "arguments": ""}}
            said = [first, *({"index": 0, "function": {"arguments": piece}} for piece in pieces)]
            chunks: list[Json] = [{"choices": [{"index": 0, "delta": {"tool_calls": [one]}}]} for one in said]
            return [*chunks, {"choices": [{"index": 0, "delta": {}, "finish_reason": "tool_calls"}]}]
        case "responses":
            item = {"type": "function_call", "id": "i1", "call_id": "c1", "name": "f", "arguments": ""}
            done = item | {"arguments": arguments}
            delta = {"type": "response.function_call_arguments.delta", "output_index": 0}
            return [
                {"type": "response.output_item.added", "output_index": 0, "item": item},
                *(delta | {"delta": piece} for piece in pieces),
                {"type": "response.output_item.done", "output_index": 0, "item": done},
                {"type": "response.completed", "response": {"id": "r", "output": [done], "status": "completed"}},
            ]
        case "anthropic":
            use = {"type": "tool_use", "id": "c1", "name": "f", "input": {}}
            grown = [{"type": "input_json_delta", "partial_json": piece} for piece in pieces]
            return [
                {"type": "message_start", "message": {"usage": {"input_tokens": 9}}},
                {"type": "content_block_start", "index": 0, "content_block": use},
                *({"type": "content_block_delta", "index": 0, "delta": delta} for delta in grown),
                {"type": "content_block_stop", "index": 0},
                {"type": "message_delta", "delta": {"stop_reason": "tool_use"}, "usage": {"output_tokens": 3}},
                {"type": "message_stop"},
            ]
        case "gemini":
            called = {"id": "c1", "name": "f", "args": msgspec.Raw(arguments.encode())}
            parts = {"content": {"parts": [{"functionCall": called}]}}
            return [{"candidates": [parts]}, {"candidates": [{"finishReason": "STOP"}]}]
    said = [{"index": 0, "id": "c1", "function": {"name": "f"}}]
    said += [{"index": 0, "function": {"arguments": piece}} for piece in pieces]
    return [*({"tool_calls": [one]} for one in said), {"text": "", "finish_reason": "tool_calls"}]


def called(name: str, arguments: str) -> Json:
    """The same in one document."""
    match dialect(name):
        case "openai":
            one = {"id": "c1", "type": "function", "function": {"name": "f", "arguments": arguments}}
            message = {"role": "assistant", "content": None, "tool_calls": [one]}
            return {"choices": [{"index": 0, "message": message, "finish_reason": "tool_calls"}]}
        case "responses":
            item = {"type": "function_call", "id": "i1", "call_id": "c1", "name": "f", "arguments": arguments}
            return {"object": "response", "id": "r", "output": [item], "status": "completed"}
        case "anthropic":
            use = {"type": "tool_use", "id": "c1", "name": "f", "input": msgspec.Raw(arguments.encode())}
            return {"type": "message", "content": [use], "usage": {}, "stop_reason": "tool_use"}
    part = {"functionCall": {"id": "c1", "name": "f", "args": msgspec.Raw(arguments.encode())}}
    return {"candidates": [{"content": {"parts": [part]}, "finishReason": "STOP"}]}


# ---------------------------------------------------------------- how they arrive

UNREADABLE = ('{"city": "Par', "not JSON", "{}{}")
VALUES = ("[1]", '"Paris"', "5", "true")
IN_PIECES = ("openai", "responses", "anthropic", "raycast", "custom")  # Gemini and documents can only hold JSON
CASES = [
    *((name, arguments) for name in IN_PIECES for arguments in (*UNREADABLE, *VALUES, "null")),
    *(("gemini", arguments) for arguments in VALUES),
]
ONE_PIECE = [
    *((name, arguments) for name in ("openai", "responses", "custom") for arguments in (*UNREADABLE, *VALUES)),
    *((name, arguments) for name in ("anthropic", "gemini") for arguments in VALUES),
]


@pytest.mark.parametrize(("name", "arguments"), CASES)
def test_arguments_of_a_call_are_kept_as_the_model_wrote_them(speaker: Any, name: str, arguments: str) -> None:
    """Nobody reads them but the caller, who can tell the model what is wrong."""
    speaker.says(*call(name, arguments))
    answer = speaker.whole(name)
    assert answer.choices[0].finish_reason == "tool_calls"
    (one,) = answer.choices[0].message.tool_calls or []
    assert (one.id, one.function.name, one.function.arguments) == ("c1", "f", arguments)
    heard: list[ChatCompletionChunk] = []
    speaker.streamed(name, heard)
    fragments = [part for chunk in heard for part in chunk.choices[0].delta.tool_calls or [] if part.function]
    assert "".join(part.function.arguments for part in fragments if part.function) == arguments
    assert [part.id for part in fragments if part.id] == ["c1"]


@pytest.mark.parametrize(("name", "arguments"), ONE_PIECE)
def test_arguments_in_a_document_are_kept_too(speaker: Any, name: str, arguments: str) -> None:
    """Where nobody reads along."""
    speaker.hands_out(called(name, arguments))
    (one,) = speaker.whole(name).choices[0].message.tool_calls or []
    assert (one.id, one.function.name, one.function.arguments) == ("c1", "f", arguments)


@pytest.mark.parametrize("name", NAMES)
def test_a_call_that_breaks_off_is_kept_as_far_as_it_came(speaker: Any, name: str) -> None:
    """Nothing that was received is lost."""
    speaker.says(*call(name, '{"city": "Paris"}')[: 1 if name == "gemini" else 3], "{")
    with pytest.raises(Interrupted) as told:
        speaker.whole(name)
    (kept,) = told.value.partial.tool_calls if told.value.partial else ()
    assert (kept.id, kept.name) == ("c1", "f")
    assert '{"city": "Paris"}'.startswith(kept.arguments)
    assert len(kept.arguments) >= len('{"city": "Paris"}') // 2


@pytest.mark.parametrize("name", ["openai", "responses", "anthropic", "custom"])
def test_a_talk_with_such_a_call_goes_on_where_the_service_takes_it(speaker: Any, name: str) -> None:
    """As text it goes back unchanged; where only an object has a place, the call is named and nothing is sent."""
    speaker.says(*call(name, "not JSON"))
    with speaker.client(name) as client:
        ask: Callable[..., ChatCompletion] = client.chat.completions.create
        first = ask(**speaker.question(name))
        mine = {"role": "tool", "tool_call_id": "c1", "content": "your arguments were no JSON"}
        again = speaker.question(name, messages=[mine], conversation=first.conversation)
        if name != "anthropic":
            ask(**again)
            assert '"arguments":"not JSON"' in msgspec.json.encode(speaker.asked[1]).decode()
            return
        with pytest.raises(BadOption) as told:
            ask(**again)
    assert told.value.message.startswith("messages[1].tool_calls[0].function.arguments is no JSON object")
    assert told.value.hint is not None
    assert len(speaker.asked) == 1
