"""engine/emulation/: tools and formats by words over real HTTP, with services that have neither."""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, TypeVar

import pytest

from polychat import AsyncClient, ChatCompletion
from polychat.credentials import Account, Credential, Secret, SessionCookies
from polychat.engine.settings import load
from polychat.errors import BadOption, Interrupted, PolychatError, RateLimited, UnsupportedFeature
from polychat.sandbox.brain import pieces
from polychat.sandbox.server import Sandbox
from polychat.vault.memory import MemoryVault

T = TypeVar("T")
GIF = b"GIF89a\x01\0\x01\0\x80\0\0\xff\x80\0\0\0\xff!\xf9\x04\0\0\0\0\0,\0\0\0\0\x01\0\x01\0\0\x02\x02D\x01\0;"
COOKIES = {"reka": "appSession", "chatgpt": "__Secure-next-auth.session-token"}
CHAT = {"reka": "/api/chat", "chatgpt": "/backend-api/f/conversation"}
CITY = {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]}
WEATHER = {"type": "function", "function": {"name": "weather", "description": "of a city", "parameters": CITY}}
CLOCK = {"type": "function", "function": {"name": "clock"}}
SCHEMA = {"type": "json_schema", "json_schema": {"name": "place", "schema": CITY}}
BOTH = pytest.mark.parametrize("service", ["reka", "chatgpt"])


def call(*calls: tuple[str, Any]) -> str:
    """An answer of the model that calls tools."""
    return json.dumps({"tool_calls": [{"name": name, "arguments": arguments} for name, arguments in calls]})


OSLO = call(("weather", {"city": "Oslo"}))


@asynccontextmanager
async def client_of(
    service: str, sandbox: Sandbox, person: str = "sandbox-alice", **options: Any
) -> AsyncIterator[Any]:
    """A client of one person at an emulated service."""
    cookies = {COOKIES[service]: person}
    async with AsyncClient(provider=service, sandbox=sandbox.url, cookies=cookies, strict=True, **options) as client:
        yield client


def run(service: str, sandbox: Sandbox, work: Callable[[AsyncClient], Coroutine[Any, Any, T]]) -> T:
    """What `work` gives with a client of its own."""

    async def main() -> T:
        async with client_of(service, sandbox) as client:
            return await work(client)

    return asyncio.run(main())


def ask(service: str, sandbox: Sandbox, messages: Any = "Weather?", **question: Any) -> ChatCompletion:
    """One answer, tools by words."""
    given = {"tools": [WEATHER, CLOCK], "tool_mode": "emulate", **question}
    return run(service, sandbox, lambda client: client.chat.completions.create(messages=messages, **given))


def failed(service: str, sandbox: Sandbox, **question: Any) -> PolychatError:
    """The error of an answer that has to fail."""
    with pytest.raises(PolychatError) as caught:
        ask(service, sandbox, **question)
    return caught.value


def calls_of(answer: ChatCompletion) -> list[tuple[str, Any]]:
    """Name and arguments of each call."""
    made = answer.choices[0].message.tool_calls or []
    return [(str(one.function.name), json.loads(one.function.arguments)) for one in made]


def sent(sandbox: Sandbox, service: str) -> list[list[tuple[str, str]]]:
    """The turns of each question the service got, as (role, text)."""
    return [_turns(service, entry.json) for entry in sandbox.journal(service=service, path=CHAT[service])]


def _turns(service: str, body: Any) -> list[tuple[str, str]]:
    if service == "reka":
        return [(turn["type"], turn["text"]) for turn in body["conversation_history"]]
    return [(one["author"]["role"], one["content"]["parts"][-1]) for one in body["messages"]]


# ---------------------------------------------------------------- calls


