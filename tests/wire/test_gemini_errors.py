"""wire/gemini_errors.py: what Google's status means."""

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
from polychat.wire.gemini_errors import Tail, explained, inside

RPC = "type.googleapis.com/google.rpc."
RETRY = {"@type": f"{RPC}RetryInfo", "retryDelay": "37s"}


def said(status: str = "", *details: Any, message: str = "So it is.") -> bytes:
    """The body of an error."""
    return msgspec.json.encode({"error": {"code": 1, "message": message, "status": status, "details": details}})


def reason(word: str) -> dict[str, Any]:
    """What `ErrorInfo` says."""
    return {"@type": f"{RPC}ErrorInfo", "reason": word, "domain": "googleapis.com", "metadata": {}}


def quota(*ids: str) -> dict[str, Any]:
    """What `QuotaFailure` says."""
    violations = [{"quotaMetric": "m", "quotaId": one, "quotaDimensions": {"model": "x"}} for one in ids]
    return {"@type": f"{RPC}QuotaFailure", "violations": violations}


PER_MINUTE, PER_DAY = "GenerateRequestsPerMinutePerProjectPerModel", "GenerateRequestsPerDayPerProjectPerModel-FreeTier"


@pytest.mark.parametrize(
    ("status", "body", "kind"),
    [
        (400, said("INVALID_ARGUMENT"), BadRequest),
        (400, said("INVALID_ARGUMENT", reason("API_KEY_INVALID")), AuthExpired),
        (400, said("FAILED_PRECONDITION"), AuthExpired),
        (400, said("OUT_OF_RANGE"), BadRequest),
        (401, said("UNAUTHENTICATED"), AuthExpired),
        (402, said("FAILED_PRECONDITION"), QuotaSpent),
        (403, said("PERMISSION_DENIED"), AuthExpired),
        (403, said("PERMISSION_DENIED", reason("API_KEY_SERVICE_BLOCKED")), AuthExpired),
        (403, said("PERMISSION_DENIED", reason("BILLING_DISABLED")), QuotaSpent),
        (403, said("PERMISSION_DENIED", reason("RATE_LIMIT_EXCEEDED")), RateLimited),
        (400, said("INVALID_ARGUMENT", reason("API_KEY_EXPIRED")), AuthExpired),
        (409, said("ABORTED"), Unavailable),
        (404, said("NOT_FOUND"), UnknownModel),
        (413, said("OUT_OF_RANGE"), ContextTooLong),
        (429, said("RESOURCE_EXHAUSTED"), RateLimited),
        (429, said("RESOURCE_EXHAUSTED", quota(PER_MINUTE), RETRY), RateLimited),
        (429, said("RESOURCE_EXHAUSTED", quota(PER_MINUTE, PER_DAY), RETRY), QuotaSpent),
        (429, said("ODD"), RateLimited),
        (499, said("CANCELLED"), Unavailable),
        (500, said("INTERNAL"), Unavailable),
        (501, said("UNIMPLEMENTED"), BadRequest),
        (503, said("UNAVAILABLE"), Unavailable),
        (500, said("UNKNOWN"), Unavailable),
        (500, said("DATA_LOSS"), Unavailable),
        (504, said("DEADLINE_EXCEEDED"), Unavailable),
        (529, said("INTERNAL"), Overloaded),
    ],
)
def test_a_reason_decides_then_the_quota_then_status_and_word(
    status: int, body: bytes, kind: type[PolychatError]
) -> None:
    """One status means several things; a list of one error is that error."""
    for form in (body, b"[" + body + b"]\n"):
        explanation = explained(status, form, provider="gemini")
        assert explanation is not None
        assert type(explanation) is kind
        assert (explanation.provider, explanation.upstream_status) == ("gemini", status)
        assert explanation.message == f"gemini says: So it is (HTTP {status})"


@pytest.mark.parametrize(
    ("status", "body"),
    [
        (401, b"<html>"), (403, b"<html>"), (500, said("STRANGE")), (400, b"[1]"), (400, b"[]"), (400, b'{"a": 1}'),
        (422, said("FAILED_PRECONDITION")), (400, b""),
    ],
)  # fmt: skip
def test_where_the_body_says_nothing_the_status_does(status: int, body: bytes) -> None:
    """A web page is nobody's word, and a word of another status is none."""
    assert explained(status, body, provider="gemini") is None


