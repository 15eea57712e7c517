"""A response as items and as a stream of events that builds them, numbered from 0.

`response.created` and `in_progress` have the response without output; then every item is added, filled and done, one
after the other; `response.completed` or `incomplete` has the whole. There is no `[DONE]`.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from typing import Any

import msgspec

from polychat.sandbox import brain
from polychat.sandbox.services.openai.turn import Told, fragments
from polychat.sandbox.world import Ids

Event = dict[str, Any]


def output(ids: Ids, told: Told, *, summarised: bool) -> list[dict[str, Any]]:
    """The items of a response, each whole."""
    items: list[dict[str, Any]] = []
    if told.thinking:
        summary = [{"type": "summary_text", "text": "".join(told.thinking)}] if summarised else []
        items.append({"id": f"rs_{ids.hex(48)}", "type": "reasoning", "summary": summary})
    for call in told.calls:
        about = {"call_id": call.id, "name": call.name, "arguments": call.arguments}
        items.append({"id": f"fc_{ids.hex(48)}", "type": "function_call", "status": "completed", **about})
    if told.pieces or told.refusal:
        status = "completed" if told.finish_reason == "stop" else "incomplete"
        content = [_part(told)]
        message = {"id": f"msg_{ids.hex(48)}", "type": "message", "status": status, "role": "assistant"}
        items.append(message | {"content": content})
    return items


def _part(told: Told) -> dict[str, Any]:
    if told.refusal is not None:
        return {"type": "refusal", "refusal": told.refusal}
    return {"type": "output_text", "text": told.text, "annotations": [], "logprobs": []}


async def frames(body: dict[str, Any], told: Told, padding: dict[str, Any]) -> AsyncIterator[bytes]:
    """The stream; `padding` goes with every piece."""
    for number, event in enumerate(_events(body, told, padding)):
        data = msgspec.json.encode({**event, "sequence_number": number})
        yield b"event: " + event["type"].encode() + b"\ndata: " + data + b"\n\n"


def _events(body: dict[str, Any], told: Told, padding: dict[str, Any]) -> Iterator[Event]:
    begun = {**body, "status": "in_progress", "output": [], "usage": None, "incomplete_details": None}
    yield {"type": "response.created", "response": begun}
    yield {"type": "response.in_progress", "response": begun}
    for index, item in enumerate(body["output"]):
        place = {"item_id": item["id"], "output_index": index}
        hollow = {**item, "status": "in_progress"} if "status" in item else dict(item)
        hollow.update({field: type(item[field])() for field in ("content", "arguments", "summary") if field in item})
        yield {"type": "response.output_item.added", "output_index": index, "item": hollow}
        yield from _FILLED[item["type"]](item, place, told, padding)
        yield {"type": "response.output_item.done", "output_index": index, "item": item}
    yield {"type": f"response.{body['status']}", "response": body}


def _reasoning(item: dict[str, Any], place: dict[str, Any], told: Told, padding: dict[str, Any]) -> Iterator[Event]:
    for index, part in enumerate(item["summary"]):
        where = {**place, "summary_index": index}
        yield {"type": "response.reasoning_summary_part.added", **where, "part": {**part, "text": ""}}
        for piece in told.thinking:
            yield {"type": "response.reasoning_summary_text.delta", **where, "delta": piece, **padding}
        yield {"type": "response.reasoning_summary_text.done", **where, "text": part["text"]}
        yield {"type": "response.reasoning_summary_part.done", **where, "part": part}


def _call(item: dict[str, Any], place: dict[str, Any], told: Told, padding: dict[str, Any]) -> Iterator[Event]:
    for piece in fragments(item["arguments"]):
        yield {"type": "response.function_call_arguments.delta", **place, "delta": piece, **padding}
    about = {"name": item["name"], "arguments": item["arguments"]}
    yield {"type": "response.function_call_arguments.done", **place, **about}


def _message(item: dict[str, Any], place: dict[str, Any], told: Told, padding: dict[str, Any]) -> Iterator[Event]:
    (part,) = item["content"]
    where = {**place, "content_index": 0}
    declined = part["type"] == "refusal"
    field, name = ("refusal", "refusal") if declined else ("text", "output_text")
    more: dict[str, Any] = {} if declined else {"logprobs": []}
    yield {"type": "response.content_part.added", **where, "part": {**part, field: ""}}
    for piece in brain.pieces(part["refusal"]) if declined else told.pieces:
        yield {"type": f"response.{name}.delta", **where, "delta": piece, **more, **padding}
    yield {"type": f"response.{name}.done", **where, field: part[field], **more}
    yield {"type": "response.content_part.done", **where, "part": part}


_FILLED = {"reasoning": _reasoning, "function_call": _call, "message": _message}
