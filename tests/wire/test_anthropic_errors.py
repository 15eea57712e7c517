"""wire/anthropic_errors.py: what the API's types and codes of errors mean."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from polychat.errors import (
    AuthExpired,
    BadRequest,
    ContextTooLong,
    Overloaded,
    PolychatError,
    QuotaSpent,
    RateLimited,
    Unavailable,
    UnknownModel,
)
from polychat.wire.anthropic_errors import explained, inside


def said(kind: str | None = "invalid_request_error", code: str | None = None, **error: Any) -> bytes:
    """The body of an error."""
    details = None if code is None else {"error_code": code, "more": 1}
    whole = {"type": kind, "message": "So it is.", "details": details, **error}
    return msgspec.json.encode({"type": "error", "error": whole, "request_id": "req_1"})


def meant(status: int, body: bytes, **headers: str) -> PolychatError | None:
    """What it means."""
    return explained(status, headers, body, provider="anthropic")


@pytest.mark.parametrize(
    ("status", "kind", "means"),
    [
        (400, "invalid_request_error", BadRequest),
        (401, "authentication_error", AuthExpired),
        (402, "billing_error", QuotaSpent),
        (403, "permission_error", AuthExpired),
        (404, "not_found_error", UnknownModel),
        (404, "invalid_request_error", BadRequest),
        (409, "conflict_error", BadRequest),
        (413, "request_too_large", ContextTooLong),
        (413, "invalid_request_error", ContextTooLong),
        (429, "rate_limit_error", RateLimited),
        (429, "invalid_request_error", RateLimited),
        (500, "api_error", Unavailable),
        (504, "timeout_error", Unavailable),
        (529, "overloaded_error", Overloaded),
        (529, "api_error", Overloaded),
        (401, "a_new_one", AuthExpired),
        (402, "a_new_one", QuotaSpent),
        (403, "a_new_one", AuthExpired),
        (413, "a_new_one", ContextTooLong),
        (429, "a_new_one", RateLimited),
        (529, "a_new_one", Overloaded),
    ],
)
def test_the_type_decides_then_the_status(status: int, kind: str, means: type[PolychatError]) -> None:
    """A type that says everything leaves it to the status, and so does one that is new."""
    explanation = meant(status, said(kind))
    assert type(explanation) is means
    assert explanation is not None
    assert (explanation.provider, explanation.upstream_status) == ("anthropic", status)


@pytest.mark.parametrize(
    ("status", "kind", "code", "means"),
    [
        (429, "rate_limit_error", "enforced_spend_limit_reached", QuotaSpent),
        (429, "rate_limit_error", "contract_spend_limit_reached", QuotaSpent),
        (429, "rate_limit_error", "ramp_limit_exceeded", RateLimited),
        (400, "invalid_request_error", "linked_organization_spend_limit_reached", QuotaSpent),
        (400, "invalid_request_error", "linked_organization_billing_unavailable", QuotaSpent),
        (400, "invalid_request_error", "organization_on_hold", AuthExpired),
        (400, "invalid_request_error", "claude_code_key_creator_not_member", AuthExpired),
        (400, "invalid_request_error", "tool_name_conflict", BadRequest),
        (404, "not_found_error", "file_expired", BadRequest),
        (404, "not_found_error", "thread_not_found", BadRequest),
    ],
)
def test_the_code_goes_before_the_type(status: int, kind: str, code: str, means: type[PolychatError]) -> None:
    """It names the cause; one that is not ours to tell apart is as its type."""
    assert type(meant(status, said(kind, code))) is means


def test_words_decide_nothing() -> None:
    """A talk that is too long has no code."""
    assert type(meant(400, said(message="prompt is too long: 210000 tokens > 200000 maximum"))) is BadRequest


@pytest.mark.parametrize(
    ("status", "body"),
    [(401, b"<html>"), (403, b""), (500, said("a_new_one")), (400, b"[1]"), (400, b'{"error":"no"}'), (500, b"\xff")],
)
def test_where_the_body_says_nothing_the_status_does(status: int, body: bytes) -> None:
    """A web page is nobody's code."""
    assert meant(status, body) is None


def test_the_sentence_is_one() -> None:
    """On one line, without the period, and not without end."""
    assert str(meant(400, said())) == "anthropic says: So it is (HTTP 400)"
    assert str(meant(400, said(message=None))) == "anthropic says: nothing more (HTTP 400)"
    long = meant(400, said(message="x\n" * 900))
    assert long is not None
    assert long.message.count("x") == 100
    assert "\n" not in long.message


def test_the_number_of_the_request_is_kept() -> None:
    """From the body, or from the header that has it too."""
    told = [meant(400, said()), meant(400, b'{"error":{"type":"api_error"}}', **{"request-id": "req_2"})]
    assert [error and error.request_id for error in told] == ["req_1", "req_2"]


def test_a_key_that_may_not_says_where_to_look() -> None:
    """Another sign-in would not help; it does where the key is not known at all."""
    hints = {status: meant(status, said("permission_error")) for status in (401, 403)}
    assert {status: error and error.hint for status, error in hints.items()} == {
        401: "sign in again: polychat login anthropic",
        403: "see in the service's console what this key may do",
    }


@pytest.mark.parametrize(
    ("kind", "means"),
    [
        ("authentication_error", AuthExpired),
        ("permission_error", AuthExpired),
        ("billing_error", QuotaSpent),
        ("not_found_error", UnknownModel),
        ("conflict_error", BadRequest),
        ("request_too_large", ContextTooLong),
        ("rate_limit_error", RateLimited),
        ("timeout_error", Unavailable),
        ("overloaded_error", Overloaded),
        ("invalid_request_error", BadRequest),
        ("api_error", Unavailable),
    ],
)
def test_inside_a_success_the_type_is_all_there_is(kind: str, means: type[PolychatError]) -> None:
    """No status helps."""
    assert type(inside(said(kind), provider="anthropic")) is means


def test_an_error_inside_a_success_has_a_class_too() -> None:
    """The service's trouble, unless it says what it is."""
    assert type(inside(said("rate_limit_error", "ramp_limit_exceeded"), provider="anthropic")) is RateLimited
    assert type(inside(said("a_new_one"), provider="anthropic")) is Unavailable
    assert type(inside(b'{"error": "busy"}', provider="anthropic")) is Unavailable
    error = inside(said("api_error"), provider="anthropic")
    assert (error.message, error.upstream_status) == ("anthropic says: So it is (inside a successful answer)", None)
