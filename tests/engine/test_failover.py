"""engine/failover.py through a real engine and a real sandbox: who is asked after whom, and when nobody is."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from typing import Any

import pytest

from polychat.engine.engine import Engine
from polychat.engine.failover import may_go_on
from polychat.errors import (
    AuthExpired,
    BadOption,
    BadRequest,
    ConnectFailed,
    FormatChanged,
    IdleTimeout,
    Interrupted,
    NoAccount,
    Overloaded,
    PolychatError,
    RateLimited,
    Refused,
    Unavailable,
    UnknownModel,
    UnsupportedFeature,
)
from polychat.types import (
    File,
    Finish,
    QuotaSeen,
    Reply,
    TextDelta,
    Thread,
    ThreadMoved,
    Title,
    Tool,
)

BOTH = {"models": {"smart": {"targets": ["openai/gpt-4o-mini", "anthropic/claude-haiku-4-5-20251001"]}}}
PDF = File(data=b"%PDF-1.7 and more", name="a.pdf")
DONE = [TextDelta(text="Done."), Finish(reason="stop")]


def tried(said: Any) -> list[str]:
    """The accounts that were asked, in order."""
    return [*(one.account for one in said.attempts), said.account]


def attempts(said: Any) -> list[tuple[str, str]]:
    """Who was asked before, and what it came to."""
    return [(one.account, one.code) for one in said.attempts]


# ---------------------------------------------------------------- whose trouble it is


def test_a_limited_account_hands_over_to_the_next_of_the_service(house: Any) -> None:
    """And the answer knows of it."""
    house.status("openai", 429, retry_after="60", times=1)
    turn, words = house.run(lambda engine: house.answer(engine, house.openai))
    assert (tried(turn), house.asked()) == (["alice", "bob"], ["openai", "openai"])
    assert words.startswith("You asked")
    (attempt,) = turn.attempts
    assert (attempt.provider, attempt.model, attempt.account, attempt.code) == (
        "openai", "gpt-4o-mini", "alice", "rate_limited",
    )  # fmt: skip
    assert attempt.seconds >= 0.0
    assert "429" in attempt.message


@pytest.mark.parametrize("code", [401, 402, 403, 429])
def test_every_trouble_of_an_account_is_its_own(house: Any, code: int) -> None:
    """The next account answers, then the next service."""
    house.status("openai", code, times=2)
    turn, _ = house.run(lambda engine: house.answer(engine, "smart"), **BOTH)
    assert (tried(turn), house.asked()) == (["alice", "bob", "carol"], ["openai", "openai", "anthropic"])


@pytest.mark.parametrize("code", [500, 502, 503, 529])
def test_the_services_own_trouble_is_that_of_all_its_accounts(house: Any, code: int) -> None:
    """The other account is not asked, the other service is."""
    house.status("openai", code)
    turn, _ = house.run(lambda engine: house.answer(engine, "smart"), **BOTH)
    assert (tried(turn), house.asked()) == (["alice", "carol"], ["openai", "anthropic"])


def test_another_model_of_an_ailing_service_may_be_well(house: Any) -> None:
    """It is asked, with the first account."""
    house.status("openai", 500, times=1)
    config = {"models": {"two": {"targets": ["openai/gpt-4o-mini", "openai/gpt-4o"]}}}
    turn, _ = house.run(lambda engine: house.answer(engine, "two"), **config)
    assert (turn.model, tried(turn), len(house.asked())) == ("gpt-4o", ["alice", "alice"], 2)


def test_a_service_that_cannot_be_reached_is_skipped_as_a_whole(house: Any, closed_port: int) -> None:
    """With all its accounts and models."""
    dead = house.add("dead", hosts={"api": f"http://127.0.0.1:{closed_port}/v1"})
    from polychat.providers.openai_compatible import custom

    house.services["dead"] = custom(dead.info.hosts["api"], name="dead")
    config = {"models": {"smart": {"targets": ["dead/a", "dead/b", house.openai]}}}
    turn, _ = house.run(lambda engine: house.answer(engine, "smart"), **config)
    assert attempts(turn) == [("anyone@dead", "connect_failed")]
    assert turn.account == "alice"


@pytest.mark.parametrize(
    ("details", "kind"),
    [({"code": 400}, BadRequest), ({"code": 413}, PolychatError), ({"code": 422}, BadRequest)],
)
def test_what_a_service_declines_is_declined(house: Any, details: dict[str, Any], kind: type[PolychatError]) -> None:
    """Nobody else is asked: the answer would be the same."""
    house.status("openai", **details)
    error = house.run(lambda engine: house.failure(engine, "smart"), **BOTH)
    assert isinstance(error, kind)
    assert (house.asked(), tried(error)) == (["openai"], ["alice"])


def test_what_the_caller_has_to_change_stops_everything(house: Any) -> None:
    """A wrong option that only the service's own file knows of."""
    first = house.add("first", BadOption("x is y", field="x"))
    house.add("second", DONE)
    config = {"models": {"smart": {"targets": ["first/m", "second/m"]}}}
    error = house.run(lambda engine: house.failure(engine, "smart"), **config)
    assert (error.code, error.field, first.asked, house.services["second"].asked) == ("bad_option", "x", 1, 0)


