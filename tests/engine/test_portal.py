"""engine/portal.py: the six traps of an asynchronous core behind synchronous calls."""

from __future__ import annotations

import asyncio
import gc
import os
import signal
import subprocess
import sys
import threading
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import pytest

from polychat.engine.portal import BATCHES_AHEAD, Feed, Portal

WAIT_S = 10.0  # generous: reached only by a failure


class Numbers:
    """A stream of 0, 1, 2 ... that notes which tasks touch it and when it is closed."""

    def __init__(self, count: int = 1000, fail_at: int | None = None) -> None:
        self.count, self.fail_at = count, fail_at
        self.made = 0
        self.tasks: set[Any] = set()
        self.closed = threading.Event()

    async def __aenter__(self) -> Numbers:
        self.tasks.add(asyncio.current_task())
        return self

    async def __aexit__(self, *exc_info: object) -> None:
        self.tasks.add(asyncio.current_task())
        self.closed.set()

    async def batches(self) -> AsyncIterator[list[int]]:
        for number in range(self.count):
            self.tasks.add(asyncio.current_task())
            if number == self.fail_at:
                raise ValueError("boom")
            self.made = number + 1
            yield [number]
            await asyncio.sleep(0)


class Resident:
    """What lives in the loop."""

    def __init__(self) -> None:
        self.closed = threading.Event()

    async def thread(self) -> threading.Thread:
        return threading.current_thread()

    async def open(self, stream: Numbers) -> Numbers:
        stream.tasks.add(asyncio.current_task())
        return stream

    async def aclose(self) -> None:
        self.closed.set()


@pytest.fixture
def portal() -> Iterator[Portal[Resident]]:
    """A portal that is closed afterwards."""
    made = Portal(Resident)
    yield made
    made.close()


def items(feed: Feed[int]) -> Iterator[int]:
    """Everything the feed gives."""
    while (taken := feed.take()) is not None:
        yield from taken


def test_it_works_where_the_caller_already_runs_a_loop(portal: Portal[Resident]) -> None:
    """Trap 1: the portal has its own loop in its own thread."""

    async def main() -> bool:
        return portal.call(Resident.thread) is not threading.current_thread()

    assert asyncio.run(main())


def test_a_stream_is_opened_iterated_and_closed_by_one_task(portal: Portal[Resident]) -> None:
    """Trap 2: cancel scopes and context variables inside a stream hold from first to last."""
    stream = Numbers(50)
    assert list(items(portal.feed(lambda resident: resident.open(stream)))) == list(range(50))
    assert stream.closed.wait(WAIT_S)
    assert len(stream.tasks) == 1


def test_a_stream_does_not_run_far_ahead_of_its_reader(portal: Portal[Resident]) -> None:
    """Trap 3: the queue is bounded, so a slow reader slows the service down."""
    stream = Numbers()
    feed = portal.feed(lambda resident: resident.open(stream))
    first = next(items(feed))
    portal.call(lambda resident: asyncio.sleep(0.05))  # the pump has had its chance to run ahead
    assert first == 0
    assert stream.made <= 2 * BATCHES_AHEAD + 2
    feed.close()


def test_break_hangs_up(portal: Portal[Resident]) -> None:
    """Trap 4: closing waits until the stream is closed."""
    stream = Numbers()
    feed = portal.feed(lambda resident: resident.open(stream))
    for number in items(feed):
        if number == 3:
            break
    feed.close()
    assert stream.closed.is_set()
    assert feed.take() is None


def test_garbage_collection_hangs_up(portal: Portal[Resident]) -> None:
    """Trap 4: a stream that is simply forgotten is closed too."""
    stream = Numbers()
    feed = portal.feed(lambda resident: resident.open(stream))
    feed.take()
    del feed
    gc.collect()
    assert stream.closed.wait(WAIT_S)


def test_what_breaks_the_stream_reaches_the_reader_after_what_came_before(portal: Portal[Resident]) -> None:
    """Trap 4: the error is raised once everything received has been read."""
    stream = Numbers(fail_at=3)
    got: list[int] = []
    with pytest.raises(ValueError, match="boom"):
        got.extend(items(portal.feed(lambda resident: resident.open(stream))))
    assert stream.made == 3
    assert stream.closed.is_set()


def test_what_breaks_the_opening_is_raised_at_once(portal: Portal[Resident]) -> None:
    """No stream object is made of a call that failed."""

    async def refuse(resident: Resident) -> Numbers:
        raise LookupError("no")

    with pytest.raises(LookupError, match="no"):
        portal.feed(refuse)


def test_a_call_from_the_portals_own_thread_is_refused_in_one_sentence(portal: Portal[Resident]) -> None:
    """Trap 5: it would wait for itself for ever."""

    async def inside(resident: Resident) -> str:
        with pytest.raises(RuntimeError) as caught:
            portal.call(Resident.thread)
        return str(caught.value)

    assert "its own portal thread" in portal.call(inside)


def test_a_forked_child_gets_a_thread_of_its_own(portal: Portal[Resident]) -> None:
    """Trap 6: the parent's thread does not exist in the child."""
    mine = portal.call(Resident.thread)
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        signal.alarm(int(WAIT_S))  # a child that hangs ends
        fresh = portal.call(Resident.thread)
        os.write(writing, b"ok" if fresh is not mine and fresh.is_alive() else b"no")
        os._exit(0)
    os.close(writing)
    assert os.read(reading, 2) == b"ok"
    os.waitpid(child, 0)
    os.close(reading)
    assert portal.call(Resident.thread) is mine


def test_closing_closes_the_resident_and_a_later_call_starts_anew(portal: Portal[Resident]) -> None:
    """A closed portal is not a dead one."""
    resident = portal.home().resident
    before = portal.call(Resident.thread)
    portal.close()
    assert resident.closed.is_set()
    assert not before.is_alive()
    assert portal.call(Resident.thread) is not before


def test_a_portal_that_is_forgotten_ends_its_thread() -> None:
    """No thread is leaked by a client that nobody closed."""
    portal = Portal(Resident)
    thread = portal.call(Resident.thread)
    del portal
    gc.collect()
    thread.join(WAIT_S)
    assert not thread.is_alive()


SCRIPT = """
import sys
from polychat import Client
client = Client(sandbox=sys.argv[1])
stream = client.chat.completions.create(model="reka", messages="one two three", stream=True)
print(next(stream).provider)
"""


def test_a_program_that_closes_nothing_ends_in_silence(sandbox: Any, tmp_path: Path) -> None:
    """Exit code 0, nothing on stderr, no hang, with a client and a stream left open."""
    done = subprocess.run(
        [sys.executable, "-W", "default", "-c", SCRIPT, sandbox.url],
        env={**os.environ, "POLYCHAT_HOME": str(tmp_path)},
        capture_output=True, text=True, timeout=3 * WAIT_S, check=False,
    )  # fmt: skip
    assert (done.returncode, done.stdout, done.stderr) == (0, "reka\n", "")
