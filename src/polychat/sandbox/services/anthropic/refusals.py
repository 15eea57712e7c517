"""What the service says when it says no: `{"type": "error", "error": {"type", "message"}, "request_id"}`.

The message begins with the place of the mistake, `messages.0.content.1.text: ...`, where there is one.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from starlette.responses import Response

from polychat.sandbox.call import json

_KINDS: Mapping[int, str] = {
    400: "invalid_request_error", 401: "authentication_error", 402: "billing_error", 403: "permission_error",
    404: "not_found_error", 413: "request_too_large", 429: "rate_limit_error", 500: "api_error",
    504: "timeout_error", 529: "overloaded_error",
}  # fmt: skip


class Refusal(Exception):
    """The request is refused."""

    def __init__(self, message: str, *, status: int = 400, headers: Mapping[str, str] | None = None) -> None:
        super().__init__(message)
        self._status = status
        self._headers = headers

    def response(self, request_id: str) -> Response:
        """The whole answer."""
        return json(error(self._status, str(self), request_id), self._status, self._headers)


def error(status: int, message: str, request_id: str | None = None) -> dict[str, Any]:
    """The body of an error; without the id of a request where none is known."""
    kind = _KINDS.get(status, "api_error" if status >= 500 else "invalid_request_error")
    return {"type": "error", "error": {"type": kind, "message": message}, "request_id": request_id}


def wrong(place: str, message: str) -> Refusal:
    """Something in the body, at `place`, cannot be so."""
    return Refusal(f"{place}: {message}")


def unplayed(place: str, what: str) -> Refusal:
    """The real service would do it, the sandbox does not."""
    return wrong(place, f"the sandbox does not play {what}")


def no_key() -> Refusal:
    """Neither `x-api-key` nor `Authorization: Bearer`."""
    return Refusal("x-api-key header is required", status=401)


def wrong_key() -> Refusal:
    """A key that nobody has, or that was revoked."""
    return Refusal("this key is unknown or has been revoked", status=401)


def not_found(what: str) -> Refusal:
    """There is nothing of that name; `what` says of which kind, and its name."""
    return Refusal(what, status=404)


def rate_limited(kind: str, limit: int, wait_s: float) -> Refusal:
    """Too many `requests`, `input tokens` or `output tokens` in this window."""
    headers = {"retry-after": str(max(1, -(-round(wait_s * 1000) // 1000)))}
    message = f"this request would exceed the account's limit of {limit:,} {kind} per window"
    return Refusal(message, status=429, headers=headers)


def quota_spent() -> Refusal:
    """No credit is left; waiting does not help."""
    return Refusal("the credit of this account is spent", status=402)


def too_large(size_bytes: int, limit_bytes: int) -> Refusal:
    """The body is larger than the service takes."""
    return Refusal(f"the request has {size_bytes} bytes; at most {limit_bytes} are taken", status=413)
