"""What a person proves himself with.

A `Secret` shows itself to nobody: not to `print`, a log, a pickle, JSON or a traceback. The two places that need the
value, a vault writing its file and a session writing a header, call `reveal()` by name.
"""

from __future__ import annotations

import base64
import binascii
import hmac
from collections.abc import Collection
from typing import Any, Literal, NoReturn

import msgspec

_MASK = "********"


class Revealed(str):
    """A secret on its way into a header or a file: the value for who writes it, a mask for who prints locals."""

    __slots__ = ()

    def __repr__(self) -> str:
        return f"'{_MASK}'"


class Secret:
    """A string that refuses to be shown, copied into text, pickled or encoded."""

    __slots__ = ("__value",)

    def __init__(self, value: str) -> None:
        self.__value = value

    def reveal(self) -> Revealed:
        """The value itself, for a request header or a vault's file and nothing else."""
        return Revealed(self.__value)

    @property
    def is_plain(self) -> bool:
        """True for one line of printable ASCII, which is all that a header can carry."""
        return self.__value.isascii() and self.__value.isprintable()

    def __repr__(self) -> str:
        return f"Secret({_MASK})"

    def __str__(self) -> str:
        return _MASK

    def __format__(self, spec: str) -> str:
        return _MASK

    def __bool__(self) -> bool:
        return bool(self.__value)

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Secret):
            return NotImplemented
        return hmac.compare_digest(self.__value.encode(), other.__value.encode())

    def __hash__(self) -> int:
        return hash(self.__value)

    def __reduce_ex__(self, protocol: Any) -> NoReturn:
        raise TypeError("a Secret is not pickled or copied; keep it in a vault")


class ApiKey(msgspec.Struct, frozen=True, kw_only=True, tag="api_key"):
    """A key of an official API."""

    key: Secret


class BearerToken(msgspec.Struct, frozen=True, kw_only=True, tag="bearer"):
    """An access token given directly; nothing refreshes it."""

    token: Secret
    expires_at: float | None = None  # Unix seconds; None when the token does not say


class SessionCookies(msgspec.Struct, frozen=True, kw_only=True, tag="cookies"):
    """A browser session as the person's own browser holds it."""

    cookies: dict[str, Secret]  # name -> value; sent to the provider's own hosts only
    ends_at: float | None = None  # of the session itself, where its cookies say so, Unix seconds
    token: Secret | None = None  # the access token seen beside them, if any
    expires_at: float | None = None  # of `token`, Unix seconds
    headers: dict[str, Secret] = {}  # lower-case; captured from the session's own requests
    gate_tokens: dict[str, Secret] = {}  # anti-bot tokens the session was given; carried, never computed


Credential = ApiKey | BearerToken | SessionCookies
CredentialKind = Literal["api_key", "bearer", "cookies"]


def secrets_of(credential: Credential | None) -> list[Secret]:
    """Every secret it holds, so that a message can be searched for them."""
    match credential:
        case ApiKey():
            return [credential.key]
        case BearerToken():
            return [credential.token]
        case SessionCookies():
            held = [*credential.cookies.values(), *credential.headers.values(), *credential.gate_tokens.values()]
            return held + ([credential.token] if credential.token else [])
    return []


def pieces(name: str, cookies: Collection[str]) -> list[str]:
    """The names that a cookie has among these: NAME, or NAME.0, NAME.1 and so on where a service splits it."""
    return [one for one in cookies if name in (one, one.rpartition(".")[0])]


def ends_at(credential: Credential) -> float | None:
    """When the person has to sign in again (Unix seconds), as far as that is known.

    A session's access token is fetched anew as long as its cookies last, so its end is not the session's.
    """
    match credential:
        case BearerToken():
            return credential.expires_at
        case SessionCookies():
            return credential.ends_at
    return None


class Account(msgspec.Struct, frozen=True, kw_only=True):
    """One credential under a name. The name is the person's own and is not a secret."""

    name: str
    provider: str
    credential: Credential
    created_at: float | None = None  # Unix seconds


class _Claims(msgspec.Struct):
    exp: float | None = None


_USERNAME = 'input[autocomplete~="username"], input[type="email"], input[name="username"]'  # as HTML's own words are


class SignIn(msgspec.Struct, frozen=True, kw_only=True):
    """What a sign-in has to bring, as data; `polychat.signin` needs no code for a new service."""

    url: str  # where a person logs in
    cookies: tuple[str, ...] = ()  # names that must be among them (a name also counts when split into NAME.0, NAME.1)
    domains: tuple[str, ...] = ()  # cookie domains of the service, and of its subdomains
    key_kind: CredentialKind = "api_key"  # what `--key` holds
    headers: tuple[str, ...] = ()  # of the session's own requests, lower-case; kept and sent again
    gate_headers: dict[str, str] = {}  # lower-case header -> name of the gate token it carries
    token_paths: dict[str, str] = {}  # path whose answer holds the access token -> the JSON name it has there
    username_field: str | None = _USERNAME  # CSS selectors of the login form; None where it is not to be filled
    password_field: str | None = 'input[type="password"]'  # noqa: S105 - a selector
    submit_button: str | None = None  # pressed once the form is filled; None leaves that to the person


def token_expiry(token: Secret) -> float | None:
    """When a bearer says it expires (Unix seconds), or None.

    Reads `exp` of a three-part JWT (RFC 7519, base64url without padding) and never checks the signature: the service
    does. Any other token is opaque and has no known end.
    """
    parts = token.reveal().split(".")
    if len(parts) != 3:
        return None
    try:
        payload = base64.urlsafe_b64decode(parts[1] + "=" * (-len(parts[1]) % 4))
        return msgspec.json.decode(payload, type=_Claims).exp
    except (binascii.Error, ValueError, msgspec.MsgspecError):
        return None
