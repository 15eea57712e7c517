"""Who is signed in, by cookie and by access token, and until when."""

from __future__ import annotations

import base64
import json

import pytest

SESSION = "/chatgpt/api/auth/session"
NAME = "__Secure-next-auth.session-token"


def claims(token: str) -> dict:
    """What an access token says."""
    head, payload, signature = token.split(".")
    assert head
    assert signature
    return json.loads(base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4)))


@pytest.mark.parametrize(
    "cookie",
    [
        f"{NAME}=sandbox-alice", f"{NAME}.1=alice; other=1; {NAME}.0=sandbox-", "session-token=sandbox-alice",
    ],
)  # fmt: skip
def test_a_session_gives_an_access_token(ask, sandbox, cookie):
    """Whole, in pieces, or under the plain name: user, expiry, and a JWT of one hour that opens `me`."""
    now = sandbox.clock(set=1_900_000_000)
    session = ask("GET", SESSION, headers={"cookie": cookie}).json
    assert session["user"]["name"] == "sandbox alice"
    assert session["expires"].startswith("2030-04-16T")
    told = claims(session["accessToken"])
    assert (told["sub"], told["exp"] - told["iat"]) == ("sandbox-alice", 3600)
    assert 0 <= told["iat"] - int(now) < 60
    me = ask("GET", "/chatgpt/backend-api/me", headers={"authorization": f"Bearer {session['accessToken']}"})
    assert (me.json["name"], me.json["email"]) == ("sandbox alice", "sandbox.alice@example.org")


@pytest.mark.parametrize("headers", [{}, {"cookie": f"{NAME}=mallory"}, {"cookie": f"x{NAME}=sandbox-alice"}])
def test_nobody_has_an_empty_session(ask, headers):
    """`{}` with 200."""
    answer = ask("GET", SESSION, headers=headers)
    assert (answer.status, answer.json) == (200, {})


def test_a_session_ends(ask, sandbox):
    """By the sandbox clock."""
    sandbox.knobs("chatgpt", session_ttl_s=100)
    cookie = {"cookie": f"{NAME}=sandbox-alice"}
    assert ask("GET", SESSION, headers=cookie).json["user"]
    sandbox.clock(advance_s=101)
    assert ask("GET", SESSION, headers=cookie).json == {}


def test_an_access_token_ends(ask, sandbox):
    """401 with the code `token_expired`; a new one from the session works."""
    cookie = {"cookie": f"{NAME}=sandbox-alice"}

    def me(token: str):
        return ask("GET", "/chatgpt/backend-api/me", headers={"authorization": f"Bearer {token}"})

    token = ask("GET", SESSION, headers=cookie).json["accessToken"]
    sandbox.clock(advance_s=3601)
    refused = me(token)
    assert (refused.status, refused.json["detail"]["code"]) == (401, "token_expired")
    assert me(ask("GET", SESSION, headers=cookie).json["accessToken"]).status == 200


@pytest.mark.parametrize(
    ("headers", "detail"),
    [
        ({}, "Unauthorized"),
        ({"authorization": "Basic x"}, "Unauthorized"),
        ({"authorization": "Bearer mallory"}, "invalid_jwt"),
        ({"authorization": "Bearer a.b.c"}, "invalid_jwt"),
        ({"authorization": "Bearer e30.eyJzdWIiOiJzYW5kYm94LWFsaWNlIiwiZXhwIjoic29vbiJ9.x"}, "token_expired"),
        ({"authorization": "Bearer e30.eyJzdWIiOiJtYWxsb3J5IiwiZXhwIjo5OTk5OTk5OTk5fQ.x"}, "invalid_jwt"),
        ({"cookie": f"{NAME}=sandbox-alice"}, "Unauthorized"),
    ],
)
@pytest.mark.parametrize("path", ["/me", "/models", "/conversations", "/celsius/ws/user", "/synthesize"])
def test_a_stranger_gets_nowhere(ask, path, headers, detail):
    """401, without a token by a sentence, with a wrong one by a code; a cookie is no token."""
    answer = ask("GET", f"/chatgpt/backend-api{path}", headers=headers)
    said = answer.json["detail"]
    assert (answer.status, said if isinstance(said, str) else said["code"]) == (401, detail)


def test_a_token_can_expire_in_the_middle_of_a_stream(web, sandbox):
    """The generic fault works: the bearer is not accepted any more."""
    reply = web.send(web.body("Hi"), "expired_mid_stream; after=8")
    assert reply.status == 200
    refused = web.ask("GET", "/me")
    assert (refused.status, refused.json["detail"]["code"]) == (401, "token_expired")


def test_an_account_has_a_plan(web):
    """`accounts/check`."""
    account = web.ask("GET", "/accounts/check/v4-2023-04-27").json["accounts"]["default"]
    assert account["account"]["plan_type"] == "free"


def test_an_added_person_is_let_in(web, sandbox):
    """From the moment the control plane names them."""
    web.person = "sandbox-carol"
    assert web.ask("GET", "/me").status == 401
    sandbox.add_account("sandbox-carol")
    assert web.ask("GET", "/me").json["name"] == "sandbox carol"
    assert web.turn("Hi").text.startswith("You asked")
