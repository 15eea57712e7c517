"""What may be written down of an exchange, and what is a placeholder instead.

By allow-list: header names and query parameters; any other value is `REDACTED-n`, and so is every cookie's value. By
name: texts in bodies under keys such as `access_token`, and signed parameters of the links there. By shape: JWTs and
keys with a known prefix. By value, wherever it lies and in every form of `secret_forms`: the account's secrets as its
session knows them, and whatever one of the rules above found to be one.

One value has one placeholder as long as the `Redactor` lives, so a link that an answer hands out and the request that
follows it still agree. Placeholders are left as they are: redacting twice changes nothing. Not thread-safe.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import lru_cache
from typing import NamedTuple
from urllib.parse import SplitResult, quote, unquote, urlsplit, urlunsplit

from polychat.credentials import Revealed
from polychat.net.traffic.secret_forms import Forms, Span, canonical, plain, traced, windows
from polychat.net.traffic.secret_pieces import scattered

PLACEHOLDER = re.compile(r"REDACTED-\d+")
_PLACEHOLDER = re.compile(rb"REDACTED-\d+")
_SHORTEST = 8  # characters of a secret that is looked for in texts; shorter ones would garble them
_REMEMBERED = 512  # secrets that are looked for in the next exchange; the oldest go first

# ---------------------------------------------------------------- what is allowed

HEADERS = frozenset({
    "accept", "accept-encoding", "accept-language", "accept-ranges", "age", "allow", "anthropic-beta",
    "anthropic-version", "cache-control", "cf-mitigated", "connection", "content-disposition", "content-encoding",
    "content-language", "content-length", "content-range", "content-type", "date", "expires", "last-modified",
    "openai-beta", "openai-processing-ms", "openai-version", "pragma", "priority", "range", "request-id", "retry-after",
    "retry-after-ms", "server", "transfer-encoding", "user-agent", "vary", "x-accel-buffering",
    "x-content-type-options", "x-request-id", "x-sandbox-scenario", "x-should-retry",
})  # fmt: skip
_HEADER_FAMILIES = re.compile(r"(x|anthropic)-ratelimit-[a-z0-9-]+\Z")
_LINK_HEADERS = frozenset({"location", "content-location", "origin", "referer"})
PARAMETERS = frozenset({
    "after", "after_id", "alt", "api-version", "before", "before_id", "beta", "conversation_id", "filename", "format",
    "height", "history_and_training_disabled", "id", "include", "lang", "language", "last", "limit", "locale",
    "message_id", "model", "name", "offset", "order", "page", "pagesize", "quality", "size", "sort", "stream", "type",
    "version", "voice", "width",
})  # fmt: skip
_COOKIE_ATTRIBUTES = frozenset(
    {"domain", "expires", "httponly", "max-age", "partitioned", "path", "samesite", "secure"}
)

# ---------------------------------------------------------------- what is suspect

_STRONG = re.compile(
    r"(access|refresh|id|session|auth|bearer|csrf|xsrf|security|client|device|resume|conduit|api|bot|user|push|"
    r"websocket)[_.-]?tokens?$|secret|passw(or)?d$|passphrase$|passwd$|authorization$|(api|private|access|signing|"
    r"session|encryption|secret)[_.-]?key$|csrf|xsrf|cookies?$|credentials?$|^jwt$|^bearer$|^otp$|^session[_.-]?id$",
    re.IGNORECASE,
)
_WEAK = re.compile(r"(token|^key|^session|^auth|nonce)$", re.IGNORECASE)
_SHORTEST_WEAK = 12  # characters of a `token` that is none of a model's
_SIGNED = re.compile(
    r"(x-(amz|goog)-.+|sig|signature|se|sp|st|sr|ske|skt|sks|skv|skoid|sktid|policy|key-pair-id|awsaccesskeyid|"
    r"googleaccessid|hmac|hash|verify|t|key|token|auth|code|ticket|password|secret)$",
    re.IGNORECASE,
)
_KEY = re.compile(rb'"([\w.$-]{1,80})(\\*")\s*:\s*(?=\\*["\[])')
_OPENING = re.compile(rb"\s*(\\*)\"")
_ITEM = re.compile(rb"\s*,?\s*(?=\\*\")")
_BARE_KEY = re.compile(rb"\b([A-Za-z_$][\w$]{1,60})\s*[:=]\s*(?=[\"'])")
_TAG = re.compile(rb"<(?:meta|input)\b[^>]{1,4000}>", re.IGNORECASE)
_TAG_NAME = re.compile(rb"\b(?:name|id|property)\s*=\s*[\"']?([\w.:-]+)", re.IGNORECASE)
_TAG_VALUE = re.compile(rb"\b(?:content|value)\s*=\s*(?:\"([^\"]*)\"|'([^']*)')", re.IGNORECASE)
_PARAMETER = re.compile(rb"(?:[?&;]|\\+u0026)([\w.-]{1,40})=([^&\s\"'<>\\;#]+)")
_FORM = re.compile(rb"(?:^|&)([^&=\s]{1,80})=([^&\s]+)")
_SHAPES = tuple(
    re.compile(shape)
    for shape in (
        rb"eyJ[\w-]{6,}\.(?:[\w-]+\.){0,3}[\w-]*",  # a JWT
        rb"sk-[\w-]{16,}",
        rb"AIza[\w-]{30,}",
        rb"ya29\.[\w-]{16,}",
        rb"gh[opsur]_\w{20,}",
        rb"xox[abeoprs]-[\w-]{10,}",
        rb"AKIA[0-9A-Z]{12,}",
        rb"[Bb]earer[ +]([\w.~+/-]{12,}=*)",
        rb"-----BEGIN [A-Z ]*PRIVATE KEY-----.*?-----END [A-Z ]*PRIVATE KEY-----",
    )
)


@lru_cache(maxsize=4096)
def _kind(name: str) -> str:
    """ "strong", "weak" or nothing: whether a text under that key is a secret."""
    return "strong" if _STRONG.search(name) else "weak" if _WEAK.search(name) else ""


class Redacted(NamedTuple):
    """Bytes without secrets, and where their cuts are now."""

    data: bytes
    cuts: list[int]


class Leak(Exception):
    """A secret could be seen and not be cut out: nothing of it may be written."""


class Redactor:
    """The placeholders of one recorder. `pause` is called every millisecond or two of work."""

    def __init__(self, pause: Callable[[], object] = lambda: None) -> None:
        self._pause = pause
        self._placeholders: dict[str, str] = {}
        self._known: dict[str, Forms] = {}

    # ------------------------------------------------------------ what is known

    def learn(self, secret: str) -> None:
        """Look for it from now on; too short a text, or one that is a plain word, is no secret to look for."""
        secret = secret.strip()
        if len(secret) < _SHORTEST or secret in self._known or PLACEHOLDER.fullmatch(secret):
            return
        self._known[secret] = Forms(secret)

    def forget(self) -> None:
        """Look no longer for the oldest of very many secrets; not in the middle of an exchange, which may hold them."""
        for secret in list(self._known)[:-_REMEMBERED]:
            del self._known[secret]

    def placeholder(self, value: str) -> str:
        """What stands for `value`."""
        if not value or PLACEHOLDER.fullmatch(value):
            return value
        return self._placeholders.setdefault(value, f"REDACTED-{len(self._placeholders) + 1}")

    def _found(self, value: str, *, certain: bool) -> str:
        """The placeholder of what a rule took for a secret; one that no plain word can be is looked for as well."""
        if certain and (len(value) >= 2 * _SHORTEST or not value.isalpha()):
            self.learn(value)
        return self.placeholder(value)

    # ------------------------------------------------------------ heads

    def headers(self, headers: Mapping[str, str]) -> dict[str, str]:
        """Headers by the allow-list; of the others names and placeholders."""
        return {name: self._header(name.lower(), value) for name, value in headers.items()}

    def _header(self, name: str, value: str) -> str:
        if name == "cookie":
            return "; ".join(self._cookie(pair) for pair in value.split(";"))
        if name in _LINK_HEADERS:
            return self.url(value)
        if (name in HEADERS or _HEADER_FAMILIES.match(name)) and not isinstance(value, Revealed):
            return self.text(value)
        _scheme, space, rest = value.partition(" ")
        secret = rest if space and name.endswith("authorization") else value
        sensitive = isinstance(value, Revealed) or bool(_kind(name)) or name.endswith("authorization")
        return value.removesuffix(secret) + self._found(secret, certain=sensitive)

    def _cookie(self, pair: str) -> str:
        name, equals, value = pair.strip().partition("=")
        if not equals:
            return self._found(name, certain=True)
        return f"{name}={self._found(value, certain=True)}"

    def set_cookie(self, field: str) -> str:
        """A Set-Cookie field: names and attributes stay."""
        pair, *attributes = field.split(";")
        kept = [each for each in attributes if each.partition("=")[0].strip().lower() in _COOKIE_ATTRIBUTES]
        return ";".join([self._cookie(pair), *map(self.text, kept)])

    def url(self, url: str) -> str:
        """An address: no user, no fragment, query values by the allow-list."""
        try:
            parts = urlsplit(url)
        except ValueError:
            return self.placeholder(url)
        query = "&".join(self._parameter(pair) for pair in parts.query.split("&")) if parts.query else ""
        bare = SplitResult(parts.scheme, parts.netloc.rpartition("@")[2], parts.path, query, "")
        return self.text(urlunsplit(bare))

    def _parameter(self, pair: str) -> str:
        name, equals, value = pair.partition("=")
        if not equals or name.lower() in PARAMETERS:
            return pair
        certain = bool(_SIGNED.match(name) or _kind(name))
        return f"{name}={quote(self._found(unquote(value), certain=certain))}"

    def field(self, name: str, value: str) -> str:
        """The value of a form's field: by its name, then as any text."""
        return self._found(value, certain=True) if _kind(name) else self.text(value)

    def text(self, text: str) -> str:
        """A word that is written down as it is, but for secrets in it."""
        return self.body(text.encode("utf-8", "surrogateescape")).data.decode("utf-8", "surrogateescape")

    # ------------------------------------------------------------ bodies

    def study(self, data: bytes, media_type: str = "") -> None:
        """Learn the secrets of a body by their names and shapes."""
        for _, value, certain in _suspects(data, media_type, self._windows(data)):
            self._found(value, certain=certain)

    def body(self, data: bytes, media_type: str = "", cuts: Iterable[int] = ()) -> Redacted:
        """`data` with placeholders. `cuts` are offsets into it; one inside a secret moves into its placeholder.

        Raises: `Leak`.
        """
        suspects = _suspects(data, media_type, self._windows(data))
        spans = {span: self._found(value, certain=certain) for span, value, certain in suspects}
        spans |= dict(self._seen(data)) | dict(self._begun(data))
        self._pause()
        spans |= {span: self.placeholder(secret) for span, secret in scattered(data, self._known) if span not in spans}
        redacted = _replaced(data, _merged(spans), list(cuts))
        if self.shows(redacted.data):
            raise Leak
        return redacted

    def shows(self, data: bytes) -> bool:
        """Whether a known secret can be seen, whole or by joining texts."""
        if next(self._seen(data, check=True), None) is not None:
            return True
        self._pause()
        return next(scattered(data, self._known), None) is not None

    def _windows(self, data: bytes) -> Iterator[Span]:
        for window in windows(data):
            self._pause()
            yield window

    def _seen(self, data: bytes, *, check: bool = False) -> Iterator[tuple[Span, str]]:
        """Where known secrets lie; with `check`, first of all that some do, whether or not they can be cut out."""
        for start, end in self._windows(data):
            view = canonical(data[start:end])
            found = [(secret, forms) for secret, forms in self._known.items() if forms.is_in(view)]
            if not found:
                continue
            if check:
                yield (start, end), ""
            there = traced(data[start:end])
            for secret, forms in found:
                for place in forms.places(there.data):
                    low, high = there.span(place)
                    yield (start + low, start + high), self.placeholder(secret)

    def _begun(self, data: bytes) -> Iterator[tuple[Span, str]]:
        """The beginning of a known secret at the very end, where a body was cut."""
        for secret, forms in self._known.items():
            if (start := forms.begun(data)) is not None:
                yield (start, len(data)), self.placeholder(secret)