@BOTH
def test_a_call_comes_in_the_shape_of_every_call(service: str, sandbox: Sandbox) -> None:
    """Name, arguments as JSON text, an id, `tool_calls` as the reason, and no words."""
    sandbox.script(service, text=OSLO)
    answer = ask(service, sandbox)
    (made,) = answer.choices[0].message.tool_calls or []
    assert (made.function.name, made.function.arguments) == ("weather", '{"city": "Oslo"}')
    assert re.fullmatch(r"call_[0-9a-f]{16}_1", made.id)
    assert (answer.choices[0].finish_reason, answer.choices[0].message.content) == ("tool_calls", None)


@BOTH
def test_the_model_is_told_the_tools_and_the_service_is_not(service: str, sandbox: Sandbox) -> None:
    """Each tool with its schema stands before the question; the wire has no field of it."""
    sandbox.script(service, text=OSLO)
    ask(service, sandbox)
    ((first, *rest),) = sent(sandbox, service)
    assert (
        '{"name":"weather","description":"of a city","parameters":' + json.dumps(CITY, separators=(",", ":"))
        in first[1]
    )
    assert '{"name":"clock","parameters":{}}' in first[1]
    assert (first[1] if service == "reka" else rest[0][1]).endswith("Weather?")
    (entry,) = sandbox.journal(service=service, path=CHAT[service])
    assert "tools" not in entry.json


@BOTH
def test_several_calls_come_at_once(service: str, sandbox: Sandbox) -> None:
    """In the model's order, each with an id of its own."""
    sandbox.script(service, text=f"```json\n{call(('weather', {'city': 'Oslo'}), ('clock', {}))}\n```")
    answer = ask(service, sandbox)
    assert calls_of(answer) == [("weather", {"city": "Oslo"}), ("clock", {})]
    assert len({one.id for one in answer.choices[0].message.tool_calls or []}) == 2


def test_chunks_of_a_call_are_those_of_every_service(sandbox: Sandbox) -> None:
    """Streamed, the pieces join to the whole call, and nothing else is said."""
    sandbox.script("reka", chunks=[OSLO[:5], OSLO[5:20], OSLO[20:]])

    async def read(client: AsyncClient) -> list[Any]:
        asked = client.chat.completions.create(messages="?", tools=[WEATHER], tool_mode="emulate", stream=True)
        async with await asked as stream:
            return [chunk.choices[0] async for chunk in stream]

    *pieces, last = run("reka", sandbox, read)
    assert [piece.delta.content for piece in pieces] == [None] * len(pieces)
    made = [one for piece in pieces for one in piece.delta.tool_calls or []]
    assert [(one.index, one.function.name) for one in made] == [(0, "weather")]
    assert last.finish_reason == "tool_calls"


def test_a_result_goes_back_and_the_talk_goes_on(sandbox: Sandbox) -> None:
    """The call stands in the history in the model's own form, the result is told by number and name."""
    sandbox.script("reka", text=OSLO)
    sandbox.script("reka", text="It is 18 °C.")
    first = ask("reka", sandbox)
    (made,) = first.choices[0].message.tool_calls or []
    result = {"role": "tool", "tool_call_id": made.id, "content": '18 "°C"\n'}
    second = ask("reka", sandbox, [result], conversation=first.conversation)
    assert (second.text, second.choices[0].finish_reason) == ("It is 18 °C.", "stop")
    assert [role for role, _ in sent(sandbox, "reka")[1]] == ["human", "model", "human"]
    _, (_, told), (_, given) = sent(sandbox, "reka")[1]
    assert told == '{"tool_calls":[{"name":"weather","arguments":{"city": "Oslo"}}]}'
    assert json.loads(given) == {"tool_results": [{"call": 1, "name": "weather", "content": '18 "°C"\n'}]}


