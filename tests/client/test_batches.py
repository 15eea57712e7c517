"""client/batches.py: files of questions, asked of the emulated services."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import AsyncIterator, Sequence
from itertools import pairwise
from pathlib import Path
from typing import Any

import openai.types
import openai.types.chat
import pytest

from polychat import AsyncClient, BadOption
from polychat.client.batches import Batch
from polychat.client.batches.tally import Tally
from polychat.credentials import SignIn
from polychat.engine.settings import load
from polychat.errors import ConfigError, RateLimited
from polychat.net.session import Session
from polychat.providers import Info, Model
from polychat.sandbox import Sandbox
from polychat.types import Event, Finish, Request, TextDelta, Usage

CHAT, VECTORS = "/v1/chat/completions", "/v1/embeddings"
MODEL = "openai/gpt-5-mini"


def line(name: Any, url: str = CHAT, **body: Any) -> dict[str, Any]:
    """A question."""
    usual = {"messages": [{"role": "user", "content": f"Hello {name}"}]} if url == CHAT else {"input": f"Hello {name}"}
    model = MODEL if url == CHAT else "openai/text-embedding-3-small"
    return {"custom_id": str(name), "method": "POST", "url": url, "body": {"model": model} | usual | body}


class Room:
    """A folder with the questions, and a client of the sandbox."""

    def __init__(self, folder: Path, sandbox: Sandbox) -> None:
        self.source = folder / "in.jsonl"
        self.output = folder / "out.jsonl"
        self.sandbox = sandbox
        self.environ = {"POLYCHAT_HOME": str(folder / "home"), "POLYCHAT_SANDBOX": sandbox.url}

    def ask(self, *lines: dict[str, Any], overrides: Any = None, client: Any = None, **options: Any) -> Tally:
        """Ask them, and go on with what is there."""
        if lines:
            self.source.write_text("\n".join(map(json.dumps, lines)))
        how = {name: options.pop(name) for name in ("limit", "resume") if name in options}
        settings = load(environ=self.environ, overrides=overrides)

        async def main() -> Tally:
            with Batch(self.source, self.output, **how) as batch:
                async with AsyncClient(settings=settings, strict=True, **(client or {})) as asked:
                    return await batch.run(asked, **{"backoff_s": 0.01} | options)

        return asyncio.run(main())

    @property
    def answers(self) -> dict[str, Any]:
        """What is written, by name."""
        lines = [json.loads(line) for line in self.output.read_text().splitlines()]
        assert len({line["custom_id"] for line in lines}) == len(lines)
        return {line["custom_id"]: line for line in lines}

    @property
    def statuses(self) -> dict[str, int]:
        """How each line was answered."""
        return {name: line["response"]["status_code"] for name, line in self.answers.items()}

    @property
    def seen(self) -> list[str]:
        """The questions that the service saw."""
        return [entry.json["messages"][-1]["content"] for entry in self.sandbox.journal(service="openai")]


@pytest.fixture
def room(tmp_path: Path, sandbox: Sandbox) -> Room:
    """An empty one."""
    return Room(tmp_path, sandbox)


def test_answers_are_written_in_openais_shape(room: Room) -> None:
    """Chats and vectors, each under its name, as the official package's types have them."""
    tally = room.ask(line("a"), line("b", VECTORS), line("c", model="reka/reka-core"))
    assert room.statuses == {"a": 200, "b": 200, "c": 200}
    chat = openai.types.chat.ChatCompletion.model_validate(room.answers["a"]["response"]["body"])
    vectors = openai.types.CreateEmbeddingResponse.model_validate(room.answers["b"]["response"]["body"])
    assert (chat.choices[0].message.content, len(vectors.data)) == ("You asked: “Hello a” (2 words).", 1)
    body = room.answers["c"]["response"]["body"]
    assert (body["provider"], body["conversation"]) == ("reka", None)
    assert (tally.done, tally.failed, tally.left, tally.cost_usd, tally.unpriced) == (3, 0, 0, None, 3)
    bodies = [answer["response"]["body"] for answer in room.answers.values()]
    assert tally.input_tokens == sum(body["usage"]["prompt_tokens"] for body in bodies) > 0
    assert tally.output_tokens == sum(body["usage"]["completion_tokens"] for body in bodies) > 0