Suspect = tuple[Span, str, bool]


def _suspects(data: bytes, media_type: str, stretches: Iterable[Span]) -> Iterator[Suspect]:
    """What is a secret by its name or shape: where, its value, and whether that is certain."""
    kind = media_type.partition(";")[0].strip().lower()
    if kind.startswith(("image/", "audio/", "video/")) or kind == "application/octet-stream":
        return
    if kind == "application/x-www-form-urlencoded":
        yield from _in_form(data)
        return
    for start, end in stretches:
        yield from _under_keys(data, start, end)
        yield from _in_links(data, start, end)
        for shape in _SHAPES:
            group = shape.groups
            yield from ((it.span(group), _word(it[group]), True) for it in shape.finditer(data, start, end))
        if kind in {"text/html", "application/xhtml+xml", "text/javascript", "application/javascript"}:
            yield from _in_pages(data, start, end)


def _under_keys(data: bytes, start: int, end: int) -> Iterator[Suspect]:
    """Texts in JSON, also in JSON within JSON, also where the document is cut; lists of texts too."""
    for key in _KEY.finditer(data, start, end):
        if kind := _kind(key[1].decode("utf-8", "replace")):
            yield from _texts_at(data, key.end(), kind)


def _texts_at(data: bytes, at: int, kind: str) -> Iterator[Suspect]:
    in_list = data[at : at + 1] == b"["
    at += in_list
    while opening := _OPENING.match(data, at):
        quote_mark = opening[1] + b'"'
        closing = re.compile(rb"(?<!\\)" + re.escape(quote_mark)).search(data, opening.end())
        end = closing.start() if closing else len(data)
        value = _word(data[opening.end() : end])
        if value and (kind == "strong" or (len(value) >= _SHORTEST_WEAK and not re.search(r"\s", value))):
            yield (opening.end(), end), value, kind == "strong"
        following = _ITEM.match(data, closing.end()) if closing and in_list else None
        if following is None or b"," not in following[0]:
            return
        at = following.end()


