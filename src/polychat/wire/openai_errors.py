"""Errors in the OpenAI dialect, in an unsuccessful answer or inside a successful one.

    {"error": {"message": "...", "type": "invalid_request_error", "param": "model", "code": "model_not_found"}}

The code decides, then the type; a status of the service is the caller's to look at first. `code` may be a number, as
some services put the status there.
"""

from __future__ import annotations

from typing import Any

import msgspec

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

_LONGEST = 200  # characters of the service's own words
_NOT_THIS_KEY = "see in the service's console what this key may do"

_BY_WORD: dict[str, type[PolychatError]] = {
    "invalid_api_key": AuthExpired,
    "missing_scope": AuthExpired,
    "authentication_error": AuthExpired,
    "insufficient_quota": QuotaSpent,
    "billing_hard_limit_reached": QuotaSpent,
    "rate_limit_exceeded": RateLimited,
    "rate_limit_error": RateLimited,
    "context_length_exceeded": ContextTooLong,
    "string_above_max_length": ContextTooLong,
    "content_policy_violation": Refused,
    "content_filter": Refused,
    "moderation_blocked": Refused,
    "model_not_found": UnknownModel,
    "previous_response_not_found": ConversationNotFound,
    "overloaded_error": Overloaded,
    "server_error": Unavailable,
    "api_error": Unavailable,
    "invalid_request_error": BadRequest,
}
_BY_STATUS: dict[int, type[PolychatError]] = {
    400: BadRequest, 401: AuthExpired, 402: QuotaSpent, 403: AuthExpired, 404: BadRequest, 413: ContextTooLong,
    408: Unavailable, 429: RateLimited, 500: Unavailable, 502: Unavailable, 503: Unavailable, 529: Overloaded,
}  # fmt: skip

_GENERAL = frozenset({BadRequest, Unavailable})  # what a service says of everything; its status says more


class _Error(msgspec.Struct):
    message: str | None = None
    type: str | None = None
    param: str | None = None
    code: str | int | None = None


class _Body(msgspec.Struct):
    error: _Error | str


def explained(status: int, body: bytes, *, provider: str) -> PolychatError | None:
    """What an unsuccessful answer means; None where its status says it all."""
    found = _read(body)
    if found is None:
        return None
    kind = _kind(found)
    if kind in _GENERAL and status != 403:  # which the service also says of a model that is for other things
        kind = _BY_STATUS.get(status, kind)
    if status == 404 and found.param == "model":
        kind = UnknownModel
    elif status == 403 and kind is None:
        kind = AuthExpired
    return _error(kind, found, provider, status) if kind else None


def inside(body: bytes, *, provider: str) -> PolychatError:
    """What an error means that came with a status of success."""
    found = _read(body) or _Error()
    return _error(_kind(found) or Unavailable, found, provider, None)


def _read(body: bytes) -> _Error | None:
    try:
        error = msgspec.json.decode(body, type=_Body).error
    except (msgspec.DecodeError, UnicodeDecodeError):
        return None
    return _Error(message=error) if isinstance(error, str) else error


def _kind(error: _Error) -> type[PolychatError] | None:
    for word in (error.code, error.type):
        if isinstance(word, int):
            if word in _BY_STATUS:
                return _BY_STATUS[word]
        elif word in _BY_WORD:
            return _BY_WORD[word]
        elif word and word.isdecimal() and int(word) in _BY_STATUS:
            return _BY_STATUS[int(word)]
    return None


def _error(kind: type[PolychatError], error: _Error, provider: str, status: int | None) -> PolychatError:
    said = " ".join((error.message or "").split())[:_LONGEST].rstrip(".")
    field = f" ({error.param})" if error.param and error.param not in said else ""
    where = "inside a successful answer" if status is None else f"HTTP {status}"
    details: dict[str, Any] = {"provider": provider, "upstream_status": status}
    if kind is AuthExpired and status == 403:
        details["hint"] = _NOT_THIS_KEY
    return kind(f"{provider} says{field}: {said or 'nothing more'} ({where})", **details)
