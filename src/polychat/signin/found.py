"""What came in, the same for every way: the credential, where it was, and what may be told of it.

Told are the names that the service's recipe has, and when they end. No value is, and no other name: what looks like a
name may be a piece of a token.
"""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Collection, Mapping, Sequence
from datetime import UTC, datetime
from typing import Literal
from urllib.parse import urlsplit

import msgspec

from polychat.credentials import ApiKey, BearerToken, Credential, Secret, SessionCookies, SignIn, pieces
from polychat.errors import BadOption

Kind = Literal["cookie", "token", "key", "gate", "header"]

_UNTOLD = re.compile(r"[^a-z0-9.:/-]")
_SENDABLE = re.compile(r"[\x20-\x7e]+")


class Cookie(msgspec.Struct, frozen=True, kw_only=True):
    """A cookie as some store, export or request has it."""

    name: str
    value: Secret
    host: str = ""  # without a leading dot, lower-case; empty where nobody says
    expires_at: float | None = None  # Unix seconds; None for one that ends with the browser
    place: str | None = None  # where it was found, in words


class Field(msgspec.Struct, frozen=True, kw_only=True):
    """One thing that was found."""

    name: str
    kind: Kind
    expires_at: float | None = None  # Unix seconds
    place: str | None = None  # where in the whole, in words


class Found(msgspec.Struct, frozen=True, kw_only=True):
    """A sign-in as it came in."""

    credential: Credential
    where: str  # what it was in, in words
    fields: tuple[Field, ...]
    others: int = 0  # cookies beside those


def of(
    recipe: SignIn,
    credential: Credential,
    *,
    where: str,
    places: Mapping[str, str | None] | None = None,
    now: Callable[[], float] = time.time,
) -> Found:
    """What was found, unless it is of no use. `places` says by name where each field was.

    Raises: `BadOption` for what has ended, or what no header can carry.
    """
    match credential:
        case ApiKey():
            _check_key(credential.key)
            return Found(credential=credential, where=where, fields=(Field(name="key", kind="key"),))
        case BearerToken():
            _check_key(credential.token)
            _check_end(credential.expires_at, now())
    places = places or {}
    fields = tuple(msgspec.structs.replace(one, place=places.get(one.name)) for one in _fields(recipe, credential))
    return Found(credential=credential, where=where, fields=fields, others=_others(recipe, credential))


def satisfies(recipe: SignIn, cookies: Collection[str]) -> bool:
    """True when the cookies that the recipe names are among these, whole or split."""
    return all(name in cookies or f"{name}.0" in cookies for name in recipe.cookies)


def day(moment: float) -> str:
    """A moment of the past (Unix seconds) as it is told."""
    return f"{datetime.fromtimestamp(max(moment, 0.0), UTC):%Y-%m-%d %H:%M} UTC"


def some(names: Sequence[str]) -> str:
    """The first five of many names."""
    return ", ".join(names[:5]) + (" and others" if len(names) > 5 else "")


def site(url: str) -> str:
    """The origin of a web address as it is told; empty for anything else."""
    try:
        parts = urlsplit(url)
        host = f"{parts.hostname}:{parts.port}" if parts.port else parts.hostname
    except ValueError:
        return ""
    return _UNTOLD.sub("", f"{parts.scheme}://{host}") if parts.scheme in ("http", "https") and host else ""


def _fields(recipe: SignIn, credential: BearerToken | SessionCookies) -> list[Field]:
    if isinstance(credential, BearerToken):
        return [Field(name="access token", kind="token", expires_at=credential.expires_at)]
    named = [name for name in recipe.cookies if pieces(name, credential.cookies)]
    fields = [Field(name=name, kind="cookie", expires_at=credential.ends_at) for name in named]
    if credential.token is not None:
        fields.append(Field(name="access token", kind="token", expires_at=credential.expires_at))
    fields += [Field(name=f"{name} token", kind="gate") for name in credential.gate_tokens]
    return fields + [Field(name=name, kind="header") for name in credential.headers]


def _others(recipe: SignIn, credential: BearerToken | SessionCookies) -> int:
    if isinstance(credential, BearerToken):
        return 0
    named = {piece for name in recipe.cookies for piece in pieces(name, credential.cookies)}
    return len(credential.cookies.keys() - named)


def _check_key(key: Secret) -> None:
    if not _SENDABLE.fullmatch(key.reveal()):
        raise BadOption(
            "the key or token is empty, has a line end, or is not plain ASCII",
            field="key",
            hint="give one line, the key",
        )


def _check_end(ends_at: float | None, now: float) -> None:
    if ends_at is not None and ends_at <= now:
        raise BadOption(
            f"the access token expired on {day(ends_at)}", field="key", hint="take a newer one from your browser"
        )
