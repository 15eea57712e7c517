"""Forms are taken exactly as they come."""

from __future__ import annotations

import pytest

from polychat.sandbox.multipart import Part, parse

TYPE = 'multipart/form-data; boundary="b0"'


def form(*parts: bytes, close: bytes = b"--b0--\r\n") -> bytes:
    """A body of the given parts."""
    return b"".join(b"--b0\r\n" + part + b"\r\n" for part in parts) + close


def test_every_byte_of_a_part_survives():
    """Line ends of all kinds, dashes and zero bytes are data, not form."""
    data = b"\r\n\r--b1\n\x00\xff--\r\n"
    body = form(
        b'Content-Disposition: form-data; name="image"; filename="a b.png"\r\nContent-Type: image/png\r\n\r\n' + data,
        b'content-disposition: form-data; name="note"\r\n\r\n',
    )
    assert parse(TYPE, body) == (
        Part(name="image", filename="a b.png", media_type="image/png", data=data),
        Part(name="note", filename=None, media_type=None, data=b""),
    )


def test_a_file_name_may_be_in_any_script():
    """As raw UTF-8 (browsers) or as `filename*` (RFC 5987)."""
    raw = form('Content-Disposition: form-data; name="f"; filename="кот.png"\r\n\r\n1'.encode())
    encoded = form(b"Content-Disposition: form-data; name=\"f\"; filename*=UTF-8''%D0%BA%D0%BE%D1%82.png\r\n\r\n1")
    assert [parse(TYPE, body)[0].filename for body in (raw, encoded)] == ["кот.png", "кот.png"]


@pytest.mark.parametrize(
    ("content_type", "body", "sentence"),
    [
        ("application/json", b"{}", "not multipart/form-data"),
        ("multipart/form-data", form(), "with a boundary"),
        (TYPE, form(b'Content-Disposition: form-data; name="a"\r\n\r\n1', close=b""), "closing boundary"),
        (TYPE, b"", "closing boundary"),
        (TYPE, form(b'Content-Disposition: form-data; name="a"'), "no blank line"),
        (TYPE, form(b"Content-Disposition: form-data\r\n\r\n1"), "no name"),
    ],
)
def test_a_broken_form_is_not_repaired(content_type, body, sentence):
    """ValueError says what is wrong."""
    with pytest.raises(ValueError, match=sentence):
        parse(content_type, body)
