"""providers/_reading.py: what came of an answer goes out before the error that broke it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import pytest

from polychat.errors import Interrupted, PolychatError, RateLimited
from polychat.providers._reading import batches
from polychat.types import Event, TextDelta
from polychat.wire.openai_chat import Decoder

HI = b'data: {"choices":[{"delta":{"content":"hi"}}]}\n\n'
ERROR = b'data: {"error":{"message":"slow","code":429}}\n\n'


class Answer:
    """A body that comes in these reads, and then breaks off if it is told to."""

    def __init__(self, *reads: bytes, then: PolychatError | None = None) -> None:
        self.reads, self.then = reads, then

    async def chunks(self) -> AsyncIterator[bytes]:
        for read in self.reads:
            yield read
        if self.then:
            raise self.then


@pytest.mark.parametrize(
    ("answer", "kind"),
    [
        (Answer(HI + ERROR), RateLimited),
        (Answer(HI, ERROR), RateLimited),
        (Answer(HI, then=Interrupted("cut")), Interrupted),
    ],
    ids=["in one read", "in two", "cut"],
)
def test_what_came_before_the_error_goes_out(answer: Any, kind: type[PolychatError]) -> None:
    """Whatever class it has, and however the reads fell."""
    seen: list[Event] = []

    async def main() -> None:
        async for events in batches(answer, Decoder("openai")):
            seen.extend(events)

    with pytest.raises(kind):
        asyncio.run(main())
    assert seen == [TextDelta(text="hi")]
