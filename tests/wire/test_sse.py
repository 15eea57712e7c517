"""The event-stream codec, judged by a second, line-by-line reading of the WHATWG standard kept here."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from polychat.errors import BadOption, FormatChanged
from polychat.wire.sse import Decoder, Frame, encode

END = b"\r\r"  # a blank line after anything, even after half a CRLF


class Reading:
    """What the standard says of a whole body, in its own order and words, on text and without a thought for speed."""

    def __init__(self, body: bytes) -> None:
        self.frames: list[Frame] = []
        self.last_event_id: str | None = None
        self.retry_ms: int | None = None
        self._data, self._event, self._id = "", "", ""
        *lines, _ = re.split(r"\r\n|\r|\n", body.decode("utf-8", "replace").removeprefix("\ufeff"))
        for line in lines:
            self._line(line)

    def _line(self, line: str) -> None:
        if line == "":
            self._dispatch()
        elif line.startswith(":"):
            pass
        elif ":" in line:
            field, value = line.split(":", 1)
            self._field(field, value[1:] if value.startswith(" ") else value)
        else:
            self._field(line, "")

    def _field(self, field: str, value: str) -> None:
        if field == "event":
            self._event = value
        if field == "data":
            self._data += value + "\n"
        if field == "id" and "\0" not in value:
            self._id = value
        if field == "retry" and re.fullmatch("[0-9]{1,15}", value):  # more digits are no time
            self.retry_ms = int(value)

    def _dispatch(self) -> None:
        self.last_event_id = self._id or None
        if self._data:
            self.frames.append(Frame(self._event or "message", self._data[:-1].encode(), self.last_event_id))
        self._data, self._event = "", ""


def decoded(chunks: Iterable[bytes], **options: Any) -> list[Frame]:
    decoder = Decoder(**options)
    return [frame for chunk in chunks for frame in decoder.feed(chunk)]


def as_text(frames: Iterable[Frame]) -> list[tuple[str, str, str | None]]:
    return [(frame.event, frame.text, frame.id) for frame in frames]


def cut(body: bytes, size: int) -> list[bytes]:
    return [body[start : start + size] for start in range(0, len(body), size)]


TOKENS = [
    b"data", b"event", b"id", b"retry", b"Data", b"x", b":", b" ", b"\0", b"12",
    b"\xc2", b"\xb2", "é".encode(), b"\xff", b"\xef\xbb\xbf",
    b"\n", b"\r", b"\r\n", b"\n\n", b"\r\r", b"\r\n\r\n",
    b"data: ", b"data: {}\n\n", b"event: e\n", b"event: e\ndata: {}\n\n", b"id: 7\n", b"id\n",
    b"retry: 99\n", b": note\n",
]  # fmt: skip
chunk_lists = st.lists(st.lists(st.sampled_from(TOKENS), max_size=8).map(b"".join), max_size=8)


@given(chunk_lists)
def test_any_stream_in_any_pieces_reads_as_the_standard_says(chunks: list[bytes]) -> None:
    """Frames and ids are those of a line-by-line reading of the whole, however it was cut."""
    assert as_text(Reading(b"".join(chunks)).frames) == as_text(decoded(chunks))


@given(chunk_lists, st.integers(1, 9))
def test_where_a_stream_is_cut_makes_no_difference(chunks: list[bytes], size: int) -> None:
    """Pieces of one to nine bytes give exactly the frames of the whole in one piece."""
    body = b"".join(chunks)

    assert decoded([body]) == decoded(cut(body, size))


@given(chunk_lists)
def test_id_and_retry_are_those_of_the_last_block(chunks: list[bytes]) -> None:
    """What a client needs to reconnect is what the standard would have it remember."""
    reading = Reading(b"".join([*chunks, END]))
    decoder = Decoder()
    for chunk in [*chunks, END]:
        decoder.feed(chunk)

    assert (reading.last_event_id, reading.retry_ms) == (decoder.last_event_id, decoder.retry_ms)


@given(chunk_lists)
def test_close_returns_the_event_that_a_blank_line_would_have_ended(chunks: list[bytes]) -> None:
    """`close` gives exactly what was cut off, and leaves the id to reconnect from as it was."""
    decoder = Decoder()
    frames = [frame for chunk in chunks for frame in decoder.feed(chunk)]
    last_event_id = decoder.last_event_id
    rest = decoder.close()

    assert as_text(Reading(b"".join([*chunks, END])).frames) == as_text([*frames, *([rest] if rest else [])])
    assert last_event_id == decoder.last_event_id
    assert decoder.close() is None


@pytest.mark.parametrize("newline", [b"\n", b"\r", b"\r\n"])
def test_every_newline_form_gives_the_same_frames(newline: bytes) -> None:
    """LF, CR and CRLF are one, whole or byte by byte."""
    body = "id: 1\nevent: é\ndata: a\ndata: ü€😀\n\n: ping\n\ndata: b\n\n".encode().replace(b"\n", newline)
    expected = [Frame("é", "a\nü€😀".encode(), "1"), Frame("message", b"b", "1")]

    assert expected == decoded([body])
    assert expected == decoded(cut(body, 1))


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        (b"data: YHOO\ndata: +2\ndata: 10\n\n", [Frame("message", b"YHOO\n+2\n10")]),
        (
            b": test stream\n\ndata: first event\nid: 1\n\ndata:second event\nid\n\ndata:  third event\n\n",
            [
                Frame("message", b"first event", "1"),
                Frame("message", b"second event"),
                Frame("message", b" third event"),
            ],
        ),
        (b"data\n\ndata\ndata\n\ndata:", [Frame("message", b""), Frame("message", b"\n")]),
        (b"data:test\n\ndata: test\n\n", [Frame("message", b"test"), Frame("message", b"test")]),
        (
            b"event: add\ndata: 73857293\n\nevent: remove\ndata: 2153\n\nevent: add\ndata: 113411\n\n",
            [Frame("add", b"73857293"), Frame("remove", b"2153"), Frame("add", b"113411")],
        ),
        (b"data: This is the first message.\n\ndata: cut off\n", [Frame("message", b"This is the first message.")]),
    ],
)
def test_the_examples_of_the_standard(body: bytes, expected: list[Frame]) -> None:
    """The streams of the standard's own text give the events it says they give."""
    assert expected == decoded([body])
    assert expected == decoded(cut(body, 1))


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        (b"event: lonely\n\ndata: x\n\n", [Frame("message", b"x")]),
        (b"event: a\nevent:\ndata: x\n\n", [Frame("message", b"x")]),
        (b"event: a\nevent: b\ndata: x\n\n", [Frame("b", b"x")]),
        (b"event: \ndata: x\n\n", [Frame("message", b"x")]),
        (b"event: a\ndata: x\nid: 3\n\n", [Frame("a", b"x", "3")]),
        (b"data: x\nevent: late\n\n", [Frame("late", b"x")]),
        (b"data: x\nunknown: y\ndata : z\n\n", [Frame("message", b"x")]),
        (b"data: {\ndata: }\n\n", [Frame("message", b"{\n}")]),
        (b"data:  x\ndata:\ty\n\n", [Frame("message", b" x\n\ty")]),
        (b"data: a: b\n\n", [Frame("message", b"a: b")]),
        (b"\n\n\n\ndata: x\n\n\n\n\n", [Frame("message", b"x")]),
        (b"\ndata: x\n\n", [Frame("message", b"x")]),
        (b"id: 1\n\ndata: x\n\n", [Frame("message", b"x", "1")]),
        (b"id: 1\nid: 2\0\ndata: x\n\n", [Frame("message", b"x", "1")]),
        (b"", []),
    ],
)
def test_corner_cases_of_fields(body: bytes, expected: list[Frame]) -> None:
    """Names that come late, twice, empty or alone; unknown fields; stray blank lines; an id with NUL; no bytes."""
    assert expected == decoded([body])


