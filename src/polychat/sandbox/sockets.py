"""One websocket connection as a service sees it, and the watch over it.

A handler is `async def handler(socket) -> None`; `websocket` makes a route of it. It must accept or refuse. Every text
message is a frame: it goes through the faults like a frame of any answer, and what they make of it is one message.
When the client leaves, the handler is cancelled. In the journal the method is `WEBSOCKET`, the status 101 or that of
the refusal.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

from starlette.responses import Response
from starlette.routing import WebSocketRoute
from starlette.types import ASGIApp, Message, Receive, Scope, Send
from starlette.websockets import WebSocket, WebSocketDisconnect

from polychat.sandbox.call import SCOPE_KEY, Call
from polychat.sandbox.faults import Ending, Fault, Frame, Pause, through

METHOD = "WEBSOCKET"
_SWITCHING = 101
_FORBIDDEN = 403
_NORMAL = 1000


class Socket:
    """A connection to a service."""

    def __init__(self, call: Call[Any, Any], connection: WebSocket) -> None:
        self.call = call
        self._connection = connection

    async def accept(self) -> None:
        """Let the client in."""
        await self._connection.accept()

    async def refuse(self) -> None:
        """403 instead of a connection."""
        await self._connection.close()

    async def send(self, text: str) -> None:
        """One message."""
        await self._connection.send_text(text)

    async def receive(self) -> str:
        """The client's next message."""
        return await self._connection.receive_text()

    async def close(self) -> None:
        """End the connection in good order."""
        await self._connection.close()


def websocket(path: str, handler: Callable[[Socket], Awaitable[None]]) -> WebSocketRoute:
    """A route for websocket connections."""

    async def endpoint(connection: WebSocket) -> None:
        call: Call[Any, Any] = connection.scope[SCOPE_KEY]
        call.path = connection.path_params
        await handler(Socket(call, connection))

    return WebSocketRoute(path, endpoint)


async def watch(
    app: ASGIApp, scope: Scope, receive: Receive, send: Send, call: Call[Any, Any], problems: list[Fault]
) -> None:
    """Let `app` serve the connection, with the faults in between."""
    outlet = _Outlet(send, call, problems)
    await asyncio.sleep(sum(fault.head_delay_s() for fault in problems))
    instead = next((it for fault in problems if (it := fault.instead(call)) is not None), None)
    if isinstance(instead, Response):
        call.entry.status, call.entry.ended = instead.status_code, "complete"
        await instead(scope, receive, send)
        return
    if instead is not None:
        call.entry.status, call.entry.ended = _FORBIDDEN, "cut"
        await send({"type": "websocket.close"})
        return
    inbox: asyncio.Queue[Message] = asyncio.Queue()
    serving = asyncio.ensure_future(app({**scope, SCOPE_KEY: call}, inbox.get, outlet.send))
    reading = asyncio.ensure_future(_read(receive, inbox))
    try:
        await asyncio.wait((serving, reading), return_when=asyncio.FIRST_COMPLETED)
    finally:
        serving.cancel()
        reading.cancel()
        problem, _ = await asyncio.gather(serving, reading, return_exceptions=True)
        if call.entry.ended == "open":
            call.entry.ended = "client left"
    if isinstance(problem, Exception) and not isinstance(problem, WebSocketDisconnect):
        raise problem


async def _read(receive: Receive, inbox: asyncio.Queue[Message]) -> None:
    """Pass on what comes until the client is gone."""
    while (message := await receive())["type"] != "websocket.disconnect":
        await inbox.put(message)


class _Outlet:
    """The way out: an ASGI `send` that lets the faults at every message."""

    def __init__(self, send: Send, call: Call[Any, Any], problems: list[Fault]) -> None:
        self._send = send
        self._call = call
        self._faults = problems
        self._index = 0

    async def send(self, message: Message) -> None:
        """ASGI `send`, as the service sees it."""
        kind, entry = message["type"], self._call.entry
        if kind == "websocket.send":
            await self._frame(message["text"].encode())
            return
        if kind == "websocket.accept":
            entry.status = _SWITCHING
        elif kind == "websocket.close":
            entry.status, entry.ended = entry.status or _FORBIDDEN, "complete"
        await self._send(message)

    async def _frame(self, data: bytes) -> None:
        held = b""
        for output in through(self._faults, Frame(self._index, data, False, self._call)):
            if isinstance(output, bytes):
                held += output
            elif isinstance(output, Pause):
                await asyncio.sleep(output.seconds)
            else:
                await self._end(output)
        if held:
            await self._send({"type": "websocket.send", "text": held.decode("utf-8", "replace")})
        self._index += 1

    async def _end(self, ending: Ending) -> None:
        """The end in the way told; lasts until the client is gone and the work cancelled."""
        if ending is not Ending.STALL:
            self._call.entry.ended = "cut"
            await self._send({"type": "websocket.close", "code": _NORMAL})
        await asyncio.Event().wait()
