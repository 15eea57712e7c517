"""The payloads of an answer that is an event stream, or one JSON document where a service answers at once.

The first character that is no white space tells which: a document begins with a brace. Pure, as every codec here.
"""

from __future__ import annotations

from polychat.wire import sse


class Payloads:
    """One body: bytes in, payloads out, each whole."""

    def __init__(self) -> None:
        self._frames = sse.Decoder()
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
