"""Recorded exchanges served over real HTTP in a service's stead.

A recording is a JSON file of `"format": 1`. It answers a request of its service with the same method, path, query and
body; headers are not compared. `REDACTED-n` in a recording stands for any text, a UUID and a moment for any other,
`<N bytes, sha256 H>` for a file in base64. Equal recordings answer in the order in which they were made, the last of
them again and again. A recording ends as it ended: cut, stalled, or whole. What is not recorded the emulation answers,
or nobody (`rest`). Links to the recorded service's own host lead to the sandbox.
"""

from __future__ import annotations

import asyncio
import base64
import binascii
import hashlib
import re
from collections.abc import Collection, Iterator, Mapping
from pathlib import Path
from typing import Any, Literal, Protocol
from urllib.parse import parse_qsl, unquote, urlsplit

import msgspec

from polychat.sandbox import multipart
from polychat.sandbox.faults import Ending

FORMAT = 1
_PLACEHOLDER = re.compile(r"REDACTED-\d+")
_FILE = re.compile(r"(.*)<(\d+) bytes, sha256 ([0-9a-f]{64})>", re.DOTALL)
_UUID = re.compile(r"[0-9a-fA-F]{8}-(?:[0-9a-fA-F]{4}-){3}[0-9a-fA-F]{12}")
_MOMENTS = ((1.4e9, 5e9), (1.4e12, 5e12))  # Unix seconds and milliseconds
_OF_THE_WIRE = frozenset({
    "connection", "content-encoding", "content-length", "date", "server", "set-cookie", "transfer-encoding",
})  # fmt: skip
_ENDINGS = {"whole": Ending.END, "left": Ending.END, "stalled": Ending.STALL}  # any other hangs up

Rest = Literal["emulation", "refuse"]
Speed = Literal["full", "real"] | float


class Unreadable(ValueError):
    """A folder or a file of it is no recording; the text is one sentence with its name."""


class _Piece(msgspec.Struct):
    at_s: float
    text: str | None = None
    base64: bytes | None = None

    @property
    def data(self) -> bytes:
        return self.base64 if self.base64 is not None else (self.text or "").encode()


class _Part(msgspec.Struct):
    name: str
    filename: str | None = None
    text: str | None = None
    sha256: str | None = None


class _Request(msgspec.Struct):
    method: str
    url: str
    path: str
    host: str | None = None
    text: str | None = None
    sha256: str | None = None
    parts: list[_Part] = []


class _Answer(msgspec.Struct):
    status: int
    at_s: float
    headers: dict[str, str] = {}
    set_cookies: list[str] = []
    chunks: list[_Piece] = []


class _Ended(msgspec.Struct):
    how: str
    at_s: float


class Recording(msgspec.Struct):
    """One exchange, as much of it as is needed to hold it again."""

    format: int
    started_at: float
    request: _Request
    ended: _Ended
    service: str | None = None
    response: _Answer | None = None
    name: str = ""  # of its file
    used: bool = False


class Asked(msgspec.Struct, frozen=True):
    """A request to a service."""

    method: str
    path: str  # below the service
    query: str
    content_type: str
    body: bytes
    base_url: str  # of the service, as the client sees it


class Outlet(Protocol):
    """Where an answer goes out."""

    async def send(self, message: Any) -> None:
        """ASGI `send`."""
        ...

    async def end(self, ending: Ending) -> None:
        """Stop in that way."""
        ...


class Replay(msgspec.Struct):
    """What one service answers from."""

    folder: str
    recordings: list[Recording]
    speed: Speed = "full"
    rest: Rest = "emulation"

    def take(self, asked: Asked) -> Recording | None:
        """The recording that answers next, if one does."""
        same = [one for one in self.recordings if _fits(one.request, asked)]
        found = next((one for one in same if not one.used), same[-1] if same else None)
        if found is not None:
            found.used = True
        return found

    async def play(self, recording: Recording, asked: Asked, outlet: Outlet) -> None:
        """Answer as recorded."""
        answer, at_s = recording.response, 0.0
        if answer is not None:
            await self._wait(answer.at_s)
            await outlet.send({"type": "http.response.start", "status": answer.status, "headers": _headers(answer)})
            base = _base(recording.request)
            at_s = answer.at_s
            for piece in answer.chunks:
                await self._wait(piece.at_s - at_s)
                at_s = piece.at_s
                data = piece.data.replace(base, _base_here(recording.request, asked)) if base else piece.data
                await outlet.send({"type": "http.response.body", "body": data, "more_body": True})
        await self._wait(recording.ended.at_s - at_s)
        ending = _ENDINGS.get(recording.ended.how, Ending.HANG_UP)
        if ending is Ending.END:
            await outlet.send({"type": "http.response.body", "body": b"", "more_body": False})
        else:
            await outlet.end(ending)

    async def _wait(self, seconds: float) -> None:
        if self.speed != "full" and seconds > 0:
            await asyncio.sleep(seconds if self.speed == "real" else seconds / float(self.speed))


# ---------------------------------------------------------------- reading


def load(
    folder: str, services: Collection[str], *, speed: Speed = "full", rest: Rest = "emulation"
) -> dict[str, Replay]:
    """What each service that has recordings there answers from. Raises: Unreadable."""
    recordings = read(folder)
    names = sorted({one.service for one in recordings if one.service is not None and one.service in services})
    if not names:
        raise Unreadable(f"the recordings in {folder} are of no service that is emulated here")
    return {name: of_service(folder, name, speed=speed, rest=rest) for name in names}


