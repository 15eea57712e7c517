"""engine/targets.py: where a name leads, in which order."""

from __future__ import annotations

import math
import random
from collections import Counter
from collections.abc import Callable, Sequence
from typing import Any, get_args

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from polychat.credentials import SignIn
from polychat.engine import routed
from polychat.engine.routed import Strategy
from polychat.engine.routing import Route
from polychat.engine.targets import Found, Known, Missed, Target, Yardsticks, targets
from polychat.errors import BadOption, UnknownModel
from polychat.providers.base import Capability, Info, Model


def service(name: str, *models: str, can: Sequence[Capability] = ("text",)) -> Info:
    """A service as data."""
    listed = tuple(Model(id=model) for model in models)
    return Info(
        name=name, label=name.title(), hosts={"api": "https://example.com"}, accepts=("api_key",), models=listed,
        default_model=models[0], capabilities=frozenset(can), sign_in=SignIn(url=""),
    )  # fmt: skip


SERVICES = {
    one.name: one
    for one in (service("alpha", "a1", "a2", "both"), service("beta", "b1", "both"), service("gamma", "g1"))
}
ACCOUNTS = {"work": "alpha", "home": "beta"}


def known(config: dict[str, Any] | None = None, *, only: str | None = None) -> Known:
    """Those services, and routed names as a config has them."""
    services = {only: SERVICES[only]} if only else SERVICES
    reachable = {name: of for name, of in ACCOUNTS.items() if of in services}
    others = {*SERVICES, *ACCOUNTS} - {*services, *reachable} if only else ()
    names = {name: routed.read("config.toml", name, given) for name, given in (config or {}).items()}
    return Known(services, reachable, list(reachable.values()), names, others)


def by(
    busy: Callable[[Route], float] = lambda route: 0.0,
    price: Callable[[Route], float] = lambda route: 0.0,
    seed: int = 1,
) -> Yardsticks:
    """What strategies go by."""
    return Yardsticks(busy=busy, price=price, random=random.Random(seed).random)


def told(found: list[Found]) -> list[str]:
    """Each in short: account@service/model, and what nobody knows with a question mark."""
    return [f"?{one.wanted}" if isinstance(one, Missed) else named(one.route) for one in found]


def named(route: Route) -> str:
    """A route in short."""
    account = f"{route.account}@" if route.account else ""
    return f"{account}{route.provider}/{route.model.id}" + (f"?{route.tool_mode}" if route.tool_mode else "")


def leads(wanted: str, config: dict[str, Any] | None = None, *, only: str | None = None, **options: Any) -> list[str]:
    """Where `wanted` leads, in short."""
    return told(targets(wanted, known(config, only=only), by(**options)))


# ---------------------------------------------------------------- names


@pytest.mark.parametrize(
    ("wanted", "expected"),
    [
        ("alpha/a2", ["alpha/a2"]),
        ("work/a2", ["work@alpha/a2"]),
        ("gamma", ["gamma/g1"]),
        ("both", ["alpha/both", "beta/both"]),
        ("alpha/a2?tools=emulate", ["alpha/a2?emulate"]),
    ],
)
def test_what_is_no_routed_name_leads_where_it_always_did(wanted: str, expected: list[str]) -> None:
    """With routed names about or without."""
    assert leads(wanted) == leads(wanted, {"smart": "gamma/g1"}) == expected


def test_nobody_knows_what_nobody_knows() -> None:
    """A name that is neither routed nor a model is refused."""
    with pytest.raises(UnknownModel):
        leads("smrat", {"smart": "gamma/g1"})
    with pytest.raises(BadOption):
        leads("smart?tools=maybe", {"smart": "gamma/g1"})


def test_an_alias_is_written_as_a_caller_would_write_it() -> None:
    """Plain ids, accounts, bare services and other names too."""
    config = {"x": "both", "y": "work/a1", "z": "gamma", "w": "y"}
    assert [leads(name, config) for name in "xyzw"] == [
        ["alpha/both", "beta/both"], ["work@alpha/a1"], ["gamma/g1"], ["work@alpha/a1"],
    ]  # fmt: skip


def test_a_routed_name_comes_before_a_service_of_that_name() -> None:
    """The person's own words win."""
    assert leads("gamma", {"gamma": "alpha/a1"}) == ["alpha/a1"]


def test_targets_know_their_place_and_all_their_conditions() -> None:
    """The place is where the model itself is written; the conditions are those of the whole way."""
    config = {
        "smart": {"targets": [{"model": "fast", "when": "errors_1h < 3"}, "gamma/g1"]},
        "fast": {"targets": ["alpha/a1", {"model": "beta/b1", "when": "running < 2"}]},
    }
    found = targets("smart", known(config), by())
    assert [(one.place, [when.text for when in one.whens]) for one in found] == [
        ("models.fast.targets[0]", ["errors_1h < 3"]),
        ("models.fast.targets[1]", ["errors_1h < 3", "running < 2"]),
        ("models.smart.targets[1]", []),
    ]


