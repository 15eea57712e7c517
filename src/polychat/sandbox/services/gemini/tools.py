"""Tools: which functions the model may, must or must not call, and what else it may use."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import Any, Literal

import msgspec

from polychat.sandbox import brain
from polychat.sandbox.services.gemini import openapi, refusals
from polychat.sandbox.services.gemini.models import Model
from polychat.sandbox.services.gemini.openapi import Schema
from polychat.sandbox.services.gemini.proto import Wire

_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_.:-]{0,127}")
_MOST = 512
_UNPLAYED = (
    "google_search_retrieval", "url_context", "google_maps", "file_search", "computer_use", "mcp_servers",
)  # fmt: skip
_CHOICES = {"AUTO": "auto", "VALIDATED": "auto", "MODE_UNSPECIFIED": "auto", "NONE": "none", "ANY": "required"}


class FunctionDeclaration(Wire, frozen=True, kw_only=True):
    """A function the model may call."""

    name: str = ""
    description: str | None = None
    parameters: Schema | None = None
    parameters_json_schema: Any = None
    response: Schema | None = None
    response_json_schema: Any = None
    behavior: Literal["UNSPECIFIED", "BLOCKING", "NON_BLOCKING"] | None = None


class Interval(Wire, frozen=True, kw_only=True):
    """A time from one moment to another."""

    start_time: str | None = None
    end_time: str | None = None


class GoogleSearch(Wire, frozen=True, kw_only=True):
    """A search of the web."""

    time_range_filter: Interval | None = None
    search_types: dict[str, Any] | None = None


class Nothing(Wire, frozen=True, kw_only=True):
    """A message without fields."""


class Tool(Wire, frozen=True, kw_only=True):
    """Functions, or something that the service runs itself."""

    function_declarations: tuple[FunctionDeclaration, ...] = ()
    google_search: GoogleSearch | None = None
    code_execution: Nothing | None = None
    google_search_retrieval: dict[str, Any] | None = None
    url_context: dict[str, Any] | None = None
    google_maps: dict[str, Any] | None = None
    file_search: dict[str, Any] | None = None
    computer_use: dict[str, Any] | None = None
    mcp_servers: tuple[dict[str, Any], ...] | None = None


class FunctionCallingConfig(Wire, frozen=True, kw_only=True):
    """How functions are called."""

    mode: Literal["MODE_UNSPECIFIED", "AUTO", "ANY", "NONE", "VALIDATED"] = "MODE_UNSPECIFIED"
    allowed_function_names: tuple[str, ...] = ()


class ToolConfig(Wire, frozen=True, kw_only=True):
    """How tools are used."""

    function_calling_config: FunctionCallingConfig | None = None
    retrieval_config: dict[str, Any] | None = None
    include_server_side_tool_invocations: bool = False


class Toolbox(msgspec.Struct, frozen=True, kw_only=True):
    """What the model may, must or must not use."""

    functions: tuple[brain.Tool, ...] = ()
    choice: str = "auto"  # auto, none or required
    searches: bool = False
    runs_code: bool = False


def toolbox(tools: Sequence[Tool], config: ToolConfig | None, model: Model) -> Toolbox:
    """The tools of a request, judged. Raises: Refusal."""
    config = config or ToolConfig()
    for index, tool in enumerate(tools):
        _judge(tool, f"tools[{index}]", model)
    functions = tuple(_functions(tools))
    searches = any(tool.google_search is not None for tool in tools)
    runs_code = any(tool.code_execution is not None for tool in tools)
    if config.include_server_side_tool_invocations:
        field = "tool_config.include_server_side_tool_invocations"
        raise refusals.unplayed(field, "tools of the service that report their calls")
    if functions and (searches or runs_code):
        raise refusals.bad("tools", f"with models/{model.id} functions and tools of the service exclude each other.")
    chosen, choice = _chosen(functions, config.function_calling_config)
    return Toolbox(functions=chosen, choice=choice, searches=searches, runs_code=runs_code)


def _judge(tool: Tool, place: str, model: Model) -> None:
    if not model.tools:
        raise refusals.bad("tools", f"tools are not enabled for models/{model.id}.")
    for field in _UNPLAYED:
        if getattr(tool, field) is not None:
            raise refusals.unplayed(f"{place}.{field}", f"the tool {field}")
    if not (tool.function_declarations or tool.google_search is not None or tool.code_execution is not None):
        raise refusals.bad(f"{place}.tool_type", "one field with a tool is required.")


def _functions(tools: Sequence[Tool]) -> Iterator[brain.Tool]:
    seen: set[str] = set()
    for index, tool in enumerate(tools):
        for number, function in enumerate(tool.function_declarations):
            place = f"tools[{index}].function_declarations[{number}]"
            if function.name in seen:
                raise refusals.bad(f"{place}.name", f"there is another function '{function.name}'.")
            seen.add(function.name)
            yield _function(function, place)
    if len(seen) > _MOST:
        raise refusals.bad("tools", f"at most {_MOST} functions are taken, not {len(seen)}.")


def _function(function: FunctionDeclaration, place: str) -> brain.Tool:
    if not _NAME.fullmatch(function.name):
        rule = "it begins with a letter or an underscore; 1 to 128 letters, digits, and of _.:-"
        raise refusals.bad(f"{place}.name", f"'{function.name}' is no name for a function: {rule}.")
    if function.behavior == "NON_BLOCKING":
        raise refusals.bad(f"{place}.behavior", "only live sessions know functions that do not block.")
    for field in ("parameters", "response"):
        if getattr(function, field) is not None and getattr(function, f"{field}_json_schema") is not None:
            raise refusals.bad(f"{place}.{field}", f"it excludes {field}_json_schema.")
    _schema(function, "response", place)
    return brain.Tool(name=function.name, parameters=_schema(function, "parameters", place))


def _schema(function: FunctionDeclaration, field: str, place: str) -> openapi.JsonSchema:
    schema, free = getattr(function, field), getattr(function, f"{field}_json_schema")
    of_object = field == "parameters"
    if free is not None:
        return openapi.judged_json(free, f"{place}.{field}_json_schema", of_object=of_object)
    if schema is None:
        return {}
    if of_object and schema.type != "OBJECT":
        raise refusals.bad(f"{place}.{field}.type", "parameters are of the type OBJECT.")
    return openapi.judged(schema, f"{place}.{field}")


def _chosen(
    functions: tuple[brain.Tool, ...], config: FunctionCallingConfig | None
) -> tuple[tuple[brain.Tool, ...], str]:
    if config is None:
        return functions, "auto"
    place = "tool_config.function_calling_config"
    if not functions:
        raise refusals.bad(place, "it is only taken together with function declarations.")
    known = {function.name: function for function in functions}
    for index, name in enumerate(config.allowed_function_names):
        if name not in known:
            raise refusals.bad(f"{place}.allowed_function_names[{index}]", f"no function has the name '{name}'.")
    if config.allowed_function_names and config.mode not in ("ANY", "VALIDATED"):
        raise refusals.bad(f"{place}.allowed_function_names", "it is only taken with the modes ANY and VALIDATED.")
    chosen = tuple(known[name] for name in dict.fromkeys(config.allowed_function_names)) or functions
    return chosen, _CHOICES[config.mode]
