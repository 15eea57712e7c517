"""The network log of a browser's developer tools (HAR 1.2), and the sign-in that its requests show.

    1. entries to the service's own hosts are picked out; nothing else of the file is decoded;
    2. each is played back at its time: first what the browser sent, then what the service set and answered;
    3. what stands in the end is the sign-in: the newest request with the session's cookies and what was set since, the
       newest access token that has not ended, the newest of the headers that the recipe names.

Chrome exports a sanitised log unless told otherwise: without Cookie, Set-Cookie and Authorization, but with answers,
and an answer may hold the access token. No value reaches a message; an entry is told by number, path and time.
"""

from __future__ import annotations

import os
import re
import time
from codecs import BOM_UTF8
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Literal, NamedTuple

import msgspec

from polychat.credentials import Secret, SignIn
from polychat.errors import BadOption
from polychat.net.cookies import CookieJar
from polychat.signin import bodies
from polychat.signin.found import Cookie, Found, day, satisfies, site, some
from polychat.signin.sighting import Ended, Sighting, read_cookies

LIMIT_BYTES = 200 * 1000 * 1000

_GZIP = b"\x1f\x8b"
_REFUSED = 401
_PROOFS = frozenset({"cookie", "set-cookie", "authorization"})
_LONGEST_STEP = 24  # characters of one step of a path; a longer one may be a secret of its own
_UNTOLD = re.compile(r"[^!-~]")
_EXPORTED = "export the network log of the developer tools again, as HAR"
_SMALLER = "reload the page with an empty network log and export again"
_RECORD = "open the developer tools' network log, log in at {url}, ask one question there, and export everything as HAR"
_UNSANITISED = (
    "in Chrome's DevTools settings, Preferences, Network, allow HAR with sensitive data, then hold the export button "
    "down and choose it; Firefox always exports everything"
)


class _Pair(msgspec.Struct):
    name: str
    value: str = ""


class _Request(msgspec.Struct):
    url: str
    method: str = ""
    headers: msgspec.Raw = msgspec.Raw(b"[]")
    cookies: msgspec.Raw = msgspec.Raw(b"[]")


class _Response(msgspec.Struct):
    status: int = 0
    headers: list[_Pair] = []
    content: bodies.Content = bodies.Content()


class _Entry(msgspec.Struct, rename={"started": "startedDateTime", "took_ms": "time"}):
    request: _Request
    response: msgspec.Raw = msgspec.Raw(b"{}")
    started: str | None = None
    took_ms: float | None = None


class _Log(msgspec.Struct):
    entries: list[_Entry]


class _Har(msgspec.Struct):
    log: _Log


class _Own(NamedTuple):
    """An entry of the service's."""

    place: str  # how it is told
    at: float  # Unix seconds
    url: str
    path: str  # at the service, without the query
    headers: list[_Pair]
    cookies: list[_Pair]
    response: _Response
    took_s: float


def read(path: Path, recipe: SignIn, *, hosts: Sequence[str], now: Callable[[], float] = time.time) -> Found:
    """The sign-in that the file shows. `hosts` are the service's origins; the first one's cookies count.

    Costs the file's size in memory and a little more. Raises: `BadOption` naming what is wrong or missing.
    """
    entries = _entries(path)
    own = list(_own(path, entries, Sighting(recipe, hosts).concerns, hosts, now()))
    if not own:
        raise _elsewhere(path, entries, hosts, recipe)
    playback = _Playback(recipe, hosts, own, now)
    if playback.sighting.signed_in or playback.sighting.has_token:
        return playback.sighting.found(str(path))
    raise _insufficient(path, playback, own, recipe, hosts)


# ---------------------------------------------------------------- the file


def _entries(path: Path) -> list[_Entry]:
    data = _data(path)
    if data.startswith(_GZIP):
        raise _bad(f"{path} is compressed with gzip", f"gunzip {path}, and give what comes of it")
    try:
        return msgspec.json.decode(memoryview(data)[3 * data.startswith(BOM_UTF8) :], type=_Har).log.entries
    except msgspec.ValidationError as error:
        raise _bad(f"{path} is JSON, but no HAR: it has no log.entries with requests", _EXPORTED) from error
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise _bad(f"{path} is not JSON, or only a part of it", _EXPORTED) from error


