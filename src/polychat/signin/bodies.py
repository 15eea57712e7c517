"""The body of an answer as a network log keeps it: text, or base64 of bytes that may still be compressed."""

from __future__ import annotations

import base64
import binascii
import zlib
from collections.abc import Mapping
from contextlib import suppress

import msgspec

LIMIT_BYTES = 16 * 1024 * 1024  # of a body once it is no longer compressed

_GZIP, _ZLIB = b"\x1f\x8b", b"\x78"


class Content(msgspec.Struct, frozen=True):
    """`response.content` of HAR 1.2; `text` is decoded only where somebody wants it."""

    text: msgspec.Raw = msgspec.Raw(b"null")
    encoding: str | None = None


class Unreadable(Exception):
    """Why a body cannot be read, as the end of a sentence."""


def text(content: Content, headers: Mapping[str, str]) -> str:
    """The body as text; `headers` of the answer, in lower case. Raises: `Unreadable`."""
    kept = msgspec.json.decode(content.text, type=str | None)
    if kept is None:
        raise Unreadable("was not saved with its content")
    if not content.encoding:
        return kept
    if content.encoding.lower() != "base64":
        raise Unreadable("is in an encoding that is not known")
    try:
        data = base64.b64decode("".join(kept.split()), validate=True)
    except (binascii.Error, ValueError):
        raise Unreadable("is damaged: it is no base64") from None
    try:
        return _inflated(data).decode()
    except UnicodeDecodeError:
        coding = headers.get("content-encoding", "").strip().lower()
        named = coding if coding in ("br", "zstd", "compress") else "something unknown"
        raise Unreadable(f"is compressed with {named}, or is no text") from None


def _inflated(data: bytes) -> bytes:
    if not data.startswith((_GZIP, _ZLIB)):
        return data
    inflater = zlib.decompressobj(47)  # zlib's word for either of the two forms
    with suppress(zlib.error):
        inflated = inflater.decompress(data, LIMIT_BYTES)
        if inflater.unconsumed_tail:
            raise Unreadable(f"unpacks to more than {LIMIT_BYTES // 1024 // 1024} MB")
        if inflater.eof:
            return inflated
    if data.startswith(_GZIP):
        raise Unreadable("is damaged: its gzip does not unpack")
    return data  # a text that begins with an x
