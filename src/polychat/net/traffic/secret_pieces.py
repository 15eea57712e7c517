"""A known secret in pieces: a service that repeats it word by word spreads it over the frames of a stream.

    data: {"delta": {"content": "canary-"}}        what a reader of the stream joins, whoever reads the file can join
    data: {"delta": {"content": "0a1b2c"}}

The texts under one key are joined as they follow each other. Of a secret that is found there the first piece becomes
the placeholder and the others become nothing; where even an escape is in two texts, all of them go. A text that ends in
the middle of one, as each state of an answer that comes whole every time may do, loses that end.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from itertools import accumulate

from polychat.net.traffic.secret_forms import Forms, Span, Traced, canonical, traced, windows

_TEXT = re.compile(rb'"([\w.$-]{1,80})"\s*:\s*"([^"\\]*+(?:\\.[^"\\]*+)*+)"', re.DOTALL)

Found = tuple[Span, str]  # where, and the secret; of a piece that is not the first, nothing


def scattered(data: bytes, known: Mapping[str, Forms]) -> Iterator[Found]:
    """Where the pieces of known secrets lie, in texts of JSON."""
    for spans in _texts(data).values():
        raw = [data[start:end] for start, end in spans]
        whole = canonical(b"".join(raw))
        for secret, forms in known.items():
            if len(spans) > 1 and forms.is_in(whole):
                yield from list(_pieces(spans, raw, secret, forms)) or [(span, secret) for span in spans]
            if forms.beginning in whole:
                yield from _ends(spans, raw, secret, forms)


def _texts(data: bytes) -> dict[bytes, list[Span]]:
    """The texts of all JSON in it, in order, by their keys."""
    found: dict[int, tuple[bytes, Span]] = {}
    for start, end in windows(data):
        for text in _TEXT.finditer(data, start, end):
            found.setdefault(text.start(2), (text[1], text.span(2)))
    texts: dict[bytes, list[Span]] = defaultdict(list)
    for at in sorted(found):
        key, span = found[at]
        texts[key].append(span)
    return texts


def _pieces(spans: Sequence[Span], raw: Sequence[bytes], secret: str, forms: Forms) -> Iterator[Found]:
    texts = [traced(text) for text in raw]
    ends = list(accumulate(len(text.data) for text in texts))
    for place in forms.places(b"".join(text.data for text in texts)):
        name = secret
        for (begin, _), text, end in zip(spans, texts, ends, strict=True):
            if part := _part(text, place, end - len(text.data)):
                yield (begin + part[0], begin + part[1]), name
                name = ""


def _part(text: Traced, place: Span, before: int) -> Span | None:
    """What of `place` is in the text that begins at `before`, as it was sent."""
    low, high = max(place[0] - before, 0), min(place[1] - before, len(text.data))
    return text.span((low, high)) if low < high else None


def _ends(spans: Sequence[Span], raw: Sequence[bytes], secret: str, forms: Forms) -> Iterator[Found]:
    for (start, end), text in zip(spans, raw, strict=True):
        if (at := forms.begun(text)) is not None:
            yield (start + at, end), secret
