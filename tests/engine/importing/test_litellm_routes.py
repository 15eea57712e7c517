"""Groups, orders and fallbacks of LiteLLM as routed names."""

from __future__ import annotations

import json
from typing import Any

import pytest

from polychat.engine.importing.litellm import convert
from polychat.engine.importing.mapped import Converted


def entry(name: str, model: str, **params: Any) -> dict[str, Any]:
    return {"model_name": name, "litellm_params": {"model": f"openai/{model}", **params}}


def made(*entries: dict[str, Any], **router: Any) -> Converted:
    return convert(json.dumps({"model_list": entries, "router_settings": router}), name="c")


def models(*entries: dict[str, Any], **router: Any) -> Any:
    return made(*entries, **router).table["models"]


def test_one_deployment_is_an_alias() -> None:
    """Nothing more is needed to call a model by another name."""
    assert models(entry("a", "x")) == {"a": "openai/x"}


@pytest.mark.parametrize(
    ("theirs", "ours", "remarks"),
    [
        (None, "weighted", []),
        ("simple-shuffle", "weighted", []),
        ("least-busy", "least_busy", []),
        ("cost-based-routing", "cheapest", []),
        ("latency-based-routing", "least_busy", ["differs"]),
        ("usage-based-routing-v2", "least_busy", ["differs"]),
        ("by-moonlight", "weighted", ["left_out"]),
    ],
)
def test_strategies(theirs: str | None, ours: str, remarks: list[str]) -> None:
    """The same one where there is one; otherwise the nearest, and that is told."""
    given = {} if theirs is None else {"routing_strategy": theirs}
    converted = made(entry("a", "x"), entry("a", "y"), **given)
    assert converted.table["models"]["a"] == {"strategy": ours, "targets": ["openai/x", "openai/y"]}
    assert [remark.kind for remark in converted.remarks] == remarks


@pytest.mark.parametrize(
    ("first", "second", "weights"),
    [
        ({"weight": 9}, {"weight": 1}, [9, 1]),
        ({"weight": 9}, {}, [9, 1]),
        ({"rpm": 600}, {"rpm": 60}, [600, 60]),
        ({"tpm": 1000.5}, {"tpm": 10}, [1000.5, 10]),
        ({"weight": 2, "rpm": 1}, {"weight": 3, "rpm": 900}, [2, 3]),
    ],
)
def test_shares_go_by_weight_or_else_by_limits(first: Any, second: Any, weights: list[float]) -> None:
    """As LiteLLM shuffles: by weight, else by requests, else by tokens a minute."""
    targets = models(entry("a", "x", **first), entry("a", "y", **second))["a"]["targets"]
    assert [target["weight"] for target in targets] == weights


def test_equal_shares_need_no_weights() -> None:
    """Also where only one of them has a limit."""
    assert models(entry("a", "x", rpm=5), entry("a", "y"))["a"]["targets"] == ["openai/x", "openai/y"]


def test_a_weight_of_nothing_leaves_the_deployment_out() -> None:
    """It would never be asked; that is told."""
    converted = made(entry("a", "x", weight=0), entry("a", "y", weight=1))
    assert converted.table["models"] == {"a": "openai/y"}
    assert [remark.path for remark in converted.remarks] == ["model_list[0].litellm_params.weight"]


def test_orders_become_tiers() -> None:
    """The lower the sooner; those of one order share, those without come last."""
    entries = (entry("a", "z"), entry("a", "y1", order=2), entry("a", "y2", order=2), entry("a", "x", order=1))
    assert models(*entries) == {
        "a-pool-2": {"strategy": "weighted", "targets": ["openai/y1", "openai/y2"]},
        "a": {"strategy": "ordered", "targets": ["openai/x", "a-pool-2", "openai/z"]},
    }


