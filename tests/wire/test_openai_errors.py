"""wire/openai_errors.py: what a service's own code means."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from polychat.errors import (
    AuthExpired,
    BadRequest,
    ContextTooLong,
    ConversationNotFound,
    Overloaded,
    PolychatError,
    QuotaSpent,
    RateLimited,
    Refused,
    Unavailable,
    UnknownModel,
)
from polychat.wire.openai_errors import explained, inside


def said(**error: Any) -> bytes:
    """The body of an error."""
    return msgspec.json.encode({"error": {"message": "So it is.", **error}})


@pytest.mark.parametrize(
    ("status", "error", "kind"),
    [
        (401, {"code": "invalid_api_key"}, AuthExpired),
        (403, {"type": "invalid_request_error"}, BadRequest),
        (403, {"type": "invalid_request_error", "code": "missing_scope"}, AuthExpired),
        (403, {"code": "unsupported_country_region_territory"}, AuthExpired),
        (404, {"code": "model_not_found"}, UnknownModel),
        (404, {"type": "invalid_request_error", "param": "model"}, UnknownModel),
        (400, {"code": "context_length_exceeded"}, ContextTooLong),
        (400, {"code": "previous_response_not_found", "type": "invalid_request_error"}, ConversationNotFound),
        (400, {"code": "content_policy_violation"}, Refused),
        (400, {"type": "invalid_request_error", "param": "n"}, BadRequest),
        (429, {"code": "insufficient_quota", "type": "insufficient_quota"}, QuotaSpent),
        (429, {"code": "rate_limit_exceeded"}, RateLimited),
        (429, {"code": 402}, QuotaSpent),
        (500, {"type": "server_error"}, Unavailable),
        (529, {"type": "server_error"}, Overloaded),
        (413, {"type": "server_error"}, ContextTooLong),
        (429, {"type": "invalid_request_error"}, RateLimited),
    ],
)
def test_the_code_decides_then_the_type(status: int, error: dict[str, Any], kind: type[PolychatError]) -> None:
    """One status means several things."""
    explanation = explained(status, said(**error), provider="openai")
    assert type(explanation) is kind
    assert explanation is not None
    assert (explanation.provider, explanation.upstream_status) == ("openai", status)
    assert "So it is" in explanation.message


@pytest.mark.parametrize(
    ("status", "body"),
    [(401, b"<html>"), (403, b"<html>"), (500, said(code="strange")), (400, b"[1]")],
)
def test_where_the_body_says_nothing_the_status_does(status: int, body: bytes) -> None:
    """A web page is nobody's code."""
    assert explained(status, body, provider="openai") is None


def test_the_field_is_named() -> None:
    """The sentence is one, without the period, on one line, and not without end."""
    explanation = explained(400, said(type="invalid_request_error", param="tools[0].name"), provider="openai")
    assert str(explanation) == "openai says (tools[0].name): So it is (HTTP 400)"
    long = explained(400, said(type="invalid_request_error", message="x\n" * 900), provider="openai")
    assert long is not None
    assert len(long.message) < 260
    assert "\n" not in long.message


def test_a_key_that_may_not_says_where_to_look() -> None:
    """A challenge for a person it is not."""
    explanation = explained(403, said(code="x"), provider="openai")
    assert explanation is not None
    assert explanation.hint == "see in the service's console what this key may do"


def test_an_error_inside_a_success_has_a_class_too() -> None:
    """The service's trouble, unless it says what it is."""
    assert type(inside(said(), provider="openai")) is Unavailable
    assert type(inside(b'{"error": "busy"}', provider="openai")) is Unavailable
    assert type(inside(said(code="429"), provider="openai")) is RateLimited
