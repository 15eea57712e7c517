"""The event-stream format of the WHATWG HTML Standard (section 9.2, "Server-sent events"), both ways.

A stream is UTF-8 after an optional byte order mark: lines ended by CR, LF or CRLF, blocks of lines ended by a blank
line. A line is `field:value`, minus one space after the colon; `data`, `event`, `id` and `retry` mean something, a line
that begins with a colon is a comment, and anything else is ignored. A block without a `data` line is no event.

The decoder works on bytes, so a character cut in two by the network survives: newlines are made LF first, then a block
is whatever lies before a blank line. The cost is linear in the bytes, however they are cut, and the two blocks that
services really send (`data`, or `event` then `data`) are read without taking them apart line by line. `retry_ms` and
`last_event_id` count from the end of their block.
"""

from __future__ import annotations

import re

import msgspec

from polychat.errors import BadOption, FormatChanged

EVENT_BYTES = 8 * 2**20  # of one event, unless a reader allows more

_BOM = b"\xef\xbb\xbf"
_BLANK_LINE = b"\n\n"
_NEWLINE = re.compile(rb"\r\n|\r|\n")
_RETRY_DIGITS = 15  # a longer number is not a waiting time


class Frame(msgspec.Struct, frozen=True, gc=False):
    """One event. `data` stays bytes, so that a JSON decoder reads it without a copy."""

    event: str  # "message" when the stream names none
    data: bytes  # lines joined by LF
    id: str | None = None  # the latest so far, this event's or an earlier one's; None before any and after an empty one

    @property
    def text(self) -> str:
        """`data` as text; what is not UTF-8 becomes U+FFFD, as the standard says."""
        return _text(self.data)


class Decoder:
    """Turns a body, in whatever pieces it arrives, into frames. One per body; of no use after it raised."""

    def __init__(self, *, limit_bytes: int = EVENT_BYTES) -> None:
        self.last_event_id: str | None = None
        self.retry_ms: int | None = None  # how long the server wants a client to wait before it connects again
        self._limit_bytes = limit_bytes
        self._tail = bytearray()  # of a block that has not ended
        self._at_start = True  # a byte order mark may still come
        self._after_cr = False  # an LF that comes now belongs to the CR before it

    def feed(self, data: bytes) -> list[Frame]:
        """The frames that `data` completes, in order.

        Raises: `FormatChanged` when one block is longer than the limit.
        """
        if self._at_start or self._after_cr or data.find(b"\r") >= 0:
            data = self._normalised(data)
        if self._tail:
            data = self._joined(data)
        blocks = data.split(_BLANK_LINE)
        if len(data) > self._limit_bytes:
            self._refuse_oversize(blocks)
        if rest := blocks.pop():
            self._tail += rest
        frames = []
        for block in blocks:
            value = block.removeprefix(b"data: ")
            if len(value) < len(block) and value.find(b"\n") < 0:
                frames.append(Frame("message", value, self.last_event_id))
            elif (frame := self._frame(block)) is not None:
                frames.append(frame)
        return frames

    def close(self) -> Frame | None:
        """The event that the end of the body cut off, or None.

        The standard discards it, and so must a caller that reconnects. Services that end without the last blank line,
        or the last newline, are why it is here at all; whether it is whole only its content can tell.
        """
        last_event_id = self.last_event_id
        frame = self._frame(bytes(self._tail))
        self.last_event_id = last_event_id
        self._tail.clear()
        return frame

    def _normalised(self, data: bytes) -> bytes:
        if self._at_start:
            data = bytes(self._tail) + data
            self._tail.clear()
            if len(data) < len(_BOM) and _BOM.startswith(data):
                return data
            self._at_start = False
            data = data.removeprefix(_BOM)
        if not data:
            return data
        if self._after_cr:
            data = data.removeprefix(b"\n")
        self._after_cr = data.endswith(b"\r")
        return data.replace(b"\r\n", b"\n").replace(b"\r", b"\n")

    def _joined(self, data: bytes) -> bytes:
        """The unfinished block and `data`, or nothing if that does not finish it."""
        seen = len(self._tail) - 1
        self._tail += data
        if self._tail.find(_BLANK_LINE, seen) < 0:
            if len(self._tail) > self._limit_bytes:
                self._refuse_oversize([bytes(self._tail)])
            return b""
        whole = bytes(self._tail)
        self._tail.clear()
        return whole

    def _refuse_oversize(self, blocks: list[bytes]) -> None:
        for block in blocks:
            if len(block.removesuffix(b"\n")) > self._limit_bytes:
                raise FormatChanged(f"an event of the stream is longer than the limit of {self._limit_bytes} bytes")

    def _frame(self, block: bytes) -> Frame | None:
        first, _, second = block.partition(b"\n")
        name, value = first.removeprefix(b"event: "), second.removeprefix(b"data: ")
        if len(name) < len(first) and len(value) < len(second) and value.find(b"\n") < 0:
            return Frame(_text(name) or "message", value, self.last_event_id)
        event, lines = "message", []
        for line in block.split(b"\n"):
            field, _, value = line.partition(b":")
            value = value.removeprefix(b" ")
            if field == b"data":
                lines.append(value)
            elif field == b"event":
                event = _text(value) or "message"
            elif field == b"id" and b"\0" not in value:
                self.last_event_id = _text(value) or None
            elif field == b"retry" and value.isdigit() and len(value) <= _RETRY_DIGITS:
                self.retry_ms = int(value)
        return Frame(event, b"\n".join(lines), self.last_event_id) if lines else None


def encode(data: bytes | str, *, event: str | None = None, id: str | None = None, retry_ms: int | None = None) -> bytes:  # noqa: A002  # the format's own word
    """One event as bytes. Newlines of any form in `data` become several `data` lines, which a decoder joins by LF.

    Raises: `BadOption` for a name or id that would break out of its line, or a negative time.
    """
    raw = data.encode() if isinstance(data, str) else data
    head = b"" if event is None else _line("event", event)
    if id is not None:
        head += _line("id", id)
    if retry_ms is not None:
        head += _line("retry", _milliseconds(retry_ms))
    if b"\n" in raw or b"\r" in raw:
        raw = b"\ndata: ".join(_NEWLINE.split(raw))
    return b"%bdata: %b\n\n" % (head, raw)


def _line(field: str, value: str) -> bytes:
    if any(character in value for character in "\r\n\0"):
        raise BadOption(f"{field} holds a newline or a NUL character, which an event stream cannot carry", field=field)
    return f"{field}: {value}\n".encode()


def _milliseconds(retry_ms: int) -> str:
    if retry_ms < 0:
        raise BadOption(f"retry_ms is {retry_ms}, less than nothing", field="retry_ms")
    return str(retry_ms)


def _text(value: bytes) -> str:
    return str(value, "utf-8", "replace")
