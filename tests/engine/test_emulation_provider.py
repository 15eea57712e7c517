"""engine/emulation/provider.py: the provider around a service, with a service that does as it is told."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Sequence
from contextlib import aclosing
from typing import Any, cast

import pytest

from polychat.credentials import SignIn
from polychat.engine.emulation.provider import moded, over
from polychat.engine.routing import Route
from polychat.engine.settings import Folders, ModelSettings, Settings
from polychat.errors import ContextTooLong, Interrupted, UnsupportedFeature
from polychat.net.session import Session
from polychat.providers.base import Capability, Info, Model
from polychat.types import (
    Event,
    Finish,
    Message,
    NamedTool,
    Request,
    ResponseFormat,
    Text,
    TextDelta,
    Thread,
    ThreadMoved,
    Tool,
    ToolCall,
    ToolCallDelta,
    ToolMode,
    ToolResult,
    Usage,
)

ASK = Message(role="user", parts=(Text(text="?"),))
TOOLS = (Tool(name="clock"),)
CALL = '{"tool_calls":[{"name":"clock","arguments":{}}]}'
END = Finish(reason="stop")
JSON = ResponseFormat(type="json_object")
MODEL = Model(id="m", aliases=("em",))


class Service:
    """Answers with the batches it was given, one list an answer; an error in them is raised."""

    def __init__(self, *answers: list[Sequence[Event] | Exception], can: tuple[Capability, ...] = ("system",)) -> None:
        self.info = Info(
            name="p", label="P", hosts={}, accepts=(), models=(MODEL,), default_model="m", sign_in=SignIn(url=""),
            capabilities=frozenset(can),
        )  # fmt: skip
        self.asked: list[Request] = []
        self.left = 0  # answers that were closed or ended
        self._answers = list(answers)

    async def chat(self, session: Session, request: Request) -> AsyncGenerator[Sequence[Event]]:
        """The next answer."""
        self.asked.append(request)
        try:
            for batch in self._answers.pop(0):
                if isinstance(batch, Exception):
                    raise batch
                yield batch
        finally:
            self.left += 1


def text(*pieces: str) -> list[Sequence[Event] | Exception]:
    """An answer of words, a batch a piece."""
    return [*([TextDelta(text=piece)] for piece in pieces), [END]]


def asking(**asked: Any) -> Request:
    """A question with tools, by words."""
    return Request(**{"model": "m", "messages": (ASK,), "tools": TOOLS, "tool_mode": "emulate", **asked})


async def batches_of(service: Service, request: Request, model: Model = MODEL) -> AsyncGenerator[Sequence[Event]]:
    """What goes out, batch by batch."""
    found = over(service, model, request).chat(cast(Session, None), request)
    async with aclosing(cast(AsyncGenerator[Sequence[Event]], found)) as batches:
        async for batch in batches:
            yield batch


def out(service: Service, request: Request, model: Model = MODEL) -> list[Sequence[Event]]:
    """All batches that go out."""

    async def main() -> list[Sequence[Event]]:
        return [batch async for batch in batches_of(service, request, model)]

    return asyncio.run(main())


def out_of_broken(service: Service, kind: type[Exception]) -> tuple[list[Event], str]:
    """What goes out before the error, and the error."""
    events: list[Event] = []

    async def main() -> None:
        async for batch in batches_of(service, asking()):
            events.extend(batch)

    with pytest.raises(kind) as caught:
        asyncio.run(main())
    return events, str(caught.value)


# ---------------------------------------------------------------- batches


def test_each_batch_of_the_service_is_a_batch_also_when_it_is_held() -> None:
    """So the clocks see that the service is at work; the end is one batch."""
    *held, last = out(Service(text(CALL[:9], CALL[9:20], CALL[20:])), asking())
    assert held == [[], [], []]
    assert [type(event) for event in last] == [ToolCallDelta, Finish]


def test_words_pass_in_the_batches_they_came_in() -> None:
    """Each the very list, once it is certain that they are words."""
    answer = text("a", "b")
    assert out(Service(answer), asking()) == answer


def test_leaving_early_closes_the_call_to_the_service() -> None:
    """At once, also in the repair."""

    async def main(service: Service, batches: int) -> int:
        generator = batches_of(service, asking())
        for _ in range(batches):
            await anext(generator)
        await generator.aclose()
        return service.left

    assert asyncio.run(main(Service(text("a", "b")), 1)) == 1
    assert asyncio.run(main(Service(text("{", '"tool_calls"'), text("a", "b")), 4)) == 2


def test_the_last_batch_closes_the_call_to_the_service() -> None:
    """What the service would say after its `Finish` is not waited for."""
    service = Service([[TextDelta(text="a")], [END], [TextDelta(text="never")]])
    assert out(service, asking()) == [[TextDelta(text="a")], [END]]
    assert service.left == 1


@pytest.mark.parametrize("pieces", [(), ("",)])
def test_an_empty_answer_stays_empty(pieces: tuple[str, ...]) -> None:
    """It is no call, and no words are made up."""
    assert [event for batch in out(Service(text(*pieces)), asking()) for event in batch] == [END]


# ---------------------------------------------------------------- the repair


def test_a_wrong_answer_is_asked_for_again_once() -> None:
    """The service gets the words and the reason; the caller one answer."""
    service = Service(text('{"tool_calls":[]}'), text(CALL))
    (event, end) = [event for batch in out(service, asking()) for event in batch]
    assert isinstance(event, ToolCallDelta)
    assert (event.name, end) == ("clock", Finish(reason="tool_calls"))
    first, second = service.asked
    assert second.messages[: len(first.messages)] == first.messages
    assert [one.role for one in second.messages[len(first.messages) :]] == ["assistant", "user"]
    assert "tool_calls is empty" in second.messages[-1].text


def test_the_repair_goes_where_the_service_moved_the_talk() -> None:
    """With only the reason; both tokens are one turn's."""
    moved = ThreadMoved(thread=Thread(provider="p", id="c1"))
    service = Service(
        [[TextDelta(text='{"tool_calls":[]}')], [Usage(input_tokens=3), moved, END]],
        [[TextDelta(text=CALL), Usage(input_tokens=4)], [END]],
    )
    events = [event for batch in out(service, asking()) for event in batch]
    assert [event for event in events if isinstance(event, Usage)] == [Usage(input_tokens=3), Usage(input_tokens=7)]
    assert service.asked[1].thread == moved.thread
    assert len(service.asked[1].messages) == 1


