"""Raycast's chat: the body of a question, and its answer, an event stream of deltas.

    data: {"text":"Hel"}
    data: {"text":"lo"}
    data: {"text":"","finish_reason":"stop"}

`text` may be null or absent; `reasoning` is thinking; a call to the caller's tool comes in fragments, and once more
whole beside `finish_reason`. Events that say nothing we know (notifications, say) are passed over. The answer ends with
`finish_reason`, or with [DONE] behind some relays; a body that ends without either was cut. `error` may come inside the
stream, or as a bare JSON document instead of one. No tokens are counted, and how pictures would come is not known.

Source: protocol notes of 2026-11, after public clients of 2023 to 2025. How the result of a tool goes back, and how
`tool_choice` insists on a tool, they do not tell: such a question is refused.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

import msgspec

from polychat.errors import (
    AuthExpired,
    BadRequest,
    ChallengeRequired,
    ContextTooLong,
    FormatChanged,
    Overloaded,
    PolychatError,
    QuotaSpent,
    RateLimited,
    Unavailable,
    UnsupportedFeature,
)
from polychat.types import (
    Event,
    Finish,
    FinishReason,
    Message,
    Request,
    Text,
    TextDelta,
    Thinking,
    ThinkingDelta,
    Tool,
    ToolCallDelta,
    ToolResult,
)
from polychat.wire.payloads import PayloadDecoder

_NO_INSTRUCTION = "markdown"  # what the app says when nobody gave it a system text
_DONE = b"[DONE]"
_REASONS: dict[str, FinishReason] = {
    "stop": "stop", "length": "length", "tool_calls": "tool_calls", "content_filter": "content_filter",
}  # fmt: skip
_ERRORS: dict[int, type[PolychatError]] = {
    413: ContextTooLong,
    **{kind.status: kind for kind in (AuthExpired, QuotaSpent, ChallengeRequired, RateLimited, Overloaded)},
}

# ---------------------------------------------------------------- the question


def question(request: Request) -> dict[str, Any]:
    """The body, but for `provider`, `model` and `thread_id`. Raises `UnsupportedFeature` for what it cannot say."""
    _check_settings(request)
    first, *others = [message.text for message in request.messages if message.role == "system"] or [_NO_INSTRUCTION]
    turns = [_turn(message) for message in request.messages if message.role != "system"]
    if not turns:
        raise _unsupported("answers a user's message; there is none")
    body: dict[str, Any] = {
        "additional_system_instructions": "\n\n".join(others),
        "debug": False,
        "locale": "en-US",
        "messages": turns,
        "source": "ai_chat",
        "system_instruction": first,
    }
    if request.temperature is not None:
        body["temperature"] = request.temperature
    if request.tools and request.tool_choice != "none":
        body |= {"tools": [_tool(tool) for tool in request.tools], "tool_choice": "auto"}
    return body


def _check_settings(request: Request) -> None:
    if request.top_p is not None:
        raise _unsupported("takes temperature and no top_p")
    if request.tool_choice not in {None, "auto", "none"}:
        raise _unsupported("leaves the choice of a tool to the model", hint='tool_choice is "auto" or "none"')
    if request.parallel_tool_calls is False:
        raise _unsupported("cannot be told to call one tool at a time (parallel_tool_calls)")


def _turn(message: Message) -> dict[str, Any]:
    if message.tool_calls or any(isinstance(part, ToolResult) for part in message.parts):
        raise _unsupported(
            "calls tools, but how their results are sent back to it is not known",
            hint="begin a new question that holds the result as text",
        )
    for part in message.parts:
        if not isinstance(part, Text | Thinking):
            raise _unsupported(f"takes no {type(part).__name__} in a {message.role} message")
    return {"author": message.role, "content": {"text": message.text}}


def _tool(tool: Tool) -> dict[str, Any]:
    if tool.strict:
        raise _unsupported(f"does not promise arguments that obey the schema (strict of the tool {tool.name})")
    function = {"name": tool.name, "description": tool.description or "", "parameters": tool.parameters}
    return {"type": "local_tool", "function": function}


def _unsupported(what: str, *, hint: str | None = None) -> UnsupportedFeature:
    return UnsupportedFeature(f"raycast {what}", hint=hint, provider="raycast")


# ---------------------------------------------------------------- the answer


class _Function(msgspec.Struct):
    name: str | None = None
    arguments: str | None = None


class _Call(msgspec.Struct):
    index: int = 0
    id: str | None = None
    function: _Function | None = None  # of a fragment
    name: str | None = None  # of the whole call
    arguments: str | dict[str, Any] | None = None  # of the whole call


class _Error(msgspec.Struct):
    message: str | None = None
    code: int | str | None = None
    status: int | None = None


class _Said(msgspec.Struct):
    text: str | None = None
    reasoning: str | None = None
    tool_calls: tuple[_Call, ...] | None = None
    finish_reason: str | None = None
    error: _Error | str | None = None


_decode = msgspec.json.Decoder(_Said).decode


class Decoder(PayloadDecoder):
    """One answer: bytes in, events out. `finished` once the service said that it ended."""

    def __init__(self) -> None:
        super().__init__()
        self._in_fragments = False  # tool calls came piece by piece

    def _take(self, data: bytes) -> None:
        if self.finished:
            return
        if data.strip() == _DONE:
            self._finish(None)
            return
        said = _said(data)
        if said.error is not None:
            raise _error(said.error)
        if said.reasoning:
            self._ready.append(ThinkingDelta(text=said.reasoning))
        if said.text:
            self._ready.append(TextDelta(text=said.text))
        if said.tool_calls:
            self._ready += self._called(said.tool_calls)
        if said.finish_reason:
            self._finish(said.finish_reason)

    def _called(self, calls: Iterable[_Call]) -> Iterator[Event]:
        """Fragments as they are. Whole calls repeat them, and count only where there were none."""
        whole = [call for call in calls if call.function is None]
        for call in calls:
            if call.function is not None:
                self._in_fragments = True
                arguments = call.function.arguments or ""
                yield ToolCallDelta(index=call.index, id=call.id, name=call.function.name, arguments=arguments)
        for index, call in enumerate([] if self._in_fragments else whole):
            yield ToolCallDelta(index=index, id=call.id, name=call.name, arguments=_json(call.arguments))

    def _finish(self, raw: str | None) -> None:
        self.finished = True
        usual: FinishReason = "tool_calls" if self._in_fragments and raw is None else "stop"
        self._ready.append(Finish(reason=_REASONS.get(raw or "", usual), raw=raw))


def _json(arguments: str | dict[str, Any] | None) -> str:
    if arguments is None or isinstance(arguments, str):
        return arguments or ""
    return msgspec.json.encode(arguments).decode()


def _said(data: bytes) -> _Said:
    try:
        return _decode(data)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        what = f"raycast sent an event that is not an answer ({len(data)} bytes: {error})"
        raise FormatChanged(what, evidence=data) from error


def _error(error: _Error | str) -> PolychatError:
    """By its status or number; without one it is the service's trouble."""
    told = _Error(message=error) if isinstance(error, str) else error
    code = int(told.code) if isinstance(told.code, str) and told.code.isdecimal() else told.code
    status = told.status or (code if isinstance(code, int) else 500)
    kind = _ERRORS.get(status, BadRequest if 400 <= status < 500 else Unavailable)
    words = " ".join((told.message or str(told.code or "no words")).split())[:200].rstrip(".")
    return kind(f"raycast answered 200 with an error inside: {words}", provider="raycast")
