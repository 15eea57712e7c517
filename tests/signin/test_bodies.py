"""Bodies of a network log: as text, as base64, compressed inside, or not to be read."""

from __future__ import annotations

import base64
import gzip
import zlib
from collections.abc import Mapping

import msgspec
import pytest

from polychat.signin import bodies

TEXT = '{"accessToken": "é"}'
LINES = f"{TEXT}\n" * 8 + TEXT


def content(body: str | bytes | None, encoding: str | None = None) -> bodies.Content:
    """As it stands in a log."""
    kept = base64.b64encode(body).decode() if isinstance(body, bytes) else body
    return bodies.Content(text=msgspec.Raw(msgspec.json.encode(kept)), encoding=encoding)


@pytest.mark.parametrize(
    ("given", "headers"),
    [
        (content(TEXT), {}),
        (content(TEXT, ""), {"content-encoding": "br"}),
        (content(TEXT.encode(), "base64"), {"content-encoding": "br"}),
        (content(gzip.compress(TEXT.encode()), "Base64"), {}),
        (content(base64.encodebytes(LINES.encode()).decode(), "base64"), {}),
        (content(zlib.compress(TEXT.encode()), "base64"), {"content-encoding": "deflate"}),
    ],
)
def test_a_body_that_can_be_read(given: bodies.Content, headers: Mapping[str, str]) -> None:
    """Mostly the browser has unpacked it before it was saved, and sometimes nobody has."""
    assert set(bodies.text(given, headers).split("\n")) == {TEXT}


def test_a_text_may_begin_like_something_compressed() -> None:
    """An x is an x."""
    assert bodies.text(content(b"xylophone", "base64"), {}) == "xylophone"


LARGE = gzip.compress(b"0" * (bodies.LIMIT_BYTES + 1))


@pytest.mark.parametrize(
    ("given", "headers", "why"),
    [
        (bodies.Content(), {}, "was not saved with its content"),
        (content(None), {}, "was not saved with its content"),
        (content(TEXT, "rot13"), {}, "is in an encoding that is not known"),
        (content("no base64!", "base64"), {}, "is damaged: it is no base64"),
        (content(b"\x8b\x05\x80", "base64"), {"content-encoding": "br"}, "is compressed with br, or is no text"),
        (content(b"(\xb5/\xfd", "base64"), {"content-encoding": "ZSTD"}, "is compressed with zstd, or is no text"),
        (
            content(b"\xff", "base64"),
            {"content-encoding": "canary"},
            "is compressed with something unknown, or is no text",
        ),
        (content(b"\x1f\x8bcanary", "base64"), {}, "is damaged: its gzip does not unpack"),
        (content(gzip.compress(TEXT.encode())[:-12], "base64"), {}, "is damaged: its gzip does not unpack"),
        (content(LARGE, "base64"), {}, "unpacks to more than 16 MB"),
    ],
)
def test_a_body_that_cannot(given: bodies.Content, headers: Mapping[str, str], why: str) -> None:
    """The end of a sentence says why, and repeats nothing."""
    with pytest.raises(bodies.Unreadable) as caught:
        bodies.text(given, headers)
    assert str(caught.value) == why
