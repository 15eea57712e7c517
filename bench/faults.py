"""What stays behind after many faulted requests: memory, sockets, tasks, threads.

    python bench/faults.py [REQUESTS]     10,000 unless told; 200 at once at most

Each asks an emulated service that misbehaves, in ten ways one after the other, with another service behind it; a tenth
of the callers leaves early. Sockets and memory are this process's own, before (after a warm-up of a tenth) and after
the engine is closed.
The sandbox runs in a process of its own. Ends with 1 where sockets, tasks or threads are left, or memory grew by more
than 20 MB.
"""

from __future__ import annotations

import asyncio
import gc
import itertools
import json
import random
import subprocess
import sys
import threading
import time
import urllib.request
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from polychat.credentials import Account, ApiKey, Secret
from polychat.engine.engine import Engine
from polychat.engine.routed import Aim, Routed
from polychat.engine.settings import Settings
from polychat.errors import PolychatError
from polychat.net.clocks import Clocks
from polychat.testing.bench import NOWHERE
from polychat.types import Message, Request, Text
from polychat.vault.memory import MemoryVault

AT_ONCE = 200
GROWTH_MB = 20.0
PEOPLE = ("sandbox-alice", "sandbox-bob")
WAYS: tuple[tuple[str, dict[str, Any]], ...] = (
    ("status", {"code": 500}),
    ("status", {"code": 429, "retry_after": "0"}),
    ("close", {}),
    ("html", {}),
    ("stall", {"after": 0}),
    ("stall", {"after": 3}),
    ("cut_frame", {"after": 2}),
    ("malformed_frame", {"after": 2}),
    ("drop", {"after": 2}),
    ("slow_first_byte", {"delay_s": 30.0}),
)


@contextmanager
def emulation() -> Iterator[str]:
    """The address of a sandbox in a process of its own."""
    command = [sys.executable, "-m", "polychat.sandbox", "--port", "0"]
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True) as process:
        assert process.stderr is not None
        try:
            yield process.stderr.readline().split()[1].rstrip("/")
        finally:
            process.terminate()


def control(url: str, name: str, body: dict[str, Any]) -> None:
    """Tell the sandbox something."""
    data = json.dumps(body).encode()
    headers = {"content-type": "application/json"}
    urllib.request.urlopen(urllib.request.Request(f"{url}/_sandbox/{name}", data, headers), timeout=10).close()


def engine(url: str) -> Engine:
    """Two accounts of one service, and another service behind it; no clock is longer than a fifth of a second."""
    people = [Account(name=name, provider="openai", credential=ApiKey(key=Secret(name))) for name in PEOPLE]
    standby = Account(name="standby", provider="anthropic", credential=ApiKey(key=Secret(PEOPLE[0])))
    aims = (Aim(model="openai/gpt-4o", place="-"), Aim(model="anthropic/claude-haiku-4-5-20251001", place="-"))
    clocks = Clocks(first_event_s=0.2, between_events_s=0.2, total_s=2.0)
    settings = Settings(folders=NOWHERE, sandbox=url, clocks=clocks, routed={"lab": Routed(targets=aims)},
                        concurrency={"openai": AT_ONCE, "anthropic": AT_ONCE})  # fmt: skip
    moments = itertools.count(1e9, 100.0)  # at each look much later: no wait or open circuit keeps a fault away
    return Engine(MemoryVault(*people, standby), settings, now=lambda: next(moments))


async def ask(asker: Engine, places: asyncio.Semaphore, outcomes: Counter[str]) -> None:
    """One question; one in ten leaves early."""
    request = Request(model="lab", messages=(Message(role="user", parts=(Text(text="count to nine"),)),))
    async with places:
        try:
            async with asyncio.timeout(random.random() * 0.05 if random.random() < 0.1 else None):
                turn = await asker.ask(request)
                await turn.reply()
            outcomes["answered by the standby" if turn.provider == "anthropic" else "answered"] += 1
        except TimeoutError:
            outcomes["left early"] += 1
        except PolychatError as error:
            outcomes[error.code] += 1


async def rounds(asker: Engine, url: str, requests: int, outcomes: Counter[str]) -> None:
    """All ways, one after the other."""
    places = asyncio.Semaphore(AT_ONCE)
    for fault, details in WAYS:
        control(url, "reset", {})
        control(url, "faults", {"service": "openai", "fault": fault, **details})
        async with asyncio.TaskGroup() as group:
            for _ in range(requests // len(WAYS)):
                group.create_task(ask(asker, places, outcomes))


def standing() -> tuple[float, int, int, int]:
    """Resident memory in MB, open sockets, tasks, threads."""
    gc.collect()
    status = Path("/proc/self/status").read_text()
    memory_mb = int(status.split("VmRSS:")[1].split()[0]) / 1024
    files = [str(file.readlink()) for file in Path("/proc/self/fd").iterdir() if file.is_symlink()]
    sockets = sum(name.startswith("socket:") for name in files)
    return memory_mb, sockets, len(asyncio.all_tasks()), threading.active_count()


async def main(requests: int) -> int:
    """Print what was seen; the exit code."""
    outcomes: Counter[str] = Counter()
    with emulation() as url:
        async with engine(url) as first:
            await rounds(first, url, requests // 10, Counter())
        before, started = standing(), time.monotonic()
        async with engine(url) as asker:
            await rounds(asker, url, requests, outcomes)
            took_s, running = time.monotonic() - started, asker.running()
        await asyncio.sleep(0.1)  # what was closed is off the wire
        after = standing()
    print(f"{requests} requests in {took_s:.0f} s")
    for name, count in outcomes.most_common():
        print(f"  {count} {name}")
    for name, was, now in zip(("memory, MB", "sockets", "tasks", "threads"), before, after, strict=True):
        print(f"{name}: {was:.0f} before, {now:.0f} after")
    print(f"places at accounts still taken: {running}")
    left = any(now > was for was, now in zip(before[1:], after[1:], strict=True))
    return int(left or running > 0 or after[0] - before[0] > GROWTH_MB)


if __name__ == "__main__":
    sys.exit(asyncio.run(main(int(sys.argv[1]) if len(sys.argv) > 1 else 10_000)))
