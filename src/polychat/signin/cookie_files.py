"""Cookies as people export them, told apart by what they look like.

    netscape        cookies.txt: seven columns a line (curl, yt-dlp, browser extensions)
    cookie-editor   JSON: [{"name": ..., "value": ..., "domain": ...}]
    playwright      JSON: {"cookies": [...]}, a storage state
    plain           JSON: {"name": "value"}
    header          Cookie: a=b; c=d

No value, and of what may be in none of these forms nothing at all, reaches a message.
"""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Sequence

import msgspec

from polychat.credentials import Secret, SignIn
from polychat.errors import BadOption
from polychat.signin import cookies
from polychat.signin.found import Cookie, Found

_HTTP_ONLY = "#HttpOnly_"
_FLAGS = frozenset({"TRUE", "FALSE"})
_HEADER = re.compile(r"^\s*cookie:[ \t]*(.+)$", re.IGNORECASE | re.MULTILINE)
_NAME = re.compile(r"[!#$%&'*+\-.^_`|~0-9A-Za-z]+")  # a token of RFC 9110
_FORMS = "cookies.txt, Cookie-Editor JSON, a Playwright storage state, JSON of names and values, or a Cookie: line"
_EXPORT = "log in with your browser, then export the cookies while the site is open"


class _Exported(msgspec.Struct, rename={"expiration_date": "expirationDate"}):
    name: str
    value: str
    domain: str | None = None
    expires: float | None = None  # Playwright's word; -1 without an end
    expiration_date: float | None = None  # Cookie-Editor's

    def cookie(self) -> Cookie:
        return _cookie(self.name, self.value, self.domain, self.expiration_date or self.expires)


class _StorageState(msgspec.Struct):
    cookies: list[_Exported]


def read(
    text: str,
    recipe: SignIn,
    *,
    domains: Sequence[str] = (),
    where: str = "the export",
    now: Callable[[], float] = time.time,
) -> Found:
    """The browser session in an export. `domains` are whose cookies count, by default the recipe's.

    Raises: `BadOption` when nothing is there, the form is unknown, or the session is not in it.
    """
    exported = _cookies(text.removeprefix("\ufeff").strip())
    return cookies.session(recipe, exported, domains=domains or recipe.domains, where=where, now=now)


def _cookies(text: str) -> list[Cookie]:
    if not text:
        raise _bad(f"there are no cookies: the text is empty; expected is {_FORMS}")
    return _json(text) if text[0] in "[{" else _lines(text)


def _json(text: str) -> list[Cookie]:
    try:
        if text[0] == "[":
            return [one.cookie() for one in msgspec.json.decode(text, type=list[_Exported])]
        whole = msgspec.json.decode(text, type=dict[str, msgspec.Raw])
        if _begins(whole.get("cookies"), b"["):
            return [one.cookie() for one in msgspec.json.decode(text, type=_StorageState).cookies]
        if _begins(whole.get("log"), b"{"):
            raise _bad("this is no export of cookies but a network log (HAR)", "--har FILE reads it")
        plain = msgspec.json.decode(text, type=dict[str, str])
    except (msgspec.DecodeError, UnicodeError) as error:
        raise _unreadable() from error
    return [_cookie(name, value) for name, value in plain.items()]


def _begins(value: msgspec.Raw | None, sign: bytes) -> bool:
    return value is not None and bytes(memoryview(value)[:1]) == sign


def _lines(text: str) -> list[Cookie]:
    if (rows := _rows(text)) is not None:
        return rows
    header = _HEADER.search(text)
    pairs = [pair.strip().partition("=") for pair in (header[1] if header else text).split(";") if pair.strip()]
    if any(not equals or not _NAME.fullmatch(name) for name, equals, _ in pairs):
        raise _unreadable()
    return [_cookie(name, value) for name, _, value in pairs]


def _rows(text: str) -> list[Cookie] | None:
    """The rows of a cookies.txt, None if it is no such file."""
    lines = [line.rstrip("\r").removeprefix(_HTTP_ONLY) for line in text.split("\n")]
    rows = {number: _row(line) for number, line in enumerate(lines, 1) if line.strip() and line[0] != "#"}
    if not any(rows.values()) and not text.startswith(("# Netscape", "# HTTP Cookie")):
        return None
    for number, row in rows.items():
        if row is None:
            raise _bad(f"line {number} of the cookies.txt is not a cookie: it needs seven columns")
    return [row for row in rows.values() if row is not None]


def _row(line: str) -> Cookie | None:
    """One row. Spaces stand in for tabs, as in what was copied from a page; an empty last column may be missing."""
    columns = line.split("\t") if "\t" in line else line.split(None, 6)
    if len(columns) == 6:
        columns.append("")
    if len(columns) != 7 or not _FLAGS.issuperset((columns[1].upper(), columns[3].upper())):
        return None
    try:
        return _cookie(columns[5], columns[6].strip(), columns[0], float(columns[4]))
    except ValueError:
        return None


def _cookie(name: str, value: str, domain: str | None = None, ends_at: float | None = None) -> Cookie:
    host = (domain or "").lstrip(".").lower()
    return Cookie(name=name, value=Secret(value), host=host, expires_at=ends_at if ends_at and ends_at > 0 else None)


def _unreadable() -> BadOption:
    return _bad(f"the cookies are in no form that is understood: expected is {_FORMS}")


def _bad(message: str, hint: str = _EXPORT) -> BadOption:
    return BadOption(message, field="cookies", hint=hint)
