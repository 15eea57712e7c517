"""A secret spread over the frames of a stream."""

from __future__ import annotations

import json
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from polychat.net.traffic.redaction import Redactor

SECRET = "canary-0a1b/2c3d+4e5f"


def stream(pieces: list[str], **between: str) -> bytes:
    """An event stream of these deltas, with other fields in each frame."""
    return b"".join(
        f"data: {json.dumps({'type': 'delta', 'delta': {'content': piece}, **between})}\n\n".encode()
        for piece in pieces
    )


def joined(body: bytes) -> str:
    """What a reader of the stream makes of it."""
    frames = [frame.removeprefix(b"data: ") for frame in body.split(b"\n\n") if frame]
    return "".join(json.loads(frame)["delta"]["content"] for frame in frames)


def redacted(body: bytes) -> bytes:
    """The body as a recorder that knows the secret writes it down."""
    redactor = Redactor()
    redactor.learn(SECRET)
    return redactor.body(body, "text/event-stream").data


@given(st.lists(st.integers(0, len(SECRET) + 14), max_size=12), st.sampled_from(["", "é\n", 'a"\\b']))
def test_wherever_a_secret_is_split_its_reader_gets_a_placeholder(cuts: list[int], odd: str) -> None:
    """The words around it stay, in their frames."""
    text = f"{odd}before {SECRET} after"
    marks = sorted({0, *(min(cut, len(text)) for cut in cuts), len(text)})
    body = stream([text[a:b] for a, b in pairwise(marks)], obfuscation="xY")
    said = joined(redacted(body))
    assert (SECRET in said, "REDACTED-1" in said) == (False, True)
    if not odd:
        assert said == "before REDACTED-1 after"


@pytest.mark.parametrize("size", [1, 2, 3, 7])
def test_two_of_them_in_small_pieces(size: int) -> None:
    """Every occurrence, letter by letter too."""
    text = f"{SECRET}, {SECRET}"
    body = stream([text[at : at + size] for at in range(0, len(text), size)])
    assert joined(redacted(body)) == "REDACTED-1, REDACTED-1"


def test_an_answer_that_comes_whole_every_time_shows_no_beginning() -> None:
    """Each state of it ends somewhere inside the secret."""
    states = [f"it is {SECRET[:end]}" for end in range(len(SECRET) + 1)]
    said = redacted(stream(states)).decode()
    assert [SECRET[:end] in said for end in (8, 12, len(SECRET))] == [False, False, False]


def test_an_escape_in_two_texts_costs_all_of_them() -> None:
    """Where the pieces of a secret cannot be told from the words, the words go too."""
    half, other = SECRET.replace("/", "%2F").split("2F")
    assert joined(redacted(stream(["before", half, f"2F{other} after"]))) == "REDACTED-1" * 3


def test_other_words_are_not_touched() -> None:
    """A stream without the secret comes out as it was."""
    body = stream(["canary", " bird", "s, 0a1b"])
    assert redacted(body) == body
