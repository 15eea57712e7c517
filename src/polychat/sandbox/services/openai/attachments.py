"""Pictures, sounds and documents inside a request: data URIs and base64, opened and judged by their bytes."""

from __future__ import annotations

import base64
import binascii
import re

from polychat.sandbox.services.openai import refusals, sound
from polychat.sandbox.services.openai.refusals import Refusal

_DATA_URI = re.compile(r"data:(?P<type>[\w.+-]+/[\w.+-]+)?(?:;[\w-]+=[^;,]*)*;base64,(?P<data>.*)", re.DOTALL)


def picture(url: str, param: str) -> bytes:
    """The bytes of a picture. Raises: Refusal, also for an address: the sandbox has no network."""
    if url.startswith(("http://", "https://")):
        raise Refusal(f"The picture at {url} cannot be reached from here.", param=param, code="invalid_image_url")
    parts = _DATA_URI.fullmatch(url)
    if parts is None:
        raise Refusal("Not a data URI in base64, nor an address.", param=param, code="invalid_image_url")
    return encoded_picture(parts["data"], param)


def encoded_picture(text: str, param: str) -> bytes:
    """The bytes of a picture in base64. Raises: Refusal."""
    data = _decoded(text, param, "invalid_base64_image")
    if not is_picture(data):
        message = "The bytes are no picture that is taken: PNG, JPEG, GIF or WebP."
        raise Refusal(message, param=param, code="invalid_image_format")
    return data


def is_picture(data: bytes) -> bool:
    """True for the formats that are taken."""
    return data.startswith((b"\x89PNG", b"\xff\xd8\xff", b"GIF8")) or (data[:4], data[8:12]) == (b"RIFF", b"WEBP")


def document(uri: str, param: str) -> bytes:
    """The bytes of a document given as a data URI. Raises: Refusal."""
    parts = _DATA_URI.fullmatch(uri)
    if parts is None:
        raise refusals.invalid_value(param, "expected a data URI in base64.")
    data = _decoded(parts["data"], param, "invalid_value")
    if parts["type"] == "application/pdf" and not data.startswith(b"%PDF-"):
        raise refusals.invalid_value(param, "the bytes are no PDF document.")
    return data


def speech(data: str, form: str, param: str) -> bytes:
    """The bytes of a sound in the form that was said. Raises: Refusal."""
    heard = _decoded(data, f"{param}.data", "invalid_value")
    if sound.kind(heard) != form:
        raise refusals.invalid_value(f"{param}.data", f"the bytes are not {form}.")
    try:
        sound.duration_s(heard)
    except ValueError as mistake:
        raise refusals.invalid_value(f"{param}.data", f"{mistake}.") from None
    return heard


def _decoded(text: str, param: str, code: str) -> bytes:
    try:
        data = base64.b64decode(text, validate=True)
    except binascii.Error:
        data = b""
    if not data:
        raise Refusal(f"'{param}' is not base64, or is empty.", param=param, code=code)
    return data
