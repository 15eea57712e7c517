"""engine/planning.py through a real engine: who may be asked, in which order, and why each is in or out."""

from __future__ import annotations

from typing import Any

import pytest

from polychat.engine import health
from polychat.engine.engine import Engine
from polychat.engine.planning import Considered
from polychat.errors import NoAccount, RateLimited, Unavailable, UnknownModel, UnsupportedFeature
from polychat.types import Finish, TextDelta, Tool

DONE = [TextDelta(text="Done."), Finish(reason="stop")]


def smart(*targets: Any, **others: Any) -> dict[str, Any]:
    """A config with one routed name."""
    return {"models": {"smart": {"targets": list(targets)} | others}}


def short(considered: list[Considered]) -> list[str]:
    """In or out, model and account."""
    return [f"{one.verdict} {one.model} {one.account or '-'}" for one in considered]


def told(house: Any, model: str = "smart", act: Any = None, *, given: Any = None, **settings: Any) -> list[Considered]:
    """What is thought of everybody, after `act`."""

    async def main(engine: Engine) -> list[Considered]:
        if act is not None:
            await act(engine)
        return await engine.chats.explain(house.question(model, **(given or {})))

    return house.run(main, **settings)


async def limited(house: Any, engine: Engine, account: str = "alice", **details: Any) -> None:
    """That account meets a rate limit."""
    house.status("openai", 429, times=1, **({"retry_after": "60"} | details))
    await house.failure(engine, house.openai, account=account)


# ---------------------------------------------------------------- order


def test_every_account_of_every_target_is_a_candidate(house: Any) -> None:
    """In the order of the targets, the first account of each first; nothing is sent."""
    considered = told(house, **smart(house.anthropic, house.openai))
    assert short(considered) == [
        "in anthropic/claude-haiku-4-5-20251001 carol", "in openai/gpt-4o-mini alice", "in openai/gpt-4o-mini bob",
    ]  # fmt: skip
    assert {(one.why, one.place) for one in considered} == {
        ("may be asked", "models.smart.targets[0]"), ("may be asked", "models.smart.targets[1]"),
    }  # fmt: skip
    assert house.journal() == []
    assert house.book.records == []


def test_the_persons_default_account_is_asked_first(house: Any) -> None:
    """The others of the service after it."""
    assert short(told(house, house.openai, accounts={"openai": "bob"})) == [
        "in openai/gpt-4o-mini bob", "in openai/gpt-4o-mini alice",
    ]  # fmt: skip


def test_nobody_is_a_candidate_twice(house: Any) -> None:
    """However many targets lead there, the first counts."""
    config = smart("alice/gpt-4o-mini", "openai/gpt-4o-mini", "mini", house.openai + "?tools=emulate")
    config["models"]["mini"] = "openai/gpt-4o-mini"
    considered = told(house, **config)
    assert short(considered) == ["in openai/gpt-4o-mini alice", "in openai/gpt-4o-mini bob"]
    assert [one.place for one in considered] == ["models.smart.targets[0]", "models.smart.targets[1]"]


def test_nobody_is_asked_twice(house: Any) -> None:
    """Over HTTP."""
    house.status("openai", 429, retry_after="60")
    config = smart("alice/gpt-4o-mini", "openai/gpt-4o-mini", "bob/gpt-4o-mini")
    error = house.run(lambda engine: house.failure(engine, "smart"), **config)
    assert ([one.account for one in error.attempts], error.account, len(house.asked())) == (["alice"], "bob", 2)


def test_busy_accounts_come_after_free_ones_and_before_a_last_resort(house: Any) -> None:
    """Whatever the order of the targets."""
    house.fault("openai", "stall", after=4, times=1)
    house.status("anthropic", 401, times=1)

    async def main(engine: Engine) -> list[Considered]:
        await house.failure(engine, house.anthropic)
        async with await engine.ask(house.question(house.openai)):
            return await engine.chats.explain(house.question("smart"))

    config = smart(house.anthropic, house.openai, house.reka) | {"concurrency": {"alice": 1}}
    considered = house.run(main, **config)
    assert [(one.account, one.verdict, one.why) for one in considered] == [
        ("bob", "in", "may be asked"),
        ("dave", "in", "may be asked"),
        ("alice", "in", "busy; waits for a free place"),
        ("carol", "last", "needs a sign-in or met a challenge; asked when nobody else is left"),
    ]


def test_whose_wait_is_over_is_tried_in_its_targets_turn(house: Any) -> None:
    """Among accounts it comes last, but a target that is preferred is so again."""

    async def over(engine: Engine) -> None:
        await limited(house, engine)
        house.later(61.0)

    considered = told(house, act=over, **smart(house.openai, house.anthropic))
    assert [(one.account, one.why) for one in considered] == [
        ("bob", "may be asked"), ("alice", "its wait is over; one question tries"), ("carol", "may be asked"),
    ]  # fmt: skip


