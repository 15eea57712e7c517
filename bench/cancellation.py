"""How soon a cancelled question is gone from the wire: from `cancel()` to the upstream's socket seeing the end.

    python bench/cancellation.py [TIMES]

An upstream in this process never finishes: it is silent before its head, silent before its first event, or streams for
ever. Each way of leaving is tried TIMES times (200). Ends with 1 where the longest took more than 100 ms.
"""

from __future__ import annotations

import asyncio
import random
import sys
import time
from collections.abc import Awaitable, Callable
from typing import Any

from polychat import AsyncClient

LIMIT_S = 0.1
ASK: dict[str, Any] = {"model": "m", "messages": "hi", "stream": True}
HEAD = b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ntransfer-encoding: chunked\r\n\r\n"
CHUNK = b'{"id":"c","object":"chat.completion.chunk","choices":[{"index":0,"delta":{"content":"a"}}]}'
FRAME = b"data: " + CHUNK + b"\n\n"


class Upstream(asyncio.Protocol):
    """One connection; `gone` is set to the moment when its other side left."""

    def __init__(self, phase: str, seen: list[Upstream]) -> None:
        self._phase = phase
        self.gone: asyncio.Future[float] = asyncio.get_running_loop().create_future()
        self._writing: asyncio.Task[None] | None = None
        seen.append(self)

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Somebody asks."""
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        """Answer as far as this phase goes."""
        if self._phase != "before the head":
            self._transport.write(HEAD)
        if self._phase == "inside the answer":
            self._writing = asyncio.ensure_future(self._write())

    async def _write(self) -> None:
        while not self._transport.is_closing():
            self._transport.write(b"%x\r\n%s\r\n" % (len(FRAME), FRAME))
            await asyncio.sleep(0.002)

    def connection_lost(self, exc: Exception | None) -> None:
        """Nobody asks any more."""
        if not self.gone.done():
            self.gone.set_result(time.perf_counter())


async def _read(client: AsyncClient) -> None:
    async with await client.chat.completions.create(**ASK) as stream:
        async for _ in stream:
            pass


async def _cancelled(client: AsyncClient, seen: list[Upstream]) -> float:
    """A task is cancelled at some moment."""
    task = asyncio.ensure_future(_read(client))
    await asyncio.sleep(0.01 + random.random() * 0.02)
    left = time.perf_counter()
    task.cancel()
    return await asyncio.wait_for(seen[-1].gone, 5) - left


async def _closed(client: AsyncClient, seen: list[Upstream]) -> float:
    """A reader leaves the block after its first chunk."""
    async with await client.chat.completions.create(**ASK) as stream:
        await anext(stream)
        left = time.perf_counter()
    return await asyncio.wait_for(seen[-1].gone, 5) - left


async def longest_s(phase: str, leave: Callable[..., Awaitable[float]], times: int) -> float:
    """The longest of `times` tries."""
    seen: list[Upstream] = []
    server = await asyncio.get_running_loop().create_server(lambda: Upstream(phase, seen), "127.0.0.1", 0)
    url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/v1"
    async with server, AsyncClient(base_url=url, api_key="sandbox-key") as client:
        return max([await leave(client, seen) for _ in range(times)])


async def main(times: int) -> int:
    """Print the longest of each way; the exit code."""
    ways = [("before the head", _cancelled), ("before the first event", _cancelled), ("inside the answer", _cancelled)]
    worst_s = 0.0
    for phase, leave in [*ways, ("inside the answer", _closed)]:
        found_s = await longest_s(phase, leave, times)
        how = "cancelled" if leave is _cancelled else "block left"
        print(f"{how} {phase}: the longest of {times} took {found_s * 1000:.2f} ms")
        worst_s = max(worst_s, found_s)
    return int(worst_s > LIMIT_S)


if __name__ == "__main__":
    sys.exit(asyncio.run(main(int(sys.argv[1]) if len(sys.argv) > 1 else 200)))
