"""Pictures under the names that users of the OpenAI SDK know."""

from __future__ import annotations

import base64
import builtins
import io
import os
from functools import cached_property
from pathlib import Path
from typing import Self

from polychat.client.shapes import Shape
from polychat.errors import UnsupportedFeature
from polychat.types import Image, Thread, Usage


class ImageData(Shape, kw_only=True, dict=True):
    """One picture. Its bytes are no part of the dump."""

    url: str | None = None  # the service's own link
    b64_json: str | None = None
    revised_prompt: str | None = None  # what the service says it drew

    @classmethod
    def of(cls, part: Image, *, with_base64: bool) -> Self:
        """A picture of an answer."""
        made = cls(url=part.url, revised_prompt=part.prompt)
        made.__dict__["part"] = part
        if with_base64:
            made.b64_json = base64.b64encode(made.bytes).decode()
        return made

    def save(self, path: str | os.PathLike[str]) -> Path:
        """Write the bytes to `path`, over what is there; the path."""
        Path(path).write_bytes(self.bytes)
        return Path(path)

    @property
    def media_type(self) -> str | None:
        """What the bytes are."""
        return self._part.media_type

    @property
    def width(self) -> int | None:
        """In pixels; None where the bytes do not tell."""
        return self._pixels[0]

    @property
    def height(self) -> int | None:
        """In pixels; None where the bytes do not tell."""
        return self._pixels[1]

    @property
    def bytes(self) -> builtins.bytes:
        """The picture itself. Raises: `UnsupportedFeature` where the service gave a link only."""
        if self._part.data is None:
            raise UnsupportedFeature(
                "the service gave a link to the picture, and it could not be read", hint=f"open it: {self._part.url}"
            )
        return self._part.data

    @property
    def _part(self) -> Image:
        part: Image = self.__dict__["part"]
        return part

    @cached_property
    def _pixels(self) -> tuple[int | None, int | None]:
        from PIL import Image as Picture
        from PIL import UnidentifiedImageError

        try:
            with Picture.open(io.BytesIO(self.bytes)) as picture:
                return picture.size
        except (UnidentifiedImageError, Picture.DecompressionBombError, OSError):
            return None, None


class ImagesUsage(Shape, kw_only=True):
    """Tokens, in OpenAI's words."""

    input_tokens: int
    output_tokens: int
    total_tokens: int

    @classmethod
    def of(cls, seen: Usage | None) -> Self | None:
        """The counts of a drawing; None where the service told none."""
        if seen is None:
            return None
        asked, drawn = seen.input_tokens or 0, seen.output_tokens or 0
        return cls(input_tokens=asked, output_tokens=drawn, total_tokens=asked + drawn)


class ImagesResponse(Shape, kw_only=True):
    """The pictures of one answer, in the order they were made."""

    created: int  # Unix seconds
    data: list[ImageData]
    provider: str
    account: str
    conversation: Thread | None = None  # hand it back as conversation= to have them changed
    text: str = ""  # what was said beside them
    size: str | None = None  # and the next three: as the service says it made them
    quality: str | None = None
    background: str | None = None
    output_format: str | None = None
    usage: ImagesUsage | None = None