def test_where_the_service_keeps_the_talk_only_what_is_new_goes_out(sandbox: Sandbox) -> None:
    """Results of two calls in one message, told apart by the number in our own ids, the instructions before them."""
    sandbox.script("chatgpt", text=call(("weather", {"city": "Oslo"}), ("weather", {"city": "Rome"})))
    sandbox.script("chatgpt", text="Rome is warmer.")

    async def talk(client: AsyncClient) -> tuple[ChatCompletion, ChatCompletion]:
        more: dict[str, Any] = {"tools": [WEATHER], "tool_mode": "emulate"}
        first = await client.chat.completions.create(messages="Where is it warmer?", **more)
        ids = [one.id for one in first.choices[0].message.tool_calls or []]
        results = [{"role": "tool", "tool_call_id": one, "content": text} for one, text in zip(ids, "ab", strict=True)]
        return first, await client.chat.completions.create(
            messages=results[::-1], conversation=first.conversation, **more
        )

    first, second = run("chatgpt", sandbox, talk)
    assert second.text == "Rome is warmer."
    (instructions, given) = sent(sandbox, "chatgpt")[1]
    assert (instructions[0], '"name":"weather"' in instructions[1]) == ("system", True)
    assert (given[0], json.loads(given[1])) == (
        "user", {"tool_results": [{"call": 2, "content": "b"}, {"call": 1, "content": "a"}]},
    )  # fmt: skip
    again = sandbox.journal(service="chatgpt", path=CHAT["chatgpt"])[1].json
    assert first.conversation is not None
    assert again["conversation_id"] == first.conversation.id


def test_accounts_do_not_mix(sandbox: Sandbox) -> None:
    """Two people ask at the same time: each gets the calls, and the repair, of his own question."""
    for person, city in (("sandbox-alice", "Oslo"), ("sandbox-bob", "Rome")):
        sandbox.script("chatgpt", account=person, text=call(("weather", {"town": city})))
        sandbox.script("chatgpt", account=person, text=call(("weather", {"city": city})))

    async def main() -> list[ChatCompletion]:
        vault = MemoryVault(
            *(
                Account(name=person, provider="chatgpt", credential=_cookie("chatgpt", person))
                for person in ("sandbox-alice", "sandbox-bob")
            )
        )
        async with AsyncClient(provider="chatgpt", sandbox=sandbox.url, vault=vault, strict=True) as client:
            asked = (
                client.chat.completions.create(messages=person, tools=[WEATHER], tool_mode="emulate", account=person)
                for person in ("sandbox-alice", "sandbox-bob")
            )
            return await asyncio.gather(*asked)

    alice, bob = asyncio.run(main())
    assert (calls_of(alice), calls_of(bob)) == ([("weather", {"city": "Oslo"})], [("weather", {"city": "Rome"})])
    conversations = {
        entry.account: entry.json.get("conversation_id")
        for entry in sandbox.journal(service="chatgpt", path=CHAT["chatgpt"])
    }
    assert conversations == {
        answer.account: answer.conversation.id for answer in (alice, bob) if answer.conversation is not None
    }


def _cookie(service: str, person: str) -> Credential:
    return SessionCookies(cookies={COOKIES[service]: Secret(person)})


# ---------------------------------------------------------------- words


@BOTH
@pytest.mark.parametrize("words", ["It is sunny.", "```python\nprint()\n```", '{"tool": 1} is JSON', "  {  }"])
def test_words_come_out_unchanged(service: str, words: str, sandbox: Sandbox) -> None:
    """Also such as look like a call at first."""
    sandbox.script(service, chunks=list(words))
    answer = ask(service, sandbox)
    assert (answer.text, answer.choices[0].message.tool_calls) == (words, None)
    assert answer.choices[0].finish_reason == "stop"


@pytest.mark.parametrize(("service", "frames"), [("reka", 1), ("chatgpt", 11)])
def test_words_stream_as_they_come(service: str, frames: int, sandbox: Sandbox) -> None:
    """The first are out while the service still holds the rest back."""
    sandbox.script(service, chunks=["Sunny", " all", " day."])
    sandbox.fault(service, "stall", path=CHAT[service], after=frames)

    async def first(client: AsyncClient) -> Any:
        asked = client.chat.completions.create(messages="?", tools=[WEATHER], tool_mode="emulate", stream=True)
        async with await asked as stream:
            return (await anext(stream)).choices[0].delta.content

    assert run(service, sandbox, first) == "Sunny"


