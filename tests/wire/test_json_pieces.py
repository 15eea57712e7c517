"""wire/json_pieces.py: pieces of JSON however they are cut, and what is left of an answer that breaks."""

from __future__ import annotations

from collections.abc import Iterator

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from polychat.errors import FormatChanged, Unavailable
from polychat.types import Event, Finish, TextDelta, Usage
from polychat.wire.json_pieces import Decoder

END = Finish(reason="stop", raw="stop")


class Piece(msgspec.Struct):
    """A piece of a made-up service."""

    text: str
    end: str | None = None
    problem: str | None = None


read = msgspec.json.Decoder(Piece).decode


def meaning(piece: Piece) -> Iterator[Event]:
    """What it says, what it counted, and the end."""
    if piece.text:
        yield TextDelta(text=piece.text)
    if piece.problem:
        raise Unavailable(piece.problem)
    if piece.end:
        yield Usage(output_tokens=1)
        yield Finish(reason="stop", raw=piece.end)


def decoder() -> Decoder[Piece]:
    """A new one."""
    return Decoder("tern", read, meaning)


def stream(*pieces: Piece, newline: str = "\n") -> bytes:
    """Pieces as a body."""
    return b"".join(f"data: {msgspec.json.encode(piece).decode()}{newline}{newline}".encode() for piece in pieces)


ANSWER = (Piece(text="Grüße "), Piece(text="日本語"), Piece(text="🐈‍⬛"), Piece(text="", end="stop"))
EVENTS = [*(TextDelta(text=piece.text) for piece in ANSWER[:-1]), Usage(output_tokens=1), END]


def fed(*chunks: bytes) -> list[Event]:
    """All events of a body in these pieces."""
    one = decoder()
    events = [event for chunk in chunks for event in one.feed(chunk)]
    assert one.finished
    return events


@pytest.mark.parametrize("newline", ["\n", "\r\n", "\r"], ids=["LF", "CRLF", "CR"])
def test_every_split_point_gives_the_same_events(newline: str) -> None:
    """The network may cut anywhere; also inside a character."""
    body = stream(*ANSWER, newline=newline) + b"\n"
    assert [at for at in range(len(body)) if fed(body[:at], body[at:]) != EVENTS] == []
    assert fed(*(body[at : at + 1] for at in range(len(body)))) == EVENTS


@given(st.lists(st.text(min_size=1), max_size=8), st.integers(1, 40))
def test_any_text_comes_back_as_it_was(texts: list[str], size: int) -> None:
    """In any pieces on the wire."""
    body = stream(*(Piece(text=text) for text in texts), ANSWER[-1])
    chunks = (body[at : at + size] for at in range(0, len(body), size))
    assert fed(*chunks) == [*(TextDelta(text=text) for text in texts), *EVENTS[-2:]]


def test_a_document_is_an_answer_too() -> None:
    """For a service that answers at once; it is over when the body is."""
    one = decoder()
    body = msgspec.json.encode(Piece(text="Hello", end="stop"))
    assert [*one.feed(body[:5]), *one.feed(body[5:])] == []
    assert (one.close(), one.finished) == ([TextDelta(text="Hello"), Usage(output_tokens=1), END], True)


def test_nothing_is_read_after_the_end() -> None:
    """Whatever a service sends then, in the same read or a later one."""
    one = decoder()
    assert one.feed(stream(ANSWER[-1]) + b"data: nonsense\n\n") == EVENTS[-2:]
    assert (one.feed(b"data: more nonsense\n\n"), one.close(), one.finished) == ([], [], True)


def test_a_body_that_ends_early_is_not_finished() -> None:
    """Its last event, cut off from its blank line, is heard."""
    one = decoder()
    assert one.feed(stream(*ANSWER[:2])[:-2]) == EVENTS[:1]
    assert (one.close(), one.finished) == (EVENTS[1:2], False)


def test_what_came_before_a_changed_format_is_not_lost() -> None:
    """Not even what came in the same read; the piece is kept for a report, and its words are not in the message."""
    one = decoder()
    with pytest.raises(FormatChanged, match="tern sent a piece that is not of an answer") as caught:
        one.feed(stream(ANSWER[0]) + b'data: {"words":"private"}\n\n' + stream(ANSWER[1]))
    assert caught.value.evidence is not None
    assert caught.value.evidence.data == b'{"words":"private"}'
    assert "private" not in str(caught.value)
    assert (one.salvage(), one.salvage(), one.finished) == (EVENTS[:1], [], False)


@pytest.mark.parametrize("payload", [b"\xff", b"[1]", b"{", b'{"text":7}', b'{"text":"\xff"}'])
def test_what_is_no_piece_is_a_changed_format(payload: bytes) -> None:
    """Other JSON, half a JSON, and what is no text at all."""
    with pytest.raises(FormatChanged):
        decoder().feed(b"data: " + payload + b"\n\n")


def test_what_a_broken_piece_said_first_is_not_lost() -> None:
    """A piece may hold words and an error."""
    one = decoder()
    with pytest.raises(Unavailable, match="it broke"):
        one.feed(stream(ANSWER[0], Piece(text="so far", problem="it broke")))
    assert one.salvage() == [EVENTS[0], TextDelta(text="so far")]


def test_an_error_at_the_end_of_a_body_is_raised() -> None:
    """As one inside."""
    one = decoder()
    assert one.feed(msgspec.json.encode(Piece(text="", problem="it broke"))) == []
    with pytest.raises(Unavailable):
        one.close()