def test_a_body_may_say_what_create_takes(room: Room) -> None:
    """Tools and settings reach the service, a stream is answered whole."""
    tool = {"type": "function", "function": {"name": "weather", "parameters": {"type": "object", "properties": {}}}}
    room.ask(
        line("a", tools=[tool], tool_choice="required", stream=True, stream_options={"include_usage": True}),
        line("b", VECTORS, dimensions=8, encoding_format="float", user="me"),
    )
    answers = room.answers
    (choice,) = answers["a"]["response"]["body"]["choices"]
    assert choice["message"]["tool_calls"][0]["function"]["name"] == "weather"
    assert len(answers["b"]["response"]["body"]["data"][0]["embedding"]) == 8


@pytest.mark.parametrize(
    ("body", "status", "code", "param"),
    [
        ({"model": "nobody/has-this"}, 404, "unknown_model", None),
        ({"model": 7}, 400, "bad_option", "model"),
        ({"account": ["a"]}, 400, "bad_option", "account"),
        ({"n": 2}, 400, "bad_option", "n"),
        ({"messages": 7}, 400, "bad_option", "messages"),
        ({"self": 1, "clocks": 3}, 400, "bad_option", "clocks"),
        ({"url": VECTORS, "input": 5}, 400, "bad_option", "input"),
        ({"url": VECTORS, "input": [5]}, 400, "bad_option", "input"),
        ({"url": VECTORS, "encoding_format": "base64"}, 400, "bad_option", "encoding_format"),
        ({"url": VECTORS, "n": 1}, 400, "bad_option", "n"),
    ],
)
def test_a_wrong_body_fails_its_line_only(
    room: Room, body: dict[str, Any], status: int, code: str, param: str | None
) -> None:
    """With the status, the code and the field; the others are answered, and nothing is asked again."""
    tally = room.ask(line("bad", **body), line("good"))
    assert room.statuses == {"bad": status, "good": 200}
    error = room.answers["bad"]["response"]["body"]["error"]
    assert (error["code"], error["param"], tally.done, tally.failed) == (code, param, 1, 1)
    assert (tally.failures[0].custom_id, room.seen) == ("bad", ["Hello good"])


class Busy:
    """A service of two models; the first asks for patience so often, then it answers. It notes who was asked."""

    info = Info(
        name="busy",
        label="Busy",
        hosts={"web": "https://busy.example"},
        accepts=("api_key",),
        needs_account=False,
        models=(Model(id="one"), Model(id="two")),
        default_model="one",
        capabilities=frozenset({"text", "stream"}),
        sign_in=SignIn(url="https://busy.example"),
    )

    def __init__(self, limits: int = 0, retry_after_s: float = 0.1) -> None:
        self.limits = limits
        self.retry_after_s = retry_after_s
        self.asked: list[str] = []
        self.running = 0
        self.most = 0  # questions at once

    async def chat(self, session: Session, request: Request) -> AsyncIterator[Sequence[Event]]:
        """The question, once the service is no longer busy."""
        self.asked.append(request.messages[-1].text)
        if request.model == "one" and self.limits:
            self.limits -= 1
            raise RateLimited("slow down", retry_after_s=self.retry_after_s, upstream_status=429)
        self.running += 1
        self.most = max(self.most, self.running)
        await asyncio.sleep(0.01)
        self.running -= 1
        yield [TextDelta(text="Yes"), Finish(reason="stop")]


@pytest.mark.parametrize(
    ("concurrency", "settings", "most"), [(5, {}, 5), (1, {}, 1), (8, {"busy": 3}, 3), (99, {}, 16)]
)
def test_as_many_at_once_as_wanted(room: Room, concurrency: int, settings: dict[str, int], most: int) -> None:
    """And no more than the accounts take, however many are wanted."""
    busy = Busy()
    overrides = {"concurrency": settings}
    room.ask(
        *(line(number, model="one") for number in range(40)),
        concurrency=concurrency,
        overrides=overrides,
        client={"provider": busy},
    )
    assert (busy.most, len(busy.asked)) == (most, 40)


def test_a_full_service_does_not_hold_up_others(room: Room) -> None:
    """Where its accounts take no more, the next question of another service goes."""
    room.sandbox.fault("openai", "slow_first_byte", delay_s=0.1)
    others = [line(name, model="reka/reka-core") for name in "ab"]
    room.ask(*map(line, range(6)), *others, concurrency=4, overrides={"concurrency": {"openai": 1}})
    assert set(list(room.answers)[:2]) == {"a", "b"}