def of_service(folder: str, service: str, *, speed: Speed = "full", rest: Rest = "emulation") -> Replay:
    """What `service` answers from: its recordings in `folder`, and those of nobody's, as files at a link are.

    Raises: Unreadable.
    """
    recordings = [one for one in read(folder) if one.service in (service, None)]
    if not any(one.service for one in recordings):
        raise Unreadable(f"there are no recordings of {service} in {folder}")
    return Replay(folder=folder, recordings=recordings, speed=speed, rest=rest)


def read(folder: str) -> list[Recording]:
    """Every recording in a folder, in the order of asking. Raises: Unreadable."""
    try:
        paths = [path for path in Path(folder).iterdir() if path.suffix == ".json" and not path.name.startswith(".")]
        found = [_decoded(path) for path in paths]
    except OSError as error:
        raise Unreadable(f"cannot read the recordings in {folder}: {error.strerror}") from error
    return sorted(found, key=lambda one: (one.started_at, one.name))


def _decoded(path: Path) -> Recording:
    try:
        recording = msgspec.json.decode(path.read_bytes(), type=Recording)
    except (msgspec.MsgspecError, UnicodeDecodeError) as error:
        raise Unreadable(f"the recording {path} is damaged: {error}") from error
    if recording.format != FORMAT:
        raise Unreadable(f"the recording {path} has format {recording.format}, and this sandbox reads format {FORMAT}")
    recording.name, recording.used = path.name, False
    return recording


# ---------------------------------------------------------------- matching


def _fits(recorded: _Request, asked: Asked) -> bool:
    return (
        recorded.method == asked.method
        and _same_path(recorded, asked.path)
        and _same(_pairs(urlsplit(recorded.url).query), _pairs(asked.query))
        and _same_body(recorded, asked)
    )


def _same_path(recorded: _Request, path: str) -> bool:
    """A recorded path is below the client's base URL, which may be deeper than the service is here, or elsewhere."""
    wanted = unquote(recorded.path)
    pattern = ".*".join(map(re.escape, _PLACEHOLDER.split(wanted)))
    return re.fullmatch(f".*{pattern}", path) is not None or (recorded.host is None and wanted.endswith(path))


def _same_body(recorded: _Request, asked: Asked) -> bool:
    if recorded.parts:
        return _same_parts(recorded.parts, asked)
    if recorded.text is not None:
        return _same(_parsed(recorded.text.encode()), _parsed(asked.body))
    return recorded.sha256 == (hashlib.sha256(asked.body).hexdigest() if asked.body else None)


def _same_parts(recorded: list[_Part], asked: Asked) -> bool:
    try:
        parts = multipart.parse(asked.content_type, asked.body)
    except ValueError:
        return False
    return len(parts) == len(recorded) and all(
        _same(one.name, part.name)
        and _same(one.filename, part.filename)
        and (
            one.sha256 == hashlib.sha256(part.data).hexdigest()
            if one.text is None
            else _same(one.text, part.data.decode("utf-8", "replace"))
        )
        for one, part in zip(recorded, parts, strict=True)
    )


def _pairs(query: str) -> dict[str, str]:
    return dict(parse_qsl(query, keep_blank_values=True))


def _parsed(body: bytes) -> Any:
    try:
        return msgspec.json.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError):
        return _pairs(body.decode("utf-8", "replace"))


def _same(recorded: Any, asked: Any) -> bool:
    """Equal, but for what stands for any value."""
    if isinstance(recorded, dict) and isinstance(asked, dict):
        return recorded.keys() == asked.keys() and all(_same(recorded[name], asked[name]) for name in recorded)
    if isinstance(recorded, list) and isinstance(asked, list):
        return len(recorded) == len(asked) and all(map(_same, recorded, asked))
    if isinstance(recorded, str) and isinstance(asked, str):
        return _same_text(recorded, asked)
    return bool(recorded == asked) or (_is_moment(recorded) and _is_moment(asked))


def _same_text(recorded: str, asked: str) -> bool:
    if file := _FILE.fullmatch(recorded):
        return _hash(asked.removeprefix(file[1])) == file[3]
    pattern = ".*".join(map(re.escape, _PLACEHOLDER.split(_UUID.sub("", recorded))))
    return re.fullmatch(pattern, _UUID.sub("", asked), re.DOTALL) is not None


def _hash(text: str) -> str | None:
    coded = text.replace("+", "-").replace("/", "_").rstrip("=")
    try:
        return hashlib.sha256(base64.urlsafe_b64decode(coded + "=" * (-len(coded) % 4))).hexdigest()
    except (binascii.Error, ValueError):
        return None


def _is_moment(value: Any) -> bool:
    return isinstance(value, int | float) and any(low < value < high for low, high in _MOMENTS)


# ---------------------------------------------------------------- answering


def _headers(answer: _Answer) -> list[tuple[bytes, bytes]]:
    """The recorded headers without those of that connection; cookies with the placeholders they have."""
    return list(_coded(answer.headers)) + [
        (b"set-cookie", field.encode("latin-1", "replace")) for field in answer.set_cookies
    ]


def _coded(headers: Mapping[str, str]) -> Iterator[tuple[bytes, bytes]]:
    for name, value in headers.items():
        if name not in _OF_THE_WIRE:
            yield name.encode("latin-1", "replace"), value.encode("latin-1", "replace")


def _base(recorded: _Request) -> bytes:
    """The service's base URL as it was recorded; nothing for a stranger's address."""
    base = recorded.url.partition("?")[0].removesuffix(recorded.path)
    return base.encode() if recorded.host is not None and "://" in base else b""


def _base_here(recorded: _Request, asked: Asked) -> bytes:
    return f"{asked.base_url}{asked.path.removesuffix(unquote(recorded.path))}".encode()
