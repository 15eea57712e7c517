"""Bodies that cannot be read, and the places of mistakes."""

from __future__ import annotations

import pytest


def test_only_json_is_taken(refused):
    """A body that says nothing of its type is none."""
    assert refused(b"{}") == (400, "content-type")


@pytest.mark.parametrize("body", [b"", b"{", b"\xff"])
def test_what_is_said_to_be_json_must_be(post, body):
    """400."""
    answer = post(body, content_type="application/json")
    assert (answer.status, answer.json["error"]["message"]) == (400, "the body of the request is not valid JSON")


@pytest.mark.parametrize(("body", "place"), [(b"[]", "body"), (b"1", "body"), (b"{}", "messages")])
def test_a_body_is_an_object(post, body, place):
    """With what it must have."""
    answer = post(body, content_type="application/json; charset=utf-8")
    assert (answer.status, answer.json["error"]["message"].partition(":")[0]) == (400, place)


def test_a_body_that_is_too_large_is_refused(post):
    """413 with both sizes."""
    answer = post({"system": "x" * 100}, "upload_limit_bytes=150")
    assert (answer.status, answer.json["error"]["type"]) == (413, "request_too_large")
    assert answer.json["error"]["message"].endswith("at most 150 are taken")


def test_a_place_is_a_path_with_dots(refused):
    """Through lists and blocks."""
    content = [{"type": "text", "text": "x"}, {"type": "text", "text": "x", "cache_control": {"type": "x"}}]
    assert refused({"messages": [{"role": "user", "content": content}]}) == (
        400,
        "messages.0.content.1.cache_control.type",
    )