@pytest.mark.parametrize(
    ("line", "retry_ms"),
    [
        (b"retry: 1500", 1500), (b"retry:0", 0), (b"retry: 15s", None), (b"retry: -1", None), (b"retry:", None),
        (b"retry", None), ("retry: ٣".encode(), None), (b"retry: " + b"9" * 5000, None),
    ],
)  # fmt: skip
def test_retry_takes_ascii_digits_only(line: bytes, retry_ms: int | None) -> None:
    """Anything but a number of sensible length is ignored, as if the line were not there."""
    decoder = Decoder()
    decoder.feed(line + b"\n\n")

    assert retry_ms == decoder.retry_ms


@pytest.mark.parametrize("size", [1, 2, 3, 100])
def test_a_byte_order_mark_counts_once_and_at_the_start_only(size: int) -> None:
    """One mark is swallowed, however it is cut; a second one, or one later on, is part of a line."""
    mark = b"\xef\xbb\xbf"

    assert [Frame("message", b"x")] == decoded(cut(mark + b"data: x\n\n", size))
    assert not decoded(cut(mark * 2 + b"data: x\n\n", size))
    assert [Frame("message", b"x")] == decoded(cut(b"data: x\n\n" + mark + b"data: y\n\n", size))


def test_an_event_is_out_as_soon_as_its_blank_line_is() -> None:
    """A CR that ends a piece ends the line at once; the LF that follows it is not a second blank line."""
    decoder = Decoder()

    assert [Frame("message", b"x")] == decoder.feed(b"data: x\r\r")
    assert not decoder.feed(b"")
    assert [Frame("message", b"y")] == decoder.feed(b"\ndata: y\r\n\r")
    assert not decoder.feed(b"")
    assert [Frame("message", b"z")] == decoder.feed(b"\ndata: z\n\n")