def test_when_all_fail_the_last_error_tells_of_those_before(house: Any) -> None:
    """In the order of asking."""
    house.status("openai", 429)
    house.status("anthropic", 500)
    error = house.run(lambda engine: house.failure(engine, "smart"), **BOTH)
    assert (error.provider, error.code) == ("anthropic", "unavailable")
    assert attempts(error) == [("alice", "rate_limited"), ("bob", "rate_limited")]


def test_a_mistake_of_ours_is_no_reason_to_ask_elsewhere(house: Any) -> None:
    """It is raised as it is; nothing stays behind."""
    house.add("first", ZeroDivisionError("ours"))
    second = house.add("second", DONE)
    config = {"models": {"smart": {"targets": ["first/m", "second/m"]}}}

    async def main(engine: Engine) -> None:
        for _ in range(3):
            with pytest.raises(ZeroDivisionError):
                await engine.ask(house.question("smart"))

    house.run(main, **config)
    assert (second.asked, house.services["first"].closed) == (0, 3)
    assert [record.error for record in house.book.records] == ["internal_error"] * 3


# ---------------------------------------------------------------- before and after the first content


@pytest.mark.parametrize("fault", ["cut_frame", "drop", "malformed_frame"])
def test_after_the_first_content_nobody_else_is_asked(house: Any, fault: str) -> None:
    """The part that came is kept, and nothing is glued to it."""
    house.fault("openai", fault, after=4)
    house.sandbox.script("openai", chunks=["One ", "two ", "three ", "four ", "five "])
    house.sandbox.script("anthropic", text="Another answer.")
    heard: list[str] = []

    async def main(engine: Engine) -> PolychatError:
        turn = await engine.ask(house.question("smart"))

        async def read() -> None:
            async for batch in turn:
                heard.extend(event.text for event in batch if isinstance(event, TextDelta))

        with pytest.raises(Interrupted) as caught:
            await read()
        return caught.value

    error = house.run(main, **BOTH)
    assert error.partial is not None
    assert heard
    assert "".join(heard) == error.partial.text
    assert "One two three four five ".startswith(error.partial.text)
    assert (house.asked(), tried(error)) == (["openai"], ["alice"])


