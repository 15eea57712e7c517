"""What one recorded exchange is, as a file: JSON, one exchange each, `"format": 1`.

    0001-openai-chat-completions.json      its number, the service, the end of the path; the order of numbers is that
                                           of asking, within one process; `started_at` orders all

Times are seconds since the request was sent, one entry for each network read. Bytes are `text` where they are UTF-8,
else `base64`; what was a secret is `REDACTED-n`. A later format is refused, an unknown field passed over.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Literal, NamedTuple

import msgspec

from polychat.errors import ConfigError

FORMAT = 1
SUFFIX = ".json"
_LAID_OUT_BYTES = 1_000_000

How = Literal[
    "whole",  # read to its end
    "left",  # whoever read it stopped before its end, as one does who has seen all that matters
    "cancelled",  # the task that read it was cancelled
    "cut",  # the connection broke, before the answer or inside it
    "stalled",  # a clock ran out; `clock` says which
    "failed",  # no connection
]


class Piece(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One network read of a body, or one message of a websocket."""

    at_s: float
    text: str | None = None
    base64: bytes | None = None  # where it is not UTF-8, or cut inside a character
    sent: bool = False  # of a websocket: ours

    @property
    def data(self) -> bytes:
        """The bytes."""
        return self.base64 if self.base64 is not None else (self.text or "").encode()


class Part(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One part of multipart/form-data: a field's text, or what a file was."""

    name: str
    filename: str | None = None
    media_type: str | None = None
    text: str | None = None
    size_bytes: int | None = None
    sha256: str | None = None


class Asked(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """The request. A body that is neither JSON nor a form is its size and hash."""

    method: str
    url: str
    path: str  # below the service's host, without query; of a stranger's address: all of its path
    host: str | None = None  # the service's own name for the host; None: a stranger's
    headers: dict[str, str] = {}
    text: str | None = None
    size_bytes: int | None = None
    sha256: str | None = None
    parts: tuple[Part, ...] = ()


class Answered(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """The answer, from its head on."""

    status: int
    at_s: float
    headers: dict[str, str] = {}
    set_cookies: tuple[str, ...] = ()
    chunks: tuple[Piece, ...] = ()

    @property
    def body(self) -> bytes:
        """All of it."""
        return b"".join(chunk.data for chunk in self.chunks)


class Ended(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """How it ended, and when."""

    how: How
    at_s: float
    clock: str | None = None  # of "stalled": the clock that ran out
    limit_s: float | None = None  # and what it was set to


class Exchange(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One exchange."""

    format: int
    polychat: str  # the version that wrote it
    service: str | None = None  # None: asked for nobody's account, as a file at a public address is
    started_at: float  # Unix seconds
    request: Asked
    response: Answered | None = None  # None: no answer began
    messages: tuple[Piece, ...] | None = None  # of a websocket, both ways
    ended: Ended


class Recording(NamedTuple):
    """An exchange and the name of its file."""

    name: str
    exchange: Exchange


class _Version(msgspec.Struct):
    format: int


def read(folder: Path) -> list[Recording]:
    """Every recording in `folder`, in the order of asking.

    Raises: `ConfigError` for a folder that cannot be read or holds none, and for the first file that is damaged or of
    a later format.
    """
    try:
        paths = sorted(path for path in folder.iterdir() if path.suffix == SUFFIX and not path.name.startswith("."))
        found = [Recording(path.name, decoded(path.read_bytes(), path)) for path in paths]
    except OSError as error:
        raise ConfigError(f"cannot read the recordings in {folder}: {error.strerror}") from error
    if not found:
        raise ConfigError(f"there are no recordings in {folder}", hint="make some: polychat chat --record FOLDER ...")
    return sorted(found, key=lambda one: one.exchange.started_at)


def decoded(data: bytes, path: Path) -> Exchange:
    """The exchange in a file's bytes. Raises: `ConfigError` naming the file."""
    try:
        version = msgspec.json.decode(data, type=_Version).format
        if version != FORMAT:
            raise ConfigError(
                f"the recording {path} has format {version}, and this polychat reads format {FORMAT}",
                hint="read it with a newer polychat, or record it again",
            )
        return msgspec.json.decode(data, type=Exchange)
    except (msgspec.MsgspecError, UnicodeDecodeError) as error:
        raise ConfigError(f"the recording {path} is damaged: {error}", hint="delete it, or record it again") from None


def encoded(exchange: Exchange) -> bytes:
    """The bytes of its file: laid out to be read, unless nobody would read as much."""
    data = msgspec.json.encode(exchange)
    return (msgspec.json.format(data, indent=1) if len(data) < _LAID_OUT_BYTES else data) + b"\n"


def piece(at_s: float, data: bytes, *, sent: bool = False) -> Piece:
    """`data` as text where it is that."""
    try:
        return Piece(at_s=round(at_s, 6), text=data.decode(), sent=sent)
    except UnicodeDecodeError:
        return Piece(at_s=round(at_s, 6), base64=data, sent=sent)


def slug(words: Sequence[str | None], limit: int = 60) -> str:
    """Words as the name of a file has them."""
    text = "-".join(filter(None, words)).lower()
    return "-".join("".join(c if c.isascii() and c.isalnum() else " " for c in text).split())[:limit].strip("-")
