"""The payloads of an answer that is an event stream, or one JSON document where a service answers at once.

The first character that is no white space tells which: a document begins with a brace. `PayloadDecoder` is what the
codecs of such answers have in common. Pure, as every codec here.
"""

from __future__ import annotations

from abc import ABC, abstractmethod

from polychat.types import Event
from polychat.wire import sse


class Payloads:
    """One body: bytes in, payloads out, each whole and, in an event stream, at most `limit_bytes` long."""

    def __init__(self, limit_bytes: int = sse.EVENT_BYTES) -> None:
        self._frames = sse.Decoder(limit_bytes=limit_bytes)
        self._document: bytearray | None = None  # the whole body, when it is one document
        self._undecided: bytes | None = b""  # white space, until the first character tells which form it is

    def feed(self, data: bytes) -> list[bytes]:
        """What `data` completes; of a document nothing. Raises `FormatChanged` for an event without end."""
        if self._undecided is not None:
            data = self._begun(self._undecided + data)
        if self._document is not None:
            self._document += data
            return []
        return [frame.data for frame in self._frames.feed(data)]

    def close(self) -> list[bytes]:
        """The body is over: the document, or the event that its end cut off."""
        if self._document is not None:
            return [bytes(self._document)]
        frame = self._frames.close()
        return [frame.data] if frame else []

    def _begun(self, data: bytes) -> bytes:
        """`data` for the form that its first character tells; nothing while there is none."""
        head = data.lstrip()[:1]
        if not head:
            self._undecided = data
            return b""
        self._undecided = None
        if head == b"{":
            self._document = bytearray()
        return data


class PayloadDecoder(ABC):
    """One answer: bytes in, events out. `finished` once nothing more is to come.

    What was decoded before a mistake outlives it: it waits in `_ready`, and goes out once.
    """

    def __init__(self, payloads: Payloads | None = None) -> None:
        self.finished = False
        self._payloads = payloads or Payloads()
        self._ready: list[Event] = []  # decoded and not handed out; outlives an error later in the same read

    def feed(self, data: bytes) -> list[Event]:
        """The events that `data` completes. Raises: what an error inside means; `FormatChanged` for no answer."""
        for payload in self._payloads.feed(data):
            self._take(payload)
        return self._drained()

    def close(self) -> list[Event]:
        """The body is over: what it still held. Raises as `feed` does."""
        for payload in self._payloads.close():
            self._take(payload)
        self._over()
        return self._drained()

    def salvage(self) -> list[Event]:
        """Everything received that has not gone out yet, for an answer that is cut or damaged."""
        return self._drained()

    @abstractmethod
    def _take(self, data: bytes) -> None:
        """What one payload means."""

    def _over(self) -> None:  # noqa: B027 - most codecs have nothing to do then
        """The body has ended."""

    def _drained(self) -> list[Event]:
        ready, self._ready = self._ready, []
        return ready
