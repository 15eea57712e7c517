"""engine/routing.py: from the caller's word to a service's model."""

from __future__ import annotations

from typing import Any

import pytest

from polychat.credentials import SignIn
from polychat.engine.routing import Route, routes
from polychat.errors import BadOption, UnknownModel
from polychat.providers.base import Info, Model


def service(name: str, *models: Model) -> Info:
    """A service as data."""
    return Info(
        name=name, label=name, hosts={"web": "https://x.example"}, accepts=(), models=models,
        default_model=models[0].id, capabilities=frozenset({"text"}), sign_in=SignIn(url=""),
    )  # fmt: skip


def route(wanted: str, services: dict[str, Info], **known: Any) -> Route:
    """The first of its routes."""
    return routes(wanted, services, **known)[0]


SERVICES = {
    "one": service("one", Model(id="big"), Model(id="shared")),
    "two": service("two", Model(id="small", aliases=("tiny",)), Model(id="shared"), Model(id="org/deep")),
}
ACCOUNTS = {"mine": "two"}


@pytest.mark.parametrize(
    ("wanted", "expected"),
    [
        ("one/big", ("one", "big", None)),
        ("two/tiny", ("two", "small", None)),
        ("two/org/deep", ("two", "org/deep", None)),
        ("org/deep", ("two", "org/deep", None)),
        ("mine/small", ("two", "small", "mine")),
        ("small", ("two", "small", None)),
        ("shared", ("one", "shared", None)),
        ("two", ("two", "small", None)),
        ("two/", ("two", "small", None)),
    ],
)
def test_each_way_of_naming_a_model(wanted: str, expected: tuple[str, str, str | None]) -> None:
    """provider/model, account/model, a plain id, an alias, a provider alone."""
    found = route(wanted, SERVICES, accounts=ACCOUNTS)
    assert (found.provider, found.model.id, found.account) == expected


@pytest.mark.parametrize("wanted", ["one/big", "mine/small", "shared", "two"])
def test_a_name_may_say_who_sees_to_tools(wanted: str) -> None:
    """Behind a question mark, whatever stands before it; the model is the one without."""
    plain = route(wanted, SERVICES, accounts=ACCOUNTS)
    assert plain.tool_mode is None
    for mode in ("emulate", "service"):
        found = route(f"{wanted}?tools={mode}", SERVICES, accounts=ACCOUNTS)
        assert (found.tool_mode, found.model, found.account) == (mode, plain.model, plain.account)


@pytest.mark.parametrize(
    "word", ["", "tools", "tools=", "tools=both", "tool=emulate", "tools=emulate&x=1", "?tools=emulate"]
)
def test_nothing_else_may_stand_behind_a_question_mark(word: str) -> None:
    """It is repeated, and the hint has what may."""
    with pytest.raises(BadOption) as caught:
        route(f"one/big?{word}", SERVICES, accounts=ACCOUNTS)
    assert (caught.value.field, caught.value.message) == ("model", f"model ends in ?{word}")
    assert caught.value.hint == "after the ? may stand tools=service or tools=emulate"


def test_an_unknown_model_is_named_without_it() -> None:
    """So that the nearest names are those of models."""
    with pytest.raises(UnknownModel, match="there is no model 'one/bgi'"):
        route("one/bgi?tools=emulate", SERVICES, accounts=ACCOUNTS)


def test_a_service_with_an_account_is_preferred() -> None:
    """A plain id goes where the person can ask."""
    assert route("shared", SERVICES, accounts=ACCOUNTS, prefer=["two"]).provider == "two"


@pytest.mark.parametrize(
    ("prefer", "expected"), [([], ["one"]), (["two"], ["two"]), (["two", "one", "two"], ["two", "one"])]
)
def test_a_plain_id_leads_to_every_service_with_an_account(prefer: list[str], expected: list[str]) -> None:
    """In their order, each once; without any account to the first that offers it, which says how to sign in."""
    found = routes("shared", SERVICES, accounts=ACCOUNTS, prefer=prefer)
    assert [one.provider for one in found] == expected


@pytest.mark.parametrize(("wanted", "near"), [("one/bgi", "one/big"), ("smal", "two/small"), ("zzz", "one/big")])
def test_an_unknown_model_is_told_with_the_nearest_names(wanted: str, near: str) -> None:
    """The hint can be typed as it stands."""
    with pytest.raises(UnknownModel) as caught:
        route(wanted, SERVICES, accounts=ACCOUNTS)
    assert repr(wanted) in caught.value.message
    assert near in (caught.value.hint or "")
