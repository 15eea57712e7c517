"""`Reka` as its page describes it: attributes, both forms of call, and what is raised without an account."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any

import pytest

from polychat.errors import AuthExpired, BadOption, NoAccount, Unavailable
from polychat.g4f import Provider
from polychat.g4f.cookies import set_cookies
from polychat.g4f.Provider import Reka, needs_auth
from polychat.g4f.providers import AbstractProvider
from polychat.sandbox.server import Sandbox

HELLO: list[dict[str, Any]] = [{"role": "user", "content": "Hello"}]


def test_attributes_are_those_of_the_page() -> None:
    """The class has the attributes the page lists, under both of its addresses."""
    assert issubclass(Reka, AbstractProvider)
    assert Provider.Reka is needs_auth.Reka
    assert (Reka.domain, Reka.url) == ("space.reka.ai", "https://space.reka.ai")
    assert (Reka.working, Reka.needs_auth, Reka.supports_stream) == (True, True, True)
    assert (Reka.default_vision_model, Reka.cookies) == ("reka", {})


@pytest.mark.parametrize(
    ("image", "filename", "media_type"),
    [(b"no picture", "image.png", "image/png"), (b"GIF89a...", "image.gif", "image/gif")],
)
def test_every_form_of_upload_sends_the_same(reka: Sandbox, image: bytes, filename: str, media_type: str) -> None:
    """Class first, class method, names and instance: the same bytes arrive under the type they have, or png."""
    urls = [
        Reka.upload_image(Reka, "sandbox-bob", image),
        Reka.upload_image("sandbox-bob", image),
        Reka.upload_image(access_token="sandbox-bob", image=image),
        Reka().upload_image("sandbox-bob", image),
    ]
    assert len(set(urls)) == 4
    entries = reka.journal(service="reka", path="/api/upload-image")
    seen = [(entry.account, part.filename, part.media_type, part.sha256) for entry in entries for part in entry.parts]
    assert seen == [("sandbox-bob", filename, media_type, hashlib.sha256(image).hexdigest())] * 4


def test_upload_takes_an_open_file(reka: Sandbox, home: Path) -> None:
    """A picture may be given as an open file; its type comes from its bytes."""
    with (home / "docs/images/cat.jpeg").open("rb") as file:
        Reka.upload_image("sandbox-bob", file)
    (entry,) = reka.journal(service="reka", path="/api/upload-image")
    assert [(part.filename, part.media_type) for part in entry.parts or ()] == [("image.jpg", "image/jpeg")]


@pytest.mark.parametrize(("image", "said"), [(b"", "empty"), ("https://example.com/cat.png", "URL")])
def test_upload_refuses_what_has_no_bytes(reka: Sandbox, image: Any, said: str) -> None:
    """Nothing is sent for an empty picture or a bare URL."""
    with pytest.raises(BadOption, match=said) as raised:
        Reka.upload_image("sandbox-bob", image)
    assert raised.value.field == "image"
    assert reka.journal(service="reka") == []


def test_every_form_of_get_access_token_gives_the_same(reka: Sandbox) -> None:
    """The token is text, fetched once however often and in whatever form it is asked for."""
    tokens = [Reka.get_access_token(), Reka.get_access_token(Reka), Reka().get_access_token()]
    assert len(set(tokens)) == 1
    assert [type(token) for token in tokens] == [str] * 3
    assert len(reka.journal(service="reka", path="/bff/auth/access_token")) == 1


def test_completion_and_token_share_a_session(reka: Sandbox) -> None:
    """Two completions and a token cost one sign-in."""
    for _ in range(2):
        assert "Hello" in "".join(Reka.create_completion(model="reka-core", messages=HELLO, stream=True))
    Reka.get_access_token()
    assert len(reka.journal(service="reka", path="/bff/auth/access_token")) == 1


@pytest.mark.parametrize("ask", [lambda: list(Reka.create_completion("reka", HELLO, True)), Reka.get_access_token])
def test_no_account_is_a_value_error(home: Path, ask: Any) -> None:
    """Without cookies, token and kept account a `ValueError` says how to sign in, and nothing is sent."""
    with pytest.raises(NoAccount, match="log in at") as raised:
        ask()
    assert isinstance(raised.value, ValueError)
    assert raised.value.code == "no_account"


@pytest.mark.parametrize("ask", [lambda: list(Reka.create_completion("reka", HELLO, True)), Reka.get_access_token])
def test_cookies_without_app_session_are_a_value_error(reka: Sandbox, ask: Any) -> None:
    """Cookies of the right domain that hold no `appSession` are a `ValueError` that names it; nothing is sent."""
    set_cookies("space.reka.ai", {"theme": "dark"})
    with pytest.raises(ValueError, match="appSession"):
        ask()
    assert reka.journal(service="reka") == []


@pytest.mark.parametrize("looks", ["redirect", "html", "unauthorized"])
def test_an_ended_session_is_a_value_error(reka: Sandbox, looks: str) -> None:
    """A session that the service no longer knows is a `ValueError`, however the service shows it."""
    reka.knobs("reka", expired_session=looks)
    set_cookies("space.reka.ai", {"appSession": "long-gone"})
    with pytest.raises(AuthExpired) as raised:
        Reka.get_access_token()
    assert isinstance(raised.value, ValueError)
    assert (raised.value.provider, raised.value.account) == ("reka", "given@reka")
    assert "long-gone" not in str(raised.value)


@pytest.mark.parametrize(
    "ask",
    [
        lambda: list(Reka.create_completion("reka", HELLO, True, api_key="nobody-knows-me")),
        lambda: Reka.upload_image("nobody-knows-me", b"data"),
    ],
)
def test_a_refused_token_is_a_value_error(reka: Sandbox, ask: Any) -> None:
    """A token that is not accepted is a `ValueError` and an `AuthExpired` with its hint, and is not repeated."""
    with pytest.raises(AuthExpired, match=r"hint: (give another api_key|sign in again)") as raised:
        ask()
    assert isinstance(raised.value, ValueError)
    assert raised.value.provider == "reka"
    assert "nobody-knows-me" not in str(raised.value)


def test_a_token_that_cannot_be_had_is_a_value_error(reka: Sandbox) -> None:
    """Also when the service is down, `get_access_token` raises the `ValueError` of its page."""
    reka.fault("reka", "status", code=400, path="/bff/*")
    with pytest.raises(ValueError, match="400"):
        Reka.get_access_token()


def test_other_failures_are_no_value_errors(reka: Sandbox) -> None:
    """Trouble after the sign-in keeps its own class alone: a page's `except ValueError` does not hide it."""
    reka.fault("reka", "status", code=501, path="/api/chat")
    with pytest.raises(Unavailable) as raised:
        list(Reka.create_completion("reka", HELLO, True, api_key="sandbox-bob"))
    assert not isinstance(raised.value, ValueError)