def test_a_preferred_service_is_asked_again_once_its_wait_is_over(house: Any) -> None:
    """And its answer ends the matter."""
    house.people = ["alice", "carol"]

    async def main(engine: Engine) -> list[str]:
        await limited(house, engine)
        first = await house.whom(engine, "smart")
        house.later(61.0)
        return [first, await house.whom(engine, "smart"), await house.whom(engine, "smart")]

    assert house.run(main, **smart(house.openai, house.anthropic)) == ["carol", "alice", "alice"]


# ---------------------------------------------------------------- who is out


def test_who_was_told_to_wait_is_out_with_the_reason(house: Any) -> None:
    """And so is who is paused."""

    async def act(engine: Engine) -> None:
        await limited(house, engine)
        (bob,) = [entry for entry in engine.vault.entries("openai") if entry.name == "bob"]
        engine.register.change(bob, health.paused)

    considered = told(house, act=act, **smart(house.openai, house.anthropic))
    assert short(considered) == [
        "in anthropic/claude-haiku-4-5-20251001 carol", "out openai/gpt-4o-mini alice", "out openai/gpt-4o-mini bob",
    ]  # fmt: skip
    assert considered[1].why.startswith("the openai account 'alice' is cooling down after a rate limit")
    assert considered[2].why == "the openai account 'bob' is paused"


def test_who_cannot_do_what_is_asked_is_out(house: Any) -> None:
    """With the feature, and without an account."""
    given = {"tools": (Tool(name="t"),)}
    considered = told(house, given=given, **smart(house.reka, house.openai))
    assert [(one.verdict, one.account, one.why) for one in considered] == [
        ("in", "alice", "may be asked"),
        ("in", "bob", "may be asked"),
        ("out", None, "reka/reka-core does not take tools"),
    ]


def test_a_service_without_an_account_and_a_model_that_is_none_are_out(house: Any) -> None:
    """The place in the config says which is meant."""
    considered = told(house, **smart("gemini/gemini-3-flash", "reka/nonsense", "nowhere", house.openai))
    assert [(one.verdict, one.model, one.place) for one in considered[2:]] == [
        ("out", "gemini/gemini-3-flash", "models.smart.targets[0]"),
        ("out", "reka/nonsense", "models.smart.targets[1]"),
        ("out", "nowhere", "models.smart.targets[2]"),
    ]
    assert [one.why for one in considered[2:]] == [
        "there is no Gemini API account", "there is no model 'reka/nonsense'", "there is no model 'nowhere'",
    ]  # fmt: skip


def test_one_reason_is_told_once(house: Any) -> None:
    """Where two targets lead to the same account that is out."""

    async def act(engine: Engine) -> None:
        await limited(house, engine)

    considered = told(house, act=act, **smart("alice/gpt-4o-mini", house.openai))
    assert short(considered) == ["in openai/gpt-4o-mini bob", "out openai/gpt-4o-mini alice"]


# ---------------------------------------------------------------- conditions


@pytest.mark.parametrize(
    ("when", "expected"),
    [
        ("request.has_tools", "carol"),
        ("not request.has_tools", "alice"),
        ("account == 'bob'", "bob"),
        ("provider == 'openai' and model == 'gpt-4o-mini' and health == 'ok'", "alice"),
        ("running > 0", "carol"),
        ("context_tokens >= 128000", "alice"),
        ("price.input < 0", "carol"),
        ("request.characters == 5 and request.messages == 1 and request.streams", "alice"),
        ("quota.remaining > 1000000", "alice"),
        ("first_event_s < 0", "alice"),
        ("quota.remaining > 5 and request.has_tools", "carol"),
        ("asked_1h == 0 and errors_1h == 0", "alice"),
    ],
)
def test_a_condition_that_does_not_hold_takes_its_target_out(house: Any, when: str, expected: str) -> None:
    """True is in, false is out, and what nobody knows is in."""
    config = smart({"model": house.openai, "when": when}, house.anthropic)
    assert house.run(lambda engine: house.whom(engine, "smart"), **config) == expected


def test_the_reason_names_condition_and_values(house: Any) -> None:
    """By account, for values differ by account."""

    async def act(engine: Engine) -> None:
        house.fault("openai", "drop", after=0, times=2)
        for _ in range(2):
            await house.failure(engine, house.openai, account="alice")

    config = smart({"model": house.openai, "when": "errors_1h < 2 or quota.share > 0.5"}, house.anthropic)
    considered = told(house, act=act, **config)
    assert short(considered) == [
        "in openai/gpt-4o-mini alice", "in openai/gpt-4o-mini bob", "in anthropic/claude-haiku-4-5-20251001 carol",
    ]  # fmt: skip
    config = smart({"model": house.openai, "when": "errors_1h < 2 and running == 0"}, house.anthropic)
    (*_, out) = told(house, act=act, **config)
    assert (out.account, out.verdict, out.place) == ("alice", "out", "models.smart.targets[0]")
    assert out.why == ("its condition does not hold: errors_1h < 2 and running == 0, and errors_1h is 2, running is 0")


