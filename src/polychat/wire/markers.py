"""Marks that ChatGPT puts into the text of an answer for its own page, taken out as they stream by.

    U+E200 cite U+E202 turn0search3 U+E202 turn0news1 U+E201        here spaced for reading; nothing is in between

A marker is U+E200, at most `limit_chars` characters that are neither U+E200 nor U+E201, and U+E201. U+E202 separates
its kind from its fields. Everything else is text, less U+E200 to U+E20F, of which none ever reaches a reader: so a
second U+E200 begins the marker anew, and what the first one held back goes out as text, as does what grows too long.

A marker leaves no words behind, whatever its kind: `cite`, `navlist` (heading, references), `i` (pictures), `video`
(title, reference), `forecast`, `products`, `product_entity`, `entity` and `genui` (JSON), or one yet unknown. Its
fields keep what it said. Shape as last known 2026-08, from independent clients.
"""

from __future__ import annotations

import re
from urllib.parse import unquote_plus

import msgspec

_OPENS, _CLOSES, _SEPARATES = "\ue200", "\ue201", "\ue202"
_PRIVATE = re.compile("[\ue200-\ue20f]")
_MARKER = re.compile("\ue200([^\ue200\ue201]*)\ue201")
_REF = re.compile(r"(?<!\w)turn([0-9]{1,9})([a-z_]+)([0-9]{1,9})(?!\w)")


class Ref(msgspec.Struct, frozen=True, gc=False):
    """A source that the service counts: `turn0search3`."""

    turn: int
    kind: str  # search, news, view, image, forecast, product, academia, fetch, file, ...
    index: int


class Marker(msgspec.Struct, frozen=True, gc=False):
    """One mark, and where in the clean text it stood."""

    kind: str
    fields: tuple[str, ...]
    refs: tuple[Ref, ...]  # found in the fields, also inside lists and JSON
    at: int  # characters of clean text before it, since the first feed


class Clean(msgspec.Struct, frozen=True, gc=False):
    """What a fragment gives a reader."""

    text: str = ""
    markers: tuple[Marker, ...] = ()


class MarkerFilter:
    """One text, in whatever fragments it arrives."""

    def __init__(self, *, limit_chars: int = 4096) -> None:
        self._limit_chars = limit_chars
        self._held = ""  # from an unclosed U+E200 on
        self._length_chars = 0  # of the clean text so far

    def feed(self, fragment: str) -> Clean:
        """The text and markers that are certain by now."""
        if not self._held and not _PRIVATE.search(fragment):
            self._length_chars += len(fragment)
            return Clean(fragment)
        text = self._held + fragment
        end = len(text) if (opened := self._opened(text)) is None else opened
        self._held = text[end:]
        return self._cleaned(text[:end])

    def close(self) -> Clean:
        """The text is over: what was held back was no marker."""
        held, self._held = self._held, ""
        return self._cleaned(held)

    def _opened(self, text: str) -> int | None:
        """Where a marker begins that may still be closed."""
        opened = text.rfind(_OPENS)
        if opened < 0 or text.find(_CLOSES, opened) >= 0 or len(text) - opened - 1 > self._limit_chars:
            return None
        return opened

    def _cleaned(self, text: str) -> Clean:
        pieces: list[str] = []
        markers: list[Marker] = []
        begin = 0
        for match in _MARKER.finditer(text):
            if match.end(1) - match.start(1) > self._limit_chars:
                continue
            self._write(text[begin : match.start()], pieces)
            markers.append(_marker(match[1], at=self._length_chars))
            begin = match.end()
        self._write(text[begin:], pieces)
        return Clean("".join(pieces), tuple(markers))

    def _write(self, text: str, pieces: list[str]) -> None:
        pieces.append(_PRIVATE.sub("", text))
        self._length_chars += len(pieces[-1])


def _marker(body: str, *, at: int) -> Marker:
    kind, *fields = (_PRIVATE.sub("", field) for field in body.split(_SEPARATES))
    refs = (Ref(int(turn), name, int(index)) for field in fields for turn, name, index in _REF.findall(field))
    return Marker(kind, tuple(fields), tuple(refs), at)


def strip_utm(url: str) -> str:
    """The URL without the `utm_source` parameters that the service adds; all else stays byte for byte."""
    address, hash_mark, fragment = url.partition("#")
    base, _, query = address.partition("?")
    parameters = query.split("&")
    kept = [parameter for parameter in parameters if unquote_plus(parameter.partition("=")[0]) != "utm_source"]
    if len(kept) == len(parameters):
        return url
    return base + ("?" if kept else "") + "&".join(kept) + hash_mark + fragment
