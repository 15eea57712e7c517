"""A message as a stream of named events that builds it.

`message_start` has the message without content; each block is begun, filled and ended, one after the other, and a
`ping` follows the first beginning; `message_delta` says why the message stops and what it cost; `message_stop` ends it.
An error in the middle is an event too, and the last one.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator, Sequence
from itertools import islice
from typing import Any

import msgspec

from polychat.sandbox.services.anthropic.answers import Said
from polychat.sandbox.services.anthropic.knobs import Knobs

Event = dict[str, Any]
_ENDING = ("stop_reason", "stop_sequence", "stop_details", "container")  # what is known only in the end
_SAID = ("output_tokens_details", "server_tool_use")  # likewise, of the usage
_SPENT = ("input_tokens", "cache_creation_input_tokens", "cache_read_input_tokens", "output_tokens", *_SAID)


async def frames(knobs: Knobs, message: dict[str, Any], blocks: Sequence[Said]) -> AsyncIterator[bytes]:
    """The stream of a message."""
    for event in islice(_events(message, blocks), knobs.error_after):
        yield frame(event)
    if knobs.error_after is not None:
        yield frame({"type": "error", "error": {"type": knobs.error_kind, "message": "the sandbox was told to fail"}})


def frame(event: Event) -> bytes:
    """One event as the wire has it."""
    return b"event: %s\ndata: %s\n\n" % (event["type"].encode(), msgspec.json.encode(event))


def _events(message: dict[str, Any], blocks: Sequence[Said]) -> Iterator[Event]:
    usage = message["usage"]
    known = {name: value for name, value in usage.items() if name not in _SAID} | {"output_tokens": 1}
    begun = {**message, "content": [], **dict.fromkeys(_ENDING), "usage": known}
    yield {"type": "message_start", "message": begun}
    for index, block in enumerate(blocks):
        yield {"type": "content_block_start", "index": index, "content_block": block.begun}
        if not index:
            yield {"type": "ping"}
        for delta in block.deltas:
            yield {"type": "content_block_delta", "index": index, "delta": delta}
        yield {"type": "content_block_stop", "index": index}
    ending = {name: message[name] for name in _ENDING}
    yield {"type": "message_delta", "delta": ending, "usage": {name: usage[name] for name in _SPENT}}
    yield {"type": "message_stop"}
