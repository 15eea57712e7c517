"""Tools and answers in JSON: what of a request tells the model which functions to call and which schema to obey."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Any, Literal

import msgspec
from msgspec import UNSET, UnsetType

from polychat.sandbox import brain
from polychat.sandbox.services.openai import refusals, strictness
from polychat.sandbox.services.openai.bodies import Wire
from polychat.sandbox.services.openai.models import Model
from polychat.sandbox.services.openai.refusals import Refusal

Name = Annotated[str, msgspec.Meta(pattern=r"^[a-zA-Z0-9_-]{1,64}$")]
Schema = dict[str, Any]
ANYTHING: Schema = {
    "type": "object", "properties": {"answer": {"type": "string"}}, "required": ["answer"],
}  # fmt: skip


class Function(Wire, frozen=True, kw_only=True):
    """A function the model may call."""

    name: Name
    description: str | None = None
    parameters: Schema | None = None
    strict: bool | None = None


class FunctionTool(Wire, frozen=True, kw_only=True, tag_field="type", tag="function"):
    """A tool that is a function."""

    function: Function


class CustomTool(Wire, frozen=True, kw_only=True, tag_field="type", tag="custom"):
    """A tool that takes free text."""

    custom: dict[str, Any]


class Named(Wire, frozen=True, kw_only=True):
    """A function by name."""

    name: str


class NamedTool(Wire, frozen=True, kw_only=True, tag_field="type", tag="function"):
    """The one function that must be called."""

    function: Named


class Reference(Wire, frozen=True, kw_only=True):
    """One of the tools of the request."""

    function: Named
    type: Literal["function"]


class Allowed(Wire, frozen=True, kw_only=True):
    """The tools that may be called now."""

    mode: Literal["auto", "required"]
    tools: Annotated[tuple[Reference, ...], msgspec.Meta(min_length=1)]


class AllowedTools(Wire, frozen=True, kw_only=True, tag_field="type", tag="allowed_tools"):
    """Fewer tools than the request has."""

    allowed_tools: Allowed


class JsonSchema(Wire, frozen=True, kw_only=True):
    """A schema with its name."""

    name: Name
    schema: Schema
    description: str | None = None
    strict: bool | None = None


class TextFormat(Wire, frozen=True, kw_only=True, tag_field="type", tag="text"):
    """Plain text."""


class ObjectFormat(Wire, frozen=True, kw_only=True, tag_field="type", tag="json_object"):
    """Any JSON object."""


class SchemaFormat(Wire, frozen=True, kw_only=True, tag_field="type", tag="json_schema"):
    """JSON that obeys a schema."""

    json_schema: JsonSchema


Tools = Annotated[tuple[FunctionTool | CustomTool, ...], msgspec.Meta(min_length=1, max_length=128)]
Mode = Literal["none", "auto", "required"]
Choice = Mode | NamedTool | AllowedTools
Format = TextFormat | ObjectFormat | SchemaFormat


class Toolbox(msgspec.Struct, frozen=True, kw_only=True):
    """What the model may, must or must not call."""

    tools: tuple[brain.Tool, ...] = ()
    choice: str = "auto"  # auto, none, required, or a name


def toolbox(tools: Sequence[FunctionTool | CustomTool], choice: Choice | UnsetType, model: Model) -> Toolbox:
    """The tools of a request, judged. Raises: Refusal."""
    if not tools:
        if choice is not UNSET:
            raise Refusal("'tool_choice' is only taken together with 'tools'.", param="tool_choice")
        return Toolbox()
    if not model.tools:
        raise refusals.unsupported("tools", model.id)
    known = tuple(_tool(tool, f"tools[{index}]") for index, tool in enumerate(tools))
    if isinstance(choice, NamedTool):
        return chosen(known, [choice.function.name], choice.function.name)
    if isinstance(choice, AllowedTools):
        allowed = choice.allowed_tools
        return chosen(known, [tool.function.name for tool in allowed.tools], allowed.mode)
    return Toolbox(tools=known, choice="auto" if choice is UNSET else choice)


def chosen(tools: Sequence[brain.Tool], names: Sequence[str], choice: str) -> Toolbox:
    """The tools that were named. Raises: Refusal for a name that no tool has."""
    found = {tool.name: tool for tool in tools}
    for name in names:
        if name not in found:
            raise refusals.invalid_value("tool_choice", f"no tool has the name '{name}'.")
    return Toolbox(tools=tuple(found[name] for name in names), choice=choice)


def _tool(tool: FunctionTool | CustomTool, param: str) -> brain.Tool:
    if isinstance(tool, CustomTool):
        raise refusals.unplayed(f"{param}.type", "custom tools, only functions")
    function = tool.function
    return judged(function.name, function.parameters, function.strict, f"{param}.function.parameters")


def judged(name: str, parameters: Schema | None, strict: bool | None, param: str) -> brain.Tool:
    """A function whose parameters make sense. Raises: Refusal."""
    if parameters and (wrong := strictness.problem(parameters, strict=bool(strict))):
        message = f"Invalid schema for function '{name}': {wrong}."
        raise Refusal(message, param=param, code="invalid_function_parameters")
    return brain.Tool(name=name, parameters=parameters or {})


def wanted_schema(asked: Format | UnsetType, model: Model, words: str) -> Schema | None:
    """The schema that the answer must obey; `words` is all that the messages say. Raises: Refusal."""
    if isinstance(asked, ObjectFormat):
        return any_object(words, "messages", "response_format")
    if not isinstance(asked, SchemaFormat):
        return None
    if not model.schema:
        raise refusals.unsupported("response_format", model.id, "It has no structured outputs.")
    schema = asked.json_schema
    return fixed(schema.name, schema.schema, schema.strict, "response_format")


def any_object(words: str, place: str, param: str) -> Schema:
    """The schema of JSON mode, which wants to be spoken of. Raises: Refusal."""
    if "json" not in words.lower():
        message = f"The word 'json' must occur in '{place}' when '{param}' asks for a JSON object."
        raise Refusal(message, param=place)
    return ANYTHING


def fixed(name: str, schema: Schema, strict: bool | None, param: str) -> Schema:
    """A schema that can be held to. Raises: Refusal."""
    if wrong := strictness.problem(schema, strict=bool(strict)):
        raise Refusal(f"Invalid schema for {param} '{name}': {wrong}.", param=param)
    return schema


def words(turns: Sequence[brain.Turn]) -> str:
    """All that is said, in one text."""
    return "\n".join(turn.text for turn in turns)
