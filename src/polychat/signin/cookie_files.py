"""Cookies as people export them, told apart by what they look like.

    netscape        cookies.txt: seven columns a line (curl, yt-dlp, browser extensions)
    cookie-editor   JSON: [{"name": ..., "value": ..., "domain": ...}]
    playwright      JSON: {"cookies": [...]}, a storage state
    plain           JSON: {"name": "value"}
    header          Cookie: a=b; c=d

Only the cookies of one service are taken; the rest of an export is none of our business. No value, and of the last two
forms no name, reaches a message: what looks like a name may be a piece of a token.
"""

from __future__ import annotations

import re
import time
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Literal

import msgspec

from polychat.credentials import Secret, SessionCookies
from polychat.errors import BadOption

Form = Literal["netscape", "cookie-editor", "playwright", "plain", "header"]

_HTTP_ONLY = "#HttpOnly_"
_FLAGS = frozenset({"TRUE", "FALSE"})
_HEADER = re.compile(r"^\s*cookie:[ \t]*(.+)$", re.IGNORECASE | re.MULTILINE)
_NAME = re.compile(r"[!#$%&'*+\-.^_`|~0-9A-Za-z]+")  # a token of RFC 9110
_UNSENDABLE = re.compile(r"[\x00-\x1f\x7f;]")
_FORMS = "cookies.txt, Cookie-Editor JSON, a Playwright storage state, JSON of names and values, or a Cookie: line"
_EXPORT = "log in with your browser, then export the cookies while the site is open"


class CookieFile(msgspec.Struct, frozen=True, kw_only=True):
    """The cookies of one service that an export holds."""

    form: Form
    cookies: dict[str, Secret]
    expires_at: dict[str, float | None]  # Unix seconds; None for one that ends with the browser; keys as in `cookies`
    expired: dict[str, float] = {}  # name -> when, of those left out for it
    domains_found: tuple[str, ...] = ()  # of the whole export, sorted


class _Cookie(msgspec.Struct, rename={"expiration_date": "expirationDate"}):
    name: str
    value: str
    domain: str | None = None
    expires: float | None = None  # Playwright's word; -1 without an end
    expiration_date: float | None = None  # Cookie-Editor's

    @property
    def expires_at(self) -> float | None:
        ends = self.expires if self.expiration_date is None else self.expiration_date
        return ends if ends is not None and ends > 0 else None

    @property
    def host(self) -> str:
        return (self.domain or "").lstrip(".").lower()


class _StorageState(msgspec.Struct):
    cookies: list[_Cookie]


def parse(text: str, *, domains: Sequence[str], now: float | None = None) -> CookieFile:
    """The cookies of `domains` and their subdomains, of which the first domain's win over a later one's.

    A form that names no domain is believed to be the service's. `now` is in Unix seconds, by default the clock's.

    Raises: `BadOption` when nothing is there, the form is unknown, the cookies are another site's, or all have expired.
    """
    form, found = _read(text.removeprefix("\ufeff").strip())
    hosts = tuple(sorted({cookie.host for cookie in found if cookie.host}))
    own = _nearest_last(found, domains)
    if not own:
        raise _elsewhere(hosts, domains)
    now = time.time() if now is None else now
    alive: dict[str, _Cookie] = {}
    expired: dict[str, float] = {}
    for cookie in own:
        if cookie.expires_at is None or cookie.expires_at > now:
            alive[cookie.name] = cookie
        else:
            expired[cookie.name] = cookie.expires_at
    if not alive:
        raise _bad(f"all cookies of {domains[0]} in the export have expired, the last on {_day(max(expired.values()))}")
    return CookieFile(
        form=form,
        cookies={name: Secret(cookie.value) for name, cookie in alive.items()},
        expires_at={name: cookie.expires_at for name, cookie in alive.items()},
        expired={name: moment for name, moment in expired.items() if name not in alive},
        domains_found=hosts,
    )


def credential_from_cookies(file: CookieFile, *, required: Sequence[str], url: str | None = None) -> SessionCookies:
    """A browser session, if the cookies it needs are there, whole or split into NAME.0, NAME.1.

    `url` is where the person logs in. Raises: `BadOption` naming the cookie that is missing.
    """
    for name in required:
        if not (file.cookies.get(name) or file.cookies.get(f"{name}.0")):
            ended = file.expired.get(name, file.expired.get(f"{name}.0"))
            fault = "is not in the export" if ended is None else f"expired on {_day(ended)}"
            raise _bad(
                f"the cookie {name} {fault}, and a session needs it",
                hint=f"log in at {url or 'the site'} and export again, HttpOnly cookies too (document.cookie has none)",
            )
    return SessionCookies(cookies=file.cookies)


