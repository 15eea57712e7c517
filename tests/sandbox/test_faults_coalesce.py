"""`coalesce` joins frames into one write and loses nothing."""

from __future__ import annotations

import pytest


def chunks(connection) -> list[bytes]:
    """The chunks of a chunked body, one for each write of the server."""
    data = b""
    while not data.endswith(b"\r\n0\r\n\r\n"):
        data += connection.recv(65536)
    body = data.split(b"\r\n\r\n", 1)[1]
    found = []
    while body:
        size, body = body.split(b"\r\n", 1)
        found.append(body[: int(size, 16)])
        body = body[int(size, 16) + 2 :]
    return found[:-1]


@pytest.mark.parametrize("count", [1, 2, 3, 100])
def test_frames_are_joined(raw, count):
    """So many to a write, the last one with what is left; the bytes are the same."""
    alone, joined = chunks(raw("Hello there")), chunks(raw("Hello there", f"coalesce={count}"))
    assert b"".join(joined) == b"".join(alone)
    assert len(joined) == -(-len(alone) // count)
    assert all(chunk.count(b"event: ") == count for chunk in joined[:-1])


def test_what_was_joined_goes_out_before_the_end(raw):
    """A stream that ends early loses none of the frames before."""
    alone, joined = chunks(raw("Hello there")), chunks(raw("Hello there", "drop; after=3, coalesce=2"))
    assert joined == [alone[0] + alone[1], alone[2]]


def test_other_faults_still_work_on_each_frame(raw):
    """Carriage returns in every frame of a joined write."""
    (all_at_once,) = chunks(raw("Hello there", "crlf, coalesce=100"))
    assert all_at_once.count(b"\r\n\r\n") == all_at_once.count(b"event: ")
