"""multipart/form-data (RFC 7578), whole and in memory: bytes in, parts out.

Written for judging clients, so nothing is repaired: a body without its closing boundary, or a part without a name,
is an error.
"""

from __future__ import annotations

import email
import email.policy

import msgspec


class Part(msgspec.Struct, frozen=True, kw_only=True):
    """One field of the form, exactly as it was sent."""

    name: str
    filename: str | None
    media_type: str | None  # as declared; None when the part declares none
    data: bytes


def parse(content_type: str, body: bytes) -> tuple[Part, ...]:
    """The parts of `body` in order.

    Raises: ValueError, saying in one sentence what is wrong with the form.
    """
    declared = _headers(f"content-type: {content_type}")
    boundary = declared.get_param("boundary")
    if declared.get_content_type() != "multipart/form-data" or not isinstance(boundary, str):
        raise ValueError("the body is not multipart/form-data with a boundary")
    delimiter = b"\r\n--" + boundary.encode()
    _preamble, *sections = (b"\r\n" + body).split(delimiter)
    if not sections or not sections[-1].startswith(b"--"):
        raise ValueError("the form does not end with its closing boundary")
    return tuple(_part(section) for section in sections[:-1])


def _part(section: bytes) -> Part:
    head, found, data = section.partition(b"\r\n\r\n")
    if not found:
        raise ValueError("a part of the form has no blank line after its headers")
    headers = _headers(head.removeprefix(b"\r\n").decode("utf-8", "replace"))
    name = headers.get_param("name", header="content-disposition")
    if not isinstance(name, str):
        raise ValueError("a part of the form has no name")
    media_type = headers.get_content_type() if "content-type" in headers else None
    return Part(name=name, filename=headers.get_filename(), media_type=media_type, data=data)


def _headers(text: str) -> email.message.EmailMessage:
    message = email.message_from_string(f"{text}\r\n\r\n", policy=email.policy.HTTP)
    assert isinstance(message, email.message.EmailMessage)
    return message