@pytest.mark.parametrize(
    ("delay", "wait_s"), [("37s", 37.0), ("0.25s", 0.25), ("12.000340s", 12.00034), ("soon", None), ("1m", None)]
)
def test_how_long_to_wait_is_told(delay: str, wait_s: float | None) -> None:
    """In seconds, as protobuf writes a duration."""
    explanation = explained(429, said("RESOURCE_EXHAUSTED", {"retryDelay": delay}), provider="gemini")
    assert explanation is not None
    assert explanation.retry_after_s == wait_s


def test_a_spent_day_is_not_back_in_a_minute() -> None:
    """Whatever `RetryInfo` says."""
    explanation = explained(429, said("RESOURCE_EXHAUSTED", quota(PER_DAY), RETRY), provider="gemini")
    assert explanation is not None
    assert explanation.retry_after_s is None
    assert explanation.hint is None


def test_the_field_is_named() -> None:
    """Where the sentence does not name it; on one line, and not without end."""
    details = {"@type": f"{RPC}BadRequest", "fieldViolations": [{"field": "contents[0].parts", "description": "?"}]}
    explanation = explained(400, said("INVALID_ARGUMENT", details), provider="gemini")
    assert explanation is not None
    assert explanation.message == "gemini says (contents[0].parts): So it is (HTTP 400)"
    named = explained(400, said("INVALID_ARGUMENT", details, message="contents[0].parts:\nempty."), provider="gemini")
    assert named is not None
    assert named.message == "gemini says: contents[0].parts: empty (HTTP 400)"
    long = explained(400, said("INVALID_ARGUMENT", message="x\n" * 900), provider="gemini")
    assert long is not None
    assert len(long.message) < 260


@pytest.mark.parametrize(
    ("status", "body", "hint"),
    [
        (403, said("PERMISSION_DENIED"), "see in Google AI Studio what this key and its project may do"),
        (400, said("FAILED_PRECONDITION"), "see in Google AI Studio what this key and its project may do"),
        (
            400,
            said("", reason("API_KEY_INVALID")),
            "make a key in Google AI Studio, then: polychat login gemini --key -",
        ),
        (429, said("RESOURCE_EXHAUSTED", RETRY), "try again in 37 s"),
        (400, said("INVALID_ARGUMENT"), None),
    ],
)
def test_the_hint_says_how_to_mend_it(status: int, body: bytes, hint: str | None) -> None:
    """A key that may not is another thing than one that is wrong."""
    explanation = explained(status, body, provider="gemini")
    assert explanation is not None
    assert explanation.hint == hint


def test_an_error_inside_a_success_has_a_class_too() -> None:
    """The service's trouble, unless it says what it is."""
    assert type(inside(b"{}", provider="gemini")) is Unavailable
    assert (
        inside(b'{"error": {}}', provider="gemini").message == "gemini says: nothing more (inside a successful answer)"
    )
    assert inside(said("INTERNAL", message=""), provider="gemini").message.startswith("gemini says: INTERNAL")
    assert type(inside(said("INVALID_ARGUMENT"), provider="gemini")) is Unavailable  # code 1 is no status of Google's
    assert type(inside(b'{"error": {"code": 404, "status": "NOT_FOUND"}}', provider="gemini")) is UnknownModel
    assert type(inside(b'{"error": {"status": "PERMISSION_DENIED"}}', provider="gemini")) is AuthExpired
    assert type(inside(b'{"error": {"status": "UNAUTHENTICATED"}}', provider="gemini")) is AuthExpired
    assert type(inside(b'{"error": {"status": "RESOURCE_EXHAUSTED"}}', provider="gemini")) is RateLimited


def test_a_tail_without_an_error_raises_nothing() -> None:
    """Also one that looks like the beginning of one."""
    for end in (b"", b'data: {"error": {"code": 1}}\n\n', b'{"error": 1}', b'{"error": {"code": 503}} and more'):
        tail = Tail()
        tail.add(b"data: {}\n\n")
        tail.add(end)
        tail.raise_error("gemini")
