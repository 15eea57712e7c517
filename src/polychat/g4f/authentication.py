"""`AuthResult` and credential, one into the other.

An access token alone is a bearer. With cookies, headers or tokens of the service's gate it is a browser session, which
can fetch its token anew. What the browser sent as `authorization` and `cookie` counts as token and cookies, and what
belongs to a single request is left out of its headers.
"""

from __future__ import annotations

from polychat.credentials import BearerToken, Credential, Secret, SessionCookies, token_expiry
from polychat.errors import BadOption, NoAccount
from polychat.g4f.providers.response import AuthResult
from polychat.net.session import Session

_GATE = ("proof", "turnstile")
_OF_ONE_REQUEST = frozenset(
    {"accept", "authorization", "connection", "content-length", "content-type", "cookie", "host", "transfer-encoding"}
)


def credential(auth: AuthResult, *, provider: str) -> Credential:
    """What it proves itself with.

    Raises: `NoAccount` for neither token nor cookies, `BadOption` for a gate token that is no text: what it was made
    from is of no use here, for nothing is computed.
    """
    headers = {name.lower(): value for name, value in (auth.headers or {}).items()}
    token = auth.api_key or _bearer(headers.get("authorization", ""))
    cookies = auth.cookies or _cookies(headers.get("cookie", ""))
    gate = _gate(auth)
    if not token and not cookies:
        raise NoAccount("the AuthResult holds neither api_key nor cookies", provider=provider)
    expires_at = auth.expires or (token_expiry(Secret(token)) if token else None)
    if token and not (cookies or headers or gate):
        return BearerToken(token=Secret(token), expires_at=expires_at)
    return SessionCookies(
        cookies=_secrets(cookies),
        token=Secret(token) if token else None,
        expires_at=expires_at,
        headers=_secrets({name: value for name, value in headers.items() if _lasts(name)}),
        gate_tokens=_secrets(gate),
    )


def auth_result(session: Session, token: Secret) -> AuthResult:
    """The session with its cookies as the service last set them, and its access token."""
    held = session.credential
    if not isinstance(held, SessionCookies):
        expires = held.expires_at if isinstance(held, BearerToken) else None
        return AuthResult(api_key=token.reveal(), expires=expires or token_expiry(token))
    gate = {f"{name}_token": held.gate_tokens[name].reveal() for name in _GATE if name in held.gate_tokens}
    return AuthResult(
        api_key=token.reveal(),
        cookies=cookies(session),
        headers={name: value.reveal() for name, value in held.headers.items()},
        expires=token_expiry(token) or (held.expires_at if held.token == token else None),
        **gate,
    )


def cookies(session: Session) -> dict[str, str]:
    """The session's cookies as the service last set them."""
    return {name: value.reveal() for name, value in session.cookies.export(session.url("/")).items()}


def same_account(one: Credential | None, other: Credential) -> bool:
    """False when each has a token and the tokens differ: cookies change while a session lives."""
    tokens = [held.token for held in (one, other) if isinstance(held, BearerToken | SessionCookies) and held.token]
    return len(tokens) < 2 or tokens[0] == tokens[1]


def _gate(auth: AuthResult) -> dict[str, str]:
    found: dict[str, str] = {}
    for name in _GATE:
        value = getattr(auth, f"{name}_token")
        if value is not None and not isinstance(value, str):
            raise BadOption(
                f"{name}_token is {type(value).__name__}, not the text that the browser sent",
                field=f"{name}_token",
                hint=f"give the value of the browser's header openai-sentinel-{name}-token",
            )
        if value:
            found[name] = value
    return found


def _secrets(values: dict[str, str]) -> dict[str, Secret]:
    return {name: Secret(value) for name, value in values.items()}


def _lasts(name: str) -> bool:
    """True for a header that says who the browser is; the gate's tokens travel by their own names."""
    return name not in _OF_ONE_REQUEST and not name.startswith((":", "openai-sentinel-"))


def _bearer(authorization: str) -> str:
    scheme, _, token = authorization.partition(" ")
    return token.strip() if scheme.lower() == "bearer" else ""


def _cookies(header: str) -> dict[str, str]:
    pairs = (pair.strip().partition("=") for pair in header.split(";"))
    return {name: value for name, equals, value in pairs if equals}