def _data(path: Path) -> bytes:
    try:
        with path.open("rb") as file:
            size_bytes = os.fstat(file.fileno()).st_size
            data = file.read((size_bytes or LIMIT_BYTES) + 1) if size_bytes <= LIMIT_BYTES else b""
    except (OSError, ValueError) as error:
        shown = "the HAR file" if "=" in str(path) else path  # what has a = may be the sign-in itself
        why = getattr(error, "strerror", None) or "not a file name"
        raise _bad(f"cannot read {shown}: {why}", "name the file that was exported") from error
    if max(size_bytes, len(data)) > LIMIT_BYTES:
        mega = max(size_bytes, len(data)) / 1e6
        raise _bad(f"{path} has {mega:.0f} MB; a HAR of more than {LIMIT_BYTES / 1e6:.0f} MB is not read", _SMALLER)
    return data


def _own(
    path: Path, entries: Sequence[_Entry], concerns: Callable[[str], bool], hosts: Sequence[str], now: float
) -> Iterator[_Own]:
    at = now
    for number, entry in enumerate(entries, 1):
        at = _moment(entry.started or "") or at
        if concerns(entry.request.url):
            try:
                yield _decoded(number, entry, at, hosts)
            except (msgspec.DecodeError, UnicodeDecodeError) as error:
                raise _bad(f"entry {number} of {path} is not as HAR 1.2 has it", _EXPORTED) from error


def _decoded(number: int, entry: _Entry, at: float, hosts: Sequence[str]) -> _Own:
    request = entry.request
    home = next(host for host in hosts if request.url.startswith(f"{host}/"))
    path = re.split(r"[?#]", request.url[len(home) :])[0]
    return _Own(
        place=f"entry {number} ({_told(request.method)} {_told_path(path)}, {day(at)})",
        at=at,
        url=request.url,
        path=path,
        headers=msgspec.json.decode(request.headers, type=list[_Pair]),
        cookies=msgspec.json.decode(request.cookies, type=list[_Pair]),
        response=msgspec.json.decode(entry.response, type=_Response),
        took_s=max(entry.took_ms or 0.0, 0.0) / 1000,
    )


def _moment(started: str) -> float | None:
    try:
        moment = datetime.fromisoformat(started)
        return moment.replace(tzinfo=moment.tzinfo or UTC).timestamp()
    except (ValueError, OverflowError):
        return None


def _told(text: str) -> str:
    return _UNTOLD.sub("", text)[:_LONGEST_STEP]


def _told_path(path: str) -> str:
    return "/".join(step if len(step) <= _LONGEST_STEP else "..." for step in _UNTOLD.sub("", path).split("/"))


# ---------------------------------------------------------------- what it shows


