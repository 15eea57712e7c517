"""One exchange as it goes, and the recording that becomes of it.

Noting happens in the event loop and costs a list entry a read. The file's content is made later, in the recorder's
thread: first everything that has to be hidden is learned from all of the exchange, then it is cut out of each part.
"""

from __future__ import annotations

import itertools
import time
from typing import NamedTuple

from polychat.credentials import Secret
from polychat.errors import ConnectFailed, IdleTimeout, PolychatError
from polychat.net.clocks import Clocks
from polychat.net.traffic import asking, recorded
from polychat.net.traffic.recorded import Answered, Ended, Exchange, How, Piece
from polychat.net.traffic.redaction import Redactor
from polychat.net.transport import HttpRequest, HttpResponse

_NEARLY = 0.95  # of a clock: a silence as long as that was ended by it


class _Head(NamedTuple):
    at_s: float
    status: int
    headers: dict[str, str]
    set_cookies: tuple[str, ...]


class Tape:
    """One exchange as it goes: noted in the event loop, made a file of in the recorder's thread."""

    def __init__(self, number: int, request: HttpRequest, clocks: Clocks) -> None:
        self.number = number
        self._request = request
        self._clocks = clocks
        self._started_at = time.time()
        self._start = time.perf_counter()
        self._head: _Head | None = None
        self._reads: list[tuple[float, bytes, bool]] = []  # at_s, data, ours
        self._ended: Ended | None = None
        self._is_socket = False
        self._secrets: list[Secret] = []
        self.know()

    @property
    def begun(self) -> bool:
        """Whether an answer is there."""
        return self._head is not None or self._is_socket

    def know(self) -> None:
        """Take note of the owner's secrets as they are now."""
        if self._request.owner is not None:
            self._secrets += self._request.owner.secrets()

    def answered(self, response: HttpResponse) -> None:
        """The head is here."""
        self._head = _Head(self._now(), response.status, dict(response.headers), response.set_cookies)

    def opened(self) -> None:
        """The websocket is open."""
        self._is_socket = True

    def read(self, data: bytes, *, sent: bool = False) -> None:
        """One network read, or one message."""
        self._reads.append((self._now(), data, sent))

    def end(self, how: How) -> None:
        """It is over; the first to say how is believed."""
        clock = self._clock_run_out() if how in {"cut", "cancelled"} else None
        self._end("stalled" if clock else how, clock)

    def failed(self, error: PolychatError) -> None:
        """It broke."""
        if isinstance(error, IdleTimeout):
            self._end("stalled", error.clock)
        self.end("failed" if isinstance(error, ConnectFailed) else "cut")

    def _end(self, how: How, clock: str | None) -> None:
        if self._ended is None:
            limit_s = self._limit_s(clock) if clock else None
            self._ended = Ended(how=how, at_s=round(self._now(), 6), clock=clock, limit_s=limit_s)

    def _now(self) -> float:
        return time.perf_counter() - self._start

    def _clock_run_out(self) -> str | None:
        """The clock of silence that has just run out, if one has: a cut or a cancellation then means a stall."""
        clock = "between_events" if self._reads else "first_event"
        since = self._reads[-1][0] if self._reads else 0.0
        limit_s = self._limit_s(clock)
        return clock if limit_s and self._now() - since >= limit_s * _NEARLY else None

    def _limit_s(self, clock: str) -> float | None:
        limit_s: float | None = getattr(self._clocks, f"{clock}_s", None)
        return limit_s

    # ------------------------------------------------------------ the file

    def exchange(self, redactor: Redactor) -> Exchange:
        """The exchange without secrets. Raises: `Leak`."""
        from polychat import __version__

        redactor.forget()
        for secret in self._secrets:
            redactor.learn(secret.reveal())
        self._study(redactor)
        owner = self._request.owner
        return Exchange(
            format=recorded.FORMAT,
            polychat=__version__,
            service=owner.provider if owner else None,
            started_at=round(self._started_at, 6),
            request=asking.asked(self._request, redactor),
            response=self._answer(redactor),
            messages=self._messages(redactor),
            ended=self._ended or Ended(how="left", at_s=round(self._now(), 6)),
        )

    def _study(self, redactor: Redactor) -> None:
        """Learn all there is to hide before anything is written."""
        redactor.headers(self._request.headers)
        redactor.url(self._request.url)
        redactor.study(asking.fileless(self._request.body or b""), asking.media_type(self._request.headers))
        if self._head is not None:
            redactor.headers(self._head.headers)
            for field in self._head.set_cookies:
                redactor.set_cookie(field)
        redactor.study(b"".join(data for _, data, _ in self._reads), self._media_type())

    def _answer(self, redactor: Redactor) -> Answered | None:
        head = self._head
        if head is None:
            return None
        return Answered(
            status=head.status,
            at_s=round(head.at_s, 6),
            headers=redactor.headers(head.headers),
            set_cookies=tuple(map(redactor.set_cookie, head.set_cookies)),
            chunks=self._pieces(redactor),
        )

    def _messages(self, redactor: Redactor) -> tuple[Piece, ...] | None:
        return self._pieces(redactor) if self._is_socket else None

    def _pieces(self, redactor: Redactor) -> tuple[Piece, ...]:
        ends = list(itertools.accumulate(len(data) for _, data, _ in self._reads))
        body = redactor.body(b"".join(data for _, data, _ in self._reads), self._media_type(), ends)
        begins = [0, *body.cuts]
        return tuple(
            recorded.piece(at_s, body.data[begin:end], sent=sent)
            for (at_s, _, sent), begin, end in zip(self._reads, begins, body.cuts, strict=False)
        )

    def _media_type(self) -> str:
        return asking.media_type(self._head.headers) if self._head else ""
