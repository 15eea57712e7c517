"""What a browser shows of a sign-in, gathered until it is one; no browser is needed to try this.

Only requests to the service's own hosts are looked at, and of them only what the recipe names and the bearer token.
What comes later replaces what came before, for a page renews its token by itself.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from urllib.parse import urlsplit

from polychat.credentials import Secret, SessionCookies, SignIn, token_expiry


class Sighting:
    """The sign-in as far as it was seen."""

    def __init__(self, recipe: SignIn, hosts: Sequence[str]) -> None:
        self._recipe = recipe
        self._hosts = tuple(f"{host}/" for host in hosts)
        self._cookies: dict[str, Secret] = {}
        self._token: Secret | None = None
        self._headers: dict[str, Secret] = {}
        self._gate_tokens: dict[str, Secret] = {}

    @property
    def signed_in(self) -> bool:
        """True once the cookies are there that the recipe names, or some cookie beside a token.

        The latter is for a service at a plain http address: no browser keeps a `__Secure-` cookie there.
        """
        named = all(self._cookies.get(name) or self._cookies.get(f"{name}.0") for name in self._recipe.cookies)
        return bool(self._cookies) and (named or self._token is not None)

    @property
    def complete(self) -> bool:
        """True once signed in and, at a service whose requests carry more than cookies, such a request was seen."""
        expects_more = bool(self._recipe.headers or self._recipe.gate_headers)
        return self.signed_in and (self._token is not None or not expects_more)

    def concerns(self, url: str) -> bool:
        """True for a request to the service's own hosts."""
        return url.startswith(self._hosts)

    def requested(self, headers: Mapping[str, str]) -> None:
        """Take what such a request shows; `headers` in lower case."""
        scheme, _, token = headers.get("authorization", "").partition(" ")
        if scheme.lower() == "bearer" and token:
            self._token = Secret(token)
        kept, gate = self._recipe.headers, self._recipe.gate_headers
        self._headers |= {name: Secret(headers[name]) for name in kept if name in headers}
        self._gate_tokens |= {gate[name]: Secret(headers[name]) for name in gate if name in headers}

    def holds(self, cookies: Mapping[str, Secret]) -> None:
        """Take the cookies that the browser sends to the service now, in place of earlier ones."""
        self._cookies = dict(cookies)

    def credential(self) -> SessionCookies:
        """All of it."""
        return SessionCookies(
            cookies=self._cookies,
            token=self._token,
            expires_at=token_expiry(self._token) if self._token else None,
            headers=self._headers,
            gate_tokens=self._gate_tokens,
        )


def belongs(url: str, domains: Sequence[str]) -> bool:
    """True when the host of `url` is one of `domains` or below one."""
    host = urlsplit(url).hostname or ""
    return any(f".{host}".endswith(f".{domain}") for domain in domains)


def login_page(recipe: SignIn, home: str) -> str:
    """Where a person logs in when the service's home is `home`: the recipe's page, or in a sandbox the same path."""
    return recipe.url if belongs(home, recipe.domains) else home + (urlsplit(recipe.url).path or "/")