def _read(text: str) -> tuple[Form, list[_Cookie]]:
    if not text:
        raise _bad(f"there are no cookies: the text is empty; expected is {_FORMS}")
    form, cookies = _json(text) if text[0] in "[{" else _lines(text)
    if any(not _NAME.fullmatch(cookie.name) or _UNSENDABLE.search(cookie.value) for cookie in cookies):
        raise _bad("a cookie of the export has a name or value that a Cookie header cannot carry")
    return form, cookies


def _json(text: str) -> tuple[Form, list[_Cookie]]:
    try:
        if text[0] == "[":
            return "cookie-editor", msgspec.json.decode(text, type=list[_Cookie])
        if isinstance(msgspec.json.decode(text, type=dict[str, object]).get("cookies"), list):
            return "playwright", msgspec.json.decode(text, type=_StorageState).cookies
        plain = msgspec.json.decode(text, type=dict[str, str])
        return "plain", [_Cookie(name=name, value=value) for name, value in plain.items()]
    except (msgspec.DecodeError, UnicodeError) as error:
        raise _unreadable() from error


def _lines(text: str) -> tuple[Form, list[_Cookie]]:
    if (rows := _rows(text)) is not None:
        return "netscape", rows
    header = _HEADER.search(text)
    pairs = [pair.strip().partition("=") for pair in (header[1] if header else text).split(";") if pair.strip()]
    if any(not equals or not _NAME.fullmatch(name) for name, equals, _ in pairs):
        raise _unreadable()
    return "header", [_Cookie(name=name, value=value) for name, _, value in pairs]


def _rows(text: str) -> list[_Cookie] | None:
    """The rows of a cookies.txt, None if it is no such file."""
    lines = [line.rstrip("\r").removeprefix(_HTTP_ONLY) for line in text.split("\n")]
    rows = {number: _row(line) for number, line in enumerate(lines, 1) if line.strip() and line[0] != "#"}
    if not any(rows.values()) and not text.startswith(("# Netscape", "# HTTP Cookie")):
        return None
    for number, row in rows.items():
        if row is None:
            raise _bad(f"line {number} of the cookies.txt is not a cookie: it needs seven columns")
    return [row for row in rows.values() if row is not None]


def _row(line: str) -> _Cookie | None:
    """One row. Spaces stand in for tabs, as in what was copied from a page; an empty last column may be missing."""
    columns = line.split("\t") if "\t" in line else line.split(None, 6)
    if len(columns) == 6:
        columns.append("")
    if len(columns) != 7 or not _FLAGS.issuperset((columns[1].upper(), columns[3].upper())):
        return None
    try:
        return _Cookie(name=columns[5], value=columns[6].strip(), domain=columns[0], expires=float(columns[4]))
    except ValueError:
        return None


def _nearest_last(cookies: Sequence[_Cookie], domains: Sequence[str]) -> list[_Cookie]:
    """The service's own cookies; of one name, the one that counts comes last."""
    ranked = [(rank, cookie) for cookie in cookies if (rank := _rank(cookie.host, domains)) is not None]
    return [cookie for _, cookie in sorted(ranked, key=lambda pair: pair[0], reverse=True)]


def _rank(host: str, domains: Sequence[str]) -> tuple[bool, int] | None:
    """How far a cookie's host is from the service: a domain itself before a subdomain; None is another site."""
    if not host:
        return (False, 0)
    ranks = [(host != domain, n) for n, domain in enumerate(domains) if f".{host}".endswith(f".{domain}")]
    return min(ranks, default=None)


def _elsewhere(hosts: Sequence[str], domains: Sequence[str]) -> BadOption:
    if not hosts:
        return _bad(f"the export is well formed and holds no cookie of {domains[0]}, nor of anything else")
    named = ", ".join(hosts[:5]) + (" and others" if len(hosts) > 5 else "")
    return _bad(f"the export holds cookies of {named}, but none of {' or '.join(domains)}")


def _unreadable() -> BadOption:
    return _bad(f"the cookies are in no form that is understood: expected is {_FORMS}")


def _bad(message: str, *, hint: str = _EXPORT) -> BadOption:
    return BadOption(message, field="cookies", hint=hint)


def _day(moment: float) -> str:
    return f"{datetime.fromtimestamp(moment, UTC):%Y-%m-%d %H:%M} UTC"
