"""What came in, as it is told: names of the recipe, ends and places, and what is of no use is refused."""

from __future__ import annotations

from pathlib import Path

import pytest

import polychat.signin
from polychat import providers
from polychat.credentials import ApiKey, BearerToken, Credential, Secret, SessionCookies, SignIn
from polychat.errors import BadOption
from polychat.signin import found
from polychat.signin.found import Field, Found

RECIPE = SignIn(url="https://chat.example", cookies=("sid", "other"))
NOW = 1000.0


def of(credential: Credential) -> Found:
    return found.of(RECIPE, credential, where="stdin", places={"sid": "here"}, now=lambda: NOW)


def test_a_key_is_one_field() -> None:
    """It has no end that is known."""
    key = ApiKey(key=Secret("sk-canary"))
    assert of(key) == Found(credential=key, where="stdin", fields=(Field(name="key", kind="key"),))


def test_a_token_tells_its_end() -> None:
    """When it has one."""
    token = BearerToken(token=Secret("canary"), expires_at=NOW + 1)
    assert of(token).fields == (Field(name="access token", kind="token", expires_at=NOW + 1),)


def test_a_session_is_told_by_the_recipes_names() -> None:
    """Other cookies are counted: what looks like a name may be a piece of a token."""
    session = SessionCookies(cookies=dict.fromkeys(["sid.0", "sid.1", "canary"], Secret("x")), ends_at=NOW + 1)
    told = of(session)
    assert told.fields == (Field(name="sid", kind="cookie", expires_at=NOW + 1, place="here"),)
    assert told.others == 1
    assert "canary" not in repr(told.fields)


def test_a_token_that_has_ended_is_refused() -> None:
    """With the date, before anybody asks the service."""
    for ended, told in ((NOW, "00:16"), (-1e300, "00:00")):
        with pytest.raises(BadOption, match=rf"^the access token expired on 1970-01-01 {told} UTC\n"):
            of(BearerToken(token=Secret("canary"), expires_at=ended))


@pytest.mark.parametrize("key", ["", "can\nary", "canary\r", "canаry with Cyrillic"])
@pytest.mark.parametrize("bearer", [True, False])
def test_a_key_that_no_header_can_carry_is_refused(key: str, bearer: bool) -> None:
    """Two lines, or no plain ASCII; it is not repeated."""
    with pytest.raises(BadOption) as caught:
        of(BearerToken(token=Secret(key)) if bearer else ApiKey(key=Secret(key)))
    assert str(caught.value).startswith("the key or token is empty, has a line end, or is not plain ASCII\n")


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("https://ann:canary@Chat.Example:8443/canary?x", "https://chat.example:8443"),
        ("http://chat.example", "http://chat.example"),
        ("https://chat.example:canary/", ""),
        ("https://[canary", ""),
        ("https:///canary", ""),
        ("wss://canary/", ""),
        ("data:canary", ""),
        ("https://a\x1b(b.example/", "https://ab.example"),
    ],
)
def test_an_address_is_told_by_its_origin(url: str, expected: str) -> None:
    """No name, no password, no path, nothing that steers a terminal."""
    assert found.site(url) == expected


def test_no_way_knows_a_service() -> None:
    """A recipe is data: no name, host or cookie of a service stands in the sources of this room."""
    recipes = [providers.load(name).info for name in providers.names()]
    names = {word for info in recipes for word in (info.name, info.label, *info.sign_in.domains, *info.sign_in.cookies)}
    sources = {
        path.name: path.read_text("utf-8").lower() for path in Path(str(polychat.signin.__file__)).parent.glob("*.py")
    }
    assert len(sources) > 5
    assert [(path, name) for path, text in sources.items() for name in names if name.lower() in text] == []