def test_a_call_with_words_around_it_is_words(sandbox: Sandbox) -> None:
    """Nothing is fished for."""
    said = f"I shall look. {OSLO}"
    sandbox.script("reka", text=said)
    answer = ask("reka", sandbox)
    assert (answer.text, calls_of(answer)) == (said, [])


def test_thinking_passes_as_it_comes(sandbox: Sandbox) -> None:
    """While the call behind it is held back."""
    sandbox.knobs("chatgpt", thinking=True)
    sandbox.script("chatgpt", text=OSLO)

    async def first(client: AsyncClient) -> Any:
        asked = client.chat.completions.create(
            messages="?", tools=[WEATHER], tool_mode="emulate", reasoning_effort="high", stream=True
        )
        async with await asked as stream:
            return [chunk.choices[0].delta async for chunk in stream]

    deltas = run("chatgpt", sandbox, first)
    assert deltas[0].reasoning_content
    assert [delta.content for delta in deltas] == [None] * len(deltas)
    assert [delta for delta in deltas if delta.tool_calls]


def test_an_answer_the_service_rewrote_is_read_as_it_stands_in_the_end(sandbox: Sandbox) -> None:
    """While it is held, a revision takes its place."""
    sandbox.script("reka", chunks=['{"tool_calls": [', "]}"], revisions=[OSLO])
    assert calls_of(ask("reka", sandbox)) == [("weather", {"city": "Oslo"})]


# ---------------------------------------------------------------- formats


@BOTH
def test_an_answer_obeys_its_schema(service: str, sandbox: Sandbox) -> None:
    """The bare JSON, in one piece, whatever fence was around it; the model is told the schema."""
    sandbox.script(service, text='```json\n{"city": "Oslo"}\n```\n')
    answer = ask(service, sandbox, tools=None, response_format=SCHEMA)
    assert (answer.text, answer.choices[0].finish_reason) == ('{"city": "Oslo"}', "stop")
    assert json.dumps(CITY, separators=(",", ":")) in sent(sandbox, service)[0][0][1]


def test_a_json_object_is_an_object(sandbox: Sandbox) -> None:
    """A list is not, and is asked for again."""
    sandbox.script("reka", text="[1]")
    sandbox.script("reka", text='{"a": 1}')
    answer = ask("reka", sandbox, tools=None, response_format={"type": "json_object"})
    assert answer.text == '{"a": 1}'
    assert "[1] is not of type 'object'" in sent(sandbox, "reka")[1][-1][1]


def test_tools_and_a_format_go_together(sandbox: Sandbox) -> None:
    """A call is a call, and any other answer obeys the format."""
    sandbox.script("reka", text=OSLO)
    sandbox.script("reka", text='{"city": "Rome"}')
    assert calls_of(ask("reka", sandbox, response_format=SCHEMA)) == [("weather", {"city": "Oslo"})]
    assert ask("reka", sandbox, response_format=SCHEMA).text == '{"city": "Rome"}'


# ---------------------------------------------------------------- wrong answers

WRONG = {
    "no tool": (call(("wether", {})), "tool_calls[0].name is 'wether'; it is one of weather, clock"),
    "schema": (
        call(("clock", {}), ("weather", {"city": 5})),
        "tool_calls[1].arguments.city: 5 is not of type 'string'",
    ),
    "cut": ('{"tool_calls":[{"name":"clock"', "it is not the JSON asked for: input data was truncated"),
}


