"""The tools of a response: functions, and the two that the service runs itself, with what comes of those.

Left to itself the model searches the web for every question of a person, and draws where the question says so in a
word. A tool that must be used is. `max_tool_calls` counts the service's own tools alone: those after it are not run.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Annotated, Any, Literal

import msgspec

from polychat.sandbox import brain
from polychat.sandbox.services.openai import painting, refusals, searching, tools
from polychat.sandbox.services.openai.bodies import Wire, kind, narrow
from polychat.sandbox.services.openai.models import Model
from polychat.sandbox.services.openai.painting import ImageTool, Painted
from polychat.sandbox.services.openai.refusals import Refusal
from polychat.sandbox.services.openai.searching import OldSearchTool, Page, SearchTool
from polychat.sandbox.services.openai.state import ApiCall
from polychat.sandbox.services.openai.tools import Mode

SOURCES: Literal["web_search_call.action.sources"] = "web_search_call.action.sources"
_SEARCHES: Mapping[str, type[Wire]] = {
    "web_search": SearchTool, "web_search_2025_08_26": SearchTool, "web_search_preview": OldSearchTool,
    "web_search_preview_2025_03_11": OldSearchTool,
}  # fmt: skip
_PLAYED: Mapping[str, type[Wire]] = {**_SEARCHES, "image_generation": ImageTool}
_UNPLAYED = (
    "file_search", "computer", "computer_use_preview", "mcp", "code_interpreter", "programmatic_tool_calling",
    "local_shell", "shell", "custom", "namespace", "tool_search", "apply_patch",
)  # fmt: skip
_DRAWING = re.compile(r"\b(?:draw|paint|sketch|illustrate|render|generate|edit)\b", re.IGNORECASE)
_DREW = "The picture above is drawn for you."


class FunctionTool(Wire, frozen=True, kw_only=True):
    """A function the model may call."""

    type: Literal["function"]
    name: tools.Name
    parameters: tools.Schema | None = None
    strict: bool | None = True
    description: str | None = None


class NamedFunction(Wire, frozen=True, kw_only=True):
    """A function of the request."""

    type: Literal["function"]
    name: str


class NamedHosted(Wire, frozen=True, kw_only=True):
    """A tool of the service that the request has."""

    type: str


class AllowedTools(Wire, frozen=True, kw_only=True):
    """Fewer tools than the request has."""

    type: Literal["allowed_tools"]
    mode: Literal["auto", "required"]
    tools: Annotated[tuple[dict[str, Any], ...], msgspec.Meta(min_length=1)]


Choice = Mode | dict[str, Any]
HostedTool = SearchTool | OldSearchTool | ImageTool


class Given(msgspec.Struct, frozen=True, kw_only=True):
    """A tool of the service, and its place in the request."""

    tool: HostedTool
    param: str


class Toolset(msgspec.Struct, frozen=True, kw_only=True):
    """What the model may, must or must not use."""

    functions: tuple[brain.Tool, ...] = ()
    hosted: tuple[Given, ...] = ()
    choice: str = "auto"  # auto, none, required, the name of a function, or the type of a tool of the service

    def toolbox(self, ran: Made) -> tools.Toolbox:
        """The functions, for the answer after what `ran`."""
        if any(self.choice == given.tool.type for given in self.hosted):
            return tools.Toolbox(tools=self.functions, choice="none")
        choice = "auto" if self.choice == "required" and ran.items else self.choice
        return tools.Toolbox(tools=self.functions, choice=choice)


class Made(msgspec.Struct, frozen=True, kw_only=True):
    """What the tools of the service gave."""

    items: tuple[dict[str, Any], ...] = ()
    searched: bool = False
    pages: tuple[Page, ...] = ()
    painted: Painted | None = None

    @property
    def remarks(self) -> tuple[str, ...]:
        """What the model says of it."""
        return (*(page.remark for page in self.pages), *((_DREW,) if self.painted else ()))


def toolset(call: ApiCall, asked: Sequence[dict[str, Any]], choice: Choice, model: Model) -> Toolset:
    """The tools of a request, judged. Raises: Refusal."""
    if not asked:
        if choice not in ("auto", "none"):
            raise Refusal("'tool_choice' is only taken together with 'tools'.", param="tool_choice")
        return Toolset()
    known = [_tool(call, value, f"tools[{index}]", model) for index, value in enumerate(asked)]
    functions = tuple(tool for tool in known if isinstance(tool, brain.Tool))
    whole = Toolset(functions=functions, hosted=tuple(tool for tool in known if isinstance(tool, Given)))
    return _chosen(whole, choice)


def run(call: ApiCall, given: Toolset, turns: Sequence[brain.Turn], limit: int | None, *, sources: bool) -> Made:
    """Use what the model wants to use, at most `limit` tools; `sources`: searches tell what they found."""
    items: list[dict[str, Any]] = []
    pages: tuple[Page, ...] = ()
    painted: Painted | None = None
    searched = False
    for one in _used(given, turns)[:limit]:
        if isinstance(one.tool, ImageTool):
            painted = painting.paint(call, one.tool, one.param, turns)
            items.append(painted.item)
        else:
            searched, pages = True, searching.found(one.tool)
            name = f"ws_{call.world.ids.hex(48)}"
            items.append(searching.item(name, turns[-1].text, pages, sources=sources))
    return Made(items=tuple(items), searched=searched, pages=pages, painted=painted)


def _tool(call: ApiCall, value: dict[str, Any], param: str, model: Model) -> brain.Tool | Given:
    said = kind(value, param, "function")
    if said == "function":
        if not model.tools:
            raise refusals.unsupported("tools", model.id)
        function = narrow(value, FunctionTool, param)
        return tools.judged(function.name, function.parameters, function.strict, f"{param}.parameters")
    if said in _UNPLAYED:
        raise refusals.unplayed(f"{param}.type", f"tools of the type '{said}'")
    if said not in _PLAYED:
        known = ", ".join(("function", *_PLAYED, *_UNPLAYED))
        raise refusals.invalid_value(f"{param}.type", f"'{said}' is none of {known}.")
    tool: Any = narrow(value, _PLAYED[said], param)
    if ("image_generation" if isinstance(tool, ImageTool) else "web_search") not in model.hosted:
        raise Refusal(f"The hosted tool '{said}' is not supported with the model '{model.id}'.", param="tools")
    if isinstance(tool, ImageTool):
        painting.judge(call, tool, param)
    return Given(tool=tool, param=param)


def _chosen(whole: Toolset, choice: Choice) -> Toolset:
    """The tools that the choice leaves. Raises: Refusal for one that the request has not."""
    if isinstance(choice, str):
        return msgspec.structs.replace(whole, choice=choice)
    if choice.get("type") != "allowed_tools":
        named = _named(whole, choice, "tool_choice")
        return msgspec.structs.replace(named, choice=_only(named))
    allowed = narrow(choice, AllowedTools, "tool_choice")
    left = [_named(whole, one, f"tool_choice.tools[{index}]") for index, one in enumerate(allowed.tools)]
    return Toolset(
        functions=tuple(tool for one in left for tool in one.functions),
        hosted=tuple(given for one in left for given in one.hosted), choice=allowed.mode,
    )  # fmt: skip


def _named(whole: Toolset, choice: dict[str, Any], param: str) -> Toolset:
    """The one tool that is named."""
    if choice.get("type") == "function":
        name = narrow(choice, NamedFunction, param).name
        return Toolset(functions=tools.chosen(whole.functions, [name], name).tools)
    said = narrow(choice, NamedHosted, param).type
    if said not in _PLAYED and said not in _UNPLAYED:
        raise refusals.invalid_value(f"{param}.type", f"'{said}' is no type of a tool.")
    hosted = tuple(given for given in whole.hosted if given.tool.type == said)
    if not hosted:
        raise Refusal(f"The tool '{said}' of the choice is none of 'tools'.", param="tool_choice")
    return Toolset(hosted=hosted)


def _only(named: Toolset) -> str:
    return named.functions[0].name if named.functions else named.hosted[0].tool.type


def _used(given: Toolset, turns: Sequence[brain.Turn]) -> list[Given]:
    """The tools of the service that the model uses for the last turn."""
    if given.choice not in ("auto", "required"):
        return [one for one in given.hosted if one.tool.type == given.choice]
    asked = turns[-1] if turns else brain.Turn(role="user")
    wanted = [one for one in given.hosted if asked.role == "user" and _wants(asked, one)]
    must = given.choice == "required" and not wanted and not given.functions
    return [*given.hosted[:1]] if must else wanted


def _wants(asked: brain.Turn, given: Given) -> bool:
    return not isinstance(given.tool, ImageTool) or bool(_DRAWING.search(asked.text))