class _Playback:
    """The entries in the order of what happened, and the sign-in they come to."""

    def __init__(self, recipe: SignIn, hosts: Sequence[str], own: Sequence[_Own], now: Callable[[], float]) -> None:
        self.sighting = Sighting(recipe, hosts, now=now)
        self.unreadable: list[str] = []
        self._recipe = recipe
        self._home = f"{hosts[0]}/"
        self._at = 0.0
        self._jar = self._empty_jar()
        self._ends: dict[tuple[str, Secret], float | None] = {}  # a cookie that is sent no longer says when it ends
        self._places: dict[str, str] = {}
        for at, _, kind, entry in sorted(_happened(own), key=lambda event: event[:2]):
            self._at = at
            if kind == "sent":
                self._sent(entry)
            else:
                self._answered(entry)
        self.sighting.holds(self._cookies())

    def _empty_jar(self) -> CookieJar:
        return CookieJar(now=lambda: self._at)

    def _sent(self, entry: _Own) -> None:
        headers = {pair.name.lower(): pair.value for pair in entry.headers}
        if entry.response.status == _REFUSED:
            headers.pop("authorization", None)
        self.sighting.requested(headers, entry.place)
        cookies = _sent_cookies(entry)
        if not cookies or not entry.url.startswith(self._home):
            return
        if satisfies(self._recipe, cookies):
            self._jar = self._empty_jar()  # what else there was is gone: these are the session's
        self._jar.preload(self._home, cookies)
        self._places |= dict.fromkeys(cookies, entry.place)

    def _answered(self, entry: _Own) -> None:
        if entry.url.startswith(self._home):
            self._set(entry)
        if name := self._recipe.token_paths.get(entry.path):
            self._read(entry, name)

    def _set(self, entry: _Own) -> None:
        values = [pair.value for pair in entry.response.headers if pair.name.lower() == "set-cookie"]
        fields = [line for value in values for line in value.split("\n")]
        self._jar.absorb(entry.url, fields)
        for name in (field.partition("=")[0].strip() for field in fields):
            self._places[name] = entry.place
            if (value := self._jar.get(name)) is not None:
                self._ends[name, value] = self._jar.ends_at(name)

    def _read(self, entry: _Own, name: str) -> None:
        headers = {pair.name.lower(): pair.value for pair in entry.response.headers}
        try:
            text = bodies.text(entry.response.content, headers)
        except bodies.Unreadable as error:
            self.unreadable.append(f"the answer of {entry.place} {error}")
            return
        if token := re.search(rf'"{re.escape(name)}"\s*:\s*"([!-~]+?)"', text):
            self.sighting.bears(Secret(token[1]), entry.place)

    def _cookies(self) -> Iterator[Cookie]:
        for name in self._jar.names():
            if (value := self._jar.get(name)) is not None:
                ends_at = self._ends.get((name, value))
                yield Cookie(name=name, value=value, expires_at=ends_at, place=self._places.get(name))


def _happened(own: Sequence[_Own]) -> Iterator[tuple[float, int, Literal["sent", "answered"], _Own]]:
    for number, entry in enumerate(own):
        yield entry.at, number, "sent", entry
        yield entry.at + entry.took_s, number, "answered", entry


def _sent_cookies(entry: _Own) -> dict[str, Secret]:
    """As the header has them, which is how they were sent; else as the export lists them."""
    header = "; ".join(pair.value for pair in entry.headers if pair.name.lower() == "cookie")
    listed = {pair.name: Secret(pair.value) for pair in entry.cookies}
    return {cookie.name: cookie.value for cookie in read_cookies(header)} or listed


# ---------------------------------------------------------------- what it lacks


def _elsewhere(path: Path, entries: Sequence[_Entry], hosts: Sequence[str], recipe: SignIn) -> BadOption:
    seen = sorted({origin for entry in entries if (origin := site(entry.request.url))})
    what = f"requests to {some(seen)}, but none to" if seen else "no request at all, and so none to"
    return _bad(f"{path} holds {what} {' or '.join(hosts)}", _RECORD.format(url=recipe.url))


def _insufficient(
    path: Path, playback: _Playback, own: Sequence[_Own], recipe: SignIn, hosts: Sequence[str]
) -> BadOption:
    lacks, hint = list(_lacks(playback.sighting)), _RECORD.format(url=recipe.url)
    if _is_sanitised(own):
        bare = f"none of its {len(own)} entries there has a Cookie or Authorization header"
        lacks, hint = [bare, *lacks[-1:]], _UNSANITISED
    return _bad(f"{path} shows no sign-in at {' or '.join(hosts)}: {'; '.join(lacks + playback.unreadable)}", hint)


def _is_sanitised(own: Sequence[_Own]) -> bool:
    headers = {pair.name.lower() for entry in own for pair in (*entry.headers, *entry.response.headers)}
    return not headers & _PROOFS and not any(entry.cookies for entry in own)


def _lacks(sighting: Sighting) -> Iterator[str]:
    for name in sighting.missing:
        yield _lack(f"cookie {name}", sighting.ended.get(name) or sighting.ended.get(f"{name}.0"))
    yield _lack("access token", sighting.ended.get("access token"))


def _lack(what: str, ended: Ended | None) -> str:
    return f"the {what} of {ended.place} expired on {day(ended.at)}" if ended else f"no request shows the {what}"


def _bad(message: str, hint: str) -> BadOption:
    return BadOption(message, field="har", hint=hint)