def test_a_crlf_between_two_pieces_is_one_newline() -> None:
    """The LF of a cut CRLF does not end the block, not even after an empty piece."""
    decoder = Decoder()

    assert not decoder.feed(b"data: a\r")
    assert not decoder.feed(b"")
    assert not decoder.feed(b"\ndata: b\r")
    assert [Frame("message", b"a\nb")] == decoder.feed(b"\n\n")


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        (b'data: {"done":true}\n', Frame("message", b'{"done":true}')),
        (b'data: {"done":true}', Frame("message", b'{"done":true}')),
        (b"event: end\r\ndata: x\r\n", Frame("end", b"x")),
        (b"event: end\n", None),
        (b": bye\n", None),
        (b"data: x\n\n", None),
        (b"", None),
    ],
)
def test_the_rest_of_a_body_without_its_blank_line(body: bytes, expected: Frame | None) -> None:
    """A last event without a blank line, or even without a newline, is there for who wants it."""
    decoder = Decoder()
    decoder.feed(body)

    assert expected == decoder.close()


def test_bytes_that_are_not_text_become_replacement_characters() -> None:
    """`data` keeps the bytes, `text` shows U+FFFD for what is not UTF-8."""
    (frame,) = decoded([b"data: a\xff\xe2\x82\n\n"])

    assert frame.data == b"a\xff\xe2\x82"
    assert frame.text == "a\ufffd\ufffd"


def test_a_frame_of_megabytes_arrives_whole() -> None:
    """Three megabytes in network-sized pieces are one frame, with its neighbours untouched."""
    picture = b"A" * (3 * 2**20)
    body = b"data: before\n\nevent: image\ndata: " + picture + b"\n\ndata: after\n\n"
    expected = [Frame("message", b"before"), Frame("image", picture), Frame("message", b"after")]

    assert expected == decoded(cut(body, 16 * 2**10))


