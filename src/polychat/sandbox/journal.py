"""What the sandbox saw: one entry per request to a service, without secrets.

An entry is there as soon as the request has arrived and is filled in as the answer goes out: `status` when the head is
sent, `ended` when the body is. Values of credential headers and of token-like JSON fields and query arguments are
masked; cookie names and the authorization scheme stay readable.
"""

from __future__ import annotations

import hashlib
import re
from collections import deque
from collections.abc import Iterable, Mapping
from typing import Any, Literal
from urllib.parse import parse_qsl, urlencode

import msgspec

from polychat.sandbox import multipart

MASK = "***"
KEPT = 10_000  # entries; the oldest go first
_JSON_LIMIT_BYTES = 2_000_000  # a larger body is kept as its hash only
_SECRET = re.compile(
    r"auth(?!ors?$)|cookie|token|secret|password|session|credential|api.?key|^key$|^sig|^verify$", re.IGNORECASE
)

Ended = Literal["open", "complete", "cut", "client left"]


class SeenPart(msgspec.Struct, kw_only=True):
    """One part of a multipart body."""

    name: str
    filename: str | None
    media_type: str | None
    sha256: str
    size_bytes: int


class Entry(msgspec.Struct, kw_only=True):
    """One request and how it was answered."""

    seq: int
    at: float  # sandbox clock, Unix seconds
    service: str
    method: str
    path: str  # below the service
    query: str
    headers: dict[str, str]
    body_sha256: str
    body_size_bytes: int
    json: Any = None  # the parsed body, when it is JSON
    parts: list[SeenPart] | None = None  # when it is multipart/form-data
    account: str | None = None  # whom the service recognised
    faults: list[str] = []
    status: int | None = None
    ended: Ended = "open"


class Journal:
    """The entries, oldest first."""

    def __init__(self) -> None:
        self._entries: deque[Entry] = deque(maxlen=KEPT)
        self._seq = 0

    def record(
        self, *, at: float, service: str, method: str, path: str, query: str, headers: Mapping[str, str], body: bytes
    ) -> Entry:
        """Write down a request that has just arrived."""
        self._seq += 1
        content_type = headers.get("content-type", "")
        entry = Entry(
            seq=self._seq, at=at, service=service, method=method, path=path,
            query=urlencode([(name, _masked(name, value)) for name, value in parse_qsl(query, keep_blank_values=True)]),
            headers={name: _masked_header(name, value) for name, value in headers.items()},
            body_sha256=hashlib.sha256(body).hexdigest(), body_size_bytes=len(body),
            json=_json(content_type, body), parts=_parts(content_type, body),
        )  # fmt: skip
        self._entries.append(entry)
        return entry

    def entries(self, *, service: str | None = None, path: str | None = None) -> Iterable[Entry]:
        """All entries, or those of one service or path."""
        return [e for e in self._entries if service in (None, e.service) and path in (None, e.path)]


def _masked(name: str, value: Any) -> Any:
    return MASK if isinstance(value, str) and _SECRET.search(name) else value


def _masked_header(name: str, value: str) -> str:
    if name in ("authorization", "proxy-authorization"):
        scheme, space, _credentials = value.partition(" ")
        return f"{scheme} {MASK}" if space else MASK
    if name == "cookie":
        return "; ".join(f"{pair.partition('=')[0].strip()}={MASK}" for pair in value.split(";"))
    return str(_masked(name, value))


def _json(content_type: str, body: bytes) -> Any:
    if "json" not in content_type or len(body) > _JSON_LIMIT_BYTES:
        return None
    try:
        return _without_secrets(msgspec.json.decode(body))
    except msgspec.DecodeError:
        return None


def _without_secrets(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _masked(name, _without_secrets(item)) for name, item in value.items()}
    if isinstance(value, list):
        return [_without_secrets(item) for item in value]
    return value


def _parts(content_type: str, body: bytes) -> list[SeenPart] | None:
    if not content_type.startswith("multipart/form-data"):
        return None
    try:
        parts = multipart.parse(content_type, body)
    except ValueError:
        return None
    return [
        SeenPart(
            name=part.name, filename=part.filename, media_type=part.media_type,
            sha256=hashlib.sha256(part.data).hexdigest(), size_bytes=len(part.data),
        )
        for part in parts
    ]  # fmt: skip