def test_where_nobody_reads_along_it_is_the_same(house: Any) -> None:
    """A document that breaks off is nothing, and the next answers; content that came stops everything."""
    house.fault("openai", "cut_frame", after=0, times=1)
    first = house.add("first", [TextDelta(text="Half ")], Interrupted("cut"))
    config = {"models": BOTH["models"] | {"own": {"targets": ["first/m", house.openai]}}}

    async def main(engine: Engine) -> tuple[Any, PolychatError]:
        turn, _ = await house.answer(engine, "smart", stream=False)
        return turn, await house.failure(engine, "own", stream=False)

    turn, error = house.run(main, **config)
    assert attempts(turn) == [("alice", "interrupted")]
    assert (error.code, error.partial.text, first.asked) == ("interrupted", "Half ", 1)
    assert len(house.asked()) == 2


def test_notices_alone_do_not_bind(house: Any) -> None:
    """What breaks off after them is asked elsewhere, and none of its events comes through."""
    thread = Thread(provider="first", id="t1")
    first = house.add(
        "first", [Title(title="Mine")], [ThreadMoved(thread=thread), QuotaSeen(feature="f", remaining=1)],
        Interrupted("cut"),
    )  # fmt: skip
    config = {"models": {"smart": {"targets": ["first/m", house.openai]}}}

    async def main(engine: Engine) -> tuple[Any, list[Any], Reply]:
        async with await engine.ask(house.question("smart")) as turn:
            events = [event async for batch in turn for event in batch]
            return turn, events, turn.so_far

    turn, events, reply = house.run(main, **config)
    assert (attempts(turn), turn.provider, first.closed) == ([("anyone@first", "interrupted")], "openai", 1)
    assert not any(isinstance(event, Title | QuotaSeen) for event in events)
    assert (reply.title, reply.thread.provider, reply.thread.id) == (None, "openai", None)


def test_notices_come_before_the_content_they_came_before(house: Any) -> None:
    """Nothing is lost or moved by waiting for it."""
    house.add("first", [Title(title="Mine")], [], [TextDelta(text="A")], [TextDelta(text="B"), Finish(reason="stop")])
    config = {"models": {"smart": {"targets": ["first/m", house.openai]}}}

    async def main(engine: Engine) -> list[Any]:
        async with await engine.ask(house.question("smart")) as turn:
            return [event async for batch in turn for event in batch if not isinstance(event, ThreadMoved)]

    assert house.run(main, **config) == [
        Title(title="Mine"), TextDelta(text="A"), TextDelta(text="B"), Finish(reason="stop"),
    ]  # fmt: skip


def test_the_last_one_is_heard_from_its_first_notice_on(house: Any) -> None:
    """Nobody is left to ask, so nothing is held back."""
    house.add("only", [Title(title="Mine")], 30.0)

    async def main(engine: Engine) -> Any:
        async with asyncio.timeout(5), await engine.ask(house.question("only/m")) as turn:
            return await anext(turn)

    assert house.run(main) == [Title(title="Mine")]


# ---------------------------------------------------------------- what may do something twice

BINDING = {
    "tools": {"tools": (Tool(name="t"),)},
    "pictures": {"modalities": ("text", "image")},
    "thread": {"thread": Thread(provider="first", id="t1")},
    "files": {"parts": (PDF,)},
}


ALL = frozenset({"text", "stream", "system", "tools", "threads", "image_out", "file_in"})


@pytest.mark.parametrize("what", BINDING)
@pytest.mark.parametrize(
    ("error", "repeated"),
    [
        (Unavailable("down"), False),
        (FormatChanged("new"), False),
        (Interrupted("cut"), False),
        (IdleTimeout("silent", clock="first_event"), False),
        (RateLimited("later"), True),
        (AuthExpired("who?"), True),
        (Overloaded("busy"), True),
        (Unavailable("down", retry_after_s=1.0), True),
        (IdleTimeout("full", clock="pool"), True),
    ],
    ids=lambda value: f"{value.code}{'-later' if value.retry_after_s else ''}" if isinstance(value, Exception) else "",
)
def test_what_binds_is_asked_again_only_where_nothing_was_done(
    house: Any, what: str, error: PolychatError, repeated: bool
) -> None:
    """Tools, pictures, a kept conversation, files that a service keeps; the thread by another model of its service."""
    first = house.add("first", error, capabilities=ALL)
    second = house.add("second", DONE, capabilities=ALL)
    config = {"models": {"smart": {"targets": ["first/a", "first/b", "second/m"]}}}

    async def main(engine: Engine) -> None:
        with suppress(PolychatError):
            await house.answer(engine, "smart", **BINDING[what])

    house.run(main, **config)
    assert (first.asked + second.asked > 1) is repeated
    assert second.asked == (repeated and what != "thread")


