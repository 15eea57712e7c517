"""engine/routed.py: routed names are read from the config, and what is wrong there is named by its path."""

from __future__ import annotations

from typing import Any

import pytest

from polychat.engine.routed import Aim, Routed, check_cycles, read
from polychat.errors import ConfigError

FILE = "config.toml"


def complaint(given: Any, name: str = "smart") -> str:
    """What is said of a wrong entry."""
    with pytest.raises(ConfigError) as caught:
        read(FILE, name, given)
    return caught.value.message


def aims(routed: Routed) -> list[tuple[str, str, float, str | None]]:
    """Its targets: model, place, weight, condition."""
    return [(aim.model, aim.place, aim.weight, aim.when and aim.when.text) for aim in routed.targets]


def test_an_alias_is_a_name_with_one_target() -> None:
    """A text is enough."""
    routed = read(FILE, "fast", " groq/llama-3.3-70b-versatile ")
    assert aims(routed) == [("groq/llama-3.3-70b-versatile", "models.fast", 1.0, None)]
    assert (routed.strategy, routed.tools) == ("ordered", None)


def test_targets_are_texts_or_tables() -> None:
    """Each knows its place, its weight and its condition."""
    routed = read(
        FILE,
        "smart",
        {
            "strategy": "weighted",
            "tools": "emulate",
            "targets": [
                "openai/gpt-5-mini",
                {"model": "anthropic/claude-sonnet-4-5", "weight": 3, "when": "errors_1h < 3"},
            ],
        },
    )
    assert aims(routed) == [
        ("openai/gpt-5-mini", "models.smart.targets[0]", 1.0, None),
        ("anthropic/claude-sonnet-4-5", "models.smart.targets[1]", 3.0, "errors_1h < 3"),
    ]
    assert (routed.strategy, routed.tools) == ("weighted", "emulate")


@pytest.mark.parametrize("strategy", ["ordered", "weighted", "least_busy", "cheapest"])
def test_every_strategy_has_its_name(strategy: str) -> None:
    """In small letters."""
    assert read(FILE, "smart", {"targets": ["a/b"], "strategy": strategy}).strategy == strategy


@pytest.mark.parametrize(
    ("given", "said"),
    [
        (7, "models.smart is neither a model nor a table with targets"),
        (["openai/gpt-5"], "models.smart is neither a model nor a table with targets"),
        ("  ", "models.smart names no model"),
        ({}, "models.smart.targets is not a list of models"),
        ({"targets": []}, "models.smart.targets is not a list of models"),
        ({"targets": "openai/gpt-5"}, "models.smart.targets is not a list of models"),
        ({"targets": ["a/b"], "target": "a/b"}, "models.smart.target is not a setting"),
        ({"targets": ["a/b"], "strategy": "random"},
         "models.smart.strategy is not one of ordered, weighted, least_busy, cheapest"),
        ({"targets": ["a/b"], "strategy": []},
         "models.smart.strategy is not one of ordered, weighted, least_busy, cheapest"),
        ({"targets": ["a/b"], "tools": "words"}, "models.smart.tools is not one of service, emulate"),
        ({"targets": ["a/b", 3]}, "models.smart.targets[1] names no model"),
        ({"targets": [""]}, "models.smart.targets[0] names no model"),
        ({"targets": [{"when": "errors_1h < 3"}]}, "models.smart.targets[0] names no model"),
        ({"targets": [{"model": ["a/b"]}]}, "models.smart.targets[0] names no model"),
        ({"targets": [{"model": "a/b", "if": "x"}]}, "models.smart.targets[0].if is not a setting"),
        ({"targets": [{"model": "a/b", "weight": 2}]},
         'models.smart.targets[0].weight means nothing with strategy "ordered"'),
        ({"targets": ["a/b", {"model": "a/b", "when": "errors_1hour < 3"}]},
         "models.smart.targets[1].when: there is no field errors_1hour"),
        ({"targets": [{"model": "a/b", "when": "errors_1h <"}]},
         "models.smart.targets[0].when is no condition: invalid syntax"),
        ({"targets": [{"model": "a/b", "when": True}]}, "models.smart.targets[0].when is not a text"),
        ({"targets": [{"model": "a/b", "when": "errors_1h"}]},
         "models.smart.targets[0].when: errors_1h is a number, not something that is true or false"),
        ({"targets": [{"model": "a/b", "when": "-" * 480 + "1 > 0"}]},
         "models.smart.targets[0].when is no condition: it is nested too deep"),
        ({"targets": [{"model": "a/b", "when": "errors_1h < 3" + " " * 500}]},
         "models.smart.targets[0].when has 513 characters, and a condition at most 500"),
    ],
)  # fmt: skip
def test_what_is_wrong_is_named_by_its_exact_path(given: Any, said: str) -> None:
    """With the file before it."""
    assert complaint(given) == f"{FILE}: {said}"


@pytest.mark.parametrize("name", ["", " ", "fast?", "fast?tools=emulate"])
def test_a_name_that_cannot_be_asked_for_is_none(name: str) -> None:
    """Behind a question mark stands how to ask."""
    assert complaint("openai/gpt-5", name) == f"{FILE}: models.{name} is no name to ask for"


@pytest.mark.parametrize("weight", [0, -1, True, "2", float("inf"), float("nan"), None])
def test_a_weight_is_a_number_above_zero(weight: Any) -> None:
    """Anything else is named."""
    given = {"strategy": "weighted", "targets": ["a/b", {"model": "a/c", "weight": weight}]}
    assert complaint(given) == f"{FILE}: models.smart.targets[1].weight is not a number above 0"


def test_an_unknown_field_is_told_with_those_there_are() -> None:
    """The hint has the nearest, or lists them all."""
    hints = []
    for when in ("erors_1h < 3", "zzz > 0"):
        with pytest.raises(ConfigError) as caught:
            read(FILE, "smart", {"targets": [{"model": "a/b", "when": when}]})
        hints.append(caught.value.hint or "")
    assert hints[0].startswith("did you mean errors_1h")
    assert hints[1].startswith("the fields are account, asked_1h, context_tokens, errors_1h,")


# ---------------------------------------------------------------- cycles


def names(**targets: list[str]) -> dict[str, Routed]:
    """Routed names by their targets."""
    return {name: read(FILE, name, {"targets": models}) for name, models in targets.items()}


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"a": ["a"]}, "models.a.targets[0] leads back to a: a -> a"),
        ({"a": ["x/y", "b"], "b": ["a"]}, "models.b.targets[0] leads back to a: a -> b -> a"),
        ({"a": ["b?tools=emulate"], "b": ["a"]}, "models.b.targets[0] leads back to a: a -> b -> a"),
        ({"a": ["b"], "b": ["c"], "c": ["x/y", "b"]}, "models.c.targets[1] leads back to b: b -> c -> b"),
    ],
)
def test_a_name_that_leads_back_to_itself_is_named_with_its_way(given: dict[str, list[str]], said: str) -> None:
    """And with the target that closes it."""
    with pytest.raises(ConfigError) as caught:
        check_cycles(names(**given))
    assert caught.value.message == f"{FILE}: {said}"


def test_many_ways_to_one_name_are_no_cycle() -> None:
    """Nor is a service of the same name, nor a model."""
    check_cycles(names(a=["b", "c", "b"], b=["d"], c=["d", "a/model"], d=["x/y"]))


def test_an_aim_knows_where_it_was_written() -> None:
    """So that a mistake that shows later is named too."""
    assert read("options", "fast", "x/y").targets == (Aim(model="x/y", place="models.fast", file="options"),)