@pytest.mark.parametrize("size", [1, 2, 7, 100])
def test_a_block_may_be_as_long_as_the_limit_and_no_longer(size: int) -> None:
    """The limit counts the bytes of one block without its blank line, in whatever pieces they come."""
    fits = b"data: x\n\n" + b"data: " + b"y" * 14 + b"\n\n"
    expected = [Frame("message", b"x"), Frame("message", b"y" * 14)]

    assert expected == decoded(cut(fits, size), limit_bytes=20)
    with pytest.raises(FormatChanged) as caught:
        decoded(cut(fits, size), limit_bytes=19)
    assert caught.value.message == "an event of the stream is longer than the limit of 19 bytes"


@pytest.mark.parametrize("endless", [b"data: " + b"x" * 994, b": ping\n" * 143, b"data:x\r" * 143])
def test_a_block_that_never_ends_is_refused(endless: bytes) -> None:
    """A line without an end, comments or lines without a blank line: none of them fills the memory."""
    decoder = Decoder(limit_bytes=2500)
    decoder.feed(endless)

    decoder.feed(endless)
    with pytest.raises(FormatChanged):
        decoder.feed(endless)


@given(chunk_lists, st.integers(3, 30), st.integers(1, 9))
def test_where_a_stream_is_cut_does_not_move_the_limit(chunks: list[bytes], limit_bytes: int, size: int) -> None:
    """A stream is refused in one piece if and only if it is refused in many."""

    def refused(pieces: list[bytes]) -> bool:
        try:
            decoded(pieces, limit_bytes=limit_bytes)
        except FormatChanged:
            return True
        return False

    body = b"".join(chunks)
    assert refused([body]) == refused(cut(body, size))


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        ({"data": "x"}, b"data: x\n\n"),
        ({"data": b"[DONE]"}, b"data: [DONE]\n\n"),
        ({"data": " é"}, b"data:  \xc3\xa9\n\n"),
        ({"data": ""}, b"data: \n\n"),
        ({"data": "a\nb\r\nc\rd\n"}, b"data: a\ndata: b\ndata: c\ndata: d\ndata: \n\n"),
        ({"data": "x", "event": "ping"}, b"event: ping\ndata: x\n\n"),
        (
            {"data": "x", "event": "e", "id": "7", "retry_ms": 0},
            b"event: e\nid: 7\nretry: 0\ndata: x\n\n",
        ),
    ],
)
def test_encode_writes_the_usual_form(arguments: dict[str, Any], expected: bytes) -> None:
    """Name, id and retry first, then one `data` line for each line of the data."""
    assert expected == encode(**arguments)


words = st.text(st.characters(exclude_characters="\r\n\0", codec="utf-8"))


@given(st.binary() | st.text().map(str.encode), st.none() | words, st.none() | words, st.none() | st.integers(0, 10**9))
def test_decode_of_encode_is_what_went_in(
    data: bytes, event: str | None, id_: str | None, retry_ms: int | None
) -> None:
    """Any data, name, id and retry come back, newlines in the data as LF."""
    decoder = Decoder()
    frames = decoder.feed(encode(data, event=event, id=id_, retry_ms=retry_ms))
    lines = data.replace(b"\r\n", b"\n").replace(b"\r", b"\n")

    assert [Frame(event or "message", lines, id_ or None)] == frames
    assert (id_ or None, retry_ms) == (decoder.last_event_id, decoder.retry_ms)


@pytest.mark.parametrize(
    ("field", "value"),
    [("event", "a\ndata: forged"), ("event", "a\r"), ("id", "1\n"), ("id", "1\0"), ("retry_ms", -1)],
)
def test_encode_refuses_what_would_break_out_of_its_line(field: str, value: object) -> None:
    """A newline or NUL in a name or id, or a negative time, is the caller's mistake and is called so."""
    arguments: dict[str, Any] = {field: value}
    with pytest.raises(BadOption) as caught:
        encode(b"x", **arguments)

    assert field == caught.value.field
