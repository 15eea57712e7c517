"""A request to OpenAI's Responses API. Pure.

The talk is a list of items: messages, calls, results of calls, and the reasoning of earlier answers, which goes back as
the service sealed it, before what came of it; where nothing did but a picture, it stays here, since the service refuses
a thought without its item. System messages are items too, so that a conversation kept by the service keeps them; such a
conversation is sent only what came after its last answer. A picture that an earlier answer drew goes back as the
user's, since an assistant's message has no place for one. Unset fields are left out, but for two whose defaults differ
from those of chat completions: `store`, and `strict` of a tool. As in the types of OpenAI's own Python package 3.52,
2026-11.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import msgspec

from polychat import media
from polychat.errors import BadOption, UnsupportedFeature
from polychat.types import (
    File,
    Image,
    Message,
    NamedTool,
    Part,
    Request,
    ResponseFormat,
    Text,
    Thinking,
    Tool,
    ToolCall,
    ToolResult,
)
from polychat.wire.openai_chat_request import link
from polychat.wire.openai_messages import converted
from polychat.wire.openai_responses_items import opened

OPTIONS: Mapping[str, type] = {  # that only this API knows
    "include": list,  # what the answer is to tell beside its words
    "truncation": str,
    "background": bool,
    "max_tool_calls": int,
    "hosted_tools": list,  # tools that the service runs, as its documentation has them
}

_FIELDS_OF_CHAT = ("seed", "stop")
_OPTIONS_OF_CHAT = ("frequency_penalty", "presence_penalty", "logit_bias", "top_k")
_WORKED_IN = frozenset({"api", "store", "include", "hosted_tools", "verbosity", "extra_body"})
_SEALED_REASONING = "reasoning.encrypted_content"


class _Hosted(msgspec.Struct):
    type: str


def body(request: Request) -> dict[str, Any]:
    """The JSON of the request.

    Raises: `UnsupportedFeature` for what this API cannot say, `BadOption` for an option that is malformed.
    """
    _check(request)
    options = request.options
    own = {name: value for name, value in options.items() if name not in _WORKED_IN}
    sampling = {"temperature": request.temperature, "top_p": request.top_p, "max_output_tokens": request.max_tokens}
    fields = {
        "model": request.model,
        "input": [item for message in _unsaid(request) for item in _items(message)],
        "stream": request.stream or bool(options.get("background")),  # a document would come before its answer
        "store": stored(request),
        "previous_response_id": request.thread.id if request.thread else None,
        "tools": [*(_tool(tool) for tool in request.tools), *_hosted(request)] or None,
        "tool_choice": _tool_choice(request),
        "parallel_tool_calls": request.parallel_tool_calls,
        "text": _text(request),
        "reasoning": _reasoning(request),
        "include": _include(request),
    }
    whole = fields | sampling | own | options.get("extra_body", {})
    return {name: value for name, value in whole.items() if value is not None}


def stored(request: Request) -> bool:
    """Whether the service is to keep the conversation: where it was told to, and where it has begun to."""
    kept = request.thread is not None and request.thread.id is not None
    told: bool = request.options.get("store", kept)
    if kept and not told:
        raise BadOption(
            "store is false, and the service keeps this conversation", field="store", hint="leave store out"
        )
    return told


def reasons(request: Request) -> bool:
    """Whether the answer is to be thought about."""
    return request.reasoning_effort not in {None, "none"}


def _check(request: Request) -> None:
    for field in _FIELDS_OF_CHAT:
        if getattr(request, field) not in (None, ()):
            raise UnsupportedFeature(f"the Responses API knows no {field}")
    for field in _OPTIONS_OF_CHAT:
        if field in request.options:
            raise UnsupportedFeature(f"the Responses API knows no {field}")
    if "audio" in request.modalities:
        raise UnsupportedFeature("the Responses API does not speak (modalities with audio)")


# ---------------------------------------------------------------- the talk


def _unsaid(request: Request) -> tuple[Message, ...]:
    """What the service does not hold already."""
    messages = request.messages
    if request.thread is None or request.thread.id is None:
        return messages
    last = max((index for index, message in enumerate(messages) if message.role == "assistant"), default=-1)
    return messages[last + 1 :] or messages[-1:]


def _items(message: Message) -> Iterator[dict[str, Any]]:
    """A message as items: results of calls, reasoning, words, pictures, calls."""
    if message.name is not None:
        raise UnsupportedFeature(f"the Responses API has no place for a name of a message ({message.name!r})")
    said = []
    spoken = bool(message.tool_calls) or any(isinstance(part, Text) for part in message.parts)
    for part in message.parts:
        match part:
            case ToolResult():
                yield {"type": "function_call_output", "call_id": part.tool_call_id, "output": _content(part.content)}
            case Thinking():
                yield from _reasoned(part) if spoken else ()
            case _:
                said.append(part)
    yield from _answered(said) if message.role == "assistant" else _asked(message.role, said)
    for call in message.tool_calls:
        yield _call(call)


def _asked(role: str, parts: list[Any]) -> Iterator[dict[str, Any]]:
    if parts:
        yield {"role": role, "content": _content(tuple(parts))}


def _answered(parts: list[Any]) -> Iterator[dict[str, Any]]:
    words = [part for part in parts if isinstance(part, Text)]
    yield from _asked("assistant", words)
    yield from _asked("user", [part for part in parts if not isinstance(part, Text)])


def _reasoned(part: Thinking) -> Iterator[dict[str, Any]]:
    """The item that the signature tells of; thoughts that another service signed, or none, stay here."""
    seal = opened(part.signature)
    if seal is not None:
        text = part.text.strip()
        summary = [{"type": "summary_text", "text": text}] if text else []
        yield {"type": "reasoning", "id": seal.id, "summary": summary, "encrypted_content": seal.encrypted_content}


def _call(call: ToolCall) -> dict[str, Any]:
    return {"type": "function_call", "call_id": call.id, "name": call.name, "arguments": call.arguments}


def _content(parts: tuple[Part, ...]) -> str | list[dict[str, Any]]:
    """Words alone are a string; with anything else, a list of parts."""
    if all(isinstance(part, Text) for part in parts):
        return "".join(part.text for part in parts if isinstance(part, Text))
    return [_part(part) for part in parts]


def _part(part: Part) -> dict[str, Any]:
    match part:
        case Text():
            return {"type": "input_text", "text": part.text}
        case Image():
            return {"type": "input_image", "image_url": link(part), "detail": part.detail or "auto"}
        case File(data=None):
            return {"type": "input_file", "file_url": part.url}
        case File():
            name = part.name or f"file.{media.extension(part.media_type or '')}"
            return {"type": "input_file", "filename": name, "file_data": link(part)}
    raise UnsupportedFeature(f"the Responses API takes no {type(part).__name__}")


# ---------------------------------------------------------------- what may be used, and how to answer


def _tool(tool: Tool) -> dict[str, Any]:
    described = {"description": tool.description} if tool.description is not None else {}
    return {
        "type": "function",
        "name": tool.name,
        "parameters": tool.parameters or {"type": "object", "properties": {}},
        "strict": bool(tool.strict),  # the service's own default is true, and fails for many a schema
    } | described


def _hosted(request: Request) -> Iterator[dict[str, Any]]:
    """Tools the service runs: those named in full, and those that the request asks for in other words."""
    given = request.options.get("hosted_tools", [])
    named = {tool.type for tool in converted(given, list[_Hosted], "hosted_tools")}
    yield from given
    if request.web_search and "web_search" not in named:
        yield {"type": "web_search"}
    if "image" in request.modalities and "image_generation" not in named:
        yield {"type": "image_generation"}


def _tool_choice(request: Request) -> Any:
    if isinstance(request.tool_choice, NamedTool):
        return {"type": "function", "name": request.tool_choice.name}
    if request.tool_choice is None and "image" in request.modalities and "text" not in request.modalities:
        return {"type": "image_generation"}
    return request.tool_choice


def _text(request: Request) -> dict[str, Any] | None:
    form = {"format": _format(request.response_format)} if request.response_format else {}
    verbosity = request.options.get("verbosity")
    return form | ({"verbosity": verbosity} if verbosity else {}) or None


def _format(wanted: ResponseFormat) -> dict[str, Any]:
    if wanted.type != "json_schema":
        return {"type": wanted.type}
    schema = {"type": wanted.type, "name": wanted.name or "answer", "schema": wanted.schema, "strict": wanted.strict}
    return {name: value for name, value in schema.items() if value is not None}


def _reasoning(request: Request) -> dict[str, Any] | None:
    if request.reasoning_effort is None:
        return None
    return {"effort": request.reasoning_effort} | ({"summary": "auto"} if reasons(request) else {})


def _include(request: Request) -> list[Any] | None:
    """What is asked for, and sealed reasoning where it has to come back; a model that does not reason refuses that."""
    given = request.options.get("include", [])
    sealed = [_SEALED_REASONING] if reasons(request) and not stored(request) and _SEALED_REASONING not in given else []
    return [*given, *sealed] or None
