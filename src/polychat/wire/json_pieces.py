"""Answers in pieces of JSON, over an event stream or as one document: the shape is a record, its meaning a function.

    data: {"text":"Hel"}
    data: {"text":"lo"}
    data: {"end":"stop"}

    decoder = Decoder("x", msgspec.json.Decoder(Piece).decode, events_of)

For a service whose every piece can be understood by itself. What its codec owes everyone beside that is held here: what
came before a mistake is not lost, a piece of another shape is `FormatChanged` and kept as evidence, and nothing is read
after `Finish`. Where a piece means something only together with those before it, a codec of its own does it better:
`cumulative`, `delta` and `markers` are made for that.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Generic, TypeVar

import msgspec

from polychat.errors import FormatChanged
from polychat.types import Event, Finish
from polychat.wire.payloads import PayloadDecoder

T = TypeVar("T")


class Decoder(PayloadDecoder, Generic[T]):
    """One answer: bytes in, events out. `finished` once `meaning` gave a `Finish`.

    `read` decodes one payload and raises msgspec's errors for what is none; `meaning` gives the events of a piece, the
    `Finish` last, and raises the error that a piece tells of.
    """

    def __init__(self, service: str, read: Callable[[bytes], T], meaning: Callable[[T], Iterable[Event]]) -> None:
        super().__init__()
        self._service = service
        self._read = read
        self._meaning = meaning

    def _take(self, payload: bytes) -> None:
        if self.finished:
            return
        self._ready.extend(self._meaning(self._piece(payload)))
        self.finished = bool(self._ready) and type(self._ready[-1]) is Finish

    def _piece(self, payload: bytes) -> T:
        try:
            return self._read(payload)
        except (msgspec.DecodeError, UnicodeDecodeError) as error:
            what = f"{self._service} sent a piece that is not of an answer ({len(payload)} bytes: {error})"
            raise FormatChanged(what, evidence=payload) from error
