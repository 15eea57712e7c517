"""engine/chats.py: a question on its way, put to each as that one takes it, and explained without being put."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from polychat.engine.engine import Engine
from polychat.errors import BadOption, IdleTimeout, PolychatError, RateLimited, Unavailable, UnknownModel
from polychat.testing.bench import picture
from polychat.types import Drawing, Finish, Image, Request, Text, TextDelta, Thread, Tool

DONE = [TextDelta(text="Done."), Finish(reason="stop")]
ALL = frozenset({"text", "stream", "system", "image_in", "threads"})


def smart(*targets: Any, **others: Any) -> dict[str, Any]:
    """A config with one routed name."""
    return {"models": {"smart": {"targets": list(targets)} | others}}


class Noting:
    """A service in place that notes what it was asked, and breaks as told."""

    def __init__(self, inner: Any) -> None:
        self.inner, self.info = inner, inner.info
        self.requests: list[Request] = []

    def chat(self, session: Any, request: Request) -> Any:
        self.requests.append(request)
        return self.inner.chat(session, request)


def noting(house: Any, name: str, *steps: Any, **facts: Any) -> Noting:
    """Such a service at hand."""
    house.services[name] = made = Noting(house.add(name, *steps, **facts))
    return made


# ---------------------------------------------------------------- as each takes it


def test_each_is_asked_under_its_own_name_of_the_model(house: Any) -> None:
    """And the question is otherwise the caller's."""
    first = noting(house, "first", Unavailable("down"))
    second = noting(house, "second", DONE)
    house.run(lambda engine: house.answer(engine, "smart", text="Hi"), **smart("first/a", "second/b"))
    assert [request.model for request in (*first.requests, *second.requests)] == ["a", "b"]
    assert first.requests[0].messages == second.requests[0].messages


def test_tools_go_in_words_where_the_target_says_so(house: Any) -> None:
    """The next one takes them as they are."""
    first = noting(house, "first", RateLimited("later"), capabilities=frozenset({"text", "system"}))
    second = noting(house, "second", DONE)
    config = smart("first/a?tools=emulate", "second/b")
    house.run(lambda engine: house.answer(engine, "smart", tools=(Tool(name="look"),)), **config)
    assert (first.requests[0].tools, [tool.name for tool in second.requests[0].tools]) == ((), ["look"])


def test_a_picture_by_its_address_is_fetched_for_who_wants_bytes(house: Any) -> None:
    """Once, whoever is asked; who takes addresses gets the address."""
    takes = noting(house, "takes", Unavailable("down"), capabilities=ALL - {"threads"} | {"remote_media"})
    wants = noting(house, "wants", Unavailable("down"), capabilities=ALL - {"threads"})
    last = noting(house, "last", DONE, capabilities=ALL - {"threads"})

    async def main(engine: Engine) -> str:
        drawn = await engine.calls.draw(Drawing(model="openai/dall-e-3", prompt="a fox", linked=True))
        url = drawn.value.images[0].url.replace(house.sandbox.foreign_url, house.sandbox.url)
        await house.answer(engine, "smart", parts=(Image(url=url),))
        return url

    url = house.run(main, **smart("takes/a", "wants/b", "last/c"))
    images = [service.requests[0].messages[0].attachments[0] for service in (takes, wants, last)]
    assert (images[0].url, images[0].data) == (url, None)
    assert images[1].data is not None
    assert images[1] == images[2]
    fetched = [entry for entry in house.sandbox.journal() if entry.method == "GET"]
    assert len(fetched) == 2  # by the drawing itself, and for the question


def test_a_file_that_cannot_be_fetched_is_no_services_trouble(house: Any) -> None:
    """Nobody else is asked for it, and nobody is blamed."""
    first = noting(house, "first", DONE, capabilities=ALL)
    second = noting(house, "second", DONE, capabilities=ALL)
    link = Image(url=f"{house.sandbox.url}/openai/pictures/a.png")
    house.sandbox.fault("openai", "close", path="/pictures/*")
    error = house.run(lambda engine: house.failure(engine, "smart", parts=(link,)), **smart("first/a", "second/b"))
    assert (type(error), error.attempts, first.requests, second.requests) == (BadOption, (), [], [])
    assert error.message.startswith("a file named by its URL cannot be fetched: ")


# ---------------------------------------------------------------- conversations


def test_a_conversation_without_a_keeper_goes_along_with_the_answer(house: Any) -> None:
    """It is bound to who answered, and continues there."""
    house.status("openai", 429, retry_after="60", times=1)

    async def main(engine: Engine) -> tuple[Thread, str, str]:
        async with await engine.ask(house.question(house.openai, "First")) as turn:
            thread = (await turn.reply()).thread
        answered, words = await house.answer(engine, "smart", text="Second", thread=thread)
        return thread, answered.account, words

    thread, account, words = house.run(main, **smart(house.anthropic, house.openai))
    assert (thread.provider, thread.account, account) == ("openai", "bob", "bob")
    assert "user “First”" in words


