"""The arguments of `chat.completions.create` as one `Request`; refused by field name before anything is sent."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Literal, TypedDict

import msgspec

from polychat.engine import attachments
from polychat.errors import BadOption
from polychat.types import (
    Attachment,
    Modality,
    NamedTool,
    ReasoningEffort,
    Request,
    ResponseFormat,
    Thread,
    Tool,
    ToolMode,
)
from polychat.wire import openai_messages

_MODELS = "see what there is: polychat models"
_A_TOOL = '{"type": "function", "function": {"name": "f", "parameters": {"type": "object", "properties": {}}}}'
_A_FORMAT = '{"type": "json_schema", "json_schema": {"name": "answer", "schema": {"type": "object", "properties": {}}}}'


class Question(TypedDict, total=False):
    """Everything `create` takes beside `model`, `messages` and `stream`. Unset means: left to the service."""

    image: Any  # path, open binary file, bytes, data URI, http(s) URL or PIL picture; goes with the last user message
    images: Sequence[Any]
    files: Sequence[Any]  # the same forms; PDF, video, documents
    web_search: bool
    conversation: Thread | Mapping[str, Any] | str | bytes | None  # `.conversation` of an earlier answer, or its JSON
    account: str | None
    tools: Sequence[Mapping[str, Any]]
    tool_choice: str | Mapping[str, Any]
    parallel_tool_calls: bool
    tool_mode: ToolMode  # "emulate": tools and response_format are put to the model in words
    response_format: Mapping[str, Any]
    max_tokens: int
    max_completion_tokens: int
    temperature: float
    top_p: float
    stop: str | Sequence[str]
    seed: int
    reasoning_effort: ReasoningEffort
    modalities: Sequence[Modality]
    n: Literal[1]
    stream_options: Mapping[str, Any]  # accepted; usage always comes with the last chunk
    user: str
    timeout: float  # seconds for the whole answer
    clocks: Mapping[str, float | None]  # seconds, as {"first_event_s": 20}; see `polychat.net.clocks`
    extra_headers: Mapping[str, str]  # x-polychat-total-s and the like set clocks; others are not sent on
    options: Mapping[str, Any]  # the service's own; any other keyword counts as one too


class _Plain(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """Arguments that only need their type checked."""

    web_search: bool = False
    parallel_tool_calls: bool | None = None
    max_tokens: int | None = None
    temperature: float | None = None
    top_p: float | None = None
    seed: int | None = None
    reasoning_effort: ReasoningEffort | None = None
    modalities: tuple[Modality, ...] = ("text",)
    tool_mode: ToolMode = "service"


class _Function(msgspec.Struct):
    name: str
    description: str | None = None
    parameters: dict[str, Any] = {}
    strict: bool | None = None


class _Tool(msgspec.Struct):
    function: _Function
    type: Literal["function"] = "function"


class _Schema(msgspec.Struct):
    name: str
    schema: dict[str, Any] | None = None
    strict: bool | None = None


class _Format(msgspec.Struct):
    type: Literal["text", "json_object", "json_schema"]
    json_schema: _Schema | None = None


class _Named(msgspec.Struct):
    function: _Function


def request(model: str, messages: Any, stream: bool, given: dict[str, Any]) -> Request:
    """Build the request; what is left in `given` afterwards is an option of the service.

    Raises: `BadOption` naming the field.
    """
    given = dict(given)
    for name in [name for name, value in given.items() if value is None]:
        del given[name]
    if given.pop("n", 1) != 1:
        raise BadOption("n is not 1; ask several times instead", field="n")
    given.pop("stream_options", None)
    given.pop("user", None)
    if "max_completion_tokens" in given:
        given.setdefault("max_tokens", given.pop("max_completion_tokens"))
    if not isinstance(model, str):
        raise BadOption(f"model is {type(model).__name__}, not a name", field="model", hint=_MODELS)
    if not model:
        raise BadOption("model is empty", field="model", hint=_MODELS)
    return Request(
        model=model,
        messages=attachments.shown(openai_messages.messages(messages), _attached(given)),
        stream=stream,
        thread=thread(given.pop("conversation", None)),
        tools=_tools(given.pop("tools", ())),
        tool_choice=_tool_choice(given.pop("tool_choice", None)),
        response_format=_response_format(given.pop("response_format", None)),
        stop=_stop(given.pop("stop", ())),
        **_plain(given),
        options={**_options(given.pop("options", {})), **given},
    )


def thread(given: Any) -> Thread | None:
    """A conversation from itself, from its plain data or from its JSON text."""
    if given is None or isinstance(given, Thread):
        return given
    try:
        if isinstance(given, str | bytes):
            return msgspec.json.decode(given, type=Thread)
        return msgspec.convert(given, Thread)
    except (msgspec.MsgspecError, ValueError) as error:
        raise BadOption(
            f"conversation is not one that an answer gave ({error})",
            field="conversation",
            hint="hand back `.conversation` of an earlier answer, or its JSON",
        ) from error


def _attached(given: dict[str, Any]) -> tuple[Attachment, ...]:
    pictures = [given.pop("image")] if "image" in given else []
    several = given.pop("images", ())
    if not _is_list(several):
        raise BadOption("images is not a list; for one picture say image=", field="images")
    files = given.pop("files", ())
    if not _is_list(files):
        raise BadOption("files is not a list", field="files", hint="write it like files=[one, another]")
    return (
        *(attachments.picture(one, field="image") for one in pictures),
        *attachments.gathered(several, field="images"),
        *(attachments.attachment(one, field=f"files[{index}]") for index, one in enumerate(files)),
    )


def _is_list(given: object) -> bool:
    """True for several things; an open file gives its lines, and is one."""
    return isinstance(given, Iterable) and not isinstance(given, str | bytes | Mapping) and not hasattr(given, "read")


def _options(given: Any) -> Mapping[str, Any]:
    if not isinstance(given, Mapping):
        raise BadOption(
            f"options is {type(given).__name__}, not a mapping", field="options", hint='write it like {"name": value}'
        )
    return given


def _plain(given: dict[str, Any]) -> dict[str, Any]:
    taken = {name: given.pop(name) for name in _Plain.__struct_fields__ if name in given}
    return msgspec.structs.asdict(openai_messages.converted(taken, _Plain, ""))


def _tools(given: Any) -> tuple[Tool, ...]:
    if not _is_list(given):
        raise BadOption("tools is not a list", field="tools", hint=f"write it like [{_A_TOOL}]")
    return tuple(
        Tool(**msgspec.structs.asdict(_written(one, _Tool, f"tools[{index}]", _A_TOOL).function))
        for index, one in enumerate(given)
    )


def _written(given: Any, into: Any, field: str, example: str) -> Any:
    """`given` as `into`; one that does not fit is told how it is written."""
    try:
        return openai_messages.converted(given, into, field)
    except BadOption as error:
        error.hinted(f"write it like {example}")
        raise


def _tool_choice(given: Any) -> Literal["auto", "none", "required"] | NamedTool | None:
    if given is None or given in ("auto", "none", "required"):
        choice: Literal["auto", "none", "required"] | None = given
        return choice
    return NamedTool(name=openai_messages.converted(given, _Named, "tool_choice").function.name)


def _response_format(given: Any) -> ResponseFormat | None:
    if given is None:
        return None
    wanted = _written(given, _Format, "response_format", _A_FORMAT)
    if wanted.type == "json_schema" and (wanted.json_schema is None or wanted.json_schema.schema is None):
        raise BadOption(
            "response_format.json_schema.schema is missing",
            field="response_format.json_schema.schema",
            hint=f'write it like {_A_FORMAT}, or {{"type": "json_object"}} for JSON of any form',
        )
    if wanted.json_schema is None:
        return ResponseFormat(type=wanted.type)
    return ResponseFormat(type=wanted.type, **msgspec.structs.asdict(wanted.json_schema))


def _stop(given: Any) -> tuple[str, ...]:
    return (given,) if isinstance(given, str) else openai_messages.converted(given, tuple[str, ...], "stop")
