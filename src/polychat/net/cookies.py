"""The cookies of one account, by the rules of RFC 6265, kept as `Secret`s and never re-encoded.

A value goes back byte for byte as it came. Beyond the RFC: loopback counts as secure, an insecure origin sets no
`Secure` cookie, and a `Domain` of a single label is refused. Cookies that were handed over by a person have lost the
scope they had in the browser, so the service's first own cookie of that name for the whole site takes their place.
"""

from __future__ import annotations

import ipaddress
import re
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import UTC
from email.utils import parsedate_to_datetime
from urllib.parse import urlsplit

import msgspec

from polychat.credentials import Revealed, Secret

_BLANK = " \t"
_CONTROLS = re.compile(r"[\x00-\x08\x0a-\x1f\x7f]")
_SECONDS = re.compile(r"-?[0-9]+")


class _Cookie(msgspec.Struct, frozen=True, kw_only=True):
    name: str
    value: Secret
    domain: str
    host_only: bool
    path: str
    secure: bool
    expires_at: float | None = None  # Unix seconds
    preloaded: bool = False

    def matches(self, place: _Place) -> bool:
        covered = place.host == self.domain if self.host_only else _covers(self.domain, place.host)
        return covered and _path_covers(self.path, place.path) and (place.secure or not self.secure)


class _Place(msgspec.Struct, frozen=True):
    """Where a request goes, as far as cookies care."""

    host: str
    path: str
    secure: bool


class CookieJar:
    """Cookies of one account. `changed` is True once a service has added, changed or deleted one."""

    def __init__(self, now: Callable[[], float] = time.time) -> None:
        self._now = now
        self._cookies: dict[tuple[str, str, str], _Cookie] = {}  # (domain, path, name), oldest first
        self.changed = False

    def __repr__(self) -> str:
        return f"CookieJar({', '.join(self.names())})"

    def preload(self, origin: str, cookies: Mapping[str, Secret]) -> None:
        """Hold a person's cookies for exactly the host of `origin`, all paths below its own."""
        place = _place(origin)
        for name, value in cookies.items():
            secure = origin.startswith("https:")
            cookie = _Cookie(
                name=name,
                value=value,
                domain=place.host,
                host_only=True,
                path=place.path,
                secure=secure,
                preloaded=True,
            )
            self._cookies[cookie.domain, cookie.path, cookie.name] = cookie

    def header(self, url: str) -> str | None:
        """The Cookie header for a request to `url`: longest path first, then oldest first; None for no cookie."""
        if not self._cookies:
            return None
        return Revealed("; ".join(f"{one.name}={one.value.reveal()}" for one in self._for(_place(url)))) or None

    def absorb(self, url: str, set_cookies: Sequence[str]) -> None:
        """Take the Set-Cookie fields of an answer from `url`; what the RFC says to ignore is ignored."""
        place = _place(url)
        before = self._values()
        for field in set_cookies:
            cookie = _parse(field, place, self._now())
            if cookie is not None:
                self._store(cookie)
        self.changed |= before != self._values()

    def get(self, name: str) -> Secret | None:
        """The value of a cookie, of whatever host and path; the newest if there are several."""
        return self._values().get(name)

    def ends_at(self, name: str) -> float | None:
        """When a cookie ends (Unix seconds), as far as the service said."""
        return next((cookie.expires_at for cookie in self._alive() if cookie.name == name), None)

    def names(self) -> tuple[str, ...]:
        """The names of all current cookies, oldest first, each once."""
        return tuple(self._values())

    def export(self, origin: str) -> dict[str, Secret]:
        """The current cookies of an origin on all its paths, for a vault; of equal names the shortest path's."""
        host = _place(origin).host
        mine = [cookie for cookie in self._alive() if _covers(cookie.domain, host)]
        mine.sort(key=lambda cookie: -len(cookie.path))
        return {cookie.name: cookie.value for cookie in mine}

    def _alive(self) -> Iterator[_Cookie]:
        now = self._now()
        return (cookie for cookie in self._cookies.values() if cookie.expires_at is None or cookie.expires_at > now)

    def _values(self) -> dict[str, Secret]:
        return {cookie.name: cookie.value for cookie in self._alive()}

    def _for(self, place: _Place) -> list[_Cookie]:
        matching = [cookie for cookie in self._alive() if cookie.matches(place)]
        return sorted(matching, key=lambda cookie: -len(cookie.path))

    def _store(self, cookie: _Cookie) -> None:
        self._forget_preloaded(cookie)
        key = cookie.domain, cookie.path, cookie.name
        if cookie.expires_at is not None and cookie.expires_at <= self._now():
            self._cookies.pop(key, None)
        else:
            self._cookies[key] = cookie

    def _forget_preloaded(self, newer: _Cookie) -> None:
        for key, held in list(self._cookies.items()):
            if held.preloaded and held.name == newer.name and newer.path == "/" and _covers(newer.domain, held.domain):
                del self._cookies[key]


def _parse(field: str, place: _Place, now: float) -> _Cookie | None:
    """One Set-Cookie field (RFC 6265, 5.2 and 5.3), or None where it is to be ignored."""
    pair, *attributes = field.split(";")
    name, equals, value = (text.strip(_BLANK) for text in pair.partition("="))
    given = dict(_attribute(text) for text in attributes)  # the last of a kind counts
    domain = given.get("domain", "").lower().removeprefix(".") or None
    secure = "secure" in given
    if not (name and equals) or _CONTROLS.search(field) or (secure and not place.secure):
        return None
    if domain not in (None, place.host) and not ("." in domain and _covers(domain, place.host)):
        return None
    return _Cookie(
        name=name,
        value=Secret(value),
        domain=domain or place.host,
        host_only=domain is None or _is_address(place.host),
        path=_path(given.get("path", ""), place),
        secure=secure,
        expires_at=_expiry(given, now),
    )


def _attribute(text: str) -> tuple[str, str]:
    name, _, value = text.partition("=")
    return name.strip(_BLANK).lower(), value.strip(_BLANK)


def _expiry(given: Mapping[str, str], now: float) -> float | None:
    if _SECONDS.fullmatch(age_s := given.get("max-age", "")):
        return now + float(age_s)
    try:
        moment = parsedate_to_datetime(given.get("expires", ""))
    except (ValueError, OverflowError):
        return None
    return moment.replace(tzinfo=moment.tzinfo or UTC).timestamp()


def _path(given: str, place: _Place) -> str:
    """The path as given, or the folder of the request."""
    return given if given.startswith("/") else place.path.rpartition("/")[0] or "/"


def _place(url: str) -> _Place:
    parts = urlsplit(url)
    host = parts.hostname or ""
    return _Place(host, parts.path or "/", parts.scheme == "https" or _is_loopback(host))


def _covers(domain: str, host: str) -> bool:
    return host == domain or (host.endswith(f".{domain}") and not _is_address(host))


def _path_covers(path: str, asked: str) -> bool:
    return asked == path or asked.startswith(path if path.endswith("/") else f"{path}/")


def _is_loopback(host: str) -> bool:
    return (
        host == "localhost"
        or host.endswith(".localhost")
        or (_is_address(host) and ipaddress.ip_address(host).is_loopback)
    )


def _is_address(host: str) -> bool:
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return False
    return True