def test_two_wrong_answers_go_out_before_the_error() -> None:
    """Both texts, the first reason, and what to do."""
    events, said = out_of_broken(Service(text('{"tool_calls":[]}'), text('{"tool_calls":5}')), UnsupportedFeature)
    assert events == [TextDelta(text='{"tool_calls":[]}\n\n{"tool_calls":5}')]
    assert said.startswith("p/m did not answer in the form it was told: tool_calls is empty\nhint: ask again")


def test_what_came_goes_out_before_any_other_error() -> None:
    """Of the first answer, of the second, or of an answer that just ends."""
    cut = Interrupted("cut")
    begun: Sequence[Event] = [TextDelta(text="{")]
    assert out_of_broken(Service([begun, cut]), Interrupted) == ([TextDelta(text="{")], "cut")
    wrong = text('{"tool_calls":[]}')
    both = [TextDelta(text='{"tool_calls":[]}\n\n{')]
    assert out_of_broken(Service(wrong, [begun, cut]), Interrupted) == (both, "cut")
    assert out_of_broken(Service(wrong, [ContextTooLong("long")]), ContextTooLong)[0] == [
        TextDelta(text='{"tool_calls":[]}')
    ]
    words: Sequence[Event] = [TextDelta(text="a")]
    assert out_of_broken(Service(wrong, [words, cut]), Interrupted) == ([TextDelta(text="a")], "cut")
    assert out(Service([begun]), asking()) == [[], [TextDelta(text="{")]]
    assert out(Service(wrong, [begun]), asking())[-1] == both


def test_a_talk_that_the_service_will_not_go_on_with_is_a_wrong_answer() -> None:
    """The caller hears of the first reason, and of the service's in the cause."""
    service = Service(text('{"tool_calls":[]}'), [UnsupportedFeature("no")])
    events, said = out_of_broken(service, UnsupportedFeature)
    assert events == [TextDelta(text='{"tool_calls":[]}')]
    assert "tool_calls is empty" in said


# ---------------------------------------------------------------- when


RESULT = Message(role="tool", parts=(ToolResult(tool_call_id="1", content=(Text(text="x"),)),))
CALLED = Message(role="assistant", tool_calls=(ToolCall(id="1", name="f", arguments="{}"),))


