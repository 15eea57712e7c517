"""What counts as a sign-in, without a browser."""

from __future__ import annotations

from typing import Any

import pytest

from polychat.credentials import BearerToken, Secret, SessionCookies, SignIn
from polychat.errors import BadOption
from polychat.signin.found import Cookie, Field, Found
from polychat.signin.sighting import Ended, Sighting, belongs, cookie_domains, login_page, read_cookies

HOME = "https://chat.example"
PLAIN = SignIn(url="https://chat.example/talk", cookies=("sid",), domains=("chat.example",))
GATED = SignIn(
    url="https://chat.example",
    cookies=("sid",),
    domains=("chat.example",),
    headers=("x-device",),
    gate_headers={"x-proof": "proof"},
)
JWT = "eyJhbGciOiJub25lIn0.eyJleHAiOiAxMjM0fQ."  # ends at 1234


def cookie(name: str, value: str = "value", **more: Any) -> Cookie:
    """One cookie."""
    return Cookie(name=name, value=Secret(value), **more)


def sighting(recipe: SignIn, *cookies: str, bearer: str | None = None) -> Sighting:
    """One that has seen these."""
    seen = Sighting(recipe, [HOME])
    seen.holds(cookie(name) for name in cookies)
    if bearer:
        seen.requested({"authorization": f"Bearer {bearer}"})
    return seen


@pytest.mark.parametrize(
    ("seen", "expected"),
    [
        (sighting(PLAIN), (False, False)),
        (sighting(PLAIN, "other"), (False, False)),
        (sighting(PLAIN, "sid"), (True, True)),
        (sighting(PLAIN, "sid.0", "sid.1"), (True, True)),
        (sighting(GATED, "sid"), (True, False)),
        (sighting(GATED, "sid", bearer="t"), (True, True)),
        (sighting(GATED, "other", bearer="t"), (True, True)),
        (sighting(GATED, bearer="t"), (False, False)),
    ],
)
def test_what_makes_a_sign_in(seen: Sighting, expected: tuple[bool, bool]) -> None:
    """The recipe's cookies, whole or split, or others beside a token; a token too where requests carry more."""
    assert (seen.signed_in, seen.complete) == expected


def test_an_empty_cookie_is_none() -> None:
    """A cookie that was emptied, as a logout does, is no session."""
    seen = Sighting(PLAIN, [HOME])
    seen.holds([cookie("sid", "")])
    assert not seen.signed_in
    assert seen.missing == ("sid",)


def test_the_newest_of_each_is_kept() -> None:
    """Named headers and gate tokens go by what was sent last; the token tells its own end; the rest is left."""
    seen = Sighting(GATED, [HOME], now=lambda: 1000)
    seen.holds([cookie("sid", "old"), cookie("sid", expires_at=2000)])
    seen.requested({"authorization": "Bearer old"})
    seen.requested({"x-device": "one", "x-proof": "first", "referer": "elsewhere", "cookie": "sid=of-the-request"})
    seen.requested({"x-proof": "second", "authorization": f"bearer {JWT}"})
    seen.requested({"authorization": "Basic of-somebody"})
    assert seen.credential() == SessionCookies(
        cookies={"sid": Secret("value")},
        ends_at=2000,
        token=Secret(JWT),
        expires_at=1234,
        headers={"x-device": Secret("one")},
        gate_tokens={"proof": Secret("second")},
    )


def test_cookies_are_those_of_now() -> None:
    """What the browser holds no longer is gone."""
    seen = sighting(PLAIN, "sid", "gone")
    seen.holds([cookie("sid", "new")])
    assert seen.credential() == SessionCookies(cookies={"sid": Secret("new")})


def test_what_has_ended_is_left_out_and_known() -> None:
    """An old token does not replace a good one, and an expired cookie is none."""
    seen = Sighting(GATED, [HOME], now=lambda: 1234)
    seen.requested({"authorization": "Bearer good"})
    seen.requested({"authorization": f"Bearer {JWT}"}, "entry 2")
    seen.holds([cookie("sid", expires_at=1234, place="entry 1"), cookie("other", expires_at=1235)])
    assert seen.credential() == SessionCookies(cookies={"other": Secret("value")}, token=Secret("good"))
    assert seen.ended == {"access token": Ended(1234, "entry 2"), "sid": Ended(1234, "entry 1")}


def test_a_session_without_its_cookie_lives_as_long_as_its_token() -> None:
    """There is nothing to fetch another with."""
    seen = Sighting(GATED, [HOME], now=lambda: 0)
    seen.holds([cookie("other", expires_at=99)])
    seen.bears(Secret(JWT))
    assert (seen.credential().ends_at, seen.credential().expires_at) == (1234, 1234)


