"""The transport that opens sockets, on aiohttp.

One open exchange holds one slot; waiting for a slot is the pool clock. The connect clock is aiohttp's own. A third
clock measures silence: `first_event_s` until the first byte of the body, `between_events_s` after it. `total_s` belongs
to the engine.

A body read to its end gives the connection back. Leaving earlier, or being cancelled, aborts it: nothing is read on and
no TLS farewell is waited for. aiohttp's errors become ours in `_no_answer` and `_Response._failure` and carry no cause,
because aiohttp writes whole URLs into its messages, and a query may hold a key.
"""

from __future__ import annotations

import asyncio
import ipaddress
import os
import socket
import ssl
from collections.abc import AsyncIterator, Collection, Mapping
from contextlib import asynccontextmanager

import aiohttp
import aiohttp_socks
from aiohttp.abc import AbstractResolver, ResolveResult
from yarl import URL

from polychat.errors import BadOption, ConnectFailed, IdleTimeout, Interrupted, PolychatError
from polychat.net.clocks import Clocks
from polychat.net.fetch import check_host, is_public, origin_of, private_address
from polychat.net.transport import HttpRequest, HttpResponse, WebSocket
from polychat.net.upload import Progress, payload
from polychat.net.websocket import websocket

_HEADER_BYTES = 64 * 1024  # of one field; services send long security policies
_AUTOMATIC_HEADERS = ("User-Agent", "Accept", "Content-Type")  # that aiohttp would add
_SOCKS = {"socks4": aiohttp_socks.ProxyType.SOCKS4, "socks5": aiohttp_socks.ProxyType.SOCKS5}
_SOCKS_PORT = 1080
_SOCKS_CONNECT_S = 60  # what aiohttp_socks waits when the clock is off
_SOCKS_ERRORS = (aiohttp_socks.ProxyError, aiohttp_socks.ProxyConnectionError, aiohttp_socks.ProxyTimeoutError)
_FOREIGN = (aiohttp.ClientError, *_SOCKS_ERRORS, OSError, EOFError, ValueError)


class AiohttpTransport:
    """HTTP/1.1 over sockets, for the tasks of one event loop; nothing is opened before the first `open`.

    With `public_only` every host is checked before and after its name is resolved, and no proxy is used, for a proxy
    resolves names where nobody checks. `allow_origins` ("http://127.0.0.1:8765") are reached all the same.
    """

    def __init__(
        self, *, connections: int = 100, public_only: bool = False, allow_origins: frozenset[str] = frozenset()
    ) -> None:
        self._slots = asyncio.Semaphore(connections)
        self._public_only = public_only
        self._allowed = frozenset(map(origin_of, allow_origins))
        self._sessions: dict[URL | None, aiohttp.ClientSession] = {}  # None, or the SOCKS proxy it goes through
        self._open: set[_Response] = set()

    @asynccontextmanager
    async def open(
        self, request: HttpRequest, clocks: Clocks, *, progress: Progress | None = None
    ) -> AsyncIterator[HttpResponse]:
        """Send `request`; `progress(sent_bytes, total_bytes)` is told as the body goes out, 64 KiB at a time.

        Raises: `ConnectFailed`, `IdleTimeout`, `Interrupted`; `BadOption` for a malformed or refused URL or proxy.
        """
        await self._take_slot(clocks.pool_s)
        try:
            response = await self._send(request, clocks, progress)
            self._open.add(response)
            try:
                yield response
            finally:
                self._open.discard(response)
                response.close()
        finally:
            self._slots.release()

    @asynccontextmanager
    async def websocket(self, request: HttpRequest, clocks: Clocks) -> AsyncIterator[WebSocket]:
        """Open a websocket at `request.url` (ws or wss), with its headers.

        Raises: `ConnectFailed`, `IdleTimeout`; `Interrupted` when the server answers something else.
        """
        url = URL(request.url)
        proxy = _proxy(request.proxy) if request.proxy else None
        self._check(url, proxy)
        await self._take_slot(clocks.pool_s)
        try:
            async with websocket(self._session(proxy), request, clocks, _http_only(proxy)) as socket:
                yield socket
        except (aiohttp.ClientError, TimeoutError) as error:
            raise _no_answer(error, url, proxy, clocks) from None
        finally:
            self._slots.release()

    async def aclose(self) -> None:
        """Close every connection; who still waits for one gets `Interrupted`."""
        for response in self._open:
            response.close()
        sessions, self._sessions = self._sessions, {}
        for session in sessions.values():
            await session.close()

    async def _take_slot(self, pool_s: float | None) -> None:
        if not self._slots.locked():  # a clock costs more than the slot
            await self._slots.acquire()
            return
        try:
            async with asyncio.timeout(pool_s):
                await self._slots.acquire()
        except TimeoutError:
            raise IdleTimeout(f"no connection became free within {pool_s:g} s", clock="pool") from None

    async def _send(self, request: HttpRequest, clocks: Clocks, progress: Progress | None) -> _Response:
        url = _url(request.url)
        proxy = _proxy(request.proxy) if request.proxy else None
        self._check(url, proxy)
        headers, body = payload(request, progress)
        try:
            response = await self._session(proxy).request(
                request.method,
                url,
                headers=headers,
                data=body,
                allow_redirects=False,
                proxy=_http_only(proxy),
                timeout=aiohttp.ClientTimeout(
                    connect=clocks.connect_s, sock_connect=clocks.connect_s, sock_read=clocks.first_event_s
                ),
            )
        except _FOREIGN as error:
            raise _no_answer(error, url, proxy, clocks) from None
        return _Response(response, request.url, clocks)

    def _check(self, url: URL, proxy: URL | None) -> None:
        if self._public_only and proxy:
            raise BadOption("a public address is not read through a proxy", field="proxy")
        if self._public_only and origin_of(str(url)) not in self._allowed:
            check_host(url.raw_host or "")

    def _session(self, proxy: URL | None) -> aiohttp.ClientSession:
        key = proxy if proxy and _is_socks(proxy) else None
        session = self._sessions.get(key)
        if session is None:
            session = self._sessions[key] = aiohttp.ClientSession(
                connector=self._connector(key),
                cookie_jar=aiohttp.DummyCookieJar(),
                skip_auto_headers=_AUTOMATIC_HEADERS,
                max_field_size=_HEADER_BYTES,
                max_line_size=_HEADER_BYTES,
            )
        return session

    def _connector(self, socks: URL | None) -> aiohttp.TCPConnector:
        if socks is None:
            hosts = {(host, port) for _, host, port in self._allowed}
            return aiohttp.TCPConnector(limit=0, resolver=_PublicResolver(hosts) if self._public_only else None)
        return aiohttp_socks.ProxyConnector(
            host=socks.host or "",
            port=socks.port or _SOCKS_PORT,
            proxy_type=_SOCKS[socks.scheme.removesuffix("h")],
            username=socks.user,
            password=socks.password,
            rdns=socks.scheme == "socks5h",
            limit=0,
        )