@BOTH
@pytest.mark.parametrize(("wrong", "reason"), WRONG.values(), ids=WRONG)
def test_a_wrong_call_is_mended_once(service: str, wrong: str, reason: str, sandbox: Sandbox) -> None:
    """The model is told what was wrong and where, and its second answer counts; none of the first goes out."""
    sandbox.script(service, text=wrong)
    sandbox.script(service, text=OSLO)
    answer = ask(service, sandbox)
    assert (calls_of(answer), answer.text) == ([("weather", {"city": "Oslo"})], "")
    first, second = sent(sandbox, service)
    assert reason in second[-1][1]
    if service == "reka":
        assert second[:-1] == [*first, ("model", wrong)]
    else:
        assert [role for role, _ in second] == ["user"]
        assert answer.conversation is not None
        again = sandbox.journal(service=service, path=CHAT[service])[1].json
        assert again["conversation_id"] == answer.conversation.id


@BOTH
def test_two_wrong_answers_are_an_error_that_keeps_both(service: str, sandbox: Sandbox) -> None:
    """With the first reason; there is no third question."""
    first, second = call(("wether", {})), call(("weather", {}))
    sandbox.script(service, text=first)
    sandbox.script(service, text=second)
    error = failed(service, sandbox)
    assert isinstance(error, UnsupportedFeature)
    assert "did not answer in the form it was told: tool_calls[0].name is 'wether'" in error.message
    assert error.provider == service
    assert error.partial is not None
    assert error.partial.text == f"{first}\n\n{second}"
    assert len(sent(sandbox, service)) == 2


def test_the_tokens_of_both_answers_are_counted(sandbox: Sandbox) -> None:
    """The sum of what the service said of each; also where the second is wrong too."""
    wrong = call(("wether", {}))
    for text in (wrong, OSLO, wrong, wrong):
        sandbox.script("reka", text=text)
    usage = ask("reka", sandbox).usage
    assert usage is not None
    assert usage.completion_tokens == len(pieces(wrong)) + len(pieces(OSLO))
    partial = failed("reka", sandbox).partial
    assert partial is not None
    assert partial.usage is not None
    assert partial.usage.output_tokens == 2 * len(pieces(wrong))
    assert partial.usage.input_tokens == usage.prompt_tokens


def test_words_of_a_mended_answer_pass(sandbox: Sandbox) -> None:
    """After a wrong call the model may also think better of it."""
    sandbox.script("reka", text=call(("wether", {})))
    sandbox.script("reka", chunks=["I do ", "not know."])
    answer = ask("reka", sandbox)
    assert (answer.text, answer.choices[0].finish_reason) == ("I do not know.", "stop")


@pytest.mark.parametrize(
    ("question", "wrong", "right", "reason"),
    [
        ({"tool_choice": "required"}, "Sunny.", OSLO, "it calls no tool, and it has to"),
        (
            {"tool_choice": {"type": "function", "function": {"name": "weather"}}},
            call(("clock", {})),
            OSLO,
            "tool_calls[0].name is 'clock'; it is one of weather",
        ),
        ({"tool_choice": "none"}, OSLO, "Sunny.", "tool_calls[0].name is 'weather'; no tool may be called now"),
        (
            {"parallel_tool_calls": False},
            call(("clock", {}), ("clock", {})),
            OSLO,
            "tool_calls holds 2 calls, and one at a time is allowed",
        ),
        ({"response_format": SCHEMA}, '{"city": 1}', '{"city": ""}', "the answer.city: 1 is not of type 'string'"),
    ],
    ids=["required", "named", "none", "one", "format"],
)
def test_what_was_asked_for_is_insisted_on(
    question: dict[str, Any], wrong: str, right: str, reason: str, sandbox: Sandbox
) -> None:
    """Each wish of the request is held against the answer, and the model is told."""
    sandbox.script("reka", text=wrong)
    sandbox.script("reka", text=right)
    answer = ask("reka", sandbox, **question)
    assert (answer.text or calls_of(answer)) == (right if right != OSLO else [("weather", {"city": "Oslo"})])
    assert reason in sent(sandbox, "reka")[1][-1][1]