def test_what_was_found_is_told_by_name_and_place() -> None:
    """The names of the recipe, with end and place; the other cookies are counted."""
    seen = Sighting(GATED, [HOME], now=lambda: 0)
    seen.holds([cookie("sid.0", place="entry 1", expires_at=9), cookie("sid.1", expires_at=8), cookie("other")])
    seen.requested({"authorization": f"Bearer {JWT}", "x-device": "d", "x-proof": "p"}, "entry 2")
    assert seen.found("the file") == Found(
        credential=seen.credential(),
        where="the file",
        fields=(
            Field(name="sid", kind="cookie", expires_at=8, place="entry 1"),
            Field(name="access token", kind="token", expires_at=1234, place="entry 2"),
            Field(name="proof token", kind="gate", place="entry 2"),
            Field(name="x-device", kind="header", place="entry 2"),
        ),
        others=1,
    )


def test_a_token_alone_is_a_bearer() -> None:
    """Without any cookie there is no session to carry headers for."""
    seen = Sighting(GATED, [HOME], now=lambda: 0)
    seen.requested({"authorization": f"Bearer {JWT}", "x-device": "d"})
    assert seen.found("it").credential == BearerToken(token=Secret(JWT), expires_at=1234)


@pytest.mark.parametrize(
    "cookies",
    [[cookie("a", "canary\r\nx: 1")], [cookie("a", "canary; b=2")], [cookie("canary\n")], [cookie("a b", "canary")]],
)
def test_a_cookie_that_would_break_out_of_its_header_is_refused(cookies: list[Cookie]) -> None:
    """A line end or semicolon never reaches a request."""
    with pytest.raises(BadOption, match=r"^a cookie has a name or value that a Cookie header cannot carry$"):
        Sighting(PLAIN).holds(cookies)


@pytest.mark.parametrize("name", ["x-device", "x-proof", "authorization"])
def test_so_is_a_header(name: str) -> None:
    """Whichever of them it is; the value is not repeated."""
    with pytest.raises(BadOption) as caught:
        Sighting(GATED).requested({name: "Bearer canary\nx: 1"})
    assert str(caught.value) == f"the header {name} has a value that no header can carry"


def test_a_cookie_header_is_read_pair_by_pair() -> None:
    """What is no pair is no cookie."""
    assert read_cookies(" a=1=2;; b=; nameless; =x", "here") == [
        cookie("a", "1=2", place="here"),
        cookie("b", "", place="here"),
    ]


def test_a_sandboxes_cookies_are_its_own_hosts_too() -> None:
    """The recipe's domains, and where the service stands elsewhere that host before them."""
    assert cookie_domains(PLAIN, HOME) == ("chat.example",)
    assert cookie_domains(PLAIN, "http://127.0.0.1:1/chat") == ("127.0.0.1", "chat.example")


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("https://chat.example/", True),
        ("https://chat.example/api?x", True),
        ("http://chat.example/", False),
        ("https://chat.example.evil/", False),
        ("https://chat.example:8443/", False),
        ("https://other.example/https://chat.example/", False),
    ],
)
def test_only_requests_to_the_service_concern(url: str, expected: bool) -> None:
    """Scheme, host and port are the service's own."""
    assert Sighting(PLAIN, [HOME]).concerns(url) is expected


def test_a_service_may_share_its_origin() -> None:
    """A host with a path does not stand for its neighbours."""
    seen = Sighting(PLAIN, ["http://127.0.0.1:8765/chatgpt"])
    assert seen.concerns("http://127.0.0.1:8765/chatgpt/me")
    assert not seen.concerns("http://127.0.0.1:8765/chatgpt2/me")


@pytest.mark.parametrize(
    ("recipe", "home", "expected"),
    [
        (PLAIN, "https://chat.example", "https://chat.example/talk"),
        (PLAIN, "http://127.0.0.1:1/chat", "http://127.0.0.1:1/chat/talk"),
        (GATED, "http://127.0.0.1:1/chat", "http://127.0.0.1:1/chat/"),
    ],
)
def test_a_sandbox_has_the_same_login_page(recipe: SignIn, home: str, expected: str) -> None:
    """The recipe's own page, or its path where the service stands elsewhere."""
    assert login_page(recipe, home) == expected


def test_a_domain_covers_what_is_below_it() -> None:
    """Subdomains belong; a name that merely ends alike does not."""
    assert belongs("https://auth.chat.example/login", ["chat.example"])
    assert not belongs("https://evilchat.example/login", ["chat.example"])