def test_a_target_that_leads_nowhere_is_kept_with_its_error() -> None:
    """So that it can be told; the others are found."""
    config = {"smart": {"targets": ["alpha/a9", "beta/b1"]}}
    missed, found = targets("smart", known(config), by())
    assert isinstance(missed, Missed)
    assert isinstance(found, Target)
    assert (missed.wanted, missed.place, missed.error.code) == ("alpha/a9", "models.smart.targets[0]", "unknown_model")


def test_no_target_comes_twice_under_the_same_conditions() -> None:
    """Neither a model nor what leads nowhere."""
    config = {
        "smart": {"targets": ["alpha/a1", "fast", "nowhere", "alpha/a1", "nowhere", "work/a1"]},
        "fast": {"targets": ["beta/b1", "alpha/a1"]},
    }
    assert leads("smart", config) == ["alpha/a1", "beta/b1", "?nowhere", "work@alpha/a1"]


def test_a_last_resort_may_be_a_target_of_before_without_its_condition() -> None:
    """The same model under other conditions is another target."""
    config = {"smart": {"targets": [{"model": "alpha/a1", "when": "errors_1h < 3"}, "beta/b1", "alpha/a1"]}}
    assert leads("smart", config) == ["alpha/a1", "beta/b1", "alpha/a1"]


# ---------------------------------------------------------------- who sees to tools


def test_the_nearest_word_on_tools_counts() -> None:
    """The target's own, then its name's, then the names' above; a caller's own word is before all of them."""
    config = {
        "smart": {"tools": "emulate", "targets": ["alpha/a1", "beta/b1?tools=service", "fast"]},
        "fast": {"tools": "service", "targets": ["gamma/g1"]},
    }
    assert leads("smart", config) == ["alpha/a1?emulate", "beta/b1?service", "gamma/g1?service"]
    assert leads("smart?tools=service", config) == ["alpha/a1?service", "beta/b1?service", "gamma/g1?service"]
    assert leads("plain", {"plain": "alpha/a1"}) == ["alpha/a1"]


# ---------------------------------------------------------------- one service only


def test_within_one_service_the_other_targets_lead_nowhere() -> None:
    """And they say so, rather than be taken for a model of the one that is meant."""
    config = {"smart": {"targets": ["beta/b1", "home/b1", "gamma", "alpha/a2", "both"]}}
    found = targets("smart", known(config, only="alpha"), by())
    assert told(found) == ["?beta/b1", "?home/b1", "?gamma", "alpha/a2", "alpha/both"]
    assert [(one.error.message, one.elsewhere) for one in found[:3] if isinstance(one, Missed)] == [
        ("beta/b1 is of beta, and only alpha is meant", True),
        ("home/b1 is of home, and only alpha is meant", True),
        ("gamma is of gamma, and only alpha is meant", True),
    ]


def test_a_routed_name_may_be_called_like_a_service_that_is_not_meant() -> None:
    """It is looked up first."""
    config = {"smart": {"targets": ["gamma"]}, "gamma": "alpha/a1"}
    assert leads("smart", config, only="alpha") == ["alpha/a1"]


# ---------------------------------------------------------------- for something


def test_a_service_alone_is_its_first_model_that_can() -> None:
    """Also as the target of a name; a model that is named is not exchanged."""
    services = SERVICES | {"alpha": drawing(SERVICES["alpha"])}
    names = {"pics": routed.read("config.toml", "pics", {"targets": ["alpha", "alpha/a1"]})}
    found = targets("pics", Known(services, {}, [], names), by(), "drawing")
    assert told(found) == ["alpha/a2", "alpha/a1"]


def drawing(info: Info) -> Info:
    """The same, whose second model draws."""
    first, second, *others = info.models
    draws = msgspec.structs.replace(second, capabilities=frozenset[Capability]({"drawing"}))
    return msgspec.structs.replace(info, models=(first, draws, *others))


# ---------------------------------------------------------------- strategies


def test_ordered_is_as_the_config_has_them() -> None:
    """Whatever the yardsticks say."""
    config = {"smart": {"targets": ["gamma/g1", "alpha/a1", "beta/b1"]}}
    busy = {"gamma": 1.0, "alpha": 0.5, "beta": 0.0}
    assert leads("smart", config, busy=lambda route: busy[route.provider]) == ["gamma/g1", "alpha/a1", "beta/b1"]


def test_least_busy_goes_by_the_share_of_places_taken() -> None:
    """Of equals the first in the config; what leads nowhere last; of a group its least busy counts."""
    config = {
        "smart": {"strategy": "least_busy", "targets": ["nowhere", "alpha/a1", "gamma/g1", "both"]},
    }
    busy = {"alpha": 0.5, "beta": 0.25, "gamma": 0.5}
    assert leads("smart", config, busy=lambda route: busy[route.provider]) == [
        "alpha/both", "beta/both", "alpha/a1", "gamma/g1", "?nowhere",
    ]  # fmt: skip