def test_fallbacks_come_after_the_whole_group() -> None:
    """A group that shares its questions stays one; its fallback is asked when all of it failed."""
    entries = (entry("a", "x"), entry("a", "y"), entry("b", "z"), entry("b", "w"))
    assert models(*entries, fallbacks=[{"a": ["b"]}]) == {
        "a-pool": {"strategy": "weighted", "targets": ["openai/x", "openai/y"]},
        "a": {"strategy": "ordered", "targets": ["a-pool", "b"]},
        "b": {"strategy": "weighted", "targets": ["openai/z", "openai/w"]},
    }


def test_fallbacks_of_fallbacks_and_circles() -> None:
    """Each is asked once, in the order in which it is met; nothing leads back to itself."""
    entries = (entry("a", "x"), entry("b", "y"), entry("c", "z"))
    found = models(*entries, fallbacks=[{"a": ["b"]}, {"b": ["c"]}, {"c": ["a"]}])
    assert {name: route["targets"] for name, route in found.items()} == {
        "a": ["openai/x", "openai/y", "openai/z"],
        "b": ["openai/y", "openai/z", "openai/x"],
        "c": ["openai/z", "openai/x", "openai/y"],
    }


def test_a_fallback_brings_its_own_before_the_next() -> None:
    """As LiteLLM goes down one way before it tries another."""
    entries = (entry("a", "x"), entry("b", "y"), entry("c", "z"), entry("d", "w"))
    found = models(*entries, fallbacks=[{"a": ["b", "d"]}, {"b": ["c"]}])
    assert found["a"]["targets"] == ["openai/x", "openai/y", "c", "d"]


@pytest.mark.parametrize("router", [{"default_fallbacks": ["b"]}, {"fallbacks": [{"*": ["b"]}]}])
def test_fallbacks_for_all(router: dict[str, Any]) -> None:
    """Every group has them that has none of its own; a group is no fallback of itself."""
    found = models(entry("a", "x"), entry("b", "y"), **router)
    assert found == {"a": {"strategy": "ordered", "targets": ["openai/x", "b"]}, "b": "openai/y"}


def test_names_that_are_not_there_are_told() -> None:
    """In fallbacks, on both sides, and in aliases."""
    converted = made(
        entry("a", "x"),
        fallbacks=[{"a": ["nowhere"], "who": ["a"]}],
        model_group_alias={"b": "nowhere", "a": "a", "c": "a"},
    )
    assert converted.table["models"] == {"a": "openai/x", "c": "a"}
    assert sorted(remark.path for remark in converted.remarks) == [
        "router_settings.fallbacks[0].a[0]",
        "router_settings.fallbacks[0].who",
        "router_settings.model_group_alias.a",
        "router_settings.model_group_alias.b",
    ]


def test_a_name_with_a_slash_is_changed_unless_it_is_the_models_own() -> None:
    """openai/x for openai/x needs no entry at all; others get a name without one that is free."""
    converted = made(entry("openai/x", "x"), entry("team/y", "y"), entry("team-y", "z"))
    assert converted.table["models"] == {"team-y-2": "openai/y", "team-y": "openai/z"}
    assert [remark.path for remark in converted.remarks] == ["model_list[1].litellm_params"]


def test_a_made_name_takes_nobodys_place() -> None:
    """Where the obvious name is taken, it gets a number."""
    entries = (entry("a", "x"), entry("a", "y"), entry("a-pool", "w"), entry("b", "z"))
    assert models(*entries, fallbacks=[{"a": ["b"]}])["a"]["targets"] == ["a-pool-2", "b"]


@pytest.mark.parametrize(("retries", "attempts"), [(0, 3), (2, 5)])
def test_retries_and_fallbacks_are_one_budget(retries: int, attempts: int) -> None:
    """As many attempts as LiteLLM would make on the longest way."""
    entries = (entry("a", "x"), entry("b", "y"), entry("c", "z"))
    converted = made(*entries, fallbacks=[{"a": ["b", "c"]}], num_retries=retries)
    assert converted.table["failover"] == {"attempts": attempts}
