"""What stands in front of every service: the journal, the faults, and a watch for clients that leave.

The request is read whole, written down, and handed to the service; the answer goes out through an `Outlet`, frame by
frame, each its own write. When the client leaves, the service's work is cancelled.
"""

from __future__ import annotations

import asyncio
from typing import Any

import msgspec
from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from polychat.sandbox import faults, sockets
from polychat.sandbox.call import SCOPE_KEY, Call, json
from polychat.sandbox.faults import Ending, Fault, Frame, Pause
from polychat.sandbox.journal import Entry
from polychat.sandbox.replays import Asked
from polychat.sandbox.world import World

SCENARIO = "x-sandbox-scenario"
HANG_UP = "polychat.sandbox.hang_up"  # an ASGI extension: closes the connection as it is, all written bytes delivered


class Stage:
    """ASGI: one service, watched."""

    def __init__(self, world: World, service: str, app: ASGIApp) -> None:
        self._world = world
        self._service = service
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        upgraded = scope["type"] == "websocket"
        body = b"" if upgraded else await _whole(receive)
        if body is None:
            return
        method = sockets.METHOD if upgraded else scope["method"]
        path = scope["path"].removeprefix(scope["root_path"])
        headers = Headers(scope=scope)
        entry = self._world.journal.record(
            at=self._world.clock.now(), service=self._service, method=method, path=path,
            query=scope["query_string"].decode("latin-1"), headers=headers, body=body,
        )  # fmt: skip
        knobs = self._world.knobs[self._service]
        problems = faults.due(self._world.rules, self._service, method, path)
        try:
            knobs, asked = scenario(headers.get(SCENARIO, ""), knobs)
        except ValueError as error:
            entry.status, entry.ended = 422, "complete"
            await json({"error": f"{SCENARIO}: {error}"}, 422)(scope, receive, send)
            return
        problems = faults.ordered(problems + asked)
        call: Call[Any, Any] = Call(
            world=self._world, service=self._service, knobs=knobs, entry=entry, scope=scope, body=body
        )
        entry.faults = [str(fault.__struct_config__.tag) for fault in problems]
        if upgraded:
            await sockets.watch(self._app, scope, receive, send, call, problems)
            return
        outlet = Outlet(scope, send, call, problems)
        await _until_left(self._answer(scope, body, call, outlet), receive, entry)

    async def _answer(self, scope: Scope, body: bytes, call: Call[Any, Any], outlet: Outlet) -> None:
        await outlet.wait()
        instead = outlet.instead()
        if isinstance(instead, Ending):
            await outlet.end(instead)
        elif instead is not None:
            await instead(scope, _empty, outlet.send)
        elif not await replayed(scope, call, outlet):
            await self._app({**scope, SCOPE_KEY: call}, _replay(body), outlet.send)


class Outlet:
    """The way out: an ASGI `send` that lets the faults at every frame."""

    def __init__(self, scope: Scope, send: Send, call: Call[Any, Any], problems: list[Fault]) -> None:
        self._scope = scope
        self._send = send
        self._call = call
        self._faults = problems
        self._event_stream = False
        self._index = 0
        self._over = False
        self._joined = max((fault.joined() for fault in problems), default=1)  # frames in one write
        self._held = b""

    async def wait(self) -> None:
        """Hold the head back for as long as the faults say."""
        if delay_s := sum(fault.head_delay_s() for fault in self._faults):
            await asyncio.sleep(delay_s)

    def instead(self) -> Any:
        """A response or ending in place of the service's answer, or None."""
        return next((it for fault in self._faults if (it := fault.instead(self._call)) is not None), None)

    async def send(self, message: Message) -> None:
        """ASGI `send`, as the service sees it. After an early end the service speaks into the void."""
        if self._over:
            return
        if message["type"] == "http.response.start":
            await self._head(message)
        else:
            await self._body(message.get("body", b""), last=not message.get("more_body", False))

    async def end(self, ending: Ending) -> None:
        """Stop here, in the way told; for all but `END` this lasts until the client is gone and the work cancelled."""
        await self._flush()
        if ending is Ending.END:
            self._over = True
            await self._write(b"", last=True)
            return
        if ending is Ending.HANG_UP:
            self._call.entry.ended = "cut"
            _hang_up(self._scope)
        await asyncio.Event().wait()

    async def _head(self, message: Message) -> None:
        headers = MutableHeaders(scope=message)
        self._event_stream = headers.get("content-type", "").startswith("text/event-stream")
        self._call.entry.status = message["status"]
        if self._faults:
            del headers["content-length"]  # the body may come out longer or shorter
        await self._send(message)

    async def _body(self, data: bytes, *, last: bool) -> None:
        if not self._faults:
            await self._write(data, last=last)
            return
        if data:
            await self._frame(data)
        if last and not self._over:
            await self.end(next((fault.at_end for fault in self._faults if fault.at_end), Ending.END))

    async def _frame(self, data: bytes) -> None:
        for output in faults.through(self._faults, Frame(self._index, data, self._event_stream, self._call)):
            if isinstance(output, bytes):
                await self._piece(output)
            elif isinstance(output, Pause):
                await asyncio.sleep(output.seconds)
            else:
                await self.end(output)
                return
        self._index += 1
        if self._index % self._joined == 0:
            await self._flush()

    async def _piece(self, data: bytes) -> None:
        """Write `data`, or keep it until enough frames have come."""
        if self._joined == 1:
            await self._write(data, last=False)
        else:
            self._held += data

    async def _flush(self) -> None:
        if self._held:
            held, self._held = self._held, b""
            await self._write(held, last=False)

    async def _write(self, data: bytes, *, last: bool) -> None:
        if last:
            self._call.entry.ended = "complete"
        await self._send({"type": "http.response.body", "body": data, "more_body": not last})
        await asyncio.sleep(0)  # lets a departure be noticed


