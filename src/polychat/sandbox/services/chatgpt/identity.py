"""Who asks: the session cookie for pages, the access token for everything below `/backend-api`.

A person's own name is a session and an access token. Any unsigned JWT with such a name as `sub` is a token until its
`exp`. The session travels as `__Secure-next-auth.session-token`, whole or in pieces `.0`, `.1`; a browser refuses that
name over plain HTTP, so the login page sets a plain `session-token`, which is accepted as well.
"""

from __future__ import annotations

import hashlib
import re
from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlsplit

from starlette.responses import Response

from polychat.sandbox.call import Call, json
from polychat.sandbox.services.chatgpt import refusals
from polychat.sandbox.services.chatgpt.knobs import Knobs
from polychat.sandbox.services.chatgpt.state import ANONYMOUS, Grant, State, claims_of, email

ChatCall = Call[State, Knobs]
SECURE_COOKIE = "__Secure-next-auth.session-token"
PLAIN_COOKIE = "session-token"


def signed_in(call: ChatCall) -> str:
    """Whose request it is; on the logged-out routes nobody's. Raises: Refusal."""
    if call.entry.path.startswith("/backend-anon/"):
        call.recognise(ANONYMOUS)
        return ANONYMOUS
    bearer = call.bearer
    if bearer is None:
        raise refusals.unauthorized()
    if bearer in call.state.revoked:
        raise refusals.token_expired()
    owner = call.world.person(bearer) or _owner_by_claims(call, bearer)
    call.recognise(owner)
    return owner


def _owner_by_claims(call: ChatCall, bearer: str) -> str:
    claims = claims_of(bearer) or {}
    owner = call.world.person(claims.get("sub"))
    if owner is None:
        raise refusals.invalid_token()
    expires_at = claims.get("exp")
    if not isinstance(expires_at, int | float) or expires_at <= call.now:
        raise refusals.token_expired()
    return owner


def session(call: ChatCall) -> Grant | None:
    """The session of the request's cookies."""
    cookies = call.cookies
    split = sorted((name for name in cookies if re.fullmatch(rf"{re.escape(SECURE_COOKIE)}\.\d+", name)), key=_number)
    cookie = cookies.get(SECURE_COOKIE) or "".join(cookies[name] for name in split) or cookies.get(PLAIN_COOKIE, "")
    grant = call.state.session_of(cookie, call.knobs.session_ttl_s)
    call.recognise(grant.owner if grant else None)
    return grant


def open_session(call: ChatCall, answer: Response, person: str) -> None:
    """Let `answer` set the cookie of a new session."""
    cookie = f"eyJhbGciOiJkaXIifQ..{call.world.ids.hex(48)}"
    call.state.grant(call.state.sessions, cookie, person, call.knobs.session_ttl_s)
    age_s = int(call.knobs.session_ttl_s)
    answer.set_cookie(PLAIN_COOKIE, cookie, max_age=age_s, path=cookie_path(call), httponly=True, samesite="lax")


def cookie_path(call: ChatCall) -> str:
    """The part of this origin that belongs to the service."""
    return urlsplit(call.base_url).path or "/"


def user(owner: str) -> dict[str, Any]:
    """A person, as the session and `me` tell: in words that are no credential, though their name is one."""
    told = {"id": user_id(owner), "name": display_name(owner), "email": email(owner)}
    return {**told, "image": None, "picture": None, "groups": []}


def user_id(owner: str) -> str:
    """The service's own name for a person."""
    return f"user-{hashlib.sha256(owner.encode()).hexdigest()[:24]}"


def display_name(owner: str) -> str:
    """What a page calls a person."""
    return owner.replace("-", " ")


async def auth_session(call: ChatCall) -> Response:
    """The session as JSON, with a fresh access token; `{}` for nobody."""
    grant = session(call)
    if grant is None:
        return json({})
    told = {
        "user": user(grant.owner), "expires": iso(grant.expires_at), "authProvider": "sandbox",
        "accessToken": call.state.access_token(grant.owner, call.knobs.token_ttl_s),
        "account": {"id": _account_id(grant.owner), "planType": "free"},
    }  # fmt: skip
    return json(told)


async def me(call: ChatCall) -> Response:
    """Who the access token belongs to."""
    owner = signed_in(call)
    return json({**user(owner), "object": "user", "created": 1_700_000_000, "phone_number": None, "orgs": {"data": []}})


async def accounts_check(call: ChatCall) -> Response:
    """Plan and features."""
    owner = signed_in(call)
    account = {
        "account": {"account_id": _account_id(owner), "plan_type": "free", "structure": "personal"},
        "entitlement": {"has_active_subscription": False, "subscription_plan": "chatgptfreeplan"},
        "features": ["sandbox"],
    }
    return json({"accounts": {"default": account}, "account_ordering": ["default"]})


def iso(at: float) -> str:
    """Unix seconds as the service writes a moment."""
    return datetime.fromtimestamp(at, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _account_id(owner: str) -> str:
    return user_id(owner).replace("user", "account")


def _number(name: str) -> int:
    return int(name.rpartition(".")[2])
