"""CPU of the client over the OpenAI dialect, per call and per streamed chunk, beside the `openai` package in one run.

    python bench/client.py URL [CALLS]     URL: the base URL of a fast OpenAI-shaped upstream, as http://127.0.0.1:9911/v1

Each asks one call after another; a round of ours and one of theirs take turns, and the best round of each counts.
Ends with 1 where ours is not as many times less as docs/decisions/0008 promises.
"""

from __future__ import annotations

import asyncio
import sys
import time
from collections.abc import Awaitable, Callable
from typing import Any

ROUNDS = 3
TIMES_LESS = {"call": 3.0, "chunk": 10.0}
ASK: dict[str, Any] = {"model": "m", "messages": [{"role": "user", "content": "hi"}]}
Create = Callable[..., Awaitable[Any]]


async def one(create: Create, *, stream: bool) -> int:
    """One call; how many chunks came."""
    answer = await create(**ASK, stream=stream)
    return len([chunk async for chunk in answer]) if stream else 1


async def cost_us(create: Create, calls: int, *, stream: bool) -> float:
    """CPU of one call, or of one chunk."""
    pieces = await one(create, stream=stream)
    started = time.process_time()
    for _ in range(calls):
        await one(create, stream=stream)
    return (time.process_time() - started) / calls / pieces * 1e6


async def main(url: str, calls: int) -> int:
    """Print both, and how many times less ours costs; the exit code."""
    import openai

    from polychat import AsyncClient

    late = 0
    theirs = openai.AsyncOpenAI(base_url=url, api_key="sandbox-key")
    async with AsyncClient(base_url=url, api_key="sandbox-key") as ours, theirs:
        for what, stream, count in (("call", False, calls), ("chunk", True, max(calls // 10, 1))):
            creates = ours.chat.completions.create, theirs.chat.completions.create
            rounds = [[await cost_us(create, count, stream=stream) for create in creates] for _ in range(ROUNDS)]
            mine, other = (min(costs) for costs in zip(*rounds, strict=True))
            print(f"a {what}: {mine:.1f} us of CPU, openai {other:.1f} us, {other / mine:.1f} times less")
            late |= other / mine < TIMES_LESS[what]
    return int(late)


if __name__ == "__main__":
    sys.exit(asyncio.run(main(sys.argv[1], int(sys.argv[2]) if len(sys.argv) > 2 else 300)))
