"""Whatever a caller means by "this picture", as a part of a message; refused in one sentence before anything is sent.

Taken are: a path, an open binary file, bytes, a data URI, an http(s) URL, a PIL picture. What it is, the bytes tell.
"""

from __future__ import annotations

import io
import os
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import msgspec

from polychat import media
from polychat.errors import BadOption
from polychat.net.clocks import Clocks
from polychat.net.fetch import fetch_public
from polychat.net.transport import Transport
from polychat.types import Attachment, Audio, File, Image, Message, Part, Request
from polychat.wire.openai_messages import data_uri

LIMIT_BYTES = 50 * 1024 * 1024


def picture(source: Any, *, field: str = "image") -> Image:
    """A picture from anything listed above. Raises `BadOption` naming `field`."""
    found = attachment(source, field=field)
    if isinstance(found, Image):
        return found
    if found.url is not None and found.data is None:
        return Image(url=found.url)
    raise BadOption(f"{_named(found, field)} is {found.media_type}, not a picture", field=field)


def gathered(sources: Iterable[Any], *, field: str) -> tuple[Image, ...]:
    """Several pictures, in order."""
    return tuple(picture(source, field=f"{field}[{index}]") for index, source in enumerate(sources))


def shown(messages: tuple[Message, ...], attached: Sequence[Attachment]) -> tuple[Message, ...]:
    """The talk with `attached` on its last user message, before its words; on one of their own if there is none."""
    if not attached:
        return messages
    for index in reversed(range(len(messages))):
        if messages[index].role == "user":
            message = msgspec.structs.replace(messages[index], parts=(*attached, *messages[index].parts))
            return (*messages[:index], message, *messages[index + 1 :])
    return (*messages, Message(role="user", parts=tuple(attached)))


def attachment(source: Any, *, field: str = "file") -> Attachment:
    """A picture, sound or file from anything listed above. Raises `BadOption` naming `field`."""
    if isinstance(source, Image | Audio | File):
        return source
    if isinstance(source, str) and urlsplit(source).scheme in {"http", "https"}:
        return File(url=source)
    data, name = _read(source, field)
    if not data:
        raise BadOption(f"{name or field} is empty (0 bytes)", field=field)
    _refuse_large(len(data), name or field, field)
    return of_bytes(data, name)


def of_bytes(data: bytes, name: str | None = None) -> Attachment:
    """The kind of part these bytes are."""
    media_type = media.sniff(data)
    if media_type.startswith("image/"):
        return Image(data=data, name=name)
    if media_type.startswith("audio/"):
        return Audio(data=data, name=name)
    return File(data=data, name=name)


def _read(source: Any, field: str) -> tuple[bytes, str | None]:
    if isinstance(source, bytes | bytearray | memoryview):
        return bytes(source), None
    if isinstance(source, str) and source.startswith("data:"):
        return data_uri(source, field), None
    if isinstance(source, str | os.PathLike):
        return _file(Path(source), field), Path(source).name
    if hasattr(source, "read"):
        return _open_file(source, field)
    if hasattr(source, "save") and hasattr(source, "getbands"):
        return _pil(source), None
    raise BadOption(
        f"{field} is {type(source).__name__}; give a path, an open binary file, bytes, a data URI, an http(s) URL "
        "or a PIL picture",
        field=field,
    )


def _file(path: Path, field: str) -> bytes:
    try:
        _refuse_large(path.stat().st_size, str(path), field)
        return path.read_bytes()
    except OSError as error:
        raise BadOption(f"cannot read {path}: {error.strerror or error}", field=field) from error


def _open_file(source: Any, field: str) -> tuple[bytes, str | None]:
    name = getattr(source, "name", None)
    name = Path(name).name if isinstance(name, str) else None
    try:
        data = source.read(LIMIT_BYTES + 1)
    except (OSError, ValueError) as error:
        raise BadOption(f"cannot read {name or field}: {error}", field=field) from error
    if not isinstance(data, bytes):
        raise BadOption(f"{name or field} is open in text mode", field=field, hint='open it with mode "rb"')
    return data, name


def _pil(picture: Any) -> bytes:
    buffer = io.BytesIO()
    picture.save(buffer, format="JPEG" if picture.format == "JPEG" else "PNG")
    return buffer.getvalue()


def _refuse_large(size_bytes: int, name: str, field: str) -> None:
    if size_bytes > LIMIT_BYTES:
        raise BadOption(
            f"{name} is larger than {LIMIT_BYTES // 2**20} MB",
            field=field,
            hint="make it smaller, or give a link",
        )


def _named(part: Attachment, field: str) -> str:
    return part.name or field


# ---------------------------------------------------------------- fetching what a URL names


def has_links(request: Request) -> bool:
    """True when an attachment is named by its URL alone."""
    return any(part.data is None for message in request.messages for part in message.attachments)


async def inlined(request: Request, transport: Transport, allow_origins: frozenset[str]) -> Request:
    """The request with every URL attachment fetched, for a service that takes bytes only.

    Raises: `BadOption` for a private address, a page that is no picture, more than 50 MB, or any other failed fetch.
    """
    if not has_links(request):
        return request
    messages = [await _with_bytes(message, transport, allow_origins) for message in request.messages]
    return msgspec.structs.replace(request, messages=tuple(messages))


async def _with_bytes(message: Message, transport: Transport, allow_origins: frozenset[str]) -> Message:
    parts: list[Part] = []
    for part in message.parts:
        if isinstance(part, Image | Audio | File) and part.data is None and part.url is not None:
            parts.append(await _fetched(part, part.url, transport, allow_origins))
        else:
            parts.append(part)
    return msgspec.structs.replace(message, parts=tuple(parts))


async def _fetched(part: Attachment, url: str, transport: Transport, allow_origins: frozenset[str]) -> Attachment:
    fetched = await fetch_public(transport, url, limit_bytes=LIMIT_BYTES, clocks=Clocks(), allow_origins=allow_origins)
    name = Path(urlsplit(url).path).name or None
    found = of_bytes(fetched.data, name)
    if isinstance(part, Image) and not isinstance(found, Image):
        raise BadOption(f"{url.partition('?')[0]} is {found.media_type}, not a picture", field="image")
    return found
