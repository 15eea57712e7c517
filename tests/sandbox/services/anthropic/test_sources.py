"""Pictures and documents: what of them reaches the model, and which are refused."""

from __future__ import annotations

import base64
import hashlib

import pytest

PDF = b"%PDF-1.7\n1 0 obj\n"


def block(kind, **source):
    """A block with a source."""
    return {"messages": [{"role": "user", "content": [{"type": kind, "source": source}]}]}


@pytest.fixture
def shown(chat):
    """shown(*blocks, **fields): what the model says to blocks."""

    def shown(*blocks, **fields):
        return chat([{"role": "user", "content": list(blocks)}], **fields).content[0].text

    return shown


@pytest.mark.parametrize(
    ("form", "media_type"),
    [("PNG", "image/png"), ("JPEG", "image/jpeg"), ("GIF", "image/gif"), ("WEBP", "image/webp")],
)
def test_a_picture_is_seen_byte_by_byte(shown, png, picture, form, media_type):
    """Its format, its size and its digest."""
    data = png(form=form)
    said = shown({"type": "text", "text": "Look"}, picture(data, media_type))
    assert "32 × 16 pixels" in said
    assert f"({len(data):,} bytes, sha256 {hashlib.sha256(data).hexdigest()})" in said


def test_a_pdf_is_seen_byte_by_byte(shown, document):
    """And named by its title."""
    said = shown(document(PDF, title="On cats", context="A book"), {"type": "text", "text": "Read"})
    assert f"a PDF document ({len(PDF)} bytes, sha256 {hashlib.sha256(PDF).hexdigest()})" in said
    assert said.endswith("One document is titled “On cats”.")


def test_a_text_is_a_document_too(shown, document):
    """Of its own bytes."""
    digest = hashlib.sha256("Grüße".encode()).hexdigest()
    assert f"(7 bytes, sha256 {digest})" in shown(document("Grüße"))


def test_a_document_may_consist_of_blocks(shown, png, picture):
    """Each is a file of its own."""
    content = [{"type": "text", "text": "one"}, picture(png())]
    said = shown({"type": "document", "source": {"type": "content", "content": content}})
    assert "I see 2 attachments." in said
    assert f"(3 bytes, sha256 {hashlib.sha256(b'one').hexdigest()})" in said
    assert "32 × 16 pixels" in said


def test_a_document_of_blocks_may_be_one_text(shown):
    """Without a list."""
    said = shown({"type": "document", "source": {"type": "content", "content": "one"}})
    assert f"(3 bytes, sha256 {hashlib.sha256(b'one').hexdigest()})" in said


def test_what_is_too_large_may_be_scaled(shown, png, picture):
    """The setting is taken."""
    assert "32 × 16" in shown(picture(png()) | {"transformations": {"oversized_image": "error"}})


@pytest.mark.parametrize("kind", ["image", "document"])
@pytest.mark.parametrize(
    ("source", "status", "place"),
    [
        ({"type": "url", "url": "http://example.com/a"}, 400, "messages.0.content.0.source.url"),
        ({"type": "url", "url": "https://example.com/a"}, 400, "messages.0.content.0.source.url"),
        ({"type": "file", "file_id": "file_1"}, 404, "file"),
        ({"type": "disk"}, 400, "messages.0.content.0.source.type"),
    ],
)
def test_what_is_not_here_is_refused(refused, kind, source, status, place):
    """The sandbox has no network and keeps no files."""
    assert refused(block(kind, **source)) == (status, place)


@pytest.mark.parametrize("data", ["", "no base64", "AAAA=", "YWJj\n"])
@pytest.mark.parametrize(("kind", "media_type"), [("image", "image/png"), ("document", "application/pdf")])
def test_what_is_no_base64_is_refused(refused, kind, media_type, data):
    """By the place of the data."""
    found = refused(block(kind, type="base64", media_type=media_type, data=data))
    assert found == (400, "messages.0.content.0.source.data")


def test_a_picture_is_what_it_is_said_to_be(refused, png):
    """Its bytes decide."""
    for data, media_type in ((png(form="JPEG"), "image/png"), (b"RIFF1234WAVE", "image/webp"), (PDF, "image/gif")):
        source = {"type": "base64", "media_type": media_type, "data": base64.b64encode(data).decode()}
        assert refused(block("image", **source)) == (400, "messages.0.content.0.source.data")


def test_only_four_forms_of_pictures_are_taken(refused, png):
    """Not BMP."""
    data = base64.b64encode(png(form="BMP")).decode()
    found = refused(block("image", type="base64", media_type="image/bmp", data=data))
    assert found == (400, "messages.0.content.0.source.media_type")


def test_a_document_is_what_it_is_said_to_be(refused):
    """A PDF begins as one; a text is not empty."""
    data = base64.b64encode(b"no PDF").decode()
    found = refused(block("document", type="base64", media_type="application/pdf", data=data))
    assert found == (400, "messages.0.content.0.source.data")
    found = refused(block("document", type="text", media_type="text/plain", data=""))
    assert found == (400, "messages.0.content.0.source.data")
    for content, place in (
        ("", "source.content"),
        ([], "source.content"),
        ([{"type": "text", "text": ""}], "source.content.0.text"),
    ):
        assert refused(block("document", type="content", content=content)) == (400, f"messages.0.content.0.{place}")


def test_a_picture_that_is_too_large_is_refused(post, png, picture):
    """By its size in base64."""
    body = {"messages": [{"role": "user", "content": [picture(png())]}]}
    size = len(body["messages"][0]["content"][0]["source"]["data"])
    assert post(body, f"picture_limit_bytes={size}").status == 200
    answer = post(body, f"picture_limit_bytes={size - 1}")
    assert (answer.status, answer.json["error"]["message"].partition(":")[0]) == (
        400,
        "messages.0.content.0.source.data",
    )
