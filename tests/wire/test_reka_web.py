"""wire/reka_web.py: Reka's web answers, in whatever pieces they arrive."""

from __future__ import annotations

import json
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from polychat.errors import FormatChanged, Unavailable
from polychat.fold import fold
from polychat.types import Event, Finish, Reply, TextDelta, Usage
from polychat.wire.reka_web import Decoder

CAPTURES = sorted(Path(__file__, "../../captures/reka").resolve().glob("*.sse"))


def frame(text: str, **rest: object) -> bytes:
    """One event as the protocol page shows it."""
    return b"event: message\ndata: " + json.dumps({"type": "model", "text": text, **rest}).encode() + b"\n\n"


def decoded(*pieces: bytes) -> list[Event]:
    """All events of a body that arrives in these pieces."""
    decoder = Decoder()
    return [event for piece in pieces for event in decoder.feed(piece)] + decoder.close()


STREAM = (
    frame("Hel", metadata={"input_tokens": 9, "generated_tokens": 1})
    + frame("Hello, мир 🌍", metadata={"input_tokens": 9, "generated_tokens": 3})
    + frame("Hello, мир 🌍!", metadata={"input_tokens": 9, "generated_tokens": 4}, finish_reason="stop")
)
REPLY = Reply(
    text="Hello, мир 🌍!", usage=Usage(input_tokens=9, output_tokens=4), finish=Finish(reason="stop", raw="stop")
)


def test_deltas_usage_and_finish_come_in_order() -> None:
    """Two events of the page give two deltas, then the counts, then the end."""
    body = frame("Hel") + frame(
        "Hello there", metadata={"input_tokens": 9, "generated_tokens": 3}, finish_reason="stop"
    )
    assert decoded(body) == [
        TextDelta(text="Hel"),
        TextDelta(text="lo there"),
        Usage(input_tokens=9, output_tokens=3),
        Finish(reason="stop", raw="stop"),
    ]


@given(st.lists(st.integers(0, len(STREAM)), max_size=12), st.sampled_from([b"\n", b"\r\n", b"\r"]))
def test_split_points_and_newline_forms_do_not_matter(cuts: list[int], newline: bytes) -> None:
    """The reply is the same wherever the network cuts, also inside a character."""
    body = STREAM.replace(b"\n", newline)
    edges = [0, *sorted(cuts), len(body)]
    pieces = [body[a:b] for a, b in pairwise(edges)]
    assert fold(decoded(*pieces)) == REPLY


def test_one_byte_at_a_time() -> None:
    """The smallest pieces give the same reply."""
    assert fold(decoded(*(STREAM[i : i + 1] for i in range(len(STREAM))))) == REPLY


@pytest.mark.parametrize("lead", [b"", b"\n", b"  "])
def test_a_bare_json_document_is_an_answer_too(lead: bytes) -> None:
    """A short answer may come without an event stream, in pieces as well."""
    body = lead + json.dumps({"type": "model", "text": "Hi", "finish_reason": "length"}).encode()
    assert fold(decoded(*(body[i : i + 3] for i in range(0, len(body), 3)))) == Reply(
        text="Hi", finish=Finish(reason="length", raw="length")
    )


def test_data_without_a_space_pings_and_unknown_fields_are_fine() -> None:
    """What a careless proxy or a newer service adds is not an error."""
    body = b': ping\n\nevent: message\ndata:{"text":"Hi","new":[1],"finish_reason":"context"}\n\n'
    assert fold(decoded(body)) == Reply(text="Hi", finish=Finish(reason="length", raw="context"))


def test_a_last_event_without_its_blank_line_counts() -> None:
    """The end of the body ends the event."""
    assert fold(decoded(frame("Hi", finish_reason="stop")[:-2])).text == "Hi"


def test_nothing_is_read_after_the_end() -> None:
    """Events after the finish are not the answer's."""
    assert fold(decoded(frame("Hi", finish_reason="stop") + frame("Hi there"))).text == "Hi"


@pytest.mark.parametrize(
    "data", [b"data: {broken\n\n", b'data: {"type":"model"}\n\n', b'data: "text"\n\n', b"data: \xff\n\n"]
)
def test_what_is_not_an_answer_is_said_so(data: bytes) -> None:
    """A damaged or changed event is `FormatChanged`, never an empty success."""
    with pytest.raises(FormatChanged):
        decoded(data)


@pytest.mark.parametrize("body", [b'{"detail":"Too busy"}', b'data: {"detail":"Too busy"}\n\n'])
def test_an_error_body_under_200_is_an_error_with_the_services_words(body: bytes) -> None:
    """A 200 that holds an error is no answer."""
    with pytest.raises(Unavailable, match="Too busy"):
        decoded(body)


def test_salvage_gives_what_was_held_back() -> None:
    """When the stream is cut, text that waited for its proof and the counts still come out."""
    decoder = Decoder()
    events = decoder.feed(frame("a ", metadata={"input_tokens": 1, "generated_tokens": 1}))
    assert fold([*events, *decoder.salvage()]) == Reply(text="a ", usage=Usage(input_tokens=1, output_tokens=1))


def test_a_damaged_event_does_not_take_the_ones_before_it_along() -> None:
    """What was whole in the same network read is still given."""
    decoder = Decoder()
    with pytest.raises(FormatChanged):
        decoder.feed(frame("Hel") + frame("Hello") + b"data: {broken\n\n")
    assert fold(decoder.salvage()).text == "Hello"


@pytest.mark.parametrize("path", CAPTURES, ids=lambda path: path.stem)
def test_captures_decode_to_what_is_noted_beside_them(path: Path) -> None:
    """Each wire sample has its expected reply in a .json of the same name."""
    expected = json.loads(path.with_suffix(".json").read_text("utf-8"))
    reply = fold(decoded(path.read_bytes()))
    assert {"text": reply.text, "finish": reply.finish and reply.finish.raw} == {
        key: expected[key] for key in ("text", "finish")
    }
