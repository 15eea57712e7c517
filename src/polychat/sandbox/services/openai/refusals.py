"""What the service says when it says no: `{"error": {"message", "type", "param", "code"}}`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from starlette.responses import Response

from polychat.sandbox.call import json

INVALID = "invalid_request_error"
_KINDS: Mapping[int, tuple[str, str | None]] = {  # type and code of an error of which only the status is known
    401: (INVALID, "invalid_api_key"),
    403: (INVALID, "missing_scope"),
    404: (INVALID, "model_not_found"),
    413: ("server_error", None),
    429: ("requests", "rate_limit_exceeded"),
}


class Refusal(Exception):
    """The request is refused."""

    def __init__(
        self, message: str, *, param: str | None = None, code: str | None = None, status: int = 400,
        kind: str = INVALID, headers: Mapping[str, str] | None = None,
    ) -> None:  # fmt: skip
        super().__init__(message)
        self._body = _body(message, kind, param, code)
        self._status = status
        self._headers = headers

    @property
    def response(self) -> Response:
        """The whole answer."""
        return json(self._body, self._status, self._headers)


def error(status: int, message: str) -> dict[str, Any]:
    """The body of an error of which only the status is known."""
    kind, code = _KINDS.get(status, ("server_error" if status >= 500 else INVALID, None))
    return _body(message, kind, None, code)


def _body(message: str, kind: str, param: str | None, code: str | None) -> dict[str, Any]:
    return {"error": {"message": message, "type": kind, "param": param, "code": code}}


def invalid_value(param: str, message: str) -> Refusal:
    """A field has a value that it cannot have."""
    return Refusal(f"Invalid '{param}': {message}", param=param, code="invalid_value")


def missing(param: str) -> Refusal:
    """A field is not there."""
    return Refusal(f"The parameter '{param}' is required.", param=param, code="missing_required_parameter")


def unsupported(param: str, model: str, hint: str = "") -> Refusal:
    """The model does not know the field."""
    message = f"'{param}' is not supported with the model '{model}'.{f' {hint}' if hint else ''}"
    return Refusal(message, param=param, code="unsupported_parameter")


def unsupported_value(param: str, model: str, message: str) -> Refusal:
    """The model knows the field, but not this value."""
    return Refusal(f"'{param}' with the model '{model}': {message}", param=param, code="unsupported_value")


def unplayed(param: str, what: str) -> Refusal:
    """The real service would do it, the sandbox does not."""
    return Refusal(f"The sandbox does not play {what}.", param=param, code="unsupported_by_sandbox")


def no_key() -> Refusal:
    """No `Authorization: Bearer`."""
    return Refusal("No API key was sent: use the header 'Authorization: Bearer KEY'.", status=401)


def wrong_key() -> Refusal:
    """A key that nobody has, or that was revoked."""
    return Refusal("This API key is unknown or has been revoked.", status=401, code="invalid_api_key")


def no_model(model: str, param: str | None = None) -> Refusal:
    """There is no such model."""
    return Refusal(f"There is no model '{model}' here.", status=404, param=param, code="model_not_found")


def rate_limited(kind: str, limit: int, wait_s: float) -> Refusal:
    """Too many `requests` or `tokens` in this window."""
    wait_ms = max(1, round(wait_s * 1000))
    headers = {"retry-after": str(-(-wait_ms // 1000)), "retry-after-ms": str(wait_ms)}
    message = f"The limit of {limit} {kind} is reached; try again in {wait_ms} ms."
    return Refusal(message, status=429, kind=kind, code="rate_limit_exceeded", headers=headers)


def quota_spent() -> Refusal:
    """No credit is left; waiting does not help."""
    return Refusal(
        "The quota of this account is spent.", status=429, kind="insufficient_quota", code="insufficient_quota"
    )


def too_large(size_bytes: int, limit_bytes: int) -> Refusal:
    """The body is larger than the service takes."""
    message = f"The content has {size_bytes} bytes; at most {limit_bytes} are taken."
    return Refusal(message, status=413, kind="server_error")
