"""One event loop in one thread, for callers that have none: how the synchronous client reaches the asynchronous one.

What a portal has to get right, each held by a test in tests/engine/test_portal.py:
- it has its own loop, so it works where the caller's thread already runs one;
- each stream is iterated by one task from its first step to its last, through a bounded queue;
- `break`, an exception, Ctrl-C and garbage collection hang up;
- a call from the portal's own thread would wait for itself: it is refused in one sentence;
- after a fork the child starts a thread and connections of its own;
- a program that forgets to close still ends, and in silence.
"""

from __future__ import annotations

import asyncio
import os
import threading
import weakref
from collections.abc import AsyncIterator, Awaitable, Callable
from concurrent.futures import Future
from contextlib import AbstractAsyncContextManager, suppress
from typing import Any, Generic, Protocol, TypeAlias, TypeVar

import anyio
from anyio.from_thread import BlockingPortal

T = TypeVar("T")
BATCHES_AHEAD = 16  # a stream's queue: how far a service may run ahead of its reader
_CLOSING_S = 3.0  # how long to wait for connections to close when a program ends


class Closing(Protocol):
    """What lives in the portal's loop and is closed with it."""

    async def aclose(self) -> None:
        """Give everything back."""
        ...


C = TypeVar("C", bound=Closing)


class Batched(AbstractAsyncContextManager[Any], Protocol[T]):
    """A stream that a portal can carry: entered, iterated and left by one task."""

    def batches(self) -> AsyncIterator[list[T]]:
        """The items, several at a time."""
        ...


_Queue: TypeAlias = "asyncio.Queue[list[T] | None]"


class Portal(Generic[C]):
    """A loop thread and the resident that lives in it; both are made at first use, and anew in a forked child."""

    def __init__(self, make: Callable[[], C]) -> None:
        self._make = make
        self._lock = threading.Lock()
        self._home: _Home[C] | None = None

    def home(self) -> _Home[C]:
        """The running home. Raises `RuntimeError` in the portal's own thread."""
        home = self._home
        if home is not None and home.pid != os.getpid():
            self._lock, self._home = threading.Lock(), None
        with self._lock:
            if self._home is None:
                self._home = _Home(self._make)
                weakref.finalize(self, _Home.close, self._home)
        if threading.current_thread() is self._home.thread:
            raise RuntimeError(
                "the synchronous client was called from its own portal thread, where it would wait for itself\n"
                "hint: use AsyncClient there, or hand the work to another thread"
            )
        return self._home

    def call(self, do: Callable[[C], Awaitable[T]]) -> T:
        """Run `do(resident)` in the loop and wait for its result."""
        home = self.home()
        return home.blocking.call(do, home.resident)

    def feed(self, open_stream: Callable[[C], Awaitable[Batched[T]]]) -> Feed[T]:
        """Open a stream in the loop and pump it; returns when it is open. Raises what opening raised."""
        home = self.home()
        return Feed(home, home.blocking.call(_start, lambda: open_stream(home.resident)))

    def close(self) -> None:
        """Close the resident and end the thread. A later call starts both anew."""
        with self._lock:
            home, self._home = self._home, None
        if home is not None and home.pid == os.getpid():
            home.close()


class _Home(Generic[C]):
    """A thread, its loop, and who lives there."""

    def __init__(self, make: Callable[[], C]) -> None:
        self.pid = os.getpid()
        started: Future[BlockingPortal] = Future()
        self.thread = threading.Thread(target=self._run, args=(started,), name="polychat-portal", daemon=True)
        self.thread.start()
        self.blocking = started.result()
        self.resident = make()

    @staticmethod
    def _run(started: Future[BlockingPortal]) -> None:
        async def main() -> None:
            async with BlockingPortal() as portal:
                started.set_result(portal)
                await portal.sleep_until_stopped()

        anyio.run(main)

    def close(self) -> None:
        """Close the resident, stop the loop, end the thread; from a forked child or the thread itself, only let go."""
        if self.pid != os.getpid() or threading.current_thread() is self.thread or not self.thread.is_alive():
            return
        with suppress(TimeoutError, RuntimeError):
            self.blocking.start_task_soon(self.resident.aclose).result(_CLOSING_S)
        with suppress(RuntimeError):
            self.blocking.start_task_soon(self.blocking.stop, True)
        self.thread.join(_CLOSING_S)


