"""A question with tools or a format, put to a model in words. Pure.

What may be called and how goes into a system text: at the start, or, where a service keeps the talk, before what is new
to it. Earlier calls stand in the history in the form the model has to use, and results as one JSON object a turn, so
that no result can pass for another or for the person's words. A result is told by the number of its call and by the
tool's name, for the model never saw the ids.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Any

import msgspec

from polychat.engine.emulation.answers import Form, call_number
from polychat.types import Message, NamedTool, Part, Request, Text, Thread, Tool, ToolCall, ToolResult

_TOOLS = """You may use tools. You do not run them yourself: you ask for them, and the results are sent to you in the next message.

The tools, one a line; `parameters` is the JSON Schema of a tool's arguments:
{tools}

To call tools, answer with one JSON object of this form and nothing else. No words stand before or after it:
{{"tool_calls":[{{"name":"TOOL","arguments":{{}}}}]}}
`arguments` is always an object that obeys the tool's schema. {several}
The results then come as {{"tool_results":[{{"call":1,"name":"TOOL","content":"..."}}]}}; `call` counts the calls of your answer.
When you call no tool, answer without such an object."""  # noqa: E501 - lines of the model's text, not of code
_SEVERAL = "Independent calls go into one list."
_ONE = "The list holds exactly one call."
_NO_TOOLS = "Do not call a tool in this answer."
_REQUIRED = "This answer must call a tool; words will not do."
_NAMED = "This answer must call the tool {name} and no other; words will not do."
_FORMAT = """Your whole answer is one JSON value that obeys the JSON Schema below. No words stand before or after it.
{schema}"""
_FORMAT_BESIDE_TOOLS = """When you call no tool, your whole answer is one JSON value that obeys the JSON Schema below.
No words stand before or after it.
{schema}"""
_REPAIR = (
    "That answer cannot be used: {reason}. Give the whole answer again, corrected, in the form that was asked for."
)


class _Listed(msgspec.Struct, kw_only=True, omit_defaults=True):
    """A tool as the model reads it."""

    name: str
    description: str | None = None
    parameters: dict[str, Any]


class _Call(msgspec.Struct, kw_only=True):
    """An earlier call as the model would write it."""

    name: str
    arguments: Any


class _Result(msgspec.Struct, kw_only=True, omit_defaults=True):
    """A result as the model reads it."""

    call: int | None = None  # of the answer before
    name: str | None = None
    content: str | None = None
    error: str | None = None


def asked(request: Request, form: Form, *, system: bool) -> Request:
    """The request as the service gets it: words only. `system` tells whether it takes system messages."""
    plain = msgspec.structs.replace(
        request,
        tools=(),
        tool_choice=None,
        parallel_tool_calls=None,
        response_format=request.response_format if form.format is None else None,
        tool_mode="service",
    )
    kept = request.thread is not None and request.thread.id is not None
    talk = tuple(_talk(request.messages))
    start = _after_last_answer(talk) if kept else 0
    told = _instructed(talk[start:], instructions(request.tools, form), system=system)
    return msgspec.structs.replace(plain, messages=(*talk[:start], *told))


def repairing(request: Request, thread: Thread | None, *, answer: str, reason: str) -> Request:
    """The request that lets the model correct `answer`, after which the talk stands at `thread`.

    Where the service keeps the talk only the reason is sent. Options and a search were about the question.
    """
    complaint = Message(role="user", parts=(Text(text=_REPAIR.format(reason=reason)),))
    if thread is not None and thread.id is not None:
        return msgspec.structs.replace(request, thread=thread, messages=(complaint,), web_search=False, options={})
    said = Message(role="assistant", parts=(Text(text=answer),))
    return msgspec.structs.replace(request, messages=(*request.messages, said, complaint), web_search=False)


# ---------------------------------------------------------------- what the model is told


def instructions(tools: Sequence[Tool], form: Form) -> str:
    """The text that says which answers there are; empty when any will do."""
    callable_now = bool(tools) and form.choice != "none"
    return "\n\n".join(filter(None, (_of_tools(tools, form, callable_now), _of_format(form, callable_now))))


def _of_tools(tools: Sequence[Tool], form: Form, callable_now: bool) -> str:
    if not callable_now:
        return "" if form.tools is None else _NO_TOOLS
    listed = "\n".join(
        _json(_Listed(name=one.name, description=one.description, parameters=one.parameters)) for one in tools
    )
    said = _TOOLS.format(tools=listed, several=_SEVERAL if form.several else _ONE)
    if isinstance(form.choice, NamedTool):
        return f"{said}\n\n{_NAMED.format(name=form.choice.name)}"
    return f"{said}\n\n{_REQUIRED}" if form.must_call else said


def _of_format(form: Form, callable_now: bool) -> str:
    if form.format is None or form.must_call:
        return ""
    return (_FORMAT_BESIDE_TOOLS if callable_now else _FORMAT).format(schema=form.format.text)


def _instructed(messages: tuple[Message, ...], text: str, *, system: bool) -> tuple[Message, ...]:
    if not text:
        return messages
    if system and messages and messages[0].role == "system":
        first = messages[0]
        return (msgspec.structs.replace(first, parts=(*first.parts, Text(text=f"\n\n{text}"))), *messages[1:])
    if system:
        return (Message(role="system", parts=(Text(text=text),)), *messages)
    for index, message in enumerate(messages):
        if message.role == "user":
            parts: tuple[Part, ...] = (Text(text=f"{text}\n\n"), *message.parts)
            return (*messages[:index], msgspec.structs.replace(message, parts=parts), *messages[index + 1 :])
    return (Message(role="user", parts=(Text(text=text),)), *messages)


def _after_last_answer(messages: Sequence[Message]) -> int:
    answers = [index for index, message in enumerate(messages) if message.role == "assistant"]
    return answers[-1] + 1 if answers else 0


# ---------------------------------------------------------------- the history


def has_tools(messages: Iterable[Message]) -> bool:
    """True when a talk holds calls or results, which a service without tools cannot be sent as they are."""
    return any(
        message.tool_calls or any(isinstance(part, ToolResult) for part in message.parts) for message in messages
    )


def _talk(messages: Iterable[Message]) -> Iterator[Message]:
    """The talk with calls and results as text. Results that follow one another, and what the person then says, are one
    message: some models take only turns that alternate."""
    calls: dict[str, tuple[int, str]] = {}  # id -> number and name; a later call of the same id takes its place
    results: list[_Result] = []
    for message in messages:
        calls |= {call.id: (number, call.name) for number, call in enumerate(message.tool_calls, 1)}
        found = [_result(part, calls) for part in message.parts if isinstance(part, ToolResult)]
        results += found
        others = tuple(part for part in message.parts if not isinstance(part, ToolResult))
        if found and not others:
            continue
        if results:
            yield _answered(results, others if message.role != "assistant" else ())
            results = []
            if message.role != "assistant":
                continue
        yield _calling(message) if message.tool_calls else message
    if results:
        yield _answered(results)


def _answered(results: list[_Result], others: tuple[Part, ...] = ()) -> Message:
    text = _json({"tool_results": results})
    return Message(role="user", parts=(Text(text=f"{text}\n\n" if others else text), *others))


def _calling(message: Message) -> Message:
    """An answer with its calls behind its words."""
    text = _json({"tool_calls": [_Call(name=call.name, arguments=_arguments(call)) for call in message.tool_calls]})
    parts = (*message.parts, Text(text=f"\n\n{text}" if message.text else text))
    return msgspec.structs.replace(message, parts=parts, tool_calls=())


def _arguments(call: ToolCall) -> Any:
    """What the model wrote, byte for byte where it is JSON."""
    try:
        msgspec.json.decode(call.arguments)
    except (msgspec.DecodeError, RecursionError, UnicodeError):
        return call.arguments
    return msgspec.Raw(call.arguments.encode())


def _result(result: ToolResult, calls: dict[str, tuple[int, str]]) -> _Result:
    number, name = calls.get(result.tool_call_id, (call_number(result.tool_call_id), None))
    text = "".join(part.text for part in result.content if isinstance(part, Text))
    said = {"error" if result.is_error else "content": text}
    return _Result(call=number, name=result.name or name, **said)


def _json(value: Any) -> str:
    return msgspec.json.encode(value).decode()
