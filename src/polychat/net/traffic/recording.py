"""A transport that writes down what goes through another, one file an exchange, without its secrets.

    recorder = Recorder(folder)
    transport = RecordingTransport(AiohttpTransport(), recorder)
    ...
    await transport.aclose()          # every file is there

What the other transport does is passed on as it is and when it is: files are made in a thread of the recorder, after
the exchange. A disk that refuses them costs one warning and no answer. What must not be in a file is decided by
`redaction`; an exchange out of which a secret cannot be cut is not written at all. The words of question and answer are
in the files: they are no secret, and they are the person's own.
"""

from __future__ import annotations

import asyncio
import itertools
import logging
import os
import re
import time
from collections.abc import AsyncIterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import aclosing, asynccontextmanager
from pathlib import Path

from polychat.errors import ConfigError, PolychatError, TransportProblem
from polychat.net.clocks import Clocks
from polychat.net.traffic import recorded
from polychat.net.traffic.redaction import Leak, Redactor
from polychat.net.traffic.tape import Tape
from polychat.net.transport import HttpRequest, HttpResponse, Transport, WebSocket
from polychat.net.upload import Progress

log = logging.getLogger("polychat.net")

_NUMBER = re.compile(r"(\d{4,})-")
_BREATH_S = 0.0002
_SAME_NAME = 1000  # exchanges of several processes that may want one name


class Recorder:
    """One folder of recordings; the folder is made with the first. For any thread."""

    def __init__(self, folder: Path | str) -> None:
        self.folder = Path(folder)
        self._count = itertools.count(1)
        self._first: int | None = None  # the number before ours, known to the writing thread
        self._redactor = Redactor(pause=_breathe)  # the writing thread's own
        self._writer = ThreadPoolExecutor(1, thread_name_prefix="polychat-recorder")
        self._warned = False

    def tape(self, request: HttpRequest, clocks: Clocks) -> Tape:
        """What an exchange that begins now is noted on."""
        return Tape(next(self._count), request, clocks)

    def keep(self, tape: Tape) -> None:
        """Write the exchange down, soon and elsewhere."""
        tape.know()
        try:
            self._writer.submit(self._write, tape).add_done_callback(self._written)
        except RuntimeError:  # the recorder is closed, or the program ends
            self._warn("it came after the recorder was closed")

    def close(self) -> None:
        """Wait until everything is written; what ends later is not recorded."""
        self._writer.shutdown()

    async def aclose(self) -> None:
        """`close`, for an event loop."""
        await asyncio.to_thread(self.close)

    def _write(self, tape: Tape) -> None:
        exchange = tape.exchange(self._redactor)
        data = recorded.encoded(exchange)
        if self._redactor.shows(data):
            raise Leak
        self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        name = recorded.slug([exchange.service or "web", exchange.request.path])
        _put(self.folder, f"{self._number(tape.number):04}-{name}", data)

    def _number(self, count: int) -> int:
        if self._first is None:
            numbers = [int(found[1]) for path in self.folder.iterdir() if (found := _NUMBER.match(path.name))]
            self._first = max(numbers, default=0)
        return self._first + count

    def _written(self, writing: Future[None]) -> None:
        match writing.exception():
            case None:
                return
            case Leak():
                self._warn("it holds a secret that cannot be cut out")
            case OSError() as error:
                self._warn(error.strerror or type(error).__name__)
            case error:
                self._warn(type(error).__name__)

    def _warn(self, why: str) -> None:
        if not self._warned:
            self._warned = True
            log.warning("an exchange is not recorded in %s: %s; no more is said of others", self.folder, why)


def _breathe() -> None:
    """Let the event loop's thread have the interpreter, which would otherwise wait for it five milliseconds."""
    time.sleep(_BREATH_S)


