"""What bytes are, in words: type, pixels, main colours, size and sha256, all found in the bytes themselves."""

from __future__ import annotations

import hashlib
import io
from collections import Counter
from collections.abc import Iterable
from functools import lru_cache

from PIL import Image, UnidentifiedImageError

_COLOURS = {
    "black": (15, 15, 15), "dark grey": (72, 72, 72), "grey": (128, 128, 128), "light grey": (200, 200, 200),
    "white": (250, 250, 250), "red": (220, 30, 35), "dark red": (125, 20, 25), "orange": (245, 135, 30),
    "brown": (120, 75, 40), "beige": (200, 170, 130), "cream": (248, 236, 208), "yellow": (245, 220, 40),
    "olive": (120, 120, 35), "green": (40, 165, 60), "dark green": (20, 80, 40), "light green": (150, 220, 140),
    "teal": (20, 130, 130), "turquoise": (70, 205, 200), "sky blue": (135, 195, 235), "blue": (40, 90, 220),
    "navy": (20, 30, 90), "purple": (115, 50, 150), "lilac": (190, 160, 220), "magenta": (215, 40, 170),
    "pink": (245, 170, 190),
}  # fmt: skip
_MAGIC = (
    (b"%PDF-", "a PDF document"),
    (b"\x1aE\xdf\xa3", "a WebM video"),
    (b"OggS", "an Ogg file"),
    (b"ID3", "an MP3 sound"),
    (b"PK\x03\x04", "a ZIP archive"),
)
_NAMES = {"JPEG": "JPEG", "PNG": "PNG", "GIF": "GIF", "WEBP": "WebP", "BMP": "BMP", "TIFF": "TIFF", "AVIF": "AVIF"}
_VOWELS = "AEIO"
_SAMPLE = 64  # pixels a side; colours are counted on a picture of that size
_MINOR = 0.08  # share of the sample below which a colour is not worth a word
_LARGEST = 50_000_000  # pixels; above it colours are not looked at


@lru_cache(maxsize=4)
def describe(data: bytes) -> str:
    """A phrase such as `a JPEG picture, 640 × 480 pixels, mostly orange and cream (36,497 bytes, sha256 4f0c...)`."""
    return f"{_kind(data)} ({_size(data)}, sha256 {hashlib.sha256(data).hexdigest()})"


def _kind(data: bytes) -> str:
    try:
        with Image.open(io.BytesIO(data)) as picture:
            return _picture(picture)
    except UnidentifiedImageError:
        return _file(data)
    except (Image.DecompressionBombError, Image.DecompressionBombWarning):
        return "a picture too large to open"


def _picture(picture: Image.Image) -> str:
    name = _NAMES.get(picture.format or "", picture.format or "unknown")
    article = "an" if name[0] in _VOWELS else "a"
    frames = int(getattr(picture, "n_frames", 1))
    moving = f", {frames} frames" if frames > 1 else ""
    head = f"{article} {name} picture, {picture.width} × {picture.height} pixels{moving}"
    if picture.width * picture.height > _LARGEST:
        return head
    try:
        colours = main_colours(picture)
    except (OSError, SyntaxError):  # Pillow's words for pixels that end early or make no sense
        return f"{head}, but damaged: its pixels cannot be read"
    return f"{head}, mostly {_joined(colours)}" if colours else f"{head}, fully transparent"


def main_colours(picture: Image.Image) -> list[str]:
    """Up to three colours by name, the most frequent first."""
    picture.draft("RGB", (_SAMPLE, _SAMPLE))
    sample = picture.convert("RGBA").resize((_SAMPLE, _SAMPLE), Image.Resampling.BOX)
    counts: Counter[str] = Counter()
    for count, (red, green, blue, alpha) in sample.getcolors(_SAMPLE * _SAMPLE) or []:  # type: ignore[misc]  # RGBA gives tuples
        if alpha > 127:
            counts[_name(red, green, blue)] += count
    total = counts.total()
    return [name for name, count in counts.most_common(3) if count >= _MINOR * total]


@lru_cache(maxsize=4096)
def _name(red: int, green: int, blue: int) -> str:
    def distance(colour: tuple[int, int, int]) -> float:
        """Weighted as the eye does: the "redmean" approximation."""
        mean = (red + colour[0]) / 2
        dr, dg, db = red - colour[0], green - colour[1], blue - colour[2]
        return (2 + mean / 256) * dr * dr + 4 * dg * dg + (2 + (255 - mean) / 256) * db * db

    return min(_COLOURS, key=lambda name: distance(_COLOURS[name]))


def _file(data: bytes) -> str:
    for magic, kind in _MAGIC:
        if data.startswith(magic):
            return kind
    if data[4:8] == b"ftyp":
        return "an MP4 video"
    return "a file of a type I do not know"


def _joined(words: Iterable[str]) -> str:
    *first, last = words
    return f"{', '.join(first)} and {last}" if first else last


def _size(data: bytes) -> str:
    return "1 byte" if len(data) == 1 else f"{len(data):,} bytes"