@pytest.mark.parametrize(
    ("asked", "can", "wrapped"),
    [
        ({}, ("system",), True),
        ({}, ("system", "tools"), True),
        ({"tool_mode": "service"}, ("system",), False),
        ({"tools": ()}, ("system",), False),
        ({"tools": (), "response_format": ResponseFormat(type="text")}, (), False),
        ({"tools": (), "response_format": JSON}, (), True),
        ({"tools": (), "response_format": JSON}, ("schema",), False),
        ({"tools": (), "messages": (ASK, CALLED, ASK)}, (), True),
        ({"tools": (), "messages": (ASK, RESULT)}, (), True),
    ],
)
def test_a_service_is_wrapped_where_something_has_to_be_said_in_words(
    asked: dict[str, Any], can: tuple[Capability, ...], wrapped: bool
) -> None:
    """And is itself everywhere else; what the model can do counts more than what the service can."""
    service = Service(can=can)
    assert (over(service, MODEL, asking(**asked)) is not service) == wrapped
    assert over(service, MODEL, asking(**asked)).info is service.info
    told, other = Model(id="m", capabilities=frozenset(can)), Service(can=("schema",))
    assert (over(other, told, asking(**asked)) is not other) == wrapped


@pytest.mark.parametrize(
    ("asked", "can", "native"),
    [
        ({"response_format": JSON}, ("schema",), False),
        ({"response_format": JSON, "tools": (), "messages": (ASK, CALLED, RESULT)}, ("schema",), True),
        ({"response_format": JSON, "tools": (), "messages": (ASK, CALLED, RESULT)}, (), False),
    ],
)
def test_a_format_is_the_services_own_unless_tools_go_by_words(
    asked: dict[str, Any], can: tuple[Capability, ...], native: bool
) -> None:
    """A service that insists on its form would not let a call through."""
    service = Service(text('{"a":1}'), can=can)
    out(service, asking(**asked))
    assert (service.asked[0].response_format == JSON) == native


def test_a_schema_that_was_not_given_is_any_json() -> None:
    """An object is not asked for either."""
    service = Service(text(" [1]\n"))
    asked = asking(tools=(), response_format=ResponseFormat(type="json_schema"))
    assert out(service, asked)[-1] == [TextDelta(text="[1]"), END]


@pytest.mark.parametrize("can", [("system",), ()])
def test_a_service_without_system_messages_is_told_in_the_question(can: tuple[Capability, ...]) -> None:
    """As its model or the service says."""
    for model, service in (
        (MODEL, Service(text("a"), can=can)),
        (Model(id="m", capabilities=frozenset(can)), Service(text("a"))),
    ):
        out(service, asking(), model)
        assert [one.role for one in service.asked[0].messages] == (["system", "user"] if can else ["user"])


@pytest.mark.parametrize(
    ("choice", "several", "right"),
    [
        ("required", None, False),
        (NamedTool(name="clock"), None, False),
        ("auto", False, True),
        (None, True, True),
    ],
)
def test_wishes_of_the_request_reach_the_judge(choice: Any, several: bool | None, right: bool) -> None:
    """Words where a call is due are wrong."""
    service = Service(text("a"), text("a"))
    asked = asking(tool_choice=choice, parallel_tool_calls=several)
    if right:
        assert len(out(service, asked)) == 2
    else:
        with pytest.raises(UnsupportedFeature, match="calls no tool"):
            out(service, asked)


@pytest.mark.parametrize(
    ("asked", "named", "settings", "expected"),
    [
        ("service", None, {}, "service"),
        ("emulate", "service", {"p/m": "service"}, "emulate"),
        ("service", "emulate", {"p/m": "service"}, "emulate"),
        ("service", "service", {"p/m": "emulate"}, "service"),
        ("service", None, {"p/m": "emulate"}, "emulate"),
        ("service", None, {"p/em": "emulate"}, "emulate"),
        ("service", None, {"p/m": "service", "p/em": "emulate"}, "service"),
        ("service", None, {"q/m": "emulate", "p/n": "emulate"}, "service"),
    ],
)
def test_the_nearest_word_counts(
    asked: ToolMode, named: ToolMode | None, settings: dict[str, ToolMode], expected: ToolMode, tmp_path: Any
) -> None:
    """The question's, the name's, then that of the settings under any name of the model."""
    folders = Folders(config=tmp_path, data=tmp_path, state=tmp_path, cache=tmp_path)
    models = {name: ModelSettings(tools=mode) for name, mode in settings.items()}
    chosen = Route(provider="p", model=MODEL, tool_mode=named)
    assert moded(asking(tool_mode=asked), chosen, Settings(folders=folders, models=models)) == asking(
        tool_mode=expected
    )
