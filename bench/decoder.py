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
from polychat.wire import chatgpt_turn, reka_web, sse

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


def deltas(count: int) -> list[bytes]:
    """A ChatGPT stream: a root, and then bare text."""
    message = {"id": "A", "author": {"role": "assistant"}, "content": {"content_type": "text", "parts": [""]}}
    root = {"p": "", "o": "add", "v": {"message": {**message, "recipient": "all"}, "conversation_id": "C"}}
    first = {"p": "/message/content/parts/0", "o": "append", "v": "word"}
    records = [root, first, *({"v": f" word{i}"} for i in range(count - 2))]
    return [b"event: delta\ndata: " + json.dumps(record).encode() + b"\n\n" for record in records]


def decode(decoder: reka_web.Decoder | chatgpt_turn.Decoder, frames: list[bytes]) -> None:
    """Bytes to events."""
    for frame in frames:
        decoder.feed(frame)


def decode_to_chunks(decoder: reka_web.Decoder | chatgpt_turn.Decoder, frames: list[bytes]) -> None:
    """Bytes to the client's chunks, with the fold that keeps what came."""
    fold, chunker = Fold(), Chunker(HEADING)
    for frame in frames:
        events = decoder.feed(frame)
        fold.add(events)
        chunker.chunks(events)


def frame_only(frames: list[bytes]) -> None:
    """Bytes to event-stream frames."""
    decoder = sse.Decoder()
    for frame in frames:
        decoder.feed(frame)


def report(name: str, make: Callable[[], reka_web.Decoder | chatgpt_turn.Decoder], frames: list[bytes]) -> None:
    """Two lines about one service."""
    print(f"  {name:<17}to events         {best_us(lambda: decode(make(), frames), CHUNKS):6.2f}")
    print(f"  {name:<17}to client chunks  {best_us(lambda: decode_to_chunks(make(), frames), CHUNKS):6.2f}")


plain = [b'data: {"id":"c","choices":[{"index":0,"delta":{"content":"tok%d "}}]}\n\n' % n for n in range(CHUNKS)]
print(f"{CHUNKS} chunks, one network read each; best of 60 runs; microseconds a chunk")
print(f"  event stream     to frames         {best_us(lambda: frame_only(plain), CHUNKS):6.2f}")
report("reka, cumulative", reka_web.Decoder, cumulative(CHUNKS))
report("chatgpt, deltas", chatgpt_turn.Decoder, deltas(CHUNKS))
