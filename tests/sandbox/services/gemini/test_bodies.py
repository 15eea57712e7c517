"""Bodies: JSON, of a bounded size."""

from __future__ import annotations

import pytest

PATH = "gemini-2.5-flash:generateContent"


@pytest.mark.parametrize("body", [b"{", b"\xff", b"{} {}", b"hello"])
def test_what_is_no_json_is_refused(post, body):
    """400."""
    answer = post(PATH, body, **{"content-type": "application/json"})
    assert (answer.status, answer.json["error"]["status"]) == (400, "INVALID_ARGUMENT")


def test_no_body_is_an_empty_message(post):
    """In which the contents are missing."""
    answer = post(PATH, b"")
    assert answer.json["error"]["details"][0]["fieldViolations"][0]["field"] == "contents"


@pytest.mark.parametrize("kind", ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x"])
def test_only_json_is_taken(post, kind):
    """Whatever is in it; a character set may be named."""
    body = b'{"contents": {"parts": {"text": "x"}}}'
    assert post(PATH, body, **{"content-type": kind}).status == 400
    assert post(PATH, body, **{"content-type": "application/json; charset=utf-8"}).status == 200


def test_a_request_may_not_be_too_large(post, sandbox):
    """20 MB, or what the knob says."""
    body = b'{"contents": {"parts": {"text": "x"}}}'
    sandbox.knobs("gemini", upload_limit_bytes=len(body))
    assert post(PATH, body).status == 200
    answer = post(PATH, body + b" ")
    assert (answer.status, answer.json["error"]["status"]) == (400, "INVALID_ARGUMENT")
    assert sandbox.knobs("gemini", upload_limit_bytes=20 * 2**20)["upload_limit_bytes"] == 20_971_520
