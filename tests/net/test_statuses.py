"""net/statuses.py: an unsuccessful answer as the error it is."""

from __future__ import annotations

import pytest

from polychat.errors import (
    AuthExpired,
    BadRequest,
    ChallengeRequired,
    ContextTooLong,
    FormatChanged,
    Overloaded,
    PolychatError,
    QuotaSpent,
    RateLimited,
    Unavailable,
)
from polychat.net.statuses import error_for, quote

CLASSES: list[tuple[int, type[PolychatError]]] = [
    (302, FormatChanged), (400, BadRequest), (401, AuthExpired), (402, QuotaSpent), (403, ChallengeRequired),
    (404, BadRequest), (408, Unavailable), (413, ContextTooLong), (422, BadRequest), (429, RateLimited),
    (500, Unavailable), (502, Unavailable), (503, Unavailable), (520, Unavailable), (529, Overloaded),
]  # fmt: skip


@pytest.mark.parametrize(("status", "expected"), CLASSES)
def test_the_status_decides_and_not_the_words(status: int, expected: type[PolychatError]) -> None:
    """A 500 that speaks of tokens is still the service's trouble."""
    error = error_for(
        status, {"x-request-id": "r1"}, b'{"detail":"invalid token, quota, captcha"}', provider="p", now=0
    )
    assert type(error) is expected
    assert (error.upstream_status, error.request_id, error.provider) == (status, "r1", "p")
    assert "invalid token" in error.message


def test_how_long_to_wait_is_told_in_seconds() -> None:
    """Milliseconds and dates become seconds, in the error and in its words."""
    error = error_for(429, {"retry-after-ms": "1500"}, b"", provider="p", now=0)
    assert (error.retry_after_s, error.hint) == (1.5, "try again in 2 s")


def test_a_request_has_its_number_under_either_name() -> None:
    """Services differ in the header; a person who writes to one needs the number."""
    assert error_for(500, {"request-id": "r2"}, b"", provider="p", now=0).request_id == "r2"


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        (b'{"detail":"No."}', "No."),
        (b'{"error":{"message":"No.","code":1}}', "No."),
        (b'{"error":"No."}', "No."),
        (b'{"message":"No."}', "No."),
        (b'{"detail":[{"loc":["body","messages",0],"msg":"empty","type":"x"}]}', "body.messages.0: empty"),
        (b'{"code":7}', '{"code":7}'),
        (b"plain\n words", "plain words"),
        (b"<!DOCTYPE html><title>Just a moment...</title>", "a web page “Just a moment...”"),
        (b"\xff\xfe", "��"),
        (b'{"detail":"' + b"x" * 1000 + b'"}', "x" * 200),
        (b"", ""),
    ],
)
def test_the_services_own_words_are_quoted_on_one_short_line(body: bytes, expected: str) -> None:
    """Whatever envelope they come in."""
    assert quote(body) == expected
