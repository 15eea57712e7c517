"""What decoding costs: microseconds a chunk from bytes to events, and to the client's chunks.

python bench/decoder.py [CHUNKS]
"""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable

from polychat.client.shapes import Chunker, Heading
from polychat.fold import Fold
from polychat.wire import sse
from polychat.wire.reka_web import Decoder

CHUNKS = int(sys.argv[1]) if len(sys.argv) > 1 else 200
HEADING = Heading(id="c", created=1, model="m", provider="p", account="a")


def cumulative(count: int) -> list[bytes]:
    """A Reka stream: each event repeats the whole answer."""
    texts = ["".join(f" word{i}" for i in range(n + 1)) for n in range(count)]
    ends: list[dict[str, str]] = [{} for _ in texts[1:]] + [{"finish_reason": "stop"}]
    return [
        b"event: message\ndata: "
        + json.dumps(
            {"type": "model", "text": text, "metadata": {"input_tokens": 9, "generated_tokens": n}, **end}
        ).encode()
        + b"\n\n"
        for n, (text, end) in enumerate(zip(texts, ends, strict=True))
    ]


def best_us(work: Callable[[], object], chunks: int, runs: int = 60) -> float:
    """The quickest of several runs, in microseconds a chunk."""
    quickest = float("inf")
    for _ in range(runs):
        started = time.perf_counter()
        work()
        quickest = min(quickest, time.perf_counter() - started)
    return quickest / chunks * 1e6


def decode(frames: list[bytes]) -> None:
    """Bytes to events."""
    decoder = Decoder()
    for frame in frames:
        decoder.feed(frame)


def decode_to_chunks(frames: list[bytes]) -> None:
    """Bytes to the client's chunks, with the fold that keeps what came."""
    decoder, fold, chunker = Decoder(), Fold(), Chunker(HEADING)
    for frame in frames:
        events = decoder.feed(frame)
        fold.add(events)
        chunker.chunks(events)


def frame_only(frames: list[bytes]) -> None:
    """Bytes to event-stream frames."""
    decoder = sse.Decoder()
    for frame in frames:
        decoder.feed(frame)


frames = cumulative(CHUNKS)
plain = [
    b'data: {"id":"chatcmpl-1","choices":[{"index":0,"delta":{"content":"tok%d "}}]}\n\n' % n for n in range(CHUNKS)
]
print(f"{CHUNKS} chunks, one network read each; best of 60 runs; microseconds a chunk")
print(f"  event stream to frames             {best_us(lambda: frame_only(plain), CHUNKS):6.2f}")
print(f"  reka's cumulative stream to events {best_us(lambda: decode(frames), CHUNKS):6.2f}")
print(f"  ... and on to the client's chunks  {best_us(lambda: decode_to_chunks(frames), CHUNKS):6.2f}")
