"""The answer of Reka's web chat: cumulative JSON events over an event stream, or one bare JSON document.

    event: message
    data: {"type":"model","text":"Hello there","metadata":{"input_tokens":9,"generated_tokens":3}}

`text` is the whole answer so far; `finish_reason` comes on the last event only, and there is no [DONE]. A short
answer may come as a single JSON document even when a stream was asked for. Shape as last known 2025-07, from
independent clients.
"""

from __future__ import annotations

from typing import Any

import msgspec

from polychat.errors import FormatChanged, Unavailable
from polychat.types import Event, Finish, FinishReason, Usage
from polychat.wire.cumulative import CumulativeText
from polychat.wire.payloads import PayloadDecoder

_REASONS: dict[str, FinishReason] = {"stop": "stop", "length": "length", "context": "length"}


class _Counts(msgspec.Struct):
    input_tokens: int | None = None
    generated_tokens: int | None = None


class _Answer(msgspec.Struct):
    text: str
    metadata: _Counts | None = None
    finish_reason: str | None = None


class _ErrorBody(msgspec.Struct):
    detail: Any


_decode_answer = msgspec.json.Decoder(_Answer).decode
_decode_error = msgspec.json.Decoder(_ErrorBody).decode


class Decoder(PayloadDecoder):
    """One answer: bytes in, events out. `finished` once the service said how it ended."""

    def __init__(self) -> None:
        super().__init__()
        self._text = CumulativeText()
        self._counts: _Counts | None = None

    def _take(self, data: bytes) -> None:
        if self.finished:
            return
        answer = _answer(data)
        self._counts = answer.metadata or self._counts
        self._ready += self._text.feed(answer.text)
        if answer.finish_reason is not None:
            self.finished = True
            reason = _REASONS.get(answer.finish_reason, "stop")
            self._ready = [*self.salvage(), Finish(reason=reason, raw=answer.finish_reason)]

    def salvage(self) -> list[Event]:
        """Everything received that has not gone out yet; for the end, and for an answer that is cut or damaged."""
        events = self._drained() + self._text.close()
        if self._counts is not None:
            events.append(Usage(input_tokens=self._counts.input_tokens, output_tokens=self._counts.generated_tokens))
        return events


def _answer(data: bytes) -> _Answer:
    try:
        return _decode_answer(data)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        _raise_error_body(data)
        what = f"reka sent an event that is not an answer ({len(data)} bytes: {error})"
        raise FormatChanged(what, evidence=data) from error


def _raise_error_body(data: bytes) -> None:
    try:
        body = _decode_error(data)
    except (msgspec.DecodeError, UnicodeDecodeError):
        return
    said = msgspec.json.encode(body.detail).decode()
    raise Unavailable(f"reka answered 200 with an error inside: {said[:200]}", provider="reka")
