"""net/renewal.py: what is worth bringing home from a browser session."""

from __future__ import annotations

from polychat.credentials import BearerToken, Secret, SessionCookies
from polychat.net.cookies import CookieJar
from polychat.net.renewal import renewed

NOW = 1_800_000_000.0
HOME = "https://chat.example"
GIVEN = SessionCookies(cookies={"session": Secret("sandbox-old"), "theme": Secret("dark")}, ends_at=NOW + 60.0)


def after(*set_cookies: str, token: BearerToken | None = None, given: SessionCookies = GIVEN) -> SessionCookies | None:
    """What became of `given` after answers with these cookies."""
    jar = CookieJar(now=lambda: NOW)
    jar.preload(HOME, given.cookies)
    jar.absorb(f"{HOME}/answer", set_cookies)
    return renewed(given, jar, token, origin=HOME, essential=["session"])


def test_nothing_new_is_nothing_to_keep() -> None:
    """Also when the service says the same again."""
    assert after() is None
    assert after("session=sandbox-old; Path=/") is None


def test_a_newer_cookie_and_its_end_are_kept() -> None:
    """Beside the others, as they are."""
    assert after("session=sandbox-new; Path=/; Max-Age=3600") == SessionCookies(
        cookies={"session": Secret("sandbox-new"), "theme": Secret("dark")}, ends_at=NOW + 3600.0
    )


def test_an_end_that_is_not_told_stays_as_it_was() -> None:
    """A cookie of another name says nothing about the session's end."""
    now = after("theme=light; Path=/; Max-Age=5")
    assert now is not None
    assert (now.cookies["theme"], now.ends_at) == (Secret("light"), GIVEN.ends_at)


def test_the_first_piece_that_ends_ends_the_session() -> None:
    """A service may split a long cookie, and name it anew."""
    now = after(
        "session=; Path=/; Max-Age=0", "session.0=sandbox-a; Path=/; Max-Age=90", "session.1=b; Path=/; Max-Age=80"
    )
    assert now is not None
    assert (sorted(now.cookies), now.ends_at) == (["session.0", "session.1", "theme"], NOW + 80.0)


def test_a_session_that_the_service_ended_is_not_brought_home() -> None:
    """What the person gave stays; a sign-in again replaces it."""
    assert after("session=; Path=/; Max-Age=0", token=BearerToken(token=Secret("sandbox-token"))) is None


def test_a_fetched_token_is_kept_with_its_end() -> None:
    """So that the next process need not fetch one."""
    token = BearerToken(token=Secret("sandbox-token"), expires_at=NOW + 9.0)
    now = after(token=token)
    assert now is not None
    assert (now.token, now.expires_at, now.ends_at) == (token.token, token.expires_at, GIVEN.ends_at)
    assert after(token=token, given=now) is None
