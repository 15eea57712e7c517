"""Websockets on aiohttp, for services that hand parts of an answer over by one."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import aiohttp
from yarl import URL

from polychat.errors import Interrupted
from polychat.net.clocks import Clocks
from polychat.net.transport import HttpRequest

_FRAME_BYTES = 16 * 1024 * 1024
_CLOSING_S = 1.0  # how long to wait for the other side's farewell
_TEXTS = (aiohttp.WSMsgType.TEXT, aiohttp.WSMsgType.BINARY)


@asynccontextmanager
async def websocket(
    session: aiohttp.ClientSession, request: HttpRequest, clocks: Clocks, http_proxy: URL | None
) -> AsyncIterator[AiohttpWebSocket]:
    """Shake hands within the connect clock; then silence is measured between messages."""
    async with session.ws_connect(
        request.url,
        headers=dict(request.headers),
        proxy=http_proxy,
        max_msg_size=_FRAME_BYTES,
        timeout=aiohttp.ClientWSTimeout(ws_receive=clocks.between_events_s, ws_close=_CLOSING_S),
    ) as socket:
        yield AiohttpWebSocket(socket, clocks)


class AiohttpWebSocket:
    """An open websocket."""

    def __init__(self, socket: aiohttp.ClientWebSocketResponse, clocks: Clocks) -> None:
        self._socket = socket
        self._clocks = clocks

    async def send(self, text: str) -> None:
        """One text message."""
        await self._socket.send_str(text)

    async def messages(self) -> AsyncIterator[bytes]:
        """Messages as they come, until the other side closes. Raises: `Interrupted` when cut or silent too long."""
        while True:
            try:
                message = await self._socket.receive()
            except TimeoutError:
                raise Interrupted(f"the websocket fell silent for {self._clocks.between_events_s:g} s") from None
            if message.type in _TEXTS:
                yield message.data.encode() if isinstance(message.data, str) else message.data
            elif message.type is aiohttp.WSMsgType.ERROR:
                raise Interrupted("the websocket was cut")
            else:
                return
