"""Bytes inside a request: seen whole, counted by sort, and of the type they say."""

from __future__ import annotations

import hashlib

import pytest
from google.genai import types

from polychat.sandbox.services.gemini import blobs

PDF = b"%PDF-1.7\n%%EOF"
WAV = b"RIFF\x24\0\0\0WAVEfmt "


def asked(part):
    """A question with one thing shown."""
    return {"contents": [{"role": "user", "parts": [{"text": "What is it?"}, part]}]}


def test_a_picture_is_described_from_its_bytes(generate, png):
    """Whole, as its digest shows."""
    data = png(30, 20, "blue")
    told = generate(["What?", types.Part.from_bytes(data=data, mime_type="image/png")])
    size, digest = len(data), hashlib.sha256(data).hexdigest()
    assert f"a PNG picture, 30 × 20 pixels, mostly blue ({size} bytes, sha256 {digest})" in told.text
    assert [(it.modality.value, it.token_count) for it in told.usage_metadata.prompt_tokens_details] == [
        ("TEXT", 1), ("IMAGE", 256),
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("data", "media_type", "modality"),
    [
        (PDF, "application/pdf", "DOCUMENT"),
        (b"Dear reader", "text/plain", "DOCUMENT"),
        (WAV, "audio/wav", "AUDIO"),
        (b"\1\0", "audio/pcm;rate=16000", "AUDIO"),
        (b"\0\0\0\x18ftypmp42", "video/mp4", "VIDEO"),
        (b"\0\0\0\x18ftypheic", "image/heic", "IMAGE"),
    ],
)
def test_other_things_are_named_with_size_and_digest(generate, data, media_type, modality):
    """And with the type they came as, unless it is a picture."""
    told = generate(["Hm", types.Part.from_bytes(data=data, mime_type=media_type)])
    assert f"({len(data)} bytes, sha256 {hashlib.sha256(data).hexdigest()})" in told.text
    assert (f"Attachment 1 came as {media_type}." in told.text) is (modality != "IMAGE")
    assert told.usage_metadata.prompt_tokens_details[-1].modality.value == modality


@pytest.mark.parametrize(
    ("modality", "types"),
    [
        ("IMAGE", "image/png image/jpeg image/webp image/heic image/heif"),
        ("AUDIO", "audio/wav audio/mp3 audio/aiff audio/aac audio/ogg audio/flac audio/mpeg audio/opus audio/webm"),
        ("VIDEO", "video/mp4 video/mpeg video/mov video/avi video/x-flv video/mpg video/webm video/wmv video/3gpp"),
        ("DOCUMENT", "application/pdf text/plain text/html text/css text/csv text/markdown text/xml text/rtf"),
        (None, "image/gif image/bmp audio/midi video/ogg application/json application/zip text/calendar plain"),
    ],
)
def test_types_are_of_a_sort_or_not_taken(modality, types):
    """As the public pages list them."""
    assert {blobs.modality(one) for one in types.split()} == {modality}


@pytest.mark.parametrize("form", ["PNG", "JPEG", "WEBP"])
def test_a_picture_is_of_the_type_it_says(answered, wrong, blob, png, form):
    """Of each that can be opened, and of no other."""
    data = png(form=form)
    assert answered(asked(blob(data, f"image/{form.lower()}")))["finishReason"] == "STOP"
    for other in {"png", "jpeg", "webp"} - {form.lower()}:
        assert wrong(asked(blob(data, f"image/{other}"))) == ["contents[0].parts[1].inline_data.data"]


@pytest.mark.parametrize(
    ("data", "media_type", "field"),
    [
        (b"x", "", "mime_type"),
        (b"x", "image/gif", "mime_type"),
        (b"x", "application/zip", "mime_type"),
        (b"x", "audio/midi", "mime_type"),
        (b"x", "text/calendar", "mime_type"),
        (b"", "image/png", "data"),
        (b"\x89PNG\r\n\x1a\n", "image/png", "data"),
        (b"x", "application/pdf", "data"),
        (b"xxxxxxxxxxxx", "image/heif", "data"),
    ],
)
def test_what_cannot_be_taken_is_refused(wrong, blob, data, media_type, field):
    """A type that is none of the supported, or bytes that are not of it."""
    assert wrong(asked(blob(data, media_type))) == [f"contents[0].parts[1].inline_data.{field}"]


def test_a_broken_picture_is_refused(wrong, blob, png):
    """Its pixels end early."""
    assert wrong(asked(blob(png(200, 200)[:-40]))) == ["contents[0].parts[1].inline_data.data"]