def test_a_conversation_is_not_continued_elsewhere(house: Any) -> None:
    """Neither at another service nor by another account."""
    thread = Thread(provider="openai", account="bob")

    async def main(engine: Engine) -> list[PolychatError]:
        return [
            await house.failure(engine, house.anthropic, thread=thread, provider="anthropic"),
            await house.failure(engine, house.openai, thread=thread, account="alice"),
        ]

    service, account = house.run(main)
    assert [(type(error), error.message) for error in (service, account)] == [
        (BadOption, "this conversation is with openai, not anthropic"),
        (BadOption, "this conversation is of account 'bob', not 'alice'"),
    ]
    assert house.asked() == []


# ---------------------------------------------------------------- clocks


@pytest.mark.parametrize(
    ("fault", "waits", "clock"),
    [
        (("slow_first_byte", {"delay_s": 60.0}), {"first_event_s": 0.1}, "first_event"),
        (("slow_first_byte", {"delay_s": 60.0}), {"total_s": 0.1}, "total"),
    ],
)
def test_a_question_may_set_its_clocks(house: Any, fault: Any, waits: dict[str, float], clock: str) -> None:
    """Those of the settings hold for the others."""
    house.people = ["alice"]
    house.fault("openai", fault[0], **fault[1])
    error = house.run(lambda engine: house.failure(engine, house.openai, waits=waits))
    assert isinstance(error, IdleTimeout)
    assert error.clock == clock


def test_the_clocks_of_the_settings_hold_where_the_question_sets_none(house: Any) -> None:
    """Those of questions, not those of pictures."""
    house.people = ["alice"]
    house.fault("openai", "slow_first_byte", delay_s=60.0)
    config = {"clocks": {"first_event_s": 0.1, "drawing": {"first_event_s": 60}}}
    assert house.run(lambda engine: house.failure(engine, house.openai), **config).clock == "first_event"


# ---------------------------------------------------------------- what is written down


def test_one_question_is_one_record_whoever_was_asked(house: Any) -> None:
    """With the one that answered, and how many were asked."""
    house.status("openai", 429, times=2)

    async def ask(engine: Engine) -> None:
        async with await engine.ask(house.question("smart"), key="team") as turn:
            await turn.reply()

    house.run(ask, **smart(house.openai, house.anthropic))
    (record,) = house.book.records
    assert (record.wanted, record.key, record.provider, record.account) == ("smart", "team", "anthropic", "carol")
    assert (record.attempts, record.outcome, record.error) == (3, "ok", None)


def test_one_that_nobody_answered_is_one_record_too(house: Any) -> None:
    """Of the last one, with its error; one that was refused unasked names nobody."""
    house.status("openai", 500)

    async def main(engine: Engine) -> None:
        await house.failure(engine, house.openai)
        await house.failure(engine, "nowhere")

    house.run(main)
    assert [(one.provider, one.account, one.outcome, one.error) for one in house.book.records] == [
        ("openai", "alice", "error", "unavailable"), (None, None, "error", "unknown_model"),
    ]  # fmt: skip


# ---------------------------------------------------------------- explained


def test_explaining_sends_and_writes_nothing(house: Any) -> None:
    """And says the same as asking would do."""

    async def main(engine: Engine) -> list[Any]:
        return await engine.chats.explain(house.question("smart"), provider=None, account=None)

    considered = house.run(main, **smart(house.anthropic, house.openai))
    assert [(one.verdict, one.account, one.place) for one in considered] == [
        ("in", "carol", "models.smart.targets[0]"),
        ("in", "alice", "models.smart.targets[1]"),
        ("in", "bob", "models.smart.targets[1]"),
    ]
    assert (house.sandbox.journal(), house.book.records) == ([], [])


def test_explaining_knows_the_same_limits_as_asking(house: Any) -> None:
    """Service, account, conversation, and what is asked."""
    config = smart(house.anthropic, house.openai)

    async def main(engine: Engine) -> list[list[str]]:
        chats, question = engine.chats, house.question
        thread = Thread(provider="openai", account="bob")
        found = [
            await chats.explain(question("smart"), provider="anthropic"),
            await chats.explain(question("smart"), account="bob"),
            await chats.explain(question("smart", thread=thread)),
            await chats.explain(question("smart", parts=(picture(), Text(text="?")))),
        ]
        return [[one.account for one in considered if one.verdict == "in"] for considered in found]

    assert house.run(main, **config) == [["carol"], ["bob"], ["bob"], ["carol", "alice", "bob"]]


def test_a_plain_model_is_explained_too(house: Any) -> None:
    """It has no place in the config; a name that leads nowhere at all is an error."""

    async def main(engine: Engine) -> list[Any]:
        with pytest.raises(UnknownModel):
            await engine.chats.explain(house.question("nowhere"))
        return await engine.chats.explain(house.question(house.openai))

    assert [(one.account, one.place) for one in house.run(main)] == [("alice", None), ("bob", None)]


def test_many_questions_at_once_keep_to_their_own(house: Any) -> None:
    """Each has its attempts, its answer and its account."""
    house.status("openai", 429, times=4, retry_after="0.01")

    async def main(engine: Engine) -> list[str]:
        asked = (house.answer(engine, "smart", text=f"Number {number}") for number in range(12))
        return [words for _, words in await asyncio.gather(*asked)]

    answers = house.run(main, **smart(house.openai, house.anthropic))
    assert [f"“Number {number}”" in words for number, words in enumerate(answers)] == [True] * 12
