"""wire/payloads.py: an event stream or a document, cut anywhere."""

from __future__ import annotations

import pytest

from polychat.wire.payloads import Payloads


def read(*pieces: bytes) -> list[bytes]:
    """All payloads of a body that came in these pieces."""
    payloads = Payloads()
    found = [payload for piece in pieces for payload in payloads.feed(piece)]
    return found + payloads.close()


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        (b"data: a\n\nevent: x\ndata: b\n\n", [b"a", b"b"]),
        (b"\r\n data: no\n\ndata: a\n\ndata: cut", [b"a", b"cut"]),
        (b' \n{"a": [1]}\n', [b' \n{"a": [1]}\n']),
        (b" \n ", []),
        (b"", []),
    ],
    ids=["stream", "stream that is cut", "document", "white space", "nothing"],
)
def test_a_body_may_be_cut_anywhere(body: bytes, expected: list[bytes]) -> None:
    """Whole, in two pieces, and byte by byte it is the same."""
    assert read(body) == expected
    assert read(*(body[at : at + 1] for at in range(len(body)))) == expected
    for at in range(len(body) + 1):
        assert read(body[:at], body[at:]) == expected


def test_a_document_is_handed_out_once_it_is_whole() -> None:
    """Nothing of it before the end."""
    payloads = Payloads()
    assert payloads.feed(b'{"a":') == payloads.feed(b"1}") == []
    assert payloads.close() == [b'{"a":1}']
