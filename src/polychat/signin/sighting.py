"""A sign-in as it is gathered from what a browser sent and held; no browser is needed to try this.

Only requests to the service's own hosts are looked at, and of them only what the recipe names and the bearer token.
What comes later replaces what came before, for a page renews its token by itself; what has ended is left out.
"""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import NamedTuple
from urllib.parse import urlsplit

from polychat.credentials import BearerToken, Secret, SessionCookies, SignIn, pieces, token_expiry
from polychat.errors import BadOption
from polychat.signin import found
from polychat.signin.found import Cookie, Found

_UNSENDABLE = re.compile(r"[\x00-\x1f\x7f]")
_NAME = re.compile(r"[^\x00-\x20\x7f=;]+")  # of a cookie, as far as the header's form goes
_VALUE = re.compile(r"[^\x00-\x1f\x7f;]*")
_PROOF = "access token"


class Ended(NamedTuple):
    """Something that was of use once."""

    at: float  # Unix seconds
    place: str | None


class Sighting:
    """The sign-in as far as it was seen. `ended` holds by name what was left out because its time is over."""

    def __init__(self, recipe: SignIn, hosts: Sequence[str] = (), *, now: Callable[[], float] = time.time) -> None:
        self.ended: dict[str, Ended] = {}
        self._recipe = recipe
        self._hosts = tuple(f"{host}/" for host in hosts)
        self._now = now
        self._cookies: dict[str, Cookie] = {}
        self._token: Secret | None = None
        self._headers: dict[str, Secret] = {}
        self._gate_tokens: dict[str, Secret] = {}
        self._places: dict[str, str | None] = {}

    @property
    def missing(self) -> tuple[str, ...]:
        """The cookies that the recipe names and that were not seen, whole or split."""
        return tuple(name for name in self._recipe.cookies if not (self._has(name) or self._has(f"{name}.0")))

    @property
    def has_token(self) -> bool:
        """True once an access token was seen."""
        return self._token is not None

    @property
    def signed_in(self) -> bool:
        """True once the cookies are there that the recipe names, or some cookie beside a token.

        The latter is for a service at a plain http address: no browser keeps a `__Secure-` cookie there.
        """
        return bool(self._cookies) and (not self.missing or self.has_token)

    @property
    def complete(self) -> bool:
        """True once signed in and, at a service whose requests carry more than cookies, such a request was seen."""
        expects_more = bool(self._recipe.headers or self._recipe.gate_headers)
        return self.signed_in and (self.has_token or not expects_more)

    def concerns(self, url: str) -> bool:
        """True for a request to the service's own hosts."""
        return url.startswith(self._hosts)

    def requested(self, headers: Mapping[str, str], place: str | None = None) -> None:
        """Take what such a request shows; `headers` in lower case."""
        scheme, _, token = headers.get("authorization", "").partition(" ")
        if scheme.lower() == "bearer" and token:
            self.bears(Secret(token.strip()), place)
        kept, gate = self._recipe.headers, self._recipe.gate_headers
        self._headers |= {name: _sendable(name, headers[name]) for name in kept if name in headers}
        self._gate_tokens |= {gate[name]: _sendable(name, headers[name]) for name in gate if name in headers}
        told = [name for name in kept if name in headers] + [f"{gate[name]} token" for name in gate if name in headers]
        self._places |= dict.fromkeys(told, place)

    def bears(self, token: Secret, place: str | None = None) -> None:
        """Take an access token."""
        ends_at = token_expiry(token)
        if ends_at is not None and ends_at <= self._now():
            self.ended[_PROOF] = Ended(ends_at, place)
        else:
            self._token = _sendable("authorization", token.reveal())
            self._places[_PROOF] = place

    def holds(self, cookies: Iterable[Cookie]) -> None:
        """Take the cookies that go to the service now, in place of earlier ones; of one name the last counts."""
        self._cookies = {}
        for cookie in cookies:
            if not (_NAME.fullmatch(cookie.name) and _VALUE.fullmatch(cookie.value.reveal())):
                raise BadOption("a cookie has a name or value that a Cookie header cannot carry", field="cookies")
            if cookie.expires_at is not None and cookie.expires_at <= self._now():
                self.ended[cookie.name] = Ended(cookie.expires_at, cookie.place)
            else:
                self._cookies[cookie.name] = cookie

    def credential(self) -> SessionCookies:
        """All of it."""
        return SessionCookies(
            cookies={name: cookie.value for name, cookie in self._cookies.items()},
            ends_at=self._ends_at(),
            token=self._token,
            expires_at=token_expiry(self._token) if self._token else None,
            headers=self._headers,
            gate_tokens=self._gate_tokens,
        )

    def found(self, where: str) -> Found:
        """All of it, as every way in gives it; a token alone where there are no cookies."""
        session = self.credential()
        token = BearerToken(token=session.token, expires_at=session.expires_at) if session.token else None
        places = self._places | {name: self._place(name) for name in self._recipe.cookies}
        credential = session if session.cookies or token is None else token
        return found.of(self._recipe, credential, where=where, places=places, now=self._now)

    def _has(self, name: str) -> bool:
        return name in self._cookies and bool(self._cookies[name].value)

    def _named(self, name: str) -> list[Cookie]:
        return [self._cookies[piece] for piece in pieces(name, self._cookies)]

    def _place(self, name: str) -> str | None:
        return next((cookie.place for cookie in self._named(name)), None)

    def _ends_at(self) -> float | None:
        """When the first of the recipe's cookies ends; without them a session lives as long as its token."""
        if self.missing:
            return token_expiry(self._token) if self._token else None
        ends = [cookie.expires_at for name in self._recipe.cookies for cookie in self._named(name)]
        return min((end for end in ends if end is not None), default=None)


def read_cookies(header: str, place: str | None = None) -> list[Cookie]:
    """The cookies of a Cookie header; what is no pair is no cookie."""
    pairs = [pair.strip().partition("=") for pair in header.split(";")]
    return [Cookie(name=name, value=Secret(value), place=place) for name, equals, value in pairs if name and equals]


def belongs(url: str, domains: Sequence[str]) -> bool:
    """True when the host of `url` is one of `domains` or below one."""
    host = urlsplit(url).hostname or ""
    return any(f".{host}".endswith(f".{domain}") for domain in domains)


def login_page(recipe: SignIn, home: str) -> str:
    """Where a person logs in when the service's home is `home`: the recipe's page, or in a sandbox the same path."""
    return recipe.url if belongs(home, recipe.domains) else home + (urlsplit(recipe.url).path or "/")


def cookie_domains(recipe: SignIn, home: str) -> tuple[str, ...]:
    """Whose cookies are the service's when its home is `home`: the recipe's domains, and a sandbox's own host."""
    own = () if belongs(home, recipe.domains) else (urlsplit(home).hostname or "",)
    return (*own, *recipe.domains)


def _sendable(name: str, value: str) -> Secret:
    if _UNSENDABLE.search(value):
        raise BadOption(f"the header {name} has a value that no header can carry", field=name)
    return Secret(value)
