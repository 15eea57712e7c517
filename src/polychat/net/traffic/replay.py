"""A transport that opens nothing: it answers from a folder of recordings.

    transport = ReplayTransport(Path("recordings"))              # as fast as it is read
    transport = ReplayTransport(Path("recordings"), speed="real")

A request is answered by the first recording of the same request (see `matching`) that has not been used, and ends as
that ended: cut, stalled, or whole. A recording whose reader left early ends there, as if whole; one whose reader was
cancelled ends cut. Cookies are not set, for their values were never written down: a replay must not renew an account
by placeholders. Tokens in answers are placeholders too, so give a replay a vault of its own.
"""

from __future__ import annotations

import asyncio
import math
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import aclosing, asynccontextmanager
from pathlib import Path
from typing import Literal, NoReturn

from polychat.errors import BadOption, ConfigError, ConnectFailed, IdleTimeout, Interrupted
from polychat.net.clocks import Clocks
from polychat.net.traffic import asking, matching, recorded
from polychat.net.traffic.recorded import Ended, Piece, Recording
from polychat.net.traffic.redaction import Leak, Redactor
from polychat.net.transport import HttpRequest, HttpResponse, WebSocket
from polychat.net.upload import Progress

Sleep = Callable[[float], Awaitable[object]]
Speed = Literal["full", "real"] | float  # a number: so many times as fast as it was


class ReplayTransport:
    """The recordings of one folder, each served once.

    Raises: `ConfigError` for a folder without recordings, a damaged one, or one of a later format; `BadOption` for a
    speed that is none.
    """

    def __init__(self, folder: Path | str, *, speed: Speed = "full", sleep: Sleep = asyncio.sleep) -> None:
        self._pace = _pace(speed)
        self._sleep = sleep
        self._redactor = Redactor()
        self._recordings = recorded.read(Path(folder))
        self._fields = [matching.fields(one.exchange.request, one.exchange.service) for one in self._recordings]
        self._unused = [True] * len(self._recordings)

    @property
    def unused(self) -> list[str]:
        """The names of the recordings that nobody has asked for."""
        return [one.name for one, unused in zip(self._recordings, self._unused, strict=True) if unused]

    @asynccontextmanager
    async def open(
        self, request: HttpRequest, clocks: Clocks, *, progress: Progress | None = None
    ) -> AsyncIterator[HttpResponse]:
        """The recorded answer. Raises: what was raised then; `ConfigError` where nothing of the kind is recorded."""
        recording = self._take(request)
        if progress is not None:
            size = len(request.body or b"") + sum(len(part.data) for part in request.parts)
            progress(size, size)
        answer = recording.exchange.response
        if answer is None:
            await self._wait(recording.exchange.ended.at_s)
            _end(recording)
        await self._wait(answer.at_s)
        yield _Response(recording, answer.status, dict(answer.headers), request.url, self._wait)

    @asynccontextmanager
    async def websocket(self, request: HttpRequest, clocks: Clocks) -> AsyncIterator[WebSocket]:
        """The recorded messages of the other side; ours are taken and not compared."""
        recording = self._take(request)
        if recording.exchange.messages is None:
            _end(recording)
        yield _Socket(recording, self._wait)

    async def aclose(self) -> None:
        """Nothing is open."""

    async def _wait(self, seconds: float) -> None:
        if self._pace and seconds > 0:
            await self._sleep(seconds * self._pace)

    def _take(self, request: HttpRequest) -> Recording:
        """The first unused recording of that request. Raises: `ConfigError`."""
        wanted = self._asked(request)
        same = [at for at, known in enumerate(self._fields) if matching.distance(known, wanted) == 0]
        free = next((at for at in same if self._unused[at]), None)
        if free is None:
            raise self._used_up(same) if same else self._unknown(wanted)
        self._unused[free] = False
        return self._recordings[free]

    def _asked(self, request: HttpRequest) -> matching.Fields:
        owner = request.owner
        for secret in owner.secrets() if owner else ():
            self._redactor.learn(secret.reveal())
        try:
            return matching.fields(asking.asked(request, self._redactor), owner.provider if owner else None)
        except Leak:
            raise ConfigError("the question holds a secret in a form in which no recording has it") from None

    def _used_up(self, same: Sequence[int]) -> ConfigError:
        last = self._recordings[same[-1]]
        times = "once" if len(same) == 1 else f"{len(same)} times"
        return ConfigError(
            f"the recording {last.name} is used up: {last.exchange.request.method} {last.exchange.request.path} was "
            f"asked {times} when it was made",
            hint="record it again, asking as often as it is asked now",
        )

    def _unknown(self, wanted: matching.Fields) -> ConfigError:
        distances = [matching.distance(known, wanted) for known in self._fields]
        nearest = distances.index(min(distances))
        return ConfigError(
            f"no recording answers this request; the nearest, {self._recordings[nearest].name}, differs in "
            + matching.told(self._fields[nearest], wanted),
            hint="ask what was recorded, or record this too",
        )


