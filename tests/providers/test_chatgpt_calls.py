"""providers/_chatgpt_calls.py: what the account's websocket says, against a server that repeats itself."""

from __future__ import annotations

import asyncio
from contextlib import aclosing
from typing import Any

from aiohttp import web

from polychat.credentials import Account, BearerToken, Secret
from polychat.net.aiohttp import AiohttpTransport
from polychat.net.session import Session
from polychat.providers import _chatgpt_calls as calls


def item(number: int) -> dict[str, Any]:
    """A record that carries one piece of a stream."""
    inner = {"type": "stream-item", "stream_item_id": f"i{number}", "encoded_item": f"data: {number}\n\n"}
    return {"type": "message", "topic_id": "t", "payload": {"type": "conversation-turn-stream", "payload": inner}}


def pushed(*messages: Any) -> tuple[list[str | None], list[Any]]:
    """The stream items read from a websocket that says `messages`, and what it was told first."""
    told: list[Any] = []

    async def address(request: web.Request) -> web.Response:
        return web.json_response({"websocket_url": f"ws://{request.host}/ws"})

    async def talk(request: web.Request) -> web.WebSocketResponse:
        socket = web.WebSocketResponse()
        await socket.prepare(request)
        told.append(await socket.receive_json())
        for message in messages:
            await socket.send_json(message)
        return socket

    async def main() -> list[str | None]:
        app = web.Application()
        app.router.add_get("/backend-api/celsius/ws/user", address)
        app.router.add_get("/ws", talk)
        runner = web.AppRunner(app, shutdown_timeout=0.1)
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        transport = AiohttpTransport()
        account = Account(name="me", provider="chatgpt", credential=BearerToken(token=Secret("sandbox-token")))
        home = {"web": f"http://127.0.0.1:{runner.addresses[0][1]}"}
        session = Session(provider="chatgpt", hosts=home, transport=transport, account=account)
        try:
            async with aclosing(calls.pushed(session, "t")) as records:
                return [text async for record in records if (text := calls.stream_item(record))]
        finally:
            await transport.aclose()
            await runner.cleanup()

    return asyncio.run(main()), told


def test_items_come_once_and_in_order_however_they_are_sent() -> None:
    """Alone, in lists, repeated, and caught up on in a reply."""
    reply = {"id": 2, "type": "reply", "reply": {"type": "subscribe", "catchups": [item(1), item(2)]}}
    items, _ = pushed([reply], item(2), [item(2), item(3)], item(3), [{"type": "pong"}])
    assert items == ["data: 1\n\n", "data: 2\n\n", "data: 3\n\n"]


def test_a_topic_is_subscribed_to_before_anything_is_read() -> None:
    """Connect, then subscribe, in one message."""
    _, (commands,) = pushed()
    assert [one["command"].get("topic_id") for one in commands] == [None, "t"]
    assert [one["command"]["type"] for one in commands] == ["connect", "subscribe"]
