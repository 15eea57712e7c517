"""How a provider reads an answer: network reads in, batches of events out, and nothing lost when it breaks."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Sequence
from typing import Protocol

from polychat.errors import PolychatError
from polychat.net.transport import HttpResponse
from polychat.types import Event


class Decoder(Protocol):
    """What turns the bytes of one answer into events."""

    @property
    def finished(self) -> bool:
        """True once nothing more is to come."""
        ...

    def feed(self, data: bytes) -> list[Event]:
        """The events that `data` completes."""
        ...

    def close(self) -> list[Event]:
        """The body is over: what it still held."""
        ...

    def salvage(self) -> list[Event]:
        """What was decoded and has not gone out yet."""
        ...


async def batches(response: HttpResponse, decoder: Decoder) -> AsyncGenerator[Sequence[Event]]:
    """A batch for each read that completes an event; when the answer breaks, first what came of it, then the error.

    It holds nothing open: the response is its caller's.
    """
    try:
        async for chunk in response.chunks():
            if events := decoder.feed(chunk):
                yield events
            if decoder.finished:
                return
        yield decoder.close() or decoder.salvage()
    except PolychatError:
        yield decoder.salvage()
        raise