# ---------------------------------------------------------------- broken answers


@BOTH
def test_a_cut_call_is_an_interruption(service: str, sandbox: Sandbox) -> None:
    """Not a wrong answer: nothing is asked again, and what came is kept."""
    sandbox.script(service, chunks=['{"tool_calls":', '[{"name":', '"weather",', '"arguments":', '{"city":"Oslo"}}]}'])
    sandbox.fault(service, "drop", path=CHAT[service], after=13 if service == "chatgpt" else 3)
    sandbox.fault(service, "drop", path="*/resume", after=0)
    error = failed(service, sandbox)
    assert type(error) is Interrupted
    assert error.partial is not None
    assert error.partial.text.startswith('{"tool_calls":[{"name":')
    assert error.partial.finish is None


def test_an_answer_cut_by_its_length_says_so(sandbox: Sandbox) -> None:
    """It is not judged: what came goes out with the service's reason."""
    sandbox.script("reka", text=OSLO[:30], finish_reason="length")
    answer = ask("reka", sandbox)
    assert (answer.text, answer.choices[0].finish_reason) == (OSLO[:30], "length")
    assert len(sent(sandbox, "reka")) == 1


def test_a_repair_that_fails_keeps_its_own_name_and_the_first_answer(sandbox: Sandbox) -> None:
    """The limit is what the caller has to know of; the wrong answer is in `partial`."""
    wrong = call(("wether", {}))
    sandbox.script("reka", text=wrong)
    sandbox.fault("reka", "status", path=CHAT["reka"], code=429, retry_after="90", skip=1)
    error = failed("reka", sandbox)
    assert type(error) is RateLimited
    assert error.partial is not None
    assert error.partial.text == wrong


def test_a_talk_that_cannot_be_gone_on_with_is_refused_with_the_first_reason(sandbox: Sandbox) -> None:
    """ChatGPT keeps no temporary chat and takes a picture with the last message only, so a repair cannot be asked."""
    wrong = call(("wether", {}))
    sandbox.script("chatgpt", text=wrong)
    error = failed("chatgpt", sandbox, image=GIF, temporary=True)
    assert "tool_calls[0].name is 'wether'" in error.message
    assert error.partial is not None
    assert error.partial.text == wrong


# ---------------------------------------------------------------- how it is asked for


def test_unasked_nothing_is_emulated(sandbox: Sandbox) -> None:
    """The service is not sent the question, and the hint names the way."""
    error = failed("reka", sandbox, tool_mode="service")
    assert isinstance(error, UnsupportedFeature)
    assert 'tool_mode="emulate"' in (error.hint or "")
    assert sent(sandbox, "reka") == []


@pytest.mark.parametrize("model", ["reka/reka-core?tools=emulate", "reka-core?tools=emulate", "reka?tools=emulate"])
def test_the_models_name_asks_for_it(model: str, sandbox: Sandbox) -> None:
    """For programs that can set nothing else; the service gets the plain name."""
    sandbox.script("reka", text=OSLO)
    assert calls_of(ask("reka", sandbox, model=model, tool_mode=None)) == [("weather", {"city": "Oslo"})]
    (entry,) = sandbox.journal(service="reka", path=CHAT["reka"])
    assert entry.json["model_name"] == "reka-core"