def test_cheapest_goes_by_price_and_the_unknown_comes_last() -> None:
    """No price is no gift."""
    config = {"smart": {"strategy": "cheapest", "targets": ["gamma/g1", "alpha/a1", "beta/b1", "alpha/a2"]}}
    prices = {"a1": 9.0, "b1": 2.5, "a2": 0.0}
    assert leads("smart", config, price=lambda route: prices.get(route.model.id, math.inf)) == [
        "alpha/a2", "beta/b1", "alpha/a1", "gamma/g1",
    ]  # fmt: skip


def test_weights_say_how_often_each_is_the_first() -> None:
    """By lot: of 4000 questions within three hundredths of its share, and all targets every time."""
    config = {
        "smart": {
            "strategy": "weighted",
            "targets": [{"model": "alpha/a1", "weight": 6}, {"model": "beta/b1", "weight": 3}, "gamma/g1"],
        }
    }
    lots, among = by(seed=7), known(config)
    drawn = [told(targets("smart", among, lots)) for _ in range(4000)]
    firsts = Counter(order[0] for order in drawn)
    seconds = Counter(order[1] for order in drawn if order[0] == "alpha/a1")
    assert {len(set(order)) for order in drawn} == {3}
    assert {name: round(count / 4000, 1) for name, count in firsts.items()} == {
        "alpha/a1": 0.6, "beta/b1": 0.3, "gamma/g1": 0.1,
    }  # fmt: skip
    assert abs(seconds["beta/b1"] / firsts["alpha/a1"] - 0.75) < 0.03


@pytest.mark.parametrize("lot", [0.0, 1 - 2**-53])
def test_any_lot_will_do(lot: float) -> None:
    """The least and the greatest there are."""
    config = {"smart": {"strategy": "weighted", "targets": ["alpha/a1", "beta/b1"]}}
    yardsticks = Yardsticks(busy=lambda route: 0.0, price=lambda route: 0.0, random=lambda: lot)
    assert told(targets("smart", known(config), yardsticks)) == ["alpha/a1", "beta/b1"]


def test_a_name_among_the_targets_stands_as_a_whole() -> None:
    """Ordered by its own strategy, in the place that the other gives it."""
    config = {
        "smart": {"targets": ["gamma/g1", "cheap", "alpha/a2"]},
        "cheap": {"strategy": "cheapest", "targets": ["alpha/a1", "beta/b1"]},
        "least": {"strategy": "cheapest", "targets": ["gamma/g1", "cheap"]},
    }
    prices = {"g1": 5.0, "a1": 9.0, "b1": 1.0, "a2": 0.0}

    def price(route: Route) -> float:
        return prices[route.model.id]

    assert leads("smart", config, price=price) == ["gamma/g1", "beta/b1", "alpha/a1", "alpha/a2"]
    assert leads("least", config, price=price) == ["beta/b1", "alpha/a1", "gamma/g1"]


# ---------------------------------------------------------------- whatever a config says

LEAVES = ["alpha/a1", "alpha/a2", "beta/b1", "both", "gamma", "work/a1", "nowhere", "alpha/a1?tools=emulate"]


@st.composite
def configs(draw: st.DrawFn) -> dict[str, Any]:
    """Routed names that lead to services and to those after them, so never back."""
    names = [f"n{number}" for number in range(draw(st.integers(1, 5)))]
    config = {}
    for index, name in enumerate(names):
        strategy = draw(st.sampled_from(get_args(Strategy)))
        ends = draw(st.lists(st.sampled_from(LEAVES + names[index + 1 :]), min_size=1, max_size=4))
        whens = [draw(st.sampled_from([None, "errors_1h < 3", "running == 0"])) for _ in ends]
        aims = [{"model": end} | ({"when": when} if when else {}) for end, when in zip(ends, whens, strict=True)]
        config[name] = {"strategy": strategy, "targets": aims}
    return config


def reached(config: dict[str, Any], name: str) -> set[str]:
    """The ends that a name leads to."""
    ends = [aim["model"] for aim in config[name]["targets"]]
    return {leaf for end in ends for leaf in (reached(config, end) if end in config else {end})}


@given(configs(), st.integers(0, 2**32))
def test_every_end_is_reached_and_none_comes_twice(config: dict[str, Any], seed: int) -> None:
    """By every strategy, however names are nested."""
    routed.check_cycles(names := known(config).routed)
    assert set(names) == set(config)
    found = targets("n0", known(config), by(seed=seed))
    keys = [(*told([one]), *(when.text for when in one.whens)) for one in found]
    assert len(set(keys)) == len(keys)
    leaves = {name for leaf in reached(config, "n0") for name in (["?nowhere"] if leaf == "nowhere" else leads(leaf))}
    assert set(told(found)) == leaves