def test_a_wait_that_the_service_asks_for_is_waited_for(room: Room) -> None:
    """The line is asked again after it; it goes ahead alone, and nobody else is sent away."""
    busy = Busy(2, 0.15)
    began = time.monotonic()
    lines = [line(number, model="one") for number in range(6)]
    tally = room.ask(*lines, concurrency=1, client={"provider": busy})
    assert (tally.done, tally.failed, time.monotonic() - began > 0.3) == (6, 0, True)
    assert busy.asked == ["Hello 0", "Hello 0", *(f"Hello {number}" for number in range(6))]
    assert (tally.waits_until > began, tally.why) == (True, "slow down")


def test_a_rested_model_is_asked_by_one_question_first(room: Room) -> None:
    """Whoever else was sent away meanwhile waits for its answer, and loses no attempt and no time."""
    began = time.monotonic()
    busy = Busy(1, 0.1)
    lines = [line(number, model="one") for number in range(20)]
    tally = room.ask(*lines, concurrency=8, retries=1, client={"provider": busy})
    assert (tally.done, tally.failed, len(busy.asked)) == (20, 0, 21)
    assert time.monotonic() - began < 4  # the engine keeps others away for 5 s while one tries


def test_others_go_on_while_one_model_rests(room: Room) -> None:
    """A wait is that of one service's model, not of the batch."""
    lines = [line(name, model=model) for name, model in zip("abcd", ["one", "two", "one", "two"], strict=True)]
    room.ask(*lines, concurrency=1, client={"provider": Busy(1, 0.1)})
    assert list(room.answers) == ["b", "d", "a", "c"]


def test_a_line_that_is_limited_too_often_fails(room: Room) -> None:
    """After as many attempts as were wanted."""
    busy = Busy(9, 0.05)
    tally = room.ask(line("a", model="one"), retries=1, client={"provider": busy})
    assert (tally.failed, room.statuses, busy.asked) == (1, {"a": 429}, ["Hello a"] * 2)


def test_an_account_that_cools_down_already_is_waited_for(room: Room) -> None:
    """A question that was never sent is no attempt, also where nothing is to be asked again."""
    room.source.write_text(json.dumps(line("a", model="one")))
    busy = Busy(1, 0.3)

    async def main() -> Tally:
        with Batch(room.source, room.output) as batch:
            async with AsyncClient(provider=busy, settings=load(environ=room.environ)) as client:
                with pytest.raises(RateLimited):
                    await client.chat.completions.create(model="one", messages="Earlier")
                return await batch.run(client, retries=0)

    tally = asyncio.run(main())
    assert (tally.done, tally.failed, busy.asked) == (1, 0, ["Earlier", "Hello a"])
    assert "is cooling down" in tally.why


def test_what_may_pass_is_asked_again_after_all_others(room: Room) -> None:
    """A service in trouble gets its time."""
    room.sandbox.fault("openai", "status", code=503, times=2, path=CHAT)
    tally = room.ask(*map(line, range(4)), concurrency=1)
    assert (tally.done, tally.failed) == (4, 0)
    assert list(room.answers) == ["1", "2", "3", "0"] or list(room.answers)[-1] in "01"
    assert sorted(set(room.seen)) == [f"Hello {number}" for number in range(4)]


def test_what_may_have_happened_is_not_asked_again(room: Room) -> None:
    """A line with tools whose answer never came is failed; the same without tools is asked again."""
    tool = {"type": "function", "function": {"name": "pay", "parameters": {"type": "object", "properties": {}}}}
    room.sandbox.fault("openai", "close", times=2, path=CHAT)
    tally = room.ask(line("tools", tools=[tool]), line("words"), concurrency=1)
    assert (tally.failed, room.statuses) == (1, {"tools": 502, "words": 200})
    assert room.seen.count("Hello tools") == 1


