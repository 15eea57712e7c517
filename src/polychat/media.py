"""What bytes are, told by the bytes: names and declared types lie, first bytes seldom do.

Signatures are from the WHATWG MIME Sniffing Standard and the formats' own specifications.
"""

from __future__ import annotations

import codecs

OCTETS = "application/octet-stream"
TEXT = "text/plain"
_HEAD_BYTES = 1024

_PREFIXES: tuple[tuple[bytes, str], ...] = (
    (b"\x89PNG\r\n\x1a\n", "image/png"),
    (b"\xff\xd8\xff", "image/jpeg"),
    (b"GIF87a", "image/gif"),
    (b"GIF89a", "image/gif"),
    (b"BM", "image/bmp"),
    (b"II*\x00", "image/tiff"),
    (b"MM\x00*", "image/tiff"),
    (b"%PDF-", "application/pdf"),
    (b"\x1aE\xdf\xa3", "video/webm"),
    (b"OggS\x00", "audio/ogg"),
    (b"fLaC", "audio/flac"),
    (b"ID3", "audio/mpeg"),
    (b"PK\x03\x04", "application/zip"),
)
_RIFF = {b"WEBP": "image/webp", b"WAVE": "audio/wav", b"AVI ": "video/avi"}
_ISO_BRANDS = {
    b"avif": "image/avif", b"avis": "image/avif", b"heic": "image/heic", b"heix": "image/heic", b"mif1": "image/heif",
    b"M4A ": "audio/mp4", b"qt  ": "video/quicktime",
}  # fmt: skip
_EXTENSIONS = {
    "image/jpeg": "jpg", "image/tiff": "tif", "audio/mpeg": "mp3", "audio/mp4": "m4a", "video/quicktime": "mov",
    TEXT: "txt", OCTETS: "bin",
}  # fmt: skip


def sniff(data: bytes) -> str:
    """The media type of `data`: text/plain for plain UTF-8, application/octet-stream for what is not known."""
    for prefix, media_type in _PREFIXES:
        if data.startswith(prefix):
            return media_type
    if data[:4] == b"RIFF":
        return _RIFF.get(data[8:12], OCTETS)
    if data[4:8] == b"ftyp":
        return _ISO_BRANDS.get(data[8:12], "video/mp4")
    if data[:1] == b"\xff" and len(data) > 1 and data[1] & 0xF6 == 0xF0:
        return "audio/aac"
    if data[:1] == b"\xff" and len(data) > 1 and data[1] & 0xE6 == 0xE2:
        return "audio/mpeg"
    return TEXT if data and _is_text(data[:_HEAD_BYTES], whole=len(data) <= _HEAD_BYTES) else OCTETS


def _is_text(head: bytes, *, whole: bool) -> bool:
    """True for UTF-8 without control characters; a head that is not the whole may end inside a character."""
    if any(byte < 9 or (13 < byte < 32 and byte != 27) for byte in head):
        return False
    try:
        codecs.getincrementaldecoder("utf-8")().decode(head, final=whole)
    except UnicodeDecodeError:
        return False
    return True


def extension(media_type: str) -> str:
    """The usual file name ending for a media type, without the dot."""
    return _EXTENSIONS.get(media_type) or media_type.rpartition("/")[2]
