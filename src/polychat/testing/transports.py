"""What every transport promises, judged against a server on loopback that says exactly what it is told to.

    @pytest.mark.parametrize("check", TRANSPORT_CHECKS, ids=str)
    def test_x(check):
        check(XTransport)

`make_transport` is called inside the event loop, once a check.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from typing import Any

from polychat.errors import ConnectFailed, IdleTimeout, Interrupted, PolychatError
from polychat.net.clocks import Clocks
from polychat.net.transport import HttpRequest, Transport
from polychat.testing.checks import Check, check_all, require, require_equal

MakeTransport = Callable[[], Transport]

_BOUND_S = 2.0  # generous, for what happens at once
_LIMIT_S = 20.0  # of one check
_USUAL = Clocks()
_SHORT = Clocks(connect_s=2.0, first_event_s=0.2, between_events_s=0.2)
_CLOSED_PORT = 1  # nobody listens on tcpmux
_CHUNKED = b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n"
_HELLO = b"5\r\nhello\r\n"


def check_transport(make_transport: MakeTransport) -> None:
    """Hold a transport to every promise. Raises: `AssertionError` with a sentence at the first broken one."""
    check_all(TRANSPORT_CHECKS, lambda: make_transport)


class _Peer:
    """A server that reads one request a connection, says `answer`, and closes, or stays until the client leaves."""

    def __init__(self, answer: bytes, *, stay: bool) -> None:
        self.url = ""
        self.head = b""  # of the last request
        self.left = asyncio.Event()
        self.tasks: list[asyncio.Task[object] | None] = []  # one a connection
        self._answer = answer
        self._stay = stay

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Hold one connection."""
        self.tasks.append(asyncio.current_task())
        try:
            with suppress(ConnectionError, asyncio.IncompleteReadError, asyncio.CancelledError):
                self.head = await reader.readuntil(b"\r\n\r\n")
                writer.write(self._answer)
                await writer.drain()
                if self._stay:
                    await reader.read()
        finally:
            self.left.set()
            writer.close()
            with suppress(OSError):
                await writer.wait_closed()


@asynccontextmanager
async def _peer(answer: bytes, *, stay: bool = False) -> AsyncIterator[_Peer]:
    peer = _Peer(answer, stay=stay)
    server = await asyncio.start_server(peer.serve, "127.0.0.1", 0)
    peer.url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/path"
    try:
        yield peer
    finally:
        server.close()
        tasks = [task for task in peer.tasks if task is not None]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


async def _passes_statuses(transport: Transport) -> None:
    for status in (200, 204, 401, 404, 429, 500, 529):
        head = (
            f"HTTP/1.1 {status} Words\r\ncontent-length: 0\r\nX-Ours: yes\r\nset-cookie: a=1\r\nset-cookie: b=2\r\n\r\n"
        )
        async with _peer(head.encode()) as peer, transport.open(_get(peer.url), _USUAL) as response:
            require_equal(status, response.status, "the status")
            require_equal("yes", response.headers.get("x-ours"), "the header x-ours")
            require_equal(("a=1", "b=2"), response.set_cookies, "set_cookies")


async def _follows_no_redirect(transport: Transport) -> None:
    head = b"HTTP/1.1 302 Found\r\nlocation: /elsewhere\r\ncontent-length: 0\r\n\r\n"
    async with _peer(head) as peer, transport.open(_get(peer.url), _USUAL) as response:
        require_equal(302, response.status, "the status of a redirect")
        require_equal("/elsewhere", response.headers.get("location"), "its location")
        require_equal(1, len(peer.tasks), "the number of connections")


async def _adds_nothing(transport: Transport) -> None:
    async with _peer(b"HTTP/1.1 204 No Content\r\n\r\n") as peer:
        for _ in range(2):
            async with transport.open(HttpRequest(method="GET", url=peer.url, headers={"x-ours": "1"}), _USUAL):
                pass
        names = {line.partition(b":")[0].lower() for line in peer.head.split(b"\r\n")[1:] if line}
    needed = {b"host", b"connection", b"accept-encoding", b"content-length"}
    require(names - needed == {b"x-ours"}, f"headers nobody asked for went out: {sorted(names - needed)}")


async def _gives_chunks(transport: Transport) -> None:
    body = _CHUNKED + _HELLO + b"3\r\n\xe2\x82\xac\r\n0\r\n\r\n"
    async with _peer(body) as peer, transport.open(_get(peer.url), _USUAL) as response:
        chunks = [chunk async for chunk in response.chunks()]
    require_equal("hello€".encode(), b"".join(chunks), "the body")
    require(all(chunks), "a chunk is empty")