class _Response:
    """A recorded answer."""

    def __init__(
        self,
        recording: Recording,
        status: int,
        headers: dict[str, str],
        url: str,
        wait: Callable[[float], Awaitable[None]],
    ) -> None:
        self.status = status
        self.headers: Mapping[str, str] = headers
        self.set_cookies: tuple[str, ...] = ()
        self.url = url
        answer = recording.exchange.response
        self._body = _Reading(recording, answer.chunks if answer else (), answer.at_s if answer else 0.0, wait)

    def chunks(self) -> AsyncGenerator[bytes]:
        """The body, one recorded read at a time."""
        return self._body.rest()

    async def read(self, limit_bytes: int) -> bytes:
        """The whole body, at most `limit_bytes` of it."""
        pieces: list[bytes] = []
        left_bytes = limit_bytes
        async with aclosing(self.chunks()) as chunks:
            while left_bytes > 0 and (chunk := await anext(chunks, b"")):
                pieces.append(chunk[:left_bytes])
                left_bytes -= len(chunk)
        return b"".join(pieces)


class _Socket:
    """A recorded websocket."""

    def __init__(self, recording: Recording, wait: Callable[[float], Awaitable[None]]) -> None:
        pieces = [piece for piece in recording.exchange.messages or () if not piece.sent]
        self._body = _Reading(recording, pieces, 0.0, wait)

    async def send(self, text: str) -> None:
        """Ours was recorded too; what is sent now goes nowhere."""

    def messages(self) -> AsyncGenerator[bytes]:
        """The recorded messages."""
        return self._body.rest()


class _Reading:
    """Where in a recorded body its reader is."""

    def __init__(
        self, recording: Recording, pieces: Sequence[Piece], at_s: float, wait: Callable[[float], Awaitable[None]]
    ) -> None:
        self._recording = recording
        self._pieces = iter(pieces)
        self._at_s = at_s
        self._wait = wait

    async def rest(self) -> AsyncGenerator[bytes]:
        """What has not been read, then the recorded end."""
        for piece in self._pieces:
            await self._until(piece.at_s)
            if data := piece.data:  # all of a read may have been inside a secret
                yield data
        ended = self._recording.exchange.ended
        await self._until(ended.at_s)
        if ended.how not in {"whole", "left"}:
            _end(self._recording)

    async def _until(self, at_s: float) -> None:
        await self._wait(at_s - self._at_s)
        self._at_s = at_s


def _end(recording: Recording) -> NoReturn:
    """What was raised at the end. Raises: it."""
    name, ended = recording.name, recording.exchange.ended
    match ended:
        case Ended(how="stalled"):
            limit = "" if ended.limit_s is None else f" for {ended.limit_s:g} s"
            raise IdleTimeout(f"nothing came{limit}, as recorded in {name}", clock=ended.clock or "first_event")
        case Ended(how="failed"):
            raise ConnectFailed(f"there was no connection, as recorded in {name}")
        case Ended(how="cancelled"):
            raise Interrupted(f"the recording {name} goes no further: its reader was cancelled here")
    raise Interrupted(f"the connection was cut, as recorded in {name}")


def _pace(speed: Speed) -> float:
    """What recorded seconds are multiplied by."""
    if speed in {"full", "real"}:
        return 1.0 if speed == "real" else 0.0
    try:
        times = float(speed)
    except ValueError:
        times = 0.0
    if not math.isfinite(times) or times <= 0:
        raise BadOption('speed is "full", "real" or how many times as fast', field="speed")
    return 1.0 / times
