"""Errors of Anthropic's API, in an unsuccessful answer or inside a successful one.

    {"type": "error", "error": {"type": "rate_limit_error", "message": "...",
                                "details": {"error_code": "enforced_spend_limit_reached"}}, "request_id": "req_..."}

`details.error_code` decides, then the type; the two types that say everything and nothing (`invalid_request_error`,
`api_error`) leave it to the status. The words of a message never decide: a talk that is too long has no code of its
own, and is a `BadRequest` unless it came as 413. What is not found, where one asks for an answer, is the model. Types,
codes and their meanings as in Anthropic's own Python package 2.12 and the API's page of errors; 2026-11.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

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
_NOT_THIS_KEY = "see in the service's console what this key may do"

_BY_CODE: dict[str, type[PolychatError]] = {
    "contract_spend_limit_reached": QuotaSpent,
    "enforced_spend_limit_reached": QuotaSpent,
    "linked_organization_billing_unavailable": QuotaSpent,
    "linked_organization_spend_limit_reached": QuotaSpent,
    "organization_on_hold": AuthExpired,
    "claude_code_key_creator_not_member": AuthExpired,
    "file_expired": BadRequest,
    "thread_not_found": BadRequest,
}
_BY_TYPE: dict[str, type[PolychatError]] = {
    "authentication_error": AuthExpired,
    "permission_error": AuthExpired,
    "billing_error": QuotaSpent,
    "not_found_error": UnknownModel,
    "conflict_error": BadRequest,
    "request_too_large": ContextTooLong,
    "rate_limit_error": RateLimited,
    "timeout_error": Unavailable,
    "overloaded_error": Overloaded,
    "invalid_request_error": BadRequest,
    "api_error": Unavailable,
}
_GENERAL = frozenset({"invalid_request_error", "api_error"})
_BY_STATUS: dict[int, type[PolychatError]] = {
    401: AuthExpired, 402: QuotaSpent, 403: AuthExpired, 408: Unavailable, 413: ContextTooLong, 429: RateLimited,
    529: Overloaded,
}  # fmt: skip


class _Details(msgspec.Struct):
    error_code: str | None = None


class _Error(msgspec.Struct):
    type: str | None = None
    message: str | None = None
    details: _Details | None = None


class _Body(msgspec.Struct):
    error: _Error
    request_id: str | None = None


def explained(status: int, headers: Mapping[str, str], body: bytes, *, provider: str) -> PolychatError | None:
    """What an unsuccessful answer means; None where its status says it all. `headers` have lower-case names."""
    found = _read(body)
    kind = _kind(found.error, status) if found else None
    if found is None or kind is None:
        return None
    details: dict[str, Any] = {"request_id": found.request_id or headers.get("request-id"), "upstream_status": status}
    if kind is AuthExpired and status != 401:
        details["hint"] = _NOT_THIS_KEY
    return kind(_sentence(found.error, provider, f"HTTP {status}"), provider=provider, **details)


def inside(body: bytes, *, provider: str) -> PolychatError:
    """What an error means that came with a status of success."""
    found = _read(body) or _Body(error=_Error())
    kind = _kind(found.error, None) or Unavailable
    sentence = _sentence(found.error, provider, "inside a successful answer")
    return kind(sentence, provider=provider, request_id=found.request_id)


def _read(body: bytes) -> _Body | None:
    try:
        return msgspec.json.decode(body, type=_Body)
    except (msgspec.DecodeError, UnicodeDecodeError):
        return None


def _kind(error: _Error, status: int | None) -> type[PolychatError] | None:
    """The class that the code names, else the type, else the status."""
    code = error.details.error_code if error.details else None
    if code in _BY_CODE:
        return _BY_CODE[code]
    usual = _BY_TYPE.get(error.type or "")
    if usual is None or error.type in _GENERAL:
        return _BY_STATUS.get(status or 0, usual)
    return usual


def _sentence(error: _Error, provider: str, where: str) -> str:
    said = " ".join((error.message or "").split())[:_LONGEST].rstrip(".")
    return f"{provider} says: {said or 'nothing more'} ({where})"