def test_going_on_asks_what_is_not_answered(room: Room) -> None:
    """Answers stay, failed and new lines are asked, the limit counts what is left; without `resume` nothing is."""
    lines = [line(0), line(1, model="nobody/has-this"), line(2), line(3)]
    first = room.ask(*lines, limit=2)
    assert (first.done, first.failed, room.statuses) == (1, 1, {"0": 200, "1": 404})
    with pytest.raises(BadOption, match="is there already"):
        room.ask(*lines)
    lines[1] = line(1)
    second = room.ask(*lines, resume=True, limit=2)
    third = room.ask(*lines, resume=True)
    assert [(one.kept, one.done, one.failed) for one in (second, third)] == [(1, 2, 0), (3, 1, 0)]
    assert room.statuses == dict.fromkeys("0123", 200)
    assert room.seen == [f"Hello {number}" for number in range(4)]


def test_a_wrong_line_stops_everything_before_it_begins(room: Room) -> None:
    """Nothing is sent and no output is made; nor is the source ever taken for the output."""
    with pytest.raises(BadOption, match=r"in\.jsonl:2: custom_id is 'a', which line 1 has too"):
        room.ask(line("a"), line("a"))
    assert (room.sandbox.journal(), room.output.exists()) == ([], False)
    with pytest.raises(BadOption, match="the file of the questions"):
        Batch(room.source, room.source, resume=True)


def test_a_cancelled_batch_has_written_what_is_complete(room: Room) -> None:
    """And goes on from there."""
    room.sandbox.fault("openai", "slow_first_byte", delay_s=30, skip=3)
    room.source.write_text("\n".join(json.dumps(line(number)) for number in range(6)))

    async def main() -> None:
        with Batch(room.source, room.output) as batch:
            async with AsyncClient(settings=load(environ=room.environ)) as client:
                running = asyncio.create_task(batch.run(client, concurrency=2))
                while batch.tally.done < 3:
                    await asyncio.sleep(0.01)
                running.cancel()
                with pytest.raises(asyncio.CancelledError):
                    await running

    asyncio.run(main())
    assert room.statuses == dict.fromkeys("012", 200)
    room.sandbox.clear_faults()
    assert room.ask(resume=True).done == 3


def test_the_pace_is_that_of_each_service(room: Room) -> None:
    """Four questions to one take three times the pace; those to another do not wait for them."""
    began = time.monotonic()
    room.ask(*map(line, range(4)), *(line(n, model="reka/reka-core") for n in (4, 5)), pace_s=0.1)
    moments = [entry.at for entry in room.sandbox.journal(service="openai")]
    assert time.monotonic() - began >= 0.3
    assert list(room.answers)[-1] == "3"
    assert all(later - earlier > 0.08 for earlier, later in pairwise(moments))


def test_a_changed_source_ends_the_batch_with_one_error(room: Room) -> None:
    """Not with a group of them."""
    room.source.write_text("\n".join(json.dumps(line(number)) for number in range(3)))

    async def main() -> None:
        with Batch(room.source, room.output) as batch:
            room.source.write_text("\n" * room.source.stat().st_size)
            async with AsyncClient(settings=load(environ=room.environ)) as client:
                await batch.run(client)

    with pytest.raises(ConfigError, match="was changed while it was being asked"):
        asyncio.run(main())


def test_failures_are_counted_and_the_first_are_kept(room: Room) -> None:
    """All of one kind are known to be alike."""
    tally = room.ask(*(line(number, model="nobody/has-this") for number in range(30)))
    assert (tally.failed, len(tally.failures), tally.alike) == (30, 20, True)
    tally = room.ask(*(line(number, model=f"nobody/{number}") for number in range(2)), resume=True)
    assert (tally.failed, tally.alike) == (2, False)


def test_a_price_is_told_where_it_is_known(tmp_path: Path, sandbox: Sandbox) -> None:
    """Of what has none, only that it has none."""
    tally = Tally(3, 0)
    for cost in (None, 0.25, 0.5):
        tally.answer(Usage(input_tokens=1, output_tokens=2), cost)
    assert (tally.cost_usd, tally.unpriced, tally.input_tokens, tally.output_tokens) == (0.75, 1, 3, 6)


def test_two_thousand_lines_are_quick(room: Room) -> None:
    """Less than five seconds of work, sandbox included."""
    began = time.process_time()
    tally = room.ask(*map(line, range(2000)))
    assert (tally.done, time.process_time() - began < 5) == (2000, True)
    assert len(room.answers) == 2000
