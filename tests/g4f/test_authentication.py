"""`AuthResult` and credential: what counts as what, and what is refused."""

from __future__ import annotations

import base64
import json
from typing import Any

import pytest

from polychat.credentials import BearerToken, Secret, SessionCookies
from polychat.errors import BadOption, NoAccount
from polychat.g4f import authentication
from polychat.g4f.providers.response import AuthResult


def jwt(**claims: Any) -> str:
    """An unsigned token."""
    payload = base64.urlsafe_b64encode(json.dumps(claims).encode()).rstrip(b"=").decode()
    return f"e30.{payload}.x"


def credential(**given: Any) -> object:
    """What an `AuthResult` of these proves itself with."""
    return authentication.credential(AuthResult(**given), provider="chatgpt")


def test_a_key_alone_is_a_bearer() -> None:
    """Empty fields beside it change nothing; when it ends is said, or found in the token."""
    assert credential(api_key="one") == BearerToken(token=Secret("one"))
    assert credential(api_key="one", cookies={}, headers={}, proof_token=None) == BearerToken(token=Secret("one"))
    assert credential(api_key=jwt(exp=7)) == BearerToken(token=Secret(jwt(exp=7)), expires_at=7.0)
    assert credential(api_key=jwt(exp=7), expires=9) == BearerToken(token=Secret(jwt(exp=7)), expires_at=9)


def test_a_session_is_more() -> None:
    """Cookies, headers and the gate's tokens make a session; its token ends when it says."""
    given = {"cookies": {"a": "b"}, "headers": {"User-Agent": "me"}, "proof_token": "p", "turnstile_token": "t"}
    assert credential(api_key=jwt(exp=7), **given) == SessionCookies(
        cookies={"a": Secret("b")},
        token=Secret(jwt(exp=7)),
        expires_at=7.0,
        headers={"user-agent": Secret("me")},
        gate_tokens={"proof": Secret("p"), "turnstile": Secret("t")},
    )
    assert credential(cookies={"a": "b"}) == SessionCookies(cookies={"a": Secret("b")})
    assert credential(api_key="one", proof_token="p") == SessionCookies(
        cookies={}, token=Secret("one"), gate_tokens={"proof": Secret("p")}
    )


def test_captured_headers_are_taken_apart() -> None:
    """Token and cookies are found in them where nothing else says; what belongs to one request is left out."""
    headers = {
        "Authorization": "Bearer one",
        "Cookie": "a=b=c; d=e",
        ":authority": "chatgpt.com",
        "Content-Length": "3",
        "OpenAI-Sentinel-Proof-Token": "p",
        "oai-language": "en",
    }
    found = SessionCookies(
        cookies={"a": Secret("b=c"), "d": Secret("e")}, token=Secret("one"), headers={"oai-language": Secret("en")}
    )
    assert credential(headers=headers) == found
    assert credential(headers=headers, api_key="two", cookies={"x": "y"}) == SessionCookies(
        cookies={"x": Secret("y")}, token=Secret("two"), headers={"oai-language": Secret("en")}
    )


@pytest.mark.parametrize("given", [{}, {"api_key": ""}, {"headers": {"accept": "*/*"}}, {"proof_token": "p"}])
def test_nobody_is_no_account(given: dict[str, Any]) -> None:
    """Neither token nor cookies: said before anything is sent, with the way to sign in."""
    with pytest.raises(NoAccount, match="hint: sign in: polychat login chatgpt"):
        credential(**given)


def test_what_a_proof_is_computed_from_is_no_proof() -> None:
    """The original keeps a list there; nothing is computed here, so it is refused, unseen."""
    with pytest.raises(BadOption, match="hint: give the value of the browser's header") as raised:
        credential(api_key="one", proof_token=[3000, "canary"])
    assert raised.value.field == "proof_token"
    assert "canary" not in str(raised.value)


def test_accounts_differ_by_their_tokens() -> None:
    """Cookies may change while a session lives, and a token may not be known."""
    one, two = BearerToken(token=Secret("one")), BearerToken(token=Secret("two"))
    session = SessionCookies(cookies={"a": Secret("b")}, token=Secret("one"))
    assert authentication.same_account(one, session)
    assert authentication.same_account(SessionCookies(cookies={}), two)
    assert not authentication.same_account(session, two)
