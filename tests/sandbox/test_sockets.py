"""Websockets are journaled, watched and faulted like everything else."""

from __future__ import annotations

import asyncio
import time
from typing import Any

import aiohttp
import pytest

from polychat.sandbox import Sandbox

ALICE = {"authorization": "Bearer sandbox-alice"}
SUBSCRIBE = [{"id": number, "command": {"type": "connect"}} for number in range(3)]


@pytest.fixture
def listen(ask: Any, sandbox: Any) -> Any:
    """listen(count, headers): connect to ChatGPT's socket, ask three things, and hear up to `count` messages."""
    sandbox.knobs("chatgpt", websocket="topics")

    async def heard(url: str, count: int, headers: dict[str, str]) -> tuple[list[str], int | None]:
        async with aiohttp.ClientSession() as session, session.ws_connect(url, headers=headers) as socket:
            await socket.send_json(SUBSCRIBE)
            said = []
            while len(said) < count:
                message = await socket.receive(timeout=0.5)
                if message.type is not aiohttp.WSMsgType.TEXT:
                    break
                said.append(message.data)
            return said, socket.close_code

    def listen(count: int = 3, headers: dict[str, str] | None = None) -> tuple[list[str], int | None]:
        url = ask("GET", "/chatgpt/backend-api/celsius/ws/user", headers=ALICE).json["websocket_url"]
        return asyncio.run(heard(url, count, headers or {}))

    return listen


def entry(sandbox: Any) -> Any:
    """The journal's one connection, when it is over."""
    for _ in range(200):
        (found,) = [it for it in sandbox.journal(service="chatgpt") if it.method == "WEBSOCKET"]
        if found.ended != "open":
            return found
        time.sleep(0.01)
    return found


def test_a_connection_is_in_the_journal(listen, sandbox):
    """Method, path, account, status 101, how it ended; the ticket is masked."""
    assert len(listen()[0]) == 3
    seen = entry(sandbox)
    assert (seen.path.rpartition("-")[0], seen.status, seen.ended) == ("/ws/user/user", 101, "client left")
    assert (seen.query, seen.account) == ("verify=%2A%2A%2A", "sandbox-alice")


@pytest.mark.parametrize(("fault", "status"), [("status; code=503", 503), ("challenge", 403), ("close", 403)])
def test_a_connection_can_be_refused(listen, sandbox, fault, status):
    """By an error status, a page, or at once; by header or by rule."""
    with pytest.raises(aiohttp.WSServerHandshakeError) as refused:
        listen(headers={"x-sandbox-scenario": fault})
    assert refused.value.status == status
    assert (entry(sandbox).status, entry(sandbox).faults) == (status, [fault.split(";")[0]])


def test_stopping_does_not_wait_for_an_open_connection(capfd):
    """The sandbox ends at once, the client sees it, and nothing is printed."""

    async def main(sandbox: Sandbox) -> aiohttp.WSMsgType:
        async with aiohttp.ClientSession(headers=ALICE) as session:
            async with session.get(f"{sandbox.url}/chatgpt/backend-api/celsius/ws/user") as answer:
                url = (await answer.json())["websocket_url"]
            async with session.ws_connect(url) as socket:
                await asyncio.to_thread(sandbox.stop)
                return (await socket.receive(timeout=5)).type

    with Sandbox() as sandbox:
        started = time.monotonic()
        assert asyncio.run(main(sandbox)) in (aiohttp.WSMsgType.CLOSE, aiohttp.WSMsgType.CLOSED)
        assert time.monotonic() - started < 3
    assert capfd.readouterr() == ("", "")


def test_a_header_that_makes_no_sense_is_refused(listen, sandbox):
    """422, as for any request."""
    with pytest.raises(aiohttp.WSServerHandshakeError) as refused:
        listen(headers={"x-sandbox-scenario": "nonsense"})
    assert refused.value.status == 422


def test_messages_go_through_the_faults(listen, sandbox):
    """One comes twice, one is halved, then the connection ends."""
    sandbox.fault("chatgpt", "duplicate_frame", path="/ws/*", after=0, times=1)
    said, _code = listen()
    assert len(said) == 3
    assert said[0].count('"id":0') == 2
    sandbox.fault("chatgpt", "drop", path="/ws/*", after=2, times=1)
    said, code = listen()
    assert (len(said), code) == (2, 1000)


def test_messages_can_come_at_a_pace(listen, sandbox):
    """Slower than they would."""
    sandbox.fault("chatgpt", "pace", path="/ws/*", tokens_per_s=10)
    started = time.monotonic()
    assert len(listen()[0]) == 3
    assert time.monotonic() - started > 0.2


def test_a_connection_can_stall(listen, sandbox):
    """Nothing more comes, and the connection stays."""
    sandbox.fault("chatgpt", "stall", path="/ws/*", after=1)
    with pytest.raises(TimeoutError):
        listen()


def test_a_message_that_makes_no_sense_ends_the_connection(ask, sandbox, capfd):
    """In good order, and nothing is printed."""
    sandbox.knobs("chatgpt", websocket="topics")
    url = ask("GET", "/chatgpt/backend-api/celsius/ws/user", headers=ALICE).json["websocket_url"]

    async def main() -> int | None:
        async with aiohttp.ClientSession() as session, session.ws_connect(url) as socket:
            await socket.send_str("what?")
            await socket.receive(timeout=5)
            return socket.close_code

    assert asyncio.run(main()) == 1000
    assert entry(sandbox).ended == "complete"
    assert capfd.readouterr() == ("", "")
