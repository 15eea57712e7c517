"""net/websocket.py: messages both ways, against a server of another library's making."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

import aiohttp
import pytest
from aiohttp import web

from polychat.errors import ConnectFailed, Interrupted
from polychat.net.aiohttp import AiohttpTransport
from polychat.net.clocks import Clocks
from polychat.net.transport import HttpRequest

Talk = Callable[[web.WebSocketResponse], Awaitable[None]]


@asynccontextmanager
async def serving(talk: Talk) -> AsyncIterator[str]:
    """A websocket server on loopback; its address."""

    async def handle(request: web.Request) -> web.WebSocketResponse:
        socket = web.WebSocketResponse()
        await socket.prepare(request)
        await talk(socket)
        return socket

    app = web.Application()
    app.router.add_get("/ws", handle)
    runner = web.AppRunner(app, shutdown_timeout=0.1)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    try:
        yield f"ws://127.0.0.1:{runner.addresses[0][1]}/ws"
    finally:
        await runner.cleanup()


def heard(talk: Talk, *, say: tuple[str, ...] = (), silence_s: float = 5.0, path: str = "") -> list[bytes]:
    """Everything the server said to a client that says `say`."""
    got: list[bytes] = []

    async def main() -> None:
        transport = AiohttpTransport()
        try:
            async with serving(talk) as url:
                request = HttpRequest(method="GET", url=url + path)
                async with transport.websocket(request, Clocks(between_events_s=silence_s)) as socket:
                    for text in say:
                        await socket.send(text)
                    async for message in socket.messages():
                        got.append(message)  # noqa: PERF401 - what came before a break is the point
        finally:
            await transport.aclose()

    try:
        asyncio.run(main())
    except Interrupted as error:
        error.add_note(repr(got))
        raise
    return got


async def echo(socket: web.WebSocketResponse) -> None:
    """Says back two messages, then leaves."""
    for _ in range(2):
        message = await socket.receive()
        await socket.send_str(message.data.upper())
    await socket.send_bytes(b"bytes")


def test_messages_go_both_ways_until_the_other_side_leaves() -> None:
    """Text and bytes arrive as bytes; a farewell ends the iteration."""
    assert heard(echo, say=("one", "два")) == [b"ONE", "ДВА".encode(), b"bytes"]


def test_a_cut_or_silent_websocket_is_an_interruption() -> None:
    """What came before is kept by the reader."""

    async def one_and_silence(socket: web.WebSocketResponse) -> None:
        await socket.send_str("one")
        await asyncio.sleep(30)

    with pytest.raises(Interrupted, match="silent") as caught:
        heard(one_and_silence, silence_s=0.1)
    assert caught.value.__notes__ == ["[b'one']"]


def test_a_server_that_does_not_shake_hands_is_told() -> None:
    """An ordinary answer is no websocket; a closed port is no connection."""
    with pytest.raises(Interrupted):
        heard(echo, path="/nothing")

    async def main() -> None:
        transport = AiohttpTransport()
        try:
            async with transport.websocket(HttpRequest(method="GET", url="ws://127.0.0.1:1/ws"), Clocks()):
                pass
        finally:
            await transport.aclose()

    with pytest.raises(ConnectFailed):
        asyncio.run(main())


def test_leaving_closes_the_websocket() -> None:
    """The server sees the reader go."""
    left = asyncio.Event()

    async def watch(socket: web.WebSocketResponse) -> None:
        await socket.send_str("hello")
        if (await socket.receive()).type in {
            aiohttp.WSMsgType.CLOSE,
            aiohttp.WSMsgType.CLOSED,
            aiohttp.WSMsgType.CLOSING,
        }:
            left.set()

    async def main() -> None:
        transport = AiohttpTransport()
        async with serving(watch) as url:
            async with transport.websocket(HttpRequest(method="GET", url=url), Clocks()) as socket:
                await anext(aiter(socket.messages()))
            await asyncio.wait_for(left.wait(), 5)
        await transport.aclose()

    asyncio.run(main())
