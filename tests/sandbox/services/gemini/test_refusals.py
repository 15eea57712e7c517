"""Errors in the form of `google.rpc`."""

from __future__ import annotations

import pytest

from polychat.sandbox.services.gemini import refusals


def test_several_fields_are_told_at_once(post):
    """Each with its own sentence, all of them in the message."""
    error = post("gemini-2.5-flash:generateContent", {"contents": [], "a": 1, "b": 2}).json["error"]
    first, second = error["details"][0]["fieldViolations"]
    assert error["details"][0]["@type"] == "type.googleapis.com/google.rpc.BadRequest"
    assert error["message"] == f"{first['description']}\n{second['description']}"


@pytest.mark.parametrize(("wait_s", "said"), [(0.2, "1s"), (12, "12s"), (12.01, "13s")])
def test_a_time_to_wait_is_told_in_whole_seconds(wait_s, said):
    """Never too short."""
    refusal = refusals.exhausted("requests", "PerMinute", 5, "m", wait_s)
    assert f'"retryDelay":"{said}"'.encode() in refusal.response().body


@pytest.mark.parametrize(
    ("status", "word"), [(418, "FAILED_PRECONDITION"), (529, "INTERNAL"), (413, "OUT_OF_RANGE"), (499, "CANCELLED")]
)
def test_every_status_has_a_word(status, word):
    """Also those the service does not know."""
    assert refusals.error(status, "x") == {"error": {"code": status, "message": "x", "status": word}}
