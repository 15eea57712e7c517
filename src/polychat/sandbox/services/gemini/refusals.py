"""What the service says when it says no: a `google.rpc.Status`.

    {"error": {"code": 400, "message": "...", "status": "INVALID_ARGUMENT", "details": [{"@type": "...", ...}]}}

A wrong field is named in a `BadRequest` detail by its path, `contents[0].parts[1].inline_data.mime_type`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import msgspec
from starlette.responses import Response

from polychat.sandbox.call import json

_TYPES = "type.googleapis.com/google.rpc."
_DOMAIN = "generativelanguage.googleapis.com"
_STATUSES: Mapping[int, str] = {
    400: "INVALID_ARGUMENT", 401: "UNAUTHENTICATED", 403: "PERMISSION_DENIED", 404: "NOT_FOUND", 409: "ABORTED",
    413: "OUT_OF_RANGE", 429: "RESOURCE_EXHAUSTED", 499: "CANCELLED", 501: "UNIMPLEMENTED", 503: "UNAVAILABLE",
    504: "DEADLINE_EXCEEDED",
}  # fmt: skip


class Violation(msgspec.Struct, frozen=True):
    """A field that is wrong, and why."""

    field: str
    description: str


class Refusal(Exception):
    """The request is refused."""

    def __init__(self, message: str, *, status: int = 400, details: Sequence[dict[str, Any]] = ()) -> None:
        super().__init__(message)
        self._body = error(status, message)
        self._status = status
        if details:
            self._body["error"]["details"] = list(details)

    def response(self, *, listed: bool = False) -> Response:
        """The whole answer; `listed` where a list of answers was expected."""
        return json([self._body] if listed else self._body, self._status)


def error(status: int, message: str) -> dict[str, Any]:
    """The body of an error of which only the status is known."""
    word = _STATUSES.get(status, "INTERNAL" if status >= 500 else "FAILED_PRECONDITION")
    return {"error": {"code": status, "message": message, "status": word}}


def bad(field: str, message: str) -> Refusal:
    """A field is wrong."""
    return violated([Violation(field, f"{field}: {message}")])


def violated(violations: Sequence[Violation]) -> Refusal:
    """Several fields are wrong."""
    message = "\n".join(violation.description for violation in violations)
    return Refusal(message, details=[_detail("BadRequest", fieldViolations=violations)])


def unplayed(field: str, what: str) -> Refusal:
    """The real service would do it, the sandbox does not."""
    return bad(field, f"the sandbox does not play {what}.")


def no_key() -> Refusal:
    """Nobody says who asks."""
    message = "This method is not open to callers without an identity: send an API key as 'x-goog-api-key'."
    return Refusal(message, status=403)


def wrong_key() -> Refusal:
    """A key that nobody has, or that was revoked."""
    reason = {"reason": "API_KEY_INVALID", "domain": "googleapis.com", "metadata": {"service": _DOMAIN}}
    return Refusal("The API key is not valid.", details=[_detail("ErrorInfo", **reason)])


def no_token() -> Refusal:
    """A bearer token, which this emulation gives nobody."""
    return Refusal("The access token is not taken here: send an API key as 'x-goog-api-key'.", status=401)


def no_model(model: str, method: str = "") -> Refusal:
    """There is no such model, or it cannot do that."""
    what = f"does not support {method}" if method else "is not there"
    return Refusal(f"models/{model} {what}. ListModels shows what there is.", status=404)


def not_permitted(what: str) -> Refusal:
    """It is not there, or it is somebody else's; which of both, the service does not say."""
    return Refusal(f"{what} is not there, or you have no permission for it.", status=403)


def exhausted(metric: str, quota: str, limit: int, model: str, wait_s: float | None) -> Refusal:
    """A limit is reached; without `wait_s` the service does not say how long."""
    violation = {
        "quotaMetric": f"{_DOMAIN}/{metric}", "quotaId": quota, "quotaValue": str(limit),
        "quotaDimensions": {"location": "global", "model": model},
    }  # fmt: skip
    links = [
        {
            "description": "About the limits of the Gemini API",
            "url": "https://ai.google.dev/gemini-api/docs/rate-limits",
        }
    ]
    details = [_detail("Help", links=links), _detail("QuotaFailure", violations=[violation])]
    message = f"The quota is exceeded: {metric}, limit {limit}, model {model}."
    if wait_s is not None:
        details.append(_detail("RetryInfo", retryDelay=f"{max(1, -(-wait_s // 1)):.0f}s"))
        message = f"{message} Please try again in {wait_s:.3f}s."
    return Refusal(message, status=429, details=details)


def _detail(kind: str, **fields: Any) -> dict[str, Any]:
    return {"@type": f"{_TYPES}{kind}", **fields}
