"""What a transport is: one HTTP exchange, over sockets or not.

The rest of the package speaks to this protocol; `net/aiohttp.py` is the one implementation that opens sockets, and a
replay is another. A transport raises `ConnectFailed`, `IdleTimeout` and `Interrupted`, returns every status as it is,
follows no redirect, keeps no cookie and adds no header of its own beyond what HTTP needs.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from typing import Protocol

import msgspec

from polychat.credentials import Secret
from polychat.net.clocks import Clocks


class Owner(Protocol):
    """Whose request it is, for a transport that writes exchanges down."""

    @property
    def provider(self) -> str:
        """The service."""
        ...

    @property
    def hosts(self) -> Mapping[str, str]:
        """Where the service is: alias -> base URL."""
        ...

    def secrets(self) -> Sequence[Secret]:
        """What is not to be written down, as far as it is known now."""
        ...


class FilePart(msgspec.Struct, frozen=True, kw_only=True):
    """One part of a multipart/form-data body."""

    name: str  # of the form field
    data: bytes
    filename: str | None = None
    media_type: str | None = None


class HttpRequest(msgspec.Struct, frozen=True, kw_only=True):
    """A request as it goes out. `headers` are lower-case and complete but for host, length and framing."""

    method: str
    url: str  # absolute
    headers: Mapping[str, str] = {}
    body: bytes | None = None
    parts: tuple[FilePart, ...] = ()  # multipart/form-data; the transport writes the content-type with its boundary
    proxy: str | None = None  # http://, https://, socks4://, socks5:// or socks5h://, with user:password if needed
    owner: Owner | None = None


class HttpResponse(Protocol):
    """An answer whose head has arrived and whose body is still on the wire."""

    status: int
    headers: Mapping[str, str]  # lower-case names; repeated fields joined by ", ", except set-cookie
    set_cookies: tuple[str, ...]  # each Set-Cookie field as it came
    url: str

    def chunks(self) -> AsyncIterator[bytes]:
        """The body, one network read at a time. Raises `Interrupted` when cut, `IdleTimeout` when it stalls."""
        ...

    async def read(self, limit_bytes: int) -> bytes:
        """The whole body, at most `limit_bytes` of it (the rest is not read)."""
        ...


class WebSocket(Protocol):
    """An open websocket."""

    async def send(self, text: str) -> None:
        """One text message."""
        ...

    def messages(self) -> AsyncIterator[bytes]:
        """Messages as they come, until the other side closes. Raises `Interrupted` when cut or silent too long."""
        ...


class Transport(Protocol):
    """Opens exchanges. One per engine; safe for many tasks of one event loop."""

    def open(
        self, request: HttpRequest, clocks: Clocks, *, progress: Callable[[int, int], None] | None = None
    ) -> AbstractAsyncContextManager[HttpResponse]:
        """Send `request`; the body is to be read inside the `async with`, which returns or closes the connection.

        `progress(sent_bytes, total_bytes)` is told as the request's body goes out.
        """
        ...

    def websocket(self, request: HttpRequest, clocks: Clocks) -> AbstractAsyncContextManager[WebSocket]:
        """Open a websocket at `request.url` (ws or wss), sending `request.headers` with the handshake."""
        ...

    async def aclose(self) -> None:
        """Close every connection."""
        ...
