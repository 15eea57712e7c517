"""Which cookies of an export are the service's, and whether they are a session."""

from __future__ import annotations

from typing import Any

import pytest

from polychat.credentials import Secret, SessionCookies, SignIn
from polychat.errors import BadOption
from polychat.signin import cookies
from polychat.signin.found import Cookie, Field, Found

DOMAINS = ("space.reka.ai", "reka.ai")
RECIPE = SignIn(url="https://space.reka.ai/chat", cookies=("appSession",), domains=DOMAINS)
ANY = SignIn(url="https://space.reka.ai/chat", domains=DOMAINS)
NOW = 1_750_000_000.0  # 2025-06-15
LATER, EARLIER = NOW + 3600, NOW - 3600


def cookie(name: str = "appSession", value: str = "canary", host: str = "space.reka.ai", **more: Any) -> Cookie:
    return Cookie(name=name, value=Secret(value), host=host, **more)


def read(*held: Cookie, recipe: SignIn = ANY) -> Found:
    return cookies.session(recipe, held, domains=DOMAINS, where="the file", now=lambda: NOW)


def values(*held: Cookie) -> dict[str, str]:
    found = read(*held).credential
    assert isinstance(found, SessionCookies)
    return {name: value.reveal() for name, value in found.cookies.items()}


def refused(*held: Cookie, recipe: SignIn = ANY) -> str:
    with pytest.raises(BadOption) as caught:
        read(*held, recipe=recipe)
    assert str(caught.value.hint).startswith("log in at https://space.reka.ai/chat and export again, HttpOnly cookies")
    assert "canary" not in str(caught.value)
    return caught.value.message


def test_all_cookies_of_the_service_go_along() -> None:
    """The recipe's by name and end, the others counted; those without a host are believed to be the service's."""
    held = [cookie(expires_at=LATER), cookie("theme", "dark", ""), cookie("id", "x", "other.example")]
    assert read(*held, recipe=RECIPE) == Found(
        credential=SessionCookies(cookies={"appSession": Secret("canary"), "theme": Secret("dark")}, ends_at=LATER),
        where="the file",
        fields=(Field(name="appSession", kind="cookie", expires_at=LATER),),
        others=1,
    )


def test_subdomains_belong_to_the_service_and_lookalikes_do_not() -> None:
    """`chat.reka.ai` is of `reka.ai`; `evilreka.ai` and `reka.ai.evil` are not."""
    held = [
        cookie("a", "1", "chat.reka.ai"), cookie("b", "2", "evilreka.ai"), cookie("c", "3", "reka.ai.evil"),
        cookie("d", "4", "reka.ai"), cookie("e", "5", "ai"),
    ]  # fmt: skip
    assert values(*held) == {"a": "1", "d": "4"}


@pytest.mark.parametrize("turn", [1, -1])
def test_of_one_name_the_first_domain_counts(turn: int) -> None:
    """The order in the file is nothing: the service's first domain, then its second, then their subdomains."""
    held = [
        cookie("a", "first", "space.reka.ai"), cookie("a", "second", "reka.ai"), cookie("a", "sub", "chat.reka.ai"),
        cookie("b", "second", "reka.ai"), cookie("b", "sub", "chat.reka.ai"),
    ]  # fmt: skip
    assert values(*held[::turn]) == {"a": "first", "b": "second"}


def test_an_expired_cookie_gives_way_to_one_that_is_not() -> None:
    """Also where it would have counted before the other."""
    held = [
        cookie("old", expires_at=EARLIER), cookie("new", "n", expires_at=LATER),
        cookie("both", "dead", expires_at=EARLIER), cookie("both", "alive", "reka.ai", expires_at=LATER),
    ]  # fmt: skip
    assert values(*held) == {"new": "n", "both": "alive"}


def test_when_all_have_expired_the_last_end_is_told() -> None:
    """An old export is called that, with a date."""
    assert refused(cookie("a", expires_at=EARLIER - 86400), cookie("b", expires_at=EARLIER)) == (
        "all cookies of space.reka.ai in the export have expired, the last on 2025-06-15 14:06 UTC"
    )


def test_cookies_of_another_site_are_called_so() -> None:
    """The sites found are named, the first five of many."""
    assert refused(cookie(host="chat.example"), cookie(host="b.example")) == (
        "the export holds cookies of b.example, chat.example, but none of space.reka.ai or reka.ai"
    )
    assert "4.example and others, but" in refused(*[cookie(host=f"{n}.example") for n in range(9)])


def test_no_cookies_at_all() -> None:
    """So is an export that holds none."""
    assert refused() == "the export holds no cookie of space.reka.ai or reka.ai"


def test_a_required_cookie_may_come_in_pieces() -> None:
    """NAME.0 and NAME.1 are NAME, and end when the first of them does."""
    found = read(cookie("appSession.0", expires_at=LATER), cookie("appSession.1", expires_at=LATER - 1), recipe=RECIPE)
    assert found.fields == (Field(name="appSession", kind="cookie", expires_at=LATER - 1),)
    assert found.others == 0


@pytest.mark.parametrize(
    "held",
    [
        [cookie("theme")],
        [cookie("theme"), cookie(value="")],
        [cookie("appSession.1")],
        [cookie("theme"), cookie("appSession.x")],
    ],
)
def test_a_missing_cookie_is_named(held: list[Cookie]) -> None:
    """Absent, empty or the second piece only."""
    assert refused(*held, recipe=RECIPE) == "the cookie appSession is not in the export, and a session needs it"


@pytest.mark.parametrize("name", ["appSession", "appSession.0"])
def test_an_expired_required_cookie_is_told_apart_from_a_missing_one(name: str) -> None:
    """The person learns that the export is old, not that it is wrong."""
    assert refused(cookie(name, expires_at=EARLIER), cookie("theme"), recipe=RECIPE) == (
        "the cookie appSession expired on 2025-06-15 14:06 UTC, and a session needs it"
    )
