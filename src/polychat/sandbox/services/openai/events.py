"""A response as items and as a stream of events that builds them, numbered from 0.

What the model thought comes first, then the tools that the service ran, the calls of functions, and the words. A source
is told as soon as its link has been said. Of sealed reasoning only the beginning is there before the item is done.

`response.created` and `in_progress` have the response without output; then every item is added, filled and done, one
after the other; `response.completed` or `incomplete` has the whole. There is no `[DONE]`.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from typing import Any

import msgspec

from polychat.sandbox import brain
from polychat.sandbox.services.openai import searching
from polychat.sandbox.services.openai.hosted import Made
from polychat.sandbox.services.openai.turn import Told, fragments
from polychat.sandbox.world import Ids

Event = dict[str, Any]
_UNSEALED = 24  # characters of a seal that are there before the whole


class Spoken(msgspec.Struct, frozen=True, kw_only=True):
    """What the model said, after what the service's tools gave."""

    told: Told
    made: Made = Made()


def output(
    ids: Ids, spoken: Spoken, *, summarised: bool, seal: Callable[[str, str], str] | None
) -> list[dict[str, Any]]:
    """The items of a response, each whole; `seal` closes a thought, if it is to be: its item and words."""
    told = spoken.told
    items: list[dict[str, Any]] = []
    if told.thinking:
        name, thought = f"rs_{ids.hex(48)}", "".join(told.thinking)
        summary = [{"type": "summary_text", "text": thought}] if summarised else []
        sealed = {"encrypted_content": seal(name, thought)} if seal else {}
        items.append({"id": name, "type": "reasoning", "summary": summary, "content": [], **sealed})
    items += spoken.made.items
    for call in told.calls:
        about = {"call_id": call.id, "name": call.name, "arguments": call.arguments}
        items.append({"id": f"fc_{ids.hex(48)}", "type": "function_call", "status": "completed", **about})
    if told.pieces or told.refusal:
        status = "completed" if told.finish_reason == "stop" else "incomplete"
        message = {"id": f"msg_{ids.hex(48)}", "type": "message", "status": status, "role": "assistant"}
        items.append(message | {"content": [_part(spoken)]})
    return items


def _part(spoken: Spoken) -> dict[str, Any]:
    told = spoken.told
    if told.refusal is not None:
        return {"type": "refusal", "refusal": told.refusal}
    cited = searching.citations(told.text, spoken.made.pages)
    return {"type": "output_text", "text": told.text, "annotations": cited, "logprobs": []}


async def frames(body: dict[str, Any], spoken: Spoken, padding: dict[str, Any]) -> AsyncIterator[bytes]:
    """The stream; `padding` goes with every piece."""
    for number, event in enumerate(_events(body, spoken, padding)):
        data = msgspec.json.encode({**event, "sequence_number": number})
        yield b"event: " + event["type"].encode() + b"\ndata: " + data + b"\n\n"


def _events(body: dict[str, Any], spoken: Spoken, padding: dict[str, Any]) -> Iterator[Event]:
    unknown = dict.fromkeys(("usage", "incomplete_details", "completed_at"))
    begun = {**body, **unknown, "status": "in_progress", "output": []}
    yield {"type": "response.created", "response": begun}
    yield {"type": "response.in_progress", "response": begun}
    for index, item in enumerate(body["output"]):
        place = {"item_id": item["id"], "output_index": index}
        yield {"type": "response.output_item.added", "output_index": index, "item": _begun(item)}
        yield from _FILLED[item["type"]](item, place, spoken, padding)
        yield {"type": "response.output_item.done", "output_index": index, "item": item}
    yield {"type": f"response.{body['status']}", "response": body}


def _begun(item: dict[str, Any]) -> dict[str, Any]:
    """The item as it is before anything fills it."""
    begun = {**item, "status": "in_progress"} if "status" in item else dict(item)
    if item["type"] == "image_generation_call":
        return {field: begun[field] for field in ("id", "type", "status")} | {"result": None}
    if item["type"] == "web_search_call":
        return begun | {"action": {"type": "search"}}
    begun.update({field: type(item[field])() for field in ("content", "arguments", "summary") if field in item})
    if "encrypted_content" in item:
        begun["encrypted_content"] = item["encrypted_content"][:_UNSEALED]
    return begun


def _reasoning(item: dict[str, Any], place: dict[str, Any], spoken: Spoken, padding: dict[str, Any]) -> Iterator[Event]:
    for index, part in enumerate(item["summary"]):
        where = {**place, "summary_index": index}
        yield {"type": "response.reasoning_summary_part.added", **where, "part": {**part, "text": ""}}
        for piece in spoken.told.thinking:
            yield {"type": "response.reasoning_summary_text.delta", **where, "delta": piece, **padding}
        yield {"type": "response.reasoning_summary_text.done", **where, "text": part["text"]}
        yield {"type": "response.reasoning_summary_part.done", **where, "part": part}


def _call(item: dict[str, Any], place: dict[str, Any], spoken: Spoken, padding: dict[str, Any]) -> Iterator[Event]:
    for piece in fragments(item["arguments"]):
        yield {"type": "response.function_call_arguments.delta", **place, "delta": piece, **padding}
    yield {"type": "response.function_call_arguments.done", **place, "arguments": item["arguments"]}


def _message(item: dict[str, Any], place: dict[str, Any], spoken: Spoken, padding: dict[str, Any]) -> Iterator[Event]:
    (part,) = item["content"]
    where = {**place, "content_index": 0}
    declined = part["type"] == "refusal"
    field, name = ("refusal", "refusal") if declined else ("text", "output_text")
    more: dict[str, Any] = {} if declined else {"logprobs": []}
    hollow = {**part, field: ""} if declined else {**part, field: "", "annotations": []}
    yield {"type": "response.content_part.added", **where, "part": hollow}
    cited = list(enumerate(part.get("annotations", ())))
    length = 0
    for piece in brain.pieces(part["refusal"]) if declined else spoken.told.pieces:
        yield {"type": f"response.{name}.delta", **where, "delta": piece, **more, **padding}
        length += len(piece)
        while cited and cited[0][1]["end_index"] <= length:
            number, citation = cited.pop(0)
            about = {"annotation_index": number, "annotation": citation}
            yield {"type": "response.output_text.annotation.added", **where, **about}
    yield {"type": f"response.{name}.done", **where, field: part[field], **more}
    yield {"type": "response.content_part.done", **where, "part": part}


def _search(item: dict[str, Any], place: dict[str, Any], spoken: Spoken, padding: dict[str, Any]) -> Iterator[Event]:
    for step in ("in_progress", "searching", "completed"):
        yield {"type": f"response.web_search_call.{step}", **place}


def _picture(item: dict[str, Any], place: dict[str, Any], spoken: Spoken, padding: dict[str, Any]) -> Iterator[Event]:
    previews = spoken.made.painted.previews if spoken.made.painted else ()
    for step in ("in_progress", "generating"):
        yield {"type": f"response.image_generation_call.{step}", **place}
    for preview in previews:
        yield {"type": "response.image_generation_call.partial_image", **place, **preview}
    yield {"type": "response.image_generation_call.completed", **place}


_FILLED: Mapping[str, Callable[[dict[str, Any], dict[str, Any], Spoken, dict[str, Any]], Iterator[Event]]] = {
    "reasoning": _reasoning, "function_call": _call, "message": _message, "web_search_call": _search,
    "image_generation_call": _picture,
}  # fmt: skip
