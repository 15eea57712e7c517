"""A request that was copied from a browser's developer tools as a curl command, for bash or for Windows' cmd.

Of a command the address, the headers, the cookies and the user agent are taken; what it sends is not looked at, and
nothing is run. Several commands, as of "copy all", are read in their order. Of the text nothing but hosts reaches a
message.
"""

from __future__ import annotations

import re
import time
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from typing import NamedTuple

from polychat.credentials import SignIn
from polychat.errors import BadOption
from polychat.signin import shells
from polychat.signin.found import Found, day, satisfies, site, some
from polychat.signin.sighting import Sighting, read_cookies

_PROGRAM = re.compile(r"(?:.*[/\\])?curl(?:\.exe)?", re.IGNORECASE)
_PROMPT = re.compile(r"\s*[$>] +(?=curl)")
_OTHER_COPIES = {
    "a PowerShell command": re.compile(
        r"\bInvoke-(?:WebRequest|RestMethod)\b|\bMicrosoft\.PowerShell\b", re.IGNORECASE
    ),
    "a fetch() call": re.compile(r"^\s*(?:await\s+)?fetch\s*\("),
}
_ADDRESS = re.compile(r"https?://", re.IGNORECASE)
_BARE_LETTERS = "#0123456789afgijklnpqsvBGIJLMNORSVZ"
_BARE = frozenset(
    {
        "basic", "compressed", "digest", "fail", "fail-with-body", "get", "globoff", "head", "http0.9", "http1.0",
        "http1.1", "http2", "http2-prior-knowledge", "http3", "http3-only", "include", "insecure", "ipv4", "ipv6",
        "location", "location-trusted", "next", "path-as-is", "progress-bar", "raw", "remote-name", "show-error",
        "show-headers", "silent", "ssl", "ssl-reqd", "tlsv1", "tlsv1.0", "tlsv1.1", "tlsv1.2", "tlsv1.3", "tr-encoding",
        "verbose",
    }
)  # fmt: skip
_VALUED = ("cookie", "data", "form", "header", "json", "url", "user-agent")  # whatever the next word looks like
_LETTERS = {"H": "header", "b": "cookie", "A": "user-agent", "d": "data", "F": "form"}
_COPY = (
    "log in at {url}, open the network log of the developer tools, ask one question there, and copy its request as cURL"
)


class _Request(NamedTuple):
    """What one command would send."""

    addresses: list[str]
    headers: dict[str, str]  # lower-case; the last of a name, and all cookies


def read(
    text: str,
    recipe: SignIn,
    *,
    hosts: Sequence[str],
    where: str = "the curl command",
    now: Callable[[], float] = time.time,
) -> Found:
    """The sign-in that the request shows. `hosts` are the service's origins.

    Raises: `BadOption` for what is no curl command, asks another host, or carries no sign-in.
    """
    hint = _COPY.format(url=recipe.url)
    requests = [_request(words) for words in _commands(text, hint)]
    sighting = Sighting(recipe, hosts, now=now)
    own = [request for request in requests if any(map(sighting.concerns, request.addresses))]
    if not own:
        raise _elsewhere(requests, hosts, hint)
    for request in own:
        sighting.requested(request.headers)
    sent = [cookies for request in own if (cookies := read_cookies(request.headers.get("cookie", "")))]
    whole = [cookies for cookies in sent if satisfies(recipe, {cookie.name for cookie in cookies})]
    sighting.holds((whole or sent or [[]])[-1])
    if sighting.signed_in or sighting.has_token:
        return sighting.found(where)
    raise _insufficient(sighting, hint)


def _commands(text: str, hint: str) -> list[list[str]]:
    """The arguments of each curl command."""
    whole = _PROMPT.sub("", text.strip(), count=1) + "\n"
    commands = shells.cmd(whole) if _is_cmd(whole) else shells.bash(whole)
    if commands is not None and (found := [words[1:] for words in commands if _PROGRAM.fullmatch(words[0])]):
        return found
    for other, looks in _OTHER_COPIES.items():
        if looks.search(text):
            raise _bad(f"the text is {other}, not a curl command", "in the same menu choose to copy as cURL instead")
    if commands is None and whole.lower().startswith("curl"):
        raise _bad("the curl command was not copied whole: a quote is left open", hint)
    raise _bad("the text is no curl command", hint)


def _is_cmd(text: str) -> bool:
    """True when the command is quoted for Windows' cmd: copies for bash have single quotes, or lines that end in \\."""
    quote = re.search("['\"]", text)
    if quote and quote[0] == "'":
        return False
    return bool(re.search(r"\^\r?\n", text) or (quote and not re.search(r"\\\r?\n", text)))


def _request(words: Sequence[str]) -> _Request:
    request = _Request([], {})
    for name, value in _options(words):
        if name == "url":
            request.addresses.append(value)
        elif name == "user-agent":
            request.headers[name] = value
        elif name == "cookie":  # what has no = names a file, and is no pair
            _add(request.headers, "cookie", value)
        elif name == "header":
            header, _, given = value.partition(":")
            _add(request.headers, header.strip().lower(), given.strip())
    return request


def _add(headers: dict[str, str], name: str, value: str) -> None:
    headers[name] = f"{headers[name]}; {value}" if name == "cookie" and name in headers else value


def _options(words: Sequence[str]) -> Iterator[tuple[str, str]]:
    """Each option with its value, by its long name where that matters; a word of its own is an address.

    An option that is not known takes the next word, so that a value is never mistaken for an address.
    """
    left = deque(words)
    while left:
        word = left.popleft()
        name, value = _option(word)
        if value is None and name and left and (name.startswith(_VALUED) or not left[0].startswith("-")):
            value = left.popleft()
        if name and value is not None:
            yield name, value
        elif _ADDRESS.match(word):
            yield "url", word


def _option(word: str) -> tuple[str, str | None]:
    """The name of an option that takes a value, empty for anything else, and the value if it is in the same word."""
    if word.startswith("--"):
        return ("" if word[2:] in _BARE or word.startswith("--no-") else word[2:]), None
    letters = word[1:].lstrip(_BARE_LETTERS) if word.startswith("-") else ""
    return _LETTERS.get(letters[:1], letters[:1]), letters[1:] or None


def _elsewhere(requests: Sequence[_Request], hosts: Sequence[str], hint: str) -> BadOption:
    told = sorted({site(address) for request in requests for address in request.addresses} - {""})
    if not told:
        return _bad("the curl command names no address", hint)
    return _bad(f"the curl command asks {some(told)}, not {' or '.join(hosts)}", hint)


def _insufficient(sighting: Sighting, hint: str) -> BadOption:
    lacks = [f"no cookie {name}" for name in sighting.missing]
    ended = sighting.ended.get("access token")
    lacks.append(f"an access token that expired on {day(ended.at)}" if ended else "no access token")
    return _bad(f"the curl command carries {' and '.join(lacks)}", hint)


def _bad(message: str, hint: str) -> BadOption:
    return BadOption(message, field="curl", hint=hint)