class _Pumped(Generic[T]):
    """A stream on its way out of the loop."""

    def __init__(self, source: Batched[T], task: asyncio.Task[None], queue: _Queue[T]) -> None:
        self.source = source
        self.task = task
        self._queue = queue
        self._ended = False

    async def take(self) -> list[T] | None:
        """Everything that waits, at least one batch; None at the end. Raises what the stream raised."""
        batch = None if self._ended else await self._queue.get()
        if batch is None:
            await self.task
            return None
        items = batch
        while not self._queue.empty() and not self._ended:
            batch = self._queue.get_nowait()
            self._ended = batch is None
            items += batch or []
        return items

    async def stop(self) -> None:
        """Cancel the pump and wait until the stream is closed."""
        self.task.cancel()
        await asyncio.wait({self.task})


async def _start(open_stream: Callable[[], Awaitable[Batched[T]]]) -> _Pumped[T]:
    queue: _Queue[T] = asyncio.Queue(BATCHES_AHEAD)
    opened: asyncio.Future[Batched[T]] = asyncio.get_running_loop().create_future()
    task = asyncio.create_task(_pump(open_stream, opened, queue))
    task.add_done_callback(_seen)
    try:
        return _Pumped(await asyncio.shield(opened), task, queue)
    except BaseException:
        task.cancel()
        raise


def _seen(task: asyncio.Task[None]) -> None:
    """Look at how a pump ended, so that the loop need not complain of an error that nobody is left to take."""
    if not task.cancelled():
        task.exception()


async def _pump(
    open_stream: Callable[[], Awaitable[Batched[T]]],
    opened: asyncio.Future[Batched[T]],
    queue: _Queue[T],
) -> None:
    """The one task of a stream: opens it, iterates it, closes it. A None in the queue is the end."""
    try:
        stream = await open_stream()
    except asyncio.CancelledError:
        opened.cancel()
        raise
    except Exception as error:  # noqa: BLE001 - handed over to the caller's thread, whatever it is
        opened.set_exception(error)
        return
    try:
        async with stream:
            opened.set_result(stream)
            async for batch in stream.batches():
                await queue.put(batch)
    except Exception:
        await queue.put(None)
        raise
    await queue.put(None)


class Feed(Generic[T]):
    """The caller's end of a stream. Not for several threads at once."""

    def __init__(self, home: _Home[Any], pumped: _Pumped[T]) -> None:
        self._home = home
        self._pumped = pumped
        self._abandon = weakref.finalize(self, _abandon, home, pumped.task)
        self._abandon.atexit = False

    @property
    def source(self) -> Any:
        """The asynchronous stream; only what it tells without a loop may be asked of it."""
        return self._pumped.source

    def take(self) -> list[T] | None:
        """At least one item, or None at the end. Raises what broke the stream."""
        if not self._abandon.alive:
            return None
        return self._home.blocking.call(self._pumped.take)

    def close(self) -> None:
        """Hang up and wait until it is done."""
        if self._abandon.detach() and self._home.thread.is_alive() and self._home.pid == os.getpid():
            with suppress(RuntimeError):
                self._home.blocking.call(self._pumped.stop)


def _abandon(home: _Home[Any], task: asyncio.Task[None]) -> None:
    """Cancel a pump from wherever the garbage collector happens to run."""
    if home.pid == os.getpid():
        with suppress(RuntimeError):
            task.get_loop().call_soon_threadsafe(task.cancel)
