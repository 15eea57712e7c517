"""Pictures, sounds, films and documents inside a request: which types are taken, and whether the bytes are of theirs.

Source: the public pages on what images, audio, video and documents may be, November 2026.
"""

from __future__ import annotations

import io
from typing import Literal

from PIL import Image

from polychat.sandbox.services.gemini import refusals
from polychat.sandbox.services.gemini.proto import Wire
from polychat.sandbox.services.openai import drawing

Modality = Literal["TEXT", "IMAGE", "VIDEO", "AUDIO", "DOCUMENT"]
_OPENED = {"image/png": "PNG", "image/jpeg": "JPEG", "image/webp": "WEBP"}  # what Pillow calls them
_CLOSED = {"image/heic", "image/heif"}  # what Pillow cannot open
_SOUNDS = {
    "aac", "aiff", "flac", "m4a", "mp3", "mp4", "mpeg", "mpga", "ogg", "opus", "pcm", "wav", "webm", "x-aac", "x-wav",
}  # fmt: skip
_FILMS = {"mp4", "mpeg", "mov", "quicktime", "avi", "x-flv", "mpg", "mpegps", "webm", "wmv", "3gpp", "x-msvideo"}
_TEXTS = {"plain", "html", "css", "csv", "markdown", "md", "xml", "rtf", "javascript", "x-python", "x-typescript"}


class Blob(Wire, frozen=True, kw_only=True):
    """Bytes and what they are."""

    mime_type: str = ""
    data: bytes = b""
    display_name: str | None = None


def modality(mime_type: str) -> Modality | None:
    """What sort of thing a type is, if it is taken."""
    mime_type = _bare(mime_type)
    sort, _slash, kind = mime_type.partition("/")
    if mime_type in _OPENED or mime_type in _CLOSED:
        return "IMAGE"
    if sort == "audio" and kind in _SOUNDS:
        return "AUDIO"
    if sort == "video" and kind in _FILMS:
        return "VIDEO"
    if mime_type == "application/pdf" or (sort == "text" and kind in _TEXTS):
        return "DOCUMENT"
    return None


def judge(blob: Blob, place: str) -> Modality:
    """What sort of thing `blob` is. Raises: Refusal unless it can be taken."""
    if not blob.mime_type:
        raise refusals.bad(f"{place}.mime_type", "it is required.")
    found = modality(blob.mime_type)
    if found is None:
        raise refusals.bad(f"{place}.mime_type", f"the type {blob.mime_type} is not supported.")
    if not blob.data:
        raise refusals.bad(f"{place}.data", "it is required and must not be empty.")
    if not _is_what_it_says(blob):
        raise refusals.bad(f"{place}.data", f"the bytes cannot be processed as {blob.mime_type}.")
    return found


def _is_what_it_says(blob: Blob) -> bool:
    mime_type = _bare(blob.mime_type)
    if mime_type in _OPENED:
        return drawing.measure(blob.data) is not None and _format(blob.data) == _OPENED[mime_type]
    if mime_type in _CLOSED:
        return blob.data[4:8] == b"ftyp"
    if mime_type == "application/pdf":
        return blob.data.startswith(b"%PDF-")
    return True


def _bare(mime_type: str) -> str:
    return mime_type.partition(";")[0].strip().lower()


def _format(data: bytes) -> str | None:
    with Image.open(io.BytesIO(data)) as picture:
        return picture.format
