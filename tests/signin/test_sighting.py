"""What counts as a sign-in, without a browser."""

from __future__ import annotations

import pytest

from polychat.credentials import Secret, SessionCookies, SignIn
from polychat.signin.sighting import Sighting, belongs, login_page

HOME = "https://chat.example"
PLAIN = SignIn(url="https://chat.example/talk", cookies=("sid",), domains=("chat.example",))
GATED = SignIn(
    url="https://chat.example",
    cookies=("sid",),
    domains=("chat.example",),
    headers=("x-device",),
    gate_headers={"x-proof": "proof"},
)
JWT = "eyJhbGciOiJub25lIn0.eyJleHAiOiAxMjM0fQ."


def sighting(recipe: SignIn, *cookies: str, bearer: str | None = None) -> Sighting:
    """One that has seen these."""
    seen = Sighting(recipe, [HOME])
    seen.holds({name: Secret("value") for name in cookies})
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
    seen.holds({"sid": Secret("")})
    assert not seen.signed_in


def test_the_newest_of_each_is_kept() -> None:
    """Named headers and gate tokens go by what was sent last; the token tells its own end; the rest is left."""
    seen = sighting(GATED, "sid", bearer="old")
    seen.requested({"x-device": "one", "x-proof": "first", "referer": "elsewhere", "cookie": "sid=of-the-request"})
    seen.requested({"x-proof": "second", "authorization": f"bearer {JWT}"})
    seen.requested({"authorization": "Basic of-somebody"})
    assert seen.credential() == SessionCookies(
        cookies={"sid": Secret("value")},
        token=Secret(JWT),
        expires_at=1234,
        headers={"x-device": Secret("one")},
        gate_tokens={"proof": Secret("second")},
    )


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