class _Response:
    """An answer whose head has arrived."""

    __slots__ = ("_began", "_clocks", "_response", "headers", "set_cookies", "status", "url")

    def __init__(self, response: aiohttp.ClientResponse, url: str, clocks: Clocks) -> None:
        self._response = response
        self._clocks = clocks
        self._began = False
        self.status = response.status
        self.url = url
        self.headers: Mapping[str, str]
        self.headers, self.set_cookies = _lowered(response)

    async def chunks(self) -> AsyncIterator[bytes]:
        """The body, one network read at a time."""
        chunk = await self._next()
        while chunk:
            yield chunk
            chunk = await self._next()

    async def read(self, limit_bytes: int) -> bytes:
        """The whole body, at most `limit_bytes` of it."""
        pieces = []
        left_bytes = limit_bytes
        while left_bytes > 0 and (chunk := await self._next()):
            pieces.append(chunk[:left_bytes])
            left_bytes -= len(chunk)
        return b"".join(pieces)

    def close(self) -> None:
        """Drop the connection at once, unless the body has ended; who waits for more of it is told."""
        connection = self._response.connection
        if connection is not None and connection.transport is not None:
            connection.transport.abort()
        self._response.close()

    async def _next(self) -> bytes:
        content = self._response.content
        try:
            chunk = await content.readany()
        except _FOREIGN as error:
            if rest := content._read_nowait(-1):  # came before the end did, and readany would lose it
                return rest
            raise self._failure(error) from None
        if chunk and not self._began:
            self._begin()
        return chunk

    def _begin(self) -> None:
        self._began = True
        connection = self._response.connection
        if connection is not None and connection.protocol is not None and not self._response.content.is_eof():
            connection.protocol.read_timeout = self._clocks.between_events_s
            connection.protocol.start_timeout()

    def _failure(self, error: Exception) -> PolychatError:
        place = _place(URL(self.url))
        if not isinstance(error, aiohttp.SocketTimeoutError):
            return Interrupted(f"the connection to {place} was cut inside the answer")
        if self._began:
            return Interrupted(f"{place} fell silent inside the answer for {self._clocks.between_events_s:g} s")
        return IdleTimeout(f"{place} sent no answer for {self._clocks.first_event_s:g} s", clock="first_event")


