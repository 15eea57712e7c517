"""Whether a request is the one that was recorded, and if not, where they differ.

Compared are the service, the method, the path below the service's host (which host that is does not matter), the query
and the body, field by field. Headers are not, nor what is new each time: UUIDs and moments are equal to any other, and
so are the placeholders of secrets. Both sides are redacted, so a difference may be shown.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import msgspec

from polychat.net.traffic.recorded import Asked
from polychat.net.traffic.redaction import PLACEHOLDER

_UUID = re.compile(r"[0-9a-fA-F]{8}-(?:[0-9a-fA-F]{4}-){3}[0-9a-fA-F]{12}")
_MOMENTS = ((1.4e9, 5e9), (1.4e12, 5e12))  # Unix seconds and milliseconds
_ABSENT = "nothing"
_SHOWN_CHARACTERS = 60
_SHOWN_FIELDS = 3
_ELSEWHERE = 1000  # how much a field of these weighs: another place is further away than any other words
_PLACE = ("service", "method", "path")

Fields = Mapping[str, str]


def fields(asked: Asked, service: str | None) -> dict[str, str]:
    """A request as JSON values by their paths: `path`, `query.limit`, `body.messages[0].content`, `parts[1].sha256`."""
    found = {"service": _shown(service), "method": _shown(asked.method), "path": _shown(asked.path)}
    for name, value in parse_qsl(urlsplit(asked.url).query, keep_blank_values=True):
        found[f"query.{name}"] = _shown(value)
    for number, part in enumerate(asked.parts):
        found |= dict(_flat(msgspec.to_builtins(part), f"parts[{number}]"))
    if asked.text is not None:
        found |= dict(_flat(_parsed(asked.text), "body"))
    elif asked.sha256 is not None:
        found |= {"body.size_bytes": _shown(asked.size_bytes), "body.sha256": _shown(asked.sha256)}
    return found


def differences(recorded: Fields, asked: Fields) -> list[str]:
    """Where they differ: names of fields, those of the place first."""
    names = [*_PLACE, *recorded, *asked]
    return [name for name in dict.fromkeys(names) if recorded.get(name) != asked.get(name)]


def distance(recorded: Fields, asked: Fields) -> int:
    """How far apart they are; 0 for the same request."""
    return sum(_ELSEWHERE if name in _PLACE else 1 for name in differences(recorded, asked))


def told(recorded: Fields, asked: Fields) -> str:
    """The first differences, as `path: recorded -> asked`."""
    names = differences(recorded, asked)
    said = [
        f"{name}: {_short(recorded.get(name, _ABSENT))} -> {_short(asked.get(name, _ABSENT))}"
        for name in names[:_SHOWN_FIELDS]
    ]
    more = [f"and {len(names) - _SHOWN_FIELDS} more"] if len(names) > _SHOWN_FIELDS else []
    return "; ".join(said + more)


def _parsed(text: str) -> Any:
    try:
        return msgspec.json.decode(text)
    except msgspec.DecodeError:
        return dict(parse_qsl(text, keep_blank_values=True)) or text


def _flat(value: Any, path: str) -> Iterator[tuple[str, str]]:
    items: Iterable[tuple[str, Any]]
    match value:
        case dict() if value:
            items = [(f"{path}.{name}", item) for name, item in value.items()]
        case list() if value:
            items = [(f"{path}[{number}]", item) for number, item in enumerate(value)]
        case _:
            yield path, _shown(value)
            return
    for inner, item in items:
        yield from _flat(item, inner)


def _shown(value: Any) -> str:
    """A value as JSON, without what is new each time."""
    if isinstance(value, int | float) and any(low < value < high for low, high in _MOMENTS):
        return "<moment>"
    text = msgspec.json.encode(value).decode()
    return _UUID.sub("<uuid>", PLACEHOLDER.sub("REDACTED", text)) if isinstance(value, str) else text


def _short(text: str) -> str:
    return text if len(text) <= _SHOWN_CHARACTERS else f"{text[: _SHOWN_CHARACTERS - 1]}…"
