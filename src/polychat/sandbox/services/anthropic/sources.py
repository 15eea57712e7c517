"""Pictures and documents inside a request, opened and judged by their bytes."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Iterator

from polychat.sandbox.services.anthropic import refusals
from polychat.sandbox.services.anthropic.blocks import (
    ContentSource,
    Document,
    FileSource,
    Image,
    PdfSource,
    PlainSource,
    Text,
    UrlSource,
)
from polychat.sandbox.services.anthropic.knobs import Knobs

_MAGIC = {
    "image/jpeg": (b"\xff\xd8\xff",), "image/png": (b"\x89PNG\r\n\x1a\n",), "image/gif": (b"GIF87a", b"GIF89a"),
}  # fmt: skip


def picture(image: Image, place: str, knobs: Knobs) -> bytes:
    """The bytes of a picture. Raises: Refusal."""
    source = image.source
    if isinstance(source, UrlSource | FileSource):
        raise _absent(source, f"{place}.source")
    if len(source.data) > knobs.picture_limit_bytes:
        message = f"the picture has {len(source.data)} bytes in base64; at most {knobs.picture_limit_bytes} are taken"
        raise refusals.wrong(f"{place}.source.data", message)
    data = _decoded(source.data, f"{place}.source.data")
    found = _kind(data)
    if found != source.media_type:
        message = f"the bytes are {found or 'no picture that is taken'}, not {source.media_type} as declared"
        raise refusals.wrong(f"{place}.source.data", message)
    return data


def document(block: Document, place: str, knobs: Knobs) -> Iterator[bytes]:
    """The files a document consists of: a PDF, a text, or the texts and pictures of its blocks. Raises: Refusal."""
    source = block.source
    if isinstance(source, UrlSource | FileSource):
        raise _absent(source, f"{place}.source")
    if isinstance(source, PdfSource):
        data = _decoded(source.data, f"{place}.source.data")
        if not data.startswith(b"%PDF-"):
            raise refusals.wrong(f"{place}.source.data", "the bytes are no PDF document")
        yield data
    elif isinstance(source, PlainSource):
        yield _text(source.data, f"{place}.source.data")
    elif isinstance(source.content, str):
        yield _text(source.content, f"{place}.source.content")
    else:
        yield from _parts(source, f"{place}.source.content", knobs)


def _parts(source: ContentSource, place: str, knobs: Knobs) -> Iterator[bytes]:
    for index, block in enumerate(source.content):
        if isinstance(block, Text):
            yield _text(block.text, f"{place}.{index}.text")
        elif isinstance(block, Image):
            yield picture(block, f"{place}.{index}", knobs)


def _absent(source: UrlSource | FileSource, place: str) -> refusals.Refusal:
    """The sandbox has no network, and keeps no files."""
    if isinstance(source, FileSource):
        return refusals.not_found(f"file: {source.file_id}")
    if not source.url.startswith("https://"):
        return refusals.wrong(f"{place}.url", "only https addresses are taken")
    return refusals.wrong(f"{place}.url", f"what is at {source.url} cannot be fetched from here")


def _text(text: str, place: str) -> bytes:
    if not text:
        raise refusals.wrong(place, "a document must not be empty")
    return text.encode()


def _decoded(text: str, place: str) -> bytes:
    try:
        data = base64.b64decode(text, validate=True)
    except binascii.Error:
        raise refusals.wrong(place, "invalid base64 data") from None
    if not data:
        raise refusals.wrong(place, "must not be empty")
    return data


def _kind(data: bytes) -> str | None:
    if (data[:4], data[8:12]) == (b"RIFF", b"WEBP"):
        return "image/webp"
    return next((kind for kind, starts in _MAGIC.items() if data.startswith(starts)), None)