def test_the_same_without_any_of_it_is_asked_again(house: Any) -> None:
    """Files too, where the service keeps none."""
    house.add("first", Unavailable("down"), capabilities=ALL - {"threads"})
    house.add("second", DONE, capabilities=ALL)
    config = {"models": {"smart": {"targets": ["first/a", "second/m"]}}}

    async def main(engine: Engine) -> list[str]:
        return [(await house.answer(engine, "smart", **given))[0].provider for given in ({}, {"parts": (PDF,)})]

    assert house.run(main, **config) == ["second", "second"]


def test_each_of_those_asked_is_judged_by_itself(house: Any) -> None:
    """The first keeps no files and the second does: after the second nobody is asked."""
    house.add("first", Unavailable("down"), capabilities=ALL - {"threads"})
    house.add("second", Unavailable("down"), capabilities=ALL)
    third = house.add("third", DONE, capabilities=ALL)
    config = {"models": {"smart": {"targets": ["first/a", "second/b", "third/c"]}}}
    error = house.run(lambda engine: house.failure(engine, "smart", parts=(PDF,)), **config)
    assert (error.provider, attempts(error), third.asked) == ("second", [("anyone@first", "unavailable")], 0)


def test_tools_are_not_asked_twice_of_a_service_that_failed(house: Any) -> None:
    """Over HTTP: a 500 says nothing of what was done, a 429 does."""
    tools = (Tool(name="t"),)
    house.status("openai", 500, times=1)

    async def main(engine: Engine) -> PolychatError:
        return await house.failure(engine, "smart", tools=tools)

    error = house.run(main, **BOTH)
    assert (error.code, tried(error), house.asked()) == ("unavailable", ["alice"], ["openai"])
    house.status("openai", 429, times=1)
    turn, _ = house.run(lambda engine: house.answer(engine, "smart", tools=tools), **BOTH)
    assert (tried(turn), house.asked()[1:]) == (["alice", "bob"], ["openai", "openai"])


# ---------------------------------------------------------------- the rule by itself


@pytest.mark.parametrize(
    ("error", "free", "binding"),
    [
        (RateLimited(""), True, True), (AuthExpired(""), True, True), (Overloaded(""), True, True),
        (ConnectFailed(""), True, True), (IdleTimeout("", clock="connect"), True, True),
        (IdleTimeout("", clock="pool"), True, True), (Unavailable("", retry_after_s=0.0), True, True),
        (Unavailable(""), True, False), (FormatChanged(""), True, False), (Interrupted(""), True, False),
        (IdleTimeout("", clock="first_event"), True, False), (IdleTimeout("", clock="between_events"), True, False),
        (IdleTimeout("", clock="total"), False, False), (BadRequest(""), False, False), (Refused(""), False, False),
        (BadOption(""), False, False), (UnsupportedFeature(""), False, False), (NoAccount(""), True, True),
        (UnknownModel(""), True, True), (RateLimited("", partial=Reply(text="a")), False, False),
        (Interrupted("", partial=Reply(title="a")), True, False),
    ],
    ids=lambda value: value.code if isinstance(value, PolychatError) else "",
)  # fmt: skip
def test_what_an_error_says_is_to_be_done(error: PolychatError, free: bool, binding: bool) -> None:
    """By its class, never by its words."""
    assert (may_go_on(error, binding=False), may_go_on(error, binding=True)) == (free, binding)
