"""The forms in which a known secret may lie in bytes: as it is, and as URLs, JSON, HTML, base64 and hex write it.

Bytes and secrets are compared with all their escapes undone, whoever wrote them and however deep: `%2B`, `\\u002b`,
`&#43;`, `\\/`, and `+` for a space. Base64 of a text that only contains the secret depends on where it begins there,
modulo three; the characters that the neighbours have no part in are what is looked for.

Looking is done window by window, for two reasons: a search holds the interpreter for a few microseconds only, and the
windows that are nothing but base64 (a picture, a sound) are passed over.
"""

from __future__ import annotations

import base64
import re
from collections.abc import Iterator
from typing import NamedTuple

_WINDOW_BYTES = 64 * 1024
_OVERLAP_BYTES = 16 * 1024  # the longest escaped secret that is surely found across two windows
_DEEPEST = 12  # escapes within escapes
_LONGEST_ESCAPE = 12  # bytes for one, as in %255Cu002b
_SHORTEST_BEGIN = 8  # bytes of a secret that begins where a text ends; fewer tell little, and may be a word
_SHORTEST_FORM = 6  # bytes of a form that can be no chance; of base64, two more
_BLOB = re.compile(rb"[A-Za-z0-9+/_=-]*+\Z")
_ESCAPE = re.compile(
    rb"%([0-9A-Fa-f]{2})|\\\\*u([0-9A-Fa-f]{4})|&#x0*([0-9A-Fa-f]{1,6});|&#0*([0-9]{1,7});|&(amp|quot|apos|lt|gt);|\\\\*(.)",
    re.DOTALL,
)
_ENTITIES = {b"amp": b"&", b"quot": b'"', b"apos": b"'", b"lt": b"<", b"gt": b">"}
_SPACE_FOR_PLUS = bytes.maketrans(b"+", b" ")

Span = tuple[int, int]


def windows(data: bytes) -> Iterator[Span]:
    """The stretches to look through, overlapping."""
    for start in range(0, max(len(data), 1), _WINDOW_BYTES):
        end = min(start + _WINDOW_BYTES + _OVERLAP_BYTES, len(data))
        if end - start < _WINDOW_BYTES or not _BLOB.match(data, start, end):
            yield start, end


# ---------------------------------------------------------------- escapes


def plain(data: bytes) -> bytes:
    """`data` with its escapes undone."""
    for _ in range(_DEEPEST):
        if not (b"%" in data or b"\\" in data or b"&" in data):
            break
        before, data = data, _ESCAPE.sub(_unescaped, data)
        if data == before:
            break
    return data


def canonical(data: bytes) -> bytes:
    """`data` as secrets are looked for in it: all forms of one text are one."""
    return plain(data).translate(_SPACE_FOR_PLUS, b"\\")


class Traced(NamedTuple):
    """Canonical bytes, and where each of them came from."""

    data: bytes
    starts: list[int]
    ends: list[int]

    def span(self, place: Span) -> Span:
        """Where a stretch lies in the original."""
        return self.starts[place[0]], self.ends[place[1] - 1]


def traced(data: bytes) -> Traced:
    """`canonical`, with the way back; some hundred times as slow."""
    now = Traced(data, list(range(len(data))), list(range(1, len(data) + 1)))
    for _ in range(_DEEPEST):
        found = [(it.start(), it.end(), _unescaped(it)) for it in _ESCAPE.finditer(now.data)]
        before, now = now, _replaced(now, found)
        if now.data == before.data:
            break
    now = _replaced(now, [(it.start(), it.end(), b"") for it in re.finditer(rb"\\", now.data)])
    return now._replace(data=now.data.translate(_SPACE_FOR_PLUS))


def _replaced(now: Traced, found: list[tuple[int, int, bytes]]) -> Traced:
    pieces: list[bytes] = []
    starts: list[int] = []
    ends: list[int] = []
    at = 0
    for start, end, text in [*found, (len(now.data), len(now.data), b"")]:
        pieces += [now.data[at:start], text]
        starts += now.starts[at:start]
        ends += now.ends[at:start]
        starts += [now.starts[start]] * len(text) if text else []
        ends += [now.ends[end - 1]] * len(text) if text else []
        at = end
    return Traced(b"".join(pieces), starts, ends)


def _unescaped(found: re.Match[bytes]) -> bytes:
    percent, unit, hexadecimal, decimal, entity, char = found.groups()
    if percent:
        return bytes.fromhex(percent.decode())
    if entity:
        return _ENTITIES[entity]
    if char is not None:
        return bytes(char)
    code = int(unit or hexadecimal, 16) if unit or hexadecimal else int(decimal)
    return chr(code).encode("utf-8", "replace") if code < 0x110000 else b""


# ---------------------------------------------------------------- one secret


class Forms:
    """One secret, in every form. A view is bytes that were made canonical."""

    def __init__(self, secret: str) -> None:
        data = secret.encode("utf-8", "surrogatepass")
        self._begun = canonical(data)
        self.beginning = self._begun[:_SHORTEST_BEGIN]
        forms = [canonical(form) for form in (data, data.hex().encode(), data.hex().upper().encode(), *_cores(data))]
        self._forms = [form for form in dict.fromkeys(forms) if len(form) >= _SHORTEST_FORM]

    def is_in(self, view: bytes) -> bool:
        """Whether the view holds it."""
        return any(form in view for form in self._forms)

    def places(self, view: bytes) -> Iterator[Span]:
        """Where it lies in a view."""
        for form in self._forms:
            at = view.find(form)
            while at >= 0:
                yield at, at + len(form)
                at = view.find(form, at + len(form))

    def begun(self, data: bytes) -> int | None:
        """Where at the very end of `data`, as it was sent, it begins and is cut; None where it does not."""
        tail = data[-_LONGEST_ESCAPE * len(self._begun) :]
        if self.beginning not in canonical(tail):
            return None
        view = traced(tail)
        at = view.data.find(self.beginning)
        while at >= 0:
            if self._begun.startswith(view.data[at:]):
                return len(data) - len(tail) + view.starts[at]
            at = view.data.find(self.beginning, at + 1)
        return None


def _cores(data: bytes) -> list[bytes]:
    """What base64 of any text around `data` holds: three alignments, two alphabets."""
    cores = []
    for before in range(3):
        coded = base64.b64encode(b"\0" * before + data)
        first = -(-before * 8 // 6)  # characters that `before` has a part in
        last = (before + len(data)) * 8 // 6  # and those after which the next text has
        core = coded[first:last]
        if len(core) >= _SHORTEST_FORM + 2:
            cores += [core, core.translate(bytes.maketrans(b"+/", b"-_"))]
    return cores