async def replayed(scope: Scope, call: Call[Any, Any], outlet: Outlet) -> bool:
    """Answer from a recording, or say that there is none; False where the emulation is to answer."""
    replay = call.world.replays.get(call.service)
    if replay is None:
        return False
    method, path, query = call.entry.method, call.entry.path, scope["query_string"].decode("latin-1")
    asked = Asked(method, path, query, call.headers.get("content-type", ""), call.body, call.base_url)
    if recording := replay.take(asked):
        await replay.play(recording, asked, outlet)
        return True
    if replay.rest == "emulation":
        return False
    said = f"no recording in {replay.folder} answers {method} {path} with this query and body"
    await json({"error": said}, 404)(scope, _empty, outlet.send)
    return True


def _hang_up(scope: Scope) -> None:
    close = scope.get("extensions", {}).get(HANG_UP)
    if close is None:
        raise ConnectionAbortedError("only the sandbox's own server can hang up in the middle of an answer")
    close()


def scenario(text: str, knobs: msgspec.Struct) -> tuple[msgspec.Struct, list[Fault]]:
    """Read `X-Sandbox-Scenario`: comma-separated faults and knobs.

    `stall; after=3, crlf, history=lenient` is a fault with an argument, a fault without, and a knob. `stall=3` gives
    the fault's first argument. Raises: ValueError.
    """
    found: list[Fault] = []
    settings: dict[str, Any] = msgspec.structs.asdict(knobs)
    for item in filter(None, (item.strip() for item in text.split(","))):
        head, *rest = (piece.strip() for piece in item.split(";"))
        name, equals, value = head.partition("=")
        arguments = {key: argument for key, _equals, argument in (piece.partition("=") for piece in rest)}
        if name in faults.NAMES:
            found.append(faults.named(name, {"": value, **arguments} if equals else arguments))
        elif name in settings:
            settings[name] = value if equals else "true"
        else:
            raise ValueError(f"{name!r} is neither a fault nor a knob of this service")
    return msgspec.convert(settings, type(knobs), strict=False), found


async def _until_left(work: Any, receive: Receive, entry: Entry) -> None:
    """Do `work` until it is done or the client is gone."""
    working, leaving = asyncio.ensure_future(work), asyncio.ensure_future(_departure(receive))
    try:
        await asyncio.wait((working, leaving), return_when=asyncio.FIRST_COMPLETED)
    finally:
        if not working.done() and entry.ended == "open":
            entry.ended = "client left"
        working.cancel()
        leaving.cancel()
        results = await asyncio.gather(working, leaving, return_exceptions=True)
    if isinstance(results[0], Exception):
        raise results[0]


async def _departure(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass


async def _whole(receive: Receive) -> bytes | None:
    """The request's body; None when the client left before its end."""
    pieces: list[bytes] = []
    while True:
        message = await receive()
        if message["type"] == "http.disconnect":
            return None
        pieces.append(message.get("body", b""))
        if not message.get("more_body", False):
            return b"".join(pieces)


def _replay(body: bytes) -> Receive:
    messages = [{"type": "http.request", "body": body, "more_body": False}]

    async def receive() -> Message:
        if messages:
            return messages.pop()
        return await _empty()

    return receive


async def _empty() -> Message:
    """Nothing more comes from the client; its departure is the stage's business."""
    await asyncio.Event().wait()
    raise AssertionError("unreachable")