def _put(folder: Path, name: str, data: bytes) -> None:
    """A new file, whole or not at all; another name where that one is taken, also by another process."""
    for attempt in range(1, _SAME_NAME):
        path = folder / f"{name}{'' if attempt == 1 else f'-{attempt}'}{recorded.SUFFIX}"
        draft = path.with_name(f".{path.name}")
        try:
            descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        except FileExistsError:
            continue
        try:
            with open(descriptor, "wb") as file:  # noqa: PTH123 - a descriptor
                file.write(data)
            if not path.exists():  # who holds the draft's name is alone with the question
                draft.rename(path)
                return
        finally:
            draft.unlink(missing_ok=True)
    raise FileExistsError(None, f"there are too many recordings named {name}")


# ---------------------------------------------------------------- the transport


class RecordingTransport:
    """Another transport, watched. Engines may share a recorder; each has its own transport."""

    def __init__(self, inner: Transport, recorder: Recorder) -> None:
        self._inner = inner
        self._recorder = recorder

    @asynccontextmanager
    async def open(
        self, request: HttpRequest, clocks: Clocks, *, progress: Progress | None = None
    ) -> AsyncIterator[HttpResponse]:
        """What the other does; see there."""
        tape = self._recorder.tape(request, clocks)
        async with self._kept(tape), self._inner.open(request, clocks, progress=progress) as response:
            tape.answered(response)
            yield _Response(response, tape)

    @asynccontextmanager
    async def websocket(self, request: HttpRequest, clocks: Clocks) -> AsyncIterator[WebSocket]:
        """What the other does; see there."""
        tape = self._recorder.tape(request, clocks)
        async with self._kept(tape), self._inner.websocket(request, clocks) as socket:
            tape.opened()
            yield _Socket(socket, tape)

    async def aclose(self) -> None:
        """Close the other, and see every file written."""
        await self._inner.aclose()
        await self._recorder.aclose()

    @asynccontextmanager
    async def _kept(self, tape: Tape) -> AsyncIterator[None]:
        """Note how it ended, then keep it; what was never sent is not kept."""
        sent = True
        try:
            yield
        except asyncio.CancelledError:
            tape.end("cancelled")
            raise
        except ConfigError:
            sent = tape.begun
            raise
        except TransportProblem as error:
            if not tape.begun:
                tape.failed(error)
            raise
        finally:
            if sent:
                tape.end("left")
                self._recorder.keep(tape)


class _Response:
    """An answer, noted as it is read."""

    def __init__(self, inner: HttpResponse, tape: Tape) -> None:
        self._inner = inner
        self._tape = tape
        self.status = inner.status
        self.headers = inner.headers
        self.set_cookies = inner.set_cookies
        self.url = inner.url

    async def chunks(self) -> AsyncIterator[bytes]:
        """The body, one network read at a time."""
        async with aclosing(self._inner.chunks()) as chunks:  # type: ignore[type-var]  # transports make generators
            try:
                async for chunk in chunks:
                    self._tape.read(chunk)
                    yield chunk
            except PolychatError as error:
                self._tape.failed(error)
                raise
        self._tape.end("whole")

    async def read(self, limit_bytes: int) -> bytes:
        """The whole body, at most `limit_bytes` of it."""
        pieces: list[bytes] = []
        left_bytes = limit_bytes
        async with aclosing(self.chunks()) as chunks:  # type: ignore[type-var]  # a generator
            while left_bytes > 0 and (chunk := await anext(chunks, b"")):
                pieces.append(chunk[:left_bytes])
                left_bytes -= len(chunk)
        return b"".join(pieces)


class _Socket:
    """A websocket, noted message by message."""

    def __init__(self, inner: WebSocket, tape: Tape) -> None:
        self._inner = inner
        self._tape = tape

    async def send(self, text: str) -> None:
        """One text message."""
        self._tape.read(text.encode(), sent=True)
        await self._inner.send(text)

    async def messages(self) -> AsyncIterator[bytes]:
        """Messages as they come."""
        async with aclosing(self._inner.messages()) as messages:  # type: ignore[type-var]  # transports make generators
            try:
                async for message in messages:
                    self._tape.read(message)
                    yield message
            except PolychatError as error:
                self._tape.failed(error)
                raise
        self._tape.end("whole")
