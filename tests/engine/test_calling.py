"""engine/calling.py: a call beside chat is planned and handed on as a question is."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Callable
from typing import Any

import pytest

from polychat.engine.engine import Engine
from polychat.errors import BadRequest, IdleTimeout, PolychatError, RateLimited, Unavailable, UnsupportedFeature
from polychat.testing.bench import soon
from polychat.types import Drawing, Embedded, Utterance

EMBED, DRAW, SPEAK = "/v1/embeddings", "/v1/images/generations", "/v1/audio/speech"
VECTORS = "openai/text-embedding-3-small"


class Maker:
    """A service in place that makes vectors and sounds as it is told."""

    def __init__(self, inner: Any, *steps: Any) -> None:
        self.inner, self.info, self.steps = inner, inner.info, steps
        self.asked = self.closed = 0

    def chat(self, session: Any, request: Any) -> Any:
        return self.inner.chat(session, request)

    async def embed(self, session: Any, model: str, texts: Any, dimensions: Any) -> Embedded:
        """After its pauses, unless it is told to break."""
        self.asked += 1
        try:
            for step in self.steps:
                if isinstance(step, BaseException):
                    raise step
                await asyncio.sleep(step)
        finally:
            self.closed += 1
        return Embedded(vectors=((1.0,),), input_tokens=3)

    async def speak(self, session: Any, utterance: Utterance) -> AsyncGenerator[bytes]:
        """Pieces, pauses and what breaks it."""
        self.asked += 1
        try:
            for step in self.steps:
                if isinstance(step, BaseException):
                    raise step
                if isinstance(step, float):
                    await asyncio.sleep(step)
                else:
                    yield step
        finally:
            self.closed += 1


def maker(house: Any, name: str, *steps: Any, can: str = "embeddings") -> Maker:
    """Such a service at hand."""
    house.services[name] = made = Maker(house.add(name, capabilities=frozenset({"text", can})), *steps)
    return made


def smart(*targets: Any, **others: Any) -> dict[str, Any]:
    """A config with one routed name."""
    return {"models": {"smart": {"targets": list(targets)} | others}}


def embedded(**options: Any) -> Callable[[Engine], Any]:
    """Asks for one vector."""
    return lambda engine: engine.calls.embed(options.pop("model", "smart"), ["a"], **options)


def refused(**options: Any) -> Callable[[Engine], Any]:
    """The error of asking for one vector."""

    async def main(engine: Engine) -> PolychatError:
        with pytest.raises(PolychatError) as caught:
            await embedded(**options)(engine)
        return caught.value

    return main


async def spoken(engine: Engine, heard: list[bytes] | None = None, **options: Any) -> tuple[str, bytes]:
    """Who spoke, and what; `heard` also has what came before it broke."""
    pieces = [] if heard is None else heard
    async with await engine.calls.speak(Utterance(model="smart", text="Hi"), **options) as flow:
        async for piece in flow:
            pieces.append(piece)
    return flow.provider, b"".join(pieces)


# ---------------------------------------------------------------- whole


def test_a_limited_account_hands_over(house: Any) -> None:
    """To the next of the service, as a question does; one record tells of it."""
    house.sandbox.fault("openai", "status", code=429, retry_after="60", path=EMBED, times=1)
    made = house.run(embedded(model=VECTORS))
    assert (made.account, made.provider, made.model) == ("bob", "openai", "text-embedding-3-small")
    (record,) = house.book.records
    assert (record.account, record.attempts, record.outcome, record.kind) == ("bob", 2, "ok", "embeddings")


def test_the_services_trouble_leads_to_the_next_service(house: Any) -> None:
    """What it declines leads nowhere."""
    maker(house, "first", Unavailable("down"))
    second = maker(house, "second")
    config = smart("first/m", "second/m")
    assert house.run(embedded(), **config).provider == "second"
    house.services["first"].steps = (BadRequest("no"),)
    error = house.run(refused(), **config)
    assert (error.code, error.provider, second.asked) == ("bad_request", "first", 1)


def test_the_last_error_tells_of_those_before(house: Any) -> None:
    """And of its own service."""
    maker(house, "first", RateLimited("later"))
    maker(house, "second", Unavailable("down"))
    error = house.run(refused(), **smart("first/m", "second/m"))
    assert (error.provider, [(one.account, one.code) for one in error.attempts]) == (
        "second", [("anyone@first", "rate_limited")],
    )  # fmt: skip
    (record,) = house.book.records
    assert (record.provider, record.attempts, record.error) == ("second", 2, "unavailable")


def test_pictures_are_not_drawn_twice(house: Any) -> None:
    """After a 500 nobody is asked; after a 429 the next is."""
    house.sandbox.fault("openai", "status", code=500, path=DRAW, times=1)
    drawing = Drawing(model="openai/gpt-image-2", prompt="a fox", size="64x32")

    async def main(engine: Engine) -> tuple[str, Any]:
        with pytest.raises(Unavailable) as caught:
            await engine.calls.draw(drawing)
        house.sandbox.fault("openai", "status", code=429, retry_after="60", path=DRAW, times=1)
        return caught.value.account, await engine.calls.draw(drawing)

    account, drawn = house.run(main)
    assert (account, drawn.account) == ("alice", "bob")
    assert len(house.sandbox.journal(path=DRAW)) == 3


def test_one_clock_runs_over_all_attempts(house: Any) -> None:
    """The second gets what the first left of it."""
    maker(house, "first", 0.06, Unavailable("down"))
    second = maker(house, "second", 60.0)
    third = maker(house, "third")
    error = house.run(refused(waits={"total_s": 0.12}), **smart("first/m", "second/m", "third/m"))
    assert isinstance(error, IdleTimeout)
    assert (error.clock, error.provider, second.closed, third.asked) == ("total", "second", 1, 0)
    assert [one.provider for one in error.attempts] == ["first"]


def test_conditions_know_nothing_of_a_question(house: Any) -> None:
    """What rests on one is held as fulfilled; the rest counts."""
    first, second = maker(house, "first"), maker(house, "second")
    config = smart(
        {"model": "first/m", "when": "request.has_tools and running > 0"},
        {"model": "second/m", "when": "request.has_tools"},
    )
    assert house.run(embedded(), **config).provider == "second"
    assert (first.asked, second.asked) == (0, 1)


def test_who_cannot_is_not_asked(house: Any) -> None:
    """Where nobody can, it is told what of."""
    house.add("chats")
    maker(house, "makes")
    assert house.run(embedded(), **smart("chats/m", "makes/m")).provider == "makes"
    error = house.run(refused(), **smart("chats/m"))
    assert (type(error), error.message) == (UnsupportedFeature, "chats/m makes no embeddings")


def test_who_leaves_hangs_up(house: Any) -> None:
    """The service sees it, and the record says so."""
    house.sandbox.fault("openai", "slow_first_byte", delay_s=60.0, path=EMBED)

    async def main(engine: Engine) -> None:
        asking = asyncio.ensure_future(embedded(model=VECTORS)(engine))
        assert await soon(lambda: len(house.sandbox.journal(path=EMBED)) == 1)
        asking.cancel()
        with pytest.raises(asyncio.CancelledError):
            await asking
        assert await soon(lambda: house.sandbox.journal(path=EMBED)[0].ended == "client left")

    house.run(main)
    assert [record.outcome for record in house.book.records] == ["cancelled"]


# ---------------------------------------------------------------- piece by piece


def test_until_the_first_piece_the_next_may_be_asked(house: Any) -> None:
    """And nothing of the first comes through."""
    maker(house, "first", 0.01, Unavailable("down"), can="speech")
    maker(house, "second", b"one", b"two", can="speech")
    assert house.run(spoken, **smart("first/m", "second/m")) == ("second", b"onetwo")
    (record,) = house.book.records
    assert (record.provider, record.attempts, record.outcome) == ("second", 2, "ok")


def test_after_the_first_piece_nobody_else_is_asked(house: Any) -> None:
    """Two voices are never glued."""
    maker(house, "first", b"one", Unavailable("down"), can="speech")
    second = maker(house, "second", b"two", can="speech")
    heard: list[bytes] = []

    async def main(engine: Engine) -> None:
        with pytest.raises(Unavailable):
            await spoken(engine, heard)

    house.run(main, **smart("first/m", "second/m"))
    assert (heard, second.asked) == ([b"one"], 0)
    (record,) = house.book.records
    assert (record.provider, record.outcome, record.error) == ("first", "error", "unavailable")


def test_a_sound_over_http_is_had_from_the_next_account(house: Any) -> None:
    """The first is limited."""
    house.sandbox.fault("openai", "status", code=429, retry_after="60", path=SPEAK, times=1)

    async def main(engine: Engine) -> str:
        async with await engine.calls.speak(Utterance(model="openai/tts-1", text="Hi")) as flow:
            assert [piece async for piece in flow]
        return flow.account

    assert house.run(main) == "bob"


@pytest.mark.parametrize("steps", [(60.0,), (b"one", 60.0)])
def test_a_flow_ends_with_the_clock_of_the_whole(house: Any, steps: tuple[Any, ...]) -> None:
    """Before its first piece or after it; the service is left."""
    made = maker(house, "first", *steps, can="speech")

    async def main(engine: Engine) -> PolychatError:
        with pytest.raises(IdleTimeout) as caught:
            await spoken(engine, waits={"total_s": 0.05})
        return caught.value

    error = house.run(main, **smart("first/m"))
    assert (error.clock, error.provider, error.account, made.closed) == ("total", "first", "anyone@first", 1)


def test_a_silent_voice_may_be_overtaken(house: Any) -> None:
    """Where hedging is on; the record is of the one that spoke."""
    first = maker(house, "first", 60.0, can="speech")
    maker(house, "second", b"two", can="speech")
    config = smart("first/m", "second/m") | {"failover": {"hedge_after_s": 0.02}}
    assert house.run(spoken, **config) == ("second", b"two")
    assert first.closed == 1
    (record,) = house.book.records
    assert (record.provider, record.outcome) == ("second", "ok")
