"""What comes over websockets: pictures of tasks, the rest of a stream that was handed off, a classic stream of 2024.

    GET  celsius/ws/user        -> websocket_url, good for one account and five minutes
    POST register-websocket     -> wss_url, as early in 2024
    /ws/user/{uid}?verify=      the account's socket
    /ws/classic?verify=         the frames of one turn, each in base64

The account's socket speaks as the knob `websocket` has it. `simple`: one JSON object a message, about every task.
`topics`: JSON arrays; commands to connect and subscribe, replies with catchups, items that are to be deduplicated.
`silent`: nothing ever comes.
"""

from __future__ import annotations

import asyncio
import base64
from collections.abc import AsyncIterator
from typing import Any

import msgspec
from starlette.responses import Response

from polychat.sandbox.call import json
from polychat.sandbox.services.chatgpt import tasks
from polychat.sandbox.services.chatgpt.identity import ChatCall, iso, signed_in, user_id
from polychat.sandbox.services.chatgpt.production import Production, frames
from polychat.sandbox.services.chatgpt.state import State, Task
from polychat.sandbox.sockets import Socket

CONVERSATIONS = "conversations"
TURN = "conversation-turn-"
_TICKET_TTL_S = 300.0
_TICK_S = 0.01
_RECENT_S = 60.0  # pictures finished longer ago are not told of again
_KINDS = ("async-task-start", "async-task-update-message", "async-task-completed")


class Command(msgspec.Struct):
    """What a client of `topics` wants."""

    type: str
    topic_id: str = ""


class Ask(msgspec.Struct):
    """One element of a client's message."""

    id: int
    command: Command


async def user_socket(call: ChatCall) -> Response:
    """Where the account's socket is."""
    owner = signed_in(call)
    return json({"websocket_url": f"{_origin(call)}/ws/user/{user_id(owner)}?verify={ticket(call, owner)}"})


async def register(call: ChatCall) -> Response:
    """The same, in the words of 2024."""
    owner = signed_in(call)
    url = f"{_origin(call)}/ws/user/{user_id(owner)}?verify={ticket(call, owner)}"
    return json({"wss_url": url, "expires_at": iso(call.now + _TICKET_TTL_S)})


def classic_url(call: ChatCall, owner: str, production: Production) -> str:
    """Where the frames of a classic turn come."""
    name = ticket(call, owner)
    call.state.relayed[name] = production
    return f"{_origin(call)}/ws/classic?verify={name}"


def ticket(call: ChatCall, owner: str) -> str:
    """Something that opens a socket."""
    name = call.world.ids.hex(32)
    call.state.grant(call.state.tickets, name, owner, _TICKET_TTL_S)
    return name


async def classic(socket: Socket) -> None:
    """The frames of one turn."""
    call: ChatCall = socket.call
    production = call.state.relayed.get(call.query.get("verify", ""))
    if production is None or _admitted(call) is None:
        await socket.refuse()
        return
    await socket.accept()
    async for frame in frames(production):
        body = base64.b64encode(frame).decode()
        about = {"type": "http.response.body", "conversation_id": production.conversation_id, "more_body": True}
        await socket.send(_encoded({**about, "body": body}))
    await socket.close()


async def user(socket: Socket) -> None:
    """The account's socket."""
    call: ChatCall = socket.call
    owner = _admitted(call)
    if owner is None or call.path["uid"] != user_id(owner):
        await socket.refuse()
        return
    await socket.accept()
    if call.knobs.websocket == "simple":
        async for update in _updates(call.state, owner):
            await socket.send(_encoded({"type": "conversation-update", "payload": update}))
    elif call.knobs.websocket == "topics":
        await _Subscriber(socket, owner).serve()
    elif call.knobs.websocket == "silent":
        await asyncio.Event().wait()


