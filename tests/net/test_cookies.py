"""The cookies of one account."""

from __future__ import annotations

import string
import time
from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from polychat.credentials import Secret
from polychat.net.cookies import CookieJar

NOW = 1_445_412_480.0  # Wed, 21 Oct 2015 07:28:00 GMT
SITE = "https://space.example.com"


@pytest.fixture(autouse=True)
def far_east(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """A local time far from UTC, which dates without a zone are not to be read in."""
    with monkeypatch.context() as patch:
        patch.setenv("TZ", "JST-9")
        time.tzset()
        yield
    time.tzset()


class Clock:
    """A clock that stands still until it is moved."""

    def __init__(self) -> None:
        self.now = NOW

    def __call__(self) -> float:
        return self.now


def jar_with(*set_cookies: str, url: str = f"{SITE}/bff/auth/token") -> CookieJar:
    jar = CookieJar(now=Clock())
    jar.absorb(url, set_cookies)
    return jar


def revealed(cookies: dict[str, Secret]) -> dict[str, str]:
    return {name: value.reveal() for name, value in cookies.items()}


PRELOADED = [
    (SITE, f"{SITE}/any/path?x", "a=1"),
    (SITE, f"{SITE}:8443/", "a=1"),
    (SITE, "https://SPACE.example.com/", "a=1"),
    (SITE, "http://space.example.com/", None),
    (SITE, "https://sub.space.example.com/", None),
    (SITE, "https://example.com/", None),
    (SITE, "https://space.example.com.evil.test/", None),
    ("http://127.0.0.1:8765", "http://127.0.0.1:8765/reka", "a=1"),
    ("http://127.0.0.1:8765", "http://127.0.0.2:8765/reka", None),
]


@pytest.mark.parametrize(("origin", "url", "expected"), PRELOADED)
def test_preloaded_cookies_go_to_their_host_only(origin: str, url: str, expected: str | None) -> None:
    """What a person hands over goes to exactly the host it is for, on every path, and not in the clear."""
    jar = CookieJar()
    jar.preload(origin, {"a": Secret("1")})
    assert (jar.header(url), jar.changed) == (expected, False)


SCOPES = [
    # Set-Cookie, then where it is asked for, and whether it goes there
    ("a=1", f"{SITE}/bff/auth", True),
    ("a=1", f"{SITE}/bff/auth/", True),
    ("a=1", f"{SITE}/bff/auth/me", True),
    ("a=1", f"{SITE}/bff/authority", False),
    ("a=1", f"{SITE}/", False),
    ("a=1; Path=/", f"{SITE}/", True),
    ("a=1; Path=/", SITE, True),
    ("a=1; path = / ", f"{SITE}/x", True),
    ("a=1; Path=relative", f"{SITE}/bff/auth/me", True),
    ("a=1; Path=relative", f"{SITE}/", False),
    ("a=1; Path=/api/", f"{SITE}/api", False),
    ("a=1; Path=/api/", f"{SITE}/api/x", True),
    ("a=1; Path=/; Path=/api", f"{SITE}/", False),
    ("a=1; Path=/", "https://sub.space.example.com/", False),
    ("a=1; Path=/; Domain=example.com", "https://other.example.com/", True),
    ("a=1; Path=/; Domain=.Example.COM", "https://example.com/", True),
    ("a=1; Path=/; Domain=example.com", "https://badexample.com/", False),
    ("a=1; Path=/; Domain=space.example.com", "https://sub.space.example.com/", True),
    ("a=1; Path=/; Domain=", "https://sub.space.example.com/", False),
    ("a=1; Path=/; Domain=com", f"{SITE}/", False),
    ("a=1; Path=/; Domain=other.com", f"{SITE}/", False),
    ("a=1; Path=/; Domain=sub.space.example.com", f"{SITE}/", False),
    ("a=1; Path=/; Secure", f"{SITE}/", True),
    ("a=1; Path=/; Secure", "http://space.example.com/", False),
    ("a=1; Path=/", "http://space.example.com/", True),
    ("a=1; Path=/; HttpOnly; SameSite=Lax; Partitioned", f"{SITE}/", True),
]


@pytest.mark.parametrize(("field", "url", "goes"), SCOPES)
def test_scope_is_that_of_the_rfc(field: str, url: str, goes: bool) -> None:
    """Domain, path and Secure decide where a cookie goes, as in RFC 6265."""
    assert jar_with(field).header(url) == ("a=1" if goes else None)


@pytest.mark.parametrize("field", ["", ";", "a", "=1", "  =1; Path=/", "a\x00b=1; Path=/", "a=1\r\nx: y; Path=/"])
def test_malformed_cookies_are_ignored(field: str) -> None:
    """A field without a name, or with control characters, leaves no trace."""
    jar = jar_with(field)
    assert (jar.names(), jar.changed) == ((), False)


def test_insecure_origin_sets_no_secure_cookie() -> None:
    """Only https, or loopback, may set what only https may see."""
    assert jar_with("a=1; Secure; Path=/", url="http://space.example.com/").names() == ()
    loopback = "http://127.0.0.1:8765/reka/x"
    assert jar_with("a=1; Secure; Path=/", url=loopback).header(loopback) == "a=1"
    assert jar_with("a=1; Secure; Path=/", url="http://localhost/").header("http://localhost/") == "a=1"


@pytest.mark.parametrize("domain", ["127.0.0.1", "0.0.1", "localhost", ""])
def test_address_has_no_subdomains(domain: str) -> None:
    """A cookie of an IP address goes to that address and nowhere else."""
    jar = jar_with(f"a=1; Path=/; Domain={domain}", url="http://127.0.0.1/")
    taken = domain in ("127.0.0.1", "")
    assert (jar.header("http://127.0.0.1/"), jar.names()) == (("a=1", ("a",)) if taken else (None, ()))
    assert jar.header("http://1.127.0.0.1/") is None


LIVES = [
    ("", None),
    ("; Max-Age=60", 60.0),
    ("; Max-Age=soon", None),
    ("; Max-Age=60; Expires=Wed, 21 Oct 2015 07:28:10 GMT", 60.0),
    ("; Expires=Wed, 21 Oct 2015 07:28:10 GMT", 10.0),
    ("; Expires=Wed, 21-Oct-2015 07:28:10 GMT", 10.0),
    ("; Expires=Wednesday, 21-Oct-15 07:28:10 GMT", 10.0),
    ("; Expires=Wed Oct 21 07:28:10 2015", 10.0),
    ("; Expires=whenever", None),
    (f"; Expires=Wed, 21 Oct 2015 07:28:30 +{'9' * 30}", None),
]


@pytest.mark.parametrize(("attributes", "life_s"), LIVES)
def test_cookies_end_when_they_say(attributes: str, life_s: float | None) -> None:
    """Max-Age counts before Expires, every usual date is read, and the rest lives as long as the jar."""
    clock = Clock()
    jar = CookieJar(now=clock)
    jar.absorb(SITE, [f"a=1{attributes}"])
    clock.now = NOW + (life_s or 1e9) - 0.5
    assert jar.header(SITE) == "a=1"
    clock.now = NOW + (life_s or 1e9)
    assert jar.header(SITE) == (None if life_s else "a=1")


@pytest.mark.parametrize("end", ["Max-Age=0", "Max-Age=-1", "Expires=Thu, 01 Jan 1970 00:00:00 GMT"])
def test_service_deletes_its_cookie(end: str) -> None:
    """A cookie that ends in the past is gone, and that is a change."""
    jar = jar_with("a=1; Path=/", "b=2; Path=/")
    jar.changed = False
    jar.absorb(SITE, [f"a=; Path=/; {end}"])
    assert (jar.header(SITE), jar.names(), jar.get("a"), jar.changed) == ("b=2", ("b",), None, True)


def test_longest_path_goes_first_then_the_oldest() -> None:
    """The order of the header is that of RFC 6265, and a new value keeps its cookie's age."""
    jar = jar_with("a=1; Path=/", "b=2; Path=/", "c=3; Path=/bff", "a=9; Path=/")
    assert jar.header(f"{SITE}/bff") == "c=3; a=9; b=2"


@pytest.mark.parametrize("field", ["s=new; Path=/", "s=new; Path=/; Domain=example.com"])
def test_renewed_cookie_replaces_the_one_handed_over(field: str) -> None:
    """A service that renews a person's cookie for the whole site does not get the old one beside it."""
    jar = CookieJar()
    jar.preload(SITE, {"s": Secret("old"), "t": Secret("kept")})
    jar.absorb(SITE, [field])
    assert revealed(jar.export(SITE)) == {"s": "new", "t": "kept"}
    assert sorted(str(jar.header(SITE)).split("; ")) == ["s=new", "t=kept"]
    assert jar.changed


def test_cookie_of_one_folder_leaves_the_one_handed_over() -> None:
    """A cookie for part of a site stands beside the person's, which remains the site's."""
    jar = CookieJar()
    jar.preload(SITE, {"s": Secret("old")})
    jar.absorb(f"{SITE}/bff/auth", ["s=new"])
    assert jar.header(f"{SITE}/bff") == "s=new; s=old"
    assert revealed(jar.export(SITE)) == {"s": "old"}


def test_same_value_again_is_no_change() -> None:
    """A vault is not written for nothing."""
    jar = CookieJar()
    jar.preload(SITE, {"s": Secret("x")})
    jar.absorb(SITE, ["s=x; Path=/; Max-Age=60"])
    assert not jar.changed


def test_export_is_of_one_origin() -> None:
    """Only what that origin would be sent leaves the jar."""
    jar = jar_with("a=1; Path=/", "b=2; Path=/; Domain=example.com")
    jar.preload("https://auth.example.com", {"c": Secret("3")})
    assert revealed(jar.export("https://auth.example.com")) == {"b": "2", "c": "3"}


def test_jar_shows_names_only() -> None:
    """No value reaches a repr."""
    jar = jar_with("session=canary; Path=/")
    assert repr(jar) == "CookieJar(session)"
    assert jar.get("session") == Secret("canary")


VALUES = [
    "sandbox-alice",
    "YWxpY2U=",
    "a==",
    "a|b",
    "%7B%22x%22%3A1%7D",
    '"quoted"',
    "a b",
    "a,b",
    "{}[]",
    "\\",
    "é",
    "",
]


@pytest.mark.parametrize("value", VALUES)
def test_usual_values_go_back_as_they_came(value: str) -> None:
    """Base64, percent signs, quotes, pipes, commas and blanks are not touched."""
    assert jar_with(f"a={value}; Path=/").header(SITE) == f"a={value}"


@given(
    name=st.text(string.ascii_letters + string.digits + "!#$%&'*+-.^_`|~", min_size=1),
    value=st.text(st.characters(exclude_categories=["Cc", "Cs"], exclude_characters=";")).map(
        lambda text: text.strip(" \t")
    ),
)
def test_any_value_goes_back_as_it_came(name: str, value: str) -> None:
    """Every value a Set-Cookie field can hold survives byte for byte, handed over or set."""
    assert jar_with(f"{name}={value}; Path=/").header(SITE) == f"{name}={value}"
    jar = CookieJar()
    jar.preload(SITE, {name: Secret(value)})
    assert jar.header(SITE) == f"{name}={value}"
