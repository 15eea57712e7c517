"""A service whose model is asked in words for what the service has no fields for.

    1. the request is reworded: tools, earlier calls, results and the format become text;
    2. the answer is read as it comes: thinking and notices pass, words pass as soon as they cannot be a call;
    3. a wrong answer is told what is wrong with it, once, where the talk stands;
    4. if it is wrong again, `UnsupportedFeature` says what was wrong first, and both texts go out before it.

`emulate` is an order, whoever gives it (the request, the model's name, the settings, in this order): tools go by words
also where the service has tools of its own, for it may claim more than a model on it can. A format goes by words where
the service has none, and beside tools that do; the service's own is better where there is one.
"""

from __future__ import annotations

import logging
from collections.abc import AsyncGenerator, Sequence
from contextlib import aclosing
from typing import Literal

import msgspec

from polychat.engine.emulation import wording
from polychat.engine.emulation.answers import Form, Reading, WrongAnswer
from polychat.engine.emulation.schemas import Schema, checked
from polychat.engine.routing import Route
from polychat.engine.settings import Settings
from polychat.errors import BadOption, ConfigError, PolychatError, UnsupportedFeature
from polychat.net.session import Session
from polychat.providers.base import Info, Model, Provider
from polychat.types import Event, NamedTool, Request, Text, ToolMode, ToolResult

log = logging.getLogger("polychat.engine")

_HINT = "ask again, or a larger model, or one that has tools and formats of its own: polychat models --cap tools"


def moded(request: Request, chosen: Route, settings: Settings) -> Request:
    """The request with the mode that is in force for this model."""
    mode = request.tool_mode if request.tool_mode == "emulate" else chosen.tool_mode or _set(settings, chosen)
    return request if mode == request.tool_mode else msgspec.structs.replace(request, tool_mode=mode)


def _set(settings: Settings, chosen: Route) -> ToolMode:
    names = (f"{chosen.provider}/{name}" for name in (chosen.model.id, *chosen.model.aliases))
    return next((settings.models[name].tools for name in names if name in settings.models), "service")


def over(service: Provider, model: Model, request: Request) -> Provider:
    """The provider to put `request` to: `service` itself where nothing has to be said in words.

    Raises: `BadOption` for a schema that is none or a choice that cannot be obeyed, `UnsupportedFeature` for a result
    that is more than text.
    """
    if request.tool_mode != "emulate":
        return service
    can = service.info.capabilities if model.capabilities is None else model.capabilities
    tools = bool(request.tools) or wording.has_tools(request.messages)
    formatted = request.response_format is not None and request.response_format.type != "text"
    if not tools and ("schema" in can or not formatted):
        return service
    _check_results(request)
    form = Form(
        tools=_tools(request) if tools else None,
        choice=_choice(request),
        several=request.parallel_tool_calls is not False,
        format=_format(request) if request.tools or "schema" not in can else None,
    )
    return _InWords(service, form, system="system" in can)


class _InWords:
    """The provider around a service, for one question."""

    def __init__(self, inner: Provider, form: Form, *, system: bool) -> None:
        self._inner = inner
        self._form = form
        self._system = system

    @property
    def info(self) -> Info:
        """The service's own."""
        return self._inner.info

    async def chat(self, session: Session, request: Request) -> AsyncGenerator[Sequence[Event]]:
        """One turn, of one question or two."""
        asked = wording.asked(request, self._form, system=self._system)
        first = Reading(self._form)
        async with aclosing(self._answer(session, asked, first)) as batches:
            async for batch in batches:
                yield batch
        if first.wrong is None:
            return
        log.debug("an answer is asked for again", extra={"provider": self.info.name, "model": request.model})
        again = wording.repairing(asked, first.thread, answer=first.held, reason=str(first.wrong))
        second = Reading(self._form, after=first)
        try:
            async with aclosing(self._answer(session, again, second)) as batches:
                async for batch in batches:
                    yield batch
        except ConfigError as error:  # the talk cannot be gone on with
            raise self._unusable(request, first.wrong) from error
        if second.wrong is not None:
            yield second.remains()
            raise self._unusable(request, first.wrong) from second.wrong

    async def _answer(self, session: Session, asked: Request, reading: Reading) -> AsyncGenerator[Sequence[Event]]:
        """What goes out of one answer. A batch that is held back is an empty one: the service is at work."""
        try:
            async with aclosing(self._inner.chat(session, asked)) as batches:  # type: ignore[type-var]  # providers are async generators
                async for batch in batches:
                    ready = reading.feed(batch)
                    if reading.finish is not None:
                        yield [*ready, *reading.close()]
                        return
                    yield ready
            yield reading.remains()
        except PolychatError:
            yield reading.remains()
            raise

    def _unusable(self, request: Request, wrong: WrongAnswer) -> UnsupportedFeature:
        model = f"{self.info.name}/{request.model}"
        return UnsupportedFeature(f"{model} did not answer in the form it was told: {wrong}", hint=_HINT)


# ---------------------------------------------------------------- what is refused before anything is sent


def _tools(request: Request) -> dict[str, Schema]:
    schemas: dict[str, Schema] = {}
    for index, tool in enumerate(request.tools):
        if tool.name in schemas:
            field = f"tools[{index}].function.name"
            raise BadOption(f"{field} is {tool.name!r}, as that of a tool before it", field=field)
        schemas[tool.name] = checked(tool.parameters, f"tools[{index}].function.parameters")
    return schemas


def _choice(request: Request) -> Literal["auto", "none", "required"] | NamedTool:
    choice = request.tool_choice or "auto"
    if isinstance(choice, NamedTool) and choice.name not in {tool.name for tool in request.tools}:
        raise BadOption(f"tool_choice names {choice.name!r}, which is none of the tools", field="tool_choice")
    if choice == "required" and not request.tools:
        raise BadOption("tool_choice is required, and there are no tools", field="tool_choice")
    return choice


def _format(request: Request) -> Schema | None:
    wanted = request.response_format
    if wanted is None or wanted.type == "text":
        return None
    if wanted.type == "json_object":
        return checked({"type": "object"}, "response_format")
    return checked(wanted.schema or {}, "response_format.json_schema.schema")


def _check_results(request: Request) -> None:
    for index, message in enumerate(request.messages):
        results = (part for part in message.parts if isinstance(part, ToolResult))
        for part in (part for result in results for part in result.content if not isinstance(part, Text)):
            raise UnsupportedFeature(
                f"messages[{index}] holds a tool's result with a {type(part).__name__}; by emulation a result is text",
                hint="put it into a user message",
            )