def _in_links(data: bytes, start: int, end: int) -> Iterator[Suspect]:
    """Signed parameters of links."""
    for found in _PARAMETER.finditer(data, start, end):
        name = found[1].decode()
        if _SIGNED.match(name) or _kind(name):
            yield found.span(2), unquote(found[2].decode("utf-8", "replace")), len(found[2]) >= 2 * _SHORTEST


def _in_pages(data: bytes, start: int, end: int) -> Iterator[Suspect]:
    """Secrets in a page: `<meta name="csrf-token" content="...">`, hidden inputs, names in scripts."""
    for tag in _TAG.finditer(data, start, end):
        name, value = _TAG_NAME.search(tag[0]), _TAG_VALUE.search(tag[0])
        if name and value and _kind(name[1].decode()):
            group = 1 if value[1] is not None else 2
            begin = tag.start() + value.start(group)
            yield (begin, begin + len(value[group])), _word(value[group]), True
    for key in _BARE_KEY.finditer(data, start, end):
        if kind := _kind(key[1].decode()):
            mark = data[key.end() : key.end() + 1]
            close = data.find(mark, key.end() + 1)
            value_span = key.end() + 1, close if close >= 0 else len(data)
            yield value_span, _word(data[slice(*value_span)]), kind == "strong"


def _in_form(data: bytes) -> Iterator[Suspect]:
    """A form's fields by the allow-list of parameters."""
    for found in _FORM.finditer(data):
        name = unquote(found[1].decode("utf-8", "replace"))
        if name.lower() not in PARAMETERS:
            yield found.span(2), unquote(found[2].decode("utf-8", "replace").replace("+", " ")), bool(_kind(name))


