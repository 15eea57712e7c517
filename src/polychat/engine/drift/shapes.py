"""The shape of an answer: which fields and which kinds of events are in it, by path, and none of its values.

    choices[].delta.content: text        a field, and what its values are
    (ping)                               an object that says its `type`
    delta(text_delta).text: text         a field of an object of that type

Lists are one item, keys that are ids are `*`, and the frames of a stream are laid over one another.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping
from itertools import pairwise
from typing import Any

import msgspec

Shape = Mapping[str, frozenset[str]]  # path -> kinds of its values

_FRAME = re.compile(rb"\r?\n\r?\n|\r\r")
_WORD = re.compile(r"[A-Za-z0-9_./:-]{1,64}\Z")
_ID = re.compile(r"\d{4}|-.*-")
_KINDS = {
    str: "text",
    bool: "boolean",
    int: "number",
    float: "number",
    type(None): "null",
    dict: "object",
    list: "list",
}


def frames(body: bytes) -> list[bytes]:
    """The body's frames, each with its ending: events of a stream, or the whole of a document."""
    if not is_stream(body):
        return [body]
    ends = [found.end() for found in _FRAME.finditer(body)]
    cuts = [0, *ends, *([len(body)] if len(body) not in ends else [])]
    return [body[start:end] for start, end in pairwise(cuts) if end > start]


def is_stream(body: bytes) -> bool:
    """True for an event stream."""
    return re.match(rb"\s*(?:data|event|id|retry)?:", body) is not None


def shape(body: bytes) -> dict[str, frozenset[str]]:
    """What is in the body."""
    found: dict[str, set[str]] = defaultdict(set)
    for document in documents(body):
        for path, value in _flat(document, ""):
            found[path].add(_KINDS[type(value)])
    return {path: frozenset(kinds) for path, kinds in found.items()}


def firsts(body: bytes) -> dict[str, Any]:
    """The first value at each path."""
    found: dict[str, Any] = {}
    for document in documents(body):
        for path, value in _flat(document, ""):
            found.setdefault(path, value)
    return found


def documents(body: bytes) -> Iterator[Any]:
    """The JSON in the body's frames."""
    for frame in frames(body):
        for text in _payloads(frame) if is_stream(body) else [frame]:
            document = _parsed(text)
            if document is not msgspec.UNSET:
                yield document


def without(body: bytes, path: str) -> bytes:
    """The body as if the field at `path`, or the objects of that type, had not been sent."""

    def changed(frame: bytes) -> bytes:
        if not is_stream(body):
            return _cut(frame, path)
        lines = [_cut_line(line, path) for line in frame.splitlines(keepends=True)]
        return b"".join(lines) if all(line is not None for line in lines) else b""  # type: ignore[arg-type]

    return b"".join(map(changed, frames(body)))


def _cut_line(line: bytes, path: str) -> bytes | None:
    """A line without the field; None where the whole frame is of the type that goes."""
    if not line.startswith(b"data:"):
        return line
    payload = line.removeprefix(b"data:")
    text = payload.strip()
    left = _cut(text, path)
    return b"data: " + left + line[len(line.rstrip(b"\r\n")) :] if left else None


def _cut(text: bytes, path: str) -> bytes:
    document = _parsed(text)
    if document is msgspec.UNSET:
        return text
    kept = _pruned(document, "", lambda at: at == path)
    return b"" if kept is msgspec.UNSET else msgspec.json.encode(kept)


def _pruned(value: Any, path: str, goes: Callable[[str], bool]) -> Any:
    """`value` without what `goes`; UNSET where that is all of it."""
    here = _labelled(value, path)
    if goes(here):
        return msgspec.UNSET
    if isinstance(value, dict):
        pairs = [(name, _pruned(item, _below(here, name), goes)) for name, item in value.items()]
        return {name: item for name, item in pairs if item is not msgspec.UNSET}
    if isinstance(value, list):
        items = [_pruned(item, f"{here}[]", goes) for item in value]
        return [item for item in items if item is not msgspec.UNSET]
    return value


def _flat(value: Any, path: str) -> Iterator[tuple[str, Any]]:
    here = _labelled(value, path)
    if here:
        yield here, value
    if isinstance(value, dict):
        for name, item in value.items():
            yield from _flat(item, _below(here, name))
    elif isinstance(value, list):
        for item in value:
            yield from _flat(item, f"{here}[]")


def _labelled(value: Any, path: str) -> str:
    kind = value.get("type") if isinstance(value, dict) else None
    return f"{path}({kind})" if isinstance(kind, str) and _WORD.match(kind) else path


def _below(path: str, name: str) -> str:
    step = "*" if _ID.search(name) or not _WORD.match(name) else name
    return f"{path}.{step}" if path else step


def _payloads(frame: bytes) -> list[bytes]:
    """What a frame says: its data lines, joined; nothing for a comment."""
    lines = [line.removeprefix(b"data:").strip() for line in frame.splitlines() if line.startswith(b"data:")]
    return [b"\n".join(lines)] if lines else []


def _parsed(text: bytes) -> Any:
    """The JSON, or UNSET for anything else."""
    try:
        return msgspec.json.decode(text)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return msgspec.UNSET
