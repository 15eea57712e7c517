"""Errors of the Gemini API: Google's `Status`, in an unsuccessful answer or inside a successful one.

    {"error": {"code": 429, "message": "...", "status": "RESOURCE_EXHAUSTED", "details": [
        {"@type": "type.googleapis.com/google.rpc.ErrorInfo", "reason": "API_KEY_INVALID"},
        {"@type": "type.googleapis.com/google.rpc.RetryInfo", "retryDelay": "37s"},
        {"@type": "type.googleapis.com/google.rpc.QuotaFailure", "violations": [{"quotaId": "...PerDay..."}]},
        {"@type": "type.googleapis.com/google.rpc.BadRequest", "fieldViolations": [{"field": "..."}]}]}}

A method that streams may put it into a list of one. A reason of `ErrorInfo` decides, then what a 429 is about: a quota
of a day is spent, however soon `RetryInfo` wants one back, and one of a minute comes back. Then the HTTP status where
it is narrower than Google's word, else the word, with the statuses that Google's words have. Shapes as in
google/rpc/status.proto, code.proto and error_details.proto, and as `google-genai` 3.4 reads them; 2026-11.
"""

from __future__ import annotations

import re
from collections import deque

import msgspec

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

_LONGEST = 200  # characters of the service's own words
_NOT_THIS_KEY = "see in Google AI Studio what this key and its project may do"
_ANOTHER_KEY = "make a key in Google AI Studio, then: polychat login gemini --key -"
_DAILY = "PerDay"  # in the id of a quota
_SECONDS = re.compile(r"[0-9]+(\.[0-9]+)?s")

_BY_REASON: dict[str, type[PolychatError]] = {
    "API_KEY_INVALID": AuthExpired,
    "API_KEY_EXPIRED": AuthExpired,
    "BILLING_DISABLED": QuotaSpent,
    "RATE_LIMIT_EXCEEDED": RateLimited,
}
_BY_WORD: dict[str, type[PolychatError]] = {
    "INVALID_ARGUMENT": BadRequest,
    "OUT_OF_RANGE": BadRequest,
    "FAILED_PRECONDITION": AuthExpired,  # no free tier where the person is, no billing: of the key's project
    "UNAUTHENTICATED": AuthExpired,
    "PERMISSION_DENIED": AuthExpired,
    "NOT_FOUND": UnknownModel,
    "RESOURCE_EXHAUSTED": RateLimited,
    "ABORTED": Unavailable,
    "CANCELLED": Unavailable,
    "DATA_LOSS": Unavailable,
    "DEADLINE_EXCEEDED": Unavailable,
    "INTERNAL": Unavailable,
    "UNAVAILABLE": Unavailable,
    "UNKNOWN": Unavailable,
    "UNIMPLEMENTED": BadRequest,
}
_BY_STATUS: dict[int, type[PolychatError]] = {
    401: AuthExpired, 402: QuotaSpent, 413: ContextTooLong, 429: RateLimited, 529: Overloaded,
}  # fmt: skip
_WORDED = frozenset({0, 400, 403, 404, 409, 499, 500, 501, 503, 504})  # none, and those of google.rpc.Code


class _Violation(msgspec.Struct, rename="camel"):
    field: str | None = None  # of a bad request
    quota_id: str | None = None  # of a quota


class _Detail(msgspec.Struct, rename="camel"):
    """Any of the details; only the fields of its type are there."""

    reason: str | None = None
    retry_delay: str | None = None
    violations: list[_Violation] = []
    field_violations: list[_Violation] = []


class _Error(msgspec.Struct):
    code: int | None = None
    message: str | None = None
    status: str | None = None
    details: list[_Detail] = []


class _Body(msgspec.Struct):
    error: _Error


_decoder = msgspec.json.Decoder(_Body | list[_Body])
_REMEMBERED_BYTES = 64 * 1024  # of the end of a stream
_BARE = re.compile(rb'^[ \t,\[]*(\{\s*"error"\s*:.*\})[\s\]]*\Z', re.DOTALL | re.MULTILINE)


def explained(status: int, body: bytes, *, provider: str) -> PolychatError | None:
    """What an unsuccessful answer means; None where its status says it all."""
    found = _read(body)
    kind = found and _kind(found, status)
    return _error(kind, found, provider, status) if kind and found else None


def inside(body: bytes, *, provider: str) -> PolychatError:
    """What an error means that came with a status of success; the service's trouble, unless it says what it is."""
    found = _read(body) or _Error()
    return _error(_kind(found, found.code or 0) or Unavailable, found, provider, None)


class Tail:
    """The end of a stream, where an error may stand outside of any event: bare JSON, over several lines."""

    def __init__(self) -> None:
        self._reads: deque[bytes] = deque()
        self._size_bytes = 0

    def add(self, data: bytes) -> None:
        """The next read."""
        self._reads.append(data)
        self._size_bytes += len(data)
        while self._size_bytes - len(self._reads[0]) > _REMEMBERED_BYTES:
            self._size_bytes -= len(self._reads.popleft())

    def raise_error(self, provider: str) -> None:
        """Raise what the stream ended with, if that is an error."""
        found = _BARE.search(b"".join(self._reads)[-_REMEMBERED_BYTES:])
        if found and _read(found.group(1)) is not None:
            raise inside(found.group(1), provider=provider)


def _read(body: bytes) -> _Error | None:
    try:
        found: _Body | list[_Body] = _decoder.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError):
        return None
    if isinstance(found, list):
        return found[0].error if found else None
    return found.error


def _kind(error: _Error, status: int) -> type[PolychatError] | None:
    for detail in error.details:
        if detail.reason in _BY_REASON:
            return _BY_REASON[detail.reason]
    if any(_DAILY in (broken.quota_id or "") for detail in error.details for broken in detail.violations):
        return QuotaSpent
    return _BY_STATUS.get(status) or (_BY_WORD.get(error.status or "") if status in _WORDED else None)


def _error(kind: type[PolychatError], error: _Error, provider: str, status: int | None) -> PolychatError:
    said = " ".join((error.message or "").split())[:_LONGEST].rstrip(".")
    fields = [broken.field for detail in error.details for broken in detail.field_violations if broken.field]
    place = f" ({fields[0]})" if fields and fields[0] not in said else ""
    where = "inside a successful answer" if status is None else f"HTTP {status}"
    wait_s = None if kind is QuotaSpent else _wait_s(error)
    return kind(
        f"{provider} says{place}: {said or error.status or 'nothing more'} ({where})",
        hint=_hint(kind, status, error) if wait_s is None else f"try again in {wait_s:.0f} s",
        provider=provider,
        upstream_status=status,
        retry_after_s=wait_s,
    )


def _hint(kind: type[PolychatError], status: int | None, error: _Error) -> str | None:
    if kind is not AuthExpired:
        return None
    refused = status == 403 or error.status in {"PERMISSION_DENIED", "FAILED_PRECONDITION"}
    return _NOT_THIS_KEY if refused else _ANOTHER_KEY


def _wait_s(error: _Error) -> float | None:
    """How long `RetryInfo` wants one to wait."""
    for detail in error.details:
        if detail.retry_delay and _SECONDS.fullmatch(detail.retry_delay):
            return float(detail.retry_delay[:-1])
    return None