class _Subscriber:
    """A client of `topics`."""

    def __init__(self, socket: Socket, owner: str) -> None:
        self._socket = socket
        self._state: State = socket.call.state
        self._owner = owner
        self._streams: list[asyncio.Future[None]] = []
        self._offset = 0

    async def serve(self) -> None:
        """Answer commands until the client leaves."""
        try:
            while True:
                for ask in msgspec.json.decode(await self._socket.receive(), type=list[Ask]):
                    await self._answer(ask)
        except msgspec.MsgspecError:
            await self._socket.close()
        finally:
            for stream in self._streams:
                stream.cancel()
            await asyncio.gather(*self._streams, return_exceptions=True)

    async def _answer(self, ask: Ask) -> None:
        reply: dict[str, Any] = {"type": ask.command.type}
        production = None
        if ask.command.type == "subscribe":
            reply |= {"topic_id": ask.command.topic_id, "catchups": []}
            production = self._production(ask.command.topic_id)
        if production is not None:
            production.frame(production.handed_at)
            reply["catchups"] = [self._item(production, index) for index in production.caught_up()]
        await self._send({"id": ask.id, "type": "reply", "reply": reply})
        if production is not None:
            self._start(self._stream(production))
        elif ask.command.topic_id == CONVERSATIONS:
            self._start(self._tasks())

    def _production(self, topic_id: str) -> Production | None:
        """The turn of a topic, if it is the account's."""
        for conversation in self._state.conversations.values():
            production = conversation.production
            if conversation.owner == self._owner and production and topic_id == f"{TURN}{production.id}":
                return production
        return None

    def _start(self, work: Any) -> None:
        self._streams.append(asyncio.ensure_future(work))

    async def _stream(self, production: Production) -> None:
        """Every frame after the handoff, also those that were among the catchups."""
        index = production.handed_at
        while production.frame(index) is not None:
            await self._send(self._item(production, index))
            index += 1

    async def _tasks(self) -> None:
        async for update in _updates(self._state, self._owner):
            await self._send(self._message(CONVERSATIONS, {"type": "conversation-update", "payload": update}))

    def _item(self, production: Production, index: int) -> dict[str, Any]:
        frame = production.frame(index) or b""
        parent = f"{production.id}-{index - 1}" if index > production.handed_at else None
        payload = {
            "type": "stream-item", "stream_item_id": f"{production.id}-{index}", "parent_stream_item_id": parent,
            "encoded_item": frame.decode(),
        }  # fmt: skip
        return self._message(f"{TURN}{production.id}", {"type": "conversation-turn-stream", "payload": payload})

    def _message(self, topic_id: str, payload: dict[str, Any]) -> dict[str, Any]:
        self._offset += 1
        return {"type": "message", "topic_id": topic_id, "payload": payload, "offset": str(self._offset)}

    async def _send(self, item: dict[str, Any]) -> None:
        await self._socket.send(_encoded([item]))


async def _updates(state: State, owner: str) -> AsyncIterator[dict[str, Any]]:
    """News of the account's tasks, as long as anybody listens."""
    since = state.world.clock.now() - _RECENT_S
    told: set[tuple[str, str]] = set()
    while True:
        for task in [task for task in state.tasks if task.owner == owner and task.ready_at > since]:
            for kind in _KINDS if tasks.is_ready(state, task) else _KINDS[:1]:
                if (task.id, kind) not in told:
                    told.add((task.id, kind))
                    yield _update(task, kind, tasks.message(state, task))
        await asyncio.sleep(_TICK_S)


def _update(task: Task, kind: str, message: dict[str, Any]) -> dict[str, Any]:
    content = {"async_task_id": task.id, "message": message}
    return {"conversation_id": task.conversation_id, "update_type": kind, "update_content": content}


def _admitted(call: ChatCall) -> str | None:
    grant = call.state.tickets.get(call.query.get("verify", ""))
    if grant is None or grant.expires_at <= call.now:
        return None
    return call.recognise(grant.owner)


def _origin(call: ChatCall) -> str:
    return call.foreign_url.replace("http", "ws", 1)


def _encoded(value: Any) -> str:
    return msgspec.json.encode(value).decode()
