"""The types that the pages annotate with."""

from __future__ import annotations

import os
from collections.abc import AsyncIterator, Iterator
from typing import IO, Any, Protocol


class Picture(Protocol):
    """A PIL picture, as far as anyone here cares."""

    def save(self, fp: Any, format: str | None = None, **params: Any) -> None: ...  # noqa: A002 - PIL's own name
    def getbands(self) -> tuple[str, ...]: ...


Message = dict[str, Any]  # {"role": ..., "content": text or a list of parts}
Messages = list[Message]
ImageType = str | bytes | os.PathLike[str] | IO[bytes] | Picture  # text is a path or a data URI
Cookies = dict[str, str]
CreateResult = Iterator[str]
AsyncResult = AsyncIterator[str]