def test_conditions_of_all_the_way_have_to_hold(house: Any) -> None:
    """Those of the outer name too."""
    config = {"models": {
        "smart": {"targets": [{"model": "inner", "when": "request.has_tools"}, house.anthropic]},
        "inner": {"targets": [{"model": house.openai, "when": "running == 0"}]},
    }}  # fmt: skip
    considered = told(house, **config)
    assert short(considered)[0] == "in anthropic/claude-haiku-4-5-20251001 carol"
    assert considered[1].why == ("its condition does not hold: request.has_tools, and request.has_tools is false")


def test_a_last_resort_without_its_condition_is_asked_last(house: Any) -> None:
    """The same model may stand twice: with a condition, and after all others without."""
    config = smart({"model": house.openai, "when": "request.has_tools"}, house.anthropic, house.openai)
    assert short(told(house, **config)) == [
        "in anthropic/claude-haiku-4-5-20251001 carol", "in openai/gpt-4o-mini alice", "in openai/gpt-4o-mini bob",
        "out openai/gpt-4o-mini alice", "out openai/gpt-4o-mini bob",
    ]  # fmt: skip


# ---------------------------------------------------------------- nobody


def test_when_everybody_is_out_the_nearest_says_so_and_names_the_others(house: Any) -> None:
    """A wait is nearer than a missing account, the shortest wait the nearest."""

    async def main(engine: Engine) -> Any:
        await limited(house, engine, "alice", retry_after="600")
        await limited(house, engine, "bob", retry_after="60")
        sent = len(house.asked())
        error = await house.failure(engine, "smart")
        assert len(house.asked()) == sent
        return error

    error = house.run(main, **smart("gemini/gemini-3-flash", house.openai, "nowhere"))
    assert isinstance(error, RateLimited)
    assert error.account == "bob"
    assert error.retry_after_s == pytest.approx(60, abs=2)
    assert "and nobody else can answer: " in error.message
    assert [name in error.message for name in ("gemini/gemini-3-flash: ", "'alice'", "nowhere: ")] == [True] * 3
    assert error.message.count("'bob'") == 1
    assert error.attempts == ()


def test_what_a_person_can_do_is_nearer_than_what_cannot_be(house: Any) -> None:
    """A sign-in before a feature."""
    house.people = ["dave"]
    error = house.run(
        lambda engine: house.failure(engine, "smart", tools=(Tool(name="t"),)), **smart(house.reka, house.openai)
    )
    assert isinstance(error, NoAccount)
    assert "reka/reka-core: reka/reka-core does not take tools" in error.message


def test_where_no_condition_holds_it_is_the_moment_that_is_wrong(house: Any) -> None:
    """Neither a sign-in nor the question: later it may be otherwise."""
    when = {"model": house.reka, "when": "running > 5"}
    error = house.run(lambda engine: house.failure(engine, "smart"), **smart(when))
    assert isinstance(error, Unavailable)
    assert error.message.startswith("its condition does not hold: running > 5, and running is 0")
    assert house.asked() == []


@pytest.mark.parametrize(
    ("model", "kind"), [("gemini/gemini-3-flash", NoAccount), ("nowhere", UnknownModel), ("reka/nope", UnknownModel)]
)
def test_a_plain_model_that_is_out_says_only_so(house: Any, model: str, kind: type[Exception]) -> None:
    """There are no others to name."""
    error = house.run(lambda engine: house.failure(engine, model))
    assert type(error) is kind
    assert "nobody else" not in error.message


def test_a_feature_that_the_model_has_not_is_told_before_anything_is_sent(house: Any) -> None:
    """As without routing."""
    error = house.run(lambda engine: house.failure(engine, house.reka, tools=(Tool(name="t"),)))
    assert type(error) is UnsupportedFeature
    assert house.asked() == []


# ---------------------------------------------------------------- strategies at work


def test_least_busy_goes_by_the_streams_that_are_open(house: Any) -> None:
    """One place taken of sixteen is enough; when it is given back the config's order counts."""
    house.people = ["alice", "carol"]
    house.fault("openai", "stall", after=4, times=1)
    config = smart(house.openai, house.anthropic, strategy="least_busy")

    async def main(engine: Engine) -> list[str]:
        async with await engine.ask(house.question("smart")) as turn:
            during = [turn.account, await house.whom(engine, "smart")]
        return [*during, await house.whom(engine, "smart")]

    assert house.run(main, **config) == ["alice", "carol", "alice"]


def test_cheapest_goes_by_the_table_of_prices(house: Any) -> None:
    """What has no price comes last."""
    house.add("own", DONE)
    config = smart("own/m", "openai/gpt-4o", "openai/gpt-4o-mini", strategy="cheapest")
    assert [one.model for one in told(house, **config)] == [
        "openai/gpt-4o-mini", "openai/gpt-4o-mini", "openai/gpt-4o", "openai/gpt-4o", "own/m",
    ]  # fmt: skip