class _PublicResolver(AbstractResolver):
    """Names to addresses, as long as all of them are public."""

    def __init__(self, allowed: Collection[tuple[str, int]]) -> None:
        self._resolver = aiohttp.ThreadedResolver()
        self._allowed = allowed

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_INET
    ) -> list[ResolveResult]:
        found = await self._resolver.resolve(host, port, family)
        if (host, port) not in self._allowed and not all(
            is_public(ipaddress.ip_address(result["host"])) for result in found
        ):
            raise private_address(host)
        return found

    async def close(self) -> None:
        await self._resolver.close()


def _lowered(response: aiohttp.ClientResponse) -> tuple[dict[str, str], tuple[str, ...]]:
    headers: dict[str, str] = {}
    set_cookies = []
    for field, value in response.headers.items():
        name = field.lower()
        if name == "set-cookie":
            set_cookies.append(value)
        else:
            headers[name] = f"{headers[name]}, {value}" if name in headers else value
    return headers, tuple(set_cookies)


def _url(text: str) -> URL:
    if url := _absolute(text, ("http", "https")):
        return url
    raise BadOption("the URL is not an http or https address", field="url")


def _proxy(text: str) -> URL:
    if proxy := _absolute(text, ("http", "https", "socks4", "socks5", "socks5h")):
        return proxy
    raise BadOption(
        "the proxy is not an http, https, socks4, socks5 or socks5h address",
        field="proxy",
        hint="write it as socks5h://user:password@host:1080",
    )


def _absolute(text: str, schemes: Collection[str]) -> URL | None:
    try:
        url = URL(text)
        return url if url.scheme in schemes and url.host else None
    except ValueError:
        return None


def _http_only(proxy: URL | None) -> URL | None:
    """What aiohttp is to be told of: a SOCKS proxy is the connector's business."""
    return proxy if proxy and not _is_socks(proxy) else None


def _is_socks(proxy: URL) -> bool:
    return proxy.scheme.startswith("socks")


def _place(url: URL) -> str:
    """Host and port: all of a URL that a message may hold."""
    return f"{url.host}:{url.port or _SOCKS_PORT}"


def _no_answer(error: Exception, url: URL, proxy: URL | None, clocks: Clocks) -> PolychatError:
    """What a failure before the head of the answer means."""
    place = _place(url)
    match error:
        case aiohttp.SocketTimeoutError():
            return IdleTimeout(f"{place} sent no answer for {clocks.first_event_s:g} s", clock="first_event")
        case aiohttp.ConnectionTimeoutError() | aiohttp_socks.ProxyTimeoutError():
            return IdleTimeout(
                f"no connection to {place} within {clocks.connect_s or _SOCKS_CONNECT_S:g} s", clock="connect"
            )
        case aiohttp.ClientConnectorError():
            return _not_connected(error)
        case aiohttp.ClientHttpProxyError(status=status, message=message) if proxy:
            return ConnectFailed(f"the proxy {_place(proxy)} refused to connect: {status} {message}")
        case aiohttp_socks.ProxyError() if proxy:
            return ConnectFailed(f"the proxy {_place(proxy)} refused to connect: {error}")
        case aiohttp_socks.ProxyConnectionError() if proxy:
            return ConnectFailed(f"no connection to the proxy {_place(proxy)}")
        case EOFError() if proxy:
            return ConnectFailed(f"the proxy {_place(proxy)} closed the connection")
        case aiohttp.ClientResponseError():
            return Interrupted(f"{place} answered something that is not HTTP")
        case OSError(__cause__=ssl.SSLError() | socket.gaierror()):  # with a SOCKS proxy aiohttp tells no more
            return ConnectFailed(f"no connection to {place} through the proxy: {error.strerror}")
        case aiohttp.InvalidURL() | UnicodeError():
            return BadOption(f"{url.host} is not the name of a host", field="url")
        case ValueError() if not isinstance(error, OSError):
            hint = "a key is one line of printable characters; give it anew"
            return BadOption("a header cannot be sent over HTTP", field="headers", hint=hint)
    return Interrupted(f"the connection to {place} closed before an answer")


def _not_connected(error: aiohttp.ClientConnectorError) -> ConnectFailed:
    """Name, port or TLS; `error` knows the host, which may be the proxy's."""
    place = f"{error.host}:{error.port}"
    why = os.strerror(error.errno) if error.errno and error.errno > 0 else error.strerror
    match error:
        case aiohttp.ClientConnectorCertificateError():
            return ConnectFailed(f"the certificate of {place} is not valid: {error.certificate_error}")
        case aiohttp.ClientConnectorSSLError():
            return ConnectFailed(f"TLS with {place} failed: {why}")
        case aiohttp.ClientConnectorDNSError():
            return ConnectFailed(f"the name {error.host} is not known: {why}")
        case aiohttp.ClientProxyConnectionError():
            return ConnectFailed(f"no connection to the proxy {place}: {why}")
    return ConnectFailed(f"no connection to {place}: {why}")