@pytest.mark.parametrize(
    ("setting", "model", "emulated"),
    [
        ("reka/reka-core", "reka/reka-core", True),
        ("reka/reka-core", "reka/reka-flash", False),
        ("reka/reka-core", "reka/reka-core?tools=service", False),
        ("chatgpt/gpt-5.2", "chatgpt/gpt-5-2", True),
        ("chatgpt/gpt-5-2", "gpt-5.2", True),
    ],
)
def test_the_settings_ask_for_it(setting: str, model: str, emulated: bool, sandbox: Sandbox, tmp_path: Path) -> None:
    """For a model under any of its names; what the caller's name for it says counts more."""
    service = setting.partition("/")[0]
    sandbox.script(service, text=OSLO)
    overrides = {"models": {setting: {"tools": "emulate"}}, "sandbox": sandbox.url}
    settings = load(environ={"POLYCHAT_HOME": str(tmp_path)}, overrides=overrides)

    async def main() -> ChatCompletion:
        async with client_of(service, sandbox, settings=settings) as client:
            return await client.chat.completions.create(model=model, messages="?", tools=[WEATHER])

    if emulated:
        assert calls_of(asyncio.run(main())) == [("weather", {"city": "Oslo"})]
    else:
        with pytest.raises(UnsupportedFeature):
            asyncio.run(main())


def test_emulate_is_an_order_also_where_there_are_tools(sandbox: Sandbox) -> None:
    """The service's own are used unless it is said; then none is sent, and a format stays the service's own."""

    async def main() -> None:
        async with AsyncClient(provider="openai", sandbox=sandbox.url, api_key="sandbox-alice", strict=True) as client:
            asked: dict[str, Any] = {"messages": "Weather?", "tools": [WEATHER], "response_format": SCHEMA}
            await client.chat.completions.create(**asked)
            sandbox.script("openai", text=OSLO)
            words = await client.chat.completions.create(**asked, tool_mode="emulate")
            assert calls_of(words) == [("weather", {"city": "Oslo"})]
            await client.chat.completions.create(messages="?", response_format=SCHEMA, tool_mode="emulate")

    asyncio.run(main())
    fields = [entry.json.keys() & {"tools", "response_format"} for entry in sandbox.journal(service="openai")]
    assert fields == [{"tools", "response_format"}, set(), {"response_format"}]


def test_without_tools_or_format_nothing_is_said(sandbox: Sandbox) -> None:
    """The question goes out as it is."""
    ask("reka", sandbox, "Hello", tools=None)
    assert sent(sandbox, "reka") == [[("human", "Hello")]]


@pytest.mark.parametrize(
    ("question", "field"),
    [
        (
            {"tools": [WEATHER, {"function": {"name": "f", "parameters": {"type": "x"}}}]},
            "tools[1].function.parameters",
        ),
        (
            {"tools": [{"function": {"name": "f", "parameters": {"$ref": "http://127.0.0.1:1/s.json"}}}]},
            "tools[0].function.parameters",
        ),
        ({"tools": [CLOCK, CLOCK]}, "tools[1].function.name"),
        ({"tool_choice": {"function": {"name": "other"}}}, "tool_choice"),
        ({"tools": None, "tool_choice": "required", "response_format": SCHEMA}, "tool_choice"),
        (
            {"response_format": {"type": "json_schema", "json_schema": {"name": "x", "schema": {"type": "x"}}}},
            "response_format.json_schema.schema",
        ),
    ],
    ids=["schema", "remote", "twice", "choice", "no tools", "format"],
)
def test_what_cannot_be_asked_is_refused_before_anything_is_sent(
    question: dict[str, Any], field: str, sandbox: Sandbox
) -> None:
    """By the name of the field, and nothing is fetched."""
    error = failed("reka", sandbox, **question)
    assert isinstance(error, BadOption)
    assert error.field == field
    assert sandbox.journal(service="reka") == []


def test_a_result_that_is_more_than_text_is_refused(sandbox: Sandbox) -> None:
    """Words cannot hold a picture."""
    picture = {"type": "image_url", "image_url": {"url": "data:image/gif;base64,R0lGODlh"}}
    talk = [{"role": "user", "content": "?"}, {"role": "tool", "tool_call_id": "1", "content": [picture]}]
    error = failed("reka", sandbox, messages=talk)
    assert isinstance(error, UnsupportedFeature)
    assert "messages[1] holds a tool's result with a Image" in error.message
