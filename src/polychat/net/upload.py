"""Bodies on their way out: in pieces, never joined, telling how far they are."""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import Callable, Iterator, Sequence

import aiohttp
from aiohttp.abc import AbstractStreamWriter

from polychat.net.transport import FilePart, HttpRequest

Progress = Callable[[int, int], None]

_PIECE_BYTES = 64 * 1024


class _Upload(aiohttp.Payload):
    """A body of several buffers, sent piece by piece without being joined."""

    _autoclose = True

    def __init__(self, buffers: Sequence[bytes], progress: Progress | None) -> None:
        super().__init__(buffers)
        self._buffers = buffers
        self._progress = progress
        self._size = sum(map(len, buffers))

    def decode(self, encoding: str = "utf-8", errors: str = "strict") -> str:
        return b"".join(self._buffers).decode(encoding, errors)

    async def write(self, writer: AbstractStreamWriter) -> None:
        transport = writer.transport
        sent_bytes = 0
        try:
            for piece in self._pieces():
                await writer.write(piece)
                sent_bytes += len(piece)
                if self._progress:
                    self._progress(sent_bytes, self._size or 0)
        except asyncio.CancelledError:
            if transport is not None:
                transport.abort()  # a close would wait until what is buffered has gone out
            raise

    def _pieces(self) -> Iterator[memoryview]:
        for buffer in self._buffers:
            view = memoryview(buffer)
            for start in range(0, len(view), _PIECE_BYTES):
                yield view[start : start + _PIECE_BYTES]


def payload(request: HttpRequest, progress: Progress | None) -> tuple[dict[str, str], aiohttp.Payload | bytes | None]:
    """Headers and body as aiohttp takes them."""
    headers = dict(request.headers)
    if request.parts:
        boundary = secrets.token_hex(16)
        headers["content-type"] = f"multipart/form-data; boundary={boundary}"
        return headers, _Upload(list(_multipart(request.parts, boundary)), progress)
    if request.body is not None and (progress or len(request.body) > _PIECE_BYTES):
        return headers, _Upload([request.body], progress)
    return headers, request.body


def _multipart(parts: Sequence[FilePart], boundary: str) -> Iterator[bytes]:
    """multipart/form-data as browsers write it (WHATWG HTML, 4.10.21.8); aiohttp's own percent-encodes file names."""
    for part in parts:
        head = f'--{boundary}\r\nContent-Disposition: form-data; name="{_quoted(part.name)}"'
        if part.filename is not None:
            head += f'; filename="{_quoted(part.filename)}"'
        if part.media_type is not None:
            head += f"\r\nContent-Type: {_quoted(part.media_type)}"
        yield f"{head}\r\n\r\n".encode()
        yield part.data
        yield b"\r\n"
    yield f"--{boundary}--\r\n".encode()


def _quoted(value: str) -> str:
    return value.replace("\r", "%0D").replace("\n", "%0A").replace('"', "%22")