async def _gives_chunks_at_once(transport: Transport) -> None:
    async with (
        asyncio.timeout(_BOUND_S),
        _peer(_CHUNKED + _HELLO, stay=True) as peer,
        transport.open(_get(peer.url), _USUAL) as response,
    ):
        first = await anext(response.chunks())
    require_equal(b"hello", first, "the first chunk of a body that has not ended")


async def _reads_no_more_than_allowed(transport: Transport) -> None:
    async with _peer(_CHUNKED + _HELLO * 3, stay=True) as peer, transport.open(_get(peer.url), _USUAL) as response:
        require_equal(b"hellohe", await response.read(7), "at most seven bytes of a body that has not ended")


async def _leaves(transport: Transport) -> None:
    async with _peer(_CHUNKED + _HELLO, stay=True) as peer:
        async with transport.open(_get(peer.url), _USUAL) as response:
            await anext(response.chunks())
        await asyncio.wait_for(peer.left.wait(), _BOUND_S)


async def _leaves_when_cancelled(transport: Transport) -> None:
    async with _peer(_CHUNKED + _HELLO, stay=True) as peer:
        reading = asyncio.Event()

        async def read() -> None:
            async with transport.open(_get(peer.url), _USUAL) as response:
                async for _ in response.chunks():
                    reading.set()

        task = asyncio.create_task(read())
        await reading.wait()
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        await asyncio.wait_for(peer.left.wait(), _BOUND_S)


async def _names_what_failed(transport: Transport) -> None:
    error = await _error(transport, f"http://127.0.0.1:{_CLOSED_PORT}/")
    require(isinstance(error, ConnectFailed), f"a closed port is {type(error).__name__}")
    for answer, what in ((b"", "no answer"), (_CHUNKED + _HELLO, "a cut answer")):
        async with _peer(answer) as peer:
            error = await _error(transport, peer.url)
            require(isinstance(error, Interrupted), f"{what} is {type(error).__name__}")


async def _keeps_time(transport: Transport) -> None:
    for answer in (b"", _CHUNKED):
        async with _peer(answer, stay=True) as peer:
            error = await _error(transport, peer.url)
            require(isinstance(error, IdleTimeout), f"a late first byte is {type(error).__name__}")
            require_equal("first_event", getattr(error, "clock", None), "the clock that ran out")
    async with _peer(_CHUNKED + _HELLO, stay=True) as peer:
        error = await _error(transport, peer.url)
        require(isinstance(error, Interrupted | IdleTimeout), f"silence inside an answer is {type(error).__name__}")


async def _keeps_urls_to_itself(transport: Transport) -> None:
    for url in (f"http://127.0.0.1:{_CLOSED_PORT}/?key=canary", "ftp://127.0.0.1/?key=canary"):
        require("canary" not in str(await _error(transport, url)), "the query of a URL is in an error")


def _get(url: str) -> HttpRequest:
    return HttpRequest(method="GET", url=url)


async def _error(transport: Transport, url: str) -> PolychatError:
    try:
        async with transport.open(_get(url), _SHORT) as response:
            await response.read(1000)
    except PolychatError as error:
        return error
    raise AssertionError(f"{url} should have failed")


def _check(name: str, judge: Callable[[Transport], Awaitable[None]]) -> Check[MakeTransport]:
    async def with_transport(make_transport: MakeTransport) -> None:
        transport = make_transport()
        try:
            async with asyncio.timeout(_LIMIT_S):
                await judge(transport)
        except TimeoutError:
            raise AssertionError("it did not happen in time") from None
        finally:
            await transport.aclose()

    def run(make_transport: Any) -> None:
        asyncio.run(with_transport(make_transport))

    return Check(name, run)


TRANSPORT_CHECKS: tuple[Check[MakeTransport], ...] = (
    _check("statuses", _passes_statuses),
    _check("redirects", _follows_no_redirect),
    _check("adds nothing", _adds_nothing),
    _check("chunks", _gives_chunks),
    _check("chunks at once", _gives_chunks_at_once),
    _check("read limit", _reads_no_more_than_allowed),
    _check("leaving", _leaves),
    _check("cancelling", _leaves_when_cancelled),
    _check("failures", _names_what_failed),
    _check("clocks", _keeps_time),
    _check("urls", _keeps_urls_to_itself),
)
