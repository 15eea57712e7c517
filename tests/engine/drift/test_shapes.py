"""Shapes of answers: paths, kinds and types, and no value."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from polychat.engine.drift import shapes

STREAM = (
    b'event: a\r\ndata: {"type":"a","n":1}\r\n\r\n: comment\n\n'
    b'data: {"type":"b","list":[{"x":null},{"x":"y"}]}\n\ndata: [DONE]\n\n'
)


def test_frames_of_a_stream_lie_over_one_another() -> None:
    """Each path with the kinds of its values; objects by their types; lists as one item."""
    assert {path: sorted(kinds) for path, kinds in shapes.shape(STREAM).items()} == {
        "(a)": ["object"],
        "(a).type": ["text"],
        "(a).n": ["number"],
        "(b)": ["object"],
        "(b).type": ["text"],
        "(b).list": ["list"],
        "(b).list[]": ["object"],
        "(b).list[].x": ["null", "text"],
    }


def test_keys_that_are_ids_are_one() -> None:
    """A map by ids has one item in its shape."""
    body = b'{"map":{"0b0f0e6c-1111-4222-8333-444455556666":{"a":1},"x12345":{"b":true}}}'
    assert sorted(shapes.shape(body)) == ["map", "map.*", "map.*.a", "map.*.b"]


@pytest.mark.parametrize(
    ("path", "left"),
    [
        ("n", b'{"list":[{"x":1}],"type_of":{"type":"t","y":2}}'),
        ("list[].x", b'{"n":1,"list":[{}],"type_of":{"type":"t","y":2}}'),
        ("type_of(t)", b'{"n":1,"list":[{"x":1}]}'),
        ("type_of(t).y", b'{"n":1,"list":[{"x":1}],"type_of":{"type":"t"}}'),
        ("nothing", b'{"n":1,"list":[{"x":1}],"type_of":{"type":"t","y":2}}'),
    ],
)
def test_a_field_can_be_taken_out(path: str, left: bytes) -> None:
    """By its path, wherever it occurs."""
    body = b'{"n":1,"list":[{"x":1}],"type_of":{"type":"t","y":2}}'
    assert shapes.without(body, path) == left


def test_an_event_can_be_taken_out() -> None:
    """The whole frame goes, and the others stay as they were."""
    assert shapes.without(STREAM, "(b)") == (
        b'event: a\r\ndata: {"type":"a","n":1}\r\n\r\n: comment\n\ndata: [DONE]\n\n'
    )


@given(st.binary(max_size=200))
def test_frames_are_the_body(body: bytes) -> None:
    """Nothing is lost between frames, whatever the bytes."""
    assert b"".join(shapes.frames(body)) == body
    assert b"".join(shapes.frames(b"data: " + body)) == b"data: " + body