def _word(data: bytes) -> str:
    return plain(data).decode("utf-8", "replace")


def _merged(spans: Mapping[Span, str]) -> list[tuple[Span, str]]:
    """Spans in order; those that overlap are one, under the placeholder of the first, the longest first."""
    merged: list[tuple[Span, str]] = []
    for (start, end), placeholder in sorted(spans.items(), key=lambda item: (item[0][0], -item[0][1])):
        if merged and start < merged[-1][0][1]:
            (begun, before), kept = merged[-1]
            merged[-1] = ((begun, max(before, end)), kept)
        elif start < end:
            merged.append(((start, end), placeholder))
    return merged


def _replaced(data: bytes, spans: list[tuple[Span, str]], cuts: list[int]) -> Redacted:
    """`data` with its spans replaced; each cut keeps its distance from the span's begin, as far as there is room."""
    pieces, moved, at, size, cut = [], [], 0, 0, 0
    for (start, end), text in [*spans, ((len(data), len(data)), "")]:
        placeholder = text.encode()
        while cut < len(cuts) and cuts[cut] < end:
            offset = cuts[cut]
            moved.append(
                size + (offset - at if offset <= start else start - at + min(offset - start, len(placeholder)))
            )
            cut += 1
        pieces += [data[at:start], placeholder]
        size += start - at + len(placeholder)
        at = end
    moved += [size] * (len(cuts) - cut)
    return Redacted(b"".join(pieces), moved)
