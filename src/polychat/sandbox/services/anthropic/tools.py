"""Tools: the client's own, and the search of the web that the service runs itself."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Any, Literal

import msgspec

from polychat.sandbox import brain
from polychat.sandbox.services.anthropic import formats, refusals
from polychat.sandbox.services.anthropic.blocks import CacheControl
from polychat.sandbox.services.anthropic.bodies import Wire, narrow
from polychat.sandbox.services.anthropic.formats import Schema
from polychat.sandbox.services.anthropic.models import Model

SEARCH = "web_search"
_SEARCHES = ("web_search_20250305", "web_search_20260209", "web_search_20260318")
_QUERY: Schema = {"type": "object", "properties": {"query": {"type": "string"}}, "required": ["query"]}
Callers = tuple[Literal["direct", "code_execution_20250825", "code_execution_20260120", "code_execution_20260521"], ...]


class Tool(Wire, frozen=True, kw_only=True):
    """What every tool may have."""

    cache_control: CacheControl | None = None
    allowed_callers: Callers = ("direct",)
    defer_loading: bool = False
    strict: bool | None = None


class CustomTool(Tool, frozen=True, kw_only=True):
    """A tool of the client."""

    name: Annotated[str, msgspec.Meta(pattern=r"^[a-zA-Z0-9_-]{1,128}$")]
    input_schema: Schema
    type: Literal["custom"] | None = None
    description: str | None = None
    eager_input_streaming: bool | None = None
    input_examples: tuple[dict[str, Any], ...] = ()


class Location(Wire, frozen=True, kw_only=True):
    """Where a person is, about."""

    type: Literal["approximate"]
    city: str | None = None
    country: Annotated[str, msgspec.Meta(pattern="^[A-Z]{2}$")] | None = None
    region: str | None = None
    timezone: str | None = None


class SearchTool(Tool, frozen=True, kw_only=True):
    """The search of the web."""

    type: Literal["web_search_20250305", "web_search_20260209", "web_search_20260318"]
    name: Literal["web_search"]
    allowed_domains: tuple[str, ...] | None = None
    blocked_domains: tuple[str, ...] | None = None
    max_uses: Annotated[int, msgspec.Meta(ge=1)] | None = None
    user_location: Location | None = None
    response_inclusion: Literal["full", "excluded"] = "full"


AnyTool = CustomTool | SearchTool


class Auto(Wire, frozen=True, kw_only=True, tag_field="type", tag="auto"):
    """The model decides."""

    disable_parallel_tool_use: bool = False


class Some(Wire, frozen=True, kw_only=True, tag_field="type", tag="any"):
    """The model must call some tool."""

    disable_parallel_tool_use: bool = False


class Named(Wire, frozen=True, kw_only=True, tag_field="type", tag="tool"):
    """The model must call this tool."""

    name: str
    disable_parallel_tool_use: bool = False


class Never(Wire, frozen=True, kw_only=True, tag_field="type", tag="none"):
    """The model must call no tool."""


Choice = Auto | Some | Named | Never


class Toolbox(msgspec.Struct, frozen=True, kw_only=True):
    """What the model may, must or must not call."""

    known: tuple[AnyTool, ...] = ()  # every tool of the request
    offered: tuple[brain.Tool, ...] = ()
    choice: str = "auto"  # auto, none, required
    parallel: bool = True
    search: SearchTool | None = None

    @property
    def forced(self) -> bool:
        """True when a tool must be called."""
        return self.choice == "required"


def toolbox(tools: Sequence[dict[str, Any]], choice: Choice | None, model: Model) -> Toolbox:
    """The tools of a request, judged. Raises: Refusal."""
    known = tuple(_tool(tool, f"tools.{index}") for index, tool in enumerate(tools))
    names = [tool.name for tool in known]
    if len(set(names)) < len(names):
        raise refusals.wrong("tools", "the names of tools must be unique")
    if choice is not None and not tools:
        raise refusals.wrong("tool_choice", "is only taken together with tools")
    if isinstance(choice, Some | Named) and not model.forced:
        raise refusals.wrong("tool_choice", f"{model.id} cannot be made to call a tool; use 'auto' or 'none'")
    offered = tuple(_offered(tool) for tool in known)
    if isinstance(choice, Named):
        offered = tuple(tool for tool in offered if tool.name == choice.name)
        if not offered:
            raise refusals.wrong("tool_choice.name", f"no tool has the name '{choice.name}'")
    return Toolbox(
        known=known, offered=offered, choice=_mode(choice),
        parallel=isinstance(choice, Never | None) or not choice.disable_parallel_tool_use,
        search=next((tool for tool in known if isinstance(tool, SearchTool)), None),
    )  # fmt: skip


def _mode(choice: Choice | None) -> str:
    if isinstance(choice, Never):
        return "none"
    return "required" if isinstance(choice, Some | Named) else "auto"


def _offered(tool: AnyTool) -> brain.Tool:
    return brain.Tool(name=tool.name, parameters=tool.input_schema if isinstance(tool, CustomTool) else _QUERY)


def _tool(tool: dict[str, Any], place: str) -> AnyTool:
    kind = tool.get("type")
    if kind in _SEARCHES:
        return _searching(narrow(tool, SearchTool, place), place)
    if kind not in (None, "custom"):
        raise refusals.unplayed(f"{place}.type", f"tools of the type '{kind}', only functions and {SEARCH}")
    custom = narrow(tool, CustomTool, place)
    formats.tool_input(custom.input_schema, f"{place}.input_schema", strict=bool(custom.strict))
    return custom


def _searching(tool: SearchTool, place: str) -> SearchTool:
    if tool.allowed_domains is not None and tool.blocked_domains is not None:
        raise refusals.wrong(place, "'allowed_domains' and 'blocked_domains' exclude each other")
    if tool.response_inclusion != "full" and tool.type != _SEARCHES[2]:
        raise refusals.wrong(f"{place}.response_inclusion", "Extra inputs are not permitted")
    for domain in (*(tool.allowed_domains or ()), *(tool.blocked_domains or ())):
        if not domain or "://" in domain:
            raise refusals.wrong(place, f"'{domain}' is no domain; it has no scheme")
    return tool
